/* test_csv.c - CSV files: numbers are rounded correctly, no cut or changed byte is read past, and a
 * file that changes while it is in use does no harm. What files hold: test_csv_files.c and series_spec.lua.
 * SPDX-License-Identifier: MIT */
#include "text/csvs.h"

#include <locale.h>
#include <math.h>

static rd_csv *open_csv(const char *path)
{
    rd_error err = {0};
    rd_csv *c = NULL;
    if (rd_csv_open(path, &(rd_csv_form){.quotes = true}, &c, &err) != RD_OK)
        fail_msg("%s", err.text);
    return c;
}

static double number_of(const rd_csv *c, const char *text)
{
    const rdc_csv_cell cell = {.at = (const unsigned char *)text, .n = strlen(text)};
    double value = NAN;
    return rdc_csv_number(c, &cell, &value) ? value : (double)NAN;
}

/* strtod of the C library rounds correctly. */
static void check_number(const rd_csv *c, const char *text)
{
    const double expected = strtod(text, NULL), value = number_of(c, text);
    if (memcmp(&expected, &value, sizeof(value)) != 0)
        fail_msg("%s is %.17g, expected %.17g", text, value, expected);
}

static void test_numbers_are_the_nearest_doubles(void **state)
{
    rd_csv *c = open_csv(scratch_write(*state, "a.csv", "a\n1\n", 4));
    static const char *const hard[] = {"9007199254740993",
                                       "9007199254740992.5",
                                       "0.1",
                                       "1e22",
                                       "1e23",
                                       "-0",
                                       "1.7976931348623157e308",
                                       "2.2250738585072014e-308",
                                       "5e-324",
                                       "2e-324",
                                       "1e400",
                                       "-1e400",
                                       "123456789012345678901",
                                       "0.000000000000000000000000000001",
                                       "18446744073709551616",
                                       "8.41e21",
                                       "7.2057594037927933e16",
                                       "00000000000000000000000000000000000000000000000001"};
    for (size_t i = 0; i < sizeof(hard) / sizeof(*hard); i++) check_number(c, hard[i]);
    uint64_t random = 1;
    for (int i = 0; i < 20000; i++) {
        char text[64];
        random = random * 6364136223846793005U + 1442695040888963407U; /* Knuth's MMIX */
        snprintf(text, sizeof(text), "%s%llu.%0*llue%d", i & 1 ? "-" : "",
                 (unsigned long long)(random >> (i % 60)), i % 12 + 1,
                 (unsigned long long)(random % 977), (int)(random >> 33) % 40);
        check_number(c, text);
    }
    rd_csv_free(c);
}

static void test_numbers_do_not_depend_on_the_locale(void **state)
{
    rd_csv *c = open_csv(scratch_write(*state, "a.csv", "a\n1\n", 4));
    (void)setlocale(LC_ALL, "de_DE.UTF-8"); /* where it is installed */
    assert_true(number_of(c, "123456789012345678901.5e-3") == 123456789012345678.9015);
    assert_true(isnan(number_of(c, "1,5")));
    (void)setlocale(LC_ALL, "C");
    rd_csv_free(c);
}

static void test_groups_of_three_digits_are_joined(void **state)
{
    rd_csv *c = csv_of(*state, "a\n1\n", &(rd_csv_rules){.decimal = ',', .thousands = '.'});
    assert_true(number_of(c, "1.234") == 1234);
    assert_true(number_of(c, "-12.345.678,25") == -12345678.25);
    assert_true(number_of(c, "+1.234e2") == 123400);
    assert_true(number_of(c, "1234,5E1") == 12345);
    assert_true(number_of(c, "1234567") == 1234567);
    rd_csv_free(c);
}

static void test_groups_of_other_lengths_are_no_number(void **state)
{
    static const char *const none[] = {"1.23",     "1234.567", "1.2345", ".123",    "1..234",
                                       "1.23.456", "1.23,5",   "1.2e3",  "1,234.5", "1.234,5.678"};
    rd_csv *c = csv_of(*state, "a\n1\n", &(rd_csv_rules){.decimal = ',', .thousands = '.'});
    for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
        if (!isnan(number_of(c, none[i]))) fail_msg("%s", none[i]);
    rd_csv_free(c);
}

static void test_texts_that_are_nearly_numbers_are_none(void **state)
{
    static const char *const none[] = {"",   "-",   "+",  ".",    "e5",  "1e",   "1e+",
                                       "1x", "1ex", "1-", "1e5x", "--1", "0x1p3"};
    rd_csv *c = csv_of(*state, "a\n1\n", &(rd_csv_rules){0});
    for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
        if (!isnan(number_of(c, none[i]))) fail_msg("%s", none[i]);
    assert_true(number_of(c, "1.") == 1 && number_of(c, ".5") == 0.5);
    assert_true(number_of(c, "1e-99999999") == 0);
    rd_csv_free(c);
}

