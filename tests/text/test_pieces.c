/* test_pieces.c - lines and documents as rows of batches.
 * SPDX-License-Identifier: MIT */
#include "text/texts.h"

typedef struct fixture {
    rd_core *core;
    rd_text *t;
    rd_vocab *v;
    rd_pieces *p;
} fixture;

static fixture open_pieces(scratch *s, const char *text, const rd_vocab_options *how, rd_unit unit,
                           uint32_t steps)
{
    fixture f = {0};
    rd_error err = {0};
    const char *path = scratch_write(s, "text.txt", text, strlen(text));
    assert_int_equal(rd_core_open(&(rd_core_options){.threads = 1}, &f.core, NULL), RD_OK);
    assert_int_equal(rd_text_open(path, how, &f.t, NULL), RD_OK);
    f.v = vocab_of(f.t, how);
    const rd_pieces_options options = {.unit = unit, .to = rd_text_bytes(f.t), .steps = steps};
    if (rd_pieces_new(f.t, f.v, &options, &f.p, &err) != RD_OK) fail_msg("%s", err.text);
    return f;
}

static void close_pieces(fixture *f)
{
    rd_pieces_free(f->p);
    rd_vocab_release(f->v);
    rd_text_free(f->t);
    rd_core_release(f->core);
}

/* Ids as a line of text: symbols as they are, a line feed as $, 0 as a dot. */
static void spell(const rd_vocab *v, const rd_real *ids, size_t n, char *to)
{
    for (size_t i = 0; i < n; i++) {
        char own[4];
        size_t bytes;
        const char *text = rd_vocab_decode(v, (int32_t)ids[i], own, &bytes);
        *to++ = bytes == 0 ? '.' : *text == '\n' ? '$' : *text;
    }
    *to = '\0';
}

/* All pieces in one batch: "x1 y1 | x2 y2 | ...", a + before those that begin a unit. */
static void check_all(fixture *f, const char *expected)
{
    enum { STEPS = 8 };
    const size_t n = (size_t)rd_pieces_count(f->p);
    const size_t shape[2] = {n, STEPS};
    uint64_t numbers[32];
    uint32_t pairs[32];
    bool begins[32];
    rd_real x[32 * STEPS], y[32 * STEPS];
    char got[1024] = "", row[2][STEPS + 1];
    rd_tensor *tx = NULL, *ty = NULL;
    for (size_t i = 0; i < n; i++) numbers[i] = i;
    assert_int_equal(rd_tensor_new(f->core, 2, shape, RD_SEQUENCE, &tx, NULL), RD_OK);
    assert_int_equal(rd_tensor_new(f->core, 2, shape, RD_SEQUENCE, &ty, NULL), RD_OK);
    assert_int_equal(rd_pieces_look(f->p, numbers, n, pairs, begins, NULL), RD_OK);
    assert_int_equal(rd_pieces_batch(f->p, numbers, tx, ty, NULL), RD_OK);
    rd_tensor_read(tx, x);
    rd_tensor_read(ty, y);
    for (size_t i = 0, used = 0; i < n; i++) {
        spell(f->v, x + i * STEPS, pairs[i], row[0]);
        spell(f->v, y + i * STEPS, pairs[i], row[1]);
        used += (size_t)snprintf(got + used, sizeof(got) - used, "%s%s %s|", begins[i] ? "+" : "",
                                 row[0], row[1]);
    }
    assert_string_equal(got, expected);
    rd_tensor_release(tx);
    rd_tensor_release(ty);
    close_pieces(f);
}

static void test_a_line_goes_from_line_feed_to_line_feed(void **state)
{
    fixture f = open_pieces(*state, "ab\n\n \ncde\nf", &by_char, RD_LINE, 8);
    assert_int_equal(rd_pieces_units(f.p), 3);
    check_all(&f, "+$ab ab$|+$cde cde$|+$f f$|");
}

static void test_a_document_ends_at_a_blank_line(void **state)
{
    fixture f = open_pieces(*state, "\n\na\nb\n \t\n\nc\n", &by_char, RD_DOCUMENT, 8);
    assert_int_equal(rd_pieces_units(f.p), 2);
    check_all(&f, "+$a$b$ a$b$$|+$c$ c$$|");
}

