/* bpe_learn.c - which pairs are merged: the most frequent one, again and again.
 *
 * Each different chunk is kept once, as its symbols so far, with how often it occurs. For each pair
 * there is its count and a list of the chunks where it has occurred; a merge rewrites those chunks
 * only and changes the counts of the pairs beside it. The most frequent pair comes from a heap whose
 * entries may be out of date: one whose count has fallen since is put back with what it is, one whose
 * count has risen is dropped, since a newer entry stands above it. A book of 4 MB takes 2,000 merges in
 * about 0.1 s.
 * SPDX-License-Identifier: MIT */
#include "base/error.h"

#include "text/bpe.h"

#include <stdlib.h>
#include <string.h>

typedef struct pair {
    int32_t a, b;
    uint64_t count;
    uint32_t *chunks; /* where it occurs or has occurred; a chunk may come twice */
    size_t n, room;
} pair;

typedef struct entry { /* of the heap */
    uint64_t count;
    int32_t a, b;
} entry;

typedef struct learner {
    const uint64_t *count;
    size_t n_chunks;
    int32_t *symbols; /* chunk i is symbols[start[i], start[i] + length[i]) */
    const size_t *start;
    uint32_t *length;
    pair *pairs;
    size_t n_pairs, pairs_room;
    uint32_t *slot; /* number of the pair + 1, or 0 */
    size_t slots;
    entry *heap; /* a larger entry is never below a smaller one */
    size_t n_heap, heap_room;
    uint64_t min_count;
} learner;

static void free_learner(learner *l)
{
    for (size_t i = 0; i < l->n_pairs; i++) free(l->pairs[i].chunks);
    free(l->symbols);
    free(l->length);
    free(l->pairs);
    free(l->slot);
    free(l->heap);
}

/* ---- the heap ---- */

/* Is x to be merged before y? More frequent ones, then smaller symbols: no two are equal. */
static bool is_before(const entry *x, const entry *y)
{
    if (x->count != y->count) return x->count > y->count;
    if (x->a != y->a) return x->a < y->a;
    return x->b < y->b;
}

static rd_status push(learner *l, entry e, rd_error *err)
{
    if (e.count < l->min_count) return RD_OK;
    if (l->n_heap == l->heap_room) {
        const size_t room = l->heap_room ? 2 * l->heap_room : 1024;
        entry *heap = realloc(l->heap, room * sizeof(*heap));
        if (!heap) return rdc_no_memory(err, room * sizeof(*heap));
        l->heap = heap;
        l->heap_room = room;
    }
    size_t i = l->n_heap++;
    for (; i > 0 && is_before(&e, &l->heap[(i - 1) / 2]); i = (i - 1) / 2)
        l->heap[i] = l->heap[(i - 1) / 2];
    l->heap[i] = e;
    return RD_OK;
}

static entry pop(learner *l)
{
    const entry top = l->heap[0], last = l->heap[--l->n_heap];
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= l->n_heap) break;
        if (child + 1 < l->n_heap && is_before(&l->heap[child + 1], &l->heap[child])) child++;
        if (!is_before(&l->heap[child], &last)) break;
        l->heap[i] = l->heap[child];
        i = child;
    }
    l->heap[i] = last;
    return top;
}

/* ---- pairs ---- */

static size_t slot_of(const learner *l, int32_t a, int32_t b)
{
    const uint64_t key = (uint64_t)(uint32_t)a << 32 | (uint32_t)b;
    size_t s = (size_t)(key * 0x9E3779B97F4A7C15u >> 32) & (l->slots - 1);
    for (; l->slot[s] != 0; s = (s + 1) & (l->slots - 1)) {
        const pair *p = &l->pairs[l->slot[s] - 1];
        if (p->a == a && p->b == b) break;
    }
    return s;
}

static rd_status grow_pairs(learner *l, rd_error *err)
{
    if (l->n_pairs == l->pairs_room) {
        const size_t room = l->pairs_room ? 2 * l->pairs_room : 4096;
        pair *pairs = realloc(l->pairs, room * sizeof(*pairs));
        if (!pairs) return rdc_no_memory(err, room * sizeof(*pairs));
        l->pairs = pairs;
        l->pairs_room = room;
    }
    if (2 * l->n_pairs < l->slots) return RD_OK;
    const size_t slots = l->slots ? 2 * l->slots : 8192;
    uint32_t *slot = calloc(slots, sizeof(*slot));
    if (!slot) return rdc_no_memory(err, slots * sizeof(*slot));
    free(l->slot);
    l->slot = slot;
    l->slots = slots;
    for (size_t i = 0; i < l->n_pairs; i++)
        slot[slot_of(l, l->pairs[i].a, l->pairs[i].b)] = (uint32_t)(i + 1);
    return RD_OK;
}

/* Counts one more place of the pair, in a chunk. */
static rd_status add_place(learner *l, int32_t a, int32_t b, uint32_t chunk, rd_error *err)
{
    RD_TRY(grow_pairs(l, err));
    const size_t s = slot_of(l, a, b);
    if (l->slot[s] == 0) {
        l->pairs[l->n_pairs] = (pair){.a = a, .b = b};
        l->slot[s] = (uint32_t)++l->n_pairs;
    }
    pair *p = &l->pairs[l->slot[s] - 1];
    p->count += l->count[chunk];
    if (p->n > 0 && p->chunks[p->n - 1] == chunk) return RD_OK;
    if (p->n == p->room) {
        const size_t room = p->room ? 2 * p->room : 4;
        uint32_t *chunks = realloc(p->chunks, room * sizeof(*chunks));
        if (!chunks) return rdc_no_memory(err, room * sizeof(*chunks));
        p->chunks = chunks;
        p->room = room;
    }
    p->chunks[p->n++] = chunk;
    return RD_OK;
}

