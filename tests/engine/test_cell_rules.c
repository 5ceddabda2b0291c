/* test_cell_rules.c - the rule engine itself: a cell that breaks a rule is found by exactly that rule.
 *
 * One cell, h' = tanh(a) + v h with v in both functions, is right; each variant does one thing wrong.
 * SPDX-License-Identifier: MIT */
#include "rondo/pointmath.h"
#include "support/cell_rules.h"
#include "support/tensors.h"

#include <errno.h>
#include <fenv.h>
#include <string.h>

enum { ROWS = 16, S_H = 0, T_Q = 0, L_A = 0, L_N = 1, V_V = 0 };

/* What is wrong with the cell under test. */
enum wrong {
    RIGHT,
    REMEMBERS,
    SETS_ERRNO,
    ROUNDS_UP,
    SKIPS_A_STATE,
    SKIPS_A_TEMP,
    WRITES_AHEAD,
    WRITES_BEHIND_A_ROW,
    WRITES_TO_PREVIOUS,
    LEAVES_A_LINE,
    SETS_DPREV,
    SETS_DTEMP,
    SETS_DVEC,
    MIXES_ROWS,
    LOOKS_AT_TIME,
    OVERFLOWS
};
static enum wrong wrong;
static int calls; /* of a cell that has a memory */

static rd_status layout(const rd_setup *u, rd_builder *b)
{
    b->state(b, RD_NEW(rd_state_decl, .id = S_H, .name = "h", .width = u->hidden));
    b->temp(b, RD_NEW(rd_temp_decl, .id = T_Q, .name = "q", .width = u->hidden));
    b->line(b, RD_NEW(rd_line_decl, .id = L_A, .name = "a", .width = u->hidden,
                      .flags = RD_FROM_X | RD_BIAS_X, .states = RD_BIT(S_H)));
    b->line(b, RD_NEW(rd_line_decl, .id = L_N, .name = "n", .width = u->hidden, .phase = 1,
                      .temps = RD_BIT(T_Q)));
    b->vec(b, RD_NEW(rd_vec_decl, .id = V_V, .name = "v", .width = u->hidden));
    return RD_OK;
}

/* phase 0: q = tanh(a); phase 1: h' = tanh(n) + v h */
static void forward(const rd_step *s)
{
    for (uint32_t r = 0; r < s->rows; r++) {
        rd_real *a = rd_row(s->line[L_A], r), *n = rd_row(s->line[L_N], r);
        rd_real *q = rd_row(s->temp[T_Q], r), *h = rd_row(s->next[S_H], r);
        const rd_real *before = rd_crow(s->prev[S_H], r);
        for (uint32_t j = 0; j < s->hidden && s->phase == 0; j++) a[j] = q[j] = rd_tanh(a[j]);
        for (uint32_t j = 0; j < s->hidden && s->phase == 1; j++) {
            n[j] = rd_tanh(n[j]);
            h[j] = n[j] + s->vec[V_V][j] * before[j];
        }
    }
}

static void backward(const rd_step *s)
{
    for (uint32_t r = 0; r < s->rows; r++) {
        rd_real *a = rd_row(s->line[L_A], r), *n = rd_row(s->line[L_N], r);
        const rd_real *before = rd_crow(s->prev[S_H], r), *dh = rd_crow(s->dnext[S_H], r);
        const rd_real *dq = rd_row(s->dtemp[T_Q], r);
        for (uint32_t j = 0; j < s->hidden && s->phase == 1; j++) {
            rd_row(s->dprev[S_H], r)[j] += dh[j] * s->vec[V_V][j];
            s->dvec[V_V][j] += dh[j] * before[j];
            n[j] = dh[j] * (1 - n[j] * n[j]);
        }
        for (uint32_t j = 0; j < s->hidden && s->phase == 0; j++) a[j] = dq[j] * (1 - a[j] * a[j]);
    }
}

