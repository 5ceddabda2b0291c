/* files.c - folders and files for run folders: what Lua's own library has not. Failures of the outside
 * world are nil, message, errno.
 * SPDX-License-Identifier: MIT */
#include "common.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FILE_MODE 0666 /* the umask takes away what the user does not want */
#define FOLDER_MODE 0777

enum { LOCK_TRIES = 50, LOCK_PAUSE_MS = 20 };

static int result(lua_State *L, bool ok, const char *path)
{
    return luaL_fileresult(L, ok, path);
}

/* A file of a run folder, which may be somebody else's: a pipe that nobody reads is an error and not
 * waited for, and so is a link, which would have another file written. */
static int open_own(const char *path, int flags)
{
    return open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, FILE_MODE);
}

/* Why open_own failed. */
static int not_opened(lua_State *L, const char *path)
{
    const int kept = errno;
    struct stat st;
    const char *why = NULL;
    if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
        why = "it is a link, to be replaced by a file";
    else if (kept == ENXIO)
        why = "it is not a regular file";
    errno = kept;
    if (!why) return result(L, false, path);
    luaL_pushfail(L);
    lua_pushfstring(L, "%s: %s", path, why);
    lua_pushinteger(L, kept);
    return 3;
}

/* Makes the folder and those above it; one that is there is fine. */
static int files_mkdir(lua_State *L)
{
    size_t length;
    const char *path = luaL_checklstring(L, 1, &length);
    char *part = rdl_buffer(L, length + 1, 1);
    memcpy(part, path, length + 1);
    bool ok = true;
    for (size_t i = 1; ok && i <= length; i++) {
        if (part[i] != '/' && part[i] != '\0') continue;
        const char kept = part[i];
        part[i] = '\0';
        ok = mkdir(part, FOLDER_MODE) == 0 || errno == EEXIST;
        part[i] = kept;
    }
    struct stat st;
    if (ok && stat(path, &st) == 0 && !S_ISDIR(st.st_mode)) {
        ok = false;
        errno = ENOTDIR;
    }
    return result(L, ok, path);
}

/* The folder being listed lies in a userdata, so that an error on the way closes it. */
static int folder_close(lua_State *L)
{
    DIR **slot = lua_touserdata(L, 1);
    if (*slot) closedir(*slot);
    *slot = NULL;
    return 0;
}

static int files_listdir(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    DIR **slot = lua_newuserdatauv(L, sizeof *slot, 0);
    *slot = NULL;
    lua_newtable(L);
    lua_pushcfunction(L, folder_close);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "__gc");
    lua_setfield(L, -2, "__close");
    lua_setmetatable(L, -2);
    lua_toclose(L, -1);
    lua_newtable(L);
    *slot = opendir(path);
    if (!*slot) return result(L, false, path);
    lua_Integer place = 1;
    const struct dirent *entry;
    while ((entry = readdir(*slot)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        lua_pushstring(L, entry->d_name);
        lua_rawseti(L, -2, place++);
    }
    return 1;
}

static int files_stat(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    struct stat st;
    if (stat(path, &st) != 0) return result(L, false, path);
    lua_createtable(L, 0, 3);
    lua_pushstring(L, S_ISREG(st.st_mode)    ? "file"
                      : S_ISDIR(st.st_mode)  ? "dir"
                      : S_ISFIFO(st.st_mode) ? "pipe"
                                             : "other");
    lua_setfield(L, -2, "kind");
    lua_pushinteger(L, st.st_size);
    lua_setfield(L, -2, "size");
    lua_pushinteger(L, st.st_mtime);
    lua_setfield(L, -2, "mtime");
    return 1;
}

static int files_rename(lua_State *L)
{
    const char *from = luaL_checkstring(L, 1);
    const char *to = luaL_checkstring(L, 2);
    return result(L, rename(from, to) == 0, from);
}

static int files_remove(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    return result(L, remove(path) == 0, path);
}

static int files_realpath(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    char full[PATH_MAX];
    if (!realpath(path, full)) return result(L, false, path);
    lua_pushstring(L, full);
    return 1;
}

static int files_truncate(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    const lua_Integer bytes = luaL_checkinteger(L, 2);
    luaL_argcheck(L, bytes >= 0, 2, "a length must not be negative");
    const int fd = open_own(path, O_WRONLY);
    if (fd < 0) return not_opened(L, path);
    const bool ok = ftruncate(fd, (off_t)bytes) == 0;
    const int kept = errno;
    close(fd);
    errno = kept;
    return result(L, ok, path);
}

/* ---- writing ---- */

static bool write_all(int fd, const char *bytes, size_t n)
{
    while (n > 0) {
        const ssize_t done = write(fd, bytes, n);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return false;
        bytes += done;
        n -= (size_t)done;
    }
    return true;
}

/* chmod(path, mode) */
static int files_chmod(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    return luaL_fileresult(L, chmod(path, (mode_t)luaL_checkinteger(L, 2)) == 0, path);
}

/* The old file stays whole until the new one is. */
static int files_write_file(lua_State *L)
{
    size_t n;
    const char *path = luaL_checkstring(L, 1);
    const char *bytes = luaL_checklstring(L, 2, &n);
    rd_error err;
    if (rd_write_file(path, bytes, n, &err) != RD_OK) return rdl_outside(L, &err);
    lua_pushboolean(L, true);
    return 1;
}

