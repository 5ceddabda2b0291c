/* archive.c - the class rondo.Archive: named arrays and texts, as a checkpoint file holds them.
 * SPDX-License-Identifier: MIT */
#include "common.h"
#include <string.h>

static rd_archive *check_archive(lua_State *L, int arg)
{
    return rdl_check(L, arg, RDL_ARCHIVE, "archive");
}

static int archive_close(lua_State *L)
{
    rd_archive **slot = luaL_checkudata(L, 1, RDL_ARCHIVE);
    rd_archive *a = *slot;
    *slot = NULL;
    if (a) rd_archive_free(a);
    return 0;
}

static int archive_new(lua_State *L)
{
    rd_archive **out = (rd_archive **)rdl_push(L, RDL_ARCHIVE, 0);
    RDL_DO(L, rd_archive_new(out, &err));
    return 1;
}

/* ---- put ---- */

static void put_entry(lua_State *L, rd_archive *a, const rd_entry *entry)
{
    RDL_DO(L, rd_archive_put(a, entry, &err));
}

static void put_text(lua_State *L, rd_archive *a, const char *name)
{
    size_t length;
    const char *text = lua_tolstring(L, 3, &length);
    put_entry(L, a,
              &(rd_entry){
                  .name = name, .kind = RD_ENTRY_TEXT, .ndim = 1, .shape = {length}, .data = text});
}

static void put_number(lua_State *L, rd_archive *a, const char *name)
{
    const int64_t i = lua_tointeger(L, 3);
    const double r = lua_tonumber(L, 3);
    const bool integer = lua_isinteger(L, 3);
    put_entry(L, a,
              &(rd_entry){.name = name,
                          .kind = integer ? RD_ENTRY_I64 : RD_ENTRY_F64,
                          .data = integer ? (const void *)&i : (const void *)&r});
}

/* A list of numbers: I64 if all are integers, else F64. */
static void put_list(lua_State *L, rd_archive *a, const char *name)
{
    const size_t n = (size_t)lua_rawlen(L, 3);
    bool integers = true;
    for (size_t i = 0; i < n; i++) {
        if (lua_rawgeti(L, 3, (lua_Integer)i + 1) != LUA_TNUMBER)
            luaL_argerror(L, 3,
                          lua_pushfstring(L, "entry %I of '%s' must be a number, got a %s",
                                          (lua_Integer)i + 1, name, luaL_typename(L, -1)));
        integers = integers && lua_isinteger(L, -1);
        lua_pop(L, 1);
    }
    void *buffer = rdl_buffer(L, n, sizeof(int64_t)); /* a double is as wide */
    int64_t *as_int = buffer;
    double *as_real = buffer;
    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, 3, (lua_Integer)i + 1);
        if (integers)
            as_int[i] = lua_tointeger(L, -1);
        else
            as_real[i] = lua_tonumber(L, -1);
        lua_pop(L, 1);
    }
    put_entry(L, a,
              &(rd_entry){.name = name,
                          .kind = integers ? RD_ENTRY_I64 : RD_ENTRY_F64,
                          .ndim = 1,
                          .shape = {n},
                          .data = buffer});
}

static int archive_put(lua_State *L)
{
    rd_archive *a = check_archive(L, 1);
    const char *name = luaL_checkstring(L, 2);
    switch (lua_type(L, 3)) {
    case LUA_TSTRING:
        put_text(L, a, name);
        break;
    case LUA_TNUMBER:
        put_number(L, a, name);
        break;
    case LUA_TTABLE:
        put_list(L, a, name);
        break;
    default:
        if (!luaL_testudata(L, 3, RDL_TENSOR))
            return luaL_typeerror(L, 3, "tensor, string, number or list of numbers");
        const rd_tensor *t = rdl_tensor(L, 3);
        RDL_DO(L, rd_archive_put_tensor(a, name, t, &err));
    }
    return 0;
}

/* ---- get ---- */

static const rd_entry *check_entry(lua_State *L)
{
    const rd_archive *a = check_archive(L, 1);
    const char *name = luaL_checkstring(L, 2);
    const rd_entry *e = rd_archive_find(a, name);
    if (!e) luaL_error(L, "the archive has no entry '%s'", name);
    return e;
}

static size_t entry_numel(const rd_entry *e)
{
    size_t n = 1;
    for (uint32_t d = 0; d < e->ndim; d++) n *= e->shape[d];
    return n;
}

static void push_element(lua_State *L, const rd_entry *e, size_t i)
{
    if (e->kind == RD_ENTRY_I64)
        lua_pushinteger(L, ((const int64_t *)e->data)[i]);
    else
        lua_pushnumber(L, ((const double *)e->data)[i]);
}

static int push_entry_tensor(lua_State *L, const rd_archive *a, const rd_entry *e)
{
    rd_core *core = rdl_core(L);
    rd_tensor **out = rdl_push_tensor(L);
    RDL_DO(L, rd_tensor_new(core, e->ndim, e->shape, RD_DENSE, out, &err));
    RDL_DO(L, rd_archive_get_tensor(a, e->name, *out, &err));
    rdl_pay(L);
    return 1;
}

