/* fuzz_lua_api.c - the whole interface in Lua with any arguments: no crash, no memory beyond a limit, every
 * error is a sentence, and the library works as before afterwards. lua_api.lua makes calls of the bytes.
 * SPDX-License-Identifier: MIT */
#include "fuzz/support/fuzz.h"
#include "fuzz/support/lua_host.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    fuzz_lua_begin("lua_api", *argc, *argv);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t n)
{
    fuzz_lua_run(at, n);
    return 0;
}
