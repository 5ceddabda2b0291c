/* abi.h - what every plugin and the host agree on before either trusts the other.
 *
 * A plugin is one shared object that exports one const symbol, rd_plugin_v1. Listing it runs none of
 * its code. Records begin with `size` and only ever grow at the end.
 * SPDX-License-Identifier: MIT */
#ifndef RD_ABI_H
#define RD_ABI_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RD_ABI_MAJOR 1 /* part of the entry symbol's name */
#define RD_ABI_MINOR 0 /* grows when a record gains fields at its end */
#ifndef RD_ABI_NEEDED  /* lowest host minor this plugin can run on */
#define RD_ABI_NEEDED 0
#endif
#define RD_MAGIC 0x524E5031u /* reads back wrong on the other byte order */

#ifdef RD_REAL_DOUBLE /* whole-tree switch, used by the derivative-check build */
typedef double rd_real;
#else
typedef float rd_real;
#endif

typedef int32_t rd_status; /* 0 is success; the text travels beside it, never inside it */
enum { RD_OK, RD_E_ARG, RD_E_NOMEM, RD_E_UNSUPPORTED, RD_E_ABI, RD_E_IO, RD_E_INTERNAL };

/* What never changes within a major: names, types, order and meaning of the fields of minor 0, numbers
 * of enums and flags, records without `size`. What may: a record with `size`, and an option (by
 * option_size), gains fields at its end; a flag or a kind is added. A reader asks RD_HAS before
 * touching a field newer than minor 0. The host refuses flags and kinds it does not know, and fields
 * named `reserved` that are not 0, so that they can get a meaning; a plugin ignores those it does not
 * know. */
#define RD_HAS(type, rec, field) ((rec)->size >= offsetof(type, field) + sizeof((rec)->field))
/* A field added later must enlarge sizeof, so no record may end in padding it could hide in. */
#ifdef __cplusplus
#define RD_RECORD(type, last) \
    static_assert(sizeof(type) == offsetof(type, last) + sizeof(((type *)0)->last), \
                  #type " ends in padding")
#else
#define RD_RECORD(type, last) \
    _Static_assert(sizeof(type) == offsetof(type, last) + sizeof(((type *)0)->last), \
                   #type " ends in padding")
#endif
#define RD_NEW(type, ...) (&(type){.size = sizeof(type), __VA_ARGS__})
#define RD_EXPORT __attribute__((visibility("default")))

typedef struct rd_stamp { /* frozen for ever, all majors; compared before anything is called */
    uint32_t magic;
    uint16_t abi_major, abi_needed, abi_built;
    uint8_t real_size, ptr_size;
    uint32_t reserved;
} rd_stamp;
RD_RECORD(rd_stamp, reserved);
#define RD_STAMP \
    { \
        RD_MAGIC, RD_ABI_MAJOR, RD_ABI_NEEDED, RD_ABI_MINOR, sizeof(rd_real), sizeof(void *), 0 \
    }

enum { RD_INT = 1, RD_REAL, RD_BOOL, RD_CHOICE };
enum { RD_OPT_SHAPE = 1u }; /* changes parameter shapes or meaning: stored as checkpoint identity */
typedef struct rd_option {  /* becomes a key of the Lua constructor */
    const char *name, *help; /* [a-z][a-z0-9_.-]*; one sentence without a full stop */
    int32_t kind;
    uint32_t flags;
    double def, min, max;       /* RD_CHOICE: def is an index; min and max are ignored */
    const char *const *choices; /* NULL-terminated */
} rd_option;
RD_RECORD(rd_option, choices);
typedef union rd_value { /* frozen; i: RD_INT, RD_BOOL and the index of RD_CHOICE; r: RD_REAL */
    int64_t i;
    double r;
} rd_value;

typedef struct rd_host { /* borrowed for the life of the process */
    uint32_t size;
    uint16_t abi_major, abi_minor;
    const void *(*query)(const char *id); /* optional services, "rondo.thing/1"; NULL: not there */
} rd_host;
RD_RECORD(rd_host, query);

struct rd_cell;
struct rd_kernels;
struct rd_layer;
typedef struct rd_plugin { /* all of it const data: listing runs no plugin code */
    rd_stamp stamp;
    uint32_t size;
    uint32_t reserved;
    const char
        *name; /* [a-z][a-z0-9_.-]*, as of cells, kernels and layers; at most 63 characters */
    const char *version, *license;      /* "1.0"; as in SPDX: "MIT" */
    const char *origin;                 /* where to get it: an address, or "my own" */
    const struct rd_cell *const *cells; /* each list NULL-terminated, or NULL */
    const struct rd_kernels *const *kernels;
    const struct rd_layer *const *layers;
    /* [setup] may be NULL; on failure writes one sentence into why */
    rd_status (*init)(const rd_host *host, char *why, size_t why_cap);
} rd_plugin;
RD_RECORD(rd_plugin, init);
#ifdef RD_PLUGIN_LINKED /* linked into a program instead of loaded: the name it has there */
#define RD_PLUGIN const rd_plugin RD_PLUGIN_LINKED
#else
#define RD_PLUGIN RD_EXPORT const rd_plugin rd_plugin_v1
#endif
extern RD_PLUGIN;
#endif
