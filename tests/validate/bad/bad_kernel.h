/* bad_kernel.h - the template's backend, which keeps every rule; each file here changes one thing of it.
 * SPDX-License-Identifier: MIT */
#ifndef RD_TEST_BAD_KERNEL_H
#define RD_TEST_BAD_KERNEL_H
#include "bad.h"

/* Its functions are wanted, not its plugin. */
#pragma push_macro("RD_PLUGIN")
#undef RD_PLUGIN
#define RD_PLUGIN __attribute__((unused)) static const rd_plugin template_plugin
#include "../../../plugins/template/kernel/kernel.c"
#pragma pop_macro("RD_PLUGIN")

/* A plugin of one backend: the template's but for what follows its name. */
#define WRONG(called, ...) \
    static const rd_kernels wrong = {.size = sizeof(rd_kernels), \
                                     .name = called, \
                                     .help = "for tests", \
                                     .score = score, \
                                     .gemm = gemm, \
                                     .pack_bytes = pack_bytes, \
                                     .pack = pack, \
                                     __VA_ARGS__}; \
    static const rd_kernels *const list[] = {&wrong, NULL}; \
    RD_PLUGIN = {GOOD_PLUGIN(called), .kernels = list}
#endif
