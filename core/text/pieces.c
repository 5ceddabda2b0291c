/* pieces.c - lines or documents of a text as rows of batches.
 *
 * A unit of n symbols is n + 1 pairs (x, y): begin s1, s1 s2, ..., sn end. It is cut into pieces of `steps`
 * pairs; a piece but for the first begins with the symbol that was the last y of the one before.
 * Invariant: index[i] is where piece i * PIECE_STEP begins: twice the place of the first symbol of its unit
 * plus 1, or twice the place of its first x. So a piece is found by reading at most PIECE_STEP pieces, and a
 * piece costs a byte of memory, whatever the length of the text.
 * SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "base/tensor.h"

#include "text/text.h"

#include <stdlib.h>
#include <string.h>

enum { PIECE_STEP = 8 };

struct rd_pieces {
    const rd_text *t;
    rd_vocab *v;
    rd_unit unit;
    uint32_t steps;
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
        if (last) before = *r;
        const int32_t y = end ? p->last : rdc_read_id(r);
        if (to) {
            to->x[i * to->stride_x] = (rd_real)x;
            to->y[i * to->stride_y] = (rd_real)y;
        }
        x = y;
        w->begins = end;
        if (end) return i + 1;
        if (last) *r = before; /* the last y is read again, as the first x of the next piece */
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
    const uint64_t entry = p->index[i / PIECE_STEP];
    walk w = {.r = rdc_text_reader(p->t, p->v, entry / 2, p->end), .begins = entry % 2 == 1};
    for (uint64_t skip = i % PIECE_STEP; skip > 0; skip--) (void)read_piece(p, &w, NULL);
    return w;
}

/* ---- setting up ---- */

static rd_status note_piece(rd_pieces *p, const walk *w, rd_error *err)
{
    const size_t i = (size_t)(p->n / PIECE_STEP);
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
        if (p->n % PIECE_STEP == 0) RD_TRY(note_piece(p, &w, err));
        const bool begins = w.begins;
        if (read_piece(p, &w, NULL) == 0) return RD_OK;
        p->n++;
        p->units += begins;
    }
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

static rd_status check_tensors(const rd_tensor *x, const rd_tensor *y, rd_error *err)
{
    if (x->ndim == 2 && y->ndim == 2 && x->shape[0] == y->shape[0] && x->shape[1] == y->shape[1])
        return RD_OK;
    return rdc_fail(err, RD_E_ARG, "batches of pieces are two tensors (batch, time)");
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
        const row to = {x->at + b * x->stride[0], y->at + b * y->stride[0], x->stride[1],
                        y->stride[1]};
        uint32_t used = 0;
        if (piece[b] != RD_NO_PIECE) {
            walk w = find_piece(p, piece[b]);
            used = read_piece(p, &w, &to);
        }
        for (size_t i = used; i < x->shape[1]; i++)
            to.x[i * to.stride_x] = to.y[i * to.stride_y] = 0;
    }
    return RD_OK;
}
