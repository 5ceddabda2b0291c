/* divides_by_x.c - divides by the length of x, which may be 0 (C7).
 * SPDX-License-Identifier: MIT */
#include "right.h"

/* h' = a + |x| / |x| */
static rd_status layout(const rd_setup *u, rd_builder *b)
{
    b->state(b, RD_NEW(rd_state_decl, .id = S_H, .name = "h", .width = u->hidden));
    b->line(b, RD_NEW(rd_line_decl, .id = L_A, .name = "a", .width = u->hidden,
                      .flags = RD_FROM_X | RD_BIAS_X));
    return RD_OK;
}

static void forward(const rd_step *s)
{
    for (uint32_t r = 0; r < s->rows; r++) {
        const rd_real length = rd_abs(rd_crow(s->x, r)[0]);
        for (uint32_t j = 0; j < s->hidden; j++)
            rd_row(s->next[S_H], r)[j] = rd_row(s->line[L_A], r)[j] + length / length;
    }
}

static void backward(const rd_step *s)
{
    for (uint32_t r = 0; r < s->rows; r++)
        for (uint32_t j = 0; j < s->hidden; j++)
            rd_row(s->line[L_A], r)[j] = rd_crow(s->dnext[S_H], r)[j];
}

static const rd_cell cell = {RIGHT_CELL("divides_by_x"), .flags = RD_CELL_READS_X, .layout = layout,
                             .forward = forward, .backward = backward};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("divides_by_x"), .cells = cells};
