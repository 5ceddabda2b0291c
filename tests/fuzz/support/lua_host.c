/* lua_host.c - a Lua state with the library in it: its own memory has a limit, an input has a number of
 * steps, and the lines that run are coverage for libFuzzer.
 *
 * Lua is the system's and is not instrumented; the binding and the core are. The state is kept from one input
 * to the next, as in a program that goes on after an error, but for one whose input ran out of steps.
 * SPDX-License-Identifier: MIT */
#include "fuzz/support/lua_host.h"
#include "fuzz/support/fuzz.h"

#include <lauxlib.h>
#include <lualib.h>

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <unistd.h>

enum {
    COUNTERS = 1 << 15,
    SOURCES = 512, /* files of Lua */
    STEPS_AT_ONCE = 1000,
    MOST_STEPS = 1500, /* times those */
    LUA_BYTES = 96 << 20,
    ALL_BYTES = 320 << 20, /* with Lua's and the sanitizer's books */
    OPEN_FOLDERS = 16,
    CHILDREN_EVERY = 16, /* one in so many inputs may have a child process, which takes long */
};

int luaopen_rondo_core(lua_State *L);
void *__real_realloc(void *at, size_t n);
int __real_pipe2(int ends[2], int flags);
int __wrap_pipe2(int ends[2], int flags);

__attribute__((section("__libfuzzer_extra_counters"))) static uint8_t counters[COUNTERS];

static struct {
    lua_State *L;
    size_t bytes; /* of the state */
    long steps;   /* of the input */
    int children; /* that it may have */
    struct {
        const char *source; /* as Lua has it, while the state lives */
        uint32_t hash;      /* 0: a file of the tests */
    } sources[SOURCES];
    char folder[PATH_MAX];
    const char *name;
} host;

/* ---- memory and steps ---- */

static void *lua_memory(void *unused, void *at, size_t before, size_t n)
{
    (void)unused;
    if (!at) before = 0;
    if (n > before && host.bytes + (n - before) > LUA_BYTES) return NULL;
    void *moved = n > 0 ? __real_realloc(at, n) : NULL;
    if (n == 0) free(at);
    if (n > 0 && !moved) return NULL;
    host.bytes += n - before;
    return moved;
}

static uint32_t hash_of(const char *source)
{
    uint32_t hash = 2166136261U; /* FNV-1a */
    const char *at = strstr(source, "/lua/5.4/rondo/");
    if (!at) return 0;
    for (; *at; at++) hash = (hash ^ (uint8_t)*at) * 16777619U;
    return hash | 1;
}

static uint32_t hash_of_source(const char *source)
{
    size_t i = ((uintptr_t)source >> 4) % SOURCES;
    for (size_t n = 0; n < SOURCES && host.sources[i].source; n++, i = (i + 1) % SOURCES)
        if (host.sources[i].source == source) return host.sources[i].hash;
    host.sources[i].source = source;
    host.sources[i].hash = hash_of(source);
    return host.sources[i].hash;
}

static void hook(lua_State *L, lua_Debug *where)
{
    if (where->event == LUA_HOOKCOUNT) {
        if (++host.steps > MOST_STEPS) luaL_error(L, "the steps of an input are used up");
        return;
    }
    lua_getinfo(L, "S", where);
    const uint32_t hash = hash_of_source(where->source);
    if (hash == 0) return;
    uint8_t *counter = &counters[(hash + (uint32_t)where->currentline * 2654435761U) % COUNTERS];
    if (*counter < UINT8_MAX) ++*counter;
}

static int is_spent(lua_State *L)
{
    lua_pushboolean(L, host.steps > MOST_STEPS);
    return 1;
}

/* Most inputs see a system that has no more pipes, and so no children. */
int __wrap_pipe2(int ends[2], int flags)
{
    if (host.L && host.children-- <= 0) {
        errno = EMFILE;
        return -1;
    }
    return __real_pipe2(ends, flags);
}

static int trace(lua_State *L)
{
    const int n = lua_gettop(L);
    for (int i = 1; i <= n; i++) {
        const char *text =
            lua_type(L, i) == LUA_TTABLE ? luaL_typename(L, i) : luaL_tolstring(L, i, NULL);
        fprintf(stderr, i == 1 ? "%s" : " | %.60s", text);
    }
    fputc('\n', stderr);
    return 0;
}

/* ---- the state ---- */

static void must(lua_State *L, int status)
{
    if (status == LUA_OK) return;
    fprintf(stderr, "%s\n", lua_tostring(L, -1));
    exit(1);
}

/* Plugins are those of the build, wherever this program lies; nothing may end it. */
static const char prepare[] =
    "package.path = ('%s/share/lua/5.4/?.lua;%s/share/lua/5.4/?/init.lua;%s/tests/fuzz/lua/?.lua;')\n"
    "  :format(TREE, TREE, SOURCES) .. package.path\n"
    "local open = package.preload['rondo.core']\n"
    "package.preload['rondo.core'] = function(...)\n"
    "  local core = open(...)\n"
    "  local plain = core.open\n"
    "  core.open = function(o) o.lib_dir = LIB_DIR return plain(o) end\n"
    "  core.lib_dir = function() return LIB_DIR end\n"
    "  return core\n"
    "end\n"
    "os.exit = function() error 'the program ends' end\n";

