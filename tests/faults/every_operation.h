/* every_operation.h - operations one by one, forward and backward, while memory fails (every_allocation.h).
 *
 * The core gives its free blocks back before each, so that every block it takes is asked of the system.
 * SPDX-License-Identifier: MIT */
#ifndef RD_FAULTS_EVERY_OPERATION_H
#define RD_FAULTS_EVERY_OPERATION_H
#include "faults/every_allocation.h"

enum { FIRST = 2, SECOND = 3, THIRD = 4, FOURTH = 5 };
typedef struct inputs {
    rd_core *core;
    rd_tensor *x;      /* (2, 3, 4) in sequence order, wants a gradient as the next two do */
    rd_tensor *matrix; /* (5, 4) */
    rd_tensor *vector; /* (4) */
    rd_tensor *ids;    /* (2, 3): 1, 2, 3, 1, 2, 0 */
} inputs;
/* Sets *out to what is summed and played backward, or leaves it. */
typedef struct operation {
    const char *name;
    rd_status (*run)(const inputs *in, rd_tensor **out, rd_error *err);
} operation;

static struct {
    rd_core *core;
    const operation *now;
} operations;

static inline rd_status operation_leaf(uint32_t ndim, const size_t *shape, rd_order order,
                                       rd_tensor **out, rd_error *err)
{
    const rd_stream stream = {.seed = 3, .purpose = RD_FOR_USER, .layer = ndim};
    rd_status status = RD_OK;
    DO(rd_tensor_new(operations.core, ndim, shape, order, out, err));
    DO(rd_fill_uniform(*out, 0.1, 0.9, &stream, err));
    DO(rd_set_requires_grad(*out, true, err));
    return status;
}

static inline rd_status operation_inputs(inputs *in, rd_error *err)
{
    const rd_real ids[FIRST * SECOND] = {1, 2, 3, 1, 2, 0};
    rd_status status = RD_OK;
    *in = (inputs){.core = operations.core};
    DO(operation_leaf(SHAPE(FIRST, SECOND, THIRD), RD_SEQUENCE, &in->x, err));
    DO(operation_leaf(SHAPE(FOURTH, THIRD), RD_DENSE, &in->matrix, err));
    DO(operation_leaf(SHAPE(THIRD), RD_DENSE, &in->vector, err));
    DO(rd_tensor_new(in->core, SHAPE(FIRST, SECOND), RD_SEQUENCE, &in->ids, err));
    DO(rd_tensor_write(in->ids, ids, err));
    return status;
}

static inline rd_status operation_play(scratch *s, rd_error *err)
{
    (void)s;
    inputs in;
    rd_tensor *out = NULL, *sum = NULL;
    rd_core_trim(operations.core);
    rd_status status = operation_inputs(&in, err);
    DO(operations.now->run(&in, &out, err));
    if (out) DO(rd_sum(out, RD_ALL, false, &sum, err));
    if (sum && rd_requires_grad(sum)) DO(rd_backward(sum, NULL, false, err));
    RELEASE(in.x, in.matrix, in.vector, in.ids, out, sum);
    rd_core_trim(operations.core);
    return status;
}

static inline void test_operation(void **state)
{
    operations.now = *state;
    check_deed(NULL, operation_play);
}

static inline int operations_open(void **state)
{
    (void)state;
    const rd_core_options options = {
        .threads = 2, .lib_dir = RD_TEST_LIB_DIR, .trust_plugins = true};
    return rd_core_open(&options, &operations.core, NULL);
}

static inline int operations_close(void **state)
{
    (void)state;
    const size_t live = rd_core_memory(operations.core).live_bytes;
    rd_core_release(operations.core);
    return live > 0;
}

/* One test for each, of its name. */
static inline int operations_main(const operation *each, size_t n)
{
    enum { MOST_OPERATIONS = 100 };
    struct CMUnitTest tests[MOST_OPERATIONS];
    assert_true(n <= MOST_OPERATIONS);
    for (size_t i = 0; i < n; i++)
        tests[i] = (struct CMUnitTest){.name = each[i].name,
                                       .test_func = test_operation,
                                       .initial_state = (void *)(uintptr_t)&each[i]};
    return _cmocka_run_group_tests("operations", tests, n, operations_open, operations_close);
}
#endif
