/* fuzz_text.c - text files at every level: what is no UTF-8 is refused, ids by parts are those at once, ids
 * become the text again where that is promised, and pieces of any length hold the same pairs.
 *
 * The first bytes say how the text is read (setting), the rest is the file.
 * SPDX-License-Identifier: MIT */
#include "fuzz/support/fuzz.h"
#include "text/utf8.h"

enum { MOST_BYTES = 1 << 10, MOST_STEPS = 12, BATCH = 3 };

typedef struct setting {
    rd_vocab_options how;
    bool whole;     /* the vocabulary is of the whole text, else of its first part */
    uint32_t share; /* of the first part, in 256ths */
    uint32_t steps; /* of a piece */
    rd_unit unit;
} setting;

static setting take_setting(fuzz_input *in)
{
    const uint8_t how = fuzz_byte(in), size = fuzz_byte(in), rest = fuzz_byte(in);
    setting s = {.how = {.level = (rd_level)(how & 3),
                         .lowercase = how & 4,
                         .punctuation = how & 8,
                         .unk = how & 16,
                         .bos = how & 32,
                         .eos = how & 64,
                         .min_count = size & 3},
                 .whole = how & 128,
                 .share = fuzz_byte(in),
                 .steps = 2 + rest % (MOST_STEPS - 1),
                 .unit = rest & 128 ? RD_LINE : RD_DOCUMENT};
    if (s.how.level == RD_BPE)
        s.how.max_size = 259 + (size >> 2);
    else if (size & 4)
        s.how.max_size = 4 + (size >> 3);
    return s;
}

static rd_vocab *vocab_of(const rd_text *t, const setting *s)
{
    rd_vocab_fit *f = NULL;
    rd_vocab *v = NULL;
    rd_error err = {0};
    const uint64_t bytes = rd_text_bytes(t);
    const uint64_t to = s->whole ? bytes : rd_text_border(t, bytes * s->share / 256);
    rd_status status = rd_vocab_fit_new(&s->how, &f, &err);
    if (status == RD_OK) status = rd_text_fit(t, 0, to, f, &err);
    if (status == RD_OK) status = rd_vocab_fit_end(f, &v, &err);
    rd_vocab_fit_free(f);
    if (status != RD_OK) fuzz_refused(status, &err);
    return v;
}

/* Places of symbols ascend, and lead back to their symbols; a border is one. */
static void check_places(const rd_text *t, const setting *s)
{
    const uint64_t length = rd_text_length(t), bytes = rd_text_bytes(t);
    const uint64_t step = 1 + length / 16, stride = 1 + bytes / 16;
    uint64_t before = 0;
    for (uint64_t i = 0; i < length; i += step) {
        const uint64_t at = rd_text_offset(t, i);
        FUZZ_HOLDS(at < bytes && (i == 0 || at >= before));
        if (s->how.level != RD_BPE) FUZZ_HOLDS(rd_text_count(t, at) == i);
        before = at;
    }
    FUZZ_HOLDS(rd_text_offset(t, length) == bytes && rd_text_count(t, bytes) == length);
    for (uint64_t at = 0; at < bytes; at += stride) {
        const uint64_t border = rd_text_border(t, at);
        FUZZ_HOLDS(border >= at && border <= bytes && rd_text_border(t, border) == border);
    }
}

static int32_t *all_ids(const rd_text *t, const rd_vocab *v, size_t n)
{
    int32_t *ids = malloc(n * sizeof *ids + 1);
    FUZZ_HOLDS(ids && rd_text_ids(t, v, 0, n, ids, NULL) == RD_OK);
    for (size_t i = 0; i < n; i++) FUZZ_HOLDS(ids[i] >= 0 && (size_t)ids[i] <= rd_vocab_size(v));
    return ids;
}

static void check_parts(const rd_text *t, const rd_vocab *v, const int32_t *ids, size_t n)
{
    int32_t part[MOST_STEPS];
    for (size_t from = 0; from < n; from += 1 + n / 8) {
        const size_t some = n - from < MOST_STEPS ? n - from : MOST_STEPS;
        FUZZ_HOLDS(rd_text_ids(t, v, from, some, part, NULL) == RD_OK);
        FUZZ_HOLDS(memcmp(part, ids + from, some * sizeof *part) == 0);
    }
    uint64_t lacking = 0, counted = 0;
    for (size_t i = 0; i < n; i++) counted += ids[i] == 0 || ids[i] == rd_vocab_special(v).unk;
    FUZZ_HOLDS(rd_text_lacking(t, v, 0, n, &lacking, NULL) == RD_OK && lacking == counted);
}

