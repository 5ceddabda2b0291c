/* fuzz_reader.c - what a child process for HDF5 that has fallen to a hostile file may send to the process
 * that holds the work: nothing of it does harm, and what is taken is what was said.
 *
 * There is no child: pipe2, fork, waitpid and kill are our own, and the pipe is a file in memory. The first
 * bytes say what is asked of the child and how it ends, the rest is what it sends.
 * SPDX-License-Identifier: MIT */
#include "core.h"
#include "fuzz/support/fuzz.h"
#include "rondo_series.h"
#include "store/archive.h"
#include "store/child.h"
#include "store/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHILD = 0x3FFFFFFF, MOST_FILE = 1 << 12, MOST_READS = 8 };

int __wrap_pipe2(int ends[2], int flags);
pid_t __real_fork(void);
pid_t __wrap_fork(void);
pid_t __real_waitpid(pid_t pid, int *how, int options);
pid_t __wrap_waitpid(pid_t pid, int *how, int options);
int __real_kill(pid_t pid, int number);
int __wrap_kill(pid_t pid, int number);

static int sent = -1; /* what the child sends: one descriptor, one place in it for all readers */
static bool piped;    /* a pipe was made: who forks now is the core, not a sanitizer */
static int running;   /* children that were started and not waited for */
static int ends_by;   /* the signal it ends by, or 0 */
static int open_end;  /* the reader's end of the pipe */

int __wrap_pipe2(int ends[2], int flags)
{
    ends[0] = open_end = fcntl(sent, F_DUPFD_CLOEXEC, 0);
    ends[1] = open("/dev/null", O_WRONLY | flags);
    piped = true;
    return ends[0] < 0 || ends[1] < 0 ? -1 : 0;
}

pid_t __wrap_fork(void)
{
    if (!piped) return __real_fork();
    piped = false;
    running++;
    return CHILD;
}

pid_t __wrap_waitpid(pid_t pid, int *how, int options)
{
    if (pid != CHILD) return __real_waitpid(pid, how, options);
    FUZZ_HOLDS(running == 1 && options == 0);
    running--;
    *how = ends_by; /* as the system says that a signal ended it */
    return pid;
}

int __wrap_kill(pid_t pid, int number)
{
    if (pid != CHILD) return __real_kill(pid, number);
    FUZZ_HOLDS(running == 1 && number == SIGKILL);
    return 0;
}

/* Whatever came: the child is waited for and the pipe is closed. */
static void check_end(rd_status status, const rd_error *err)
{
    FUZZ_HOLDS(running == 0);
    FUZZ_HOLDS(fcntl(open_end, F_GETFD) < 0 && errno == EBADF);
    if (status != RD_OK) fuzz_refused(status, err);
}

/* ---- a checkpoint ---- */

/* The archive that the frames are, read without a care for whether they are right: NULL if they are not. */
static rd_archive *expected(const uint8_t *at, size_t n, uint64_t left)
{
    rd_archive *a = NULL;
    FUZZ_HOLDS(rd_archive_new(&a, NULL) == RD_OK);
    for (;;) {
        rdc_frame frame;
        rd_entry entry = {0};
        size_t bytes;
        char name[RDC_NAME_BYTES + 1];
        if (n < sizeof frame) break;
        memcpy(&frame, at, sizeof frame);
        at += sizeof frame;
        n -= sizeof frame;
        if (frame.type == RDC_FRAME_DONE && frame.data_bytes == rd_archive_count(a)) return a;
        if (frame.type != RDC_FRAME_ENTRY || frame.kind > RD_ENTRY_TEXT ||
            frame.ndim > RD_MAX_DIMS || frame.name_bytes > RDC_NAME_BYTES ||
            frame.data_bytes > left || frame.name_bytes + frame.data_bytes > n)
            break;
        entry.kind = (rd_entry_kind)frame.kind;
        entry.ndim = frame.ndim;
        for (uint32_t d = 0; d < frame.ndim; d++) entry.shape[d] = (size_t)frame.shape[d];
        if (!rdc_entry_bytes(&entry, &bytes) || bytes != frame.data_bytes) break;
        memcpy(name, at, frame.name_bytes);
        name[frame.name_bytes] = '\0';
        entry.name = name;
        entry.data = at + frame.name_bytes;
        if (rd_archive_put(a, &entry, NULL) != RD_OK) break;
        at += frame.name_bytes + bytes;
        n -= frame.name_bytes + bytes;
        left -= bytes;
    }
    rd_archive_free(a);
    return NULL;
}

static void check_same(const rd_archive *a, const rd_archive *b)
{
    unsigned char one[RDC_DIGEST_BYTES], other[RDC_DIGEST_BYTES];
    FUZZ_HOLDS(rd_archive_count(a) == rd_archive_count(b));
    for (size_t i = 0; i < rd_archive_count(a); i++) {
        const rd_entry *x = rd_archive_at(a, i), *y = rd_archive_at(b, i);
        size_t bytes = 0, same = 0;
        FUZZ_HOLDS(strcmp(x->name, y->name) == 0 && x->kind == y->kind && x->ndim == y->ndim);
        FUZZ_HOLDS(rdc_entry_bytes(x, &bytes) && rdc_entry_bytes(y, &same) && bytes == same);
        FUZZ_HOLDS(memcmp(x->data, y->data, bytes) == 0);
        FUZZ_HOLDS(rd_archive_find(a, x->name) == x);
    }
    FUZZ_HOLDS(rdc_digest_state(a, one, NULL) == RD_OK &&
               rdc_digest_state(b, other, NULL) == RD_OK);
    FUZZ_HOLDS(memcmp(one, other, sizeof one) == 0);
}

