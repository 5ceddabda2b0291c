/* kernel_cpu.c - see kernel_cpu.h. The program runs itself under qemu-x86_64 and says there what it is about
 * to call, a line each; an instruction that the processor has not ends it with SIGILL.
 * SPDX-License-Identifier: MIT */
#include "kernel_cpu.h"
#include "base/cpu.h"
#include "kernel_bench.h"
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define QEMU "qemu-x86_64"
enum { DONE = 0, REFUSED = 1, OTHER_CPU = 2, NO_QEMU = 127 };
enum { ONLY_AVX2 = RD_CPU_SSE2 | RD_CPU_AVX2 | RD_CPU_FMA };

/* ---- there ---------------------------------------------------------------------------------------- */

static void tell(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    (void)fflush(stdout);
}

/* Few of all kinds: emulation is slow. */
static void all_products(const rd_kernels *k)
{
    static const size_t shapes[][3] = {{1, 70, 9}, {7, 65, 6}, {30, 19, 5}, {13, 3, 70}};
    static const uint32_t precisions[][2] = {
        {0, 0}, {RD_BF16, RD_KERNELS_BF16}, {RD_INT8, RD_KERNELS_INT8}};
    char why[64];
    kernel_bench b;

    if (!kernel_bench_open(&b, k, 8000, why, sizeof why)) return;
    b.about = tell;
    for (uint32_t t = 0; t < 3; t++)
        for (uint32_t i = 0; i < 4 * 32; i++) {
            const bool packed = i / 16 % 2 || t == 2;
            const uint32_t flags = t == 2 ? i % 4 * 2 : i % 16;
            const size_t *shape = shapes[i / 32];
            if (precisions[t][1] && !(k->flags & precisions[t][1])) break;
            kernel_bench_call(&b, &(kernel_product){.m = shape[0],
                                                    .n = shape[1],
                                                    .k = shape[2],
                                                    .flags = flags | precisions[t][0],
                                                    .packed = packed});
        }
    kernel_bench_close(&b);
    if (k->multiply_adds) {
        tell("multiply_adds");
        (void)k->multiply_adds(1);
    }
}

int kernel_cpu_main(const char *what, const char *path, const char *name)
{
    const rd_core_options options = {.threads = 1, .kernels = "scalar", .trust_plugins = true};
    rd_core *core;
    rd_plugin_report report;
    rd_error err;
    size_t i = 0;

    tell("loading");
    if (rd_core_open(&options, &core, &err) != RD_OK ||
        rd_plugin_load(core, path, &report, &err) != RD_OK)
        return REFUSED;
    while (report.plugin->kernels[i] && strcmp(report.plugin->kernels[i]->name, name) != 0) i++;
    const rd_kernels *k = report.plugin->kernels[i];
    if (!k) return REFUSED;
    tell("score");
    (void)k->score(rd_core_cpu(core));
    if (strcmp(what, "products") != 0) return DONE;
    if (k->needs & ~rd_core_cpu(core)->features) return OTHER_CPU;
    all_products(k);
    return DONE;
}

/* ---- here ----------------------------------------------------------------------------------------- */

static void needs_text(uint64_t needs, char text[160])
{
    size_t n = 0;

    text[0] = '\0';
    for (uint64_t bit = 1; bit; bit <<= 1) {
        const char *name = needs & bit ? rdc_cpu_name(bit) : NULL;
        if (name && n < 140) n += (size_t)snprintf(text + n, 160 - n, "%s%s", n ? ", " : "", name);
    }
    if (!n) snprintf(text, 160, "nothing");
}

