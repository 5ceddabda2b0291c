/* other_major.c - built for another major of the border (L1).
 * SPDX-License-Identifier: MIT */
#include "rondo/abi.h"

extern RD_EXPORT const int rd_plugin_v7;
const int rd_plugin_v7 = 7;
