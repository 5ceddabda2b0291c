/* no_symbol.c - no entry symbol (L1).
 * SPDX-License-Identifier: MIT */
int rd_test_nothing_here(void);
int rd_test_nothing_here(void)
{
    return 0;
}
