/* test_memory_faults_ops.c - whichever allocation gets nothing: operations of the tape and their backward.
 * SPDX-License-Identifier: MIT */
#include "faults/every_step.h"
#include "rondo_custom.h"
#include "rondo_parts.h"

static rd_status elements(rd_core *core, work *t, rd_error *err)
{
    rd_status status = RD_OK;
    DO(new_leaf(core, RD_DENSE, SHAPE(3, 40), &t->x, err));
    DO(new_leaf(core, RD_DENSE, SHAPE(40), &t->b, err));
    DO(new_leaf(core, RD_DENSE, SHAPE(3, 1), &t->w, err));
    DO(rd_apply1(RD_LOG, t->x, &t->many[0], err));
    DO(rd_apply2(RD_SUB, t->many[0], t->b, &t->many[1], err));
    DO(rd_apply2(RD_MUL, t->many[1], t->w, &t->many[2], err));
    DO(rd_apply2(RD_DIV, t->many[2], t->b, &t->many[3], err));
    DO(rd_apply2(RD_GT, t->x, t->w, &t->mask, err));
    DO(rd_where(t->mask, t->many[3], t->b, &t->y, err));
    DO(play(t->y, &t->loss, err));
    return status;
}

static rd_status products(rd_core *core, work *t, rd_error *err)
{
    rd_status status = RD_OK;
    DO(new_leaf(core, RD_SEQUENCE, SHAPE(2, 3, 4), &t->x, err));
    DO(new_leaf(core, RD_DENSE, SHAPE(2, 4, 5), &t->w, err));
    DO(new_leaf(core, RD_DENSE, SHAPE(5, 2), &t->b, err));
    DO(rd_matmul(t->x, t->w, &t->y, err));
    DO(rd_matmul(t->y, t->b, &t->z, err));
    DO(rd_transpose(t->z, 1, 2, &t->u, err));
    DO(rd_matmul(t->u, t->z, &t->many[0], err));
    DO(play(t->many[0], &t->loss, err));
    return status;
}

static rd_status linear_of_ids(rd_core *core, work *t, rd_error *err)
{
    rd_status status = RD_OK;
    DO(new_ids(core, 6, SHAPE(2, 5), &t->ids, err));
    DO(new_leaf(core, RD_DENSE, SHAPE(6, 40), &t->w, err));
    DO(new_leaf(core, RD_DENSE, SHAPE(4, 40), &t->many[0], err));
    DO(new_leaf(core, RD_DENSE, SHAPE(3, 6), &t->many[1], err));
    DO(new_leaf(core, RD_DENSE, SHAPE(4), &t->b, err));
    DO(rd_embedding(t->ids, t->w, &t->x, err));
    DO(rd_linear(t->x, t->many[0], t->b, &t->y, err));
    DO(rd_one_hot(t->ids, 6, &t->u, err));
    DO(rd_linear(t->u, t->many[1], NULL, &t->z, err));
    DO(play(t->y, &t->loss, err));
    DO(play(t->z, &t->many[2], err));
    return status;
}

/* An operand that lies in no order: rows of it are packed before they are used. */
static rd_status turned_operands(rd_core *core, work *t, rd_error *err)
{
    rd_status status = RD_OK;
    DO(new_leaf(core, RD_DENSE, SHAPE(40, 3), &t->x, err));
    DO(new_leaf(core, RD_DENSE, SHAPE(40, 4), &t->w, err));
    DO(new_leaf(core, RD_DENSE, SHAPE(80), &t->b, err));
    DO(rd_transpose(t->x, 0, 1, &t->many[0], err));
    DO(rd_transpose(t->w, 0, 1, &t->many[1], err));
    DO(rd_linear(t->many[0], t->many[1], NULL, &t->y, err));
    DO(rd_softmax(t->many[0], 0, false, &t->many[2], err));
    DO(rd_softmax(t->many[0], 1, true, &t->many[3], err));
    DO(rd_slice(t->b, 0, 0, 40, &t->many[4], err));
    DO(rd_layer_norm(t->many[0], t->many[4], t->many[4], 1e-5, &t->z, err));
    DO(rd_apply2(RD_ADD, t->many[2], t->many[3], &t->many[5], err));
    DO(rd_apply2(RD_ADD, t->many[5], t->z, &t->u, err));
    DO(rd_concat((rd_tensor *[]){t->y, t->u}, 2, 1, &t->many[6], err));
    DO(play(t->many[6], &t->loss, err));
    return status;
}

