/* cpu.h - what this processor can do, with the operating system's support for its registers.
 * SPDX-License-Identifier: MIT */
#ifndef RD_CPU_H
#define RD_CPU_H
#include "rondo.h"

void rdc_cpu_probe(rd_cpu *cpu);
/* "avx2": the first of these features that has a name; NULL: none has. */
const char *rdc_cpu_name(uint64_t features);
#endif
