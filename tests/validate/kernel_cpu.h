/* kernel_cpu.h - rule K1 of the plugin border, on processors that qemu emulates.
 * SPDX-License-Identifier: MIT */
#ifndef RD_KERNEL_CPU_H
#define RD_KERNEL_CPU_H
#include "check.h"

/* gemm and pack on a processor with the backend's needs and no more. */
void kernel_cpu_products(const check_subject *s, check_verdict *v);
/* Loading, and score(), on a processor that lacks them. */
void kernel_cpu_listing(const check_subject *s, check_verdict *v);
/* What this program does there: `what` is "products" or "listing". Returns its exit status. */
int kernel_cpu_main(const char *what, const char *path, const char *name);
#endif
