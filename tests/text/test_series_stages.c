/* test_series_stages.c - stages the other way where there is no number to go back to.
 * SPDX-License-Identifier: MIT */
#include "text/columns.h"

#include <math.h>

#define NONE ((double)NAN)

static void test_levels_that_have_no_logarithm_are_refused_on_the_way_back(void **state)
{
    (void)state;
    rd_error err;
    double scratch[32], values[1] = {0};
    rd_series *s = series_of(3, 1, VALUES(1, -2, 3));
    const rd_stage stages[] = {{.kind = RD_STAGE_LOG}, {.kind = RD_STAGE_DIFFERENCE, .a = 2}};
    const rd_feature target = {.stages = stages, .n_stages = 2, .name = "a"};
    const rd_window_form form = {.series = s, .scratch = scratch};
    const rd_window at = {.end = 3, .origin = 2};
    test_fails(rd_window_invert(&form, &target, &at, values, 1, &err), &err,
               "column 'a', row 2: -2 is not above 0 and has no logarithm; give LogScaler { offset "
               "= a number that makes all of the column's positive }");
    rd_series_free(s);
}

/* (1 + b v)^(1 / b) is 0 or infinite where 1 + b v is 0 and below. */
static void test_what_a_power_cannot_give_is_the_end_of_its_range(void **state)
{
    (void)state;
    const rd_stage root = {.kind = RD_STAGE_BOX_COX, .a = 3, .b = 0.5},
                   inverse = {.kind = RD_STAGE_BOX_COX, .b = -1},
                   difference = {.kind = RD_STAGE_DIFFERENCE, .a = 1};
    assert_true(rdc_stage_invert(&root, -2) == -3);
    assert_true(rdc_stage_invert(&root, -5) == -3);
    assert_true(isnan(rdc_stage_invert(&root, NONE)));
    assert_true(isinf(rdc_stage_invert(&inverse, 1)));
    assert_true(rdc_stage_invert(&difference, 5) == 5); /* its inverse needs the rows before */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_levels_that_have_no_logarithm_are_refused_on_the_way_back),
        cmocka_unit_test(test_what_a_power_cannot_give_is_the_end_of_its_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
