/* test_io_faults.c - whichever call of a save fails, and however, the last checkpoint is there and whole.
 * SPDX-License-Identifier: MIT */
#include "store/checkpoint.h"
#include "faults/faulty_io.h"

#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

typedef struct two_saves { /* the files of the state before and of the one that is being saved */
    rd_archive *old, *new;
    unsigned char *old_bytes, *new_bytes;
    size_t n_old, n_new;
} two_saves;

static two_saves prepare(scratch *s)
{
    two_saves t = {.old = small_archive("old"), .new = small_archive("new, and longer")};
    const char *path = scratch_path(s, "a.h5");
    save(t.new, path, NULL);
    t.new_bytes = scratch_read(path, &t.n_new);
    save(t.old, path, NULL);
    t.old_bytes = scratch_read(path, &t.n_old);
    return t;
}

static void end(two_saves *t)
{
    rd_archive_free(t->old);
    rd_archive_free(t->new);
    free(t->old_bytes);
    free(t->new_bytes);
}

static bool holds(const char *path, const unsigned char *bytes, size_t n)
{
    size_t there;
    unsigned char *now = scratch_read(path, &there);
    const bool same = there == n && memcmp(now, bytes, n) == 0;
    free(now);
    return same;
}

static int open_descriptors(void)
{
    int n = 0;
    for (int fd = 0; fd < 64; fd++) n += fcntl(fd, F_GETFD) != -1;
    return n;
}

typedef struct outcome {
    long calls;
    rd_status status;
    rd_error err;
} outcome;

static outcome save_with(const two_saves *t, const char *path, io_fault fault)
{
    outcome o = {0};
    io_faults_begin(fault);
    o.status = rd_archive_save(&core, t->new, path, NULL, &o.err);
    o.calls = io_faults_end();
    return o;
}

