/* owners.c - who may change a plugin's file, or put another in its place: nobody but root and the user.
 *
 * A group may write where it is the user's own: it has his name, is his primary group, lists nobody else,
 * and is no other local user's primary group. (All users of a directory service cannot be asked for.) An
 * access control list may let in more people than the mode shows, so that a file with one has no such
 * group. [setup]: asks the system's user database, which may open files and sockets.
 * SPDX-License-Identifier: MIT */
#include "plugin/loader.h"
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { ENTRY_BYTES = 16384, USER_BYTES = 64 }; /* a group with more members is not one user's own */

bool rdc_refuse(char reason[RDC_REASON_BYTES], const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(reason, RDC_REASON_BYTES, format, args);
    va_end(args);
    return false;
}

/* True if a local user other than `me` has the group as primary, or if that cannot be found out. */
static bool others_primary(gid_t gid, const char *me)
{
    struct passwd entry, *p = NULL;
    char text[ENTRY_BYTES];
    FILE *f = fopen("/etc/passwd", "re");
    bool found = f == NULL;

    while (!found && fgetpwent_r(f, &entry, text, sizeof text, &p) == 0)
        found = p->pw_gid == gid && strcmp(p->pw_name, me) != 0;
    if (f) (void)fclose(f);
    return found;
}

static bool lists_others(const struct group *g, const char *me)
{
    for (char **member = g->gr_mem; *member; member++)
        if (strcmp(*member, me) != 0) return true;
    return false;
}

static bool own_group(const char *path, gid_t gid)
{
    struct passwd entry, *me = NULL;
    struct group group_entry, *g = NULL;
    char user_text[ENTRY_BYTES], group_text[ENTRY_BYTES];

    if (getpwuid_r(geteuid(), &entry, user_text, sizeof user_text, &me) != 0 || !me) return false;
    if (getgrgid_r(gid, &group_entry, group_text, sizeof group_text, &g) != 0 || !g) return false;
    return me->pw_gid == gid && strcmp(me->pw_name, g->gr_name) == 0 &&
           !lists_others(g, me->pw_name) && !others_primary(gid, me->pw_name) &&
           getxattr(path, "system.posix_acl_access", NULL, 0) <= 0;
}

/* "user alice" or "user 1000". */
static void name_user(uid_t uid, char name[USER_BYTES])
{
    struct passwd entry, *p = NULL;
    char text[ENTRY_BYTES];

    if (getpwuid_r(uid, &entry, text, sizeof text, &p) == 0 && p)
        (void)snprintf(name, USER_BYTES, "user %.40s", p->pw_name);
    else
        (void)snprintf(name, USER_BYTES, "user %u", (unsigned)uid);
}

static void name_group(gid_t gid, char name[USER_BYTES])
{
    struct group entry, *g = NULL;
    char text[ENTRY_BYTES];

    if (getgrgid_r(gid, &entry, text, sizeof text, &g) == 0 && g)
        (void)snprintf(name, USER_BYTES, "group %.40s", g->gr_name);
    else
        (void)snprintf(name, USER_BYTES, "group %u", (unsigned)gid);
}

/* what: "it" or "its folder". */
static bool check_one(const char *what, const char *path, const struct stat *s,
                      char reason[RDC_REASON_BYTES])
{
    char name[USER_BYTES], me[USER_BYTES];

    if (s->st_uid != 0 && s->st_uid != geteuid()) {
        name_user(s->st_uid, name);
        name_user(geteuid(), me);
        return rdc_refuse(reason,
                          "L0: %s belongs to %s, and you are %s; copy the file into a folder of "
                          "yours, or have it given to you (chown)",
                          what, name, me);
    }
    if (s->st_mode & S_IWOTH)
        return rdc_refuse(
            reason, "L0: everybody may write to %s; end that with: chmod o-w '%.200s'", what, path);
    if (!(s->st_mode & S_IWGRP) || own_group(path, s->st_gid)) return true;
    name_group(s->st_gid, name);
    return rdc_refuse(reason,
                      "L0: %s may write to %s, and is not yours alone; end that with: chmod g-w "
                      "'%.200s'",
                      name, what, path);
}

bool rdc_plugin_owners(const char *path, const struct stat *file, char reason[RDC_REASON_BYTES])
{
    char folder[PATH_MAX];
    struct stat s;
    const int n = (int)(strrchr(path, '/') - path);

    (void)snprintf(folder, sizeof folder, "%.*s", n > 0 ? n : 1, path);
    if (!check_one("it", path, file, reason)) return false;
    if (stat(folder, &s) != 0) return rdc_refuse(reason, "L0: its folder cannot be looked at");
    return check_one("its folder", folder, &s, reason);
}