static void test_long_units_are_cut_and_go_on(void **state)
{
    fixture f = open_pieces(*state, "abcdefg\nh\nijk\n", &by_char, RD_LINE, 4);
    check_all(&f, "+$abc abcd|defg efg$|+$h h$|+$ijk ijk$|");
}

static void test_bos_and_eos_stand_at_the_ends(void **state)
{
    const rd_vocab_options how = {.level = RD_CHAR, .bos = true, .eos = true};
    fixture f = open_pieces(*state, "ab\nc", &how, RD_LINE, 8);
    check_all(&f, "+.ab ab$|+.c c$|"); /* <bos> has no text, <eos> is written as a line feed */
}

static void test_lines_of_words_and_of_byte_pairs(void **state)
{
    const rd_vocab_options words = {.level = RD_WORD}, bpe = {.level = RD_BPE, .max_size = 258};
    fixture f = open_pieces(*state, " a b \n  \nc d e f", &words, RD_LINE, 3);
    check_all(&f, "+$ab ab$|+$cd cde|ef f$|");
    /* " x" = 256 and "yz" = 257, spelled by their first bytes */
    f = open_pieces(*state, "yz x x\nyz x", &bpe, RD_LINE, 2);
    check_all(&f, "+$y y |    $|+$y y |  $|");
}

/* Many pieces behind each entry of the index, in one very long line and in short ones. */
static void test_every_piece_is_found(void **state)
{
    char text[1200];
    for (size_t i = 0; i < sizeof(text) - 1; i++)
        text[i] = i > 600 && i % 5 == 0 ? '\n' : (char)('a' + i * i % 23);
    text[sizeof(text) - 1] = '\0';
    fixture f = open_pieces(*state, text, &by_char, RD_LINE, 7);
    const uint64_t n = rd_pieces_count(f.p);
    uint64_t at = 0; /* of the first x of a piece that goes on */
    for (uint64_t i = 0; i < n; i++) {
        uint32_t pairs;
        bool begins;
        assert_int_equal(rd_pieces_look(f.p, &i, 1, &pairs, &begins, NULL), RD_OK);
        if (begins != (at == 0 || text[at] == '\n')) fail_msg("piece %d", (int)i);
        at += pairs;
        if (begins && at == pairs) at--; /* the text begins without a line feed */
    }
    assert_int_equal(rd_pieces_begin(f.p, 0), 0);
    assert_int_equal(rd_pieces_begin(f.p, 1), 602 / 7 + 1);
    assert_int_equal(rd_pieces_begin(f.p, n), n);
    close_pieces(&f);
}

static void test_rows_without_a_piece_are_zeros(void **state)
{
    fixture f = open_pieces(*state, "a\nb", &by_char, RD_LINE, 4);
    const size_t shape[2] = {2, 4};
    const uint64_t numbers[2] = {RD_NO_PIECE, 1};
    const rd_real expected[8] = {0, 0, 0, 0, 1, 3, 0, 0};
    rd_real got[8];
    rd_tensor *x = NULL, *y = NULL;
    assert_int_equal(rd_tensor_new(f.core, 2, shape, RD_SEQUENCE, &x, NULL), RD_OK);
    assert_int_equal(rd_tensor_new(f.core, 2, shape, RD_SEQUENCE, &y, NULL), RD_OK);
    assert_int_equal(rd_pieces_batch(f.p, numbers, x, y, NULL), RD_OK);
    rd_tensor_read(x, got);
    assert_memory_equal(got, expected, sizeof(got));
    rd_tensor_release(x);
    rd_tensor_release(y);
    close_pieces(&f);
}