/* Names the case in which something does not hold. */
#define CHECK(holds) \
    do { \
        if (!(holds)) \
            fail_msg("call %ld (%s) fails with %d, %s: not so: %s (%s)", fault.call, \
                     io_faults_name() ? io_faults_name() : "none", fault.number, \
                     fault.always ? "and all after it" : "once", #holds, o.err.text); \
    } while (0)

static bool can_be_interrupted(const char *call)
{
    static const char *const calls[] = {"open", "read", "write", "fsync", "flock", "close"};
    for (size_t i = 0; call && i < sizeof(calls) / sizeof(*calls); i++)
        if (strcmp(call, calls[i]) == 0) return true;
    return false;
}

static void check_case(scratch *s, const two_saves *t, io_fault fault)
{
    const char *path = scratch_path(s, "a.h5");
    const int before = open_descriptors();
    const outcome o = save_with(t, path, fault);
    const char *failed = io_faults_name();
    const bool is_new = holds(path, t->new_bytes, t->n_new);
    CHECK(is_new || holds(path, t->old_bytes, t->n_old));
    CHECK(o.status == RD_OK ? o.err.text[0] == '\0'
                            : strncmp(o.err.text, "cannot save '", 13) == 0);
    CHECK(o.status != RD_OK || is_new);
    /* Only after the file has its name can a save have failed and its file be there. */
    CHECK(o.status == RD_OK || !is_new || strstr(o.err.text, "its folder"));
    CHECK(fault.number != IO_SHORT || o.status == RD_OK);
    CHECK(fault.number != EINTR || fault.always || !can_be_interrupted(failed) ||
          o.status == RD_OK);
    CHECK(open_descriptors() == before);
    CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
    CHECK(scratch_count(s) == 1 || (fault.always && failed && strcmp(failed, "unlink") == 0));
    save(t->old, path, NULL); /* and the next one is well */
    CHECK(holds(path, t->old_bytes, t->n_old));
    CHECK(scratch_count(s) == 1);
}

static void test_a_save_survives_the_failure_of_any_call(void **state)
{
    static const int numbers[] = {EIO, ENOSPC, EINTR, IO_SHORT, EMFILE, EDQUOT};
    two_saves t = prepare(*state);
    const outcome plain = save_with(&t, scratch_path(*state, "a.h5"), (io_fault){0});
    assert_int_equal(plain.status, RD_OK);
    assert_true(plain.calls > 20);
    save(t.old, scratch_path(*state, "a.h5"), NULL);
    for (size_t n = 0; n < sizeof(numbers) / sizeof(*numbers); n++)
        for (long call = 1; call <= plain.calls; call++)
            for (int always = 0; always < 2; always++)
                check_case(*state, &t, (io_fault){call, numbers[n], always});
    end(&t);
}

/* ---- the power fails: of what was not yet synced any part has reached the disk ---- */

enum { BLOCK = 512, RANDOM_SUBSETS = 16 };

typedef struct disk {
    const two_saves *saves;
    const io_step *steps;
    size_t n;              /* steps before the cut */
    const char *old_name;  /* where the old state lies before all steps, with all its bytes */
    const char *new_name;  /* where the new one is to lie */
    size_t states, losses; /* looked at; and those in which neither was there, whole */
} disk;

/* Whether the pending changes of the folder that bit by bit are in `applied` leave the file under `name`:
 * 0 the old one, 1 the new one, -1 none. Steps before `synced` are on the disk in any case. */
static int lies_under(const disk *d, const char *name, size_t synced, unsigned applied)
{
    int holds = strcmp(name, d->old_name) == 0 ? 0 : -1;
    unsigned bit = 0;
    for (size_t i = 0; i < d->n; i++) {
        const io_step *step = &d->steps[i];
        if (step->kind != IO_RENAME && step->kind != IO_UNLINK) continue;
        if (i >= synced && !(applied >> bit++ & 1)) continue;
        if (step->kind == IO_RENAME && strcmp(step->to, name) == 0) holds = 1;
        if (step->kind == IO_UNLINK && strcmp(step->name, name) == 0) holds = -1;
    }
    return holds;
}

/* One state: `whole` says whether the new file has all its bytes. */
static void look_at(disk *d, size_t synced, unsigned applied, bool whole)
{
    const int in_new = lies_under(d, d->new_name, synced, applied);
    const int in_old = lies_under(d, d->old_name, synced, applied);
    d->states++;
    /* A file that is not whole is refused, and the one before is taken. */
    if (in_new == 0 || (in_new == 1 && whole) || in_old == 0 || (in_old == 1 && whole)) return;
    d->losses++;
}

/* Whether the new file is whole where of its blocks those in `pick` of [synced, written) are lost. */
static bool is_whole(const disk *d, size_t synced, size_t written, uint64_t pick)
{
    if (written < d->saves->n_new) return false;
    for (size_t at = synced - synced % BLOCK, bit = 0; at < written; at += BLOCK, bit++)
        if (pick >> bit % 64 & 1) return false;
    return true;
}

/* All states that a cut after the first n steps can leave. */
static void cut(disk *d)
{
    size_t synced = 0, safe = 0, written = 0;
    unsigned pending = 0;
    for (size_t i = 0; i < d->n; i++) {
        if (d->steps[i].kind == IO_WRITE) written += d->steps[i].bytes;
        if (d->steps[i].kind == IO_SYNC) safe = written;
        if (d->steps[i].kind == IO_SYNC_FOLDER) synced = i;
    }
    for (size_t i = synced; i < d->n; i++)
        pending += d->steps[i].kind == IO_RENAME || d->steps[i].kind == IO_UNLINK;
    const size_t blocks = (written - safe + BLOCK - 1) / BLOCK;
    for (unsigned applied = 0; applied < 1U << pending; applied++) {
        look_at(d, synced, applied, is_whole(d, safe, written, 0));
        for (size_t block = 0; block < blocks; block++) { /* all behind it, and it alone */
            look_at(d, synced, applied, is_whole(d, safe, written, UINT64_MAX << block % 64));
            look_at(d, synced, applied, is_whole(d, safe, written, (uint64_t)1 << block % 64));
        }
        uint64_t pick = 0x9E3779B97F4A7C15U;
        for (int i = 0; blocks > 0 && i < RANDOM_SUBSETS; i++) {
            look_at(d, synced, applied, is_whole(d, safe, written, pick));
            pick = pick * 6364136223846793005U + 1442695040888963407U;
        }
    }
}

/* Cuts after every step; returns how many states there are, and in *losses those that have lost the work. */
static size_t cut_everywhere(disk d, size_t *losses)
{
    const size_t n = d.n;
    for (d.n = 0; d.n <= n; d.n++) cut(&d);
    *losses = d.losses;
    return d.states;
}

/* The steps without those of a kind; how many stay. */
static size_t without(const io_step *steps, size_t n, io_kind kind, io_step *out)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (steps[i].kind != kind) out[kept++] = steps[i];
    return kept;
}

static void check_cuts(disk d)
{
    io_step fewer[64];
    size_t losses;
    assert_true(d.n <= 64);
    assert_true(cut_everywhere(d, &losses) > 2 * d.n);
    assert_int_equal(losses, 0);
    /* What is found where a sync is left out: the check sees something. */
    disk worse = d;
    worse.steps = fewer;
    worse.n = without(d.steps, d.n, IO_SYNC, fewer);
    assert_true(cut_everywhere(worse, &losses) > 2 * d.n && losses > 0);
}

