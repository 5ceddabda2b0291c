/* test_loader.c - plugin files: one deliberately wrong file per rule, each refused by number and in words.
 * Over 400 lines: one border, in the order of its rules.
 * SPDX-License-Identifier: MIT */
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/pool.h"
#include "support/plugin_files.h"

#if defined(__x86_64__)
enum { THIS_MACHINE = EM_X86_64 };
#else
enum { THIS_MACHINE = EM_AARCH64 };
#endif

static void test_a_good_plugin_brings_its_cell(void **state)
{
    (void)state;
    assert_null(rd_cell_find(files.core, "good", NULL));
    expect_load(copy("good"));
    assert_string_equal("good", rd_cell_find(files.core, "good", NULL)->name);
}
static void test_a_file_met_twice_is_one_plugin(void **state)
{
    const char *path = copy("good");

    (void)state;
    expect_load(path);
    const size_t n = rd_plugin_count(files.core);
    assert_int_equal(0, symlink("good.so", path_of("again.so")));
    expect_load(path_of("again.so"));
    assert_int_equal(n, rd_plugin_count(files.core));
}

/* ---- L0 ------------------------------------------------------------------------------------------ */

static void test_a_name_without_slash_is_not_a_path(void **state)
{
    rd_plugin_report report;

    (void)state;
    assert_int_equal(RD_E_ARG, rd_plugin_load(files.core, "good.so", &report, &files.err));
    assert_string_equal("a plugin is loaded by a path with a slash: './good.so'", files.err.text);
}
static void test_l0_missing(void **state)
{
    (void)state;
    expect_refusal_of(path_of("nothing.so"),
                      "L0: it cannot be reached: No such file or directory; look at the path");
}
static void test_l0_a_folder(void **state)
{
    (void)state;
    assert_int_equal(0, mkdir(path_of("folder.so"), 0700));
    expect_refusal_of(path_of("folder.so"),
                      "L0: it is not a regular file; name the shared object itself");
}
static void test_l0_a_pipe_does_not_hang(void **state)
{
    (void)state;
    assert_int_equal(0, mkfifo(path_of("pipe.so"), 0600));
    expect_refusal_of(path_of("pipe.so"),
                      "L0: it is not a regular file; name the shared object itself");
}
static void test_l0_not_a_shared_object(void **state)
{
    FILE *f = fopen(path_of("text.so"), "w");

    (void)state;
    assert_non_null(f);
    (void)fputs("This is a text that calls itself a shared object, and long enough for a header.\n",
                f);
    (void)fclose(f);
    expect_refusal_of(
        path_of("text.so"),
        "L0: it is not a shared object; of a source `rondo check FILE.c` builds and checks one");
}
static void test_l0_empty(void **state)
{
    (void)state;
    expect_refusal_of(
        copy_part("good", "empty.so", 0),
        "L0: it is not a shared object; of a source `rondo check FILE.c` builds and checks one");
}
/* A copy of good.so with one byte of its header changed. */
static const char *with_byte(size_t at, int value)
{
    FILE *f = fopen(copy("good"), "r+b");

    assert_non_null(f);
    assert_int_equal(0, fseek(f, (long)at, SEEK_SET));
    assert_int_equal(value, fputc(value, f));
    (void)fclose(f);
    return path_of("good.so");
}
static void test_l0_another_word_size(void **state)
{
    const int other = sizeof(void *) == 8 ? ELFCLASS32 : ELFCLASS64;
    char reason[PATH_BYTES];

    (void)state;
    (void)snprintf(reason, sizeof reason,
                   "L0: it is for words of %d bits, this Rondo has %zu; build it here",
                   other == ELFCLASS32 ? 32 : 64, 8 * sizeof(void *));
    expect_refusal_of(with_byte(EI_CLASS, other), reason);
}
static void test_l0_another_processor(void **state)
{
    char reason[PATH_BYTES];

    (void)state;
    (void)snprintf(reason, sizeof reason,
                   "L0: it is for another processor (ELF machine %d, this is %d); build it here",
                   EM_RISCV, THIS_MACHINE);
    expect_refusal_of(with_byte(offsetof(ElfW(Ehdr), e_machine), EM_RISCV), reason);
}
static void test_l0_an_object_file(void **state)
{
    (void)state;
    expect_refusal_of(with_byte(offsetof(ElfW(Ehdr), e_type), ET_REL),
                      "L0: it is an object file or a program; link it with -shared");
}
static void test_l0_another_order_of_bytes(void **state)
{
    char reason[PATH_BYTES];

    (void)state;
    (void)snprintf(reason, sizeof reason,
                   "L0: it is for another processor (ELF machine %d, this is %d); build it here",
                   THIS_MACHINE, THIS_MACHINE);
    expect_refusal_of(with_byte(EI_DATA, ELFDATA2MSB), reason);
}
static void test_l0_headers_of_another_size(void **state)
{
    (void)state;
    expect_refusal_of(with_byte(offsetof(ElfW(Ehdr), e_phentsize), 1),
                      "L0: it is an object file or a program; link it with -shared");
}
static void test_l0_more_segments_than_a_plugin_has(void **state)
{
    (void)state;
    expect_refusal_of(with_byte(offsetof(ElfW(Ehdr), e_phnum), 65),
                      "L0: the file is cut short or damaged; copy or build it again");
}
/* A segment that would end behind the last byte that can be counted. */
static void test_l0_a_segment_out_of_this_world(void **state)
{
    const ElfW(Off) at = UINT64_MAX - 10;
    rd_plugin_report report;
    FILE *f = fopen(copy("good"), "r+b");

    (void)state;
    assert_non_null(f);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(0, fseek(f,
                                  (long)(sizeof(ElfW(Ehdr)) + (size_t)i * sizeof(ElfW(Phdr)) +
                                         offsetof(ElfW(Phdr), p_offset)),
                                  SEEK_SET));
        assert_int_equal(1, fwrite(&at, sizeof at, 1, f));
    }
    (void)fclose(f);
    assert_int_equal(RD_E_ABI, rd_plugin_load(files.core, path_of("good.so"), &report, &files.err));
    assert_non_null(strstr(files.err.text, "L0: the file is cut short: "));
}
static void test_l0_cut_in_the_headers(void **state)
{
    (void)state;
    expect_refusal_of(copy_part("good", "cut.so", 100),
                      "L0: the file is cut short or damaged; copy or build it again");
}
static void test_l0_cut_in_a_segment(void **state)
{
    rd_plugin_report report;
    const char *path = copy_part("good", "cut.so", 4096);

    (void)state;
    assert_int_equal(RD_E_ABI, rd_plugin_load(files.core, path, &report, &files.err));
    assert_non_null(
        strstr(files.err.text, "L0: the file is cut short: 4096 bytes, and a segment ends at "));
}
static void test_l0_too_large(void **state)
{
    (void)state;
    assert_int_equal(0, truncate(copy("good"), (64 << 20) + 1));
    expect_refusal_of(path_of("good.so"),
                      "L0: the file has 67108865 bytes, allowed are 67108864; link less into it");
}

