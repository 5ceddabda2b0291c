/* simd_body.h - matrix products over one kind of vector register; included once by each backend's gemm.c.
 *
 * The includer defines
 *   vec, vmask         the registers and what tells the lanes of a partial one
 *   VL                 numbers in a vec
 *   V_ZERO V_LOAD V_STORE V_SET V_FMA V_MASK V_LOAD_MASK V_STORE_MASK
 *   V_LANE             x with the 16 bytes at p in its lane i; i = 0 sets all of it
 *   V_ZIP_LOW V_ZIP_HIGH   pairs of the lower or upper halves, in each lane of 16 bytes by itself
 *   GROUP              terms that are transposed together: a register for each
 *   NV_1 NV_3 NV_6     vectors in a tile of 1, 2..3 and 4..6 rows: as many sums as hide an fma's latency
 *   PAIRS              1: there are registers for the sums of one row in two panels
 *
 * Rule 3: every sum is one chain in one register lane, so lanes, tiles and rows change nothing. A tile is
 * up to 6 rows by NV vectors; A is broadcast from where it lies, whatever its strides. B comes in panels of
 * 64 columns: packed ([k][64], zeros to where tiles read), or where it lies, with masks at its edge, or,
 * where it is transposed or used by many rows, copied K_BLOCK rows at a time to the stack. Between blocks
 * the sums wait in C.
 * SPDX-License-Identifier: MIT */
#include "one_row_body.h"
#include "transpose_body.h"

enum { MR = 6, LINE_BYTES = LINE * sizeof(rd_real), PANEL_BYTES = PANEL * sizeof(rd_real) };
/* A block of a panel takes 32 KiB, two thirds of a first-level cache; four rows of tiles repay a copy. */
enum { K_BLOCK = 512 / sizeof(rd_real), COPY_FROM_ROWS = 4 * MR, FEW_BLOCK = K_BLOCK / 4 };
/* Columns of A are copied so many at a time, for a second-level cache: rows of a sequence lie a power of two
 * apart, where a cache has one place for all of them. */
enum { COPIED = 192, TILE_SLACK = VL, COPIED_TERMS = 512 / sizeof(rd_real) };
enum { B_COPY = K_BLOCK * PANEL, A_COPY = (COPIED_TERMS * MR + TILE_SLACK) * (COPIED / MR) };
/* Rows whose sums stay in a first-level cache while a panel is read, and operands that exceed a second. */
enum { KEPT_ROWS = 72, FAR = (384 << 10) / sizeof(rd_real) };
/* How far ahead to ask for columns of A (a cache line per term: 81 -> 90 % of peak in weight gradients) and
 * for rows of B to copy (75 -> 80 %). The processor's own prefetch does not cross pages. */
enum { TERMS_AHEAD = 8, ROWS_AHEAD = 24, ROWS_TO_COPY_AHEAD = 8 };

/* rows x width sums over n terms; a_k and b_k step to the next term, backwards where k descends. */
typedef struct tile {
    const rd_real *a, *b;
    rd_real *c;
    ptrdiff_t a_k, b_k;
    size_t a_row, c_row, n;
    size_t width;          /* columns of C from c on; more than a tile has is fine */
    const rd_real *c_next; /* the next tile's sums */
    uintptr_t b_next; /* where operands are far: the address of what later tiles will read, a cache
                            * line for each term; it may run past the end. Else 0 */
    bool from_zero;
    bool narrow_b; /* B has no numbers beyond width */
} tile;

