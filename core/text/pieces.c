/* pieces.c - lines or documents of a text as rows of batches.
 *
 * A unit of n symbols is n + 1 pairs (x, y): begin s1, s1 s2, ..., sn end. It is cut into pieces of `steps`
 * pairs; a piece but for the first begins with the symbol that was the last y of the one before.
 * Pieces of one pair are what a stream of units is read by, from any pair on.
 * Invariant: index[i] is where piece i * every begins: twice the place of the first symbol of its unit plus
 * 1, or twice the place of its first x. So a piece is found by reading fewer than `every` pieces, and costs a
 * byte of memory or less, whatever the length of the text.
 * SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "base/tensor.h"

#include "text/text.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Pieces, and pairs, between two entries of the index. Pairs: see text.c. */
enum { PIECE_STEP = 8, CHAR_PAIRS = 512, WORD_PAIRS = 128 };

struct rd_pieces {
    const rd_text *t;
    rd_vocab *v;
    rd_unit unit;
    uint32_t steps, every;
    const unsigned char *begin, *end;
    int32_t first, last; /* ids that begin and end a unit, or 0 */
    uint64_t n, units;
    uint64_t *index;
    size_t room; /* places of index */
};

/* Where a walk over the pieces stands: in front of a piece. */
typedef struct walk {
    rdc_reader r;
    bool begins; /* the piece begins a unit */
} walk;

typedef struct row { /* where the ids of a piece go */
    rd_real *x, *y;
    size_t stride_x, stride_y;
} row;

/* ---- units ---- */

/* The line at `at` is white space: where the next one begins, or the end. Else NULL. */
static const unsigned char *skip_blank_line(const unsigned char *at, const unsigned char *end)
{
    while (at < end && rdc_is_blank(*at)) at++;
    if (at == end) return end;
    return *at == '\n' ? at + 1 : NULL;
}

static const unsigned char *skip_blank_lines(const unsigned char *at, const unsigned char *end)
{
    while (at < end) {
        const unsigned char *next = skip_blank_line(at, end);
        if (!next) break;
        at = next;
    }
    return at;
}

/* Is there no further symbol of the unit in front of the reader? A line ends before its line feed, which
 * is its last y; a document behind that of its last line, and its last y is the blank line's. */
static bool at_unit_end(const rd_pieces *p, const rdc_reader *r)
{
    if (r->n_held > 0) return false;
    if (p->unit == RD_DOCUMENT)
        return r->at == r->end ||
               (r->at > p->begin && r->at[-1] == '\n' && skip_blank_line(r->at, r->end) != NULL);
    const unsigned char *at = r->at;
    while (p->v->how.level == RD_WORD && at < r->end && rdc_is_blank(*at)) at++;
    return at == r->end || *at == '\n';
}

/* Without what is behind the ids that are held: most of a reader, and nothing where there is none. */
static void copy_reader(rdc_reader *to, const rdc_reader *from)
{
    const size_t held = (from->next + from->n_held) * sizeof(from->held[0]);
    memcpy(to, from, offsetof(rdc_reader, held) + held);
}

/* Reads the piece in front, into `to` where that is given, and moves to the next. Returns how many pairs it
 * has; 0 behind the last. */
static uint32_t read_piece(const rd_pieces *p, walk *w, const row *to)
{
    rdc_reader *r = &w->r;
    int32_t x = p->first;
    if (w->begins) {
        r->at = skip_blank_lines(r->at, r->end);
        if (r->at == r->end) return 0;
    } else {
        x = rdc_read_id(r);
    }
    for (uint32_t i = 0; i < p->steps; i++) {
        const bool last = i + 1 == p->steps, end = at_unit_end(p, r);
        rdc_reader before;
        if (last) copy_reader(&before, r);
        const int32_t y = end ? p->last : rdc_read_id(r);
        if (to) {
            to->x[i * to->stride_x] = (rd_real)x;
            to->y[i * to->stride_y] = (rd_real)y;
        }
        x = y;
        w->begins = end;
        if (end) return i + 1;
        if (last)
            copy_reader(r,
                        &before); /* the last y is read again, as the first x of the next piece */
    }
    return p->steps;
}

static walk start_walk(const rd_pieces *p)
{
    return (walk){.r = {.v = p->v, .at = p->begin, .end = p->end}, .begins = true};
}

/* A walk in front of piece i < n. */
static walk find_piece(const rd_pieces *p, uint64_t i)
{
    const uint64_t entry = p->index[i / p->every];
    walk w = {.r = rdc_text_reader(p->t, p->v, entry / 2, p->end), .begins = entry % 2 == 1};
    for (uint64_t skip = i % p->every; skip > 0; skip--) (void)read_piece(p, &w, NULL);
    return w;
}

/* ---- setting up ---- */

