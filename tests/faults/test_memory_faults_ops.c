/* test_memory_faults_ops.c - whichever allocation gets nothing: operations of tensors, forward and backward.
 * SPDX-License-Identifier: MIT */
#include "faults/every_operation.h"
#include "rondo_custom.h"
#include "rondo_parts.h"

static const rd_stream stream = {.seed = 5, .purpose = RD_FOR_USER};
typedef rd_tensor *const tensor;

/* ---- elements ---- */

static rd_status unary(const inputs *in, rd_tensor **out, rd_error *err)
{
    return rd_apply1(RD_TANH, in->x, out, err);
}
static rd_status binary(const inputs *in, rd_tensor **out, rd_error *err)
{
    return rd_apply2(RD_DIV, in->x, in->vector, out, err);
}
static rd_status compare(const inputs *in, rd_tensor **out, rd_error *err)
{
    return rd_apply2(RD_LT, in->x, in->vector, out, err);
}
static rd_status with_a_number(const inputs *in, rd_tensor **out, rd_error *err)
{
    rd_tensor *number = NULL;
    rd_status status = rd_scalar(in->core, 2, &number, err);
    DO(rd_apply2(RD_MUL, in->x, number, out, err));
    RELEASE(number);
    return status;
}
static rd_status where(const inputs *in, rd_tensor **out, rd_error *err)
{
    rd_tensor *less = NULL;
    rd_status status = rd_apply2(RD_LT, in->x, in->vector, &less, err);
    DO(rd_where(less, in->x, in->vector, out, err));
    RELEASE(less);
    return status;
}
static rd_status dropout(const inputs *in, rd_tensor **out, rd_error *err)
{
    return rd_dropout(in->x, 0.5, &stream, out, err);
}
static rd_status variational_dropout(const inputs *in, rd_tensor **out, rd_error *err)
{
    return rd_variational_dropout(in->x, 0.5, &stream, out, err);
}

/* ---- products ---- */

static rd_status matmul(const inputs *in, rd_tensor **out, rd_error *err)
{
    rd_tensor *turned = NULL;
    rd_status status = rd_transpose(in->matrix, 0, 1, &turned, err);
    DO(rd_matmul(in->x, turned, out, err));
    RELEASE(turned);
    return status;
}
static rd_status matmul_of_batches(const inputs *in, rd_tensor **out, rd_error *err)
{
    rd_tensor *turned = NULL;
    rd_status status = rd_transpose(in->x, 1, 2, &turned, err);
    DO(rd_matmul(in->x, turned, out, err));
    RELEASE(turned);
    return status;
}
static rd_status linear(const inputs *in, rd_tensor **out, rd_error *err)
{
    rd_tensor *bias = NULL;
    rd_status status = operation_leaf(SHAPE(FOURTH), RD_DENSE, &bias, err);
    DO(rd_linear(in->x, in->matrix, bias, out, err));
    RELEASE(bias);
    return status;
}
static rd_status linear_of_a_view(const inputs *in, rd_tensor **out, rd_error *err)
{
    rd_tensor *wide = NULL, *part = NULL;
    rd_status status = operation_leaf(SHAPE(FIRST, SECOND, THIRD + 1), RD_DENSE, &wide, err);
    DO(rd_slice(wide, 2, 1, THIRD, &part, err));
    DO(rd_linear(part, in->matrix, NULL, out, err));
    RELEASE(wide, part);
    return status;
}
static rd_status linear_of_ids(const inputs *in, rd_tensor **out, rd_error *err)
{
    rd_tensor *hot = NULL;
    rd_status status = rd_one_hot(in->ids, THIRD, &hot, err);
    DO(rd_linear(hot, in->matrix, NULL, out, err));
    RELEASE(hot);
    return status;
}
static rd_status embedding(const inputs *in, rd_tensor **out, rd_error *err)
{
    return rd_embedding(in->ids, in->matrix, out, err);
}

/* ---- rows ---- */

