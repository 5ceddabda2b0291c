/* test_lua_memory.c - whichever allocation of Lua or the binding gets nothing: an error, and all goes on.
 *
 * lua_memory.lua has what is done. Lua's own allocations are counted by the state's allocator; those of the
 * binding and of the core in it by a malloc in front of the system's that looks at who calls. A run in which
 * allocation k fails, once and for ever, ends well or with an error about memory; the same run then has the
 * same result.
 *
 * RONDO_TEST_ALLOCATIONS: how many allocations of each run fail in turn, evenly spread (30; 0: all).
 * SPDX-License-Identifier: MIT */
#include "faults/tally.h"
#include "rondo/abi.h"

#include <lauxlib.h>
#include <lualib.h>

#include <errno.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* after the headers it needs */
#include <cmocka.h>

enum { USUAL_ALLOCATIONS = 30 };

static struct {
    long calls, call; /* so far; the one that gets nothing, 0: none */
    bool always, counting;
    pid_t owner;
    uintptr_t from, to; /* where the module's code lies */
} now;

/* Counts a call; true: it is to fail. */
static bool fails(void)
{
    if (!now.counting || now.owner != getpid()) return false;
    now.calls++;
    return now.call != 0 && (now.calls == now.call || (now.always && now.calls > now.call));
}

/* ---- the allocator of Lua's state ---- */

static void *lua_memory(void *user, void *at, size_t before, size_t bytes)
{
    (void)user;
    if (bytes == 0) {
        free(at);
        return NULL;
    }
    /* Lua relies on it that a block can be made smaller. */
    if ((!at || bytes > before) && fails()) return NULL;
    return realloc(at, bytes);
}

/* ---- the system's, as the module sees it ---- */

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t n, size_t bytes);
void *__libc_realloc(void *at, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);

static bool of_module(const void *caller)
{
    return (uintptr_t)caller >= now.from && (uintptr_t)caller < now.to;
}

static bool refused(const void *caller)
{
    if (!of_module(caller) || !fails()) return false;
    errno = ENOMEM;
    return true;
}

RD_EXPORT void *malloc(size_t bytes)
{
    return refused(__builtin_return_address(0)) ? NULL : __libc_malloc(bytes);
}

RD_EXPORT void *calloc(size_t n, size_t bytes)
{
    return refused(__builtin_return_address(0)) ? NULL : __libc_calloc(n, bytes);
}

RD_EXPORT void *realloc(void *at, size_t bytes)
{
    return refused(__builtin_return_address(0)) ? NULL : __libc_realloc(at, bytes);
}

RD_EXPORT void *aligned_alloc(size_t alignment, size_t bytes)
{
    return refused(__builtin_return_address(0)) ? NULL : __libc_memalign(alignment, bytes);
}

static int find_module(struct dl_phdr_info *info, size_t size, void *unused)
{
    (void)size, (void)unused;
    if (!strstr(info->dlpi_name, "/rondo/core.so")) return 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type != PT_LOAD || !(part->p_flags & PF_X)) continue;
        now.from = info->dlpi_addr + part->p_vaddr;
        now.to = now.from + part->p_memsz;
    }
    return 1;
}

/* ---- the runs ---- */

static void begin(long call, bool always)
{
    now.calls = 0;
    now.call = call;
    now.always = always;
    now.owner = getpid();
    now.counting = true;
}

static long end(void)
{
    now.counting = false;
    return now.calls;
}

/* Runs function `name` of the table at 1. Lua's status; result or message is on top. */
static int run(lua_State *L, const char *name)
{
    lua_settop(L, 1);
    lua_getfield(L, 1, name);
    return lua_pcall(L, 0, 1, 0);
}

/* The result, borrowed until the next run. */
static const char *must_run(lua_State *L, const char *name)
{
    if (run(L, name) != LUA_OK) fail_msg("%s: %s", name, luaL_tolstring(L, -1, NULL));
    return luaL_tolstring(L, -1, NULL);
}

/* Bytes of the core's tensors when all garbage is gone. */
static long live(lua_State *L)
{
    must_run(L, "collect");
    return strtol(must_run(L, "live"), NULL, 10);
}

static long allocations_to_try(long n)
{
    const char *wanted = getenv("RONDO_TEST_ALLOCATIONS");
    const long most = wanted ? strtol(wanted, NULL, 10) : USUAL_ALLOCATIONS;
    return most == 0 || most > n ? n : most;
}

static void run_without(lua_State *L, const char *name, long call, bool always)
{
    tally_one();
    begin(call, always);
    const int status = run(L, name);
    end();
    const char *text = luaL_tolstring(L, -1, NULL);
    if (status != LUA_OK && !strstr(text, "memory"))
        fail_msg("%s, allocation %ld, %s: the error is not about memory: %s", name, call,
                 always ? "and all after it" : "once", text);
}

