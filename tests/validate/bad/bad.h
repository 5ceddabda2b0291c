/* bad.h - a plugin that holds every rule; each file here breaks one of them.
 * SPDX-License-Identifier: MIT */
#ifndef RD_TEST_BAD_H
#define RD_TEST_BAD_H
#include "rondo/kernel.h"

/* GOOD_PLUGIN and GOOD_CELL give every field; what a file is about comes after them and replaces one. */
#ifdef __clang__
#pragma clang diagnostic ignored "-Winitializer-overrides"
#else
#pragma GCC diagnostic ignored "-Woverride-init"
#endif

static inline rd_status one_state(const rd_setup *u, rd_builder *b)
{
    b->state(b, RD_NEW(rd_state_decl, .name = "h", .width = u->hidden));
    return RD_OK;
}
static inline void do_nothing(const rd_step *s)
{
    (void)s;
}
#define GOOD_CELL(called) \
    .size = sizeof(rd_cell), .revision = 1, .name = called, .help = "for tests", \
    .layout = one_state, .forward = do_nothing
#define GOOD_PLUGIN(called) \
    .stamp = RD_STAMP, .size = sizeof(rd_plugin), .name = called, .version = "1", \
    .license = "MIT", .origin = "tests"
#endif
