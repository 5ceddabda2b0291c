/* cell_steps.h - the rules C3, C4, C5 and C7 as far as single steps of a cell show them, on
 * cell_bench.h's buffers.
 *
 * Each answers true, or false and a sentence.
 * SPDX-License-Identifier: MIT */
#ifndef RD_CHECK_CELL_STEPS_H
#define RD_CHECK_CELL_STEPS_H
#include "cell_bench.h"

bool cell_writes_all(const cell_case *c, char *why, size_t cap);
bool cell_writes_inside(const cell_case *c, char *why, size_t cap);
bool cell_overwrites_lines(const cell_case *c, char *why, size_t cap);
bool cell_adds(const cell_case *c, char *why, size_t cap);
bool cell_rows_are_apart(const cell_case *c, char *why, size_t cap);
bool cell_steps_are_alike(const cell_case *c, char *why, size_t cap);
bool cell_stays_finite(const cell_case *c, char *why, size_t cap);
bool cell_backward_is_derivative(const cell_case *c, char *why, size_t cap);
#endif