/* Rows that read on from unit to unit: x and y as text, a + where a unit begins, and how many pairs. */
static void check_flow(fixture *f, uint64_t first, uint64_t last, const char *expected)
{
    enum { STEPS = 6 };
    const size_t shape[2] = {1, STEPS};
    uint32_t pairs;
    rd_real x[STEPS], y[STEPS], resets[STEPS];
    char got[64], own[2][STEPS + 1];
    rd_flow flow = {.first = &first, .last = &last, .pairs = &pairs};
    rd_tensor **const made[] = {&flow.x, &flow.y, &flow.resets};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(rd_tensor_new(f->core, 2, shape, RD_SEQUENCE, made[i], NULL), RD_OK);
    assert_int_equal(rd_pieces_flow(f->p, &flow, NULL), RD_OK);
    rd_tensor_read(flow.x, x);
    rd_tensor_read(flow.y, y);
    rd_tensor_read(flow.resets, resets);
    spell(f->v, x, STEPS, own[0]);
    spell(f->v, y, STEPS, own[1]);
    size_t used = 0, n = 0;
    for (size_t i = 0; i < STEPS; i++) {
        if (resets[i] != 0) got[used++] = '+';
        n += resets[i] != 0;
        got[used++] = own[0][i];
    }
    snprintf(got + used, sizeof got - used, " %s %u", own[1], pairs);
    assert_string_equal(got, expected);
    assert_int_equal(n, flow.n_resets);
    for (size_t i = 0; i < 3; i++) rd_tensor_release(*made[i]);
}

static void test_rows_read_on_from_unit_to_unit(void **state)
{
    fixture f = open_pieces(*state, "abc\n\nd\nef\n\n\ng\n", &by_char, RD_DOCUMENT, 1);
    assert_int_equal(rd_pieces_count(f.p), 5 + 6 + 3);
    check_flow(&f, 0, 14, "+$abc$+$ abc$$d 6");
    check_flow(&f, 2, 14, "bc$+$d$ c$$d$e 6");
    check_flow(&f, 6, 11, "d$ef$. $ef$$. 5");
    check_flow(&f, 9, 14, "f$+$g$. $$g$$. 5");
    check_flow(&f, 14, 14, "...... ...... 0");
    close_pieces(&f);
}

static void test_words_and_byte_pairs_read_on_too(void **state)
{
    const rd_vocab_options words = {.level = RD_WORD}, bpe = {.level = RD_BPE, .max_size = 258};
    fixture f = open_pieces(*state, " a b \n  \nc d e f", &words, RD_LINE, 1);
    check_flow(&f, 1, 8, "ab+$cde b$cdef 6");
    close_pieces(&f);
    f = open_pieces(*state, "yz x x\nyz x", &bpe, RD_LINE, 1);
    check_flow(&f, 2, 7, "  +$y .  $y $. 5");
    close_pieces(&f);
}

/* From any pair, far from an entry of the index too: the numbers follow from the text. */
static void test_a_row_may_begin_anywhere(void **state)
{
    enum { LENGTH = 1500, STEPS = 9 };
    char text[LENGTH + 1] = {0};
    fixture f;
    for (size_t i = 0; i < LENGTH; i++)
        text[i] = i > 900 && i % 7 == 0 ? '\n' : (char)('a' + i * i % 23);
    f = open_pieces(*state, text, &by_char, RD_LINE, 1);
    const uint64_t all = rd_pieces_count(f.p);
    assert_int_equal(all, LENGTH + 1); /* each symbol is a y, and the end of the last line */
    for (uint64_t first = 0; first + STEPS <= all; first += 97) {
        rd_real y[STEPS];
        uint32_t pairs;
        const uint64_t last = all;
        char got[STEPS + 1], expected[STEPS + 1];
        rd_flow flow = {.first = &first, .last = &last, .pairs = &pairs};
        rd_tensor **const made[] = {&flow.x, &flow.y, &flow.resets};
        for (size_t i = 0; i < 3; i++)
            assert_int_equal(
                rd_tensor_new(f.core, 2, (size_t[]){1, STEPS}, RD_DENSE, made[i], NULL), RD_OK);
        assert_int_equal(rd_pieces_flow(f.p, &flow, NULL), RD_OK);
        rd_tensor_read(flow.y, y);
        spell(f.v, y, STEPS, got);
        snprintf(expected, sizeof expected, "%s$", text + first);
        for (size_t i = 0; i < STEPS; i++)
            if (expected[i] == '\n') expected[i] = '$';
        assert_string_equal(got, expected);
        for (size_t i = 0; i < 3; i++) rd_tensor_release(*made[i]);
    }
    close_pieces(&f);
}

