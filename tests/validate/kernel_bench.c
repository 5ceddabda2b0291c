/* kernel_bench.c - see kernel_bench.h.
 * SPDX-License-Identifier: MIT */
#include "kernel_bench.h"

#include "kernel_reference.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PANEL = 64, EDGE = 64 }; /* columns packed together; numbers compared beside a matrix */

/* ---- opening ------------------------------------------------------------------------------------ */

static rd_real quiet_nan(void)
{
    return (rd_real)NAN;
}
void kernel_bench_fill(kernel_bench *b, enum kernel_numbers kind, uint32_t edge)
{
    b->kind = kind;
    b->edge = edge;
    for (int which = 0; which < 3; which++)
        kernel_numbers_fill(b->numbers + (size_t)which * b->most, b->most,
                            (kernel_numbers_of){kind, edge, which});
}

bool kernel_bench_open(kernel_bench *b, const rd_kernels *kernels, size_t most, char *why,
                       size_t cap)
{
    const size_t bytes = most * sizeof(rd_real);

    *b = (kernel_bench){.kernels = kernels, .why = why, .cap = cap, .most = most};
    b->numbers = malloc(3 * bytes);
    b->kept_a = malloc(bytes);
    b->kept_b = malloc(bytes);
    b->want = malloc(bytes);
    b->a = (kernel_zone){.name = "a", .bytes = bytes};
    b->b = (kernel_zone){.name = "b", .bytes = bytes};
    b->c = (kernel_zone){.name = "c", .bytes = bytes};
    b->packed = (kernel_zone){.name = "packed b", .bytes = 2 * bytes};
    if (!b->numbers || !b->kept_a || !b->kept_b || !b->want ||
        !kernel_guard_open((kernel_zone *const[]){&b->a, &b->b, &b->c, &b->packed, NULL})) {
        snprintf(why, cap, "out of memory");
        kernel_bench_close(b);
        return false;
    }
    kernel_bench_fill(b, KERNEL_MIXED, 0);
    return true;
}
void kernel_bench_close(kernel_bench *b)
{
    kernel_guard_close();
    free(b->numbers);
    free(b->kept_a);
    free(b->kept_b);
    free(b->want);
    *b = (kernel_bench){0};
}

/* ---- a product laid out ---------------------------------------------------------------------------- */

static size_t extent(size_t rows, size_t cols, size_t row)
{
    return rows > 0 && cols > 0 ? (rows - 1) * row + cols : 0;
}
static rd_real *place(const kernel_zone *z, size_t n, bool at_end)
{
    return at_end ? (rd_real *)(void *)z->end - n : (rd_real *)(void *)z->begin;
}
/* A matrix to be read, with NaN between its rows, and a copy of it. */
static const rd_real *lay_input(const kernel_zone *z, const rd_real *numbers, rd_real *kept,
                                const size_t size[3], bool at_end)
{
    const size_t rows = size[0], cols = size[1], row = size[2], n = extent(rows, cols, row);
    rd_real *at = place(z, n, at_end);
    for (size_t i = 0; i < n; i += row) {
        memcpy(at + i, numbers + i, cols * sizeof *at);
        for (size_t j = cols; j < row && i + j < n; j++) at[i + j] = quiet_nan();
    }
    memcpy(kept, at, n * sizeof *at);
    return at;
}

rd_gemm kernel_bench_lay(kernel_bench *b, const kernel_product *p)
{
    const bool ta = p->flags & RD_TRANS_A, tb = p->flags & RD_TRANS_B;
    const size_t a[3] = {ta ? p->k : p->m, ta ? p->m : p->k, (ta ? p->m : p->k) + p->pad};
    const size_t second[3] = {tb ? p->n : p->k, tb ? p->k : p->n, (tb ? p->k : p->n) + 2 * p->pad};
    rd_gemm g = {.size = sizeof g, .flags = p->flags, .m = p->m, .n = p->n, .k = p->k};

    g.lda = a[2], g.ldb = second[2], g.ldc = p->n + p->pad;
    g.a = lay_input(&b->a, b->numbers, b->kept_a, a, p->at_end);
    g.b = lay_input(&b->b, b->numbers + b->most, b->kept_b, second, p->at_end);
    g.c = place(&b->c, extent(p->m, p->n, g.ldc), p->at_end);
    return g;
}

/* What is compared of c: all of it, the numbers between its rows, and EDGE beside it. */
typedef struct region {
    rd_real *first;
    size_t n, begin; /* numbers; which of them is c's first */
    const rd_real *was;
} region;

