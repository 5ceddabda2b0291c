/* kernel_hot.c - see kernel_hot.h. Products of all kinds, one after another, each under watch.
 * SPDX-License-Identifier: MIT */
#include "kernel_hot.h"
#include "check.h"
#include "image.h"
#include "kernel_bench.h"
#include <errno.h>
#include <fenv.h>
#include <float.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STACK = 256 << 10, GIVEN = 2 << 20, MOST = 140000, UNTOUCHED = 0xa5 };

/* One call: gemm, or pack where packed is not NULL and g->packed_b is. */
typedef struct call {
    const rd_kernels *kernels;
    rd_gemm g;
    void *packed;
} call;
typedef bool watch_fn(const call *c, void *user, char *why, size_t cap);

static const char *name_of(const call *c)
{
    return c->packed && !c->g.packed_b ? "pack" : "gemm";
}
static void make(const call *c)
{
    if (c->packed && !c->g.packed_b)
        c->kernels->pack(&c->g, c->packed, 0, (c->g.n + 63) / 64);
    else
        c->kernels->gemm(&c->g);
}

/* The product, packed and not, with its call of pack(). */
static bool watch_product(kernel_bench *b, const kernel_product *p, watch_fn *watch, void *user)
{
    call c = {.kernels = b->kernels, .g = kernel_bench_lay(b, p)};
    bool ok = true;

    if (kernel_bench_pack_bytes(b, &c.g, p->n) > b->packed.bytes) return true; /* K2's matter */
    memset(c.g.c, 0, ((p->m - 1) * c.g.ldc + p->n) * sizeof(rd_real));
    check_call_is("gemm or pack, %zu x %zu x %zu", p->m, p->n, p->k);
    if (!(p->flags & RD_INT8)) ok = watch(&c, user, b->why, b->cap);
    c.packed = b->packed.begin;
    ok = ok && watch(&c, user, b->why, b->cap);
    c.g.packed_b = c.packed;
    return ok && watch(&c, user, b->why, b->cap);
}

/* Few rows and many, all flags, blocks of terms, and the longest row of int8. */
static bool each_call(const kernel_case *k, watch_fn *watch, void *user, char *why, size_t cap)
{
    static const size_t shapes[][3] = {{1, 130, 300}, {3, 65, 70}, {50, 70, 515}, {100, 17, 40}};
    static const uint32_t precisions[][2] = {
        {0, 0}, {RD_BF16, RD_KERNELS_BF16}, {RD_INT8, RD_KERNELS_INT8}};
    kernel_bench b;
    bool ok = true;

    if (!kernel_bench_open(&b, k->kernels, MOST, why, cap)) return false;
    for (int t = 0; t < 3; t++)
        for (uint32_t i = 0; i < 4 * 16 && ok; i += k->thin > 1 ? 5 : 1) {
            kernel_product p = {.m = shapes[i / 16][0],
                                .n = shapes[i / 16][1],
                                .k = shapes[i / 16][2],
                                .flags = i % 16 | precisions[t][0]};
            if (precisions[t][1] && !(k->kernels->flags & precisions[t][1])) break;
            if (t == 2 && i % 16 / 4 * 4 != (i % 16 & RD_ACCUMULATE)) continue;
            if (t == 2) p.flags &= ~(uint32_t)RD_TRANS_A;
            if (t == 2 && i == 0) p.n = 3, p.k = RD_INT8_TERMS;
            ok = watch_product(&b, &p, watch, user);
        }
    kernel_bench_close(&b);
    return ok;
}

/* ---- calls and data ------------------------------------------------------------------------------ */