static rd_status note_piece(rd_pieces *p, const walk *w, rd_error *err)
{
    const size_t i = (size_t)(p->n / p->every);
    if (i == p->room) {
        const size_t room = p->room ? 2 * p->room : 64;
        uint64_t *index = realloc(p->index, room * sizeof(*index));
        if (!index) return rdc_no_memory(err, room * sizeof(*index));
        p->index = index;
        p->room = room;
    }
    p->index[i] = 2 * rdc_text_place(p->t, &w->r) + w->begins;
    return RD_OK;
}

static rd_status index_pieces(rd_pieces *p, rd_error *err)
{
    walk w = start_walk(p);
    for (;;) {
        if (p->n % p->every == 0) RD_TRY(note_piece(p, &w, err));
        const bool begins = w.begins;
        if (read_piece(p, &w, NULL) == 0) return RD_OK;
        p->n++;
        p->units += begins;
    }
}

/* As many pieces as have the pairs that the index steps over, at least PIECE_STEP. */
static uint32_t entry_step(const rd_text *t, uint32_t steps)
{
    const bool words = t->how.level == RD_WORD || t->how.level == RD_BPE;
    const uint32_t pieces = (words ? WORD_PAIRS : CHAR_PAIRS) / steps;
    return pieces > PIECE_STEP ? pieces : PIECE_STEP;
}

/* The id of a line feed, or 0. */
static int32_t line_feed(const rd_vocab *v)
{
    rdc_reader r = {.v = v, .at = (const unsigned char *)"\n"};
    r.end = r.at + 1;
    const int32_t id = rdc_read_id(&r);
    return id == v->unk ? 0 : id;
}

rd_status rd_pieces_new(const rd_text *t, rd_vocab *v, const rd_pieces_options *how,
                        rd_pieces **out, rd_error *err)
{
    RD_TRY(rdc_text_check(t, v, err));
    if (how->steps == 0) return rdc_fail(err, RD_E_ARG, "a piece must have at least 1 step");
    const uint64_t bytes = rd_text_bytes(t);
    if (how->from > how->to || how->to > bytes)
        return rdc_fail(err, RD_E_ARG, "'%s' has %llu bytes, but %llu to %llu were asked for",
                        t->path, (unsigned long long)bytes, (unsigned long long)how->from,
                        (unsigned long long)how->to);
    rd_pieces *p = calloc(1, sizeof(*p));
    if (!p) return rdc_no_memory(err, sizeof(*p));
    p->t = t;
    p->v = rd_vocab_retain(v);
    p->unit = how->unit;
    p->steps = how->steps;
    p->every = entry_step(t, how->steps);
    p->begin = t->begin + how->from;
    p->end = t->begin + how->to;
    p->first = v->bos ? v->bos : line_feed(v);
    p->last = v->eos ? v->eos : line_feed(v);
    const rd_status status = index_pieces(p, err);
    if (status == RD_OK)
        *out = p;
    else
        rd_pieces_free(p);
    return status;
}

void rd_pieces_free(rd_pieces *p)
{
    if (!p) return;
    rd_vocab_release(p->v);
    free(p->index);
    free(p);
}

uint64_t rd_pieces_count(const rd_pieces *p)
{
    return p->n;
}

uint64_t rd_pieces_units(const rd_pieces *p)
{
    return p->units;
}

uint64_t rd_pieces_begin(const rd_pieces *p, uint64_t i)
{
    if (i >= p->n) return p->n;
    walk w = find_piece(p, i);
    while (!w.begins && i < p->n) {
        (void)read_piece(p, &w, NULL);
        i++;
    }
    return i;
}

/* ---- reading ---- */

static rd_status check_pieces(const rd_pieces *p, const uint64_t *piece, size_t n, rd_error *err)
{
    RD_TRY(rdc_text_check(p->t, p->v, err));
    for (size_t i = 0; i < n; i++)
        if (piece[i] != RD_NO_PIECE && piece[i] >= p->n)
            return rdc_fail(err, RD_E_ARG, "'%s' has %llu pieces, but number %llu was asked for",
                            p->t->path, (unsigned long long)p->n, (unsigned long long)piece[i] + 1);
    return RD_OK;
}

rd_status rd_pieces_look(const rd_pieces *p, const uint64_t *piece, size_t n, uint32_t *pairs,
                         bool *begins, rd_error *err)
{
    RD_TRY(check_pieces(p, piece, n, err));
    for (size_t i = 0; i < n; i++) {
        walk w = {.begins = true};
        if (piece[i] != RD_NO_PIECE) w = find_piece(p, piece[i]);
        if (begins) begins[i] = w.begins;
        pairs[i] = piece[i] == RD_NO_PIECE ? 0 : read_piece(p, &w, NULL);
    }
    return RD_OK;
}

