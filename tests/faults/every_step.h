/* every_step.h - operations whose allocations get nothing in turn, on a core that stays.
 *
 * What a core has recycled is given back before each try: an operation asks the system for all it needs.
 * SPDX-License-Identifier: MIT */
#ifndef RD_FAULTS_EVERY_STEP_H
#define RD_FAULTS_EVERY_STEP_H
#include "faults/every_allocation.h"

typedef struct
    work { /* tensors of one try, released when it ends; NULL where it did not come so far */
    rd_tensor *x, *w, *b, *ids, *mask, *target, *y, *z, *u, *loss, *many[8];
} work;
typedef rd_status (*step)(rd_core *core, work *t, rd_error *err);

static rd_core *opened; /* on which all steps of a program are tried */
static step step_now;

static inline int open_numbers(void **state)
{
    (void)state;
    rd_error err;
    return rd_core_open(&(rd_core_options){.threads = 1}, &opened, &err) == RD_OK ? 0 : -1;
}

static inline int close_numbers(void **state)
{
    (void)state;
    rd_core_release(opened);
    return 0;
}

static inline rd_status try_step(scratch *s, rd_error *err)
{
    (void)s;
    work t = {0};
    rd_core_trim(opened);
    const rd_status status = step_now(opened, &t, err);
    test_release(sizeof(t) / sizeof(rd_tensor *), (rd_tensor *const *)&t);
    rd_core_trim(opened);
    return status;
}

static inline void test_every_allocation(void **state)
{
    step_now = *(step *)*state;
    check_deed(NULL, try_step);
}

/* A test of this name for a step. */
#define STEP(f) \
    { \
        .name = #f, .test_func = test_every_allocation, .initial_state = &(step) \
        { \
            f \
        } \
    }

/* A leaf that wants a gradient, with numbers in [0.1, 0.9). */
static inline rd_status new_leaf(rd_core *core, rd_order order, uint32_t ndim, const size_t *shape,
                                 rd_tensor **out, rd_error *err)
{
    const rd_stream stream = {.seed = 1, .purpose = RD_FOR_USER, .layer = ndim};
    rd_status status = RD_OK;
    DO(rd_tensor_new(core, ndim, shape, order, out, err));
    DO(rd_fill_uniform(*out, 0.1, 0.9, &stream, err));
    DO(rd_set_requires_grad(*out, true, err));
    return status;
}

/* A constant with the numbers 1, 2, ..., n, 1, 2, ... */
static inline rd_status new_ids(rd_core *core, unsigned n, uint32_t ndim, const size_t *shape,
                                rd_tensor **out, rd_error *err)
{
    rd_real values[256];
    rd_status status = RD_OK;
    DO(rd_tensor_new(core, ndim, shape, RD_DENSE, out, err));
    for (size_t i = 0; status == RD_OK && i < rd_tensor_numel(*out); i++)
        values[i] = (rd_real)(i % n + 1);
    DO(rd_tensor_write(*out, values, err));
    return status;
}

/* The sum of a tensor, played backward. */
static inline rd_status play(rd_tensor *y, rd_tensor **sum, rd_error *err)
{
    rd_status status = rd_sum(y, RD_ALL, false, sum, err);
    DO(rd_backward(*sum, NULL, false, err));
    return status;
}
#endif
