/* noise.c - regularisers of a layer and of a pass: options, masks, thinned weights. See noise.h.
 * SPDX-License-Identifier: MIT */
#include "engine/noise.h"
#include "base/rng.h"
#include "rondo/pointmath.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RUN = 4 * RDC_QUADS };

/* Element 0 of a source: each has 2^24, the most that x may have (rondo.h). */
static uint32_t quad_of(uint32_t source)
{
    return source << (RD_SOURCE_BITS - 2);
}

static rd_stream stream_of(const rdc_pass *p, uint32_t purpose, uint32_t time)
{
    const struct rdc_noise_plan *plan = p->rnn->noise;
    return (rd_stream){.seed = plan->seed,
                       .purpose = purpose,
                       .layer = plan->layer,
                       .update = p->noise->update,
                       .time = time};
}

/* ---- options ------------------------------------------------------------------------------------- */

static rd_status check_share(const rd_rnn *rnn, const char *option, double p, rd_error *err)
{
    if (p >= 0 && p < 1) return RD_OK;
    return rdc_fail(err, RD_E_ARG, "%s: option '%s' must be at least 0 and less than 1, got %.9g",
                    rnn->label, option, p);
}

/* Is a state or temp multiplied with a matrix that is learned? */
static bool has_recurrent_matrix(const rdc_layout *l)
{
    for (uint32_t r = 0; r < l->n_runs; r++)
        if (l->run[r].source != RDC_SOURCE_X && !l->run[r].frozen) return true;
    return false;
}

static rd_status check_recurrent(const rd_rnn *rnn, const char *option, double p, rd_error *err)
{
    RD_TRY(check_share(rnn, option, p, err));
    if (p == 0 || has_recurrent_matrix(rnn->layout)) return RD_OK;
    return rdc_fail(err, RD_E_ARG,
                    "%s: option '%s' has nothing to drop: no state of the cell %s meets a matrix",
                    rnn->label, option, rnn->cell->name);
}

/* The states that can be held, for a message. */
static void list_states(const rdc_layout *l, char text[256])
{
    size_t n = 0;
    for (uint32_t k = 0; k < l->n_states; k++) {
        if (l->state[k].flags & (RD_STATE_WHOLE | RD_STATE_PART) || n >= 256 - RDC_MAX_NAME)
            continue;
        n += (size_t)snprintf(text + n, 256 - n, n > 0 ? ", %s" : "%s", l->state_name[k]);
    }
}

static rd_status hold_one(const rd_rnn *rnn, struct rdc_noise_plan *plan, const rd_zoneout *z,
                          rd_error *err)
{
    const rdc_layout *l = rnn->layout;
    char states[256] = "";
    list_states(l, states);
    for (uint32_t k = 0; k < l->n_states; k++) {
        if (strcmp(l->state_name[k], z->state) != 0) continue;
        if (l->state[k].flags & (RD_STATE_WHOLE | RD_STATE_PART))
            return rdc_fail(err, RD_E_ARG,
                            "%s: option 'zoneout': the state '%s' means nothing apart from others "
                            "and cannot be held; these can: %s",
                            rnn->label, z->state, states);
        plan->hold[k] = z->share;
        return RD_OK;
    }
    return rdc_fail(err, RD_E_ARG, "%s: option 'zoneout' names no state '%s'; there are: %s",
                    rnn->label, z->state, states);
}

static rd_status plan_zoneout(const rd_rnn *rnn, struct rdc_noise_plan *plan,
                              const rd_rnn_config *c, rd_error *err)
{
    const rdc_layout *l = rnn->layout;
    for (size_t i = 0; i < c->n_zoneout; i++) {
        const rd_zoneout *z = &c->zoneout[i];
        RD_TRY(check_share(rnn, "zoneout", z->share, err));
        if (z->state) {
            RD_TRY(hold_one(rnn, plan, z, err));
            continue;
        }
        for (uint32_t k = 0; k < l->n_states; k++)
            if (!(l->state[k].flags & RD_STATE_WHOLE)) plan->hold[k] = z->share;
    }
    for (uint32_t k = 0; k < l->n_states; k++) {
        if (l->state[k].flags & RD_STATE_PART) plan->hold[k] = plan->hold[0];
        plan->holds = plan->holds || plan->hold[k] > 0;
    }
    return RD_OK;
}

