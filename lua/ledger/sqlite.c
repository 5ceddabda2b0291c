/* sqlite.c - the Lua module rondo.sqlite: as much of SQLite as the ledger of runs needs.
 *
 * A module of its own, so that neither the command nor the core depends on libsqlite3. A writer waits for
 * other processes as long as it was told. A reader is for conditions that people write: its file is open for
 * reading alone, statements may read the tables "runs" and "facts" by the functions listed below, and
 * nothing else, for a bounded number of steps of SQLite's machine and with bounded lengths.
 *
 * Errors of the database are nil, message, code (SQLite's extended one). A statement lies in a userdata that
 * is to be closed, so that an error of Lua's on the way gives it back.
 * SPDX-License-Identifier: MIT */
#include <lauxlib.h>
#include <lua.h>
#include <rondo/abi.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <string.h>

#define DATABASE "rondo.Database"
#define STATEMENT "rondo.Statement"
#define LOOK_STEPS 1000  /* how often the steps of a reader are counted */
#define MAX_LOOKS 100000 /* 10^8 steps: some seconds */
#define MAX_VALUE_BYTES (1 << 24)
#define MAX_SQL_BYTES (1 << 20)

typedef struct database {
    sqlite3 *db; /* NULL: closed */
    unsigned long looks;
} database;

static int failed(lua_State *L, sqlite3 *db, int code)
{
    luaL_pushfail(L);
    lua_pushstring(L, db ? sqlite3_errmsg(db) : sqlite3_errstr(code));
    lua_pushinteger(L, db ? sqlite3_extended_errcode(db) : code);
    return 3;
}

/* ---- what a reader may do ---- */

static bool listed(const char *name, const char *const *list)
{
    for (; name && *list; list++)
        if (sqlite3_stricmp(name, *list) == 0) return true;
    return false;
}

static int authorize(void *unused, int action, const char *first, const char *second,
                     const char *schema, const char *trigger)
{
    static const char *const functions[] = {"abs", "avg",   "coalesce", "count",  "glob",  "ifnull",
                                            "iif", "instr", "length",   "like",   "lower", "ltrim",
                                            "max", "min",   "nullif",   "round",  "rtrim", "substr",
                                            "sum", "total", "trim",     "typeof", "upper", NULL};
    static const char *const tables[] = {"runs", "facts", NULL};
    (void)unused, (void)schema, (void)trigger;
    if (action == SQLITE_SELECT || (action == SQLITE_READ && listed(first, tables)) ||
        (action == SQLITE_FUNCTION && listed(second, functions)))
        return SQLITE_OK;
    return SQLITE_DENY;
}

static int look(void *arg)
{
    database *d = arg;
    return ++d->looks > MAX_LOOKS;
}