/* A sealed file whose image is zeros, and whose state is what the child is going to send. */
static void load(const rd_core *core, const fuzz_input *in, size_t bytes)
{
    static unsigned char file[RDC_SEAL_BYTES + MOST_FILE];
    rd_archive *wanted = expected(in->at, in->n, RDC_SEAL_BYTES + bytes), *a = NULL;
    rdc_seal seal = {.image_bytes = bytes};
    rd_digests digests;
    rd_error err = {0};
    rdc_digest_bytes(file + RDC_SEAL_BYTES, bytes, seal.file);
    if (wanted) FUZZ_HOLDS(rdc_digest_state(wanted, seal.state, NULL) == RD_OK);
    rdc_seal_write(&seal, file);
    const char *path = fuzz_file(file, RDC_SEAL_BYTES + bytes);
    const rd_status status = rd_archive_load(core, path, &a, &digests, &err);
    check_end(status, &err);
    FUZZ_HOLDS((status == RD_OK) == (wanted != NULL));
    if (status == RD_OK) check_same(a, wanted);
    rd_archive_free(a);
    rd_archive_free(wanted);
}

static void save(const rd_core *core)
{
    static const double value = 0.5;
    rd_archive *a = NULL;
    rd_error err = {0};
    char folder[] = "/dev/shm/rondo-fuzz-XXXXXX", path[64];
    FUZZ_HOLDS(rd_archive_new(&a, NULL) == RD_OK && mkdtemp(folder));
    FUZZ_HOLDS(rd_archive_put(a, &(rd_entry){"a", RD_ENTRY_F64, 0, {0}, &value}, NULL) == RD_OK);
    snprintf(path, sizeof path, "%s/a.h5", folder);
    const rd_status status = rd_archive_save(core, a, path, NULL, &err);
    check_end(status, &err);
    FUZZ_HOLDS((unlink(path) == 0) == (status == RD_OK));
    FUZZ_HOLDS(rmdir(folder) == 0); /* nothing else was left there */
    rd_archive_free(a);
}

/* ---- datasets of numbers ---- */

/* Reads a dataset as the binding does; every second column is left out. */
static void read_rows(const rd_core *core, const rd_hdf5 *h, size_t index, const rd_hdf5_set *set)
{
    rd_series *s = NULL;
    rd_error err = {0};
    const rd_series_form form = {
        .rows = set->rows, .columns = (uint32_t)(set->columns + 1) / 2, .most_bytes = SIZE_MAX};
    uint32_t *to = malloc(set->columns * sizeof *to + 1);
    FUZZ_HOLDS(to && rd_series_new(&form, &s, NULL) == RD_OK);
    for (uint32_t k = 0; k < set->columns; k++) to[k] = k % 2 ? RD_ALL : k / 2;
    const rd_status status = rd_hdf5_rows(core, h, index, s, to, &err);
    check_end(status, &err);
    rd_series_free(s);
    free(to);
}

static void look(const rd_core *core, size_t bytes)
{
    static const unsigned char file[MOST_FILE];
    rd_hdf5 *h = NULL;
    rd_error err = {0};
    const rd_status status = rd_hdf5_open(core, fuzz_file(file, bytes), &h, &err);
    check_end(status, &err);
    if (status != RD_OK) return;
    const rd_hdf5_set *sets;
    const size_t n = rd_hdf5_sets(h, &sets);
    int reads = 0;
    for (size_t i = 0; i < n; i++) {
        FUZZ_HOLDS(sets[i].name[0] != '\0' && strlen(sets[i].name) <= RDC_NAME_BYTES);
        FUZZ_HOLDS(sets[i].text != NULL);
        if (!sets[i].readable) continue;
        /* what a list of columns and their rows take is in proportion to the file, or bounded */
        FUZZ_HOLDS(sets[i].ndim == 1 || sets[i].ndim == 2);
        FUZZ_HOLDS(sets[i].columns <= RDC_ROWS_COLUMNS && sets[i].rows <= INT64_MAX);
        FUZZ_HOLDS(sets[i].columns == 0 || sets[i].rows <= bytes * 1032 / sets[i].columns);
        if (reads++ < MOST_READS) read_rows(core, h, i, &sets[i]);
    }
    rd_hdf5_free(h);
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t n)
{
    static char folder[] = "/";
    const rd_core core = {.lib_dir = folder}; /* from which nothing is loaded here */
    fuzz_input in = {.at = at, .n = n};
    const uint8_t what = fuzz_byte(&in);
    const size_t bytes = 1 + fuzz_number(&in, MOST_FILE - 1);
    ends_by = what >> 2 & 31;
    if (sent < 0) sent = memfd_create("sent", MFD_CLOEXEC);
    FUZZ_HOLDS(ftruncate(sent, 0) == 0 && pwrite(sent, in.at, in.n, 0) == (ssize_t)in.n);
    FUZZ_HOLDS(lseek(sent, 0, SEEK_SET) == 0);
    if (what % 4 == 0)
        save(&core);
    else if (what % 4 == 1)
        load(&core, &in, bytes);
    else
        look(&core, bytes);
    return 0;
}
