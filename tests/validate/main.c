/* main.c - check-f32 and check-f64, the programs behind `rondo check`: the rules of a plugin file, one
 * by one.
 *
 * usage: check-f32 [--lib-dir FOLDER] [--rules all|single|double] [--only NUMBER]...
 *                  [--time-limit SECONDS] [--thin N] FILE.so
 *
 * Prints a line for each rule as soon as it is known: status, number, kind, name of the thing, what the
 * rule says, what was found, with tabs between. Ends with 0, 5 (something failed), 2 (usage) or 3 (no
 * such file).
 * SPDX-License-Identifier: MIT */
#include "child.h"
#include "kernel_cpu.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DONE = 0, USAGE = 2, UNREADABLE = 3, FAILED = 5, MAX_ONLY = 32, PATIENCE = 2 };

enum which {
    ALL,
    SINGLE,
    DOUBLE
}; /* rules that any precision can judge, those of double, or both */

struct asked {
    const char *lib_dir, *file;
    char path[PATH_MAX];
    enum which which;
    const char *only[MAX_ONLY];
    size_t n_only;
    double seconds;
    uint32_t thin; /* of a backend's products every N-th is tried */
};

struct job { /* what a child is to do */
    const struct asked *asked;
    const check_kind *kind;
    const check_rule *rule;
    size_t index;
};

static bool in_double(void)
{
    return sizeof(rd_real) == sizeof(double);
}

/* ---- in a child ---------------------------------------------------------------------------------- */

static bool open_plugin(const struct asked *a, check_subject *s, check_verdict *v)
{
    const rd_core_options options = {.threads = 1, .kernels = "scalar", .trust_plugins = true};
    rd_plugin_report report;
    rd_error err;

    if (rd_core_open(&options, &s->core, &err) == RD_OK &&
        rd_plugin_load(s->core, a->path, &report, &err) == RD_OK) {
        s->plugin = report.plugin;
        return true;
    }
    check_say(v, CHECK_FAIL, "%s", err.text);
    return false;
}

/* The names of what it brings, as "kind index name\n". */
static void list_things(const void *job, check_verdict *v)
{
    const struct asked *a = job;
    check_subject s = {.path = a->path};
    size_t used = 0;

    if (!open_plugin(a, &s, v)) return;
    for (size_t k = 1; check_kinds[k].word; k++)
        for (size_t i = 0; check_kinds[k].name(s.plugin, i) && used < sizeof v->text; i++)
            used += (size_t)snprintf(v->text + used, sizeof v->text - used, "%zu %zu %s\n", k, i,
                                     check_kinds[k].name(s.plugin, i));
    if (used >= sizeof v->text)
        check_say(v, CHECK_FAIL,
                  "%s brings more cells, layers and backends than can be checked at once: "
                  "part it into several files",
                  s.path);
}

static void run_rule(const void *job, check_verdict *v)
{
    const struct job *j = job;
    check_subject s = {.path = j->asked->path,
                       .lib_dir = j->asked->lib_dir,
                       .rule = j->rule,
                       .kind = j->kind,
                       .seconds = j->asked->seconds,
                       .thin = j->asked->thin,
                       .index = j->index};

    if (j->kind != check_kinds && !(j->rule->flags & CHECK_UNLOADED)) {
        if (!open_plugin(j->asked, &s, v)) return;
        s.name = j->kind->name(s.plugin, j->index);
    }
    j->rule->run(&s, v);
}

/* ---- the list of rules --------------------------------------------------------------------------- */

static bool is_asked(const struct asked *a, const check_rule *r)
{
    const bool for_double = (r->flags & CHECK_IN_DOUBLE) != 0;
    bool found = a->n_only == 0;

    if ((a->which == SINGLE && for_double) || (a->which == DOUBLE && !for_double)) return false;
    for (size_t i = 0; i < a->n_only; i++) found = found || strcmp(a->only[i], r->number) == 0;
    return found;
}

static bool has_failed(const check_verdict *v)
{
    return v->status == CHECK_FAIL || v->status == CHECK_CRASH || v->status == CHECK_TIMEOUT;
}

static void print(const struct job *j, const char *name, const check_verdict *v)
{
    static const char *const words[] = {"pass", "fail", "warn", "skip", "crash", "timeout"};

    printf("%s\t%s\t%s\t%s\t%s\t%s\n", words[v->status], j->rule->number, j->kind->word, name,
           j->rule->says, v->text);
    (void)fflush(stdout);
}

/* Returns whether a rule failed. */
static bool run_rules(const struct asked *a, size_t kind, size_t index, const char *name)
{
    struct job j = {.asked = a, .kind = &check_kinds[kind], .index = index};
    const char *slash = strrchr(a->file, '/'), *base = slash ? slash + 1 : a->file;
    bool failed = false;
    int hung = 0;

    for (j.rule = j.kind->rules; j.rule->number; j.rule++) {
        check_verdict v = {0};
        if (!is_asked(a, j.rule)) continue;
        if (j.rule->flags & CHECK_IN_DOUBLE && !in_double())
            check_say(&v, CHECK_SKIP,
                      "it needs double: the source, `rondo check %.*s.c`, or --double FILE.so",
                      (int)strcspn(base, "."), base);
        else if (hung >= PATIENCE)
            check_say(&v, CHECK_SKIP, "it hangs in other rules; --only %s tries this one",
                      j.rule->number);
        else
            (void)child_run(run_rule, &j, a->seconds, &v);
        hung += v.status == CHECK_TIMEOUT;
        print(&j, name, &v);
        failed = failed || has_failed(&v);
    }
    return failed;
}

