/* kernel_hot.h - rule K4 of the plugin border: what a backend's functions may not do on a worker thread.
 * SPDX-License-Identifier: MIT */
#ifndef RD_KERNEL_HOT_H
#define RD_KERNEL_HOT_H
#include "kernel_rules.h"

kernel_rule_fn kernel_calls_nobody, kernel_keeps_data, kernel_stack_is_enough,
    kernel_leaves_environment;
#endif
