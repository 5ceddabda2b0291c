/* spawn.c - programs that run beside this one: started by their argument vectors, asked after, signalled.
 *
 * A child reads /dev/null, appends its errors to one file and writes its results to another. It stays in
 * the process group, so that what ends or stops the group has it too, and ignores SIGINT: a Ctrl-C reaches
 * the whole group, and who started it passes one signal on (a second SIGINT would end a training at once).
 * It dies with its parent, by SIGTERM.
 * SPDX-License-Identifier: MIT */
#include "common.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILD_FAILED 127
#define LONGEST_PAUSE 3600.0

typedef struct process {
    pid_t pid; /* 0: it is over */
    int how;   /* waitpid's status then */
} process;

typedef struct files {
    const char *output;
    const char *errors;
} files;

/* In the child: streams, then the program; what went wrong goes up the pipe as an errno. */
static void child_run(char *const *argv, const files *f, int fail)
{
    const int create = O_WRONLY | O_CREAT | O_CLOEXEC;
    const int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    const int out = open(f->output, create | O_TRUNC, 0666);
    const int err = open(f->errors, create | O_APPEND, 0666);
    (void)signal(SIGINT, SIG_IGN);
    if (in >= 0 && out >= 0 && err >= 0 && dup2(in, STDIN_FILENO) >= 0 &&
        dup2(out, STDOUT_FILENO) >= 0 && dup2(err, STDERR_FILENO) >= 0)
        execvp(argv[0], argv);
    const int number = errno;
    const ssize_t n = write(fail, &number, sizeof number);
    _exit(n == (ssize_t)sizeof number ? CHILD_FAILED : CHILD_FAILED - 1);
}

/* 0, or the errno of what kept the program from starting. */
static int start(process *p, char *const *argv, const files *f)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return errno;
    const pid_t pid = rdl_fork();
    if (pid == 0) child_run(argv, f, ends[1]);
    int number = errno;
    close(ends[1]);
    if (pid > 0) {
        ssize_t got;
        do got = read(ends[0], &number, sizeof number);
        while (got < 0 && errno == EINTR);
        if (got != (ssize_t)sizeof number) number = 0; /* exec has closed the pipe */
        if (number) (void)waitpid(pid, NULL, 0);
        if (!number) p->pid = pid;
    }
    close(ends[0]);
    return number;
}

/* spawn(argv, output, errors): a process, or nil, message, errno. */
static int spawn(lua_State *L)
{
    const files f = {.output = luaL_checkstring(L, 2), .errors = luaL_checkstring(L, 3)};
    char *const *argv = rdl_check_argv(L, 1);
    process *p = lua_newuserdatauv(L, sizeof *p, 0);
    *p = (process){0};
    luaL_setmetatable(L, RDL_PROCESS);
    errno = start(p, argv, &f);
    if (errno) return luaL_fileresult(L, false, argv[0]);
    return 1;
}

/* p:poll(): nothing while it runs, then {code=} or {signal=}. */
static int process_poll(lua_State *L)
{
    process *p = luaL_checkudata(L, 1, RDL_PROCESS);
    if (p->pid > 0) {
        const pid_t reaped = waitpid(p->pid, &p->how, WNOHANG);
        if (reaped == 0 || (reaped < 0 && errno == EINTR)) return 0;
        if (reaped < 0) p->how = -1;
        p->pid = 0;
    }
    lua_createtable(L, 0, 1);
    if (p->how != -1 && WIFEXITED(p->how)) {
        lua_pushinteger(L, WEXITSTATUS(p->how));
        lua_setfield(L, -2, "code");
    } else {
        lua_pushinteger(L, p->how != -1 && WIFSIGNALED(p->how) ? WTERMSIG(p->how) : 0);
        lua_setfield(L, -2, "signal");
    }
    return 1;
}

/* p:stop(): asks it to save and end (SIGTERM). */
static int process_stop(lua_State *L)
{
    const process *p = luaL_checkudata(L, 1, RDL_PROCESS);
    if (p->pid > 0) (void)kill(p->pid, SIGTERM);
    return 0;
}

/* pause(seconds): less if a signal comes. */
static int spawn_pause(lua_State *L)
{
    const double seconds = luaL_checknumber(L, 1);
    luaL_argcheck(L, seconds >= 0 && seconds <= LONGEST_PAUSE, 1, "0..3600 seconds expected");
    const time_t whole = (time_t)seconds;
    const struct timespec time = {.tv_sec = whole,
                                  .tv_nsec = (long)((seconds - (double)whole) * 1e9)};
    nanosleep(&time, NULL);
    return 0;
}

void rdl_open_spawn(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"poll", process_poll}, {"stop", process_stop}, {NULL, NULL}};
    static const luaL_Reg meta[] = {{NULL, NULL}};
    static const luaL_Reg functions[] = {{"spawn", spawn}, {"pause", spawn_pause}, {NULL, NULL}};
    rdl_new_class(L, &(rdl_class){.name = RDL_PROCESS, .methods = methods, .meta = meta});
    luaL_setfuncs(L, functions, 0);
}
