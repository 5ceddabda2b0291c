/* cell_rules.h - the rules of the plugin border that a cell's step functions keep, one function for each.
 *
 * They call the cell on cell_bench.h's buffers, on one thread, and depend on no test framework: a rule
 * answers true, or false and a sentence. What concerns a layer as a whole, derivatives (C6), chunks, threads
 * and lengths, is checked through the engine: rnn_forms.h, test_cells.c.
 * SPDX-License-Identifier: MIT */
#ifndef RD_TEST_CELL_RULES_H
#define RD_TEST_CELL_RULES_H
#include "support/cell_bench.h"

enum { CELL_RULE_TEXT = 256 };

typedef struct cell_rule {
    const char *number, *what; /* "C3", what the rule says */
    bool (*keeps)(const cell_case *c, char *why, size_t cap);
} cell_rule;
extern const cell_rule cell_rules[];
size_t cell_rule_count(void);
#endif
