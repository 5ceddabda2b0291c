/* vectors.h - reads golden.tsv, the committed vectors.
 *
 * scripts/make_golden.py writes them with PyTorch; they need nothing but the file, so that their tests run
 * everywhere. The larger set of vectors is read by golden.h where it is there.
 * SPDX-License-Identifier: MIT */
#ifndef RD_TEST_VECTORS_H
#define RD_TEST_VECTORS_H
#include "oracle/golden.h"

/* The array `name` of `group`; false if there is none. */
bool vectors_find(const char *group, const char *name, golden_array *a);
golden_array vectors_need(const char *group, const char *name); /* fails the test without it */
rd_tensor *vectors_tensor(rd_core *core, const char *group, const char *name, rd_order order);
/* The same, wanting a gradient. */
rd_tensor *vectors_input(rd_core *core, const char *group, const char *name, rd_order order);
/* Compares as golden_check does. */
void vectors_expect(const char *group, const char *name, const rd_tensor *t, rd_order order);
#endif
