/* compose.c - which backend makes the products: by what the processor has, then by the user's list, then by
 * score. Never by timing: a choice that changes from run to run could not be repeated.
 * SPDX-License-Identifier: MIT */
#include "base/cpu.h"
#include "plugin/records.h"
#include "plugin/registry_impl.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { UNRANKED = 1000000 };

bool rdc_why_not(rdc_backend *b, const char *format, ...)
{
    char text[RDC_REASON_BYTES];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    free(b->why_not);
    b->why_not = strdup(text);
    return b->why_not != NULL;
}

/* Drops by data first: nothing of a backend is called that this processor might not be able to run. */
static bool check_needs(rdc_backend *b, const rd_cpu *cpu)
{
    const uint64_t missing = b->kernels->needs & ~cpu->features;
    const char *name = rdc_cpu_name(missing);

    if (name) return rdc_why_not(b, "this processor lacks %s", name);
    if (missing)
        return rdc_why_not(b, "it needs something this Rondo has not heard of (needs 0x%llx)",
                           (unsigned long long)b->kernels->needs);
    return b->kernels->gemm || rdc_why_not(b, "it has no products");
}

/* After the user's list: score() of a backend that is not asked for is not called, so that a vendor's library
 * is not even opened. */
static bool rate(rdc_backend *b, const rd_cpu *cpu)
{
    if (b->why_not) return true;
    if (b->kernels->flags & RD_KERNELS_INEXACT && b->rank == UNRANKED)
        return rdc_why_not(b,
                           "its products are not the bit contract's; name it in kernels to use it");
    b->score = b->kernels->score(cpu);
    return b->score > 0 || rdc_why_not(b, "it does not want this machine (%s)", b->kernels->help);
}

static rd_status unknown_backend(const rdc_registry *r, const char *name, rd_error *err)
{
    char known[200] = "";

    for (size_t i = 0; i < r->n_backends; i++) {
        const size_t used = strlen(known);
        (void)snprintf(known + used, sizeof known - used, "%s%s", i > 0 ? ", " : "",
                       r->backends[i].kernels->name);
    }
    return rdc_fail(err, RD_E_ARG, "kernels: there is no backend '%s'; there is %s", name, known);
}

/* Ranks the backends by the list "avx2,scalar"; those not on it are dropped. */
static rd_status apply_limit(rdc_registry *r, const char *limit, rd_error *err)
{
    uint32_t rank = 0;

    for (const char *at = limit; *at;) {
        char name[64];
        const size_t n = strcspn(at, ", ");
        bool found = n == 0;
        (void)snprintf(name, sizeof name, "%.*s", (int)(n < 63 ? n : 63), at);
        for (size_t i = 0; i < r->n_backends && n > 0; i++) {
            rdc_backend *b = &r->backends[i];
            if (strcmp(b->kernels->name, name) != 0) continue;
            if (b->rank == UNRANKED) b->rank = rank++;
            found = true;
        }
        if (!found) return unknown_backend(r, name, err);
        at += n + (at[n] != '\0');
    }
    for (size_t i = 0; i < r->n_backends; i++) {
        rdc_backend *b = &r->backends[i];
        if (b->rank == UNRANKED && !b->why_not &&
            !rdc_why_not(b, "not among kernels = '%s'", limit))
            return rdc_no_memory(err, RDC_REASON_BYTES);
    }
    return RD_OK;
}

static int best_first(const void *left, const void *right)
{
    const rdc_backend *a = left, *b = right;

    if (!a->why_not != !b->why_not) return a->why_not ? 1 : -1;
    if (a->rank != b->rank) return a->rank < b->rank ? -1 : 1;
    if (a->score != b->score) return a->score > b->score ? -1 : 1;
    return strcmp(a->kernels->name, b->kernels->name);
}

static rd_status none_usable(const rdc_registry *r, const char *limit, rd_error *err)
{
    for (size_t i = 0; i < r->n_backends; i++)
        if (r->backends[i].rank == 0)
            return rdc_fail(err, RD_E_UNSUPPORTED,
                            "kernels = '%s': no backend of it can be used; '%s': %s", limit,
                            r->backends[i].kernels->name, r->backends[i].why_not);
    return rdc_fail(err, RD_E_ARG, "kernels = '%s' names no backend", limit);
}

static bool comes_later(const rdc_backend *first, rdc_backend *b, const char *limit)
{
    const char *name = first->kernels->name;

    if (limit) return rdc_why_not(b, "'%s' comes first in kernels = '%s'", name, limit);
    if (first->score == b->score)
        return rdc_why_not(b, "'%s' comes first by name: both score %d", name, b->score);
    return rdc_why_not(b, "'%s' scores %d here, this one %d", name, first->score, b->score);
}

rd_status rdc_compose(rd_core *core, const char *limit, rd_error *err)
{
    rdc_registry *r = core->registry;

    for (size_t i = 0; i < r->n_backends; i++) {
        r->backends[i].rank = UNRANKED;
        if (!check_needs(&r->backends[i], &core->cpu)) return rdc_no_memory(err, RDC_REASON_BYTES);
    }
    if (limit) RD_TRY(apply_limit(r, limit, err));
    for (size_t i = 0; i < r->n_backends; i++)
        if (!rate(&r->backends[i], &core->cpu)) return rdc_no_memory(err, RDC_REASON_BYTES);
    qsort(r->backends, r->n_backends, sizeof *r->backends, best_first);
    if (r->backends[0].why_not) return none_usable(r, limit ? limit : "", err);
    rdc_take_record(&core->ops, sizeof core->ops, r->backends[0].kernels,
                    r->backends[0].kernels->size);
    for (size_t i = 1; i < r->n_backends; i++)
        if (!r->backends[i].why_not && !comes_later(&r->backends[0], &r->backends[i], limit))
            return rdc_no_memory(err, RDC_REASON_BYTES);
    r->open = true;
    return RD_OK;
}