static rd_status softmax(const inputs *in, rd_tensor **out, rd_error *err)
{
    return rd_softmax(in->x, 2, true, out, err);
}
static rd_status softmax_over_time(const inputs *in, rd_tensor **out, rd_error *err)
{
    return rd_softmax(in->x, 1, false, out, err);
}
static rd_status layer_norm(const inputs *in, rd_tensor **out, rd_error *err)
{
    rd_tensor *bias = NULL;
    rd_status status = operation_leaf(SHAPE(THIRD), RD_DENSE, &bias, err);
    DO(rd_layer_norm(in->x, in->vector, bias, 1e-5, out, err));
    RELEASE(bias);
    return status;
}
static rd_status sum(const inputs *in, rd_tensor **out, rd_error *err)
{
    return rd_sum(in->x, 1, true, out, err);
}
static rd_status mean(const inputs *in, rd_tensor **out, rd_error *err)
{
    return rd_mean(in->x, 2, false, out, err);
}
static rd_status maximum(const inputs *in, rd_tensor **out, rd_error *err)
{
    return rd_max(in->x, 1, false, out, err);
}
static rd_status place_of_maximum(const inputs *in, rd_tensor **out, rd_error *err)
{
    return rd_argmax(in->x, 2, false, out, err);
}
static rd_status last_step(const inputs *in, rd_tensor **out, rd_error *err)
{
    return rd_pool_time(in->x, in->ids, RD_POOL_LAST, out, err);
}
static rd_status mean_of_steps(const inputs *in, rd_tensor **out, rd_error *err)
{
    return rd_pool_time(in->x, in->ids, RD_POOL_MEAN, out, err);
}
static rd_status maximum_of_steps(const inputs *in, rd_tensor **out, rd_error *err)
{
    return rd_pool_time(in->x, in->ids, RD_POOL_MAX, out, err);
}
static rd_status valid_steps(const inputs *in, rd_tensor **out, rd_error *err)
{
    return rd_valid_steps(in->x, in->ids, "steps", out, err);
}
static rd_status leading_steps(const inputs *in, rd_tensor **out, rd_error *err)
{
    return rd_leading_steps(in->ids, out, err);
}

/* ---- shapes ---- */

static rd_status concat(const inputs *in, rd_tensor **out, rd_error *err)
{
    return rd_concat((tensor[]){in->x, in->x}, 2, 1, out, err);
}
static rd_status slice(const inputs *in, rd_tensor **out, rd_error *err)
{
    return rd_slice(in->x, 1, 1, 2, out, err);
}
static rd_status step_of_time(const inputs *in, rd_tensor **out, rd_error *err)
{
    return rd_select(in->x, 1, 2, out, err);
}
static rd_status reshape(const inputs *in, rd_tensor **out, rd_error *err)
{
    return rd_reshape(in->matrix, SHAPE(THIRD, FOURTH), out, err);
}
static rd_status reshape_by_a_copy(const inputs *in, rd_tensor **out, rd_error *err)
{
    return rd_reshape(in->x, SHAPE(FIRST * SECOND, THIRD), out, err);
}
static rd_status contiguous(const inputs *in, rd_tensor **out, rd_error *err)
{
    return rd_contiguous(in->x, RD_DENSE, out, err);
}
static rd_status gather(const inputs *in, rd_tensor **out, rd_error *err)
{
    rd_tensor *which = NULL;
    rd_status status = rd_reshape(in->ids, SHAPE(FIRST, SECOND, 1), &which, err);
    DO(rd_gather(in->x, 2, which, out, err));
    RELEASE(which);
    return status;
}
static rd_status one_hot(const inputs *in, rd_tensor **out, rd_error *err)
{
    return rd_one_hot(in->ids, THIRD, out, err);
}
static rd_status detach(const inputs *in, rd_tensor **out, rd_error *err)
{
    return rd_detach(in->x, out, err);
}
static rd_status joined(const inputs *in, rd_tensor **out, rd_error *err)
{
    rd_tensor *again[2] = {NULL, NULL}, *part = NULL;
    rd_status status = rd_mean(in->matrix, 0, false, &part, err);
    DO(rd_join((tensor[]){in->x, part}, 2, again, err));
    DO(rd_apply2(RD_ADD, again[0], again[1], out, err));
    RELEASE(again[0], again[1], part);
    return status;
}

