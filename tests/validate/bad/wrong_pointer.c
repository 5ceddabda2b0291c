/* wrong_pointer.c - built for pointers of another size (L2).
 * SPDX-License-Identifier: MIT */
#include "bad.h"

RD_PLUGIN = {GOOD_PLUGIN("wrong-pointer"), .stamp.ptr_size = 2};