static rd_status reductions(rd_core *core, work *t, rd_error *err)
{
    rd_status status = RD_OK;
    DO(new_leaf(core, RD_SEQUENCE, SHAPE(2, 3, 40), &t->x, err));
    DO(rd_sum(t->x, 1, true, &t->many[0], err));
    DO(rd_mean(t->x, 2, true, &t->many[1], err));
    DO(rd_max(t->x, 0, true, &t->many[2], err));
    DO(rd_max(t->x, RD_ALL, false, &t->many[3], err));
    DO(rd_argmax(t->x, 1, false, &t->ids, err));
    DO(rd_apply2(RD_MUL, t->many[0], t->many[1], &t->many[4], err));
    DO(rd_apply2(RD_MUL, t->many[4], t->many[2], &t->many[5], err));
    DO(rd_apply2(RD_MUL, t->many[5], t->many[3], &t->y, err));
    DO(rd_mean(t->y, RD_ALL, false, &t->z, err));
    DO(rd_backward(t->z, NULL, false, err));
    return status;
}

static rd_status pools(rd_core *core, work *t, rd_error *err)
{
    rd_status status = RD_OK;
    DO(new_leaf(core, RD_DENSE, SHAPE(2, 4, 40), &t->x, err));
    DO(new_ids(core, 4, SHAPE(2), &t->mask, err));
    DO(rd_pool_time(t->x, t->mask, RD_POOL_LAST, &t->many[0], err));
    DO(rd_pool_time(t->x, t->mask, RD_POOL_MEAN, &t->many[1], err));
    DO(rd_pool_time(t->x, NULL, RD_POOL_MAX, &t->many[2], err));
    DO(rd_valid_steps(t->x, t->mask, "pool", &t->u, err));
    DO(rd_leading_steps(t->u, &t->ids, err));
    DO(rd_apply2(RD_ADD, t->many[0], t->many[1], &t->y, err));
    DO(rd_apply2(RD_ADD, t->y, t->many[2], &t->z, err));
    DO(play(t->z, &t->loss, err));
    return status;
}

static rd_status shapes(rd_core *core, work *t, rd_error *err)
{
    rd_status status = RD_OK;
    DO(new_leaf(core, RD_SEQUENCE, SHAPE(2, 3, 40), &t->x, err));
    DO(rd_slice(t->x, 1, 1, 2, &t->many[0], err));
    DO(rd_select(t->x, 1, 0, &t->many[1], err));
    DO(rd_reshape(t->many[0], SHAPE(4, 40), &t->many[2], err)); /* a copy */
    DO(rd_concat((rd_tensor *[]){t->many[1], t->many[2]}, 2, 0, &t->many[3], err));
    DO(rd_reshape(t->many[3], SHAPE(2, 3, 40), &t->many[4], err)); /* a view */
    DO(rd_contiguous(t->many[4], RD_SEQUENCE, &t->y, err));
    DO(play(t->y, &t->loss, err));
    DO(rd_detach(t->y, &t->z, err));
    return status;
}

/* Views and copies that remember their ids. */
static rd_status shapes_of_one_hot(rd_core *core, work *t, rd_error *err)
{
    rd_status status = RD_OK;
    DO(new_ids(core, 6, SHAPE(2, 40), &t->ids, err));
    DO(rd_one_hot(t->ids, 6, &t->x, err));
    DO(rd_select(t->x, 1, 0, &t->y, err));
    DO(rd_transpose(t->x, 0, 1, &t->z, err));
    DO(rd_contiguous(t->x, RD_SEQUENCE, &t->u, err));
    DO(rd_slice(t->x, 0, 0, 1, &t->many[0], err));
    return status;
}

static rd_status gathers(rd_core *core, work *t, rd_error *err)
{
    rd_status status = RD_OK;
    DO(new_leaf(core, RD_DENSE, SHAPE(3, 40), &t->x, err));
    DO(new_ids(core, 3, SHAPE(2, 40), &t->ids, err));
    DO(rd_gather(t->x, 0, t->ids, &t->y, err));
    DO(play(t->y, &t->loss, err));
    return status;
}

