/* chain.c - writes a text: from the last id of each row through a chain of layers to the next one drawn.
 *
 * A chain owns a stepper, or the packed copy of a matrix, for each of its links and retains what they are
 * made of. Each link has one output, [rows][width], that the next reads where it lies.
 * SPDX-License-Identifier: MIT */
#include "engine/stepper.h"
#include "learn/sampling.h"
#include <stdlib.h>
#include <string.h>

struct link {
    rd_link_kind kind;
    size_t in, out; /* features; ids of an embedding or a one-hot link */
    rd_tensor *weight, *bias;
    double eps;
    rdc_stepper stepper;
    rdc_packed packed; /* of a linear link's matrix */
    rd_tensor *x, *y; /* (rows, in) of a layer norm, (rows, out); NULL where the stepper has them */
};

struct rd_chain {
    rd_core *core;
    size_t rows, n;
    struct link *link; /* [n] */
    rdc_draw draw;
    int32_t *ids; /* [rows]: what is read next */
};

/* ---- making one ---------------------------------------------------------------------------------- */

static rd_status fits(const struct link *l, size_t i, const struct link *before, rd_error *err)
{
    if (before->kind == RD_LINK_ONE_HOT && l->kind != RD_LINK_RNN)
        return rdc_fail(err, RD_E_ARG, "chain: a one-hot link must be before a recurrent layer");
    if (l->in != before->out)
        return rdc_fail(err, RD_E_ARG,
                        "chain: link %zu reads %zu features, the one before gives %zu", i + 1,
                        l->in, before->out);
    return RD_OK;
}

/* Row after row without gaps, as a parameter lies. */
static bool is_dense(const rd_tensor *t)
{
    size_t step = 1;
    for (uint32_t d = t->ndim; d-- > 0; step *= t->shape[d])
        if (t->shape[d] != 1 && t->stride[d] != step) return false;
    return true;
}

/* A parameter of a link, of `ndim` dimensions. */
static rd_status take(const rd_tensor *t, size_t i, uint32_t ndim, const char *what, rd_error *err)
{
    char text[128];
    if (t && t->ndim == ndim && is_dense(t)) return RD_OK;
    return rdc_fail(err, RD_E_ARG, "chain: link %zu needs a dense %s of %u dimensions, got %s",
                    i + 1, what, ndim, t ? rdc_shape_text(t, text) : "none");
}

static rd_status check_first(const rd_link *from, size_t i, rd_error *err)
{
    char text[128];
    for (size_t k = 0; from->first && k < rd_rnn_state_count(from->rnn); k++) {
        const rd_tensor *f = from->first[k];
        const uint32_t width = rd_rnn_state_width(from->rnn, k);
        if (f && (f->ndim != 1 || f->shape[0] != width))
            return rdc_fail(err, RD_E_ARG,
                            "chain: link %zu: expected first values (%u) of state '%s', got %s",
                            i + 1, width, rd_rnn_state_name(from->rnn, k), rdc_shape_text(f, text));
    }
    return RD_OK;
}

/* What is read and given, by what the link is made of. */
static rd_status size_link(const rd_link *from, size_t i, struct link *l, rd_error *err)
{
    const bool matrix = from->kind == RD_LINK_EMBEDDING || from->kind == RD_LINK_LINEAR;
    const bool reads_ids = from->kind == RD_LINK_EMBEDDING || from->kind == RD_LINK_ONE_HOT;
    if (reads_ids != (i == 0))
        return rdc_fail(err, RD_E_ARG,
                        reads_ids ? "chain: link %zu reads ids; only the first one can"
                                  : "chain: link %zu, the first, must read ids: one-hot or "
                                    "embedding",
                        i + 1);
    if (matrix || from->kind == RD_LINK_LAYER_NORM)
        RD_TRY(take(from->weight, i, matrix ? 2 : 1, matrix ? "matrix" : "gain", err));
    if (from->bias) RD_TRY(take(from->bias, i, 1, "bias", err));
    switch (from->kind) {
    case RD_LINK_ONE_HOT:
        l->in = l->out = from->classes;
        break;
    case RD_LINK_EMBEDDING:
        l->in = from->weight->shape[0];
        l->out = from->weight->shape[1];
        break;
    case RD_LINK_RNN:
        RD_TRY(check_first(from, i, err));
        l->in = from->rnn->layout->in;
        l->out = rd_rnn_output_size(from->rnn);
        break;
    case RD_LINK_LINEAR:
        l->in = from->weight->shape[1];
        l->out = from->weight->shape[0];
        break;
    case RD_LINK_LAYER_NORM:
        l->in = l->out = from->weight->shape[0];
        break;
    }
    if (from->bias && from->bias->shape[0] != l->out)
        return rdc_fail(err, RD_E_ARG, "chain: link %zu gives %zu features, its bias has %zu",
                        i + 1, l->out, from->bias->shape[0]);
    if (l->in == 0 || l->in > INT32_MAX || l->out == 0)
        return rdc_fail(err, RD_E_ARG, "chain: link %zu reads %zu features and gives %zu", i + 1,
                        l->in, l->out);
    return RD_OK;
}

