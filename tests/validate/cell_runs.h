/* cell_runs.h - the rules C4, C5 and C9 as far as a layer shows them that the engine runs.
 * SPDX-License-Identifier: MIT */
#ifndef RD_CHECK_CELL_RUNS_H
#define RD_CHECK_CELL_RUNS_H
#include "cell_bench.h"
#include "check.h"

bool cell_threads_agree(const cell_case *c, char *why, size_t cap);
bool cell_rows_alone_agree(const cell_case *c, char *why, size_t cap);
bool cell_chunks_agree(const cell_case *c, char *why, size_t cap);
/* Loads the plugin by itself, in two processes. */
void cell_is_saved(const check_subject *s, check_verdict *v);
#endif
