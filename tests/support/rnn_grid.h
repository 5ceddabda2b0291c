/* rnn_grid.h - every cell of the tree at every corner of its options.
 *
 * Cells and options are read from the tables, so that a new cell is tested by being there. Settings: the
 * defaults; each option alone at every choice, at false and true, at its least and greatest value; pairs of
 * those that change the form, and all options together, away from their defaults.
 * SPDX-License-Identifier: MIT */
#ifndef RD_TEST_RNN_GRID_H
#define RD_TEST_RNN_GRID_H
#include "support/rnns.h"

typedef void (*rnn_visit_fn)(const rnn_layer *layer);
/* Calls visit with `layer` as each cell with each setting. */
void rnn_visit_all(rnn_layer layer, rnn_visit_fn visit);
/* Prints what a failure of checks that know no cell is about. */
void rnn_say(const rnn_layer *layer);
/* Compares with five-point differences (rule C6) in the double build. Where a state is declared without
 * gradient the scalar weighs the outputs alone: the other states may depend on it. */
void rnn_check_derivatives(const rnn_layer *layer);
#endif