/* What a plugin that loads brings. One that does not has been refused by a rule of the file, unless
 * these were not asked for. */
static bool run_things(const struct asked *a)
{
    static const char *const numbers[] = {"L0", "L1", "L2", "L3", "L4"};
    check_rule loading = {.number = "L4", .says = "the file can be loaded"};
    check_verdict list;
    bool failed = false;
    char name[80];
    size_t kind, index;

    (void)child_run(list_things, a, a->seconds, &list);
    if (list.status != CHECK_PASS) {
        const struct job j = {.kind = check_kinds, .rule = &loading};
        const char *refusal = strstr(list.text, " was refused, L");
        for (size_t i = 0; refusal && i < sizeof numbers / sizeof numbers[0]; i++)
            if (strncmp(refusal + strlen(" was refused, "), numbers[i], 2) == 0)
                loading.number = numbers[i];
        const bool too_many = list.status == CHECK_FAIL && !refusal;
        if (a->n_only > 0 || a->which == DOUBLE || too_many) print(&j, a->file, &list);
        return true;
    }
    for (const char *at = list.text; sscanf(at, "%zu %zu %79s", &kind, &index, name) == 3;) {
        failed = run_rules(a, kind, index, name) || failed;
        at += strcspn(at, "\n");
        at += *at == '\n';
    }
    return failed;
}

/* ---- the command line ---------------------------------------------------------------------------- */

static int usage(const char *why)
{
    (void)fprintf(stderr, "%s\n", why);
    return USAGE;
}

/* Is every number that was asked for a rule's? Else the ones there are. */
static bool rules_exist(const struct asked *a)
{
    char known[200] = "";
    bool all = true;

    for (size_t i = 0; i < a->n_only; i++) {
        bool found = false;
        const char *last = "";
        known[0] = '\0';
        for (const check_kind *k = check_kinds; k->word; k++)
            for (const check_rule *r = k->rules; r->number; r++) {
                const size_t used = strlen(known);
                found = found || strcmp(r->number, a->only[i]) == 0;
                if (strcmp(r->number, last) != 0)
                    (void)snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "",
                                   r->number);
                last = r->number;
            }
        if (!found)
            (void)fprintf(stderr, "rondo: check: there is no rule %s; there are %s\n", a->only[i],
                          known);
        all = all && found;
    }
    return all;
}

/* Takes one option with its value; NULL, or what is wrong with it. */
static const char *take(struct asked *a, const char *option, const char *value)
{
    static const char *const which[] = {"all", "single", "double"};
    char *end;

    if (!value) return "an option without its value";
    if (strcmp(option, "--lib-dir") == 0) {
        a->lib_dir = value;
    } else if (strcmp(option, "--only") == 0) {
        if (a->n_only == MAX_ONLY) return "--only: too often";
        a->only[a->n_only++] = value;
    } else if (strcmp(option, "--time-limit") == 0) {
        a->seconds = strtod(value, &end);
        if (*end || !(a->seconds > 0)) return "--time-limit: a number of seconds";
    } else if (strcmp(option, "--thin") == 0) {
        a->thin = (uint32_t)strtoul(value, &end, 10);
        if (*end || a->thin < 1 || a->thin > 70) return "--thin: 1..70";
    } else if (strcmp(option, "--rules") == 0) {
        size_t i = 0;
        while (i < 3 && strcmp(which[i], value) != 0) i++;
        if (i == 3) return "--rules: all, single or double";
        a->which = (enum which)i;
    } else {
        return "an unknown option";
    }
    return NULL;
}

int main(int argc, char **argv)
{
    struct asked a = {.seconds = 20, .thin = 1};

    if (argc == 5 && strcmp(argv[1], "--on-this-processor") == 0) /* K1 runs it so */
        return kernel_cpu_main(argv[2], argv[3], argv[4]);
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--", 2) != 0) {
            if (a.file) return usage("one file at a time");
            a.file = argv[i];
            continue;
        }
        const char *why = take(&a, argv[i], i + 1 < argc ? argv[i + 1] : NULL);
        if (why) return usage(why);
        i++;
    }
    if (!rules_exist(&a)) return USAGE;
    if (!a.file) return usage("usage: check-f32 [option value]... FILE.so");
    if (!realpath(a.file, a.path) || access(a.path, R_OK) != 0) {
        perror(a.file);
        return UNREADABLE;
    }
    const bool failed = run_rules(&a, 0, 0, a.file);
    return run_things(&a) || failed ? FAILED : DONE;
}
