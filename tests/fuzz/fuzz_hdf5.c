/* fuzz_hdf5.c - an HDF5 file from anybody, read as columns of numbers: what is read are the values that the
 * file says it has, all of them, and the same ones each time.
 *
 * The whole way is taken, child, sandbox and all (support/child.h). The first byte says whether checksums of
 * HDF5's own are made right, the rest is the file.
 * SPDX-License-Identifier: MIT */
#include "core.h"
#include "fuzz/support/child.h"
#include "fuzz/support/fuzz.h"
#include "rondo_series.h"

enum { CHECKSUMS = 1, TWICE = 2, MOST_COLUMNS = 64, MOST_VALUES = 1 << 16, MOST_SETS = 3 };

/* A number that no file holds: it stands where nothing was written. It is another for every reading, because
 * libFuzzer sees what is compared and puts it into files. */
static uint64_t nothing = 0x7FF8DEADBEEF0001U;

static rd_series *read_set(const rd_core *core, const rd_hdf5 *h, size_t index)
{
    const rd_hdf5_set *sets;
    uint32_t to[MOST_COLUMNS];
    rd_series *s = NULL;
    rd_error err = {0};
    (void)rd_hdf5_sets(h, &sets);
    const rd_hdf5_set *set = &sets[index];
    const rd_series_form form = {
        .rows = set->rows, .columns = (uint32_t)set->columns, .most_bytes = SIZE_MAX};
    if (set->columns > MOST_COLUMNS || set->rows > MOST_VALUES / (set->columns + 1)) return NULL;
    FUZZ_HOLDS(rd_series_new(&form, &s, NULL) == RD_OK);
    double *at = rd_series_column(s, 0);
    nothing = nothing * 6364136223846793005U + 1442695040888963407U;
    for (size_t i = 0; i < set->rows * set->columns; i++) memcpy(&at[i], &nothing, sizeof *at);
    for (uint32_t k = 0; k < set->columns; k++) to[k] = k;
    const rd_status status = rd_hdf5_rows(core, h, index, s, to, &err);
    if (status == RD_OK) {
        for (size_t i = 0; i < set->rows * set->columns; i++)
            FUZZ_HOLDS(memcmp(&at[i], &nothing, sizeof *at) != 0);
        return s;
    }
    fuzz_refused(status, &err);
    rd_series_free(s);
    return NULL;
}

static void check_same(rd_series *a, rd_series *b)
{
    const size_t n = (size_t)(rd_series_rows(a) * rd_series_columns(a));
    FUZZ_HOLDS(b != NULL);
    FUZZ_HOLDS(n == 0 ||
               memcmp(rd_series_column(a, 0), rd_series_column(b, 0), n * sizeof(double)) == 0);
}

static void read_sets(const rd_core *core, const rd_hdf5 *h, bool twice)
{
    const rd_hdf5_set *sets;
    const size_t n = rd_hdf5_sets(h, &sets);
    int reads = 0;
    for (size_t i = 0; i < n; i++) {
        FUZZ_HOLDS(sets[i].name && sets[i].name[0] != '\0' && sets[i].text);
        if (!sets[i].readable || reads++ >= MOST_SETS) continue;
        rd_series *s = read_set(core, h, i), *again = s && twice ? read_set(core, h, i) : NULL;
        if (s && twice) check_same(s, again);
        rd_series_free(s);
        rd_series_free(again);
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    fuzz_child_begin();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t n)
{
    static char folder[] = RD_TEST_LIB_DIR;
    const rd_core core = {.lib_dir = folder};
    fuzz_input in = {.at = at, .n = n};
    const uint8_t how = fuzz_byte(&in);
    rd_hdf5 *h = NULL;
    rd_error err = {0};
    uint8_t *image = malloc(in.n + 1);
    FUZZ_HOLDS(image != NULL);
    if (in.n > 0) memcpy(image, in.at, in.n);
    if (how & CHECKSUMS) fuzz_hdf5_checksums(image, in.n);
    const rd_status status = rd_hdf5_open(&core, fuzz_file(image, in.n), &h, &err);
    free(image);
    if (status == RD_OK)
        read_sets(&core, h, how & TWICE);
    else
        fuzz_refused(status, &err);
    fuzz_child_check();
    rd_hdf5_free(h);
    return 0;
}