rd_status rdc_noise_plan_new(rd_rnn *rnn, const rd_rnn_config *c, rd_error *err)
{
    struct rdc_noise_plan plan = {.input = c->input_dropout,
                                  .recurrent = c->recurrent_dropout,
                                  .weights = c->weight_drop,
                                  .seed = c->seed,
                                  .layer = c->layer};
    RD_TRY(check_share(rnn, "input_dropout", plan.input, err));
    RD_TRY(check_recurrent(rnn, "recurrent_dropout", plan.recurrent, err));
    RD_TRY(check_recurrent(rnn, "weight_drop", plan.weights, err));
    RD_TRY(plan_zoneout(rnn, &plan, c, err));
    if (plan.input == 0 && plan.recurrent == 0 && plan.weights == 0 && !plan.holds) return RD_OK;
    rnn->noise = malloc(sizeof *rnn->noise);
    if (!rnn->noise) return rdc_no_memory(err, sizeof *rnn->noise);
    *rnn->noise = plan;
    return RD_OK;
}

/* ---- masks of sources ---------------------------------------------------------------------------- */

struct mask_job {
    const rdc_pass *pass;
    rd_stream stream;
    uint32_t source, limit; /* numbers below it drop; 0: none */
    rd_real scale;
};

RD_CLONES static void mask_run(const uint32_t *u, size_t n, uint32_t limit, rd_real scale,
                               rd_real *to)
{
    for (size_t e = 0; e < n; e++) to[e] = u[e] >> 8 < limit ? 0 : scale;
}

static void fill_masks(void *job, size_t first, size_t last)
{
    const struct mask_job *j = job;
    const rdc_sequence *mask = &j->pass->noise->mask[j->source];
    for (size_t i = first; i < last; i++) {
        rd_real *to = mask->at + i * mask->width;
        const uint32_t row = rdc_user_row(j->pass, i);
        for (size_t e = 0; e < mask->width; e += RUN) {
            uint32_t u[RUN];
            const size_t n = mask->width - e < RUN ? mask->width - e : RUN;
            rdc_philox_run(&j->stream, row, 0, quad_of(j->source) + (uint32_t)(e / 4), u);
            mask_run(u, n, j->limit, j->scale, to + e);
        }
    }
}

/* The scales of one-hot rows: of element id - 1 of x. */
static void fill_id_scale(void *job, size_t first, size_t last)
{
    const struct mask_job *j = job;
    const rdc_pass *p = j->pass;
    const int32_t *ids = p->ids->at;
    rd_real *to = p->noise->id_scale->at;
    for (size_t t = first; t < last; t++) {
        const size_t before = rdc_rows_before(p, t);
        for (size_t i = 0; i < rdc_active(p, t); i++) {
            const uint32_t e = (uint32_t)(ids[before + i] > 0 ? ids[before + i] - 1 : 0);
            uint32_t u[4];
            rdc_philox(&j->stream, rdc_user_row(p, i), 0, quad_of(RDC_SOURCE_X) + e / 4, u);
            to[before + i] = u[e % 4] >> 8 < j->limit ? 0 : j->scale;
        }
    }
}

static void feed_x(void *job, size_t first, size_t last)
{
    const rdc_pass *p = job;
    for (size_t t = first; t < last; t++) {
        const rdc_rows r = {t, 0, rdc_active(p, t)};
        rdc_noise_feed(p, RDC_SOURCE_X, &r);
    }
}

static rd_status mask_ids(rdc_pass *p, struct mask_job *job, rd_error *err)
{
    const size_t bytes = p->total * sizeof(rd_real); /* smaller than what layers allocate */
    p->noise->id_scale = rdc_block_new(p->rnn->core->arena, bytes);
    if (!p->noise->id_scale) return rdc_no_memory(err, bytes);
    rdc_pool_range(p->rnn->core->pool, p->steps, rdc_grain(64 * p->rows), fill_id_scale, job);
    return RD_OK;
}

