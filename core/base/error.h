/* error.h - how a failure is said, and the checked sizes behind every allocation.
 * SPDX-License-Identifier: MIT */
#ifndef RD_ERROR_H
#define RD_ERROR_H
#include "rondo.h"

/* The only control-flow macro: returns the status of a call that failed. */
#define RD_TRY(call) \
    do { \
        const rd_status rd_try_status = (call); \
        if (rd_try_status != RD_OK) return rd_try_status; \
    } while (0)

/* Writes the sentence and returns code: one line (control characters become '?'), cut at a UTF-8 border where
 * it is too long. err may be NULL. */
__attribute__((format(printf, 3, 4))) rd_status rdc_fail(rd_error *err, rd_status code,
                                                         const char *format, ...);
rd_status rdc_no_memory(rd_error *err, size_t bytes);
/* False on overflow; *out is then not to be used. */
bool rdc_mul_size(size_t a, size_t b, size_t *out);
bool rdc_add_size(size_t a, size_t b, size_t *out);
#endif
