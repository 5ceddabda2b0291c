/* child.c - see child.h.
 *
 * Shared with the child is one page, `doing`: what it says it is doing. Static, as there is one child at
 * a time.
 * SPDX-License-Identifier: MIT */
#include "child.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { DOING_TEXT = 400, NOISE = 400 };
#define MOST_BYTES ((rlim_t)4 << 30) /* of its own memory: no rule needs as much */

struct record {
    uint64_t token;
    check_verdict verdict;
    uint64_t same_token;
};
struct doing {
    char the_case[DOING_TEXT], the_call[DOING_TEXT];
};

static struct doing *doing; /* shared memory */
static int report_to = -1;  /* of the child: where its verdict goes */
static uint64_t token;      /* of the child that runs */

void check_say(check_verdict *v, check_status status, const char *format, ...)
{
    va_list args;

    if (v->status != CHECK_PASS && !(v->status == CHECK_WARN && status == CHECK_FAIL)) return;
    v->status = status;
    va_start(args, format);
    (void)vsnprintf(v->text, sizeof v->text, format, args);
    va_end(args);
    for (char *c = v->text; *c; c++)
        if (*c == '\n' || *c == '\t') *c = ' ';
}

static void do_say(char to[DOING_TEXT], const char *format, va_list args)
{
    (void)vsnprintf(to, DOING_TEXT, format, args);
}

void check_case_is(const char *format, ...)
{
    va_list args;

    if (!doing) return;
    va_start(args, format);
    do_say(doing->the_case, format, args);
    va_end(args);
}

void check_call_is(const char *format, ...)
{
    va_list args;

    if (!doing) return;
    va_start(args, format);
    do_say(doing->the_call, format, args);
    va_end(args);
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- in the child -------------------------------------------------------------------------------- */

void child_end(const check_verdict *v)
{
    static struct record r; /* not on the stack: it may be a handler's */
    const char *at = (const char *)&r;
    size_t left = sizeof r;

    r = (struct record){.token = token, .verdict = *v, .same_token = token};
    while (left > 0) {
        const ssize_t n = write(report_to, at, left);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        at += n;
        left -= (size_t)n;
    }
    _exit(0);
}

static void start_child(int report, int noise)
{
    const int nothing = open("/dev/null", O_RDWR);
    const struct rlimit none = {0, 0};

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)setpgid(0, 0); /* so that children of its own end with it */
    (void)setrlimit(RLIMIT_CORE, &none);
#ifndef __SANITIZE_ADDRESS__ /* which asks for more than any machine has */
    (void)setrlimit(RLIMIT_DATA, &(struct rlimit){MOST_BYTES, MOST_BYTES});
#endif
    if (nothing >= 0) {
        (void)dup2(nothing, STDIN_FILENO);
        (void)dup2(nothing, STDOUT_FILENO);
    }
    (void)dup2(noise, STDERR_FILENO);
    report_to = report;
}

/* ---- in the parent ------------------------------------------------------------------------------- */

struct watch {
    int report, noise; /* ends to read from; -1 once closed */
    struct record got;
    size_t n_got;
    char said[NOISE]; /* the end of what came by `noise` */
    size_t n_said;
};

static void read_report(struct watch *w)
{
    char more[64];
    char *const to = w->n_got < sizeof w->got ? (char *)&w->got + w->n_got : more;
    const size_t room = w->n_got < sizeof w->got ? sizeof w->got - w->n_got : sizeof more;
    const ssize_t n = read(w->report, to, room);

    if (n > 0) {
        w->n_got += (size_t)n;
    } else if (n == 0 || errno != EINTR) {
        close(w->report);
        w->report = -1;
    }
}

static void read_noise(struct watch *w)
{
    char some[NOISE];
    const ssize_t n = read(w->noise, some, sizeof some);

    if (n > 0) {
        const size_t came = (size_t)n;
        const size_t kept = w->n_said + came > NOISE ? NOISE - came : w->n_said;
        memmove(w->said, w->said + w->n_said - kept, kept);
        memcpy(w->said + kept, some, came);
        w->n_said = kept + came;
    } else if (n == 0 || errno != EINTR) {
        close(w->noise);
        w->noise = -1;
    }
}

/* Reads until the report is closed; false: the time is up. A grandchild may keep the noise open. */
static bool watch_until(struct watch *w, double deadline)
{
    while (w->report >= 0) {
        struct pollfd p[2] = {{w->report, POLLIN, 0}, {w->noise, POLLIN, 0}};
        const double left = deadline - now();
        if (left <= 0) return false;
        if (poll(p, 2, (int)(1000 * left) + 1) < 0 && errno != EINTR) return false;
        if (p[1].revents) read_noise(w);
        if (p[0].revents) read_report(w);
    }
    while (w->noise >= 0 && poll(&(struct pollfd){w->noise, POLLIN, 0}, 1, 0) > 0) read_noise(w);
    return true;
}

