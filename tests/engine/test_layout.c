/* test_layout.c - rule C1: what a cell may not declare, with its sentence.
 * SPDX-License-Identifier: MIT */
#include "support/tensors.h"

#include "engine/layout.h"

#include <stdio.h>

enum { HIDDEN = 3 };
static const rd_setup setup = {.size = sizeof(rd_setup), .in = 2, .hidden = HIDDEN};

static void add_state(rd_builder *b, uint32_t id, const char *name)
{
    b->state(b, RD_NEW(rd_state_decl, .id = id, .name = name, .width = HIDDEN));
}

static void temp(rd_builder *b, uint32_t id, const char *name, uint32_t phase)
{
    b->temp(b, RD_NEW(rd_temp_decl, .id = id, .name = name, .width = HIDDEN, .phase = phase));
}

static void line(rd_builder *b, uint32_t id, const char *name, uint32_t phase, uint32_t temps)
{
    b->line(b, RD_NEW(rd_line_decl, .id = id, .name = name, .width = HIDDEN, .phase = phase,
                      .flags = RD_FROM_X | RD_BIAS_X, .states = 1, .temps = temps));
}

static void vec(rd_builder *b, uint32_t id, const char *name)
{
    b->vec(b, RD_NEW(rd_vec_decl, .id = id, .name = name, .width = HIDDEN));
}

/* NULL: the layout is good. */
static void check_layout(rd_status (*layout)(const rd_setup *, rd_builder *), const char *sentence)
{
    rd_error err;
    rdc_layout *l = NULL;
    char expected[256];
    const rd_cell cell = {.size = sizeof(rd_cell), .name = "cell", .layout = layout};
    const rd_status status = rdc_layout_new("cell", &cell, &setup, 1, &l, &err);
    if (!sentence) {
        test_ok(status, &err);
    } else {
        snprintf(expected, sizeof(expected), "cell: %s", sentence);
        test_fails(status, &err, expected);
        assert_null(l);
    }
    rdc_layout_free(l);
}

/* ---- how many, and how large ---- */

static rd_status many_states(const rd_setup *u, rd_builder *b)
{
    static const char *const name[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i",
                                       "j", "k", "l", "m", "n", "o", "p", "q"};
    (void)u;
    for (uint32_t i = 0; i < 17; i++) add_state(b, i, name[i]);
    return RD_OK;
}

static rd_status many_lines(const rd_setup *u, rd_builder *b)
{
    char name[8];
    (void)u;
    add_state(b, 0, "h");
    for (uint32_t i = 0; i < 33; i++) {
        snprintf(name, sizeof(name), "a%u", i + 1);
        line(b, i, name, 0, 0);
    }
    return RD_OK;
}

static void test_more_than_there_may_be(void **state)
{
    (void)state;
    check_layout(many_lines, "rule C1: line 'a33' is one more than a cell may have");
    check_layout(many_states, "rule C1: state 'q' is one more than a cell may have");
}

static rd_status wide(const rd_setup *u, rd_builder *b)
{
    (void)u;
    b->state(b, RD_NEW(rd_state_decl, .name = "h", .width = (1u << 20) + 1));
    return RD_OK;
}

static void test_a_width_beyond_a_million(void **state)
{
    (void)state;
    check_layout(wide, "rule C1: state 'h' has a width outside 1..1048576");
}

/* Matrices of a million by a million, as many as there may be: more than memory can be. */
static rd_status huge(const rd_setup *u, rd_builder *b)
{
    char name[8];
    (void)u;
    for (uint32_t k = 0; k < 16; k++) {
        snprintf(name, sizeof(name), "s%u", k);
        b->state(b, RD_NEW(rd_state_decl, .id = k, .name = name, .width = 1u << 20));
    }
    for (uint32_t k = 0; k < 32; k++) {
        snprintf(name, sizeof(name), "l%u", k);
        b->line(b,
                RD_NEW(rd_line_decl, .id = k, .name = name, .width = 1u << 20, .states = 0xFFFF));
    }
    return RD_OK;
}

static void test_names_are_copied_and_half_a_million_gigabytes_are_placed(void **state)
{
    (void)state;
    check_layout(huge, NULL); /* 2^49 numbers: placed, though no memory will have them */
}

/* ---- what goes together ---- */

static rd_status strange_temp(const rd_setup *u, rd_builder *b)
{
    (void)u;
    add_state(b, 0, "h");
    line(b, 0, "a", 0, 1);
    return RD_OK;
}

static rd_status strange_state(const rd_setup *u, rd_builder *b)
{
    (void)u;
    add_state(b, 0, "h");
    b->line(b, RD_NEW(rd_line_decl, .name = "a", .width = HIDDEN, .states = 2));
    return RD_OK;
}

static rd_status late_phase(const rd_setup *u, rd_builder *b)
{
    (void)u;
    add_state(b, 0, "h");
    line(b, 0, "a", 33, 0);
    return RD_OK;
}

static rd_status early_line(const rd_setup *u, rd_builder *b)
{
    (void)u;
    add_state(b, 0, "h");
    temp(b, 0, "q", 0);
    line(b, 0, "a", 0, 1);
    return RD_OK;
}

static rd_status idle_temp(const rd_setup *u, rd_builder *b)
{
    (void)u;
    add_state(b, 0, "h");
    temp(b, 0, "q", 1);
    line(b, 0, "a", 0, 0);
    return RD_OK;
}

