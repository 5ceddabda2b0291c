/* cpu.h - what this processor can do, with the operating system's support for its registers.
 * SPDX-License-Identifier: MIT */
#ifndef RD_CPU_H
#define RD_CPU_H
#include "rondo.h"

void rdc_cpu_probe(rd_cpu *cpu);
#endif