/* The last line that a program writes, and how it ended; -1: it could not be run. */
static int run(char *const argv[], char last[256])
{
    extern char **environ;
    posix_spawn_file_actions_t files;
    int to[2], status = -1;
    pid_t pid;
    char line[256];

    last[0] = '\0';
    if (pipe(to) != 0) return -1;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, to[1], STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addclose(&files, to[0]);
    const int failed = posix_spawnp(&pid, argv[0], &files, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&files);
    close(to[1]);
    FILE *in = fdopen(to[0], "r");
    while (in && fgets(line, sizeof line, in))
        snprintf(last, 256, "%.*s", (int)strcspn(line, "\n"), line);
    if (in) (void)fclose(in);
    return failed || waitpid(pid, &status, 0) < 0 ? -1 : status;
}

/* Runs `what` on a model of a processor, of which `has` is said in a sentence. */
static void emulate(const check_subject *s, const char *what, const char *model, const char *has,
                    check_verdict *v)
{
    char self[4096] = "", last[256];
    const ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    char *const argv[] = {(char *)QEMU,
                          (char *)"-cpu",
                          (char *)(uintptr_t)model,
                          self,
                          (char *)"--on-this-processor",
                          (char *)(uintptr_t)what,
                          (char *)(uintptr_t)s->path,
                          (char *)(uintptr_t)s->name,
                          NULL};

    if (n <= 0) return;
    const int status = run(argv, last);
    if (status == -1 || (WIFEXITED(status) && WEXITSTATUS(status) == NO_QEMU))
        check_say(v, CHECK_SKIP,
                  QEMU " is not here to emulate one (Debian: apt-get install qemu-user)");
    else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGILL)
        check_say(v, CHECK_FAIL, "%s uses an instruction that a processor with %s does not have",
                  last, has);
    else if (WIFSIGNALED(status))
        check_say(v, CHECK_FAIL, "%s ends with signal %d (%s) on a processor with %s", last,
                  WTERMSIG(status), strsignal(WTERMSIG(status)), has);
    else if (WEXITSTATUS(status) != DONE)
        check_say(v, CHECK_SKIP, QEMU " -cpu %s is not such a processor", model);
}

/* Needs that no model of qemu has, as "AVX-512"; NULL: there is one. */
static const char *not_emulated(uint64_t needs)
{
#if !defined(__x86_64__)
    (void)needs;
    return "processors of this kind";
#elif defined(RDC_GUARD)
    (void)needs;
    return "programs with sanitizers";
#else
    if (needs & RD_CPU_NEON) return "processors of another kind";
    if (needs & ~(uint64_t)ONLY_AVX2) return "AVX-512";
    return NULL;
#endif
}

void kernel_cpu_products(const check_subject *s, check_verdict *v)
{
    const rd_kernels *k = s->plugin->kernels[s->index];
    const char *other = not_emulated(k->needs);
    char model[64], has[160], text[200];

    if (k->flags & RD_KERNELS_INEXACT) {
        check_say(v, CHECK_SKIP,
                  "the backend says RD_KERNELS_INEXACT: a library of others chooses "
                  "its instructions by itself");
        return;
    }
    if (other) {
        check_say(v, CHECK_SKIP, QEMU " does not emulate %s", other);
        return;
    }
    needs_text(k->needs, has);
    snprintf(text, sizeof text, "no more than it needs (%s)", has);
    snprintf(model, sizeof model, "%s%s%s",
             k->needs & ONLY_AVX2 & ~RD_CPU_SSE2 ? "Haswell" : "qemu64",
             (k->needs & ONLY_AVX2) == (RD_CPU_FMA | (k->needs & RD_CPU_SSE2)) ? ",-avx2" : "",
             (k->needs & ONLY_AVX2) == (RD_CPU_AVX2 | (k->needs & RD_CPU_SSE2)) ? ",-fma" : "");
    emulate(s, "products", model, text, v);
}

void kernel_cpu_listing(const check_subject *s, check_verdict *v)
{
    const char *other = not_emulated(0);

    if (other)
        check_say(v, CHECK_SKIP, QEMU " does not emulate %s", other);
    else
        emulate(s, "listing", "qemu64", "neither AVX2 nor fused multiply-add", v);
}