/* What is wrong with row r, after the right forward. */
static void spoil_row(const rd_step *s, uint32_t r)
{
    rd_real *h = rd_row(s->next[S_H], r);
    if (wrong == WRITES_AHEAD && s->phase == 0) rd_row(s->line[L_N], r)[1] = 1;
    if (s->phase == 0) return;
    if (wrong == REMEMBERS) h[0] += (rd_real)calls++;
    if (wrong == WRITES_BEHIND_A_ROW) h[s->next[S_H].width] = 0;
    if (wrong == WRITES_TO_PREVIOUS) ((rd_real *)(uintptr_t)rd_crow(s->prev[S_H], r))[0] = 1;
    if (wrong == MIXES_ROWS && r > 0) h[0] += rd_row(s->next[S_H], r - 1)[0];
    if (wrong == LOOKS_AT_TIME) h[0] += (rd_real)s->t;
}

static void wrong_forward(const rd_step *s)
{
    rd_real kept[ROWS], sum[ROWS];
    const rd_span to = s->phase == 0 ? s->temp[T_Q] : s->next[S_H];
    for (uint32_t r = 0; r < s->rows; r++) {
        kept[r] = rd_row(to, r)[2];
        sum[r] = rd_row(s->line[L_A], r)[0];
    }
    forward(s);
    if (wrong == (s->phase == 0 ? SKIPS_A_TEMP : SKIPS_A_STATE))
        for (uint32_t r = 0; r < s->rows; r++) rd_row(to, r)[2] = kept[r];
    for (uint32_t r = 0; r < s->rows; r++) spoil_row(s, r);
    for (uint32_t r = 0; r < s->rows && wrong == OVERFLOWS && s->phase == 0; r++)
        rd_row(to, r)[0] = rd_exp(sum[r]);
    if (wrong == ROUNDS_UP) fesetround(FE_UPWARD);
    if (wrong == SETS_ERRNO) errno = EDOM;
}

static void wrong_backward(const rd_step *s)
{
    rd_real line[ROWS];
    for (uint32_t r = 0; r < s->rows; r++) {
        line[r] = rd_row(s->line[L_A], r)[1];
        if (wrong == SETS_DPREV && s->phase == 1) rd_row(s->dprev[S_H], r)[0] = 0;
        if (wrong == SETS_DTEMP && s->phase == 1) rd_row(s->dtemp[T_Q], r)[0] = 0;
    }
    if (wrong == SETS_DVEC && s->phase == 1) s->dvec[V_V][0] = 0;
    backward(s);
    for (uint32_t r = 0; r < s->rows && wrong == LEAVES_A_LINE && s->phase == 0; r++)
        rd_row(s->line[L_A], r)[1] = line[r];
}

static const rd_cell cell = {.size = sizeof(rd_cell),
                             .revision = 1,
                             .name = "test_wrong",
                             .help = "breaks one rule",
                             .option_size = sizeof(rd_option),
                             .layout = layout,
                             .forward = wrong_forward,
                             .backward = wrong_backward};

/* The rules that a variant breaks, as "C3 C4", and the last reason. */
static void broken_by(enum wrong variant, char found[64], char why[CELL_RULE_TEXT])
{
    const cell_case c = {.cell = &cell, .in = 3, .hidden = 6, .bias = 1};
    found[0] = '\0';
    why[0] = '\0';
    wrong = variant;
    for (size_t i = 0; i < cell_rule_count(); i++) {
        if (cell_rules[i].keeps(&c, why, CELL_RULE_TEXT)) continue;
        if (strstr(found, cell_rules[i].number)) continue;
        if (found[0]) strcat(found, " ");
        strcat(found, cell_rules[i].number);
    }
    fesetround(FE_TONEAREST);
    wrong = RIGHT;
}

static void check(enum wrong variant, const char *number, const char *reason)
{
    char found[64], why[CELL_RULE_TEXT];
    broken_by(variant, found, why);
    assert_string_equal(found, number);
    if (!strstr(why, reason)) fail_msg("'%s' does not say '%s'", why, reason);
}

static void test_a_right_cell_keeps_all(void **state)
{
    (void)state;
    check(RIGHT, "", "");
}