static rd_status open_link(const rd_chain *c, const rd_link *from, size_t i, rd_error *err)
{
    struct link *l = &c->link[i];
    l->kind = from->kind;
    RD_TRY(size_link(from, i, l, err));
    if (i > 0) RD_TRY(fits(l, i, &c->link[i - 1], err));
    if (from->weight) l->weight = rd_tensor_retain(from->weight);
    if (from->bias) l->bias = rd_tensor_retain(from->bias);
    l->eps = from->eps;
    if (l->kind == RD_LINK_RNN)
        return rdc_stepper_open(&l->stepper, from->rnn, c->rows,
                                c->link[i - 1].kind == RD_LINK_ONE_HOT, from->first, err);
    if (l->kind == RD_LINK_ONE_HOT) return RD_OK;
    if (l->kind == RD_LINK_LAYER_NORM)
        return rd_tensor_new(c->core, 2, (size_t[]){c->rows, l->in}, RD_DENSE, &l->x, err);
    return rd_tensor_new(c->core, 2, (size_t[]){c->rows, l->out}, RD_DENSE, &l->y, err);
}

rd_status rd_chain_new(rd_core *core, const rd_link *links, size_t n, size_t rows, rd_chain **out,
                       rd_error *err)
{
    if (n < 2 || rows < 1 || rows > INT32_MAX)
        return rdc_fail(err, RD_E_ARG,
                        "chain: expected two links or more and a row or more, got %zu and %zu", n,
                        rows);
    rd_chain *c = calloc(1, sizeof *c);
    if (!c) return rdc_no_memory(err, sizeof *c);
    c->core = core;
    c->rows = rows;
    rdc_core_retain(core);
    c->link = calloc(n, sizeof *c->link);
    c->ids = calloc(rows, sizeof *c->ids);
    rd_status status = c->link && c->ids ? RD_OK : rdc_no_memory(err, n * sizeof *c->link);
    if (c->link) c->n = n;
    for (size_t i = 0; i < n && status == RD_OK; i++) status = open_link(c, &links[i], i, err);
    if (status == RD_OK) status = rdc_draw_open(&c->draw, core, c->link[n - 1].out, err);
    if (status != RD_OK) {
        rd_chain_free(c);
        return status;
    }
    *out = c;
    return RD_OK;
}

void rd_chain_free(rd_chain *c)
{
    if (!c) return;
    rd_core *core = c->core;
    for (size_t i = 0; i < c->n; i++) {
        struct link *l = &c->link[i];
        rdc_stepper_close(&l->stepper);
        rdc_block_release(core->arena, l->packed.block);
        rd_tensor_release(l->weight);
        rd_tensor_release(l->bias);
        rd_tensor_release(l->x);
        rd_tensor_release(l->y);
    }
    rdc_draw_close(&c->draw, core);
    free(c->link);
    free(c->ids);
    free(c);
    rd_core_release(core);
}

/* ---- where rows stand ---------------------------------------------------------------------------- */

static size_t states_of(const struct link *l)
{
    return l->kind == RD_LINK_RNN ? rd_rnn_state_count(l->stepper.run.pass->rnn) : 0;
}