static rd_status turn_round(void *context, rd_tensor *const *dout, rd_tensor **din, rd_error *err)
{
    (void)context;
    return rd_apply1(RD_NEG, dout[0], &din[0], err);
}
static void nothing_kept(void *context)
{
    (void)context;
}
static rd_status custom(const inputs *in, rd_tensor **out, rd_error *err)
{
    rd_tensor *value = NULL, *of = in->x;
    rd_status status = rd_detach(in->x, &value, err);
    const rd_custom f = {.name = "negative",
                         .backward = turn_round,
                         .release = nothing_kept,
                         .in = &of,
                         .result = &value,
                         .saved = &of,
                         .n_in = 1,
                         .n_out = 1,
                         .n_saved = 1};
    DO(rd_custom_apply(&f, out, err));
    RELEASE(value);
    return status;
}

/* ---- values ---- */

static rd_status initial(const inputs *in, int32_t kind, rd_error *err)
{
    rd_tensor *t = NULL;
    rd_status status = rd_tensor_new(in->core, SHAPE(FOURTH, THIRD), RD_DENSE, &t, err);
    DO(rd_fill_init(t, &(rd_init){.kind = kind, .a = 1, .b = 2}, &stream, err));
    RELEASE(t);
    return status;
}
static rd_status orthogonal(const inputs *in, rd_tensor **out, rd_error *err)
{
    (void)out;
    return initial(in, RD_INIT_ORTHO, err);
}
static rd_status identity(const inputs *in, rd_tensor **out, rd_error *err)
{
    (void)out;
    return initial(in, RD_INIT_IDENTITY, err);
}
static rd_status truncated(const inputs *in, rd_tensor **out, rd_error *err)
{
    (void)out;
    return initial(in, RD_INIT_TRUNCATED, err);
}
static rd_status chrono(const inputs *in, rd_tensor **out, rd_error *err)
{
    (void)out;
    return initial(in, RD_INIT_CHRONO, err);
}
static rd_status copy_within(const inputs *in, rd_tensor **out, rd_error *err)
{
    rd_tensor *square = NULL, *turned = NULL;
    rd_status status = rd_tensor_new(in->core, SHAPE(THIRD, THIRD), RD_DENSE, &square, err);
    (void)out;
    DO(rd_fill(square, 1, err));
    DO(rd_transpose(square, 0, 1, &turned, err));
    DO(rd_copy(square, turned, err));
    RELEASE(square, turned);
    return status;
}
static rd_status threads(const inputs *in, rd_tensor **out, rd_error *err)
{
    (void)out;
    rd_status status = rd_core_set_threads(in->core, 3, err);
    DO(rd_core_set_threads(in->core, 2, err));
    return status;
}
static rd_status profile(const inputs *in, rd_tensor **out, rd_error *err)
{
    (void)out;
    rd_core *core = NULL;
    rd_status status = rd_core_open(NULL, &core, err);
    (void)in;
    DO(rd_profile_start(core, err));
    rd_core_release(core);
    return status;
}

int main(void)
{
    static const operation each[] = {
        {"unary", unary},
        {"binary", binary},
        {"compare", compare},
        {"with a number", with_a_number},
        {"where", where},
        {"dropout", dropout},
        {"variational dropout", variational_dropout},
        {"matmul", matmul},
        {"matmul of batches", matmul_of_batches},
        {"linear", linear},
        {"linear of a view", linear_of_a_view},
        {"linear of ids", linear_of_ids},
        {"embedding", embedding},
        {"softmax", softmax},
        {"softmax over time", softmax_over_time},
        {"layer norm", layer_norm},
        {"sum", sum},
        {"mean", mean},
        {"maximum", maximum},
        {"place of the maximum", place_of_maximum},
        {"last step", last_step},
        {"mean of steps", mean_of_steps},
        {"maximum of steps", maximum_of_steps},
        {"valid steps", valid_steps},
        {"leading steps", leading_steps},
        {"concat", concat},
        {"slice", slice},
        {"step of time", step_of_time},
        {"reshape", reshape},
        {"reshape by a copy", reshape_by_a_copy},
        {"contiguous", contiguous},
        {"gather", gather},
        {"one-hot", one_hot},
        {"detach", detach},
        {"join", joined},
        {"custom", custom},
        {"orthogonal", orthogonal},
        {"identity", identity},
        {"truncated", truncated},
        {"chrono", chrono},
        {"copy within", copy_within},
        {"threads", threads},
        {"profile", profile},
    };
    return operations_main(each, sizeof(each) / sizeof(each[0]));
}
