/* core.c - opening and closing the running core.
 * SPDX-License-Identifier: MIT */
#include "core.h"
#include "base/cpu.h"
#include "plugin/registry.h"
#include "rondo_parts.h"
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

/* Where no more threads can be started, one does until somebody asks for a number. */
static rd_status first_pool(rd_core *core, uint32_t asked, rd_error *err)
{
    rd_error why;
    if (asked == 0 && rdc_pool_new(threads_for(core, 0), &core->pool, &why) == RD_OK) return RD_OK;
    return rdc_pool_new(asked > 0 ? asked : 1, &core->pool, err);
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
    if (status == RD_OK) status = first_pool(core, options->threads, err);
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

static const struct {
    const char *name;
    uint32_t flag, needs; /* of a product, of a backend */
} precisions[] = {
    {"float32", 0, 0},
    {"bf16", RD_BF16, RD_KERNELS_BF16},
    {"int8", RD_INT8, RD_KERNELS_INT8},
};
enum { N_PRECISIONS = sizeof precisions / sizeof precisions[0] };

rd_status rd_core_set_precision(rd_core *core, const char *name, rd_error *err)
{
    size_t i = 0;
    while (i < N_PRECISIONS && strcmp(name, precisions[i].name) != 0) i++;
    if (i == N_PRECISIONS)
        return rdc_fail(err, RD_E_ARG, "precision must be 'float32', 'bf16' or 'int8', got '%s'",
                        name);
    if (precisions[i].needs & ~core->ops.flags)
        return rdc_fail(err, RD_E_UNSUPPORTED, "kernels '%s' have no products of %s",
                        core->ops.name, name);
    core->precision = precisions[i].flag;
    return RD_OK;
}

const char *rd_core_precision(const rd_core *core)
{
    size_t i = 0;
    while (precisions[i].flag != core->precision) i++;
    return precisions[i].name;
}

const rd_cpu *rd_core_cpu(const rd_core *core)
{
    return &core->cpu;
}

void rd_core_new_peaks(rd_core *core)
{
    rdc_arena_new_peaks(core->arena);
}

bool rd_set_parts(rd_core *core, bool on)
{
    const bool before = core->parts;
    core->parts = on;
    return before;
}

rd_memory_use rd_core_memory(const rd_core *core)
{
    return rdc_arena_use(core->arena);
}

void rd_core_trim(rd_core *core)
{
    rdc_arena_trim(core->arena);
}
