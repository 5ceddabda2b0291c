/* every_allocation.h - whichever allocation of our own gets nothing, once or for ever: an error that speaks
 * of memory, no crash and no leak.
 * SPDX-License-Identifier: MIT */
#ifndef RD_FAULTS_EVERY_ALLOCATION_H
#define RD_FAULTS_EVERY_ALLOCATION_H
#include "faults/faulty_memory.h"
#include "store/scratch.h"
#include "support/tensors.h"

/* Something that is done from nothing to the end; everything it got is given back, whatever came of it. */
typedef rd_status (*deed)(scratch *s, rd_error *err);

/* The next call, unless one before it has failed. */
#define DO(call) \
    if (status == RD_OK) status = (call)

#define CHECK(what) \
    do { \
        if (!(what)) \
            fail_msg("allocation %ld gets nothing, %s: not so: %s (%s)", fault.call, \
                     fault.always ? "and all after it" : "once", #what, err.text); \
    } while (0)

static inline void check_fault(scratch *s, deed do_it, memory_fault fault)
{
    rd_error err = {0};
    const size_t before = memory_blocks();
    memory_faults_begin(fault);
    const rd_status status = do_it(s, &err);
    memory_faults_end();
    CHECK(status == RD_OK ? err.text[0] == '\0' : strstr(err.text, "memory") != NULL);
    CHECK(memory_blocks() == before);
}

static inline void check_deed(scratch *s, deed do_it)
{
    rd_error err = {0};
    test_ok(do_it(s, &err), &err); /* what is taken once and kept is there afterwards */
    const size_t blocks = memory_blocks();
    memory_faults_begin((memory_fault){0});
    test_ok(do_it(s, &err), &err);
    const long calls = memory_faults_end();
    assert_int_equal(memory_blocks(), blocks);
    assert_true(calls > 2);
    for (long call = 1; call <= calls; call++)
        for (int always = 0; always < 2; always++)
            check_fault(s, do_it, (memory_fault){call, always});
    test_ok(do_it(s, &err), &err);
}
#endif
