/* error.c - how a failure is said, and the checked sizes behind every allocation.
 * SPDX-License-Identifier: MIT */
#include "base/error.h"
#include <stdarg.h>
#include <stdio.h>

rd_status rdc_fail(rd_error *err, rd_status code, const char *format, ...)
{
    if (!err) return code;
    err->code = code;
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    if (n >= (int)sizeof err->text) { /* do not end inside a UTF-8 character */
        size_t end = sizeof err->text - 1;
        while (end > 0 && ((unsigned char)err->text[end - 1] & 0xC0) == 0x80) end--;
        if (end > 0 && (unsigned char)err->text[end - 1] >= 0xC0) end--;
        err->text[end] = '\0';
    }
    for (char *at = err->text; *at; at++) { /* a name out of a file may hold anything */
        const unsigned char byte = (unsigned char)at[0], next = (unsigned char)at[1];
        const bool c1 = byte == 0xC2 && next >= 0x80 && next < 0xA0; /* U+0080..U+009F */
        if (byte < ' ' || byte == 0x7F || c1) at[0] = '?';
        if (c1) at[1] = '?';
    }
    return code;
}

rd_status rdc_no_memory(rd_error *err, size_t bytes)
{
    const double mib = (double)bytes / (1 << 20);
    if (mib < 1) return rdc_fail(err, RD_E_NOMEM, "out of memory: %zu bytes were asked for", bytes);
    return rdc_fail(err, RD_E_NOMEM, "out of memory: %.1f MiB were asked for", mib);
}

bool rdc_mul_size(size_t a, size_t b, size_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}

bool rdc_add_size(size_t a, size_t b, size_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}
