/* test_layout_errors.c - rule C1: declarations out of bounds, and such as change when they are made again.
 * SPDX-License-Identifier: MIT */
#include "engine/layout.h"
#include "support/tensors.h"

#include <stdio.h>

#define STATE_H RD_NEW(rd_state_decl, .name = "h", .width = 2)
#define LINE_A RD_NEW(rd_line_decl, .name = "a", .width = 2, .flags = RD_FROM_X, .states = 1)

static void declares(rd_status (*layout)(const rd_setup *, rd_builder *), const char *text)
{
    rd_error err;
    rdc_layout *made = NULL;
    const rd_cell cell = {.size = sizeof cell, .name = "mine", .layout = layout};
    const rd_setup setup = {.size = sizeof setup, .in = 3, .hidden = 2};
    test_fails(rdc_layout_new("mine", &cell, &setup, 1, &made, &err), &err, text);
    assert_null(made);
}

/* ---- out of bounds ---- */

static rd_status with_33_lines(const rd_setup *u, rd_builder *b)
{
    (void)u;
    b->state(b, STATE_H);
    for (uint32_t k = 0; k < 33; k++) {
        char name[8];
        snprintf(name, sizeof name, "a%u", k + 1);
        b->line(b, RD_NEW(rd_line_decl, .id = k, .name = name, .width = 2, .states = 1));
    }
    return RD_OK;
}
static void test_one_line_more_than_a_cell_may_have(void **state)
{
    (void)state;
    declares(with_33_lines, "mine: rule C1: line 'a33' is one more than a cell may have");
}

static rd_status with_an_unknown_temp(const rd_setup *u, rd_builder *b)
{
    (void)u;
    b->state(b, STATE_H);
    b->line(b, RD_NEW(rd_line_decl, .name = "a", .width = 2, .temps = RD_BIT(1)));
    return RD_OK;
}
static void test_a_temp_that_is_not_declared(void **state)
{
    (void)state;
    declares(with_an_unknown_temp, "mine: rule C1: line 'a' names a temp that is not declared");
}

static rd_status with_a_far_phase(const rd_setup *u, rd_builder *b)
{
    (void)u;
    b->state(b, STATE_H);
    b->line(b, RD_NEW(rd_line_decl, .name = "a", .width = 2, .states = 1, .phase = 33));
    return RD_OK;
}
static void test_a_phase_beyond_the_last(void **state)
{
    (void)state;
    declares(with_a_far_phase, "mine: rule C1: line 'a' has a phase beyond 32");
}

static rd_status with_a_lonely_temp(const rd_setup *u, rd_builder *b)
{
    (void)u;
    b->state(b, STATE_H);
    b->temp(b, RD_NEW(rd_temp_decl, .name = "q", .width = 2, .phase = 1));
    b->line(b, LINE_A);
    return RD_OK;
}
static void test_a_temp_of_a_phase_without_a_line(void **state)
{
    (void)state;
    declares(with_a_lonely_temp, "mine: rule C1: temp 'q' belongs to a phase that has no line");
}

static rd_status with_a_temp_called_as_a_state(const rd_setup *u, rd_builder *b)
{
    (void)u;
    b->state(b, STATE_H);
    b->temp(b, RD_NEW(rd_temp_decl, .name = "h", .width = 2));
    b->line(b, LINE_A);
    return RD_OK;
}
static void test_a_temp_called_as_a_state(void **state)
{
    (void)state;
    declares(with_a_temp_called_as_a_state,
             "mine: rule C1: state or temp 'h' has a name that is taken");
}

static rd_status with_a_vast_width(const rd_setup *u, rd_builder *b)
{
    (void)u;
    b->state(b, RD_NEW(rd_state_decl, .name = "h", .width = (1u << 20) + 1));
    return RD_OK;
}
static void test_a_width_beyond_the_largest(void **state)
{
    (void)state;
    declares(with_a_vast_width, "mine: rule C1: state 'h' has a width outside 1..1048576");
}

static rd_status that_says_nothing(const rd_setup *u, rd_builder *b)
{
    (void)u, (void)b;
    return RD_E_UNSUPPORTED;
}
static void test_a_failure_without_a_reason(void **state)
{
    (void)state;
    declares(that_says_nothing, "mine: its layout failed without a reason");
}

#define NO_NAME " has no name of the form [a-z][a-z0-9_]*, at most 31 characters"
static const char *name_of_state;
static rd_status of_that_name(const rd_setup *u, rd_builder *b)
{
    (void)u;
    b->state(b, RD_NEW(rd_state_decl, .name = name_of_state, .width = 2));
    return RD_OK;
}
static void test_names_of_another_form(void **state)
{
    (void)state;
    name_of_state = NULL;
    declares(of_that_name, "mine: rule C1: state '(no name)'" NO_NAME);
    name_of_state = "~";
    declares(of_that_name, "mine: rule C1: state '~'" NO_NAME);
    name_of_state = "h-1";
    declares(of_that_name, "mine: rule C1: state 'h-1'" NO_NAME);
    name_of_state = "a_name_that_has_thirty_two_signs";
    declares(of_that_name, "mine: rule C1: state 'a_name_that_has_thirty_two_signs'" NO_NAME);
}