/* A tensor for f32, a number or a flat list for f64 and i64, a string for text. */
static int archive_get(lua_State *L)
{
    const rd_archive *a = check_archive(L, 1);
    const rd_entry *e = check_entry(L);
    if (e->kind == RD_ENTRY_TEXT) {
        lua_pushlstring(L, e->data, e->shape[0]);
        return 1;
    }
    if (e->kind == RD_ENTRY_F32) return push_entry_tensor(L, a, e);
    if (e->ndim == 0) {
        push_element(L, e, 0);
        return 1;
    }
    const size_t n = entry_numel(e);
    lua_createtable(L, n <= INT32_MAX ? (int)n : 0, 0);
    for (size_t i = 0; i < n; i++) {
        push_element(L, e, i);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

/* A tensor whatever the width of the numbers: the double build saves f64. */
static int archive_get_tensor(lua_State *L)
{
    const rd_archive *a = check_archive(L, 1);
    const rd_entry *e = check_entry(L);
    if (e->kind != RD_ENTRY_F32 && e->kind != RD_ENTRY_F64)
        return luaL_error(L, "entry '%s' does not hold real numbers", e->name);
    return push_entry_tensor(L, a, e);
}

static int archive_get_into(lua_State *L)
{
    const rd_archive *a = check_archive(L, 1);
    const char *name = luaL_checkstring(L, 2);
    rd_tensor *to = rdl_tensor(L, 3);
    rd_error err;
    rd_status status;
    RDL_TRY(L, status, rd_archive_get_tensor(a, name, to, &err));
    if (status != RD_OK) return rdl_outside(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

static int archive_has(lua_State *L)
{
    const rd_archive *a = check_archive(L, 1);
    lua_pushboolean(L, rd_archive_find(a, luaL_checkstring(L, 2)) != NULL);
    return 1;
}

static int archive_kind(lua_State *L)
{
    static const char *const kinds[] = {"f32", "f64", "i64", "text"};
    lua_pushstring(L, kinds[check_entry(L)->kind]);
    return 1;
}

static int archive_shape(lua_State *L)
{
    const rd_entry *e = check_entry(L);
    lua_createtable(L, (int)e->ndim, 0);
    for (uint32_t d = 0; d < e->ndim; d++) {
        lua_pushinteger(L, (lua_Integer)e->shape[d]);
        lua_rawseti(L, -2, (lua_Integer)d + 1);
    }
    return 1;
}

static int archive_names(lua_State *L)
{
    const rd_archive *a = check_archive(L, 1);
    size_t length;
    const char *prefix = luaL_optlstring(L, 2, "", &length);
    lua_Integer place = 1;
    lua_newtable(L);
    for (size_t i = 0; i < rd_archive_count(a); i++) {
        const char *name = rd_archive_at(a, i)->name;
        if (strncmp(name, prefix, length) != 0) continue;
        lua_pushstring(L, name);
        lua_rawseti(L, -2, place++);
    }
    return 1;
}

/* ---- files ---- */

static void push_digests(lua_State *L, const rd_digests *d)
{
    lua_createtable(L, 0, 2);
    lua_pushstring(L, d->file);
    lua_setfield(L, -2, "file");
    lua_pushstring(L, d->state);
    lua_setfield(L, -2, "state");
}

static int archive_save(lua_State *L)
{
    const rd_core *core = rdl_core(L);
    const rd_archive *a = check_archive(L, 1);
    const char *path = luaL_checkstring(L, 2);
    rd_digests digests = {{0}, {0}};
    rd_error err;
    rd_status status;
    RDL_TRY(L, status, rd_archive_save(core, a, path, &digests, &err));
    if (status != RD_OK) return rdl_outside(L, &err);
    push_digests(L, &digests);
    return 1;
}

static int archive_load(lua_State *L)
{
    const rd_core *core = rdl_core(L);
    const char *path = luaL_checkstring(L, 1);
    rd_digests digests = {{0}, {0}};
    rd_archive **out = (rd_archive **)rdl_push(L, RDL_ARCHIVE, 0);
    rd_error err;
    rd_status status;
    RDL_TRY(L, status, rd_archive_load(core, path, out, &digests, &err));
    if (status != RD_OK) return rdl_outside(L, &err);
    push_digests(L, &digests);
    return 2;
}

/* digest(text) -> 32 digits */
static int digest(lua_State *L)
{
    size_t n;
    const char *text = luaL_checklstring(L, 1, &n);
    char hex[33];
    rd_digest(text, n, hex);
    lua_pushstring(L, hex);
    return 1;
}

void rdl_open_archive(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"put", archive_put},
        {"get", archive_get},
        {"get_tensor", archive_get_tensor},
        {"get_into", archive_get_into},
        {"has", archive_has},
        {"kind", archive_kind},
        {"shape", archive_shape},
        {"names", archive_names},
        {"save", archive_save},
        {"close", archive_close},
        {NULL, NULL},
    };
    static const luaL_Reg meta[] = {
        {"__gc", archive_close},
        {"__close", archive_close},
        {NULL, NULL},
    };
    static const luaL_Reg functions[] = {
        {"archive", archive_new},
        {"load_archive", archive_load},
        {"digest", digest},
        {NULL, NULL},
    };
    rdl_new_class(L, &(rdl_class){.name = RDL_ARCHIVE, .methods = methods, .meta = meta});
    luaL_setfuncs(L, functions, 0);
}
