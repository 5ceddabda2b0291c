/* file_rules.c - rules L0 to L5: the file, before and while it is loaded.
 * SPDX-License-Identifier: MIT */
#include "check.h"
#include "child.h"
#include "elf_file.h"
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const double NESTED = 0.8; /* of the time that a rule has */

#define TEXT_OF(x) #x
#define ENTRY_OF(major) "rd_plugin_v" TEXT_OF(major)

/* ---- what the loader says ------------------------------------------------------------------------ */

/* In a child: loads the file; where it is refused the verdict is the reason, from the rule's number on.
 * */
static void load(const void *job, check_verdict *v)
{
    const check_subject *s = job;
    const rd_core_options options = {.threads = 1, .kernels = "scalar"};
    rd_core *core;
    rd_plugin_report report;
    rd_error err;

    if (rd_core_open(&options, &core, &err) != RD_OK) {
        check_say(v, CHECK_FAIL, "%s", err.text);
    } else if (rd_plugin_load(core, s->path, &report, &err) != RD_OK) {
        report = rd_plugin_at(core, rd_plugin_count(core) - 1);
        check_say(v, CHECK_FAIL, "%s", report.refusal ? report.refusal : err.text);
    }
}

/* The loader stops at the first rule that is broken; what it would look at later is not known then. A
 * file that cannot even be opened without a bad end runs code (L4). */
static void loader_agrees(const check_subject *s, check_verdict *v)
{
    static const char order[] = "L0 L1 L4 L2 L3";
    const char *mine = strstr(order, s->rule->number);
    check_verdict found;

    if (!child_run(load, s, NESTED * s->seconds, &found) || found.status == CHECK_PASS) return;
    const bool ended_badly = found.status != CHECK_FAIL;
    const char number[3] = {ended_badly ? 'L' : found.text[0], ended_badly ? '4' : found.text[1],
                            '\0'};
    const char *broken = strstr(order, number);
    if (ended_badly && mine == broken)
        check_say(v, CHECK_FAIL, "opening the file ends badly: %s", found.text);
    else if (!broken || broken == mine)
        check_say(v, CHECK_FAIL, "%s", found.text + (broken ? strlen("L0: ") : 0));
    else if (broken < mine || ended_badly)
        check_say(v, CHECK_SKIP, "the loader does not get past %s", number);
}

/* What compilers put into every shared object, and their probes of the processor. */
static bool is_the_compilers(const char *name)
{
    static const char *const names[] = {"frame_dummy",          "__do_global_dtors_aux",
                                        "__cpu_indicator_init", "init_cpu_features",
                                        "__init_cpu_features",  "init_have_lse_atomics"};
    static const char *const prefixes[] = {"asan.module_", "__asan_", "__odr_asan.", "__ubsan_",
                                           "_sub_I_",      "_sub_D_", "tsan.module_"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0) return true;
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0) return true;
    return false;
}

/* ---- L1: symbols --------------------------------------------------------------------------------- */

static void exports_one_symbol(const check_subject *s, check_verdict *v)
{
    elf_file f;
    char names[300] = "";
    size_t others = 0;

    if (!elf_open(&f, s->path)) {
        check_say(v, CHECK_SKIP, "the file cannot be read");
        return;
    }
    const elf_section symbols = elf_find(&f, SHT_DYNSYM, 0, sizeof(ElfW(Sym)));
    const ElfW(Sym) *symbol = symbols.at;
    for (size_t i = 0; symbol && i < symbols.n; i++) {
        const char *name = elf_symbol_name(&symbols, &symbol[i]);
        const bool local = symbol[i].st_info >> 4 == STB_LOCAL;
        const bool entry = strcmp(name, ENTRY_OF(RD_ABI_MAJOR)) == 0;
        if (local || entry || symbol[i].st_shndx == SHN_UNDEF || is_the_compilers(name)) continue;
        const size_t used = strlen(names);
        if (used < 200)
            (void)snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "", name);
        others++;
    }
    if (others > 0)
        check_say(v, CHECK_WARN,
                  "it also exports %zu more: %s; compile with -fvisibility=hidden or make them "
                  "static",
                  others, names);
    elf_close(&f);
}

/* ---- L4: code that runs by itself ---------------------------------------------------------------- */