static rd_status mask_source(rdc_pass *p, uint32_t source, bool keep, rd_error *err)
{
    const struct rdc_noise_plan *plan = p->rnn->noise;
    struct rdc_noise *n = p->noise;
    rd_core *core = p->rnn->core;
    const uint32_t width = rdc_source_width(p->rnn->layout, source);
    const double share = source == RDC_SOURCE_X ? plan->input : plan->recurrent;
    const double kept = source == RDC_SOURCE_X ? 1 : 1 - plan->weights;
    struct mask_job job = {.pass = p,
                           .stream = stream_of(p, RD_FOR_SOURCES, 0),
                           .source = source,
                           .limit = rdc_limit(share),
                           .scale = (rd_real)(1 / ((1 - share) * kept))};
    if (source == RDC_SOURCE_X && p->ids) return mask_ids(p, &job, err);
    RD_TRY(rdc_sequence_new(core, &n->mask[source], 1, p->rows, width, err));
    rdc_pool_range(core->pool, p->rows, rdc_grain(4 * width), fill_masks, &job);
    if (keep || source == RDC_SOURCE_X)
        RD_TRY(rdc_sequence_per_step(p, &n->fed[source], width, err));
    else
        RD_TRY(rdc_sequence_new(core, &n->fed[source], 1, p->rows, width, err));
    if (source == RDC_SOURCE_X)
        rdc_pool_range(core->pool, p->steps, rdc_grain(p->rows * width), feed_x, p);
    return RD_OK;
}

/* ---- thinned weights ----------------------------------------------------------------------------- */

struct thin_job {
    rd_stream stream;
    uint32_t limit;
    size_t width;
    const rd_real *dropped, *kept; /* what zeroed weights become, NULL: 0, and the others */
    rd_real *to;
};

RD_INLINE void choose(const uint32_t *u, size_t n, uint32_t limit, const rd_real *dropped,
                      const rd_real *kept, rd_real *to)
{
    for (size_t e = 0; e < n; e++) to[e] = u[e] >> 8 < limit ? (dropped ? dropped[e] : 0) : kept[e];
}

RD_CLONES static void choose_run(const uint32_t *u, size_t n, const struct thin_job *j, size_t at)
{
    if (j->dropped)
        choose(u, n, j->limit, j->dropped + at, j->kept + at, j->to + at);
    else
        choose(u, n, j->limit, NULL, j->kept + at, j->to + at);
}

/* Rows [first, last) of a matrix. */
static void thin_rows(void *job, size_t first, size_t last)
{
    const struct thin_job *j = job;
    for (size_t i = first; i < last; i++)
        for (size_t e = 0; e < j->width; e += RUN) {
            uint32_t u[RUN];
            rdc_philox_run(&j->stream, (uint32_t)i, 0, (uint32_t)(e / 4), u);
            choose_run(u, j->width - e < RUN ? j->width - e : RUN, j, i * j->width + e);
        }
}

static bool is_thinned(const rdc_layout *l, const rdc_parameter *p)
{
    return p->role == RDC_MATRIX && p->source != RDC_SOURCE_X &&
           !(l->line[p->line].flags & RD_FROZEN);
}

static void thin(const rdc_pass *p, uint32_t parameter, struct thin_job job)
{
    const rdc_parameter *q = &p->rnn->layout->parameter[parameter];
    job.stream = stream_of(p, RD_FOR_WEIGHTS, parameter);
    job.limit = rdc_limit(p->rnn->noise->weights);
    job.width = q->shape[1];
    rdc_pool_range(p->rnn->core->pool, q->shape[0], rdc_grain(4 * q->shape[1]), thin_rows, &job);
}

/* The weights of this update. Chunks share them; a pass whose update is over keeps its own. */
static rd_status thin_weights(rdc_pass *p, rd_error *err)
{
    rd_rnn *rnn = p->rnn;
    const rdc_layout *l = rnn->layout;
    rdc_arena *arena = rnn->core->arena;
    rdc_thinned *last = &rnn->thinned;
    if (!last->block || last->of_version != rnn->weights->version ||
        last->update != p->noise->update) {
        const size_t bytes = l->weights * sizeof(rd_real);
        rdc_block_release(arena, last->block);
        last->block = rdc_block_new(arena, bytes);
        if (!last->block) return rdc_no_memory(err, bytes);
        last->of_version = rnn->weights->version;
        last->update = p->noise->update;
        last->count++;
        for (uint32_t i = 0; i < l->n_parameters; i++) {
            const rdc_parameter *q = &l->parameter[i];
            if (!is_thinned(l, q)) continue;
            thin(p, i,
                 (struct thin_job){.kept = (const rd_real *)rnn->weights->at + q->at,
                                   .to = (rd_real *)last->block->at + q->at});
        }
    }
    rdc_block_retain(last->block);
    p->noise->thinned = last->block;
    p->noise->thinned_version = RDC_THINNED | last->count;
    return RD_OK;
}

