/* fuzz_options.c - whatever is written for options is refused in a sentence or taken: the list of backends
 * here, all else in options.lua.
 * SPDX-License-Identifier: MIT */
#include "fuzz/support/fuzz.h"
#include "fuzz/support/lua_host.h"

enum { LIST = 255 }; /* the first byte of a list of backends */

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    fuzz_lua_begin("options", *argc, *argv);
    return 0;
}

/* The rest of the input as the option `kernels` of a core without plugins. */
static void open_core(const uint8_t *at, size_t n)
{
    char *list = malloc(n + 1);
    rd_core *core = NULL;
    rd_error err = {0};
    FUZZ_HOLDS(list != NULL);
    memcpy(list, at, n);
    list[n] = '\0';
    const rd_status status =
        rd_core_open(&(rd_core_options){.threads = 1, .kernels = list}, &core, &err);
    if (status != RD_OK)
        FUZZ_HOLDS(err.text[0] != '\0' && memchr(err.text, '\0', sizeof err.text) != NULL);
    else
        rd_core_release(core);
    free(list);
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t n)
{
    if (n > 0 && at[0] == LIST)
        open_core(at + 1, n - 1);
    else
        fuzz_lua_run(at, n);
    return 0;
}
