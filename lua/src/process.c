/* process.c - runs another program by its argument vector: no shell, so no word of it is ever read twice.
 *
 * The child inherits the environment, reads /dev/null or a file of Lua's, and dies with its parent. Its
 * output is caught through two pipes into buffers that are collected memory, made before the child is:
 * nothing that may raise lies between fork and wait. Input and output of any size go through files
 * (io.tmpfile), so that there is no third pipe to be filled while the others are read.
 * SPDX-License-Identifier: MIT */
#include "common.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define CAUGHT_BYTES 65536 /* of each stream; what comes after is read and dropped */
#define LOOK_MS 100        /* how often a signal is looked for that came between two waits */
#define CHILD_FAILED 127   /* as a shell says it; the errno that went up the pipe is what counts */

enum {
    OUT,
    ERR,
    FAIL,
    N_PIPES
}; /* FAIL carries the errno of what kept the program from starting */

typedef struct stream {
    int fd; /* -1: at its end */
    char *bytes;
    size_t n;
} stream;

typedef struct job {
    char *const *argv;
    const char *output; /* file that takes the standard output; NULL: out, or it is caught */
    int out;            /* open file that takes it; -1: none */
    int in;             /* open file that is read from its beginning; -1: /dev/null */
    pid_t pid;
    stream streams[N_PIPES];
    const char *interrupted; /* name of the signal for which the child was ended */
} job;

static void child_fail(int fd)
{
    const int number = errno;
    const ssize_t n = write(fd, &number, sizeof number);
    _exit(n == (ssize_t)sizeof number ? CHILD_FAILED : CHILD_FAILED - 1);
}

/* In the child: streams, then the program. */
static void child_run(const job *j, int ends[N_PIPES][2])
{
    const int fail = ends[FAIL][1];
    const int in = j->in >= 0 ? j->in : open("/dev/null", O_RDONLY);
    int out = j->out >= 0 ? j->out : ends[OUT][1];
    if (j->in >= 0 && lseek(in, 0, SEEK_SET) != 0) child_fail(fail);
    if (j->output) out = open(j->output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (in < 0 || out < 0 || dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
        dup2(ends[ERR][1], STDERR_FILENO) < 0)
        child_fail(fail);
    execvp(j->argv[0], j->argv);
    child_fail(fail);
}

static void close_ends(int ends[N_PIPES][2], int side)
{
    for (int i = 0; i < N_PIPES; i++) {
        if (ends[i][side] >= 0) close(ends[i][side]);
        ends[i][side] = -1;
    }
}

pid_t rdl_fork(void)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* no handler of the parent runs in the child */
    const pid_t parent = getpid();
    const pid_t pid = fork();
    if (pid == 0) {
        for (int s = 1; s < NSIG; s++) { /* a noted signal must end the child, not be noted there */
            struct sigaction action;
            if (sigaction(s, NULL, &action) == 0 && action.sa_handler != SIG_IGN)
                (void)signal(s, SIG_DFL);
        }
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (getppid() != parent) _exit(CHILD_FAILED);
        return 0;
    }
    const int kept = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = kept;
    return pid;
}

/* False: errno says why there is no child. */
static bool start(job *j)
{
    int ends[N_PIPES][2] = {{-1, -1}, {-1, -1}, {-1, -1}};
    bool ok = true;
    for (int i = 0; ok && i < N_PIPES; i++) ok = pipe2(ends[i], O_CLOEXEC) == 0;
    if (ok) {
        j->pid = rdl_fork();
        if (j->pid == 0) child_run(j, ends);
        ok = j->pid > 0;
    }
    const int kept = errno;
    close_ends(ends, 1);
    for (int i = 0; ok && i < N_PIPES; i++) {
        j->streams[i].fd = ends[i][0];
        ends[i][0] = -1;
    }
    close_ends(ends, 0);
    errno = kept;
    return ok;
}

static void take(stream *s)
{
    char dropped[4096];
    const bool full = s->n == CAUGHT_BYTES;
    const ssize_t got = full ? read(s->fd, dropped, sizeof dropped)
                             : read(s->fd, s->bytes + s->n, CAUGHT_BYTES - s->n);
    if (got > 0 && !full) s->n += (size_t)got;
    if (got > 0 || (got < 0 && errno == EINTR)) return;
    close(s->fd);
    s->fd = -1;
}

