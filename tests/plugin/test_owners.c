/* test_owners.c - plugin files that somebody else could have changed are refused (rule L0).
 *
 * What needs files of other users is skipped where the tests do not run as root.
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <cmocka.h>
#include "support/plugin_files.h"

enum { NOBODY_KNOWN = 54321, ANOTHER = 54322 }; /* users and groups that no system has */

static char text[TEXT_BYTES];

static void test_a_file_that_everybody_may_write(void **state)
{
    (void)state;
    assert_int_equal(0, chmod(copy("good"), 0602));
    (void)snprintf(text, sizeof text,
                   "L0: everybody may write to it; end that with: chmod o-w '%s'",
                   path_of("good.so"));
    expect_refusal_of(path_of("good.so"), text);
}
static void test_a_folder_that_everybody_may_write(void **state)
{
    (void)state;
    (void)copy("good");
    assert_int_equal(0, chmod(files.folder, 01777)); /* sticky or not */
    (void)snprintf(text, sizeof text,
                   "L0: everybody may write to its folder; end that with: chmod o-w '%s'",
                   files.folder);
    expect_refusal_of(path_of("good.so"), text);
}
static void give(const char *path, uid_t user, gid_t group)
{
    if (geteuid() != 0) skip();
    assert_int_equal(0, chown(path, user, group));
}
static void test_a_file_that_a_group_may_write(void **state)
{
    (void)state;
    give(copy("good"), 0, NOBODY_KNOWN);
    assert_int_equal(0, chmod(path_of("good.so"), 0620));
    (void)snprintf(text, sizeof text,
                   "L0: group 54321 may write to it, and is not yours alone; end that with: chmod "
                   "g-w '%s'",
                   path_of("good.so"));
    expect_refusal_of(path_of("good.so"), text);
}
static void test_a_folder_that_a_group_may_write(void **state)
{
    (void)state;
    (void)copy("good");
    give(files.folder, 0, NOBODY_KNOWN);
    assert_int_equal(0, chmod(files.folder, 0770));
    (void)snprintf(
        text, sizeof text,
        "L0: group 54321 may write to its folder, and is not yours alone; end that with: "
        "chmod g-w '%s'",
        files.folder);
    expect_refusal_of(path_of("good.so"), text);
    give(files.folder, 0, 0);
}
static void test_a_file_of_another_user(void **state)
{
    (void)state;
    give(copy("good"), NOBODY_KNOWN, 0);
    expect_refusal_of(path_of("good.so"),
                      "L0: it belongs to user 54321, and you are user root; copy the file into a "
                      "folder of yours, or have it given to you (chown)");
}
static void test_a_folder_of_another_user(void **state)
{
    (void)state;
    (void)copy("good");
    give(files.folder, NOBODY_KNOWN, 0);
    expect_refusal_of(path_of("good.so"),
                      "L0: its folder belongs to user 54321, and you are user root; copy the file "
                      "into a folder of yours, or have it given to you (chown)");
    give(files.folder, 0, 0);
}