/* ---- L1, L2, L4 ---------------------------------------------------------------------------------- */

static void test_l1_no_symbol(void **state)
{
    (void)state;
    expect_refusal(
        "no_symbol",
        "L1: it has no symbol rd_plugin_v1; a plugin's source ends with RD_PLUGIN = { ... }");
}
static void test_l1_another_major(void **state)
{
    (void)state;
    expect_refusal("other_major",
                   "L1: built for ABI 7, this is ABI 1; rebuild it with this Rondo's headers");
}
static void test_l1_an_unresolved_function(void **state)
{
    rd_plugin_report report;

    (void)state;
    assert_int_equal(RD_E_ABI, rd_plugin_load(files.core, copy("unresolved"), &report, &files.err));
    assert_non_null(strstr(files.err.text, "L1: it cannot be opened: "));
    assert_non_null(strstr(files.err.text, "rd_test_is_nowhere"));
}
static void test_l2_magic(void **state)
{
    (void)state;
    expect_refusal(
        "wrong_magic",
        "L2: magic: expected 0x524e5031, got 0x31504e52; its stamp must be RD_STAMP, built on a "
        "machine of this byte order");
}
static void test_l2_major(void **state)
{
    (void)state;
    expect_refusal("wrong_major",
                   "L2: abi_major: expected 1, got 7; rebuild it with this Rondo's headers");
}
static void test_l2_real_size(void **state)
{
    char reason[PATH_BYTES];

    (void)state;
    (void)snprintf(reason, sizeof reason,
                   "L2: real_size: expected %zu, got 2; this Rondo computes in %s: rebuild it %s "
                   "-DRD_REAL_DOUBLE",
                   sizeof(rd_real), sizeof(rd_real) == 8 ? "double" : "float",
                   sizeof(rd_real) == 8 ? "with" : "without");
    expect_refusal("wrong_real", reason);
}
static void test_l2_pointer_size(void **state)
{
    (void)state;
    expect_refusal("wrong_pointer", "L2: ptr_size: expected 8, got 2; rebuild it on this machine");
}
static void test_l2_reserved(void **state)
{
    (void)state;
    expect_refusal("wrong_reserved", "L2: reserved: expected 0, got 1; its stamp must be RD_STAMP");
}
static void test_l2_needs_a_newer_host(void **state)
{
    (void)state;
    expect_refusal(
        "needs_newer",
        "L2: abi_needed: this host has 0, the plugin needs 999; install a newer Rondo, or an "
        "older version of the plugin");
}
/* Valgrind ignores flush-to-zero; there is nothing to find then. */
static bool environment_can_change(void)
{
#if defined(__x86_64__)
    const uint64_t flush = 1u << 15;
#else
    const uint64_t flush = 1u << 24;
#endif
    const uint64_t before = rdc_fp_enter();

    rdc_fp_leave(flush);
    const uint64_t seen = rdc_fp_enter();
    rdc_fp_leave(before);
    return seen & flush;
}
static void test_l4_fast_math_each_time(void **state)
{
    const char reason[] =
        "L4: opening it changes the floating-point environment; build and link it without -ffast-math";

    (void)state;
    if (!environment_can_change()) skip();
    expect_refusal("fast_math", reason);
    expect_refusal("fast_math", reason);
}

