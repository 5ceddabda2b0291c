/* line_editor.c - the Lua module rondo.line_editor: a line of the terminal, edited (libedit).
 *
 * A module of its own, so that neither the command nor the core depends on libedit. Ctrl-C reaches the
 * editor as a character, since the terminal's own meaning of it is off while a line is read: there
 * is no signal to lose. Completion calls a Lua function in protected mode; the editor never sees an error.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <histedit.h>
#include <lauxlib.h>
#include <lua.h>
#include <rondo/abi.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define EDITOR "rondo.LineEditor"
#define HISTORY_LINES 1000
#define COMPLETER 1 /* user value */

typedef struct editor {
    EditLine *line;
    History *history;
    const char *prompt; /* while a line is read */
    bool cancelled;
    lua_State *L; /* while a line is read; the editor is its argument 1 */
} editor;

static editor *of(EditLine *line)
{
    void *self = NULL;
    el_get(line, EL_CLIENTDATA, &self);
    return self;
}

static char *prompt(EditLine *line)
{
    return (char *)of(line)->prompt; /* libedit's type; it only reads */
}

static unsigned char cancel(EditLine *line, int key)
{
    (void)key;
    of(line)->cancelled = true;
    fputs("^C", stdout);
    return CC_NEWLINE;
}

/* Calls the completer with the text before the cursor; it answers with what to insert, and what to show. */
static unsigned char complete(EditLine *line, int key)
{
    (void)key;
    lua_State *L = of(line)->L;
    const LineInfo *info = el_line(line);
    unsigned char then = CC_ERROR; /* a beep */
    lua_getiuservalue(L, 1, COMPLETER);
    lua_pushlstring(L, info->buffer, (size_t)(info->cursor - info->buffer));
    if (lua_pcall(L, 1, 2, 0) == LUA_OK) {
        const char *insert = lua_tostring(L, -2);
        const char *show = lua_tostring(L, -1);
        if (show) {
            printf("\n%s\n", show);
            then = CC_REDISPLAY;
        }
        if (insert && *insert && el_insertstr(line, insert) == 0)
            then = show ? CC_REDISPLAY : CC_REFRESH;
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return then;
}

static editor *check(lua_State *L)
{
    editor *self = luaL_checkudata(L, 1, EDITOR);
    luaL_argcheck(L, self->line, 1, "closed line editor");
    return self;
}

static int editor_close(lua_State *L)
{
    editor *self = luaL_checkudata(L, 1, EDITOR);
    if (self->line) el_end(self->line);
    if (self->history) history_end(self->history);
    self->line = NULL;
    self->history = NULL;
    return 0;
}

static void set_up(const editor *self)
{
    HistEvent event;
    history(self->history, &event, H_SETSIZE, HISTORY_LINES);
    history(self->history, &event, H_SETUNIQUE, 1);
    el_set(self->line, EL_CLIENTDATA, (void *)self);
    el_set(self->line, EL_PROMPT, prompt);
    el_set(self->line, EL_EDITOR, "emacs");
    el_set(self->line, EL_HIST, history, self->history);
    el_set(self->line, EL_SIGNAL, 1);
    el_set(self->line, EL_ADDFN, "rondo-cancel", "drop the line", cancel);
    el_set(self->line, EL_ADDFN, "rondo-complete", "complete the name", complete);
    el_source(self->line, NULL); /* the user's .editrc */
    el_set(self->line, EL_SETTY, "-d", "-isig", NULL);
    el_set(self->line, EL_BIND, "^C", "rondo-cancel", NULL);
    el_set(self->line, EL_BIND, "^I", "rondo-complete", NULL);
}

/* new(completer): an editor of the terminal on stdin. */
static int editor_new(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    editor *self = lua_newuserdatauv(L, sizeof *self, 1);
    memset(self, 0, sizeof *self);
    luaL_setmetatable(L, EDITOR);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, COMPLETER);
    self->history = history_init();
    self->line = self->history ? el_init("rondo", stdin, stdout, stderr) : NULL;
    if (!self->line) return luaL_error(L, "the terminal cannot be edited on");
    set_up(self);
    return 1;
}

/* editor:read(prompt): a line, false where it was dropped, nil at the end. */
static int editor_read(lua_State *L)
{
    editor *self = check(L);
    self->prompt = luaL_checkstring(L, 2);
    self->cancelled = false;
    self->L = L;
    int length = 0;
    const char *text = el_gets(self->line, &length);
    if (self->cancelled) {
        fputc('\n', stdout);
        lua_pushboolean(L, false);
    } else if (!text || length <= 0) {
        lua_pushnil(L);
    } else {
        if (text[length - 1] == '\n') length--;
        lua_pushlstring(L, text, (size_t)length);
    }
    return 1;
}

static int editor_add(lua_State *L)
{
    const editor *self = check(L);
    HistEvent event;
    history(self->history, &event, H_ENTER, luaL_checkstring(L, 2));
    return 0;
}

/* load(path) and save(path): the history as a file; true, or nil and why not. */
static int transfer(lua_State *L, int what)
{
    const editor *self = check(L);
    const char *path = luaL_checkstring(L, 2);
    HistEvent event;
    if (history(self->history, &event, what, path) < 0) {
        lua_pushnil(L);
        lua_pushfstring(L, "%s: %s", path, strerror(errno));
        return 2;
    }
    lua_pushboolean(L, true);
    return 1;
}

static int editor_load(lua_State *L)
{
    return transfer(L, H_LOAD);
}

static int editor_save(lua_State *L)
{
    return transfer(L, H_SAVE);
}

RD_EXPORT int luaopen_rondo_line_editor(lua_State *L);

int luaopen_rondo_line_editor(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"read", editor_read}, {"add", editor_add},     {"load", editor_load},
        {"save", editor_save}, {"close", editor_close}, {"__gc", editor_close},
        {NULL, NULL},
    };
    static const luaL_Reg functions[] = {{"new", editor_new}, {NULL, NULL}};
    luaL_newmetatable(L, EDITOR);
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    luaL_newlib(L, functions);
    return 1;
}