static void check_batch(const rd_text *t, const rd_vocab *v, const int32_t *ids, size_t n)
{
    const size_t steps = n < 4 ? n : 4, shape[2] = {BATCH, steps};
    const uint64_t first[BATCH] = {0, n - steps, (n - steps) / 2};
    rd_real got[BATCH * 4];
    rd_tensor *x = NULL;
    FUZZ_HOLDS(rd_tensor_new(fuzz_core(), 2, shape, RD_SEQUENCE, &x, NULL) == RD_OK);
    FUZZ_HOLDS(rd_text_batch(t, v, first, x, NULL) == RD_OK);
    rd_tensor_read(x, got);
    for (size_t b = 0; b < BATCH; b++)
        for (size_t i = 0; i < steps; i++)
            FUZZ_HOLDS(got[b * steps + i] == (rd_real)ids[first[b] + i]);
    rd_tensor_release(x);
}

/* The text of ids, as the binding makes it; the caller frees. */
static char *decoded(const rd_vocab *v, const int32_t *ids, size_t n, size_t *bytes)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, bytes);
    FUZZ_HOLDS(out != NULL);
    for (size_t i = 0; i < n; i++) {
        char own[4];
        size_t length;
        if (i > 0 && rd_vocab_space(v, ids[i - 1], ids[i])) putc(' ', out);
        const char *symbol = rd_vocab_decode(v, ids[i], own, &length);
        fwrite(symbol, 1, length, out);
    }
    FUZZ_HOLDS(fclose(out) == 0);
    return text;
}

/* Encoding gives the ids of the file. They are the text again where the vocabulary has all of it; of words, a
 * text with other white space, which has the same ids. */
static void check_round_trip(const rd_vocab *v, const fuzz_input *text, const int32_t *ids,
                             size_t n)
{
    rd_error err = {0};
    size_t used = 0, bytes = 0;
    bool lacks = false, special = false;
    for (size_t i = 0; i < n; i++) {
        lacks = lacks || ids[i] == 0;
        special = special || ids[i] == rd_vocab_special(v).unk || ids[i] == rd_vocab_special(v).bos;
    }
    int32_t *again = malloc((text->n + 1) * sizeof *again);
    FUZZ_HOLDS(again != NULL);
    const rd_status status =
        rd_vocab_encode(v, (const char *)text->at, text->n, again, &used, &err);
    FUZZ_HOLDS((status == RD_OK) == !lacks);
    if (status != RD_OK) fuzz_refused(status, &err);
    if (status == RD_OK) FUZZ_HOLDS(used == n && memcmp(again, ids, n * sizeof *ids) == 0);
    free(again);
    if (lacks || special) return;
    char *back = decoded(v, ids, n, &bytes);
    const rd_vocab_options *how = rd_vocab_how(v);
    if (how->level != RD_WORD && !how->lowercase)
        FUZZ_HOLDS(bytes == text->n && memcmp(back, text->at, bytes) == 0);
    again = malloc((bytes + 1) * sizeof *again);
    FUZZ_HOLDS(again && rd_vocab_encode(v, back, bytes, again, &used, NULL) == RD_OK);
    FUZZ_HOLDS(used == n && memcmp(again, ids, n * sizeof *ids) == 0);
    free(again);
    free(back);
}

/* ---- pieces ---- */

typedef struct pairs { /* of all pieces, one behind the other */
    rd_real *x, *y;
    size_t n;
} pairs;

static rd_pieces *make_pieces(const rd_text *t, rd_vocab *v, const setting *s, uint32_t steps)
{
    rd_pieces *p = NULL;
    const uint64_t bytes = rd_text_bytes(t), from = rd_text_border(t, bytes * s->share / 512);
    const rd_pieces_options how = {.unit = s->unit, .from = from, .to = bytes, .steps = steps};
    FUZZ_HOLDS(rd_pieces_new(t, v, &how, &p, NULL) == RD_OK);
    return p;
}

