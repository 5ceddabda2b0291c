/* machine.h - the clock of measurements.
 * SPDX-License-Identifier: MIT */
#ifndef RD_MACHINE_H
#define RD_MACHINE_H
#include <time.h>

/* Seconds from a point that does not move. */
static inline double rdc_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}
#endif
