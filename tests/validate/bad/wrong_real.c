/* wrong_real.c - built for numbers of another size (L2).
 * SPDX-License-Identifier: MIT */
#include "bad.h"

RD_PLUGIN = {GOOD_PLUGIN("wrong-real"), .stamp.real_size = 2};
