/* hdf5_child.h - the sources of rondo_hdf5.so at work in a forked child, as that module is: what it says.
 * SPDX-License-Identifier: MIT */
#ifndef RD_FAULTS_HDF5_CHILD_H
#define RD_FAULTS_HDF5_CHILD_H
#include "faults/faulty_hdf5.h"
#include "faults/tally.h"
#include "store/checkpoint.h"
#include "store/files.h"
#include "store/hdf5_module.h"
#include "store/seal.h"

#include <hdf5.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { MOST_BYTES = 1 << 20 };

typedef struct talk { /* what a child sent and how it ended */
    unsigned char at[MOST_BYTES];
    size_t n;
    int how;
    hdf5_fault fault;
} talk;

typedef struct job {
    bool (*run)(const struct job *job, const rdc_wire *wire);
    const rd_archive *a; /* that is saved */
    const void *image;   /* that is read */
    size_t bytes;
    const char *name; /* of the dataset whose rows are read */
    const char *lie;  /* a call that only says that it is done */
    const char *off;  /* a call that shuts in, which fails every time */
} job;

/* Does the job in a child in which a call fails. */
static inline void run(const job *j, long call, talk *t)
{
    int ends[2];
    hdf5_fault *both =
        mmap(NULL, sizeof(*both), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(both != MAP_FAILED);
    *both = (hdf5_fault){.call = call, .lie = j->lie, .off = j->off};
    if (call > 0 || j->lie || j->off) tally_one();
    assert_int_equal(pipe(ends), 0);
    const pid_t pid = fork();
    if (pid == 0) {
        const rdc_wire wire = {.fd = ends[1], .send = rdc_write_all};
        close(ends[0]);
        hdf5_faults_begin(both);
        const bool good = j->run(j, &wire);
        hdf5_faults_end();
        _exit(good ? 0 : 1);
    }
    close(ends[1]);
    assert_true(rdc_read_all(ends[0], t->at, sizeof(t->at), &t->n));
    close(ends[0]);
    assert_int_equal(waitpid(pid, &t->how, 0), pid);
    t->fault = *both;
    munmap(both, sizeof(*both));
}

/* The last frame, of type 0 if what came does not end with one; where it begins. */
static inline rdc_frame last_frame_at(const talk *t, size_t *begins)
{
    rdc_frame frame = {0};
    size_t at = 0;
    *begins = 0;
    while (at < t->n) {
        if (t->n - at < sizeof(frame)) return (rdc_frame){0};
        memcpy(&frame, t->at + at, sizeof(frame));
        *begins = at;
        at += sizeof(frame) + frame.name_bytes;
        if (frame.type != RDC_FRAME_DONE) at += frame.data_bytes;
    }
    return at == t->n ? frame : (rdc_frame){0};
}

static inline uint32_t last_frame(const talk *t)
{
    size_t at;
    return last_frame_at(t, &at).type;
}

/* Whether the last frame is an error that says so, or begins so. */
static inline bool ends_in_error(const talk *t, const char *text, bool whole)
{
    size_t at;
    const size_t n = strlen(text);
    const rdc_frame frame = last_frame_at(t, &at);
    return frame.type == RDC_FRAME_ERROR &&
           (whole ? frame.name_bytes == n : frame.name_bytes >= n) &&
           memcmp(t->at + at + sizeof(frame), text, n) == 0;
}

static inline bool build(const job *j, const rdc_wire *wire)
{
    return rdc_hdf5_image(j->a->entries, j->a->n, RDC_SEAL_BYTES, wire);
}

static inline bool parse(const job *j, const rdc_wire *wire)
{
    return rdc_hdf5_parse(j->image, j->bytes, wire);
}

static inline bool look(const job *j, const rdc_wire *wire)
{
    return rdc_hdf5_look(j->image, j->bytes, j->bytes, wire);
}

static inline bool rows(const job *j, const rdc_wire *wire)
{
    return rdc_hdf5_rows(j->image, j->bytes, &(rdc_rows_wanted){.name = j->name, .work = 1 << 20},
                         wire);
}

/* What is sent is an error that begins so, and nothing else. */
static inline void check_error(const job *j, const char *text)
{
    static talk t;
    size_t at;
    run(j, 0, &t);
    assert_true(WIFEXITED(t.how) && WEXITSTATUS(t.how) == 1);
    assert_true(ends_in_error(&t, text, false));
    (void)last_frame_at(&t, &at);
    assert_int_equal(at, 0);
}

/* ---- files that are made for a test ---- */

typedef void (*maker)(hid_t file);

static inline void add(hid_t file, const char *name, hid_t type, hid_t space, hid_t plist)
{
    const hid_t set = H5Dcreate2(file, name, type, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    assert_true(set >= 0 && H5Dclose(set) >= 0 && H5Sclose(space) >= 0);
}

static inline hid_t line_of(hsize_t n)
{
    return H5Screate_simple(1, &n, NULL);
}

static inline job job_of(scratch *s, maker make, bool (*how)(const job *, const rdc_wire *))
{
    job j = {.run = how, .name = "x"};
    const hid_t file = H5Fcreate(scratch_path(s, "b.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    make(file);
    add(file, "z", H5T_IEEE_F64LE, line_of(0), H5P_DEFAULT); /* honest, and comes last */
    assert_true(H5Fclose(file) >= 0);
    j.image = scratch_read(s->path, &j.bytes);
    return j;
}

/* Nothing but the error is sent. */
static inline void check_refused(scratch *s, maker make, bool (*how)(const job *, const rdc_wire *),
                                 const char *text)
{
    const job j = job_of(s, make, how);
    check_error(&j, text);
    free((void *)(uintptr_t)j.image);
}
#endif