static void test_a_power_cut_leaves_one_of_the_two_states(void **state)
{
    two_saves t = prepare(*state);
    disk d = {.saves = &t};
    char path[128];
    snprintf(path, sizeof(path), "%s", scratch_path(*state, "a.h5"));
    assert_int_equal(save_with(&t, path, (io_fault){0}).status, RD_OK);
    d.steps = io_steps(&d.n);
    d.old_name = d.new_name = path;
    check_cuts(d);
    end(&t);
}

/* As the run folder does it: a file for each step; the older is removed when the new one is safe. */
static void test_a_power_cut_leaves_the_newest_or_the_one_before(void **state)
{
    two_saves t = prepare(*state);
    disk d = {.saves = &t};
    char old_name[128], new_name[128];
    snprintf(old_name, sizeof(old_name), "%s", scratch_path(*state, "a.h5"));
    snprintf(new_name, sizeof(new_name), "%s", scratch_path(*state, "b.h5"));
    io_faults_begin((io_fault){0});
    const rd_status status = rd_archive_save(&core, t.new, new_name, NULL, NULL);
    const int removed = unlink(old_name);
    io_faults_end();
    assert_int_equal(status, RD_OK);
    assert_int_equal(removed, 0);
    d.steps = io_steps(&d.n);
    d.old_name = old_name;
    d.new_name = new_name;
    check_cuts(d);
    io_step fewer[64];
    size_t losses;
    disk worse = d;
    worse.steps = fewer;
    worse.n = without(d.steps, d.n, IO_SYNC_FOLDER, fewer);
    assert_true(cut_everywhere(worse, &losses) > 0 && losses > 0);
    end(&t);
}

/* ---- a disk with any number of free pages ---- */

enum { PAGE = 4096, NO_MOUNT = 77, DISK_PAGES = 24 };

/* Saves with `pages` free ones. 0, or the number of the check that does not hold. */
static int save_on_little(scratch *s, const two_saves *t, int pages)
{
    static const char noise[PAGE];
    rd_error err = {0};
    char path[128];
    snprintf(path, sizeof(path), "%s", scratch_path(s, "a.h5"));
    if (rd_archive_save(&core, t->old, path, NULL, &err) != RD_OK) return 2;
    const int fd = open(scratch_path(s, "noise"), O_WRONLY | O_CREAT, 0600);
    size_t filled = 0;
    while (write(fd, noise, PAGE) == PAGE) filled++;
    if (ftruncate(fd, (off_t)(filled - (size_t)pages) * PAGE) != 0) return 3;
    const rd_status status = rd_archive_save(&core, t->new, path, NULL, &err);
    const bool is_new = holds(path, t->new_bytes, t->n_new);
    if (status == RD_OK ? !is_new : !holds(path, t->old_bytes, t->n_old)) return 4;
    if (status != RD_OK && !strstr(err.text, "No space left on device")) return 5;
    if (scratch_count(s) != 2) return 6;
    if ((size_t)pages * PAGE >= t->n_new && status != RD_OK) return 7;
    if (pages == 0 && status == RD_OK) return 8;
    close(fd);
    unlink(scratch_path(s, "noise"));
    return 0;
}

/* In a child with a mount table of its own. */
static int sweep_free_pages(scratch *s, const two_saves *t)
{
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", s->folder, "tmpfs", 0, "size=96k") != 0)
        return NO_MOUNT;
    int wrong = 0;
    for (int pages = 0; pages < DISK_PAGES - 4 && wrong == 0; pages++)
        wrong = save_on_little(s, t, pages);
    return wrong;
}

static void test_a_save_on_a_disk_with_any_number_of_free_pages(void **state)
{
    int how;
    two_saves t = prepare(*state);
    const pid_t pid = fork();
    if (pid == 0) _exit(sweep_free_pages(*state, &t));
    assert_int_equal(waitpid(pid, &how, 0), pid);
    end(&t);
    assert_true(WIFEXITED(how));
    if (WEXITSTATUS(how) == NO_MOUNT) skip();
    assert_int_equal(WEXITSTATUS(how), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_open, scratch_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_save_survives_the_failure_of_any_call),
        TEST(test_a_power_cut_leaves_one_of_the_two_states),
        TEST(test_a_power_cut_leaves_the_newest_or_the_one_before),
        TEST(test_a_save_on_a_disk_with_any_number_of_free_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
