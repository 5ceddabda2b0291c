/* test_gamma.c - log-gamma against libm, its differences against libm and closed forms, both against R.
 * SPDX-License-Identifier: MIT */
#include "learn/gamma.h"
#include "support/tensors.h"
#include <float.h>
#include <math.h>

/* Of max(1, |value|); 1e-14 is 45 units in the last place of 1, of which libm's own value may have a few. */
#define NEAR 1e-14

static void expect(double got, double want, double tolerance)
{
    const double size = fabs(want) > 1 ? fabs(want) : 1;
    if (!(fabs(got - want) <= tolerance * size)) fail_msg("%.17g instead of %.17g", got, want);
}

static void test_lgamma_is_libm_s(void **state)
{
    (void)state;
    for (double x = 1e-8; x < 1e9; x *= 1.0173) expect(rdc_lgamma(x), lgamma(x), NEAR);
    for (double x = 0.5; x < 40; x += 0.0625) expect(rdc_lgamma(x), lgamma(x), NEAR);
}

static void test_from_ten_on_lgamma_has_few_units_of_error(void **state)
{
    (void)state;
    for (double x = 10; x < 1e12; x *= 1.0173) expect(rdc_lgamma(x), lgamma(x), 4 * DBL_EPSILON);
}

static void test_lgamma_of_integers_is_the_log_of_factorials(void **state)
{
    double factorial = 1;
    (void)state;
    for (int n = 1; n <= 20; n++) {
        expect(rdc_lgamma(n), log(factorial), NEAR);
        factorial *= n;
    }
}

static void test_rises_are_differences_of_lgamma(void **state)
{
    (void)state;
    for (double x = 1e-3; x < 1e3; x *= 1.37)
        for (double d = 0; d < 200; d = 1.5 * d + 0.5) {
            const double size = fabs(lgamma(x)) + fabs(lgamma(x + d)) + 1;
            expect(rdc_lgamma_rise(x, d), lgamma(x + d) - lgamma(x), NEAR * size);
        }
}

/* log Gamma(x + 3) / Gamma(x) = log x (x + 1) (x + 2), whose digits the difference of two does not have. */
static void test_a_rise_keeps_its_digits_where_x_is_large(void **state)
{
    (void)state;
    for (double x = 1; x < 1e15; x *= 10)
        expect(rdc_lgamma_rise(x, 3), log(x) + log(x + 1) + log(x + 2), NEAR);
}

/* psi(x + 1) = psi(x) + 1 / x (Abramowitz & Stegun 6.3.5) */
static void test_digamma_rises_by_the_inverse(void **state)
{
    (void)state;
    for (double x = 1e-3; x < 1e12; x *= 1.0173) expect(rdc_digamma_rise(x, 1) * x, 1, NEAR);
}

static void test_digamma_rises_by_twice_log_two(void **state)
{
    (void)state; /* psi(1) - psi(1/2), A&S 6.3.3 */
    expect(rdc_digamma_rise(0.5, 0.5), 2 * log(2), NEAR);
}

static void test_digamma_is_r_s(void **state)
{
    (void)state; /* digamma(x + d) - digamma(x) of R 4.2 */
    expect(rdc_digamma_rise(7.25, 3), 0.36725126380298789, NEAR);
    expect(rdc_digamma_rise(0.125, 3), 9.359477124183007, NEAR);
    expect(rdc_digamma_rise(1e6, 5) * 1e6, 4.9999900024744193, 1e-8); /* R's has these digits */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lgamma_is_libm_s),
        cmocka_unit_test(test_from_ten_on_lgamma_has_few_units_of_error),
        cmocka_unit_test(test_lgamma_of_integers_is_the_log_of_factorials),
        cmocka_unit_test(test_rises_are_differences_of_lgamma),
        cmocka_unit_test(test_a_rise_keeps_its_digits_where_x_is_large),
        cmocka_unit_test(test_digamma_rises_by_the_inverse),
        cmocka_unit_test(test_digamma_rises_by_twice_log_two),
        cmocka_unit_test(test_digamma_is_r_s),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
