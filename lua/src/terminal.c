/* terminal.c - the terminal as a screen: keys as they are pressed, its size, and all as it was in the end.
 *
 * raw_terminal() gives a handle that restores the settings when it is closed or collected, so that an
 * error on the way does too. Ctrl-C stays a signal (catch_signals notes it); Ctrl-Z is off, since a stopped
 * program would leave its screen behind.
 * SPDX-License-Identifier: MIT */
#include "common.h"
#include <errno.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define RDL_RAW "rondo.RawTerminal"
#define KEY_BYTES 64     /* of one look; a key is a few */
#define MAX_SECONDS 3600 /* of one wait */

enum { DEFAULT_COLUMNS = 80, DEFAULT_LINES = 24 };

typedef struct raw {
    struct termios before;
    bool on; /* before is to be restored */
} raw;

static int raw_close(lua_State *L)
{
    raw *r = luaL_checkudata(L, 1, RDL_RAW);
    if (r->on) (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &r->before);
    r->on = false;
    return 0;
}

/* raw_terminal(): a handle to be closed; or nil, message where the input is no terminal. */
static int terminal_raw(lua_State *L)
{
    raw *r = lua_newuserdatauv(L, sizeof *r, 0);
    r->on = false;
    luaL_setmetatable(L, RDL_RAW);
    if (tcgetattr(STDIN_FILENO, &r->before) != 0) return luaL_fileresult(L, 0, "terminal");
    struct termios now = r->before;
    now.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    now.c_cc[VSUSP] = _POSIX_VDISABLE;
    now.c_cc[VMIN] = 1;
    now.c_cc[VTIME] = 0;
    if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &now) != 0) return luaL_fileresult(L, 0, "terminal");
    r->on = true;
    return 1;
}

/* key(seconds): bytes that were typed; nil if none came, or a signal did; "" at the end of the input. */
static int terminal_key(lua_State *L)
{
    const lua_Number seconds = luaL_checknumber(L, 1);
    luaL_argcheck(L, seconds >= 0 && seconds <= MAX_SECONDS, 1, "0 to 3600 seconds expected");
    struct pollfd wait = {.fd = STDIN_FILENO, .events = POLLIN};
    char bytes[KEY_BYTES];
    if (poll(&wait, 1, (int)(seconds * 1000)) <= 0) return 0;
    const ssize_t n = read(STDIN_FILENO, bytes, sizeof bytes);
    if (n < 0 && errno == EINTR) return 0;
    lua_pushlstring(L, bytes, n > 0 ? (size_t)n : 0);
    return 1;
}

/* terminal_size(): columns, lines of the terminal that the output goes to. */
static int terminal_size(lua_State *L)
{
    struct winsize size = {0};
    const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0;
    lua_pushinteger(L, known && size.ws_col > 0 ? size.ws_col : DEFAULT_COLUMNS);
    lua_pushinteger(L, known && size.ws_row > 0 ? size.ws_row : DEFAULT_LINES);
    return 2;
}

void rdl_open_terminal(lua_State *L)
{
    static const luaL_Reg methods[] = {{"close", raw_close}, {NULL, NULL}};
    static const luaL_Reg meta[] = {{"__gc", raw_close}, {"__close", raw_close}, {NULL, NULL}};
    static const luaL_Reg functions[] = {{"raw_terminal", terminal_raw},
                                         {"key", terminal_key},
                                         {"terminal_size", terminal_size},
                                         {NULL, NULL}};
    rdl_new_class(L, &(rdl_class){.name = RDL_RAW, .methods = methods, .meta = meta});
    luaL_setfuncs(L, functions, 0);
}
