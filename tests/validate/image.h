/* image.h - a loaded plugin as it lies in memory: what it calls of others, and what it may write to.
 *
 * While it is armed, a call of any function outside of the plugin ends the child with a failure that
 * names it, but for those that compute or copy alone: the addresses that the loader filled in for the
 * plugin are replaced by places that cannot be run. The checker's own calls are its own affair.
 * SPDX-License-Identifier: MIT */
#ifndef RD_CHECK_IMAGE_H
#define RD_CHECK_IMAGE_H
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { IMAGE_SEGMENTS = 8, IMAGE_CALLS = 256 };

typedef struct image_segment { /* that the plugin may write to */
    char *at, *kept;
    size_t n;
} image_segment;
typedef struct image_call { /* of another's function */
    const char *name;
    void **place, *before;
} image_call;
typedef struct image {
    const struct link_map *map;
    image_segment segment[IMAGE_SEGMENTS];
    size_t n_segments;
    image_call call[IMAGE_CALLS];
    size_t n_calls;
    bool thread_local_data;
} image;

/* Of the shared object that an address lies in. false: out of memory, or it lies in none. */
bool image_open(image *m, const void *inside);
/* Keeps what the data are now and, unless `by` is NULL, forbids calls: "forward of phase 0" is who makes
 * them. */
void image_arm(image *m, const char *by);
void image_disarm(image *m);
/* Have the data changed since? "'counter'", or where it has no name "4 bytes". */
bool image_changed(const image *m, char *what, size_t cap);
#endif
