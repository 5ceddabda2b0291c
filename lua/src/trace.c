/* trace.c - the class rondo.Watch: what a recurrent layer computes inside of its steps, as tensors by name.
 *
 * The observer appends each step's lines and temps, all rows that take part, to memory of its own,
 * since no Lua value may be made while the core works; take() makes tensors of it. A watch retains its
 * layer and is taken away from it when it is closed.
 * SPDX-License-Identifier: MIT */
#include "common.h"
#include "rondo_trace.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define WATCH "rondo.Watch"

typedef struct watch {
    rd_rnn *rnn; /* NULL once closed */
    rd_real *at; /* [rows][width]: lines by id, then temps */
    size_t width, rows, room;
    size_t n_lines, n_temps;
    bool failed; /* no memory for a step */
} watch;

static bool make_room(watch *w, size_t rows)
{
    if (w->rows + rows <= w->room) return true;
    const size_t room = w->rows + rows > 2 * w->room ? w->rows + rows : 2 * w->room;
    if (room > SIZE_MAX / sizeof(rd_real) / w->width) return false;
    rd_real *at = realloc(w->at, room * w->width * sizeof(rd_real));
    if (!at) return false;
    w->at = at;
    w->room = room;
    return true;
}

static void see(void *user, const rd_observed *seen)
{
    watch *w = user;
    if (w->width == 0 || w->failed || !make_room(w, seen->rows)) {
        w->failed = w->width > 0;
        return;
    }
    for (size_t r = 0; r < seen->rows; r++) {
        rd_real *to = w->at + (w->rows + r) * w->width;
        for (size_t k = 0; k < w->n_lines; k++) {
            memcpy(to, rd_row(seen->line[k], (uint32_t)r), seen->line[k].width * sizeof *to);
            to += seen->line[k].width;
        }
        for (size_t k = 0; k < w->n_temps; k++) {
            memcpy(to, rd_crow(seen->temp[k], (uint32_t)r), seen->temp[k].width * sizeof *to);
            to += seen->temp[k].width;
        }
    }
    w->rows += seen->rows;
}

/* watch(layer): shows what the layer computes from now on. */
static int watch_new(lua_State *L)
{
    rd_rnn *rnn = rdl_check(L, 1, RDL_RNN, "recurrent layer");
    watch *w = lua_newuserdatauv(L, sizeof *w, 0);
    memset(w, 0, sizeof *w);
    luaL_setmetatable(L, WATCH);
    uint32_t width = 0;
    for (; rd_rnn_line(rnn, w->n_lines, &width); w->n_lines++) w->width += width;
    for (; rd_rnn_temp(rnn, w->n_temps, &width); w->n_temps++) w->width += width;
    w->rnn = rd_rnn_retain(rnn);
    rd_rnn_observe(rnn, &(rd_observer){.forward = see, .user = w});
    return 1;
}

static int watch_close(lua_State *L)
{
    watch *w = luaL_checkudata(L, 1, WATCH);
    if (w->rnn) {
        rd_rnn_observe(w->rnn, NULL);
        rd_rnn_release(w->rnn);
    }
    free(w->at);
    *w = (watch){0};
    return 0;
}

/* Adds { name, tensor (rows, width) } of the columns from `column` on to the list at the top. */
static void add_part(lua_State *L, const watch *w, const char *name, size_t column, size_t width)
{
    rd_real *part = rdl_buffer(L, w->rows * width, sizeof(rd_real));
    for (size_t r = 0; r < w->rows; r++)
        memcpy(part + r * width, w->at + r * w->width + column, width * sizeof *part);
    lua_createtable(L, 2, 0);
    lua_pushstring(L, name);
    lua_rawseti(L, -2, 1);
    rd_tensor **slot = rdl_push_tensor(L);
    const size_t shape[2] = {w->rows, width};
    RDL_DO(L, rd_tensor_new(rdl_core(L), 2, shape, RD_DENSE, slot, &err));
    RDL_DO(L, rd_tensor_write(*slot, part, &err));
    lua_rawseti(L, -2, 2);
    lua_rawseti(L, -3, (lua_Integer)lua_rawlen(L, -3) + 1);
    lua_pop(L, 1); /* the buffer */
}

/* take(): a list of { name, tensor (rows, width) }, rows of all steps since the last take() in the order in
 * which they were computed; lines as the cell has left them, then temps. */
static int watch_take(lua_State *L)
{
    watch *w = luaL_checkudata(L, 1, WATCH);
    if (!w->rnn) return luaL_error(L, "closed watch");
    if (w->failed) return luaL_error(L, "not enough memory for what the layer computes inside");
    lua_newtable(L);
    const char *name;
    size_t column = 0;
    uint32_t width = 0;
    for (size_t k = 0; w->rows > 0 && (name = rd_rnn_line(w->rnn, k, &width)); k++) {
        add_part(L, w, name, column, width);
        column += width;
    }
    for (size_t k = 0; w->rows > 0 && (name = rd_rnn_temp(w->rnn, k, &width)); k++) {
        add_part(L, w, name, column, width);
        column += width;
    }
    w->rows = 0;
    rdl_pay(L);
    return 1;
}

void rdl_open_trace(lua_State *L)
{
    static const luaL_Reg methods[] = {{"take", watch_take}, {"close", watch_close}, {NULL, NULL}};
    static const luaL_Reg meta[] = {{"__gc", watch_close}, {"__close", watch_close}, {NULL, NULL}};
    rdl_new_class(L, &(rdl_class){.name = WATCH, .methods = methods, .meta = meta});
    lua_pushcfunction(L, watch_new);
    lua_setfield(L, -2, "watch");
}
