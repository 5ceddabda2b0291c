/* checkpoint.h - a small archive of every kind, and a core that is no more than its library folder.
 * SPDX-License-Identifier: MIT */
#ifndef RD_STORE_CHECKPOINT_H
#define RD_STORE_CHECKPOINT_H
#include "core.h"
#include "scratch.h"
#include "store/archive.h"

#ifndef RD_TEST_LIB_DIR /* given by the build */
#define RD_TEST_LIB_DIR NULL
#endif

/* Saving and loading ask the core for its library folder alone. */
static const rd_core core = {.lib_dir = (char *)(uintptr_t)RD_TEST_LIB_DIR};

static inline void put(rd_archive *a, rd_entry entry)
{
    rd_error err = {0};
    if (rd_archive_put(a, &entry, &err) != RD_OK) fail_msg("%s", err.text);
}

static inline rd_archive *small_archive(const char *history)
{
    static const float weight[6] = {0.5F, -1.25F, 3e-40F, 0, -0.0F, 65504};
    static const double loss[2] = {1.25, 2.0 / 3};
    static const int64_t step[3] = {INT64_MIN, -1, INT64_MAX};
    static const double lr = 0.002;
    rd_archive *a = NULL;
    assert_int_equal(rd_archive_new(&a, NULL), RD_OK);
    put(a, (rd_entry){"model/1.weight", RD_ENTRY_F32, 2, {2, 3}, weight});
    put(a, (rd_entry){"model/2/bias", RD_ENTRY_F32, 1, {3}, weight});
    put(a, (rd_entry){"optimizer/lr", RD_ENTRY_F64, 0, {0}, &lr});
    put(a, (rd_entry){"steps", RD_ENTRY_I64, 1, {3}, step});
    put(a, (rd_entry){"empty/array", RD_ENTRY_F64, 3, {2, 0, 4}, NULL});
    put(a, (rd_entry){"empty/text", RD_ENTRY_TEXT, 1, {0}, ""});
    put(a, (rd_entry){"text", RD_ENTRY_TEXT, 1, {6}, "gr\xC3\xBC\xC3\x9F"});
    put(a, (rd_entry){"bytes", RD_ENTRY_TEXT, 1, {4}, "\0a\0\0"});
    put(a, (rd_entry){"history/loss", RD_ENTRY_F64, 1, {2}, loss});
    put(a, (rd_entry){"history/log", RD_ENTRY_TEXT, 1, {strlen(history)}, history});
    return a;
}

static inline void save(const rd_archive *a, const char *path, rd_digests *digests)
{
    rd_error err = {0};
    if (rd_archive_save(&core, a, path, digests, &err) != RD_OK) fail_msg("%s", err.text);
}

/* The message of a load that must fail. */
static inline const char *refusal(const char *path, rd_error *err)
{
    rd_archive *a = NULL;
    if (rd_archive_load(&core, path, &a, NULL, err) == RD_OK) fail_msg("%s was loaded", path);
    assert_null(a);
    return err->text;
}
#endif