static void test_l4_a_crash_at_its_start_is_a_child_s(void **state)
{
    (void)state;
    expect_refusal("init_crashes", "L4: opening the file ends badly: SIGABRT");
    expect_refusal("constructor_crashes", "L4: opening the file ends badly: SIGABRT");
    expect_refusal("init_exits",
                   "L4: opening the file ends badly: it ended the process with status 3");
    expect_refusal("init_closes", "L4: opening the file ends badly: SIGKILL");
    expect_load(copy("good"));
}

/* The pipe to the child has their numbers then. */
static void test_l4_a_host_may_have_no_standard_files(void **state)
{
    const char *path = copy("good");
    rd_plugin_report report;
    int how = -1;

    (void)state;
    const pid_t host = fork();
    if (host == 0) {
        for (int fd = 0; fd < 3; fd++) (void)close(fd);
        _exit(rd_plugin_load(files.core, path, &report, &files.err) == RD_OK ? 0 : 1);
    }
    assert_int_equal(host, waitpid(host, &how, 0));
    assert_int_equal(0, how);
}

/* ---- L3 ------------------------------------------------------------------------------------------ */

static void test_l3_a_short_record(void **state)
{
    char reason[PATH_BYTES];

    (void)state;
    (void)snprintf(reason, sizeof reason,
                   "L3: a cell's record has %zu bytes, expected at least %zu", sizeof(rd_cell) - 8,
                   sizeof(rd_cell));
    expect_refusal("short_record", reason);
}
static void test_l3_a_missing_string(void **state)
{
    (void)state;
    expect_refusal("no_license", "L3: the plugin lacks its name, version, license or origin");
}
static void test_l3_a_bad_name(void **state)
{
    (void)state;
    expect_refusal("bad_name", "L3: cell name 'Bad Name' is not [a-z][a-z0-9_.-]*");
}
static void test_l3_no_layout(void **state)
{
    (void)state;
    expect_refusal("no_layout", "L3: cell 'no_layout' lacks its layout function");
}
static void test_l3_two_cells_of_one_name(void **state)
{
    (void)state;
    expect_refusal("two_cells", "L3: the plugin has two cells 'same'");
}
static void test_l3_a_default_out_of_range(void **state)
{
    (void)state;
    expect_refusal("bad_default",
                   "L3: option 'bias' of cell 'bad_default': default 5 is not in 0..1");
}
static void test_l3_a_default_that_is_no_choice(void **state)
{
    (void)state;
    expect_refusal("bad_choice", "L3: option 'kind' of cell 'bad_choice': default 2 is not one of "
                                 "its 2 choices");
}
static void test_l3_half_a_backend(void **state)
{
    (void)state;
    expect_refusal("half_backend", "L3: backend 'half': gemm, pack and pack_bytes go together");
}
static void test_l3_init_fails(void **state)
{
    (void)state;
    expect_refusal("init_fails", "L3: it does not start: the licence server of minor 0 is asleep");
}
static void test_l3_init_fails_without_a_word(void **state)
{
    (void)state;
    expect_refusal("init_silent", "L3: it does not start: no reason given");
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, open_core, close_core)
int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(test_a_good_plugin_brings_its_cell),
        EACH(test_a_file_met_twice_is_one_plugin),
        EACH(test_a_name_without_slash_is_not_a_path),
        EACH(test_l0_missing),
        EACH(test_l0_a_folder),
        EACH(test_l0_a_pipe_does_not_hang),
        EACH(test_l0_not_a_shared_object),
        EACH(test_l0_empty),
        EACH(test_l0_another_word_size),
        EACH(test_l0_another_processor),
        EACH(test_l0_an_object_file),
        EACH(test_l0_another_order_of_bytes),
        EACH(test_l0_headers_of_another_size),
        EACH(test_l0_more_segments_than_a_plugin_has),
        EACH(test_l0_a_segment_out_of_this_world),
        EACH(test_l0_cut_in_the_headers),
        EACH(test_l0_cut_in_a_segment),
        EACH(test_l0_too_large),
        EACH(test_l1_no_symbol),
        EACH(test_l1_another_major),
        EACH(test_l1_an_unresolved_function),
        EACH(test_l2_magic),
        EACH(test_l2_major),
        EACH(test_l2_real_size),
        EACH(test_l2_pointer_size),
        EACH(test_l2_reserved),
        EACH(test_l2_needs_a_newer_host),
        EACH(test_l4_fast_math_each_time),
        EACH(test_l4_a_crash_at_its_start_is_a_child_s),
        EACH(test_l4_a_host_may_have_no_standard_files),
        EACH(test_l3_a_short_record),
        EACH(test_l3_a_missing_string),
        EACH(test_l3_a_bad_name),
        EACH(test_l3_no_layout),
        EACH(test_l3_two_cells_of_one_name),
        EACH(test_l3_a_default_out_of_range),
        EACH(test_l3_a_default_that_is_no_choice),
        EACH(test_l3_half_a_backend),
        EACH(test_l3_init_fails),
        EACH(test_l3_init_fails_without_a_word),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
