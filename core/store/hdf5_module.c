/* hdf5_module.c - what rondo_hdf5.so shows to the core, and how it says what went wrong.
 *
 * SPDX-License-Identifier: MIT */
#include "store/hdf5_module.h"

#include <hdf5.h>
#include <stdio.h>
#include <string.h>

RD_EXPORT const rdc_hdf5 rdc_hdf5_module = {
    .version = RDC_HDF5_VERSION,
    .image = rdc_hdf5_image,
    .parse = rdc_hdf5_parse,
    .look = rdc_hdf5_look,
    .rows = rdc_hdf5_rows,
};

/* Walking upward, the first entry is the innermost one: the reason. */
static herr_t innermost(unsigned n, const H5E_error2_t *e, void *reason)
{
    if (n == 0 && e->desc) snprintf(reason, RDC_FRAME_TEXT / 2, ": %s", e->desc);
    return 0;
}

bool rdc_hdf5_fail(const rdc_wire *wire, const char *what, const char *name)
{
    char reason[RDC_FRAME_TEXT / 2] = "";
    char text[RDC_FRAME_TEXT];
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, innermost, reason);
    const int n = name ? snprintf(text, sizeof(text), "%s '%.100s'%s", what, name, reason)
                       : snprintf(text, sizeof(text), "%s%s", what, reason);
    if (n < 0) return false;
    const size_t bytes = (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1;
    const rdc_frame frame = {.type = RDC_FRAME_ERROR, .name_bytes = (uint32_t)bytes};
    if (wire->send(wire->fd, &frame, sizeof(frame))) wire->send(wire->fd, text, bytes);
    return false;
}
