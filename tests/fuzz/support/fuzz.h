/* fuzz.h - what the fuzzers share: options out of an input's first bytes, a file of the rest, properties
 * that must hold.
 *
 * SPDX-License-Identifier: MIT */
#ifndef RD_FUZZ_H
#define RD_FUZZ_H
#include "rondo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* libFuzzer's entry points. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *at, size_t n);
size_t LLVMFuzzerMutate(uint8_t *at, size_t n, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *at, size_t n, size_t most, unsigned seed);

/* A property of the product. What does not hold ends the program, and libFuzzer keeps the input. */
#define FUZZ_HOLDS(what) fuzz_holds((what), #what, __FILE__, __LINE__)
static inline void fuzz_holds(bool holds, const char *what, const char *file, int line)
{
    if (holds) return;
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
    abort();
}

/* Every refusal is a sentence of one line. */
static inline void fuzz_refused(rd_status status, const rd_error *err)
{
    FUZZ_HOLDS(status == err->code && status != RD_OK);
    FUZZ_HOLDS(err->text[0] != '\0' && memchr(err->text, '\0', sizeof err->text) != NULL);
    FUZZ_HOLDS(strchr(err->text, '\n') == NULL);
}

typedef struct fuzz_input { /* what is left of an input */
    const uint8_t *at;
    size_t n;
} fuzz_input;

/* The next byte; 0 behind the end. */
static inline uint8_t fuzz_byte(fuzz_input *in)
{
    if (in->n == 0) return 0;
    in->n--;
    return *in->at++;
}

/* 0..most, of one byte where that does, else of four. */
static inline uint32_t fuzz_number(fuzz_input *in, uint32_t most)
{
    uint32_t value = fuzz_byte(in);
    for (int i = 0; most > UINT8_MAX && i < 3; i++) value = value << 8 | fuzz_byte(in);
    return most == UINT32_MAX ? value : value % (most + 1);
}

/* The path of a file that holds these bytes until the next call. It is in memory; map.c has its maps. */
const char *fuzz_file(const void *bytes, size_t n);
/* A core without plugins and of one thread, made once. */
rd_core *fuzz_core(void);
/* Beyond so many bytes of the whole process malloc gives nothing: see memory.c. */
void fuzz_limit_memory(size_t most);
#endif
