/* faulty_hdf5.c - see faulty_hdf5.h.
 *
 * Calls of libhdf5 differ in nothing but their types, so a macro makes the functions, against rule 35 of
 * core/STYLE.md: by hand they would be 400 lines of the same. The build wraps what it finds here (CALL,
 * LIMIT).
 * SPDX-License-Identifier: MIT */
#include "faults/faulty_hdf5.h"

#include <errno.h>
#include <hdf5.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static hdf5_fault *now;

void hdf5_faults_begin(hdf5_fault *fault)
{
    now = fault;
}

void hdf5_faults_end(void)
{
    now = NULL;
}

static void count_open(const char *name)
{
    static const char *const openers[] = {"A H5Aopen",          "D H5Dcreate2",
                                          "D H5Dopen2",         "F H5Fcreate",
                                          "F H5Fopen",          "G H5Gcreate2",
                                          "G H5Gopen2",         "O H5Oopen",
                                          "P H5Pcreate",        "P H5Dget_create_plist",
                                          "S H5Aget_space",     "S H5Dget_space",
                                          "S H5Screate_simple", "S H5Screate",
                                          "T H5Aget_type",      "T H5Dget_type",
                                          "T H5Tcopy",          "V H5Aread"};
    if (strcmp(name + 3, "close") == 0) now->open[name[2] - 'A']--;
    if (strcmp(name, "H5Dvlen_reclaim") == 0) now->open['V' - 'A']--;
    for (size_t i = 0; i < sizeof(openers) / sizeof(*openers); i++)
        now->open[openers[i][0] - 'A'] += strcmp(name, openers[i] + 2) == 0;
}

/* Counts a call; true: it is to fail. */
static bool fails(const char *name)
{
    if (!now) return false;
    count_open(name);
    if (++now->calls != now->call) return false;
    snprintf(now->name, sizeof(now->name), "%s", name);
    return true;
}

/* True: it is to do nothing and say that all is well. */
static bool lies(const char *name)
{
    return now && now->lie && strcmp(name, now->lie) == 0;
}

int __real_timer_settime(timer_t timer, int flags, const struct itimerspec *when,
                         struct itimerspec *before);
int __wrap_timer_settime(timer_t timer, int flags, const struct itimerspec *when,
                         struct itimerspec *before);

int __wrap_timer_settime(timer_t timer, int flags, const struct itimerspec *when,
                         struct itimerspec *before)
{
    const int result = __real_timer_settime(timer, flags, when, before);
    if (now && result == 0) now->seconds = (long)when->it_value.tv_sec;
    return result;
}

/* True: this call of those that shut in fails. */
static bool is_off(const char *name)
{
    if (!now || !now->off || strcmp(name, now->off) != 0) return false;
    snprintf(now->name, sizeof(now->name), "%s", name);
    return true;
}

/* True in the build `coverage`: a child may write its counters, as coverage/open_reader.c has it. */
static bool stays_open(const char *name)
{
#ifdef RD_TEST_COVERAGE
    return now && (strcmp(name, "setrlimit") == 0 || strcmp(name, "seccomp_load") == 0);
#else
    (void)name;
    return false;
#endif
}