size_t rd_chain_rows(const rd_chain *c)
{
    return c->rows;
}

size_t rd_chain_state_count(const rd_chain *c)
{
    size_t n = 0;
    for (size_t i = 0; i < c->n; i++) n += states_of(&c->link[i]);
    return n;
}

static rd_status check_states(const rd_chain *c, rd_tensor *const *states, size_t from,
                              rd_error *err)
{
    char text[128];
    for (size_t i = 0; i < c->n; i++)
        for (size_t k = 0; k < states_of(&c->link[i]); k++, states++) {
            const rd_rnn *rnn = c->link[i].stepper.run.pass->rnn;
            const uint32_t width = rd_rnn_state_width(rnn, k);
            const rd_tensor *s = *states;
            if (s->ndim != 2 || s->shape[1] != width || from >= s->shape[0])
                return rdc_fail(err, RD_E_ARG,
                                "chain: expected state '%s' (%zu or more, %u), got %s",
                                rd_rnn_state_name(rnn, k), from + 1, width,
                                rdc_shape_text(s, text));
        }
    return RD_OK;
}

rd_status rd_chain_put(rd_chain *c, size_t row, rd_tensor *const *states, size_t from,
                       rd_error *err)
{
    if (row >= c->rows)
        return rdc_fail(err, RD_E_ARG, "chain: rows are 1..%zu, got %zu", c->rows, row + 1);
    RD_TRY(check_states(c, states, from, err));
    for (size_t i = 0; i < c->n; i++) {
        if (c->link[i].kind == RD_LINK_RNN) rdc_stepper_put(&c->link[i].stepper, row, states, from);
        states += states_of(&c->link[i]);
    }
    return RD_OK;
}

static void begin_text(rd_chain *c, size_t row)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->link[i].kind == RD_LINK_RNN) rdc_stepper_put(&c->link[i].stepper, row, NULL, 0);
}

/* ---- a step -------------------------------------------------------------------------------------- */

static const rd_real *look_up(const rd_chain *c, const struct link *l)
{
    for (size_t r = 0; r < c->rows; r++)
        memcpy(l->y->at + r * l->out, l->weight->at + ((size_t)c->ids[r] - 1) * l->out,
               l->out * sizeof(rd_real));
    return l->y->at;
}

static rd_status multiply(const rd_chain *c, const struct link *l, const rd_real *x, rd_error *err)
{
    const rd_gemm g = {.size = sizeof(rd_gemm),
                       .flags = RD_TRANS_B | RD_ACCUMULATE | rdc_precision(c->core),
                       .m = c->rows,
                       .n = l->out,
                       .k = l->in,
                       .a = x,
                       .lda = l->in,
                       .b = l->weight->at,
                       .ldb = l->in,
                       .c = l->y->at,
                       .ldc = l->out,
                       .packed_b = l->packed.block->at};
    for (size_t r = 0; r < c->rows; r++) {
        if (l->bias)
            memcpy(l->y->at + r * l->out, l->bias->at, l->out * sizeof(rd_real));
        else
            memset(l->y->at + r * l->out, 0, l->out * sizeof(rd_real));
    }
    return rdc_product_shared(c->core, &g, err);
}

static rd_status normalise(const rd_chain *c, struct link *l, const rd_real *x, rd_error *err)
{
    rd_tensor *y = NULL;
    memcpy(l->x->at, x, c->rows * l->in * sizeof *x);
    RD_TRY(rd_layer_norm(l->x, l->weight, l->bias, l->eps, &y, err));
    rd_tensor_release(l->y);
    l->y = y;
    return RD_OK;
}

