/* lies_rows.h - what the process that works with libhdf5 is made to say of datasets and their rows.
 * SPDX-License-Identifier: MIT */
#ifndef RD_STORE_LIES_ROWS_H
#define RD_STORE_LIES_ROWS_H
#include "lies.h"
#include "rondo_series.h"

static const char nonsense[] = "the child process for HDF5 sent nonsense";
static const char early[] = "the child process for HDF5 ended early";
static talk sets,
    rows; /* of the test that runs: what is said when asked for the one and for the other */

static inline int begin(void **state)
{
    sets.n = rows.n = 0;
    return scratch_open(state);
}

static const rdc_frame table = {.type = RDC_FRAME_ENTRY,
                                .kind = RDC_ROWS_READABLE,
                                .ndim = 2,
                                .name_bytes = 5,
                                .shape = {6, 2},
                                .data_bytes = 4};

static inline void say_set(rdc_frame frame, const char *name, const char *text)
{
    say_frame(&sets, frame);
    say(&sets, name, frame.name_bytes);
    say(&sets, text, frame.data_bytes);
}

static inline rd_status open_talk(scratch *s, rd_hdf5 **out, rd_error *err)
{
    static talk both;
    both.n = 0;
    say(&both, &(uint64_t){sets.n}, 8);
    say(&both, sets.at, sets.n);
    say(&both, &(uint64_t){rows.n}, 8);
    say(&both, rows.at, rows.n);
    return rd_hdf5_open(&liar, scratch_write(s, "told.h5", both.at, both.n), out, err);
}

static inline rd_hdf5 *opened(scratch *s)
{
    rd_error err = {0};
    rd_hdf5 *h = NULL;
    if (open_talk(s, &h, &err) != RD_OK) fail_msg("%s", err.text);
    return h;
}

static inline void check_message(scratch *s, const rd_error *err, const char *why)
{
    char expected[600];
    snprintf(expected, sizeof(expected), "cannot read '%s': %s", s->path, why);
    assert_string_equal(err->text, expected);
}
#endif
