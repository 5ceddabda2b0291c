/* cell_grid.h - a cell or a layer at every corner of its options (rules C8 and T8).
 *
 * Settings: the defaults; each option at its least and greatest value, at false and true, at each
 * choice; then, if all combinations are few, these, and else pairs of options that change the form and
 * all options together, away from their defaults. Greatest values are cut to what arithmetic can be
 * tried with: widths and depths to 4, numbers to -3 .. 3. The defaults are tried in several sizes, the
 * others in one that the cell takes.
 * SPDX-License-Identifier: MIT */
#ifndef RD_CHECK_CELL_GRID_H
#define RD_CHECK_CELL_GRID_H
#include "check.h"
#include "engine/layer.h"
#include "made.h"

/* A rule of cells or layers: calls s->rule->keeps with each case that can be built and reports the first
 * that is broken, with the options in force. */
void check_each_case(const check_subject *s, check_verdict *v);

/* C1 (T1): it can be built, and s->rule->keeps of each case. C8 (T8): at all values of its options. */
void check_declarations(const check_subject *s, check_verdict *v);
void check_all_options(const check_subject *s, check_verdict *v);

enum { CASE_TEXT = 200 };
/* "coupled = true, input_size = 3, hidden_size = 5"; "" for the defaults in the first size. */
void case_text(const cell_case *c, char text[CASE_TEXT]);
/* The thing that a rule is about, with no options set yet; stand_in: place for the cell that has a layer's
 * name and options. */
void check_case_of(const check_subject *s, const rd_plugin *plugin, cell_case *c,
                   rd_cell *stand_in);
/* The text of an error without the name of the thing and the rule's number, which are said already. */
const char *case_bare(const cell_case *c, const rd_error *err);
/* Runs the cell's layout() once, in place of building a layer; the caller frees it. */
rd_status case_layout(const cell_case *c, rdc_layout **out, rd_error *err);
bool case_builds(const cell_case *c, rd_error *err);                           /* of either kind */
rd_status case_setup(const cell_case *c, rdc_layer_decl **out, rd_error *err); /* of a layer */
/* Visits each setting of a cell (and its core), in a size that the cell takes, or with built = false,
 * and err, in the first size. Ends where visit gives false. */
typedef bool (*case_visit)(void *user, const cell_case *c, bool built, const rd_error *err);
void each_setting(const cell_case *of, case_visit visit, void *user);

/* What a visit that needs a cell does with one that was not built: that of the defaults is skipped,
 * since C1 (T1) says why; other settings are C8's affair (T8's), and it goes on. */
bool case_skipped(const cell_case *c, const rd_error *err, check_verdict *v);
#endif