static pair *known_pair(const learner *l, int32_t a, int32_t b)
{
    return &l->pairs[l->slot[slot_of(l, a, b)] - 1];
}

static rd_status push_pair(learner *l, int32_t a, int32_t b, rd_error *err)
{
    return push(l, (entry){.count = known_pair(l, a, b)->count, .a = a, .b = b}, err);
}

/* ---- merging ---- */

/* Rewrites one chunk: a b becomes c, from left to right. All its pairs are taken out and counted anew: a
 * chunk has few, and the cases of pairs side by side need no thought. */
static rd_status merge_chunk(learner *l, uint32_t chunk, const entry *e, int32_t c, rd_error *err)
{
    int32_t *const s = l->symbols + l->start[chunk];
    const uint32_t n = l->length[chunk];
    uint32_t used = 0;
    for (uint32_t i = 0; i + 1 < n; i++)
        if (s[i] == e->a && s[i + 1] == e->b) used++;
    if (used == 0) return RD_OK;
    for (uint32_t i = 0; i + 1 < n; i++) known_pair(l, s[i], s[i + 1])->count -= l->count[chunk];
    used = 0;
    for (uint32_t i = 0; i < n; used++) {
        const bool both = i + 1 < n && s[i] == e->a && s[i + 1] == e->b;
        s[used] = both ? c : s[i];
        i += both ? 2 : 1;
    }
    l->length[chunk] = used;
    for (uint32_t i = 0; i + 1 < used; i++) {
        if (s[i] != c && s[i + 1] != c) { /* was here before: the chunk is in its list */
            known_pair(l, s[i], s[i + 1])->count += l->count[chunk];
            continue;
        }
        RD_TRY(add_place(l, s[i], s[i + 1], chunk, err));
        RD_TRY(push_pair(l, s[i], s[i + 1], err));
    }
    return RD_OK;
}

static rd_status merge(learner *l, const entry *e, int32_t c, rd_error *err)
{
    pair *p = known_pair(l, e->a, e->b);
    uint32_t *chunks = p->chunks;
    const size_t n = p->n;
    rd_status status = RD_OK;
    p->chunks = NULL;
    p->n = p->room = 0;
    for (size_t i = 0; i < n && status == RD_OK; i++) status = merge_chunk(l, chunks[i], e, c, err);
    free(chunks);
    return status;
}

/* The pair to merge next; false: none is frequent enough. */
static rd_status choose(learner *l, entry *e, bool *found, rd_error *err)
{
    *found = false;
    while (!*found && l->n_heap > 0) {
        *e = pop(l);
        const uint64_t now = known_pair(l, e->a, e->b)->count;
        *found = e->count == now;
        if (e->count > now) RD_TRY(push(l, (entry){.count = now, .a = e->a, .b = e->b}, err));
    }
    return RD_OK;
}

static rd_status start(learner *l, const rdc_words *chunks, rd_error *err)
{
    const size_t bytes = chunks->n ? chunks->start[chunks->n] : 0;
    l->n_chunks = chunks->n;
    l->start = chunks->start; /* a chunk's symbols lie where its bytes do, and get fewer */
    l->symbols = malloc((bytes + 1) * sizeof(*l->symbols));
    l->length = malloc((chunks->n + 1) * sizeof(*l->length));
    if (!l->symbols || !l->length) return rdc_no_memory(err, bytes * sizeof(*l->symbols));
    for (size_t i = 0; i < bytes; i++) l->symbols[i] = (unsigned char)chunks->bytes[i];
    for (size_t i = 0; i < chunks->n; i++) {
        l->length[i] = (uint32_t)(l->start[i + 1] - l->start[i]);
        const int32_t *s = l->symbols + l->start[i];
        for (uint32_t j = 0; j + 1 < l->length[i]; j++)
            RD_TRY(add_place(l, s[j], s[j + 1], (uint32_t)i, err));
    }
    for (size_t i = 0; i < l->n_pairs; i++) RD_TRY(push_pair(l, l->pairs[i].a, l->pairs[i].b, err));
    return RD_OK;
}

rd_status rdc_merges_learn(const rdc_words *chunks, const uint64_t *count, uint64_t min_count,
                           int32_t *merged, size_t *n, rd_error *err)
{
    learner l = {.count = count, .min_count = min_count};
    size_t used = 0;
    rd_status status = start(&l, chunks, err);
    while (status == RD_OK && used < *n) {
        entry e = {0};
        bool found;
        status = choose(&l, &e, &found, err);
        if (status != RD_OK || !found) break;
        merged[2 * used] = e.a;
        merged[2 * used + 1] = e.b;
        status = merge(&l, &e, (int32_t)(RDC_BYTES + used), err);
        used++;
    }
    free_learner(&l);
    if (status == RD_OK) *n = used;
    return status;
}
