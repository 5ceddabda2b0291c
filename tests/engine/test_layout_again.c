/* test_layout_again.c - rule C1: declarations that change when they are made again.
 * SPDX-License-Identifier: MIT */
#include "engine/layout.h"
#include "support/tensors.h"

enum field {
    NOTHING,
    TABLE_VALUES,
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
    rd_real *table = b->table(b, 2);
    if (table) table[0] = now(TABLE_VALUES);
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

static rd_status make(enum field f, rd_error *err)
{
    rdc_layout *made = NULL;
    const rd_cell cell = {.size = sizeof cell, .name = "mine", .layout = that_changes};
    const rd_setup setup = {.size = sizeof setup, .in = 3, .hidden = 2};
    field = f;
    again = false;
    const rd_status status = rdc_layout_new("mine", &cell, &setup, 1, &made, err);
    assert_int_equal(made != NULL, status == RD_OK);
    rdc_layout_free(made);
    return status;
}

static void changes(enum field f)
{
    rd_error err;
    test_fails(make(f, &err), &err,
               "mine: rule C1: layout() declared something else when it was called again");
}

static void test_what_does_not_change_is_taken(void **state)
{
    rd_error err;
    (void)state;
    OK(make(NOTHING, &err));
}
static void test_a_table_that_changes(void **state)
{
    (void)state;
    changes(TABLE_VALUES);
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
        cmocka_unit_test(test_what_does_not_change_is_taken),
        cmocka_unit_test(test_a_table_that_changes),
        cmocka_unit_test(test_states_and_temps_that_change),
        cmocka_unit_test(test_lines_that_change),
        cmocka_unit_test(test_vectors_and_saves_that_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
