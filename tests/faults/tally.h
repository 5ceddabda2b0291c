/* tally.h - how many faults a program has put in, which it prints at its end: the figures of tests/README.md.
 *
 * Every file that includes it has a count of its own.
 * SPDX-License-Identifier: MIT */
#ifndef RD_FAULTS_TALLY_H
#define RD_FAULTS_TALLY_H
#include <stdio.h>
#include <unistd.h>

static struct tally {
    long faults;
    pid_t owner; /* children print nothing */
} tally;

static inline void tally_one(void)
{
    if (tally.faults++ == 0) tally.owner = getpid();
}

__attribute__((destructor)) static void tally_print(void)
{
    if (tally.owner == getpid()) (void)printf("%ld faults were put in\n", tally.faults);
}
#endif
