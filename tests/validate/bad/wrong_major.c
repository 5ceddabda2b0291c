/* wrong_major.c - a stamp that belies the symbol (L2).
 * SPDX-License-Identifier: MIT */
#include "bad.h"

RD_PLUGIN = {GOOD_PLUGIN("wrong-major"), .stamp.abi_major = 7};