RD_INLINE size_t lanes_left(size_t width, size_t j)
{
    return width > j * VL ? width - j * VL : 0;
}
RD_INLINE void load_sums(const size_t mr, const size_t nv, const tile *t, vec s[MR][8])
{
    if (t->from_zero) {
        UNROLLED
        for (size_t i = 0; i < mr; i++) UNROLLED
        for (size_t j = 0; j < nv; j++) s[i][j] = V_ZERO();
    } else if (t->width >= nv * VL) {
        UNROLLED
        for (size_t i = 0; i < mr; i++) UNROLLED
        for (size_t j = 0; j < nv; j++) s[i][j] = V_LOAD(t->c + i * t->c_row + j * VL);
    } else {
        UNROLLED
        for (size_t i = 0; i < mr; i++) UNROLLED
        for (size_t j = 0; j < nv; j++)
            s[i][j] = V_LOAD_MASK(t->c + i * t->c_row + j * VL, V_MASK(lanes_left(t->width, j)));
    }
}
RD_INLINE void store_sums(const size_t mr, const size_t nv, const tile *t, vec s[MR][8])
{
    if (t->width >= nv * VL) {
        UNROLLED
        for (size_t i = 0; i < mr; i++) UNROLLED
        for (size_t j = 0; j < nv; j++) V_STORE(t->c + i * t->c_row + j * VL, s[i][j]);
    } else {
        UNROLLED
        for (size_t i = 0; i < mr; i++) UNROLLED
        for (size_t j = 0; j < nv; j++)
            V_STORE_MASK(t->c + i * t->c_row + j * VL, V_MASK(lanes_left(t->width, j)), s[i][j]);
    }
}
/* The loop that everything is about: mr x nv chains, one term each. */
RD_INLINE void run(const size_t mr, const size_t nv, const bool narrow, const bool far,
                   const tile *t)
{
    vec s[MR][8], w[8];
    vmask mask[8];
    const rd_real *a = t->a, *b = t->b;
    const size_t row = t->a_row;

    UNROLLED
    for (size_t j = 0; j < nv; j++) mask[j] = V_MASK(lanes_left(t->width, j));
    load_sums(mr, nv, t, s);
    if (far) {
        UNROLLED
        for (size_t i = 0; i < mr; i++) UNROLLED
        for (size_t j = 0; j < nv; j++) prefetch(t->c_next, (ptrdiff_t)(i * t->c_row + j * VL));
    }
    uintptr_t next = t->b_next;
    for (size_t k = t->n; k > 0; k--, a += t->a_k, b += t->b_k) {
        prefetch(a, TERMS_AHEAD * t->a_k);
        if (far) {
            __builtin_prefetch((const void *)next, 0, 2);
            next += LINE_BYTES;
        }
        UNROLLED
        for (size_t j = 0; j < nv; j++)
            w[j] = narrow ? V_LOAD_MASK(b + j * VL, mask[j]) : V_LOAD(b + j * VL);
        UNROLLED
        for (size_t i = 0; i < mr; i++) {
            const vec x = V_SET(a[i * row]);
            UNROLLED
            for (size_t j = 0; j < nv; j++) s[i][j] = V_FMA(x, w[j], s[i][j]);
        }
    }
    store_sums(mr, nv, t, s);
}
/* No more vectors than the tile's width fills, 65 columns = 64 + 1. */
RD_INLINE void run_width(const size_t mr, const size_t nv, const tile *t)
{
    if (t->narrow_b && t->width < nv * VL)
        run(mr, nv, true, false, t);
    else if (nv > 1 && t->width <= VL)
        run(mr, 1, false, false, t);
    else if (nv > 2 && t->width <= 2 * VL)
        run(mr, 2, false, false, t);
    else if (mr > 3 && t->b_next)
        run(mr, nv, false, true, t);
    else
        run(mr, nv, false, false, t);
}
/* A tile of mr rows. A narrow one of 8 vectors is taken in two: 8 masks leave no registers
 * for the sums. */
RD_INLINE void run_rows(const size_t mr, const size_t nv, const tile *t)
{
    enum { HALF = 4 };

    if (nv <= HALF || !t->narrow_b || t->width >= nv * VL) {
        run_width(mr, nv, t);
        return;
    }
    tile rest = *t;
    run_width(mr, HALF, t);
    if (t->width <= HALF * VL) return;
    rest.b += HALF * VL;
    rest.c += HALF * VL;
    rest.width -= HALF * VL;
    run_width(mr, HALF, &rest);
}
static void run_tile(size_t rows, const tile *t)
{
    switch (rows) {
    case 1:
        run_rows(1, NV_1, t);
        break;
    case 2:
        run_rows(2, NV_3, t);
        break;
    case 3:
        run_rows(3, NV_3, t);
        break;
    case 4:
        run_rows(4, NV_6, t);
        break;
    case 5:
        run_rows(5, NV_6, t);
        break;
    case 6:
        run_rows(6, NV_6, t);
        break;
    }
}

