/* torch.h - PyTorch's recurrent stacks as ours: parameters by their names there, directions as units.
 *
 * PyTorch stacks the gates of a layer in one matrix (weight_ih_l0: i f g o, r z n); here each line has its
 * own. Stacked layers are run one after another, the two directions of a layer side by side: what PyTorch
 * calls layer k and its reverse are units 2k and 2k + 1. Every function fails the running test.
 * SPDX-License-Identifier: MIT */
#ifndef RD_TEST_TORCH_H
#define RD_TEST_TORCH_H
#include "support/rnns.h"

#include "oracle/golden.h"

enum { TORCH_UNITS = 4, TORCH_GATES = 4, TORCH_KINDS = 4, TORCH_CELLS = 5 };

typedef struct torch_map { /* of one cell: our parameter for each of PyTorch's and each gate */
    const char *prefix, *cell, *option, *choice;
    uint32_t gates;
    const char *name[TORCH_KINDS][TORCH_GATES];
} torch_map;
extern const torch_map torch_maps[TORCH_CELLS]; /* rnn_tanh, rnn_relu, lstm, gru, gru_rb */

typedef struct torch_stack {
    const golden_file *f;
    const torch_map *map;
    char group[64];
    const char *parameters; /* how their paths in the group begin: "param/" */
    rd_core *core;
    uint32_t units, directions, states, bias;
    rd_rnn *rnn[TORCH_UNITS];
    rd_tensor *first[TORCH_UNITS][2], *final[TORCH_UNITS][2]; /* the caller's to fill and take */
    rd_tensor *lengths;                                       /* or NULL */
} torch_stack;

/* Makes the layers of the group (f, map, group, parameters and core are set) with its parameters. */
void torch_open(torch_stack *s);
void torch_close(torch_stack *s); /* states, layers and lengths */
/* Runs the layer that begins with `unit`; its directions lie side by side in the result. */
rd_tensor *torch_layer(torch_stack *s, uint32_t unit, rd_tensor *in);
/* Compares all parameters, or their gradients, with arrays of the group whose paths begin with `folder`:
 * with entry `index` of their first dimension, or where it is negative with the whole. */
void torch_check(const torch_stack *s, const char *folder, int index, bool gradients);
/* Entry `index` of the first dimension. */
golden_array torch_entry(const golden_array *all, size_t index);
/* Writes values into a parameter. */
void torch_write(rd_tensor *p, const golden_array *values);
#endif