static void set_text(lua_State *L, const char *name, const char *value)
{
    lua_pushstring(L, value);
    lua_setglobal(L, name);
}

static void open_state(void)
{
    lua_State *L = lua_newstate(lua_memory, NULL);
    FUZZ_HOLDS(L != NULL);
    host.steps = 0;
    memset(host.sources, 0, sizeof host.sources);
    luaL_openlibs(L);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    lua_pushcfunction(L, luaopen_rondo_core);
    lua_setfield(L, -2, "rondo.core");
    set_text(L, "TREE", RD_TEST_TREE);
    set_text(L, "SOURCES", RD_TEST_SOURCE_DIR);
    set_text(L, "LIB_DIR", RD_TEST_LIB_DIR);
    must(L, luaL_dostring(L, prepare));
    lua_settop(L, 0);
    lua_pushfstring(L, "%s/tests/fuzz/%s.lua", RD_TEST_SOURCE_DIR, host.name);
    must(L, luaL_loadfile(L, lua_tostring(L, 1)));
    lua_newtable(L);
    lua_pushliteral(L, RD_TEST_SOURCE_DIR);
    lua_setfield(L, -2, "sources");
    lua_pushcfunction(L, is_spent);
    lua_setfield(L, -2, "spent");
    if (getenv("RONDO_FUZZ_TRACE")) { /* prints the calls of an input */
        lua_pushcfunction(L, trace);
        lua_setfield(L, -2, "trace");
    }
    must(L, lua_pcall(L, 1, 1, 0));
    lua_replace(L, 1); /* the function stays at 1 */
    lua_settop(L, 1);
    lua_gc(L, LUA_GCCOLLECT, 0);
    host.L = L;
}

static void close_state(void)
{
    if (host.L) lua_close(host.L);
    host.L = NULL;
}

void fuzz_lua_run(const uint8_t *at, size_t n)
{
    if (!host.L) open_state();
    lua_State *L = host.L;
    host.steps = 0;
    host.children = n % CHILDREN_EVERY == 0;
    lua_settop(L, 1);
    lua_pushvalue(L, 1);
    lua_pushlstring(L, (const char *)at, n);
    lua_sethook(L, hook, LUA_MASKLINE | LUA_MASKCOUNT, STEPS_AT_ONCE);
    const int status = lua_pcall(L, 1, 1, 0);
    lua_sethook(L, NULL, 0, 0);
    const bool spent = host.steps > MOST_STEPS;
    if (!spent && (status != LUA_OK || !lua_isnil(L, -1))) {
        fprintf(stderr, "does not hold: %s\n", luaL_tolstring(L, -1, NULL));
        abort();
    }
    if (spent) close_state(); /* it was left in the middle of something */
}

/* ---- the scratch folder ---- */

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    (void)st, (void)kind, (void)where;
    (void)remove(path);
    return 0;
}

static void end(void)
{
    close_state();
    char *slash = strstr(host.folder, "/a/b/c");
    if (slash) *slash = '\0';
    if (chdir("/") == 0) (void)nftw(host.folder, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
}

/* The file an argument names, by its whole path: "x" or "-flag=x". */
static char *whole_path(char *argument)
{
    char here[PATH_MAX], *whole;
    const char *path = argument;
    if (*argument == '-') path = strchr(argument, '=') ? strchr(argument, '=') + 1 : "";
    const bool names = *argument != '-' || strncmp(argument, "-artifact_prefix=", 17) == 0 ||
                       strncmp(argument, "-dict=", 6) == 0;
    if (!names || *path == '/' || !getcwd(here, sizeof here)) return argument;
    if (asprintf(&whole, "%.*s%s/%s", (int)(path - argument), argument, here, path) < 0)
        return argument;
    return whole; /* for as long as the program runs */
}

void fuzz_lua_begin(const char *name, int argc, char **argv)
{
    host.name = name;
    for (int i = 1; i < argc; i++) argv[i] = whole_path(argv[i]);
    const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(host.folder, sizeof host.folder, "%s/rondo-fuzz-XXXXXX", base);
    FUZZ_HOLDS(mkdtemp(host.folder) != NULL);
    for (const char *const *part = (const char *const[]){"/a", "/b", "/c", NULL}; *part; part++) {
        strncat(host.folder, *part, sizeof host.folder - strlen(host.folder) - 1);
        FUZZ_HOLDS(mkdir(host.folder, 0700) == 0);
    }
    FUZZ_HOLDS(chdir(host.folder) == 0);
    setenv("HOME", host.folder, 1);
    setenv("XDG_DATA_HOME", host.folder, 1);
    setenv("RONDO_THREADS", "1", 1);
    unsetenv("RONDO_PLUGIN_PATH");
    unsetenv("RONDO_DATA");
    unsetenv("RONDO_LEDGER");
    atexit(end);
    open_state();
    fuzz_limit_memory(ALL_BYTES);
}