/* One block of terms of op(A)'s rows [i0, i0 + m) and op(B)'s columns [j0, j0 + 64): where the first term
 * lies, and how far the next one is. */
typedef struct block {
    const rd_real *a, *b;
    size_t a_k, a_row, b_k;
    size_t a_tile; /* numbers from a tile's rows to the next one's; 0: they lie a_row apart */
    size_t n, i0, m, j0;
    uintptr_t next; /* address of the block that will be read after this one; 0: it is in cache */
    bool first, narrow;
} block;

/* Rows of a tile that begins at i, where m go in even ones: 25 = 5 x 5, not 4 x 6 + 1. */
RD_INLINE size_t tile_rows(size_t m, size_t i)
{
    const size_t tiles = (m - i + MR - 1) / MR;
    return (m - i + tiles - 1) / tiles;
}
/* C's columns of one panel gain the block's terms. */
static void panel_terms(const rd_gemm *g, const block *w)
{
    const bool down = g->flags & RD_K_DOWN;
    const size_t start = down && w->n > 0 ? w->n - 1 : 0;
    const size_t width = g->n - w->j0 < PANEL ? g->n - w->j0 : PANEL;
    rd_real *c = g->c + w->i0 * g->ldc + w->j0;
    uintptr_t next = w->next;
    tile t = {.n = w->n, .a_row = w->a_row, .c_row = g->ldc};

    t.a_k = down ? -(ptrdiff_t)w->a_k : (ptrdiff_t)w->a_k;
    t.b_k = down ? -(ptrdiff_t)w->b_k : (ptrdiff_t)w->b_k;
    t.from_zero = w->first && !(g->flags & RD_ACCUMULATE);
    t.narrow_b = w->narrow;
    for (size_t i = 0, n_tiles = 0; i < w->m; n_tiles++) {
        const size_t rows = tile_rows(w->m, i);
        const size_t columns = (rows == 1 ? NV_1 : rows <= 3 ? NV_3 : NV_6) * VL;
        if (w->n > 0) t.a = w->a + (w->a_tile ? n_tiles * w->a_tile : i * t.a_row) + start * w->a_k;
        for (size_t j = 0; j < width; j += columns) {
            if (w->n > 0) t.b = w->b + start * w->b_k + j;
            t.c = c + i * g->ldc + j;
            t.c_next = j + columns < width ? t.c + columns
                       : i + rows < w->m   ? c + (i + rows) * g->ldc
                                           : t.c;
            t.b_next = next;
            if (next && (next += w->n * LINE_BYTES) == w->next + w->n * PANEL_BYTES) next = 0;
            t.width = width - j;
            run_tile(rows, &t);
        }
        i += rows;
    }
}

/* ---- panels ------------------------------------------------------------------------------------- */

static void copy_row(const rd_real *from, size_t width, rd_real *to)
{
    UNROLLED
    for (size_t j = 0; j < PANEL / VL; j++) {
        const size_t left = lanes_left(width, j);
        V_STORE(to + j * VL,
                left >= VL ? V_LOAD(from + j * VL) : V_LOAD_MASK(from + j * VL, V_MASK(left)));
    }
}

/* Terms [k0, k0 + n) of op(B)'s columns [j0, j0 + 64), zeros to where a tile reads. */
static void copy_panel(const rd_gemm *g, size_t k0, size_t n, size_t j0, rd_real *to)
{
    const size_t width = g->n - j0 < PANEL ? g->n - j0 : PANEL;

    if (g->flags & RD_TRANS_B) {
        copy_transposed(g->b + j0 * g->ldb + k0, g->ldb, n, width, to);
        return;
    }
    const rd_real *from = g->b + k0 * g->ldb + j0;
    for (size_t k = 0; k < n; k++, from += g->ldb, to += PANEL) {
        for (size_t j = 0; j < PANEL; j += 64 / sizeof(rd_real))
            prefetch(from, (ptrdiff_t)(ROWS_AHEAD * g->ldb + j));
        copy_row(from, width, to);
    }
}