/* ---- handles: locks and files that grow by lines ---- */

typedef struct handle {
    int fd;      /* -1: closed */
    char path[]; /* for messages */
} handle;

static handle *push_handle(lua_State *L, const char *class, const char *path, size_t length)
{
    handle *h = lua_newuserdatauv(L, sizeof *h + length + 1, 0);
    h->fd = -1;
    memcpy(h->path, path, length + 1);
    luaL_setmetatable(L, class);
    return h;
}

static int close_handle(lua_State *L, const char *class)
{
    handle *h = luaL_checkudata(L, 1, class);
    const int fd = h->fd;
    h->fd = -1;
    return result(L, fd < 0 || close(fd) == 0, h->path);
}

static int lock_close(lua_State *L)
{
    return close_handle(L, RDL_LOCK);
}

static int append_close(lua_State *L)
{
    return close_handle(L, RDL_APPEND);
}

/* A process that was killed while a child saved for it (core/store/child.c) has left its lock to the child,
 * which is killed with it but takes a moment to go: one that starts again at once waits for it. */
static bool take_lock(int fd)
{
    const struct timespec pause = {.tv_nsec = LOCK_PAUSE_MS * 1000000L};
    for (int i = 1; flock(fd, LOCK_EX | LOCK_NB) != 0; i++) {
        if (errno != EWOULDBLOCK || i == LOCK_TRIES) return false;
        nanosleep(&pause, NULL);
    }
    return true;
}

static int files_lock(lua_State *L)
{
    size_t length;
    const char *path = luaL_checklstring(L, 1, &length);
    handle *h = push_handle(L, RDL_LOCK, path, length);
    h->fd = open_own(path, O_RDWR | O_CREAT);
    if (h->fd < 0) return not_opened(L, path);
    if (take_lock(h->fd)) return 1;
    const int kept = errno;
    close(h->fd);
    h->fd = -1;
    if (kept == EWOULDBLOCK) {
        luaL_pushfail(L);
        lua_pushfstring(L, "%s: another process holds the lock", path);
        lua_pushinteger(L, kept);
        return 3;
    }
    errno = kept;
    return result(L, false, path);
}

/* locked(path): does somebody hold this lock? Nothing is made, and nobody is waited for. */
static int files_locked(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) return result(L, false, path);
    lua_pushboolean(L, flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK);
    close(fd);
    return 1;
}

static int files_append(lua_State *L)
{
    size_t length;
    const char *path = luaL_checklstring(L, 1, &length);
    handle *h = push_handle(L, RDL_APPEND, path, length);
    h->fd = open_own(path, O_WRONLY | O_APPEND | O_CREAT);
    if (h->fd < 0) return not_opened(L, path);
    return 1;
}

/* One write per line, so that a full disk is noticed here; half a line is taken back. */
static int append_write(lua_State *L)
{
    handle *h = luaL_checkudata(L, 1, RDL_APPEND);
    size_t n;
    const char *line = luaL_checklstring(L, 2, &n);
    luaL_argcheck(L, h->fd >= 0, 1, "closed file");
    struct stat before;
    const bool known = fstat(h->fd, &before) == 0 && S_ISREG(before.st_mode);
    if (write_all(h->fd, line, n)) return result(L, true, h->path);
    const int kept = errno;
    if (known && ftruncate(h->fd, before.st_size) != 0) errno = kept; /* the write's error counts */
    errno = kept;
    return result(L, false, h->path);
}

/* Beyond a limit of file size (ulimit -f) a write is to fail as on a full disk, not to end the program. */
static void survive_size_limit(void)
{
    struct sigaction now;
    if (sigaction(SIGXFSZ, NULL, &now) == 0 && now.sa_handler == SIG_DFL)
        (void)signal(SIGXFSZ, SIG_IGN);
}

void rdl_open_files(lua_State *L)
{
    survive_size_limit();
    static const luaL_Reg lock_methods[] = {{"close", lock_close}, {NULL, NULL}};
    static const luaL_Reg lock_meta[] = {
        {"__gc", lock_close}, {"__close", lock_close}, {NULL, NULL}};
    static const luaL_Reg append_methods[] = {
        {"write", append_write}, {"close", append_close}, {NULL, NULL}};
    static const luaL_Reg append_meta[] = {
        {"__gc", append_close}, {"__close", append_close}, {NULL, NULL}};
    static const luaL_Reg functions[] = {
        {"mkdir", files_mkdir},
        {"listdir", files_listdir},
        {"stat", files_stat},
        {"rename", files_rename},
        {"remove", files_remove},
        {"realpath", files_realpath},
        {"truncate", files_truncate},
        {"chmod", files_chmod},
        {"write_file", files_write_file},
        {"lock", files_lock},
        {"locked", files_locked},
        {"append", files_append},
        {NULL, NULL},
    };
    rdl_new_class(L, &(rdl_class){.name = RDL_LOCK, .methods = lock_methods, .meta = lock_meta});
    rdl_new_class(L,
                  &(rdl_class){.name = RDL_APPEND, .methods = append_methods, .meta = append_meta});
    luaL_setfuncs(L, functions, 0);
}
