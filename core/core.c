/* core.c - opening and closing the running core.
 * SPDX-License-Identifier: MIT */
#include "core.h"
#include "base/cpu.h"
#include "plugin/registry.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void destroy(rd_core *core)
{
    rdc_registry_close(core->registry);
    rdc_pool_free(core->pool);
    rdc_arena_free(core->arena);
    free(core->lib_dir);
    free(core->profile);
    free(core);
}

/* 0 threads: one per CPU, as far as a pool goes. */
static uint32_t threads_for(const rd_core *core, uint32_t asked)
{
    if (asked > 0) return asked;
    return core->cpu.threads < RDC_MAX_THREADS ? core->cpu.threads : RDC_MAX_THREADS;
}

rd_status rd_core_open(const rd_core_options *options, rd_core **out, rd_error *err)
{
    const rd_core_options none = {0};
    if (!options) options = &none;
    rd_core *core = calloc(1, sizeof *core);
    if (!core) return rdc_no_memory(err, sizeof *core);
    core->refs = 1;
    core->grad_mode = true;
    rdc_cpu_probe(&core->cpu);
    core->arena = rdc_arena_new();
    if (options->lib_dir) core->lib_dir = strdup(options->lib_dir);
    rd_status status = RD_OK;
    if (!core->arena || (options->lib_dir && !core->lib_dir))
        status = rdc_no_memory(err, sizeof *core);
    if (status == RD_OK)
        status = rdc_pool_new(threads_for(core, options->threads), &core->pool, err);
    if (status == RD_OK) status = rdc_registry_open(core, options, err);
    if (status != RD_OK) {
        destroy(core);
        return status;
    }
    *out = core;
    return RD_OK;
}

void rdc_core_retain(rd_core *core)
{
    core->refs++;
}

void rd_core_release(rd_core *core)
{
    if (!core) return;
    assert(core->refs > 0);
    if (--core->refs == 0) destroy(core);
}

rd_status rd_core_set_threads(rd_core *core, uint32_t threads, rd_error *err)
{
    rdc_pool *pool = NULL;
    threads = threads_for(core, threads);
    if (threads == rdc_pool_threads(core->pool)) return RD_OK;
    RD_TRY(rdc_pool_new(threads, &pool, err));
    rdc_pool_free(core->pool);
    core->pool = pool;
    return RD_OK;
}

uint32_t rd_core_threads(const rd_core *core)
{
    return rdc_pool_threads(core->pool);
}

const char *rd_core_kernels(const rd_core *core)
{
    return core->ops.name;
}

rd_status rd_core_set_precision(rd_core *core, const char *name, rd_error *err)
{
    const bool bf16 = strcmp(name, "bf16") == 0;
    if (!bf16 && strcmp(name, "float32") != 0)
        return rdc_fail(err, RD_E_ARG, "precision must be 'float32' or 'bf16', got '%s'", name);
    if (bf16 && !(core->ops.flags & RD_KERNELS_BF16))
        return rdc_fail(err, RD_E_UNSUPPORTED, "kernels '%s' have no products of bf16",
                        core->ops.name);
    core->precision = bf16 ? RD_BF16 : 0;
    return RD_OK;
}

const char *rd_core_precision(const rd_core *core)
{
    return core->precision == RD_BF16 ? "bf16" : "float32";
}

const rd_cpu *rd_core_cpu(const rd_core *core)
{
    return &core->cpu;
}

rd_memory_use rd_core_memory(const rd_core *core)
{
    return rdc_arena_use(core->arena);
}

void rd_core_trim(rd_core *core)
{
    rdc_arena_trim(core->arena);
}