static void test_flows_are_checked(void **state)
{
    fixture f = open_pieces(*state, "abc\nd", &by_char, RD_LINE, 4);
    rd_error err;
    uint64_t first = 0, last = 8;
    uint32_t pairs;
    rd_tensor *x = NULL, *y = NULL;
    rd_pieces *single = NULL;
    assert_int_equal(rd_tensor_new(f.core, 2, (size_t[]){1, 2}, RD_DENSE, &x, NULL), RD_OK);
    assert_int_equal(rd_tensor_new(f.core, 2, (size_t[]){1, 3}, RD_DENSE, &y, NULL), RD_OK);
    rd_flow flow = {.first = &first, .last = &last, .x = x, .y = x, .resets = y, .pairs = &pairs};
    assert_int_equal(rd_pieces_flow(f.p, &flow, &err), RD_E_ARG);
    assert_string_equal(err.text, "rows read on by pieces of 1 step, these have 4");
    const rd_pieces_options how = {.to = 5, .steps = 1};
    assert_int_equal(rd_pieces_new(f.t, f.v, &how, &single, NULL), RD_OK);
    assert_int_equal(rd_pieces_flow(single, &flow, &err), RD_E_ARG);
    assert_string_equal(err.text, "a batch of rows that read on is three tensors (batch, time)");
    flow.resets = x;
    assert_int_equal(rd_pieces_flow(single, &flow, &err), RD_E_ARG);
    assert_non_null(strstr(err.text, "has 6 pieces, but 1 to 8 were asked for"));
    rd_pieces_free(single);
    rd_tensor_release(x);
    rd_tensor_release(y);
    close_pieces(&f);
}

static void test_what_cannot_be_read_is_refused(void **state)
{
    fixture f = open_pieces(*state, "abc\nd", &by_char, RD_LINE, 4);
    rd_error err;
    const size_t shape[2] = {1, 2};
    uint64_t number = 2;
    uint32_t pairs;
    rd_tensor *x = NULL, *y = NULL;
    rd_pieces *none = NULL;
    assert_int_equal(rd_pieces_look(f.p, &number, 1, &pairs, NULL, &err), RD_E_ARG);
    assert_non_null(strstr(err.text, "has 2 pieces, but number 3 was asked for"));
    number = 0;
    assert_int_equal(rd_tensor_new(f.core, 2, shape, RD_SEQUENCE, &x, NULL), RD_OK);
    assert_int_equal(rd_tensor_new(f.core, 1, shape, RD_SEQUENCE, &y, NULL), RD_OK);
    assert_int_equal(rd_pieces_batch(f.p, &number, x, x, &err), RD_E_ARG);
    assert_string_equal(err.text, "piece 1 has 4 steps, the batch has 2");
    assert_int_equal(rd_pieces_batch(f.p, &number, x, y, &err), RD_E_ARG);
    assert_string_equal(err.text, "batches of pieces are two tensors (batch, time)");
    rd_tensor_release(x);
    rd_tensor_release(y);
    assert_int_equal(rd_pieces_new(f.t, f.v, &(rd_pieces_options){.to = 5}, &none, &err), RD_E_ARG);
    assert_string_equal(err.text, "a piece must have at least 1 step");
    assert_int_equal(
        rd_pieces_new(f.t, f.v, &(rd_pieces_options){.to = 6, .steps = 1}, &none, &err), RD_E_ARG);
    assert_non_null(strstr(err.text, "has 5 bytes, but 0 to 6 were asked for"));
    close_pieces(&f);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_open, scratch_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_line_goes_from_line_feed_to_line_feed),
        TEST(test_a_document_ends_at_a_blank_line),
        TEST(test_long_units_are_cut_and_go_on),
        TEST(test_bos_and_eos_stand_at_the_ends),
        TEST(test_lines_of_words_and_of_byte_pairs),
        TEST(test_every_piece_is_found),
        TEST(test_rows_without_a_piece_are_zeros),
        TEST(test_rows_read_on_from_unit_to_unit),
        TEST(test_words_and_byte_pairs_read_on_too),
        TEST(test_a_row_may_begin_anywhere),
        TEST(test_flows_are_checked),
        TEST(test_what_cannot_be_read_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
