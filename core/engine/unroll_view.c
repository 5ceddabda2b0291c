/* unroll_view.c - what a cell's step functions are shown of one step.
 * SPDX-License-Identifier: MIT */
#include "engine/unroll.h"

void rdc_view_open(rdc_view *v, const rdc_pass *pass, size_t first, size_t last)
{
    const rd_rnn *rnn = pass->rnn;
    const rdc_layout *l = rnn->layout;
    const rd_real *weights = rnn->weights->at;
    v->pass = pass;
    v->first = first;
    v->last = last;
    for (uint32_t i = 0; i < l->n_parameters; i++)
        if (l->parameter[i].role == RDC_VECTOR)
            v->vec[l->parameter[i].line] = weights + l->parameter[i].at;
    v->step = (rd_step){.size = sizeof(rd_step),
                        .rows = (uint32_t)(last - first),
                        .in = l->in,
                        .hidden = l->hidden,
                        .opt = rnn->options,
                        .line = v->line,
                        .next = v->next,
                        .temp = v->temp,
                        .save = v->save,
                        .prev = v->prev,
                        .vec = v->vec};
}

static rd_span span_at(const rdc_sequence *s, size_t slot, size_t row)
{
    return (rd_span){rdc_slot(s, slot) + row * s->width, s->width, s->width};
}

void rdc_view_at(rdc_view *v, size_t t)
{
    const rdc_pass *p = v->pass;
    const rdc_layout *l = p->rnn->layout;
    rd_real *row = rdc_slot(&p->line, t) + v->first * l->line_row;
    for (uint32_t k = 0; k < l->n_lines; k++)
        v->line[k] = (rd_span){row + l->column[k], l->line_row, l->line[k].width};
    for (uint32_t k = 0; k < l->n_states; k++) {
        const rd_span prev = span_at(&p->state[k], t, v->first);
        v->prev[k] = (rd_cspan){prev.at, prev.row, prev.width};
        const bool own = p->noise && p->noise->own[k].block;
        v->next[k] =
            own ? span_at(&p->noise->own[k], t, v->first) : span_at(&p->state[k], t + 1, v->first);
    }
    for (uint32_t k = 0; k < l->n_temps; k++) {
        v->temp[k] = span_at(&p->temp[k], t, v->first);
        v->made[k] = (rd_cspan){v->temp[k].at, v->temp[k].row, v->temp[k].width};
    }
    for (uint32_t k = 0; k < l->n_saves; k++) v->save[k] = span_at(&p->save[k], t, v->first);
    if (p->rnn->cell->flags & RD_CELL_READS_X)
        v->step.x = (rd_cspan){rdc_source_at(p, RDC_SOURCE_X, t, v->first), l->in, l->in};
    v->step.t = (int64_t)t;
    v->step.rows = (uint32_t)(rdc_rows_end(p, t, v->last) - v->first);
}

const rd_real *rdc_source_at(const rdc_pass *pass, uint32_t source, size_t t, size_t row)
{
    const rdc_layout *l = pass->rnn->layout;
    if (source == RDC_SOURCE_X) {
        const rd_real *x = pass->valid ? pass->kept.at : pass->x->at;
        return x + (rdc_rows_before(pass, t) + row) * l->in;
    }
    const uint32_t k = source - RDC_SOURCE_STATE;
    const rdc_sequence *s = k < l->n_states ? &pass->state[k] : &pass->temp[k - l->n_states];
    return rdc_slot(s, t) + row * s->width;
}

rd_observed rdc_observed(rdc_view *v, size_t t)
{
    rdc_view_at(v, t);
    for (uint32_t k = 0; k < v->pass->rnn->layout->n_states; k++) /* held, where zoneout is on */
        v->next[k] = span_at(&v->pass->state[k], t + 1, v->first);
    return (rd_observed){.t = t,
                         .rows = v->step.rows,
                         .line = v->line,
                         .state = v->next,
                         .previous = v->prev,
                         .temp = v->made};
}