/* Each piece is read by itself. */
static pairs read_pieces(const rd_pieces *p, uint32_t steps, size_t room)
{
    pairs all = {.x = malloc(room * sizeof *all.x), .y = malloc(room * sizeof *all.y)};
    const size_t shape[2] = {1, steps};
    rd_tensor *x = NULL, *y = NULL;
    FUZZ_HOLDS(all.x && all.y &&
               rd_tensor_new(fuzz_core(), 2, shape, RD_DENSE, &x, NULL) == RD_OK &&
               rd_tensor_new(fuzz_core(), 2, shape, RD_DENSE, &y, NULL) == RD_OK);
    uint64_t units = 0;
    bool ended = true; /* the piece before was shorter than it may be */
    for (uint64_t i = 0; i < rd_pieces_count(p); i++) {
        uint32_t n = 0;
        bool begins = false;
        FUZZ_HOLDS(rd_pieces_look(p, &i, 1, &n, &begins, NULL) == RD_OK);
        FUZZ_HOLDS(n >= 1 && n <= steps && all.n + n <= room);
        FUZZ_HOLDS(begins || !ended);
        if (i % 8 == 0) FUZZ_HOLDS(begins == (rd_pieces_begin(p, i) == i));
        FUZZ_HOLDS(rd_pieces_batch(p, &i, x, y, NULL) == RD_OK);
        rd_real xs[MOST_STEPS], ys[MOST_STEPS];
        rd_tensor_read(x, xs);
        rd_tensor_read(y, ys);
        for (uint32_t k = 0; k < n; k++) {
            const bool first = begins && k == 0;
            all.x[all.n] = xs[k];
            all.y[all.n] = ys[k];
            FUZZ_HOLDS(first || xs[k] == all.y[all.n - 1]); /* y is x one symbol on */
            all.n++;
        }
        units += begins;
        ended = n < steps;
    }
    FUZZ_HOLDS(units == rd_pieces_units(p));
    rd_tensor_release(x);
    rd_tensor_release(y);
    return all;
}

/* The same, read on pair by pair in one row. */
static pairs read_flow(const rd_pieces *p)
{
    const size_t n = (size_t)rd_pieces_count(p), shape[2] = {1, n};
    const uint64_t first = 0, last = n;
    pairs all = {.x = malloc(n * sizeof *all.x + 1), .y = malloc(n * sizeof *all.y + 1), .n = n};
    rd_tensor *t[3] = {NULL};
    uint32_t used = 0;
    for (int i = 0; i < 3; i++)
        FUZZ_HOLDS(rd_tensor_new(fuzz_core(), 2, shape, RD_DENSE, &t[i], NULL) == RD_OK);
    rd_flow flow = {
        .first = &first, .last = &last, .x = t[0], .y = t[1], .resets = t[2], .pairs = &used};
    FUZZ_HOLDS(all.x && all.y && rd_pieces_flow(p, &flow, NULL) == RD_OK);
    FUZZ_HOLDS(used == n && flow.n_resets == rd_pieces_units(p));
    rd_tensor_read(t[0], all.x);
    rd_tensor_read(t[1], all.y);
    for (int i = 0; i < 3; i++) rd_tensor_release(t[i]);
    return all;
}

static void check_pieces(const rd_text *t, rd_vocab *v, const setting *s)
{
    rd_pieces *p = make_pieces(t, v, s, s->steps), *one = make_pieces(t, v, s, 1);
    pairs a = read_pieces(p, s->steps, 3 * (size_t)rd_text_bytes(t) + 3), b = read_flow(one);
    FUZZ_HOLDS(a.n == b.n && rd_pieces_units(p) == rd_pieces_units(one));
    FUZZ_HOLDS(a.n == 0 || (memcmp(a.x, b.x, a.n * sizeof *a.x) == 0 &&
                            memcmp(a.y, b.y, a.n * sizeof *a.y) == 0));
    free(a.x);
    free(a.y);
    free(b.x);
    free(b.y);
    rd_pieces_free(p);
    rd_pieces_free(one);
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t n)
{
    fuzz_input in = {.at = at, .n = n};
    const setting s = take_setting(&in);
    if (in.n > MOST_BYTES) in.n = MOST_BYTES;
    rd_text *t = NULL;
    rd_vocab *v = NULL;
    rd_error err = {0};
    const bool points = s.how.level == RD_CHAR || s.how.level == RD_WORD;
    const bool mark = points && in.n >= 3 && memcmp(in.at, "\xEF\xBB\xBF", 3) == 0;
    const bool sound = !points || rdc_utf8_check((const char *)in.at, in.n) == in.n;
    rd_status status = rd_text_open(fuzz_file(in.at, in.n), &s.how, &t, &err);
    FUZZ_HOLDS((status == RD_OK) == (sound && in.n > (mark ? 3 : 0)));
    if (status != RD_OK) fuzz_refused(status, &err);
    if (status == RD_OK && s.how.level != RD_BPE) check_places(t, &s);
    if (status == RD_OK) v = vocab_of(t, &s);
    if (v) {
        FUZZ_HOLDS(rd_text_use(t, v, NULL) == RD_OK);
        const fuzz_input text = {.at = in.at + (mark ? 3 : 0), .n = in.n - (mark ? 3 : 0)};
        const size_t length = (size_t)rd_text_length(t);
        int32_t *ids = all_ids(t, v, length);
        check_places(t, &s);
        check_parts(t, v, ids, length);
        if (length > 0) check_batch(t, v, ids, length);
        check_round_trip(v, &text, ids, length);
        check_pieces(t, v, &s);
        free(ids);
    }
    rd_vocab_release(v);
    rd_text_free(t);
    return 0;
}
