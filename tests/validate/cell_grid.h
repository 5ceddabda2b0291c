/* cell_grid.h - a cell at every corner of its options (rule C8).
 *
 * Settings: the defaults; each option at its least and greatest value, at false and true, at each
 * choice; then, if all combinations are few, these, and else pairs of options that change the form and
 * all options together, away from their defaults. Greatest values are cut to what arithmetic can be
 * tried with: widths and depths to 4, numbers to -3 .. 3. The defaults are tried in several sizes, the
 * others in one that the cell takes.
 * SPDX-License-Identifier: MIT */
#ifndef RD_CHECK_CELL_GRID_H
#define RD_CHECK_CELL_GRID_H
#include "cell_bench.h"
#include "check.h"

/* A rule of cells: calls s->rule->keeps with each case that can be built and reports the first that is
 * broken, with the options in force. */
void check_each_case(const check_subject *s, check_verdict *v);

enum { CASE_TEXT = 200 };
/* "coupled = true, input_size = 3, hidden_size = 5"; "" for the defaults in the first size. */
void case_text(const cell_case *c, char text[CASE_TEXT]);
/* Runs the cell's layout() once, in place of building a layer; the caller frees it. */
rd_status case_layout(const cell_case *c, rdc_layout **out, rd_error *err);
/* Visits each setting of a cell (and its core), in a size that the cell takes, or with built = false,
 * and err, in the first size. Ends where visit gives false. */
typedef bool (*case_visit)(void *user, const cell_case *c, bool built, const rd_error *err);
void each_setting(const cell_case *of, case_visit visit, void *user);

/* What a visit that needs a cell does with one that was not built: that of the defaults is skipped,
 * since C1 says why; other settings are C8's affair, and it goes on. */
bool case_skipped(const cell_case *c, const rd_error *err, check_verdict *v);
#endif
