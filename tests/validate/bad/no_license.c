/* no_license.c - a plugin without one of its strings (L3).
 * SPDX-License-Identifier: MIT */
#include "bad.h"

RD_PLUGIN = {GOOD_PLUGIN("no-license"), .license = NULL};
