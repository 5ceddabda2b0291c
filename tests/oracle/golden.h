/* golden.h - reads the golden vectors (HDF5) for the tests that compare with PyTorch.
 *
 * The files lie in $RONDO_ORACLE, else in ../shared/oracle/golden beside the source tree; where they are
 * missing the test is skipped by name. The inputs are exact in float32, so the double file is the truth
 * for both builds. Every function fails the running test when it cannot do its work.
 * SPDX-License-Identifier: MIT */
#ifndef RD_TEST_GOLDEN_H
#define RD_TEST_GOLDEN_H
#include "rondo.h"

/* Largest |difference| / max(1, largest |reference|): PyTorch's own float results lie up to 6e-6 from
 * its double ones. */
#define GOLDEN_TOLERANCE (sizeof(rd_real) == sizeof(double) ? 1e-12 : 1e-5)

typedef struct golden_array {
    uint32_t ndim;
    size_t shape[RD_MAX_DIMS];
    size_t count;
    double *values; /* row-major; integers converted */
} golden_array;
typedef struct golden_names {
    size_t count;
    char (*name)[64];
} golden_names;
typedef struct golden_file golden_file;

/* stem: "ops", "optim", "layers"; skips the running test if the file is not there. */
golden_file *golden_open(const char *stem);
void golden_close(golden_file *f); /* NULL is fine */
bool golden_has(const golden_file *f, const char *path);
golden_names golden_list(const golden_file *f, const char *group); /* by name */
void golden_names_free(golden_names *names);
golden_array golden_read(const golden_file *f, const char *path);
void golden_array_free(golden_array *a);
/* Attributes of a group; `fallback` where it is not there. */
double golden_number(const golden_file *f, const char *group, const char *name, double fallback);
/* Empty where it is not there. */
void golden_text(const golden_file *f, const char *group, const char *name, char text[64]);

/* A new tensor with a dataset's values. RD_SEQUENCE: the dataset (T, B, ...) becomes a tensor
 * (B, T, ...) in sequence order. */
rd_tensor *golden_tensor(rd_core *core, const golden_file *f, const char *path, rd_order order);
/* The same from values. */
rd_tensor *golden_tensor_of(rd_core *core, const golden_array *a, rd_order order);
/* Checks shape and values of t, laid out by `order` as above, within GOLDEN_TOLERANCE; returns the
 * relative difference found. */
double golden_check(const golden_file *f, const char *path, const rd_tensor *t, rd_order order);
double golden_check_values(const char *what, const golden_array *want, const rd_tensor *t,
                           rd_order order);
#endif