/* Reads until every stream is at its end, then waits; returns waitpid's status, or -1. */
static int attend(job *j)
{
    for (;;) {
        struct pollfd waits[N_PIPES];
        bool open = false;
        for (int i = 0; i < N_PIPES; i++) {
            waits[i] = (struct pollfd){.fd = j->streams[i].fd, .events = POLLIN};
            open = open || j->streams[i].fd >= 0;
        }
        if (!open) break;
        const int ready = poll(waits, N_PIPES, LOOK_MS);
        if (!j->interrupted && rdl_interrupted()) {
            j->interrupted = rdl_interrupted();
            (void)kill(j->pid, SIGTERM);
        }
        for (int i = 0; ready > 0 && i < N_PIPES; i++)
            if (waits[i].fd >= 0 && waits[i].revents) take(&j->streams[i]);
    }
    int how = -1;
    pid_t reaped;
    do reaped = waitpid(j->pid, &how, 0);
    while (reaped < 0 && errno == EINTR);
    return reaped < 0 ? -1 : how;
}

/* Pushes {code=, signal=, interrupted=, stdout=, stderr=}. */
static int push_result(lua_State *L, const job *j, int how)
{
    lua_createtable(L, 0, 5);
    if (how != -1 && WIFEXITED(how)) {
        lua_pushinteger(L, WEXITSTATUS(how));
        lua_setfield(L, -2, "code");
    } else if (how != -1 && WIFSIGNALED(how)) {
        lua_pushinteger(L, WTERMSIG(how));
        lua_setfield(L, -2, "signal");
    }
    lua_pushstring(L, j->interrupted); /* NULL: nil */
    lua_setfield(L, -2, "interrupted");
    lua_pushlstring(L, j->streams[OUT].bytes, j->streams[OUT].n);
    lua_setfield(L, -2, "stdout");
    lua_pushlstring(L, j->streams[ERR].bytes, j->streams[ERR].n);
    lua_setfield(L, -2, "stderr");
    return 1;
}

char *const *rdl_check_argv(lua_State *L, int arg)
{
    luaL_checktype(L, arg, LUA_TTABLE);
    const lua_Integer n = luaL_len(L, arg);
    luaL_argcheck(L, n >= 1, arg, "a program and its arguments expected");
    const char **argv = rdl_buffer(L, (size_t)n + 1, sizeof *argv);
    for (lua_Integer i = 1; i <= n; i++) {
        size_t length;
        if (lua_geti(L, arg, i) != LUA_TSTRING)
            luaL_error(L, "argument %I must be a string, got a %s", i, luaL_typename(L, -1));
        argv[i - 1] = lua_tolstring(L, -1, &length);
        if (strlen(argv[i - 1]) != length) luaL_error(L, "argument %I holds a zero byte", i);
        lua_pop(L, 1);
    }
    argv[n] = NULL;
    return (char *const *)argv; /* exec takes its words as if it might write to them */
}

/* The file handle at arg, with everything written that was given to it; -1: there is none. */
static int opt_file(lua_State *L, int arg)
{
    if (lua_isnoneornil(L, arg)) return -1;
    const luaL_Stream *file = luaL_checkudata(L, arg, LUA_FILEHANDLE);
    luaL_argcheck(L, file->closef != NULL, arg, "closed file");
    if (fflush(file->f) != 0) luaL_error(L, "run: argument %d: %s", arg, strerror(errno));
    return fileno(file->f);
}

/* run(argv [, output [, input]]): result, or nil, "curl: No such file or directory", errno. `output` is
 * the name of a file or an open one, `input` an open one. */
static int process_run(lua_State *L)
{
    const bool named = lua_type(L, 2) == LUA_TSTRING;
    job j = {.output = named ? lua_tostring(L, 2) : NULL, .in = opt_file(L, 3)};
    j.out = named ? -1 : opt_file(L, 2);
    j.argv = rdl_check_argv(L, 1); /* pushes, so it comes after the arguments */
    for (int i = 0; i < N_PIPES; i++)
        j.streams[i] = (stream){.fd = -1, .bytes = rdl_buffer(L, CAUGHT_BYTES, 1)};
    if (!start(&j)) return luaL_fileresult(L, false, j.argv[0]);
    const int how = attend(&j);
    int number;
    if (j.streams[FAIL].n == sizeof number) {
        memcpy(&number, j.streams[FAIL].bytes, sizeof number);
        errno = number;
        return luaL_fileresult(L, false, j.argv[0]);
    }
    return push_result(L, &j, how);
}

void rdl_open_process(lua_State *L)
{
    lua_pushcfunction(L, process_run);
    lua_setfield(L, -2, "run");
}
