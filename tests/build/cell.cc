/* cell.cc - a cell in C++17: records are filled in by hand, as RD_NEW is C's. check_kit.sh compiles and loads it.
 * SPDX-License-Identifier: MIT */
#include <rondo/cell.h>
#include <rondo/pointmath.h>

static rd_status layout(const rd_setup *u, rd_builder *b)
{
    rd_state_decl h{};
    rd_line_decl n{};

    h.size = sizeof h;
    h.name = "h";
    h.width = u->hidden;
    n.size = sizeof n;
    n.name = "n";
    n.width = u->hidden;
    n.flags = RD_FROM_X | RD_BIAS_X | RD_BIAS_REC;
    n.states = RD_BIT(0);
    b->state(b, &h);
    b->line(b, &n);
    return RD_OK;
}

RD_CLONES static void forward(const rd_step *s)
{
    for (uint32_t r = 0; r < s->rows; r++)
        for (uint32_t j = 0; j < s->hidden; j++) {
            rd_real &n = rd_row(s->line[0], r)[j];
            n = rd_tanh(n);
            rd_row(s->next[0], r)[j] = n;
        }
}

RD_CLONES static void backward(const rd_step *s)
{
    for (uint32_t r = 0; r < s->rows; r++)
        for (uint32_t j = 0; j < s->hidden; j++) {
            rd_real &n = rd_row(s->line[0], r)[j];
            n = rd_crow(s->dnext[0], r)[j] * (1 - n * n);
        }
}

static const rd_cell cell = {sizeof(rd_cell), 1, "demo.cpp", "tanh units", nullptr, 0, sizeof(rd_option),
                             0, 0, layout, forward, backward};
static const rd_cell *const cells[] = {&cell, nullptr};
RD_PLUGIN = {RD_STAMP, sizeof(rd_plugin), 0, "demo.cpp", "1.0", "MIT", "a test", cells, nullptr, nullptr, nullptr};
