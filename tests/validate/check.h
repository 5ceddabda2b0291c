/* check.h - what a rule of `rondo check` is, and how one is added.
 *
 * A rule is a line of a table: its number, what it says, and a function. It is run for each thing of its
 * kind that the plugin brings, in a child process of its own (child.h) in which the plugin is loaded
 * anew: it may crash, hang, allocate and leak as it likes, and need not clean up. The function has a
 * verdict before it that says "pass". What else it finds it says by check_say, in the words of the
 * plugin's author: the names that he gave, function, phase, t, row, element. Which thing it is need not
 * be said: its name is put before it.
 *
 * To add rules: a file <kind>_rules.c with `const check_rule check_<kind>_rules[]`, whose last line is
 * {0}; its declaration below; for a new kind of thing a line of check_kinds (kinds.c), which says how
 * things of the kind are found in an rd_plugin. The number goes into the table of rules in
 * plugins/README.md, a wrong plugin into bad/, and what it must be refused for into
 * tests/runs/check_spec.lua.
 * SPDX-License-Identifier: MIT */
#ifndef RD_CHECK_H
#define RD_CHECK_H
#include "rondo.h"

enum { CHECK_TEXT = 4096 };
typedef enum check_status {
    CHECK_PASS,
    CHECK_FAIL,
    CHECK_WARN,
    CHECK_SKIP,
    CHECK_CRASH, /* these two are said of a child, by child_run */
    CHECK_TIMEOUT
} check_status;
typedef struct check_verdict {
    check_status status;
    char text[CHECK_TEXT]; /* a sentence, unless it passed */
} check_verdict;
/* The first thing said is what counts; a warning gives way to a failure. */
__attribute__((format(printf, 3, 4))) void check_say(check_verdict *v, check_status status,
                                                     const char *format, ...);

struct check_rule;
struct check_kind;
typedef struct check_subject {
    const char *path, *lib_dir; /* of the plugin file; of this Rondo, or NULL */
    const struct check_rule *rule;
    const struct check_kind *kind;
    double seconds; /* that the rule may take */
    uint32_t thin;  /* 1: all products of a backend; n: every n-th */
    /* These are there where the plugin has been loaded. */
    rd_core *core; /* one thread, scalar kernels, the plugin loaded */
    const rd_plugin *plugin;
    size_t index;     /* of the thing among those of its kind: plugin->cells[index] */
    const char *name; /* of the thing */
} check_subject;

struct cell_case;
struct kernel_case;
enum {
    CHECK_IN_DOUBLE =
        1u, /* compares with what float is too coarse for: skipped in float, with the reason */
    CHECK_BACKWARD = 2u, /* skipped where there is no backward */
    CHECK_UNLOADED = 4u, /* loads the plugin by itself, as rules of files do */
    /* Of backends: skipped where they do not say RD_KERNELS_BF16, _INT8, or say RD_KERNELS_INEXACT. */
    CHECK_BF16 = 8u,
    CHECK_INT8 = 16u,
    CHECK_EXACT = 32u,
    CHECK_CAUSAL = 64u /* of layers: skipped where steps depend on later ones */
};
typedef struct check_rule {
    const char *number; /* "C4", as in plugins/README.md; several rules may share one */
    const char *says;   /* "any split of the rows gives the same bits" */
    uint32_t flags;     /* above */
    void (*run)(const check_subject *s, check_verdict *v);
    /* For run = check_each_case (cell_grid.h): called with the cell at each of its options. */
    bool (*keeps)(const struct cell_case *c, char *why, size_t cap);
    /* The same of backends (kernel_rules.h). */
    bool (*multiplies)(const struct kernel_case *c, char *why, size_t cap);
} check_rule;

extern const check_rule check_file_rules[], check_cell_rules[], check_kernel_rules[],
    check_layer_rules[];

typedef struct check_kind {
    const char *word; /* "cell" */
    const check_rule *rules;
    const char *(*name)(const rd_plugin *p, size_t i); /* of thing i; NULL behind the last */
} check_kind;
extern const check_kind check_kinds[]; /* the first is the file itself; ended by {0} */

/* What is being done, for the report of a crash or a hang: the cell's options, and the call. */
__attribute__((format(printf, 1, 2))) void check_case_is(const char *format, ...);
__attribute__((format(printf, 1, 2))) void check_call_is(const char *format, ...);
#endif
