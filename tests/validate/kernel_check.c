/* kernel_check.c - the rules of backends as `rondo check` runs them.
 * SPDX-License-Identifier: MIT */
#include "base/cpu.h"
#include "check.h"
#include "kernel_cpu.h"
#include "kernel_hot.h"
#include "kernel_rules.h"
#include <stdio.h>
#include <string.h>

/* NULL, or why the backend's functions cannot be called, or not by this rule. Calls score(), as the core does
 * first. */
static const char *why_skip(const check_subject *s, const rd_kernels *k, char text[128])
{
    const rd_cpu *cpu = rd_core_cpu(s->core);
    const char *lacks = rdc_cpu_name(k->needs & ~cpu->features);

    if (k->needs & ~cpu->features) {
        snprintf(text, 128, "this processor lacks %s", lacks ? lacks : "what it needs");
        return text;
    }
    if (s->rule->flags & CHECK_BF16 && !(k->flags & RD_KERNELS_BF16))
        return "the backend does not say RD_KERNELS_BF16";
    if (s->rule->flags & CHECK_INT8 && !(k->flags & RD_KERNELS_INT8))
        return "the backend does not say RD_KERNELS_INT8";
    if (s->rule->flags & CHECK_EXACT && k->flags & RD_KERNELS_INEXACT)
        return "the backend says RD_KERNELS_INEXACT";
    check_call_is("score");
    return k->score(cpu) > 0 ? NULL : "its score() does not want this machine";
}

static void multiply(const check_subject *s, check_verdict *v)
{
    const rd_kernels *k = s->plugin->kernels[s->index];
    const kernel_case c = {.kernels = k, .thin = s->thin, .about = check_call_is};
    char text[128], why[KERNEL_RULE_TEXT] = "";
    const char *skip = why_skip(s, k, text);

    if (skip) {
        check_say(v, CHECK_SKIP, "%s", skip);
        return;
    }
    if (!s->rule->multiplies(&c, why, sizeof why)) check_say(v, CHECK_FAIL, "%s", why);
}

#define RULE .run = multiply, .multiplies
const check_rule check_kernel_rules[] = {
    {"K1", "gemm and pack run on a processor that has what it needs and no more",
     .run = kernel_cpu_products},
    {"K1", "loading and score() run on any processor", .run = kernel_cpu_listing},
    {"K2", "products of all sizes, strides, flags and addresses are right",
     RULE = kernel_right_sizes},
    {"K2", "large products are right", RULE = kernel_right_large},
    {"K2", "products of bfloat16 are right", CHECK_BF16, RULE = kernel_right_bf16},
    {"K2", "products of int8 are right", CHECK_INT8, RULE = kernel_right_int8},
    {"K2", "a packed product may be cut at panels", RULE = kernel_right_cut},
    {"K2", "multiply_adds counts its operations", RULE = kernel_right_counts},
    {"K3", "products of all sizes have the bits of the contract", CHECK_EXACT,
     RULE = kernel_bits_sizes},
    {"K3", "large products have the bits of the contract", CHECK_EXACT, RULE = kernel_bits_large},
    {"K3", "denormal numbers are numbers", CHECK_EXACT, RULE = kernel_bits_tiny},
    {"K3", "infinities and NaN are not skipped", CHECK_EXACT, RULE = kernel_bits_endless},
    {"K3", "products of bfloat16 have the bits of the contract", CHECK_EXACT | CHECK_BF16,
     RULE = kernel_bits_bf16},
    {"K3", "small sums of bfloat16 are 0 as the contract has it", CHECK_EXACT | CHECK_BF16,
     RULE = kernel_bits_small_bf16},
    {"K3", "rows of bfloat16 may be added in parts", CHECK_EXACT | CHECK_BF16,
     RULE = kernel_bits_bf16_parts},
    {"K3", "products of int8 have the bits of the contract", CHECK_EXACT | CHECK_INT8,
     RULE = kernel_bits_int8},
    {"K4", "gemm and pack call no function of others", RULE = kernel_calls_nobody},
    {"K4", "they change no static data", RULE = kernel_keeps_data},
    {"K4", "256 KiB of stack are enough", RULE = kernel_stack_is_enough},
    {"K4", "they leave errno and the floating-point environment alone",
     RULE = kernel_leaves_environment},
    {0},
};