rd_status rdc_noise_keep_gradients(const rdc_weight_job *j, rdc_block **kept, rd_error *err)
{
    const rd_rnn *rnn = j->pass->rnn;
    const rdc_layout *l = rnn->layout;
    const size_t bytes = l->weights * sizeof(rd_real);
    *kept = NULL;
    if (!j->pass->noise || !j->pass->noise->thinned) return RD_OK;
    *kept = rdc_block_new(rnn->core->arena, bytes);
    if (!*kept) return rdc_no_memory(err, bytes);
    for (uint32_t i = 0; i < l->n_parameters; i++) {
        const rdc_parameter *q = &l->parameter[i];
        if (j->gradient[i] && is_thinned(l, q))
            memcpy((rd_real *)(*kept)->at + q->at, j->gradient[i]->at,
                   q->shape[0] * q->shape[1] * sizeof(rd_real));
    }
    return RD_OK;
}

void rdc_noise_restore_gradients(const rdc_weight_job *j, const rdc_block *kept)
{
    const rdc_layout *l = j->pass->rnn->layout;
    for (uint32_t i = 0; kept && i < l->n_parameters; i++) {
        const rdc_parameter *q = &l->parameter[i];
        if (!j->gradient[i] || !is_thinned(l, q)) continue;
        rd_real *gradient = j->gradient[i]->at;
        thin(j->pass, i,
             (struct thin_job){
                 .dropped = (const rd_real *)kept->at + q->at, .kept = gradient, .to = gradient});
    }
}

/* ---- of a pass ----------------------------------------------------------------------------------- */

static rd_status mask_sources(rdc_pass *p, bool keep, rd_error *err)
{
    const rdc_layout *l = p->rnn->layout;
    const struct rdc_noise_plan *plan = p->rnn->noise;
    if (plan->input > 0) RD_TRY(mask_source(p, RDC_SOURCE_X, keep, err));
    if (plan->recurrent == 0 && plan->weights == 0) return RD_OK;
    for (uint32_t r = 0; r < l->n_runs; r++) {
        const rdc_run *run = &l->run[r];
        if (run->source == RDC_SOURCE_X || run->frozen) continue;
        if (!p->noise->mask[run->source].block) RD_TRY(mask_source(p, run->source, keep, err));
    }
    return RD_OK;
}

static rd_status own_states(rdc_pass *p, bool keep, rd_error *err)
{
    const rdc_layout *l = p->rnn->layout;
    for (uint32_t k = 0; k < l->n_states; k++) {
        rdc_sequence *own = &p->noise->own[k];
        const uint32_t width = l->state[k].width;
        if (p->rnn->noise->hold[k] == 0) continue;
        RD_TRY(keep ? rdc_sequence_per_step(p, own, width, err)
                    : rdc_sequence_new(p->rnn->core, own, 1, p->rows, width, err));
    }
    return RD_OK;
}

rd_status rdc_noise_open(rdc_pass *p, const rd_rnn_input *in, bool keep, rd_error *err)
{
    const struct rdc_noise_plan *plan = p->rnn->noise;
    if (!plan || (!in->training && !plan->holds)) return RD_OK;
    p->noise = rdc_record_new(p->rnn->core->arena, sizeof *p->noise);
    if (!p->noise) return rdc_no_memory(err, sizeof *p->noise);
    p->noise->training = in->training;
    p->noise->update = in->update;
    p->noise->time = in->time;
    if (plan->holds) RD_TRY(own_states(p, keep, err));
    if (!in->training) return RD_OK;
    RD_TRY(mask_sources(p, keep, err));
    return plan->weights > 0 ? thin_weights(p, err) : RD_OK;
}

void rdc_noise_free(rdc_pass *p)
{
    struct rdc_noise *n = p->noise;
    rdc_arena *arena = p->rnn->core->arena;
    if (!n) return;
    for (uint32_t s = 0; s < RDC_MAX_SOURCES; s++) {
        rdc_block_release(arena, n->mask[s].block);
        rdc_block_release(arena, n->fed[s].block);
    }
    for (uint32_t k = 0; k < RDC_MAX_STATES; k++) rdc_block_release(arena, n->own[k].block);
    rdc_block_release(arena, n->id_scale);
    rdc_block_release(arena, n->thinned);
    rdc_record_free(arena, n);
}