/* 400 bytes are more than any number that is written by a program. */
static void test_numbers_of_400_bytes_are_refused(void **state)
{
    char text[512] = {0};
    rd_csv *c = csv_of(*state, "a\n1\n", &(rd_csv_rules){0});
    memset(text, '7', 399);
    assert_true(isinf(number_of(c, text)));
    memset(text, '7', 400);
    assert_true(isnan(number_of(c, text)));
    c->rules.thousands = ',';
    memcpy(text, "7,", 2);
    assert_true(isnan(number_of(c, text)));
    rd_csv_free(c);
}

/* All cells of these bytes, which end where their memory does, as all that a cell can be. */
static void read_all(const rd_csv *c, const unsigned char *bytes, size_t n)
{
    unsigned char *own = malloc(n ? n : 1);
    rd_csv cut = *c;
    rdc_csv_place p = {.line = 1};
    uint32_t cells = 1;
    memcpy(own, bytes, n);
    cut.begin = own;
    cut.end = own + n;
    while (rdc_csv_row(&cut, &p, &cells, NULL) == RD_OK && cells > 0)
        for (uint32_t i = 0; i < cells && i < cut.capacity; i++)
            (void)rd_csv_kind_of(&cut, (const char *)cut.cells[i].at, cut.cells[i].n);
    free(own);
}

static const char awkward[] =
    "\"a \"\"b\"\"\r\nc\",time;x|y\t\r\n1.5e-3,1949-01-31T12:00:30.5+01:00\r\n"
    "\n1.234.567,5,1950Q1\n-,3/14/2020 11:00 pm\n\"12\",1949M02\n20200131,";

static void test_files_cut_at_any_byte_are_not_read_past(void **state)
{
    rd_csv *c = open_csv(scratch_write(*state, "a.csv", awkward, sizeof(awkward) - 1));
    for (size_t n = 0; n < sizeof(awkward); n++) read_all(c, (const unsigned char *)awkward, n);
    for (size_t n = 0; n < sizeof(awkward); n++)
        read_all(c, (const unsigned char *)awkward + n, sizeof(awkward) - 1 - n);
    rd_csv_free(c);
}

static void test_any_byte_may_be_another(void **state)
{
    static const char others[] = "\"\r\n,;'-+:.eTZ 09\xFF\xEF";
    rd_csv *c = open_csv(scratch_write(*state, "a.csv", awkward, sizeof(awkward) - 1));
    unsigned char bytes[sizeof(awkward)];
    for (size_t i = 0; i + 1 < sizeof(awkward); i++) {
        for (size_t k = 0; k < sizeof(others); k++) {
            memcpy(bytes, awkward, sizeof(awkward));
            bytes[i] = (unsigned char)others[k];
            read_all(c, bytes, sizeof(awkward) - 1);
        }
    }
    rd_csv_free(c);
}

/* Its columns change under the reader: rows are then refused, or other numbers. */
static void test_a_file_rewritten_in_place_does_no_harm(void **state)
{
    const char *path = scratch_write(*state, "a.csv", "a,b\n1,2\n3,4\n5,6\n", 16);
    rd_csv *c = open_csv(path);
    rd_error err = {0};
    bool more = true;
    assert_int_equal(rd_csv_begin(c, &(rd_csv_rules){.header = true}, &err), RD_OK);
    for (int i = 0; i < 3 && more; i++) assert_int_equal(rd_csv_next(c, &more, &err), RD_OK);
    const int fd = open(path, O_WRONLY);
    assert_int_equal(pwrite(fd, "a,b\n1,,,,,,\"\n5,6", 16, 0), 16);
    close(fd);
    assert_int_equal(rd_csv_seek(c, 0, &err), RD_OK);
    assert_int_equal(rd_csv_next(c, &more, &err), RD_E_IO);
    assert_non_null(strstr(err.text, "line 2"));
    rd_csv_free(c);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_open, scratch_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_numbers_are_the_nearest_doubles),
        TEST(test_numbers_do_not_depend_on_the_locale),
        TEST(test_groups_of_three_digits_are_joined),
        TEST(test_groups_of_other_lengths_are_no_number),
        TEST(test_texts_that_are_nearly_numbers_are_none),
        TEST(test_numbers_of_400_bytes_are_refused),
        TEST(test_files_cut_at_any_byte_are_not_read_past),
        TEST(test_any_byte_may_be_another),
        TEST(test_a_file_rewritten_in_place_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
