/* alone.h - the few words of the test library that a test needs, for -DRD_TEST_ALONE on machines without it.
 * SPDX-License-Identifier: MIT */
#ifndef RD_TEST_ALONE_H
#define RD_TEST_ALONE_H
#include <stdio.h>
#include <stdlib.h>

struct CMUnitTest {
    const char *name;
    void (*run)(void **state);
};
#define cmocka_unit_test(f) \
    { \
#f, f \
    }
/* The first that fails ends the program. */
#define fail_msg(...) \
    do { \
        (void)fprintf(stderr, __VA_ARGS__); \
        (void)fprintf(stderr, " (%s:%d)\n", __FILE__, __LINE__); \
        exit(1); \
    } while (0)
#define assert_true(x) \
    do { \
        if (!(x)) fail_msg("not true: %s", #x); \
    } while (0)
#define assert_non_null(x) assert_true((x) != NULL)
#define cmocka_run_group_tests(tests, setup, teardown) \
    alone_run(tests, sizeof(tests) / sizeof(tests)[0], setup, teardown)

static inline int alone_run(const struct CMUnitTest *tests, size_t n, int (*setup)(void **),
                            int (*teardown)(void **))
{
    void *state = NULL;

    if (setup(&state) != 0) fail_msg("the setup failed");
    for (size_t i = 0; i < n; i++) {
        tests[i].run(&state);
        printf("%s\n", tests[i].name);
    }
    return teardown(&state);
}
#endif