static region region_of(const kernel_bench *b, const rd_gemm *g, bool at_end)
{
    const size_t n = extent(g->m, g->n, g->ldc);
    region r = {.first = at_end ? g->c - EDGE : g->c, .n = n + EDGE, .begin = at_end ? EDGE : 0};
    r.was = b->numbers + 2 * b->most;
    return r;
}
/* c and what is around it as it was; NaN in it where it must not be read. */
static void lay_c(const region *r, const rd_gemm *g, rd_real unread)
{
    memcpy(r->first, r->was, r->n * sizeof(rd_real));
    for (size_t i = 0; i < g->m && !(g->flags & RD_ACCUMULATE); i++)
        for (size_t j = 0; j < g->n; j++) g->c[i * g->ldc + j] = unread;
}

/* What pack_bytes() is asked for k: two bfloat16 take the place of one float, and so on (kernel.h). */
static size_t packed_terms(const rd_gemm *g)
{
    return g->flags & RD_BF16 ? (g->k + 1) / 2 : g->flags & RD_INT8 ? (g->k + 3) / 4 + 2 : g->k;
}
/* ---- sentences ----------------------------------------------------------------------------------- */

static void append(char text[128], bool there, const char *word)
{
    if (!there) return;
    const size_t n = strlen(text);
    snprintf(text + n, 128 - n, "%s%s", n ? ", " : " with ", word);
}
/* "product 33 x 17 x 257 with trans_b, accumulate" */
static void name_product(const rd_gemm *g, char *text, size_t cap)
{
    char with[128] = "", strides[96] = "";
    const size_t lda = g->flags & RD_TRANS_A ? g->m : g->k;

    append(with, g->flags & RD_TRANS_A, "trans_a");
    append(with, g->flags & RD_TRANS_B, "trans_b");
    append(with, g->flags & RD_ACCUMULATE, "accumulate");
    append(with, g->flags & RD_K_DOWN, "k_down");
    append(with, g->packed_b != NULL, "packed b");
    if (g->lda != lda)
        snprintf(strides, sizeof strides, " (lda %zu, ldb %zu, ldc %zu)", g->lda, g->ldb, g->ldc);
    snprintf(text, cap, "%sproduct %zu x %zu x %zu%s%s",
             g->flags & RD_BF16   ? "bf16 "
             : g->flags & RD_INT8 ? "int8 "
                                  : "",
             g->m, g->n, g->k, strides, with);
}
static bool say(const kernel_bench *b, const rd_gemm *g, const char *what)
{
    char name[256];
    name_product(g, name, sizeof name);
    snprintf(b->why, b->cap, "%s %s", name, what);
    return false;
}
/* An access outside is for KERNEL_RIGHT to tell; what there is to say of bits is unknown then. */
static bool say_outside(const kernel_bench *b, const rd_gemm *g, const char *function)
{
    const kernel_outside *at = kernel_guard_outside();
    char text[128];
    if (b->look == KERNEL_BITS) return true;
    snprintf(text, sizeof text, "makes %s() read or write %s %s", function,
             at->behind ? "behind" : "before", at->zone->name);
    return say(b, g, text);
}
static bool say_pack_bytes(const kernel_bench *b, const rd_gemm *g)
{
    char text[128];
    if (b->look == KERNEL_BITS) return true;
    snprintf(text, sizeof text, "makes pack() go beyond what pack_bytes(%zu, %zu) asks for",
             packed_terms(g), g->n);
    return say(b, g, text);
}

static bool same(rd_real x, rd_real y)
{
    return memcmp(&x, &y, sizeof x) == 0 || (isnan(x) && isnan(y));
}
static bool is_wrong(const rd_gemm *g, const size_t at[2], rd_real was, const rd_real value[2])
{
    if (isnan(value[0]) || isinf(value[0])) return false; /* KERNEL_ENDLESS: a matter of bits */
    const double off = fabs((double)value[1] - (double)value[0]);
    if (off <= (double)FLT_EPSILON / 8 * fabs((double)value[0]) * (sizeof was == 8 ? 1e-9 : 1))
        return false; /* nothing to look into */
    return !(off <= kernel_slack(g, at[0], at[1], g->flags & RD_ACCUMULATE ? was : 0));
}
static bool inputs_kept(kernel_bench *b, const kernel_product *p, const rd_gemm *g)
{
    const bool ta = p->flags & RD_TRANS_A, tb = p->flags & RD_TRANS_B;
    const size_t a = extent(ta ? p->k : p->m, ta ? p->m : p->k, g->lda);
    const size_t n = extent(tb ? p->n : p->k, tb ? p->k : p->n, g->ldb);
    if (b->look == KERNEL_BITS) return true;
    if (memcmp(g->a, b->kept_a, a * sizeof(rd_real)) != 0) return say(b, g, "writes to a");
    if (memcmp(g->b, b->kept_b, n * sizeof(rd_real)) != 0) return say(b, g, "writes to b");
    return true;
}