/* It may have closed its pipe and live on. false: the time is up. */
static bool wait_until(pid_t child, int *how, double deadline)
{
    for (;;) {
        const pid_t ended = waitpid(child, how, WNOHANG);
        if (ended != 0) return ended == child;
        if (now() > deadline) return false;
        nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
    }
}

/* " in backward of phase 1 at t=3 (coupled = true)" */
static void where(char text[2 * DOING_TEXT + 16])
{
    const size_t cap = 2 * DOING_TEXT + 16;

    doing->the_case[DOING_TEXT - 1] = doing->the_call[DOING_TEXT - 1] = '\0';
    (void)snprintf(text, cap, "%s%s%s%s%s", doing->the_call[0] ? " in " : "", doing->the_call,
                   doing->the_case[0] ? " (" : "", doing->the_case, doing->the_case[0] ? ")" : "");
}

/* The last line that it wrote to its errors, as ": text". */
static void last_words(struct watch *w, char text[NOISE + 4])
{
    size_t end = w->n_said;

    while (end > 0 && (w->said[end - 1] == '\n' || w->said[end - 1] == ' ')) end--;
    size_t begin = end;
    while (begin > 0 && w->said[begin - 1] != '\n') begin--;
    (void)snprintf(text, NOISE + 4, end > begin ? ": %.*s" : "", (int)(end - begin),
                   w->said + begin);
}

static const char *signal_name(int number)
{
    const char *name = sigabbrev_np(number);
    return name ? name : "?";
}

static void judge(struct watch *w, int how, check_verdict *v)
{
    const struct record *r = &w->got;
    char place[2 * DOING_TEXT + 16], words[NOISE + 4];
    const bool whole =
        w->n_got == sizeof *r && r->token == token && r->same_token == token && WIFEXITED(how);

    if (whole && r->verdict.status <= CHECK_TIMEOUT) {
        *v = r->verdict;
        v->text[CHECK_TEXT - 1] = '\0';
        return;
    }
    where(place);
    last_words(w, words);
    if (WIFSIGNALED(how))
        check_say(v, CHECK_CRASH, "SIG%s%s%s", signal_name(WTERMSIG(how)), place, words);
    else
        check_say(v, CHECK_CRASH, "it ended the process with status %d%s%s",
                  WIFEXITED(how) ? WEXITSTATUS(how) : -1, place, words);
}

static bool cannot(check_verdict *v, const char *what)
{
    check_say(v, CHECK_FAIL, "there is no child process for it: %s: %s", what, strerror(errno));
    return false;
}

bool child_run(child_fn fn, const void *job, double seconds, check_verdict *v)
{
    const uint64_t outer = token; /* of this process, if it is such a child itself */
    int report[2], noise[2], how = 0;
    struct watch w = {0};

    *v = (check_verdict){0};
    if (!doing) {
        void *page =
            mmap(NULL, sizeof *doing, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (page == MAP_FAILED) return cannot(v, "mmap");
        doing = page;
    }
    memset(doing, 0, sizeof *doing);
    if (getrandom(&token, sizeof token, 0) != (ssize_t)sizeof token) return cannot(v, "getrandom");
    if (pipe2(report, O_CLOEXEC) != 0 || pipe2(noise, O_CLOEXEC) != 0) return cannot(v, "pipe");
    const double deadline = now() + seconds;
    const pid_t child = fork();
    if (child < 0) return cannot(v, "fork");
    if (child == 0) {
        start_child(report[1], noise[1]);
        fn(job, v);
        child_end(v);
    }
    (void)setpgid(child, child); /* whoever comes first */
    close(report[1]);
    close(noise[1]);
    w.report = report[0];
    w.noise = noise[0];
    const bool ended = watch_until(&w, deadline) && wait_until(child, &how, deadline);
    (void)kill(-child, SIGKILL); /* with what it has left behind */
    if (!ended) (void)waitpid(child, &how, 0);
    if (w.report >= 0) close(w.report);
    if (w.noise >= 0) close(w.noise);
    if (ended) {
        judge(&w, how, v);
    } else {
        char place[2 * DOING_TEXT + 16];
        where(place);
        check_say(v, CHECK_TIMEOUT, "it did not end within %g s%s", seconds, place);
    }
    token = outer;
    return true;
}