static void test_hidden_memory_is_rule_2(void **state)
{
    (void)state;
    char found[64], why[CELL_RULE_TEXT];
    broken_by(REMEMBERS, found, why); /* and so all that compares two runs */
    assert_string_equal(found, "C2 C3 C4 C5");
    const cell_case c = {.cell = &cell, .in = 3, .hidden = 6, .bias = 1};
    wrong = REMEMBERS;
    assert_false(cell_rules[0].keeps(&c, why, sizeof why));
    assert_non_null(
        strstr(why, "called again it gives other numbers: state 'h', row 0, element 0"));
    wrong = RIGHT;
}

static void test_changed_environment_is_rule_2(void **state)
{
    (void)state;
    check(SETS_ERRNO, "C2", "it changes errno");
    check(ROUNDS_UP, "C2", "it changes the floating-point environment");
}

static void test_unwritten_outputs_are_rule_3(void **state)
{
    (void)state;
    char found[64], why[CELL_RULE_TEXT];
    const cell_case c = {.cell = &cell, .in = 3, .hidden = 6, .bias = 1};
    broken_by(SKIPS_A_STATE, found, why);
    assert_non_null(strstr(found, "C3"));
    wrong = SKIPS_A_STATE;
    assert_false(cell_rules[2].keeps(&c, why, sizeof why));
    assert_non_null(strstr(why, "forward does not write state 'h', row 0, element 2"));
    wrong = SKIPS_A_TEMP;
    assert_false(cell_rules[2].keeps(&c, why, sizeof why));
    assert_non_null(strstr(why, "forward does not write temp 'q', row 0, element 2"));
    wrong = RIGHT;
}

static void test_writing_elsewhere_is_rule_3(void **state)
{
    (void)state;
    check(WRITES_AHEAD, "C3", "forward writes before its phase line 'n', row 0, element 1");
    check(WRITES_BEHIND_A_ROW, "C3", "forward writes outside of state 'h', at row 0, element 6");
    check(WRITES_TO_PREVIOUS, "C3", "forward writes to previous state 'h', which it may only read");
}

static void test_a_line_without_gradient_is_rule_3(void **state)
{
    (void)state;
    check(LEAVES_A_LINE, "C3", "backward leaves line 'a' as it was");
}

static void test_gradients_that_are_not_added_are_rule_3(void **state)
{
    (void)state;
    check(SETS_DPREV, "C3", "backward does not add to dL/dprev of 'h'");
    check(SETS_DTEMP, "C3", "backward does not add to dL/dtemp of 'q'");
    check(SETS_DVEC, "C3", "backward does not add to dL/dvector of 'v'");
}

static void test_rows_that_meet_are_rule_4(void **state)
{
    (void)state;
    check(MIXES_ROWS, "C4", "rows 0..0 and the others in two calls differ from one: ");
}

static void test_steps_that_count_are_rule_5(void **state)
{
    (void)state;
    check(LOOKS_AT_TIME, "C5", "a sequence cut after step 0 differs: ");
}

static void test_overflow_is_rule_7(void **state)
{
    (void)state;
    check(OVERFLOWS, "C7", "temp 'q' is inf where x is up to 10000");
}

static void test_a_refused_declaration_is_said(void **state)
{
    (void)state;
    rd_cell odd = cell;
    char why[CELL_RULE_TEXT];
    const rd_setting none = {.name = "depth", .kind = RD_INT};
    odd.name = "odd";
    const cell_case c = {
        .cell = &odd, .settings = &none, .n_settings = 1, .in = 3, .hidden = 6, .bias = 1};
    assert_false(cell_rules[0].keeps(&c, why, sizeof why));
    assert_non_null(strstr(why, "option 'depth' is unknown; there are none"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_right_cell_keeps_all),
        cmocka_unit_test(test_hidden_memory_is_rule_2),
        cmocka_unit_test(test_changed_environment_is_rule_2),
        cmocka_unit_test(test_unwritten_outputs_are_rule_3),
        cmocka_unit_test(test_writing_elsewhere_is_rule_3),
        cmocka_unit_test(test_a_line_without_gradient_is_rule_3),
        cmocka_unit_test(test_gradients_that_are_not_added_are_rule_3),
        cmocka_unit_test(test_rows_that_meet_are_rule_4),
        cmocka_unit_test(test_steps_that_count_are_rule_5),
        cmocka_unit_test(test_overflow_is_rule_7),
        cmocka_unit_test(test_a_refused_declaration_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