/* What becomes of good.so where the user is NOBODY_KNOWN: "loaded", or the reason of its refusal. */
static const char *as_another_user(void)
{
    int ends[2];
    ssize_t n;

    assert_int_equal(0, pipe(ends));
    const pid_t child = fork();
    if (child == 0) {
        const char *said = "not become another user";
        rd_plugin_report report;
        rd_error err;
        if (setgid(NOBODY_KNOWN) == 0 && setuid(NOBODY_KNOWN) == 0)
            said = rd_plugin_load(files.core, path_of("good.so"), &report, &err) == RD_OK
                       ? "loaded"
                       : last_refusal();
        n = write(ends[1], said, strlen(said));
        _exit(n < 0);
    }
    close(ends[1]);
    n = read(ends[0], text, sizeof text - 1);
    close(ends[0]);
    assert_int_equal(child, waitpid(child, NULL, 0));
    text[n > 0 ? n : 0] = '\0';
    return text;
}
static void test_files_of_root_and_of_the_user_are_loaded(void **state)
{
    (void)state;
    give(copy("good"), 0, 0);
    assert_int_equal(0, chmod(files.folder, 0755));
    assert_int_equal(0, chmod(path_of("good.so"), 0755));
    assert_string_equal("loaded", as_another_user());
    give(path_of("good.so"), NOBODY_KNOWN, NOBODY_KNOWN);
    assert_string_equal("loaded", as_another_user());
}
static void test_files_of_a_third_user_are_not(void **state)
{
    (void)state;
    give(copy("good"), ANOTHER, 0);
    assert_int_equal(0, chmod(files.folder, 0755));
    assert_int_equal(0, chmod(path_of("good.so"), 0755));
    assert_string_equal(
        "L0: it belongs to user 54322, and you are user 54321; copy the file into a "
        "folder of yours, or have it given to you (chown)",
        as_another_user());
}
static void test_a_file_that_the_user_cannot_read(void **state)
{
    (void)state;
    give(copy("good"), 0, 0);
    assert_int_equal(0, chmod(files.folder, 0755));
    assert_int_equal(0, chmod(path_of("good.so"), 0600));
    assert_string_equal("L0: it cannot be opened: Permission denied; make it readable (chmod u+r)",
                        as_another_user());
}
/* A group that nobody can say to be private: of a user whom the system does not know. */
static void test_a_group_of_an_unknown_user_is_not_his_own(void **state)
{
    (void)state;
    give(copy("good"), NOBODY_KNOWN, NOBODY_KNOWN);
    assert_int_equal(0, chmod(files.folder, 0755));
    assert_int_equal(0, chmod(path_of("good.so"), 0775));
    assert_non_null(strstr(as_another_user(), "L0: group 54321 may write to it"));
}

/* True where /etc/passwd and /etc/group say that root's group is root's alone, as they do on most systems. */
static bool root_is_alone(void)
{
    return geteuid() == 0 &&
           system("test \"$(awk -F: '$4 == 0' /etc/passwd | cut -d: -f1)\" = root && "
                  "test \"$(awk -F: '$3 == 0 { print $1 $4 }' /etc/group)\" = root") == 0;
}
static void test_the_users_own_group_may_write(void **state)
{
    (void)state;
    if (!root_is_alone()) skip();
    give(copy("good"), 0, 0);
    assert_int_equal(0, chmod(path_of("good.so"), 0664));
    assert_int_equal(0, chmod(files.folder, 0770));
    expect_load(path_of("good.so"));
}
/* An access control list that lets user 54321 write; the mode shows it as the group's right. */
static void test_an_access_list_takes_the_group_its_trust(void **state)
{
    static const uint16_t list[] = {
        2,      0, /* version; then tag, permissions, id of each entry */
        1,      6,      0xffff, 0xffff, 2,      6,      NOBODY_KNOWN, 0, 4,      4,
        0xffff, 0xffff, 0x10,   6,      0xffff, 0xffff, 0x20,         4, 0xffff, 0xffff};

    (void)state;
    if (!root_is_alone()) skip();
    if (setxattr(copy("good"), "system.posix_acl_access", list, sizeof list, 0) != 0) skip();
    (void)snprintf(text, sizeof text,
                   "L0: group root may write to it, and is not yours alone; end that with: chmod "
                   "g-w '%s'",
                   path_of("good.so"));
    expect_refusal_of(path_of("good.so"), text);
}
static void test_trust_skips_owners_and_permissions(void **state)
{
    (void)state;
    reopen(&(rd_core_options){.threads = 1, .trust_plugins = true});
    assert_int_equal(0, chmod(copy("good"), 0666));
    assert_int_equal(0, chmod(files.folder, 0777));
    expect_load(path_of("good.so"));
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, open_core, close_core)
int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(test_a_file_that_everybody_may_write),
        EACH(test_a_folder_that_everybody_may_write),
        EACH(test_a_file_that_a_group_may_write),
        EACH(test_a_folder_that_a_group_may_write),
        EACH(test_a_file_of_another_user),
        EACH(test_a_folder_of_another_user),
        EACH(test_files_of_root_and_of_the_user_are_loaded),
        EACH(test_files_of_a_third_user_are_not),
        EACH(test_a_file_that_the_user_cannot_read),
        EACH(test_a_group_of_an_unknown_user_is_not_his_own),
        EACH(test_the_users_own_group_may_write),
        EACH(test_an_access_list_takes_the_group_its_trust),
        EACH(test_trust_skips_owners_and_permissions),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
