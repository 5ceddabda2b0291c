/* wrong_choice.c - is wrong at one of the choices of an option alone (C3, with the option named).
 * SPDX-License-Identifier: MIT */
#include "right.h"

static const char *const kinds[] = {"plain", "lazy", NULL};
static const rd_option options[] = {
    {.name = "kind", .help = "", .kind = RD_CHOICE, .flags = RD_OPT_SHAPE, .choices = kinds},
};

static void backward(const rd_step *s)
{
    right_backward(s);
    if (s->opt[0].i == 1 && s->phase == 1) rd_row(s->line[L_N], 0)[s->line[L_N].width] = 0;
}

static const rd_cell cell = {RIGHT_CELL("wrong_choice"), .options = options, .n_options = 1,
                             .backward = backward};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("wrong_choice"), .cells = cells};