/* Where there is no memory at all for a while, Lua cannot call the finalizers that are due then: their
 * tensors stay as long as the process. So what is left is looked at after single failures. */
static void check_fault(lua_State *L, const char *name, const char *wanted, long call)
{
    const long before = live(L);
    run_without(L, name, call, false);
    if (live(L) != before)
        fail_msg("%s, allocation %ld: %ld bytes of tensors are left", name, call, live(L) - before);
    run_without(L, name, call, true);
    const char *got = must_run(L, name);
    if (strcmp(got, wanted) != 0)
        fail_msg("%s, after allocation %ld has failed: %s, it was %s", name, call, got, wanted);
}

static void check_run(lua_State *L, const char *name)
{
    char wanted[64];
    must_run(L, name);
    snprintf(wanted, sizeof(wanted), "%s", must_run(L, name));
    begin(0, false);
    must_run(L, name);
    const long n = end(), tries = allocations_to_try(n);
    assert_true(n > 10);
    for (long i = 0; i < tries; i++) check_fault(L, name, wanted, 1 + i * n / tries);
}

static lua_State *open_state(void)
{
    lua_State *L = lua_newstate(lua_memory, NULL);
    assert_non_null(L);
    luaL_openlibs(L);
    lua_pushfstring(L, "%s/share/lua/5.4/?.lua;%s/share/lua/5.4/?/init.lua", RD_TEST_TREE,
                    RD_TEST_TREE);
    lua_pushfstring(L, "%s/lib/lua/5.4/?.so", RD_TEST_TREE);
    lua_getglobal(L, "package");
    lua_pushvalue(L, 2);
    lua_setfield(L, 3, "cpath");
    lua_getfield(L, 3, "path");
    lua_pushvalue(L, 1);
    lua_pushliteral(L, ";");
    lua_rotate(L, -3, 2);
    lua_concat(L, 3);
    lua_setfield(L, 3, "path");
    lua_settop(L, 0);
    return L;
}

/* One state for all: what one run leaves must not harm the next. */
static int open_runs(void **state)
{
    lua_State *L = open_state();
    if (luaL_dofile(L, RD_TEST_SOURCE_DIR "/tests/faults/lua_memory.lua") != LUA_OK) {
        fprintf(stderr, "%s\n", lua_tostring(L, -1));
        return -1;
    }
    if (dl_iterate_phdr(find_module, NULL) != 1) return -1;
    *state = L;
    return 0;
}

static int close_runs(void **state)
{
    lua_State *L = *state;
    must_run(L, "finish");
    lua_close(L);
    return 0;
}

static void test_tensors(void **state)
{
    check_run(*state, "tensors");
}
static void test_modules(void **state)
{
    check_run(*state, "modules");
}
static void test_training(void **state)
{
    check_run(*state, "training");
}
static void test_saving(void **state)
{
    check_run(*state, "saving");
}
static void test_loading(void **state)
{
    check_run(*state, "loading");
}
static void test_texts(void **state)
{
    check_run(*state, "texts");
}
static void test_tables(void **state)
{
    check_run(*state, "tables");
}

static void must_do(lua_State *L, const char *code)
{
    if (luaL_dostring(L, code) != LUA_OK) fail_msg("%s", lua_tostring(L, -1));
}

/* Loading the library itself: a state of its own for each allocation that fails. */
static void test_requiring(void **state)
{
    (void)state;
    long n = 1, tries = 1;
    for (long i = 0; i <= tries; i++) { /* the first counts */
        lua_State *L = open_state();
        must_do(L, "os.exit = function() error 'the program ends for want of memory' end");
        begin(i == 0 ? 0 : 1 + (i - 1) * n / tries, true);
        const int status = luaL_dostring(L, "return require('rondo').LSTM { 3, 4 }");
        const long made = end();
        const char *text = luaL_tolstring(L, -1, NULL);
        if (i == 0) {
            if (status != LUA_OK) fail_msg("%s", text);
            n = made;
            tries = allocations_to_try(n);
        } else if (status == LUA_OK || !strstr(text, "memory")) {
            fail_msg("require, allocation %ld of %ld: %s", 1 + (i - 1) * n / tries, n, text);
        }
        lua_close(L);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tensors),  cmocka_unit_test(test_modules),
        cmocka_unit_test(test_training), cmocka_unit_test(test_saving),
        cmocka_unit_test(test_loading),  cmocka_unit_test(test_texts),
        cmocka_unit_test(test_tables),   cmocka_unit_test(test_requiring),
    };
    return cmocka_run_group_tests(tests, open_runs, close_runs);
}