/* ---- products ------------------------------------------------------------------------------------ */

static void tell(const kernel_bench *b, const char *function, const rd_gemm *g)
{
    char name[256];
    if (!b->about) return;
    name_product(g, name, sizeof name);
    b->about("%s, %s", function, name);
}
static bool call_gemm(const kernel_bench *b, const rd_gemm *g)
{
    tell(b, "gemm", g);
    return kernel_guard_gemm(b->kernels, g);
}

/* By halves, the second first, as threads may; NaN where pack() forgets to write. NULL: said why, or a matter
 * of another look (then why is empty). */
static void *pack(kernel_bench *b, const rd_gemm *g)
{
    const size_t bytes = kernel_bench_pack_bytes(b, g, g->n);
    const size_t whole = (bytes + 63) / 64 * 64, panels = (g->n + PANEL - 1) / PANEL;
    char *to = b->packed.end - whole, text[96];

    b->why[0] = '\0';
    if (bytes > b->packed.bytes) {
        snprintf(text, sizeof text, "makes pack_bytes(%zu, %zu) ask for %zu bytes", packed_terms(g),
                 g->n, bytes);
        if (b->look == KERNEL_RIGHT) say(b, g, text);
        return NULL;
    }
    memset(to, 0xff, whole);
    tell(b, "pack", g);
    bool inside = kernel_guard_pack(b->kernels, g, to, (size_t[]){panels / 2, panels}) &&
                  kernel_guard_pack(b->kernels, g, to, (size_t[]){0, panels / 2});
    if (!inside && strcmp(kernel_guard_outside()->zone->name, "b") == 0) {
        say_outside(b, g, "pack");
        return NULL;
    }
    for (size_t i = bytes; i < whole; i++) inside = inside && (unsigned char)to[i] == 0xff;
    if (!inside) say_pack_bytes(b, g);
    return inside ? to : NULL;
}

/* Why there is NaN where c may not be read: it was read, or it is still there; NULL: neither. */
static const char *about_c(kernel_bench *b, const rd_gemm *g, const region *r, size_t i)
{
    const rd_real other = 3;

    lay_c(r, g, other);
    if (!call_gemm(b, g) || isnan(r->first[i])) return NULL;
    return r->first[i] == other ? "does not write all of c"
                                : "reads c, which is for accumulate alone";
}

/* What a product with the same flags, large enough to tell one from another, says of the usual mistakes. */
static const char *explain(kernel_bench *b, const rd_gemm *like)
{
    const kernel_product p = {.m = 5, .n = 33, .k = 61, .flags = like->flags};
    const rd_gemm before = *like;
    rd_gemm g = kernel_bench_lay(b, &p);
    const region r = region_of(b, &g, false);

    lay_c(&r, &g, 0);
    if (before.packed_b) g.packed_b = pack(b, &g);
    if ((before.packed_b && !g.packed_b) || !call_gemm(b, &g)) return "";
    return kernel_mistake(&g, r.was);
}
static void show(char text[40], rd_real x)
{
    if (isnan(x))
        snprintf(text, 40, "nan");
    else
        snprintf(text, 40, "%.*g", sizeof x == sizeof(double) ? 17 : 9, (double)x);
}

