/* series.h - what the classes of series and windows share.
 * SPDX-License-Identifier: MIT */
#ifndef RDL_SERIES_H
#define RDL_SERIES_H
#include "common.h"
#include "rondo_series.h"

#define RDL_CSV "rondo.Csv"

rd_series *rdl_check_series(lua_State *L, int arg);
/* The same for what lies at a place of the stack, and is no argument. */
rd_series *rdl_check_open_series(lua_State *L, int at);
rd_csv *rdl_check_csv(lua_State *L, int arg);
/* Columns of a list, counted from 1, as 0-based numbers in a pushed userdata. */
uint32_t *rdl_check_columns(lua_State *L, int arg, const rd_csv *c, size_t *n);
rd_missing rdl_check_rule(lua_State *L, const char *name);
/* The stages in the list at arg, in a pushed userdata. */
const rd_stage *rdl_check_stages(lua_State *L, int arg, uint32_t *n);
/* Pushes a list of n numbers. */
void rdl_push_numbers(lua_State *L, const double *values, size_t n);
#endif