/* Are functions chosen when the file is loaded, as RD_CLONES has it? */
static bool has_clones(const elf_file *f)
{
    for (size_t which = 0;; which++) {
        const elf_section moves = elf_find(f, SHT_RELA, which, sizeof(ElfW(Rela)));
        const ElfW(Rela) *move = moves.at;
        if (!move) return false;
        for (size_t i = 0; i < moves.n; i++) {
            const uint64_t type = ELF64_R_TYPE(move[i].r_info);
            if (type == R_X86_64_IRELATIVE || type == R_AARCH64_IRELATIVE) return true;
        }
    }
}

static void look_at_array(const elf_file *f, uint32_t type, const char *when, check_verdict *v)
{
    const size_t usual =
        1 + has_clones(f); /* frame_dummy, and the processor's probe, if names are gone */
    const elf_section array = elf_find(f, type, 0, sizeof(ElfW(Addr)));
    const bool has_names = elf_find(f, SHT_SYMTAB, 0, sizeof(ElfW(Sym))).n > 0;

    for (size_t i = 0; array.at && i < array.n; i++) {
        const char *name = elf_name_at(f, elf_pointer(f, &array, i));
        if (name && !is_the_compilers(name))
            check_say(v, CHECK_FAIL,
                      "%s() runs when the file is %s: nothing of a plugin may (a constructor or "
                      "destructor, or a C++ object with one)",
                      name, when);
    }
    if (!has_names && array.n > usual)
        check_say(v, CHECK_WARN,
                  "%zu functions run when the file is %s, and their names are stripped: check it "
                  "before it is",
                  array.n, when);
}

static void runs_nothing(const check_subject *s, check_verdict *v)
{
    elf_file f;

    if (!elf_open(&f, s->path)) {
        check_say(v, CHECK_SKIP, "the file cannot be read");
        return;
    }
    look_at_array(&f, SHT_PREINIT_ARRAY, "loaded", v);
    look_at_array(&f, SHT_INIT_ARRAY, "loaded", v);
    look_at_array(&f, SHT_FINI_ARRAY, "closed, at the end of a program", v);
    elf_close(&f);
}

/* ---- L5 ------------------------------------------------------------------------------------------ */

static void time_loading(const void *job, check_verdict *v)
{
    struct timespec from, to;

    clock_gettime(CLOCK_MONOTONIC, &from);
    load(job, v);
    clock_gettime(CLOCK_MONOTONIC, &to);
    if (v->status == CHECK_PASS)
        (void)snprintf(v->text, sizeof v->text, "%.3f",
                       1e3 * (double)(to.tv_sec - from.tv_sec) +
                           1e-6 * (double)(to.tv_nsec - from.tv_nsec));
}

/* The shortest of three times, since other programs run too. */
static void loads_quickly(const check_subject *s, check_verdict *v)
{
    enum { TRIES = 3, MOST_MS = 50 };
    double best = 1e9;

    for (int i = 0; i < TRIES && best > MOST_MS; i++) {
        check_verdict found;
        double ms;
        if (!child_run(time_loading, s, NESTED / TRIES * s->seconds, &found) ||
            found.status != CHECK_PASS) {
            check_say(v, CHECK_SKIP, "it is not loaded");
            return;
        }
        if (sscanf(found.text, "%lf", &ms) == 1 && ms < best) best = ms;
    }
    if (best > MOST_MS && best < 1e9)
        check_say(v, CHECK_WARN, "loading takes %.0f ms, and every start of Rondo waits for it",
                  best);
}

const check_rule check_file_rules[] = {
    {"L0", "the file is whole, for this machine, and nobody else may write to it",
     .run = loader_agrees},
    {"L1", "the entry symbol is there", .run = loader_agrees},
    {"L1", "nothing else is exported", .run = exports_one_symbol},
    {"L2", "the stamp fits this Rondo", .run = loader_agrees},
    {"L3", "the records are complete", .run = loader_agrees},
    {"L4", "no code runs by itself when the file is loaded or closed", .run = runs_nothing},
    {"L4", "loading leaves the floating-point environment alone", .run = loader_agrees},
    {"L5", "loading takes less than 50 ms", .run = loads_quickly},
    {0},
};