static rd_status dropouts(rd_core *core, work *t, rd_error *err)
{
    const rd_stream stream = {.seed = 1, .purpose = RD_FOR_DROPOUT};
    rd_status status = RD_OK;
    DO(new_leaf(core, RD_DENSE, SHAPE(40, 2), &t->x, err));
    DO(rd_transpose(t->x, 0, 1, &t->u, err));
    DO(rd_dropout(t->u, 0.5, &stream, &t->y, err));
    DO(new_leaf(core, RD_SEQUENCE, SHAPE(2, 3, 20), &t->w, err));
    DO(rd_variational_dropout(t->w, 0.5, &stream, &t->z, err));
    DO(play(t->y, &t->loss, err));
    DO(play(t->z, &t->many[0], err));
    return status;
}

/* Blocks of megabytes are mapped by themselves. */
static rd_status a_large_tensor(rd_core *core, work *t, rd_error *err)
{
    rd_status status = rd_tensor_new(core, 1, (size_t[]){1 << 20}, RD_DENSE, &t->x, err);
    DO(rd_fill(t->x, 1, err));
    DO(rd_apply1(RD_NEG, t->x, &t->y, err));
    return status;
}

static rd_status pass_on(void *context, rd_tensor *const *dout, rd_tensor **din, rd_error *err)
{
    (void)context;
    (void)err;
    din[0] = rd_tensor_retain(dout[0]);
    return RD_OK;
}

static void let_go(void *context)
{
    *(int *)context -= 1;
}

/* Of the embedder's: its context is given back once, however far it came. */
static rd_status operations_of_the_embedder(rd_core *core, work *t, rd_error *err)
{
    int held = 1;
    rd_status status = RD_OK;
    rd_tensor *out[2] = {NULL, NULL};
    DO(new_leaf(core, RD_DENSE, SHAPE(3), &t->x, err));
    DO(rd_detach(t->x, &t->many[0], err));
    DO(rd_detach(t->x, &t->many[1], err));
    rd_custom f = {.name = "twice",
                   .context = &held,
                   .backward = pass_on,
                   .release = let_go,
                   .in = &t->x,
                   .result = t->many,
                   .n_in = 1,
                   .n_out = 2};
    const bool ready = status == RD_OK;
    DO(rd_custom_apply(&f, out, err));
    const bool handed_over = ready && status == RD_OK;
    t->y = out[0];
    t->z = out[1];
    rd_tensor *joined[2] = {NULL, NULL};
    DO(rd_join(out, 2, joined, err));
    t->many[2] = joined[0];
    t->many[3] = joined[1];
    DO(play(t->many[2], &t->loss, err));
    test_release(sizeof(*t) / sizeof(rd_tensor *), (rd_tensor *const *)t);
    *t = (work){0};
    assert_int_equal(held, handed_over ? 0 : 1);
    return status;
}

static rd_status several_roots(rd_core *core, work *t, rd_error *err)
{
    rd_status status = RD_OK;
    DO(new_leaf(core, RD_DENSE, SHAPE(3), &t->x, err));
    DO(rd_apply1(RD_EXP, t->x, &t->y, err));
    DO(rd_apply1(RD_TANH, t->x, &t->z, err));
    DO(rd_sum(t->z, RD_ALL, false, &t->loss, err));
    DO(new_ids(core, 3, SHAPE(3), &t->u, err));
    DO(rd_backward_all((rd_root[]){{t->loss, NULL}, {t->y, t->u}}, 2, true, err));
    DO(rd_backward(t->x, t->u, false, err));
    return status;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STEP(elements),      STEP(products), STEP(linear_of_ids),  STEP(turned_operands),
        STEP(reductions),    STEP(pools),    STEP(shapes),         STEP(shapes_of_one_hot),
        STEP(gathers),       STEP(dropouts), STEP(a_large_tensor), STEP(operations_of_the_embedder),
        STEP(several_roots),
    };
    return cmocka_run_group_tests(tests, open_numbers, close_numbers);
}
