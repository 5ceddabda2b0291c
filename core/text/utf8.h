/* utf8.h - UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing past U+10FFFF.
 * SPDX-License-Identifier: MIT */
#ifndef RD_UTF8_H
#define RD_UTF8_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RDC_CODE_POINTS 0x110000u

/* Decodes the code point at `at`, of which `n` > 0 bytes may be read. Returns how many it takes, 1..4,
 * or 0 where there is none. */
size_t rdc_utf8_decode(const unsigned char *at, size_t n, uint32_t *point);
/* Returns the number of bytes, 1..4; point must be valid. */
size_t rdc_utf8_encode(uint32_t point, char bytes[4]);
/* Is it a code point that UTF-8 can hold? */
bool rdc_utf8_point(uint32_t point);
/* Length of the valid part: n if all of it is UTF-8. */
size_t rdc_utf8_check(const char *text, size_t n);
/* First byte behind the next `n` code points of valid UTF-8 in [at, end); at most end. [hot] */
const unsigned char *rdc_utf8_skip(const unsigned char *at, const unsigned char *end, size_t n);
#endif