size_t simd_pack_bytes(size_t k, size_t n)
{
    return (n + PANEL - 1) / PANEL * PANEL * k * sizeof(rd_real);
}
void simd_pack(const rd_gemm *g, void *to, size_t first, size_t last)
{
    for (size_t p = first; p < last; p++)
        copy_panel(g, 0, g->k, p * PANEL, (rd_real *)to + p * PANEL * g->k);
}

/* The m columns of n rows at from, for the tiles that will read them: to[tile][n][MR], TILE_SLACK numbers
 * between tiles, where stores of whole registers may end. */
static void copy_columns(const rd_real *from, size_t ld, size_t n, size_t m, rd_real *to)
{
    size_t first[COPIED], tiles = 0;
    for (size_t i = 0; i < m; i += tile_rows(m, i)) first[tiles++] = i;
    for (size_t k = 0; k < n; k++, from += ld, to += MR) {
        rd_real *at = to;
        for (size_t i = 0; i < m; i += LINE)
            prefetch(from, (ptrdiff_t)(ROWS_TO_COPY_AHEAD * ld + i));
        for (size_t q = 0; q < tiles; q++, at += n * MR + TILE_SLACK) UNROLLED
        for (size_t j = 0; j < MR; j += VL) {
            const size_t left = m - first[q] > j ? m - first[q] - j : 0;
            V_STORE(at + j, left >= VL ? V_LOAD(from + first[q] + j)
                                       : V_LOAD_MASK(from + first[q] + j, V_MASK(left)));
        }
    }
}

/* Asks for a share, one panel's, of the columns that will be copied next. */
static void ask_for_columns(const rd_gemm *g, const block *w, size_t done)
{
    size_t i0 = w->i0;
    if (done == g->k) done = 0, i0 += w->m;
    if (i0 >= g->m) return;
    const size_t n = g->k - done < COPIED_TERMS ? g->k - done : COPIED_TERMS;
    const size_t k0 = g->flags & RD_K_DOWN ? g->k - done - n : done;
    const size_t panels = (g->n + PANEL - 1) / PANEL, panel = w->j0 / PANEL;
    for (size_t k = panel * n / panels; k < (panel + 1) * n / panels; k++)
        for (size_t i = 0; i < COPIED; i += LINE)
            prefetch(g->a + (k0 + k) * g->lda + i0, (ptrdiff_t)i);
}

/* How a product is cut: rows in stretches whose sums stay in cache, and in each blocks of terms. */
typedef struct plan {
    size_t rows, columns, terms;
    bool copy_a, copy_b, far;
} plan;

static plan plan_of(const rd_gemm *g)
{
    plan p = {.rows = g->m, .columns = g->n, .terms = K_BLOCK};
    p.copy_b = !g->packed_b && (g->flags & RD_TRANS_B || g->m > COPY_FROM_ROWS);
    p.copy_a = g->packed_b && g->flags & RD_TRANS_A && g->m > MR;
    p.far = g->packed_b && (g->k > FAR / g->n || g->m > FAR / g->n);
    if (!p.copy_b && g->m <= MR && (g->m <= 3 || NV_6 * VL == PANEL))
        p.terms = g->k; /* one row of tiles uses B once */
    else if (!p.copy_b && !g->packed_b && NV_6 * VL < PANEL)
        p.terms =
            FEW_BLOCK; /* the next tile of a panel is to find B in cache, which its stride may hinder */
    if (p.copy_a) {
        p.rows = COPIED;
        p.terms = COPIED_TERMS;
    } else if (g->packed_b && g->k > p.terms && !(g->flags & RD_K_DOWN)) {
        p.rows = KEPT_ROWS;
        p.columns = PANEL;
    }
    return p;
}