/* The logits of all rows after c->ids. */
static rd_status step(const rd_chain *c, const rd_real **logits, rd_error *err)
{
    const rd_real *x = NULL;
    for (size_t i = 0; i < c->n; i++) {
        struct link *l = &c->link[i];
        switch (l->kind) {
        case RD_LINK_ONE_HOT: /* the recurrent layer reads the ids */
            break;
        case RD_LINK_EMBEDDING:
            x = look_up(c, l);
            break;
        case RD_LINK_RNN:
            x = rdc_stepper_step(&l->stepper, c->ids, x);
            break;
        case RD_LINK_LINEAR:
            RD_TRY(multiply(c, l, x, err));
            x = l->y->at;
            break;
        case RD_LINK_LAYER_NORM:
            RD_TRY(normalise(c, l, x, err));
            x = l->y->at;
            break;
        }
    }
    *logits = x;
    return RD_OK;
}

/* Takes up the weights as they are now. */
static rd_status ready(const rd_chain *c, rd_error *err)
{
    for (size_t i = 0; i < c->n; i++) {
        struct link *l = &c->link[i];
        if (l->kind == RD_LINK_RNN) RD_TRY(rdc_stepper_ready(&l->stepper, err));
        if (l->kind != RD_LINK_LINEAR) continue;
        const rd_gemm g = {.size = sizeof(rd_gemm),
                           .flags = RD_TRANS_B | RD_ACCUMULATE | rdc_precision(c->core),
                           .n = l->out,
                           .k = l->in,
                           .b = l->weight->at,
                           .ldb = l->in};
        RD_TRY(rdc_pack(c->core, &g, l->weight->block->version, &l->packed, err));
    }
    return RD_OK;
}

/* ---- writing ------------------------------------------------------------------------------------- */

static rd_status draw_rows(rd_chain *c, rd_writing *w, const rd_real *logits, rd_error *err)
{
    for (size_t r = 0; r < c->rows; r++) {
        rd_stream stream = w->stream[r];
        stream.time += (uint32_t)w->done;
        const rdc_lot lot = {&stream, 0, r};
        RD_TRY(rdc_draw_id(&c->draw, logits + r * c->draw.classes, &lot,
                           &w->ids[w->done * c->rows + r], err));
    }
    return RD_OK;
}

/* What the rows read after what they have drawn. */
static void move_on(rd_chain *c, const rd_writing *w)
{
    for (size_t r = 0; r < c->rows; r++) {
        const int32_t id = w->ids[w->done * c->rows + r];
        const bool ends = w->end && id == w->end && (!w->end_twice || c->ids[r] == id);
        if (ends) begin_text(c, r);
        c->ids[r] = ends && w->begin ? w->begin : id;
    }
}

static rd_status check_writing(const rd_chain *c, const rd_writing *w, rd_error *err)
{
    const size_t ids = c->link[0].in;
    RD_TRY(rdc_check_sampling(&w->how, c->draw.classes, err));
    if (c->draw.classes != ids)
        return rdc_fail(err, RD_E_ARG, "chain: it gives %zu logits and reads ids 1..%zu",
                        c->draw.classes, ids);
    for (size_t r = 0; r < c->rows; r++)
        if (w->next[r] < 1 || (size_t)w->next[r] > ids)
            return rdc_fail(err, RD_E_ARG, "chain: ids are 1..%zu, got %d in row %zu", ids,
                            w->next[r], r + 1);
    if (w->begin < 0 || (size_t)w->begin > ids)
        return rdc_fail(err, RD_E_ARG, "chain: a text begins with an id 1..%zu, got %d", ids,
                        w->begin);
    return RD_OK;
}

rd_status rd_chain_write(rd_chain *c, rd_writing *w, rd_error *err)
{
    w->done = 0;
    RD_TRY(check_writing(c, w, err));
    const bool was = rd_set_grad_mode(c->core, false);
    const uint64_t env = rdc_fp_enter();
    c->draw.how = &w->how;
    memcpy(c->ids, w->next, c->rows * sizeof *c->ids);
    rd_status status = ready(c, err);
    for (; status == RD_OK && w->done < w->steps; w->done++) {
        const rd_real *logits = NULL;
        status = step(c, &logits, err);
        if (status == RD_OK) status = draw_rows(c, w, logits, err);
        if (status != RD_OK) break;
        move_on(c, w);
    }
    memcpy(w->next, c->ids, c->rows * sizeof *c->ids);
    rdc_fp_leave(env);
    rd_set_grad_mode(c->core, was);
    return status;
}
