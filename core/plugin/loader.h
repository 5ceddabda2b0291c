/* loader.h - from a path to a plugin that can be trusted to be one, or to the reason why not.
 *
 * Rules of a refusal, by the number that begins its text:
 *   L0  the file: reachable, regular, a whole shared object for this machine, safe owner and permissions
 *   L1  the entry symbol rd_plugin_v<major> is there
 *   L2  the stamp: magic, real size, pointer size, host new enough
 *   L3  the records: sizes, required fields, names; no name taken already; init succeeds
 *   L4  opening the file and init() come to an end, and do not change the floating-point environment
 * SPDX-License-Identifier: MIT */
#ifndef RD_LOADER_H
#define RD_LOADER_H
#include "base/error.h"
#include <sys/stat.h>

enum { RDC_REASON_BYTES = 508, RDC_WHY_BYTES = 256 }; /* WHY: what init() may say */

/* Where a file was met, in the order of the search; a file loaded by name wins over what was found. */
typedef enum rdc_found {
    RDC_BUILT_IN,
    RDC_BY_NAME,
    RDC_ON_PATH,
    RDC_OF_USER,
    RDC_INSTALLED
} rdc_found;

typedef struct rdc_plugin_file {
    char *path;              /* owned; absolute where the file is there */
    char *refusal;           /* owned; NULL: loaded */
    const rd_plugin *plugin; /* NULL: refused */
    uint64_t device, inode;  /* 0: not a file */
    rdc_found found;
} rdc_plugin_file;

/* Applies L0, L1, L2 and L4 to the file at a real path and fills device, inode and either plugin or the
 * reason. What Rondo was not installed with is opened and started in a child process first. The file of a
 * plugin stays open for the life of the process. [setup] */
bool rdc_plugin_open(const char *path, bool trust, const rd_host *host, rdc_plugin_file *file,
                     char reason[RDC_REASON_BYTES]);
/* Calls fn(job) in a child process (probe.c); false, and why, where it does not come back. [setup] */
typedef void (*rdc_probe_fn)(const void *job);
bool rdc_probe(rdc_probe_fn fn, const void *job, char reason[RDC_REASON_BYTES]);
/* L0's owners and permissions, of the file at a real path and of its folder. */
bool rdc_plugin_owners(const char *path, const struct stat *file, char reason[RDC_REASON_BYTES]);
/* Applies L3's rules that need no other plugin. */
bool rdc_plugin_check(const rd_plugin *plugin, char reason[RDC_REASON_BYTES]);
/* Sorted names of the *.so in a folder, absolute; false where it cannot be read, or is not there and
 * needed. Freed by the caller. */
bool rdc_plugin_folder(const char *folder, bool needed, char ***paths, size_t *n,
                       char reason[RDC_REASON_BYTES]);
/* Writes the reason; false, so that it can be returned. */
__attribute__((format(printf, 2, 3))) bool rdc_refuse(char reason[RDC_REASON_BYTES],
                                                      const char *format, ...);
/* Plugin i of those that are linked in; NULL after the last. */
const rd_plugin *rdc_builtin_plugin(size_t i);
#endif
