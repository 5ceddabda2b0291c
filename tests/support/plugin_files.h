/* plugin_files.h - plugin files in a folder of their own, and a core that loads them or says why not.
 *
 * The folder is the test program's, so that the build folder's permissions do not matter; each test
 * finds it empty.
 * SPDX-License-Identifier: MIT */
#ifndef RD_TEST_PLUGIN_FILES_H
#define RD_TEST_PLUGIN_FILES_H
#include "rondo.h"

enum { PATH_BYTES = 256, TEXT_BYTES = 1024, MAX_COPY = 1 << 20 };
typedef struct plugin_files {
    char folder[PATH_BYTES];
    rd_core *core;
    rd_error err;
} plugin_files;
extern plugin_files files;

int make_folder(void **state);               /* of a group */
int remove_folder(void **state);             /* of a group */
int open_core(void **state);                 /* of a test: without options */
int close_core(void **state);                /* of a test: empties the folder too */
void reopen(const rd_core_options *options); /* fails the test where it cannot */

/* Path of a name in the folder; four may be in use at once. */
const char *path_of(const char *name);
/* The first `bytes` of bad/<from>.so become <to>; its path. */
const char *copy_part(const char *from, const char *to, size_t bytes);
/* bad/<name>.so as <name>.so. */
const char *copy(const char *name);
/* Loads a path, which must be refused for `reason`; the copy of a name. */
void expect_refusal_of(const char *path, const char *reason);
void expect_refusal(const char *name, const char *reason);
void expect_load(const char *path);
/* The refusal of the last file that was met. */
const char *last_refusal(void);
#endif