static void test_lines_and_temps_that_do_not_go_together(void **state)
{
    (void)state;
    check_layout(strange_state, "rule C1: line 'a' names a state that is not declared");
    check_layout(strange_temp, "rule C1: line 'a' names a temp that is not declared");
    check_layout(late_phase, "rule C1: line 'a' has a phase beyond 32");
    check_layout(early_line, "rule C1: line 'a' names a temp that no earlier phase makes");
    check_layout(idle_temp, "rule C1: temp 'q' belongs to a phase that has no line");
}

/* ---- names ---- */

static rd_status temp_as_state(const rd_setup *u, rd_builder *b)
{
    (void)u;
    add_state(b, 0, "h");
    temp(b, 0, "h", 0);
    line(b, 0, "a", 0, 0);
    return RD_OK;
}

static rd_status state_as_input(const rd_setup *u, rd_builder *b)
{
    (void)u;
    add_state(b, 0, "x");
    return RD_OK;
}

static rd_status twin_lines(const rd_setup *u, rd_builder *b)
{
    (void)u;
    add_state(b, 0, "h");
    line(b, 0, "a", 0, 0);
    line(b, 1, "a", 0, 0);
    return RD_OK;
}

static rd_status twin_vectors(const rd_setup *u, rd_builder *b)
{
    (void)u;
    add_state(b, 0, "h");
    vec(b, 0, "u");
    vec(b, 1, "u");
    return RD_OK;
}

static rd_status vector_as_matrix(const rd_setup *u, rd_builder *b)
{
    (void)u;
    add_state(b, 0, "h");
    line(b, 0, "a", 0, 0);
    vec(b, 0, "a_x");
    return RD_OK;
}

static rd_status matrix_as_bias(const rd_setup *u, rd_builder *b)
{
    (void)u;
    add_state(b, 0, "b");
    line(b, 0, "a", 0, 0);
    return RD_OK;
}

/* Checkpoints have parameters by name. */
static void test_names_that_are_taken(void **state)
{
    (void)state;
    check_layout(temp_as_state, "rule C1: state or temp 'h' has a name that is taken");
    check_layout(state_as_input, "rule C1: state or temp 'x' has a name that is taken");
    check_layout(twin_lines, "rule C1: line 'a' is declared twice");
    check_layout(twin_vectors, "rule C1: two parameters are called 'u'");
    check_layout(vector_as_matrix, "rule C1: two parameters are called 'a_x'");
    check_layout(matrix_as_bias, "rule C1: two parameters are called 'a_b'");
}

static rd_status upper(const rd_setup *u, rd_builder *b)
{
    (void)u;
    add_state(b, 0, "H");
    return RD_OK;
}

static rd_status odd_letter(const rd_setup *u, rd_builder *b)
{
    (void)u;
    add_state(b, 0, "h-1");
    return RD_OK;
}

static rd_status nameless(const rd_setup *u, rd_builder *b)
{
    (void)u;
    add_state(b, 0, NULL);
    return RD_OK;
}

static rd_status long_name(const rd_setup *u, rd_builder *b)
{
    (void)u;
    add_state(b, 0, "abcdefghijklmnopqrstuvwxyz_abcdef");
    return RD_OK;
}

static void test_names_are_small_letters(void **state)
{
    (void)state;
    const char *form = "has no name of the form [a-z][a-z0-9_]*, at most 31 characters";
    char sentence[160];
    snprintf(sentence, sizeof(sentence), "rule C1: state 'H' %s", form);
    check_layout(upper, sentence);
    snprintf(sentence, sizeof(sentence), "rule C1: state 'h-1' %s", form);
    check_layout(odd_letter, sentence);
    snprintf(sentence, sizeof(sentence), "rule C1: state '(no name)' %s", form);
    check_layout(nameless, sentence);
    snprintf(sentence, sizeof(sentence), "rule C1: state 'abcdefghijklmnopqrstuvwxyz_abcdef' %s",
             form);
    check_layout(long_name, sentence);
}

/* ---- failures of the author's own ---- */

static rd_status silent(const rd_setup *u, rd_builder *b)
{
    (void)u;
    add_state(b, 0, "h");
    return RD_E_ARG;
}

static rd_status with_reason(const rd_setup *u, rd_builder *b)
{
    (void)u;
    (void)(b->fail)(b, RD_OK, "hidden_size must be even"); /* fail is a macro of cmocka */
    return RD_OK;
}

/* What comes behind a failure is passed over, and the first reason stays. */
static rd_status goes_on(const rd_setup *u, rd_builder *b)
{
    (void)(b->fail)(b, RD_E_ARG, "the first reason");
    (void)(b->fail)(b, RD_E_ARG, "the second");
    assert_null(b->table(b, 3));
    vec(b, 0, "u");
    temp(b, 0, "q", 0);
    b->save(b, RD_NEW(rd_save_decl, .width = 1));
    return many_states(u, b);
}

static rd_status no_table(const rd_setup *u, rd_builder *b)
{
    (void)u;
    assert_null(b->table(b, 0));
    return RD_OK;
}

static void test_a_layout_says_why_it_fails(void **state)
{
    (void)state;
    check_layout(silent, "its layout failed without a reason");
    check_layout(with_reason, "hidden_size must be even");
    check_layout(goes_on, "the first reason");
    check_layout(no_table, "rule C1: table '(no name)' is empty");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_more_than_there_may_be),
        cmocka_unit_test(test_a_width_beyond_a_million),
        cmocka_unit_test(test_names_are_copied_and_half_a_million_gigabytes_are_placed),
        cmocka_unit_test(test_lines_and_temps_that_do_not_go_together),
        cmocka_unit_test(test_names_that_are_taken),
        cmocka_unit_test(test_names_are_small_letters),
        cmocka_unit_test(test_a_layout_says_why_it_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