static bool is_like(const rd_tensor *x, const rd_tensor *y)
{
    return x->ndim == 2 && y->ndim == 2 && x->shape[0] == y->shape[0] && x->shape[1] == y->shape[1];
}

static rd_status check_tensors(const rd_tensor *x, const rd_tensor *y, rd_error *err)
{
    if (is_like(x, y)) return RD_OK;
    return rdc_fail(err, RD_E_ARG, "batches of pieces are two tensors (batch, time)");
}

static row row_of(const rd_tensor *x, const rd_tensor *y, size_t b, size_t step)
{
    return (row){x->at + b * x->stride[0] + step * x->stride[1],
                 y->at + b * y->stride[0] + step * y->stride[1], x->stride[1], y->stride[1]};
}

static void clear(const row *to, size_t n)
{
    for (size_t i = 0; i < n; i++) to->x[i * to->stride_x] = to->y[i * to->stride_y] = 0;
}

/* A batch may be shorter than the longest piece there is, if its own are. */
static rd_status check_lengths(const rd_pieces *p, const uint64_t *piece, const rd_tensor *x,
                               rd_error *err)
{
    for (size_t b = 0; b < x->shape[0] && x->shape[1] < p->steps; b++) {
        uint32_t pairs;
        RD_TRY(rd_pieces_look(p, &piece[b], 1, &pairs, NULL, err));
        if (pairs > x->shape[1])
            return rdc_fail(err, RD_E_ARG, "piece %llu has %u steps, the batch has %zu",
                            (unsigned long long)piece[b] + 1, pairs, x->shape[1]);
    }
    return RD_OK;
}

rd_status rd_pieces_batch(const rd_pieces *p, const uint64_t *piece, rd_tensor *x, rd_tensor *y,
                          rd_error *err)
{
    RD_TRY(check_tensors(x, y, err));
    RD_TRY(check_pieces(p, piece, x->shape[0], err));
    RD_TRY(check_lengths(p, piece, x, err));
    RD_TRY(rdc_begin_write(x, err));
    RD_TRY(rdc_begin_write(y, err));
    for (size_t b = 0; b < x->shape[0]; b++) {
        const row to = row_of(x, y, b, 0);
        uint32_t used = 0;
        if (piece[b] != RD_NO_PIECE) {
            walk w = find_piece(p, piece[b]);
            used = read_piece(p, &w, &to);
        }
        const row rest = row_of(x, y, b, used);
        clear(&rest, x->shape[1] - used);
    }
    return RD_OK;
}

static rd_status check_flow(const rd_pieces *p, const rd_flow *s, rd_error *err)
{
    RD_TRY(rdc_text_check(p->t, p->v, err));
    if (p->steps != 1)
        return rdc_fail(err, RD_E_ARG, "rows read on by pieces of 1 step, these have %u", p->steps);
    if (!is_like(s->x, s->y) || !is_like(s->x, s->resets))
        return rdc_fail(err, RD_E_ARG,
                        "a batch of rows that read on is three tensors (batch, time)");
    for (size_t b = 0; b < s->x->shape[0]; b++)
        if (s->first[b] > s->last[b] || s->last[b] > p->n)
            return rdc_fail(err, RD_E_ARG, "'%s' has %llu pieces, but %llu to %llu were asked for",
                            p->t->path, (unsigned long long)p->n,
                            (unsigned long long)s->first[b] + 1, (unsigned long long)s->last[b]);
    return RD_OK;
}

/* Row b of a flow. */
static void read_on(const rd_pieces *p, rd_flow *s, size_t b)
{
    const uint64_t left = s->last[b] - s->first[b];
    const size_t steps = s->x->shape[1], n = left < steps ? (size_t)left : steps;
    rd_real *reset = s->resets->at + b * s->resets->stride[0];
    walk w = {.begins = false};
    if (n > 0) w = find_piece(p, s->first[b]);
    for (size_t i = 0; i < steps; i++, reset += s->resets->stride[1]) {
        const row to = row_of(s->x, s->y, b, i);
        const bool begins = i < n && w.begins;
        *reset = begins;
        s->n_resets += begins;
        if (i >= n || read_piece(p, &w, &to) == 0) clear(&to, 1);
    }
    s->pairs[b] = (uint32_t)n;
}

rd_status rd_pieces_flow(const rd_pieces *p, rd_flow *s, rd_error *err)
{
    RD_TRY(check_flow(p, s, err));
    RD_TRY(rdc_begin_write(s->x, err));
    RD_TRY(rdc_begin_write(s->y, err));
    RD_TRY(rdc_begin_write(s->resets, err));
    s->n_resets = 0;
    for (size_t b = 0; b < s->x->shape[0]; b++) read_on(p, s, b);
    return RD_OK;
}