void simd_gemm(const rd_gemm *g)
{
    /* of a panel of B or of columns of A, never of both */
    rd_real copy[A_COPY > B_COPY ? A_COPY : B_COPY] __attribute__((aligned(64)));
    const bool trans_a = g->flags & RD_TRANS_A;
    const rd_real *packed = g->packed_b;
    if (g->m == 0 || g->n == 0) return;
    if (PAIRS && g->m == 1 && packed && g->k > IN_MEMORY / g->n && !(g->flags & RD_K_DOWN)) {
        const rd_gemm rest = in_pairs(g);
        if (rest.n > 0) simd_gemm(&rest);
        return;
    }
    if (g->flags & RD_TRANS_B && !packed && !(g->flags & RD_K_DOWN) && g->m <= 3 && g->n >= VL) {
        few_transposed(g);
        return;
    }
    const plan p = plan_of(g);
    block w = {.a_row = trans_a ? 1 : g->lda, .b_k = packed || p.copy_b ? PANEL : g->ldb};
    w.narrow = !packed && !p.copy_b;
    for (w.i0 = 0; w.i0 < g->m; w.i0 += w.m) {
        w.m = g->m - w.i0 < p.rows ? g->m - w.i0 : p.rows;
        w.a_k = p.copy_a ? MR : trans_a ? g->lda : 1;
        for (size_t from = 0; from < g->n; from += p.columns) {
            size_t done = 0;
            const size_t to = g->n - from < p.columns ? g->n : from + p.columns;
            do {
                w.first = done == 0;
                w.n = g->k - done < p.terms ? g->k - done : p.terms;
                const size_t k0 = g->flags & RD_K_DOWN ? g->k - done - w.n : done;
                if (w.n > 0) w.a = trans_a ? g->a + k0 * g->lda + w.i0 : g->a + w.i0 * g->lda + k0;
                if (p.copy_a) {
                    copy_columns(w.a, g->lda, w.n, w.m, copy);
                    w.a = copy;
                    w.a_tile = w.n * MR + TILE_SLACK;
                }
                for (w.j0 = from; w.j0 < to; w.j0 += PANEL) {
                    if (p.copy_b) copy_panel(g, k0, w.n, w.j0, copy);
                    w.b = p.copy_b || w.n == 0 ? copy
                          : packed             ? packed + w.j0 * g->k + k0 * PANEL
                                               : g->b + k0 * g->ldb + w.j0;
                    const size_t ahead = p.columns == PANEL    ? w.n * PANEL
                                         : w.j0 + PANEL < g->n ? PANEL * g->k
                                                               : 0;
                    w.next = p.far ? (uintptr_t)w.b + ahead * sizeof(rd_real) : 0;
                    panel_terms(g, &w);
                    if (p.copy_a) ask_for_columns(g, &w, done + w.n);
                }
                done += w.n;
            } while (done < g->k);
        }
    }
}

/* Twelve chains hide the latency. They begin differently, or the compiler would run one for all. */
double simd_multiply_adds(size_t rounds)
{
    enum { GROUPS = 2, IN_GROUP = 6 };
    vec s[GROUPS][IN_GROUP];
    const vec a = V_SET((rd_real)0.75), b = V_SET((rd_real)0.25);
    rd_real last[VL];

    UNROLLED
    for (size_t i = 0; i < GROUPS; i++) UNROLLED
    for (size_t j = 0; j < IN_GROUP; j++) s[i][j] = V_SET((rd_real)(i * IN_GROUP + j));
    for (size_t k = 0; k < rounds; k++) UNROLLED
    for (size_t i = 0; i < GROUPS; i++) UNROLLED
    for (size_t j = 0; j < IN_GROUP; j++) s[i][j] = V_FMA(s[i][j], a, b);
    UNROLLED
    for (size_t i = 0; i < GROUPS; i++) UNROLLED
    for (size_t j = 0; j < IN_GROUP; j++) s[0][0] = V_FMA(s[i][j], a, s[0][0]);
    V_STORE(last, s[0][0]);
    /* the comparison is false, but the compiler must find out */
    return 2.0 * VL * GROUPS * IN_GROUP * (double)rounds + (last[0] > (rd_real)1e30);
}
