/* bits_program.c - prints the hashes of all cases: what tests/bits/golden.tsv holds.
 *
 * usage: bits_program [THREADS [KERNELS]]       one thread and the best kernels if not said
 * Says on standard error which kernels these are.
 * Needs no test library, so that it is built by every compiler and for every machine (tests/checks.sh).
 * SPDX-License-Identifier: MIT */
#include "bits_train.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    const rd_core_options options = {.threads = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1,
                                     .kernels = argc > 2 ? argv[2] : NULL,
                                     .lib_dir = RD_TEST_LIB_DIR,
                                     .trust_plugins = true};
    rd_core *core = NULL;
    rd_error err;
    rd_status status = rd_core_open(&options, &core, &err);
    if (status == RD_OK) fprintf(stderr, "kernels %s\n", rd_core_kernels(core));
    for (size_t i = 0; i < bits_count() && status == RD_OK; i++) {
        char name[96];
        uint64_t hash = 0;
        bits_name(i, name);
        status = bits_train(core, i, &(bits_form){0}, &hash, &err);
        if (status == RD_OK) printf("%s\t%016" PRIx64 "\n", name, hash);
    }
    uint64_t drawn = 0;
    if (status == RD_OK) status = bits_sample(core, &drawn, &err);
    if (status == RD_OK) printf(BITS_SAMPLE "\t%016" PRIx64 "\n", drawn);
    rd_core_release(core);
    if (status != RD_OK) fprintf(stderr, "bits_program: %s\n", err.text);
    return status == RD_OK ? 0 : 1;
}
