/* test_mutations.c - HDF5 files with a few bytes changed, through both readers: refused or read.
 *
 * test_mutations [N [SEED]]: N files, 400 where nothing is given. Faults of libhdf5 end a child; what
 * is shown is that the process that holds the work lives, waits no longer than it may, takes no memory
 * that the file does not have, and says what was wrong. The same numbers every time.
 * SPDX-License-Identifier: MIT */
#include "store/strangers.h"

#include <dlfcn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

enum { MOST_BYTES = 20000, MOST_BASES = 64, MOST_VALUES = 1 << 20, MOST_KILOBYTES = 64 << 10 };

typedef struct base {
    unsigned char *at;
    size_t n;
} base;

static struct {
    unsigned long files;
    uint64_t random;
} given = {400, 1};

static uint64_t draw(uint64_t below)
{
    given.random ^= given.random << 13; /* Marsaglia 2003, xorshift64 */
    given.random ^= given.random >> 7;
    given.random ^= given.random << 17;
    return given.random % below;
}

/* ---- honest files and those of make_evil.py ---- */

static bool make_files(scratch *s)
{
    char command[512];
    (void)snprintf(command, sizeof(command),
                   "/usr/bin/python3 '%s/tests/store/make_evil.py' '%s' >/dev/null 2>&1",
                   RD_TEST_SOURCE_DIR, s->folder);
    return system(command) == 0; /* NOLINT(cert-env33-c): fixed text */
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The small files of the folder, in the order of their names; removes all. */
static size_t take_bases(scratch *s, base *bases)
{
    char *names[256];
    size_t n_names = 0, n = 0;
    DIR *folder = opendir(s->folder);
    for (const struct dirent *e = readdir(folder); e && n_names < 256; e = readdir(folder))
        if (e->d_name[0] != '.') names[n_names++] = strdup(e->d_name);
    closedir(folder);
    qsort(names, n_names, sizeof(*names), by_name);
    for (size_t i = 0; i < n_names; i++) {
        base b;
        b.at = scratch_read(scratch_path(s, names[i]), &b.n);
        if (b.n <= MOST_BYTES && b.n > RDC_SEAL_BYTES && n < MOST_BASES)
            bases[n++] = b;
        else
            free(b.at);
        unlink(s->path);
        free(names[i]);
    }
    return n;
}

/* ---- changes ---- */

static void change(unsigned char *at, size_t *n)
{
    static const uint64_t numbers[] = {0,          1,         0xff,       0xffff, 0x7fffffff,
                                       0xffffffff, INT64_MAX, UINT64_MAX, 512,    1 << 20};
    const size_t here = (size_t)draw(*n), wide = (size_t)1 << draw(4);
    const uint64_t number = numbers[draw(sizeof(numbers) / sizeof(*numbers))];
    switch (draw(6)) {
    case 0:
        at[here] ^= (unsigned char)(1U << draw(8));
        break;
    case 1:
        at[here] = (unsigned char)draw(256);
        break;
    case 2:
        if (here + wide <= *n) memcpy(at + here, &number, wide);
        break;
    case 3: { /* a part of the file stands somewhere else too */
        const size_t from = (size_t)draw(*n), most = *n - (from > here ? from : here);
        memmove(at + here, at + from, (size_t)draw(most + 1) % 64);
        break;
    }
    case 4:
        at[here] = (unsigned char)(at[here] + (draw(2) ? 1 : -1));
        break;
    default:
        if (draw(8) == 0) *n = here + 1;
    }
}

/* ---- readers ---- */

typedef struct outcome {
    unsigned long refused, read, sets_read, sets_refused, killed, slow, checkpoints_killed;
} outcome;

static bool has(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

/* What was said names the file, and how the child ended where it did. */
static void look_at_refusal(const char *path, const rd_error *err, unsigned long *killed,
                            outcome *o)
{
    if (!has(err->text, path)) fail_msg("'%s' does not name %s", err->text, path);
    *killed += has(err->text, "killed by signal");
    o->slow += has(err->text, "took too long");
    if (has(err->text, "sent nonsense")) fail_msg("%s", err->text);
}

static void read_as_series(const char *path, outcome *o)
{
    rd_hdf5 *h = NULL;
    const rd_hdf5_set *sets;
    rd_error err = {0};
    if (rd_hdf5_open(&core, path, &h, &err) != RD_OK) {
        o->refused++;
        look_at_refusal(path, &err, &o->killed, o);
        return;
    }
    o->read++;
    const size_t n = rd_hdf5_sets(h, &sets);
    for (size_t i = 0, done = 0; i < n && done < 2; i++) {
        if (!sets[i].readable || sets[i].rows * sets[i].columns > MOST_VALUES ||
            sets[i].columns > 1000)
            continue;
        done++;
        if (read_set(h, i, NULL, &err) == RD_OK) {
            o->sets_read++;
        } else {
            o->sets_refused++;
            look_at_refusal(path, &err, &o->killed, o);
        }
    }
    rd_hdf5_free(h);
}

static void read_as_checkpoint(scratch *s, const unsigned char *at, size_t n, outcome *o)
{
    rd_error err;
    if (n <= RDC_SEAL_BYTES) return;
    const char *path = seal_image(s, at + RDC_SEAL_BYTES, n - RDC_SEAL_BYTES);
    (void)refusal(path, &err); /* its state digest is 0 */
    look_at_refusal(path, &err, &o->checkpoints_killed, o);
}

static void go_through(scratch *s, const base *bases, size_t n_bases, outcome *o)
{
    unsigned char at[MOST_BYTES];
    for (unsigned long i = 0; i < given.files; i++) {
        const base *b = &bases[draw(n_bases)];
        size_t n = b->n;
        memcpy(at, b->at, n);
        for (uint64_t k = draw(4) + 1; k > 0; k--) change(at, &n);
        read_as_series(scratch_write(s, "changed.h5", at, n), o);
        if (i % 2 == 0) read_as_checkpoint(s, at, n, o);
    }
}

static void test_changed_files_are_refused_or_read(void **state)
{
    scratch *s = *state;
    base bases[MOST_BASES];
    outcome o = {0};
    struct rusage before, after;
    if (!make_files(s)) skip();
    const size_t n = take_bases(s, bases);
    /* Children find the library loaded, which saves them most of their time. */
    void *module = dlopen(RD_TEST_LIB_DIR "/rondo_hdf5.so", RTLD_NOW | RTLD_LOCAL);
    assert_non_null(module);
    assert_int_equal(getrusage(RUSAGE_SELF, &before), 0);
    const time_t start = time(NULL);
    go_through(s, bases, n, &o);
    assert_int_equal(getrusage(RUSAGE_SELF, &after), 0);
    print_message(
        "%lu files of %zu, %ld s: %lu refused, %lu opened (datasets: %lu read, %lu refused); children "
        "killed by signals: %lu of series, %lu of checkpoints, %lu by their time\n",
        given.files, n, (long)(time(NULL) - start), o.refused, o.read, o.sets_read, o.sets_refused,
        o.killed, o.checkpoints_killed, o.slow);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child at all */
#ifndef __SANITIZE_ADDRESS__                          /* it keeps what was freed */
    assert_true(after.ru_maxrss - before.ru_maxrss < MOST_KILOBYTES);
#endif
    assert_true(o.refused > 0 && o.sets_read > 0);
    for (size_t i = 0; i < n; i++) free(bases[i].at);
    dlclose(module);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_changed_files_are_refused_or_read, scratch_open,
                                        scratch_close),
    };
    if (argc > 1) given.files = strtoul(argv[1], NULL, 10);
    if (argc > 2) given.random = strtoull(argv[2], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
