/* rondo_parts.h - long sequences in parts, which are played backward from the last to the first.
 * SPDX-License-Identifier: MIT */
#ifndef RONDO_PARTS_H
#define RONDO_PARTS_H
#include "rondo.h"

/* Plays the graphs of several tensors backward at once, each from its seed (NULL: 1, for one element), as
 * rd_backward does one: a loss and the states that the next part of a sequence began with. [hot] Fails as
 * that does. */
typedef struct rd_root {
    rd_tensor *tensor, *seed;
} rd_root;
rd_status rd_backward_all(const rd_root *roots, size_t n, bool retain_graph, rd_error *err);

/* While on, inputs are parts of longer sequences: lengths may go beyond the steps of an input, and rows lie
 * as they do in the whole (bit contract, rule 6), so that gradients add up to the same bits. Returns what
 * was set before. */
bool rd_set_parts(rd_core *core, bool on);

/* How many steps of each row of ids or of a mask (B, T) count, as lengths (B). NULL in *out where a step that
 * counts follows one that does not. */
rd_status rd_leading_steps(rd_tensor *mask, rd_tensor **out, rd_error *err);

/* Bytes that a gradient's product over all steps packs at once; of longer sequences it is made stretch by
 * stretch. */
#define RD_PACKED_AT_ONCE ((size_t)4 << 20)

/* From now on rd_core_memory's peaks are those of what follows. */
void rd_core_new_peaks(rd_core *core);
#endif
