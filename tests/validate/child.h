/* child.h - a rule in a process of its own: whatever it does there is a verdict here.
 *
 * A verdict is believed only if it comes whole through the child's pipe, between two numbers that were
 * drawn for it: a plugin that ends the process, with whatever status, has not passed.
 * SPDX-License-Identifier: MIT */
#ifndef RD_CHECK_CHILD_H
#define RD_CHECK_CHILD_H
#include "check.h"

typedef void (*child_fn)(const void *job, check_verdict *v);
/* Runs fn in a child for at most `seconds`. The child's output goes nowhere; the last line of its errors
 * goes into the report of a crash. false: there could be no child, and `v` says why. */
bool child_run(child_fn fn, const void *job, double seconds, check_verdict *v);
/* In the child: ends it with this verdict. May be called from a handler of a signal. */
_Noreturn void child_end(const check_verdict *v);
#endif