#define LIMIT(type, name, types, values, failure) \
    type __real_##name types; \
    type __wrap_##name types; \
    type __wrap_##name types \
    { \
        return is_off(#name) ? (failure) : stays_open(#name) ? 0 : __real_##name values; \
    }

LIMIT(int, getrlimit, (__rlimit_resource_t a, struct rlimit *b), (a, b), -1)
LIMIT(int, setrlimit, (__rlimit_resource_t a, const struct rlimit *b), (a, b), -1)
LIMIT(scmp_filter_ctx, seccomp_init, (uint32_t a), (a), NULL)
LIMIT(int, seccomp_load, (scmp_filter_ctx a), (a), -EPERM)
LIMIT(int, seccomp_rule_add, (scmp_filter_ctx a, uint32_t b, int c, unsigned d, ...), (a, b, c, d),
      -ENOMEM)

#define CALL(type, name, types, values, failure) \
    type __real_##name types; \
    type __wrap_##name types; \
    type __wrap_##name types \
    { \
        return lies(#name) ? 0 : fails(#name) ? (failure) : __real_##name values; \
    }

CALL(void *, calloc, (size_t a, size_t b), (a, b), NULL)
CALL(void *, malloc, (size_t a), (a), NULL)
CALL(void *, realloc, (void *a, size_t b), (a, b), NULL)
CALL(char *, strndup, (const char *a, size_t b), (a, b), NULL)
CALL(herr_t, H5Aclose, (hid_t a), (a), -1)
CALL(hid_t, H5Aget_space, (hid_t a), (a), -1)
CALL(hid_t, H5Aget_type, (hid_t a), (a), -1)
CALL(hid_t, H5Aopen, (hid_t a, const char *b, hid_t c), (a, b, c), -1)
CALL(herr_t, H5Aread, (hid_t a, hid_t b, void *c), (a, b, c), -1)
CALL(herr_t, H5Dclose, (hid_t a), (a), -1)
CALL(hid_t, H5Dcreate2, (hid_t a, const char *b, hid_t c, hid_t d, hid_t e, hid_t f, hid_t g),
     (a, b, c, d, e, f, g), -1)
CALL(hid_t, H5Dget_create_plist, (hid_t a), (a), -1)
CALL(hid_t, H5Dget_space, (hid_t a), (a), -1)
CALL(hsize_t, H5Dget_storage_size, (hid_t a), (a), 0)
CALL(hid_t, H5Dget_type, (hid_t a), (a), -1)
CALL(hid_t, H5Dopen2, (hid_t a, const char *b, hid_t c), (a, b, c), -1)
CALL(herr_t, H5Dread, (hid_t a, hid_t b, hid_t c, hid_t d, hid_t e, void *f), (a, b, c, d, e, f),
     -1)
CALL(herr_t, H5Dwrite, (hid_t a, hid_t b, hid_t c, hid_t d, hid_t e, const void *f),
     (a, b, c, d, e, f), -1)
CALL(herr_t, H5Dvlen_reclaim, (hid_t a, hid_t b, hid_t c, void *d), (a, b, c, d), -1)
CALL(herr_t, H5Eset_auto2, (hid_t a, H5E_auto2_t b, void *c), (a, b, c), -1)
CALL(herr_t, H5Fclose, (hid_t a), (a), -1)
CALL(hid_t, H5Fcreate, (const char *a, unsigned b, hid_t c, hid_t d), (a, b, c, d), -1)
CALL(hid_t, H5Fopen, (const char *a, unsigned b, hid_t c), (a, b, c), -1)
CALL(herr_t, H5Gclose, (hid_t a), (a), -1)
CALL(hid_t, H5Gcreate2, (hid_t a, const char *b, hid_t c, hid_t d, hid_t e), (a, b, c, d, e), -1)
CALL(hid_t, H5Gopen2, (hid_t a, const char *b, hid_t c), (a, b, c), -1)
CALL(H5I_type_t, H5Iget_type, (hid_t a), (a), H5I_BADID)
CALL(htri_t, H5Lexists, (hid_t a, const char *b, hid_t c), (a, b, c), -1)
CALL(herr_t, H5Literate,
     (hid_t a, H5_index_t b, H5_iter_order_t c, hsize_t *d, H5L_iterate_t e, void *f),
     (a, b, c, d, e, f), -1)
CALL(herr_t, H5Lunregister, (H5L_type_t a), (a), -1)
CALL(herr_t, H5Oclose, (hid_t a), (a), -1)
CALL(hid_t, H5Oopen, (hid_t a, const char *b, hid_t c), (a, b, c), -1)
CALL(herr_t, H5PLset_loading_state, (unsigned int a), (a), -1)
CALL(herr_t, H5Pclose, (hid_t a), (a), -1)
CALL(hid_t, H5Pcreate, (hid_t a), (a), -1)
CALL(int, H5Pget_chunk, (hid_t a, int b, hsize_t c[]), (a, b, c), -1)
CALL(int, H5Pget_external_count, (hid_t a), (a), -1)
CALL(H5Z_filter_t, H5Pget_filter2,
     (hid_t a, unsigned b, unsigned int *c, size_t *d, unsigned e[], size_t f, char g[],
      unsigned *h),
     (a, b, c, d, e, f, g, h), H5Z_FILTER_ERROR)
CALL(H5D_layout_t, H5Pget_layout, (hid_t a), (a), H5D_LAYOUT_ERROR)
CALL(int, H5Pget_nfilters, (hid_t a), (a), -1)
CALL(herr_t, H5Pset_char_encoding, (hid_t a, H5T_cset_t b), (a, b), -1)
CALL(herr_t, H5Pset_fapl_core, (hid_t a, size_t b, hbool_t c), (a, b, c), -1)
CALL(herr_t, H5Pset_file_image, (hid_t a, void *b, size_t c), (a, b, c), -1)
CALL(herr_t, H5Pset_file_image_callbacks, (hid_t a, H5FD_file_image_callbacks_t *b), (a, b), -1)
CALL(herr_t, H5Pset_fill_time, (hid_t a, H5D_fill_time_t b), (a, b), -1)
CALL(herr_t, H5Pset_layout, (hid_t a, H5D_layout_t b), (a, b), -1)
CALL(herr_t, H5Pset_libver_bounds, (hid_t a, H5F_libver_t b, H5F_libver_t c), (a, b, c), -1)
CALL(herr_t, H5Pset_obj_track_times, (hid_t a, hbool_t b), (a, b), -1)
CALL(herr_t, H5Pset_userblock, (hid_t a, hsize_t b), (a, b), -1)
CALL(herr_t, H5Sclose, (hid_t a), (a), -1)
CALL(hid_t, H5Screate, (H5S_class_t a), (a), -1)
CALL(hid_t, H5Screate_simple, (int a, const hsize_t b[], const hsize_t c[]), (a, b, c), -1)
CALL(int, H5Sget_simple_extent_dims, (hid_t a, hsize_t b[], hsize_t c[]), (a, b, c), -1)
CALL(int, H5Sget_simple_extent_ndims, (hid_t a), (a), -1)
CALL(hssize_t, H5Sget_simple_extent_npoints, (hid_t a), (a), -1)
CALL(H5S_class_t, H5Sget_simple_extent_type, (hid_t a), (a), H5S_NO_CLASS)
CALL(herr_t, H5Sselect_hyperslab,
     (hid_t a, H5S_seloper_t b, const hsize_t c[], const hsize_t d[], const hsize_t e[],
      const hsize_t f[]),
     (a, b, c, d, e, f), -1)
CALL(herr_t, H5Tclose, (hid_t a), (a), -1)
CALL(hid_t, H5Tcopy, (hid_t a), (a), -1)
CALL(htri_t, H5Tequal, (hid_t a, hid_t b), (a, b), -1)
CALL(H5T_class_t, H5Tget_class, (hid_t a), (a), H5T_NO_CLASS)
CALL(H5T_cset_t, H5Tget_cset, (hid_t a), (a), H5T_CSET_ERROR)
CALL(size_t, H5Tget_size, (hid_t a), (a), 0)
CALL(H5T_str_t, H5Tget_strpad, (hid_t a), (a), H5T_STR_ERROR)
CALL(htri_t, H5Tis_variable_str, (hid_t a), (a), -1)
CALL(herr_t, H5Tset_cset, (hid_t a, H5T_cset_t b), (a, b), -1)
CALL(herr_t, H5Tset_size, (hid_t a, size_t b), (a, b), -1)
CALL(herr_t, H5Tset_strpad, (hid_t a, H5T_str_t b), (a, b), -1)
CALL(herr_t, H5open, (void), (), -1)
