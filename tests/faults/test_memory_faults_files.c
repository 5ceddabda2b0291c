/* test_memory_faults_files.c - whichever allocation of our own gets nothing: texts, tables.
 * SPDX-License-Identifier: MIT */
#include "faults/every_allocation.h"
#include "rondo_csv.h"
#include "rondo_series.h"

static rd_status read_a_text(scratch *s, const rd_vocab_options *how, rd_error *err)
{
    rd_core *numbers = NULL;
    rd_text *t = NULL;
    rd_vocab_fit *f = NULL;
    rd_vocab *v = NULL;
    rd_pieces *pieces = NULL;
    rd_tensor *x = NULL;
    int32_t ids[64];
    uint64_t first[2] = {0, 1};
    size_t n;
    rd_status status = RD_OK;
    DO(rd_core_open(&(rd_core_options){.threads = 1}, &numbers, err));
    DO(rd_text_open(scratch_path(s, "text.txt"), how, &t, err));
    DO(rd_vocab_fit_new(how, &f, err));
    DO(rd_text_fit(t, 0, rd_text_bytes(t), f, err));
    DO(rd_vocab_fit_end(f, &v, err));
    DO(rd_text_use(t, v, err));
    DO(rd_text_ids(t, v, 0, 10, ids, err));
    DO(rd_vocab_encode(v, "the end", 7, ids, &n, err));
    const rd_pieces_options lines = {.unit = RD_LINE, .to = t ? rd_text_bytes(t) : 0, .steps = 8};
    DO(rd_pieces_new(t, v, &lines, &pieces, err));
    DO(rd_tensor_new(numbers, 2, (size_t[]){2, 6}, RD_SEQUENCE, &x, err));
    DO(rd_text_batch(t, v, first, x, err));
    rd_tensor_release(x);
    rd_pieces_free(pieces);
    rd_vocab_release(v);
    rd_vocab_fit_free(f);
    rd_text_free(t);
    rd_core_release(numbers);
    return status;
}

static rd_status read_characters(scratch *s, rd_error *err)
{
    return read_a_text(s, &(rd_vocab_options){.level = RD_CHAR, .unk = true}, err);
}

static rd_status read_words(scratch *s, rd_error *err)
{
    return read_a_text(s, &(rd_vocab_options){.level = RD_WORD, .unk = true, .punctuation = true},
                       err);
}

static rd_status read_pieces(scratch *s, rd_error *err)
{
    return read_a_text(s, &(rd_vocab_options){.level = RD_BPE, .max_size = 270}, err);
}

static rd_status read_rows(scratch *s, rd_error *err)
{
    const char *const missing[] = {"NA", "-"};
    const uint32_t columns[] = {1, 2};
    uint64_t absent[2];
    const rd_csv_columns which = {.at = columns, .n = 2, .rule = RD_MISSING_PREVIOUS};
    const rd_csv_rules rules = {.header = true, .missing = missing, .n_missing = 2};
    rd_csv_report report = {.missing = absent};
    rd_core *numbers = NULL;
    rd_csv *c = NULL;
    rd_tensor *x = NULL;
    rd_status status = RD_OK;
    DO(rd_core_open(&(rd_core_options){.threads = 1}, &numbers, err));
    DO(rd_csv_open(scratch_path(s, "rows.csv"), &(rd_csv_form){.quotes = true}, &c, err));
    DO(rd_csv_begin(c, &rules, err));
    DO(rd_csv_scan(c, &which, 0, &report, err));
    DO(rd_tensor_new(numbers, 2, (size_t[]){20, 2}, RD_DENSE, &x, err));
    DO(rd_csv_values(c, &which, 30, x, err));
    rd_tensor_release(x);
    rd_csv_free(c);
    rd_core_release(numbers);
    return status;
}

/* ---- every call in turn ---- */

static void check_with_files(scratch *s, deed do_it)
{
    static const char text[] =
        "The end of the matter; all hath been heard.\n\nFear God, and keep the "
        "rest.\nThe rest, the end, the rest, and the end of the end.\n";
    char rows[8192];
    size_t n = (size_t)snprintf(rows, sizeof(rows), "time,a,\"b \"\"quoted\"\"\"\n");
    for (int i = 0; i < 100; i++)
        n += (size_t)snprintf(rows + n, sizeof(rows) - n, "2020-01-%02d %02d:00:00,%d.5,%s\n",
                              1 + i / 24, i % 24, i, i % 7 == 3 ? "NA" : "\"1e3\"");
    scratch_write(s, "rows.csv", rows, n);
    scratch_write(s, "text.txt", text, sizeof(text) - 1);
    check_deed(s, do_it);
}

static void test_reading_characters(void **state)
{
    check_with_files(*state, read_characters);
}

static void test_reading_words(void **state)
{
    check_with_files(*state, read_words);
}

static void test_reading_pieces(void **state)
{
    check_with_files(*state, read_pieces);
}

static void test_reading_rows(void **state)
{
    check_with_files(*state, read_rows);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_open, scratch_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_reading_characters),
        TEST(test_reading_words),
        TEST(test_reading_pieces),
        TEST(test_reading_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
