/* plugin_files.c - plugin files for tests (plugin_files.h).
 * SPDX-License-Identifier: MIT */
#include "support/plugin_files.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

plugin_files files;

int make_folder(void **state)
{
    (void)state;
    (void)snprintf(files.folder, sizeof files.folder, "/tmp/rondo-test-XXXXXX");
    return mkdtemp(files.folder) ? 0 : -1;
}
int remove_folder(void **state)
{
    (void)state;
    return rmdir(files.folder);
}
int open_core(void **state)
{
    const rd_core_options options = {.threads = 1};

    (void)state;
    memset(&files.err, 0, sizeof files.err);
    return rd_core_open(&options, &files.core, &files.err);
}
int close_core(void **state)
{
    char command[2 * PATH_BYTES];

    (void)state;
    rd_core_release(files.core);
    files.core = NULL;
    (void)snprintf(command, sizeof command, "find %s -mindepth 1 -delete", files.folder);
    return system(command) == 0 && chmod(files.folder, 0700) == 0 ? 0 : -1;
}
void reopen(const rd_core_options *options)
{
    rd_core_release(files.core);
    files.core = NULL;
    if (rd_core_open(options, &files.core, &files.err) != RD_OK) fail_msg("%s", files.err.text);
}

const char *path_of(const char *name)
{
    static char path[4][2 * PATH_BYTES];
    static int turn;

    turn = (turn + 1) % 4;
    (void)snprintf(path[turn], sizeof path[turn], "%s/%s", files.folder, name);
    return path[turn];
}
const char *copy_part(const char *from, const char *to, size_t bytes)
{
    static unsigned char buffer[MAX_COPY];
    char source[PATH_BYTES];

    (void)snprintf(source, sizeof source, "%s/%s.so", RD_TEST_BAD_DIR, from);
    FILE *in = fopen(source, "rb"), *out = fopen(path_of(to), "wb");
    assert_true(in && out);
    const size_t n = fread(buffer, 1, sizeof buffer, in);
    assert_true(n > 0 && n < sizeof buffer);
    const size_t part = n < bytes ? n : bytes;
    assert_int_equal(part, fwrite(buffer, 1, part, out));
    (void)fclose(in);
    (void)fclose(out);
    return path_of(to);
}
const char *copy(const char *name)
{
    char file[PATH_BYTES];

    (void)snprintf(file, sizeof file, "%s.so", name);
    return copy_part(name, file, MAX_COPY);
}

const char *last_refusal(void)
{
    return rd_plugin_at(files.core, rd_plugin_count(files.core) - 1).refusal;
}
void expect_refusal_of(const char *path, const char *reason)
{
    rd_plugin_report report;
    char message[TEXT_BYTES];

    assert_int_equal(RD_E_ABI, rd_plugin_load(files.core, path, &report, &files.err));
    (void)snprintf(message, sizeof message, "plugin %s was refused, %s", path, reason);
    assert_string_equal(message, files.err.text);
    report = rd_plugin_at(files.core, rd_plugin_count(files.core) - 1);
    assert_string_equal(path, report.path);
    assert_string_equal(reason, report.refusal);
    assert_null(report.plugin);
}
void expect_refusal(const char *name, const char *reason)
{
    expect_refusal_of(copy(name), reason);
}
void expect_load(const char *path)
{
    rd_plugin_report report;

    if (rd_plugin_load(files.core, path, &report, &files.err) != RD_OK)
        fail_msg("%s", files.err.text);
    assert_non_null(report.plugin);
    assert_null(report.refusal);
}
