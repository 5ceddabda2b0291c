/* fails_late.c - right, until the n-th sequence of a process: RD_TEST_FAILS="how n" in the environment.
 *
 * how: nan, inf (of a state), gradient (of a line), segv, abort, exit, kill. runs/plugin_spec.lua trains it.
 * SPDX-License-Identifier: MIT */
#include "right.h"
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static atomic_ulong sequences; /* begun so far */

static bool is_due(const char *how)
{
    const char *asked = getenv("RD_TEST_FAILS");
    const size_t n = strlen(how);
    return asked && strncmp(asked, how, n) == 0 && asked[n] == ' ' &&
           sequences >= strtoul(asked + n, NULL, 10);
}

static void forward(const rd_step *s)
{
    right_forward(s);
    if (s->phase != 1) return;
    if (s->t == 0) sequences++;
    if (is_due("nan")) rd_row(s->next[S_H], 0)[1] = (rd_real)(0.0 / 0.0);
    if (is_due("inf")) rd_row(s->next[S_H], 0)[1] = (rd_real)(1.0 / 0.0);
    if (is_due("segv")) raise(SIGSEGV);
    if (is_due("abort")) abort();
    if (is_due("exit")) exit(0);
    if (is_due("kill")) raise(SIGKILL);
}

static void backward(const rd_step *s)
{
    right_backward(s);
    if (s->phase == 0 && is_due("gradient")) rd_row(s->line[L_A], 0)[1] = (rd_real)(0.0 / 0.0);
}

static const rd_cell cell = {RIGHT_CELL("fails_late"), .forward = forward, .backward = backward};
static const rd_cell *const cells[] = {&cell, NULL};
RD_PLUGIN = {GOOD_PLUGIN("fails_late"), .cells = cells};
