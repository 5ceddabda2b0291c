/* kernel_rules.h - the rules of the plugin border that a backend's functions keep, one function for each.
 *
 * A rule answers true, or false and a sentence; it depends on no test framework. The backend must be one that
 * this processor can run. Whether `needs` is all that it uses (K1) is checked under emulation: kernel_cpu.h.
 * SPDX-License-Identifier: MIT */
#ifndef RD_KERNEL_RULES_H
#define RD_KERNEL_RULES_H
#include "rondo/kernel.h"

enum { KERNEL_RULE_TEXT = 512 };

typedef struct kernel_case {
    const rd_kernels *kernels;
    uint32_t
        thin; /* 1: every product; n: every n-th, for slow builds and emulated processors. Not 71 */
} kernel_case;

typedef struct kernel_rule {
    const char *number, *what; /* "K3", what the rule says */
    bool (*keeps)(const kernel_case *c, char *why, size_t cap);
    uint32_t only_with; /* RD_KERNELS_BF16 or _INT8: for backends that say so */
    bool exact;         /* not for backends that say RD_KERNELS_INEXACT */
} kernel_rule;
extern const kernel_rule kernel_rules[];
size_t kernel_rule_count(void);
/* NULL, or why the rule is not for this backend. */
const char *kernel_rule_skip(const kernel_rule *rule, const rd_kernels *kernels);
#endif