static bool calls_nobody(const call *c, void *user, char *why, size_t cap)
{
    image *m = user;

    (void)why, (void)cap;
    image_arm(m, name_of(c));
    make(c); /* what it calls ends the process with a verdict */
    image_disarm(m);
    return true;
}
static bool keeps_data(const call *c, void *user, char *why, size_t cap)
{
    image *m = user;
    char what[128];

    image_arm(m, NULL);
    make(c);
    image_disarm(m);
    if (!image_changed(m, what, sizeof what)) return true;
    snprintf(why, cap, "%s changes static data %s; threads call it at the same time", name_of(c),
             what);
    return false;
}
static bool watch_image(const kernel_case *c, watch_fn *watch, char *why, size_t cap)
{
    image m;

    if (!image_open(&m, c->kernels)) {
        snprintf(why, cap, "the plugin cannot be found in memory");
        return false;
    }
    if (watch == keeps_data && m.thread_local_data) {
        snprintf(why, cap, "the plugin has thread-local data, which are static to a thread");
        return false;
    }
    return each_call(c, watch, &m, why, cap);
}
bool kernel_calls_nobody(const kernel_case *c, char *why, size_t cap)
{
    return watch_image(c, calls_nobody, why, cap);
}
bool kernel_keeps_data(const kernel_case *c, char *why, size_t cap)
{
    return watch_image(c, keeps_data, why, cap);
}

/* ---- stack --------------------------------------------------------------------------------------- */

struct stack {
    unsigned char *lowest;
    const call *c;
    const char *from; /* where the thread's own frame is */
};

static void *on_stack(void *user)
{
    struct stack *s = user;
    char here = 0;

    s->from = &here;
    make(s->c);
    return NULL;
}
/* On a thread whose stack was painted. */
static bool stack_is_enough(const call *c, void *user, char *why, size_t cap)
{
    struct stack s = {.lowest = user, .c = c};
    pthread_attr_t attr;
    pthread_t thread;
    size_t untouched = 0;

    memset(s.lowest, UNTOUCHED, GIVEN);
    if (pthread_attr_init(&attr) != 0 || pthread_attr_setstack(&attr, s.lowest, GIVEN) != 0 ||
        pthread_create(&thread, &attr, on_stack, &s) != 0) {
        snprintf(why, cap, "there is no thread to run it on");
        return false;
    }
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attr);
    while (s.lowest[untouched] == UNTOUCHED) untouched++;
    const size_t used = (size_t)(s.from - (const char *)s.lowest) - untouched;
    if (used <= STACK) return true;
    snprintf(why, cap,
             "%s takes %zu KiB of the stack for a product %zu x %zu x %zu; %d are allowed",
             name_of(c), (used + 1023) / 1024, c->g.m, c->g.n, c->g.k, STACK >> 10);
    return false;
}
bool kernel_stack_is_enough(const kernel_case *c, char *why, size_t cap)
{
    void *memory = aligned_alloc(4096, GIVEN);
    const bool ok = memory && each_call(c, stack_is_enough, memory, why, cap);

    if (!memory) snprintf(why, cap, "out of memory");
    free(memory);
    return ok;
}

/* ---- environment --------------------------------------------------------------------------------- */

/* Rounding, denormal operands and results, traps, by what they do. */
static const char *what_is_other(void)
{
    volatile rd_real small =
        sizeof(rd_real) == sizeof(double) ? (rd_real)DBL_MIN : (rd_real)FLT_MIN;
    volatile rd_real half = small / 2, one = 1;

    if (fegetround() != FE_TONEAREST) return "the direction of rounding";
    if (half == 0 || half * one == 0) return "what becomes of denormal numbers (flush to zero)";
    if (fegetexcept() != 0) return "which exceptions trap";
    return errno ? "errno" : NULL;
}
static bool leaves_environment(const call *c, void *user, char *why, size_t cap)
{
    (void)user;
    errno = 0;
    make(c);
    const char *other = what_is_other();
    fesetenv(FE_DFL_ENV);
    if (other) snprintf(why, cap, "%s changes %s", name_of(c), other);
    return !other;
}
bool kernel_leaves_environment(const kernel_case *c, char *why, size_t cap)
{
    return each_call(c, leaves_environment, NULL, why, cap);
}