/* Numbers i of the region differ: is it a matter of this look? */
static bool compare_number(kernel_bench *b, const rd_gemm *g, const region *r, size_t i)
{
    const size_t from_c = i - r->begin, row = g->ldc ? from_c / g->ldc : 0;
    const size_t column = g->ldc ? from_c % g->ldc : 0;
    const rd_real want = b->want[i], got = r->first[i];
    char text[320], numbers[2][40];

    if (i < r->begin || row >= g->m || column >= g->n) {
        if (b->look == KERNEL_BITS) return true;
        if (i < r->begin)
            snprintf(text, sizeof text, "writes before c, %zu numbers", r->begin - i);
        else
            snprintf(text, sizeof text, "writes outside of c, at row %zu, column %zu", row, column);
        return say(b, g, text);
    }
    const bool wrong = is_wrong(g, (size_t[]){row, column}, r->was[i], (rd_real[]){want, got});
    if (wrong != (b->look == KERNEL_RIGHT)) return true;
    const char *about =
        wrong && isnan(got) && !(g->flags & RD_ACCUMULATE) ? about_c(b, g, r, i) : NULL;
    if (about) return say(b, g, about);
    show(numbers[0], got);
    show(numbers[1], want);
    snprintf(text, sizeof text, "%s at row %zu, column %zu: %s (scalar %s)%s",
             wrong ? "is wrong" : "differs from scalar", row, column, numbers[0], numbers[1],
             wrong ? "" : explain(b, g));
    return say(b, g, text);
}
static bool compare(kernel_bench *b, const rd_gemm *g, const region *r)
{
    if (memcmp(b->want, r->first, r->n * sizeof(rd_real)) == 0) return true;
    for (size_t i = 0; i < r->n; i++)
        if (!same(b->want[i], r->first[i]) && !compare_number(b, g, r, i)) return false;
    return true;
}

static bool no_memory(const kernel_bench *b)
{
    snprintf(b->why, b->cap, "out of memory");
    return false;
}

static bool try_product(kernel_bench *b, const kernel_product *p)
{
    rd_gemm g = kernel_bench_lay(b, p);
    const region r = region_of(b, &g, p->at_end);

    memcpy(b->want, r.was, r.n * sizeof(rd_real));
    if (!kernel_reference(&g, b->want + r.begin)) return no_memory(b);
    if (p->packed) {
        g.packed_b = pack(b, &g);
        if (!g.packed_b) return b->why[0] == '\0';
    }
    lay_c(&r, &g, quiet_nan());
    if (!call_gemm(b, &g)) return say_outside(b, &g, "gemm");
    return inputs_kept(b, p, &g) && compare(b, &g, &r);
}

/* Is the product right, with numbers that tell? */
static bool is_right(kernel_bench *b, const kernel_product *p)
{
    const enum kernel_numbers kind = b->kind;
    char why[8];
    kernel_bench as = *b;

    as.look = KERNEL_RIGHT;
    as.why = why, as.cap = sizeof why;
    if (kind != KERNEL_MIXED) kernel_bench_fill(&as, KERNEL_MIXED, 0);
    const bool ok = try_product(&as, p);
    if (kind != KERNEL_MIXED) kernel_bench_fill(b, kind, b->edge);
    return ok;
}

bool kernel_bench_product(kernel_bench *b, const kernel_product *p)
{
    return try_product(b, p) || (b->look == KERNEL_BITS && !is_right(b, p));
}

/* Called once for the first panel and once for the others. */
bool kernel_bench_cut(kernel_bench *b, const kernel_product *p)
{
    rd_gemm g = kernel_bench_lay(b, p);
    const region r = region_of(b, &g, p->at_end);

    memcpy(b->want, r.was, r.n * sizeof(rd_real));
    if (!kernel_reference(&g, b->want + r.begin)) return no_memory(b);
    g.packed_b = pack(b, &g);
    if (!g.packed_b) return b->why[0] == '\0';
    rd_gemm first = g, rest = g;
    first.n = PANEL;
    rest.n -= PANEL;
    rest.b += g.flags & RD_TRANS_B ? PANEL * g.ldb : PANEL;
    rest.c += PANEL;
    rest.packed_b = (const char *)g.packed_b + kernel_bench_pack_bytes(b, &g, PANEL);
    lay_c(&r, &g, quiet_nan());
    if (call_gemm(b, &first) && call_gemm(b, &rest) && compare(b, &g, &r)) return true;
    return say(b, &g,
               "is another where it is cut at a panel: panel p begins at p times what "
               "pack_bytes(k, 64) gives");
}

void kernel_bench_call(kernel_bench *b, const kernel_product *p)
{
    rd_gemm g = kernel_bench_lay(b, p);
    const region r = region_of(b, &g, p->at_end);

    lay_c(&r, &g, 0);
    if (p->packed) g.packed_b = pack(b, &g);
    if (!p->packed || g.packed_b) (void)call_gemm(b, &g);
}

size_t kernel_bench_pack_bytes(const kernel_bench *b, const rd_gemm *g, size_t n)
{
    return b->kernels->pack_bytes(packed_terms(g), n);
}
