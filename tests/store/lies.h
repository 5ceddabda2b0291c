/* lies.h - what the process that works with libhdf5 is made to say (liar.c), frame by frame.
 * SPDX-License-Identifier: MIT */
#ifndef RD_STORE_LIES_H
#define RD_STORE_LIES_H
#include "checkpoint.h"
#include "store/hdf5_module.h"
#include "store/seal.h"

/* A core whose module says what it is told. */
static const rd_core liar = {.lib_dir = (char *)(uintptr_t)RD_TEST_LIAR_DIR};

typedef struct talk {
    unsigned char at[1 << 20];
    size_t n;
} talk;

static inline void say(talk *t, const void *bytes, size_t n)
{
    assert_true(n <= sizeof(t->at) - t->n);
    if (n > 0) memcpy(t->at + t->n, bytes, n);
    t->n += n;
}

/* A frame as it stands; what follows it is said by itself. */
static inline void say_frame(talk *t, rdc_frame frame)
{
    say(t, &frame, sizeof(frame));
}

static inline void say_done(talk *t, uint64_t n)
{
    say_frame(t, (rdc_frame){.type = RDC_FRAME_DONE, .data_bytes = n});
}

/* Seals what is said of an archive with the state digest that the archive has. */
static inline const char *sealed_talk(scratch *s, const talk *t, const rd_archive *meant)
{
    unsigned char *bytes = malloc(RDC_SEAL_BYTES + t->n);
    rdc_seal seal = {.image_bytes = t->n};
    rdc_digest_bytes(t->at, t->n, seal.file);
    assert_int_equal(rdc_digest_state(meant, seal.state, NULL), RD_OK);
    rdc_seal_write(&seal, bytes);
    memcpy(bytes + RDC_SEAL_BYTES, t->at, t->n);
    const char *path = scratch_write(s, "told.h5", bytes, RDC_SEAL_BYTES + t->n);
    free(bytes);
    return path;
}
#endif