static void restrict_to_reading(database *d)
{
    sqlite3_db_config(d->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(d->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(d->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    sqlite3_limit(d->db, SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES);
    sqlite3_limit(d->db, SQLITE_LIMIT_SQL_LENGTH, MAX_SQL_BYTES);
    sqlite3_limit(d->db, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_set_authorizer(d->db, authorize, NULL);
    sqlite3_progress_handler(d->db, LOOK_STEPS, look, d);
}

/* ---- opening and closing ---- */

/* open(path, "read" | "write", wait): a database, or nil, message, code. wait: milliseconds. */
static int sqlite_open(lua_State *L)
{
    static const char *const modes[] = {"read", "write", NULL};
    const char *path = luaL_checkstring(L, 1);
    const bool write = luaL_checkoption(L, 2, NULL, modes) == 1;
    const lua_Integer wait = luaL_checkinteger(L, 3);
    luaL_argcheck(L, wait >= 0 && wait <= 60000, 3, "0..60000 milliseconds expected");
    database *d = lua_newuserdatauv(L, sizeof *d, 0);
    *d = (database){0};
    luaL_setmetatable(L, DATABASE);
    const int flags = write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
    const int code = sqlite3_open_v2(path, &d->db, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (code != SQLITE_OK) {
        const int n = failed(L, d->db, code);
        sqlite3_close_v2(d->db);
        d->db = NULL;
        return n;
    }
    sqlite3_busy_timeout(d->db, (int)wait);
    /* A name in double quotes that is no column is a mistake, not a text. */
    sqlite3_db_config(d->db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    if (!write) restrict_to_reading(d);
    return 1;
}

static int database_close(lua_State *L)
{
    database *d = luaL_checkudata(L, 1, DATABASE);
    sqlite3_close_v2(d->db); /* NULL is fine */
    d->db = NULL;
    return 0;
}

static int statement_close(lua_State *L)
{
    sqlite3_stmt **slot = luaL_checkudata(L, 1, STATEMENT);
    sqlite3_finalize(*slot); /* NULL is fine */
    *slot = NULL;
    return 0;
}

/* ---- statements ---- */

static int bind_value(lua_State *L, int arg, sqlite3_stmt *stmt, int place)
{
    size_t n;
    const char *text;
    switch (lua_type(L, arg)) {
    case LUA_TNIL:
        return sqlite3_bind_null(stmt, place);
    case LUA_TBOOLEAN:
        return sqlite3_bind_int(stmt, place, lua_toboolean(L, arg));
    case LUA_TNUMBER:
        return lua_isinteger(L, arg) ? sqlite3_bind_int64(stmt, place, lua_tointeger(L, arg))
                                     : sqlite3_bind_double(stmt, place, lua_tonumber(L, arg));
    default:
        text = luaL_checklstring(L, arg, &n);
        return sqlite3_bind_text64(stmt, place, text, n, SQLITE_TRANSIENT, SQLITE_UTF8);
    }
}

/* A row as a table by names of columns; NULL is nothing. */
static void push_row(lua_State *L, sqlite3_stmt *stmt)
{
    const int n = sqlite3_column_count(stmt);
    lua_createtable(L, 0, n);
    for (int i = 0; i < n; i++) {
        switch (sqlite3_column_type(stmt, i)) {
        case SQLITE_NULL:
            continue;
        case SQLITE_INTEGER:
            lua_pushinteger(L, sqlite3_column_int64(stmt, i));
            break;
        case SQLITE_FLOAT:
            lua_pushnumber(L, sqlite3_column_double(stmt, i));
            break;
        default: { /* the text first: it decides what the length is that of */
            const char *text = (const char *)sqlite3_column_text(stmt, i);
            lua_pushlstring(L, text ? text : "", (size_t)sqlite3_column_bytes(stmt, i));
        }
        }
        lua_setfield(L, -2, sqlite3_column_name(stmt, i));
    }
}

/* db:exec(sql, value...): a list of rows, or nil, message, code. One statement. */
static int database_exec(lua_State *L)
{
    database *d = luaL_checkudata(L, 1, DATABASE);
    size_t length;
    const char *sql = luaL_checklstring(L, 2, &length);
    const int n_values = lua_gettop(L) - 2;
    luaL_argcheck(L, d->db, 1, "closed database");
    luaL_argcheck(L, length <= MAX_SQL_BYTES && strlen(sql) == length, 2,
                  "a statement of at most 1 MiB without zero bytes expected");
    sqlite3_stmt **slot = lua_newuserdatauv(L, sizeof *slot, 0);
    *slot = NULL;
    luaL_setmetatable(L, STATEMENT);
    lua_toclose(L, -1);
    const char *tail = NULL;
    d->looks = 0;
    int code = sqlite3_prepare_v2(d->db, sql, (int)length, slot, &tail);
    if (code != SQLITE_OK) return failed(L, d->db, code);
    if (!*slot || tail[strspn(tail, " \t\r\n")] != '\0') {
        luaL_pushfail(L);
        lua_pushliteral(L, "exactly one statement expected");
        lua_pushinteger(L, SQLITE_ERROR);
        return 3;
    }
    for (int i = 1; i <= n_values && code == SQLITE_OK; i++) code = bind_value(L, i + 2, *slot, i);
    if (code != SQLITE_OK) return failed(L, d->db, code);
    lua_newtable(L);
    for (lua_Integer row = 1; (code = sqlite3_step(*slot)) == SQLITE_ROW; row++) {
        push_row(L, *slot);
        lua_rawseti(L, -2, row);
    }
    return code == SQLITE_DONE ? 1 : failed(L, d->db, code);
}

static void new_class(lua_State *L, const char *name, const luaL_Reg *meta)
{
    luaL_newmetatable(L, name);
    luaL_setfuncs(L, meta, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}

RD_EXPORT int luaopen_rondo_sqlite(lua_State *L);

int luaopen_rondo_sqlite(lua_State *L)
{
    static const luaL_Reg database_meta[] = {{"exec", database_exec},
                                             {"close", database_close},
                                             {"__gc", database_close},
                                             {"__close", database_close},
                                             {NULL, NULL}};
    static const luaL_Reg statement_meta[] = {
        {"__gc", statement_close}, {"__close", statement_close}, {NULL, NULL}};
    static const luaL_Reg functions[] = {{"open", sqlite_open}, {NULL, NULL}};
    luaL_checkversion(L);
    new_class(L, DATABASE, database_meta);
    new_class(L, STATEMENT, statement_meta);
    luaL_newlib(L, functions);
    lua_pushinteger(L, SQLITE_READONLY_ROLLBACK);
    lua_setfield(L, -2, "NEEDS_WRITER"); /* a writer died, and its journal is to be played back */
    return 1;
}
