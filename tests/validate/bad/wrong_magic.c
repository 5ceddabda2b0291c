/* wrong_magic.c - a stamp of the other byte order (L2).
 * SPDX-License-Identifier: MIT */
#include "bad.h"

RD_PLUGIN = {GOOD_PLUGIN("wrong-magic"), .stamp.magic = 0x31504E52u};
