/* registry.h - what plugins brought: cells and kernel backends by name, and the reasons of refusals.
 * SPDX-License-Identifier: MIT */
#ifndef RD_REGISTRY_H
#define RD_REGISTRY_H
#include "core.h"

/* Makes the registry with the built-in scalar backend, loads plugin_path and lib_dir, composes
 * core->ops. Fails only when out of memory or when `kernels` names no usable backend. */
rd_status rdc_registry_open(rd_core *core, const rd_core_options *options, rd_error *err);
/* What plugins are handed. */
const rd_host *rdc_registry_host(const rd_core *core);
void rdc_registry_close(rdc_registry *r); /* NULL is fine */
#endif