/* ---- made again ---- */

enum field {
    STATE_FLAGS,
    STATE_FIRST,
    STATE_NAME,
    TEMP_WIDTH,
    TEMP_NAME,
    LINE_PHASE,
    LINE_FLAGS,
    LINE_STATES,
    LINE_TEMPS,
    LINE_VALUES_X,
    LINE_VALUES,
    LINE_BIAS,
    LINE_NAME,
    ANOTHER_LINE,
    VECTOR_WIDTH,
    VECTOR_VALUES,
    VECTOR_NAME,
    ANOTHER_VECTOR,
    SAVE_WIDTH,
    ANOTHER_SAVE
};
static enum field field;
static bool again; /* a layout that is no pure function */

static bool now(enum field f)
{
    return again && field == f;
}

static rd_status that_changes(const rd_setup *u, rd_builder *b)
{
    const rd_init one = {.kind = RD_INIT_CONST, .a = 1}, two = {.kind = RD_INIT_CONST, .a = 2};
    (void)u;
    b->state(b, RD_NEW(rd_state_decl, .name = now(STATE_NAME) ? "k" : "h", .width = 2,
                       .flags = now(STATE_FLAGS) ? RD_STATE_STOP : 0,
                       .first = now(STATE_FIRST) ? 1 : 0));
    b->temp(b, RD_NEW(rd_temp_decl, .name = now(TEMP_NAME) ? "p" : "q",
                      .width = now(TEMP_WIDTH) ? 3 : 2));
    b->line(b, RD_NEW(rd_line_decl, .name = now(LINE_NAME) ? "b" : "a", .width = 2,
                      .flags = now(LINE_FLAGS) ? 0 : RD_FROM_X, .states = !now(LINE_STATES),
                      .init_x = now(LINE_VALUES_X) ? two : one,
                      .init_rec = now(LINE_VALUES) ? two : one,
                      .init_bias = now(LINE_BIAS) ? two : one));
    b->line(b, RD_NEW(rd_line_decl, .id = 1, .name = "last", .width = 2,
                      .phase = now(LINE_PHASE) ? 2 : 1, .temps = !now(LINE_TEMPS)));
    if (now(ANOTHER_LINE)) b->line(b, RD_NEW(rd_line_decl, .id = 2, .name = "z", .width = 2));
    b->vec(b, RD_NEW(rd_vec_decl, .name = now(VECTOR_NAME) ? "w" : "v",
                     .width = now(VECTOR_WIDTH) ? 3 : 2, .init = now(VECTOR_VALUES) ? two : one));
    if (now(ANOTHER_VECTOR)) b->vec(b, RD_NEW(rd_vec_decl, .id = 1, .name = "w", .width = 2));
    b->save(b, RD_NEW(rd_save_decl, .width = now(SAVE_WIDTH) ? 3 : 2));
    if (now(ANOTHER_SAVE)) b->save(b, RD_NEW(rd_save_decl, .id = 1, .width = 2));
    again = true;
    return RD_OK;
}

static void changes(enum field f)
{
    field = f;
    again = false;
    declares(that_changes,
             "mine: rule C1: layout() declared something else when it was called again");
}

static void test_states_and_temps_that_change(void **state)
{
    (void)state;
    changes(STATE_FLAGS);
    changes(STATE_FIRST);
    changes(STATE_NAME);
    changes(TEMP_WIDTH);
    changes(TEMP_NAME);
}
static void test_lines_that_change(void **state)
{
    (void)state;
    changes(LINE_PHASE);
    changes(LINE_FLAGS);
    changes(LINE_STATES);
    changes(LINE_TEMPS);
    changes(LINE_VALUES_X);
    changes(LINE_VALUES);
    changes(LINE_BIAS);
    changes(LINE_NAME);
    changes(ANOTHER_LINE);
}
static void test_vectors_and_saves_that_change(void **state)
{
    (void)state;
    changes(VECTOR_WIDTH);
    changes(VECTOR_VALUES);
    changes(VECTOR_NAME);
    changes(ANOTHER_VECTOR);
    changes(SAVE_WIDTH);
    changes(ANOTHER_SAVE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_line_more_than_a_cell_may_have),
        cmocka_unit_test(test_a_temp_that_is_not_declared),
        cmocka_unit_test(test_a_phase_beyond_the_last),
        cmocka_unit_test(test_a_temp_of_a_phase_without_a_line),
        cmocka_unit_test(test_a_temp_called_as_a_state),
        cmocka_unit_test(test_a_width_beyond_the_largest),
        cmocka_unit_test(test_a_failure_without_a_reason),
        cmocka_unit_test(test_names_of_another_form),
        cmocka_unit_test(test_states_and_temps_that_change),
        cmocka_unit_test(test_lines_that_change),
        cmocka_unit_test(test_vectors_and_saves_that_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
