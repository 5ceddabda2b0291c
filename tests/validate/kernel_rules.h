/* kernel_rules.h - rules K2 and K3 of the plugin border (plugins/README.md), which a backend's products keep.
 *
 * A function answers true, or false and a sentence; it depends on no test framework. The backend must be one
 * that this processor can run and whose score() was called.
 * SPDX-License-Identifier: MIT */
#ifndef RD_KERNEL_RULES_H
#define RD_KERNEL_RULES_H
#include "rondo/kernel.h"

enum { KERNEL_RULE_TEXT = 512 };

typedef struct kernel_case {
    const rd_kernels *kernels;
    /* 1: every product; n: every n-th, for slow builds and emulated processors. No multiple of 71 */
    uint32_t thin;
    void (*about)(const char *format, ...); /* told what is about to be called; NULL: nobody is */
} kernel_case;
typedef bool kernel_rule_fn(const kernel_case *c, char *why, size_t cap);

/* K2: every number is right to rounding, and nothing else is read or written. */
kernel_rule_fn kernel_right_sizes, kernel_right_large, kernel_right_cut, kernel_right_counts;
kernel_rule_fn kernel_right_bf16; /* of backends that say RD_KERNELS_BF16 */
kernel_rule_fn kernel_right_int8; /* the same with RD_KERNELS_INT8 */
/* K3, of backends that do not say RD_KERNELS_INEXACT: the bits are the contract's. */
kernel_rule_fn kernel_bits_sizes, kernel_bits_large, kernel_bits_tiny, kernel_bits_endless;
kernel_rule_fn kernel_bits_bf16, kernel_bits_small_bf16, kernel_bits_bf16_parts;
kernel_rule_fn kernel_bits_int8;
#endif
