/* wrong_reserved.c - a number where a stamp has room for later (L2).
 * SPDX-License-Identifier: MIT */
#include "bad.h"

RD_PLUGIN = {GOOD_PLUGIN("wrong-reserved"), .stamp.reserved = 1};
