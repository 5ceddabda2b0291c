/* lua_host.h - a Lua state with the library in it, for fuzzers of it.
 * SPDX-License-Identifier: MIT */
#ifndef RD_FUZZ_LUA_HOST_H
#define RD_FUZZ_LUA_HOST_H
#include <stdint.h>
#include <stddef.h>

/* Makes a scratch folder, goes there and runs tests/fuzz/NAME.lua; what of the command line names files stays
 * what it was. */
void fuzz_lua_begin(const char *name, int argc, char **argv);
/* Runs an input with the function that this returned, in a state that is kept. What it returns then is a
 * finding and ends the program. */
void fuzz_lua_run(const uint8_t *at, size_t n);
#endif
