/* fuzz_checkpoint.c - a checkpoint file from anybody: it is refused in a sentence, or what is loaded can be
 * saved and loaded again, with the same state.
 *
 * The whole way is taken, child, sandbox and all (support/child.h). The first byte says what the rest is: the
 * bytes of a file, or an HDF5 image to which an attacker has put a right seal, right digests and, it may be,
 * right checksums of HDF5's own.
 * SPDX-License-Identifier: MIT */
#include "core.h"
#include "fuzz/support/child.h"
#include "fuzz/support/fuzz.h"
#include "store/archive.h"
#include "store/seal.h"

#include <unistd.h>

enum { RAW = 1, CHECKSUMS = 2, OWN_STATE = 4, AGAIN = 8 };

rd_status __real_rdc_digest_state(const rd_archive *a, unsigned char digest[RDC_DIGEST_BYTES],
                                  rd_error *err);
rd_status __wrap_rdc_digest_state(const rd_archive *a, unsigned char digest[RDC_DIGEST_BYTES],
                                  rd_error *err);

static bool
    right_state; /* every state has the digest 0, as the attacker would have made it right */

rd_status __wrap_rdc_digest_state(const rd_archive *a, unsigned char digest[RDC_DIGEST_BYTES],
                                  rd_error *err)
{
    const rd_status status = __real_rdc_digest_state(a, digest, err);
    if (right_state) memset(digest, 0, RDC_DIGEST_BYTES);
    return status;
}

/* The file of an input, in memory. */
static const char *file_of(uint8_t how, const uint8_t *at, size_t n)
{
    if (how & RAW) return fuzz_file(at, n);
    uint8_t *file = malloc(RDC_SEAL_BYTES + n);
    rdc_seal seal = {.image_bytes = n};
    FUZZ_HOLDS(file != NULL);
    memcpy(file + RDC_SEAL_BYTES, at, n);
    if (how & CHECKSUMS) fuzz_hdf5_checksums(file + RDC_SEAL_BYTES, n);
    rdc_digest_bytes(file + RDC_SEAL_BYTES, n, seal.file);
    rdc_seal_write(&seal, file);
    const char *path = fuzz_file(file, RDC_SEAL_BYTES + n);
    free(file);
    return path;
}

/* What is in an archive is what one may hold, and no more than the file. */
static void check_archive(const rd_archive *a, size_t n)
{
    size_t all = 0;
    for (size_t i = 0; i < rd_archive_count(a); i++) {
        const rd_entry *entry = rd_archive_at(a, i);
        size_t bytes = 0;
        FUZZ_HOLDS(entry->name[0] != '\0' && strlen(entry->name) <= RDC_NAME_BYTES);
        FUZZ_HOLDS(rdc_entry_bytes(entry, &bytes) && bytes <= n && all <= n - bytes);
        FUZZ_HOLDS(rd_archive_find(a, entry->name) == entry);
        all += bytes;
    }
}

static void save_again(const rd_core *core, const rd_archive *a)
{
    unsigned char before[RDC_DIGEST_BYTES], after[RDC_DIGEST_BYTES];
    char folder[] = "/dev/shm/rondo-fuzz-XXXXXX", path[64];
    rd_archive *b = NULL;
    right_state = false;
    FUZZ_HOLDS(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/a.h5", folder);
    FUZZ_HOLDS(rd_archive_save(core, a, path, NULL, NULL) == RD_OK);
    FUZZ_HOLDS(rd_archive_load(core, path, &b, NULL, NULL) == RD_OK);
    FUZZ_HOLDS(rdc_digest_state(a, before, NULL) == RD_OK &&
               rdc_digest_state(b, after, NULL) == RD_OK);
    FUZZ_HOLDS(memcmp(before, after, sizeof before) == 0);
    FUZZ_HOLDS(rd_archive_count(a) == rd_archive_count(b));
    rd_archive_free(b);
    FUZZ_HOLDS(unlink(path) == 0 && rmdir(folder) == 0);
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
    rd_archive *a = NULL;
    rd_digests digests;
    rd_error err = {0};
    if (n == 0) return 0;
    const uint8_t how = at[0];
    right_state = !(how & (RAW | OWN_STATE));
    const char *path = file_of(how, at + 1, n - 1);
    const rd_status status = rd_archive_load(&core, path, &a, &digests, &err);
    if (status != RD_OK) {
        fuzz_refused(status, &err);
        FUZZ_HOLDS(a == NULL);
    } else {
        check_archive(a, RDC_SEAL_BYTES + n);
        if (how & AGAIN) save_again(&core, a);
    }
    fuzz_child_check();
    rd_archive_free(a);
    return 0;
}
