/* cell_runs.c - see cell_runs.h. SPDX-License-Identifier: MIT */
#include "cell_runs.h"
#include "cell_grid.h"
#include "cell_layer.h"
#include "child.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROWS = 5, STEPS = 7, TEXT = 256 };

/* ---- C4 and C5: forms of a run ------------------------------------------------------------------- */

struct named_form {
    layer_form f;
    const char *name;
};

/* Does each form give what the first, a whole sequence on one thread, gives? */
static bool forms_agree(const cell_case *c, const struct named_form *form, size_t n, char *why,
                        size_t cap)
{
    layer_things whole = {0};
    rd_error err;
    char what[TEXT];
    const layer_form first = {.rows = ROWS, .steps = STEPS, .recorded = true};
    check_call_is("a run");
    bool ok = layer_run(c, &first, &whole, &err) == RD_OK;

    if (!ok) (void)snprintf(why, cap, "it cannot be run: %s", err.text);
    for (size_t i = 0; i < n && ok; i++) {
        layer_things other = {0};
        check_call_is("a run %s", form[i].name);
        ok = layer_run(c, &form[i].f, &other, &err) == RD_OK;
        if (!ok) {
            (void)snprintf(why, cap, "%s it cannot be run: %s", form[i].name, err.text);
        } else if (!layer_things_same(&whole, &other, what, sizeof what)) {
            ok = false;
            (void)snprintf(why, cap, "%d steps at once and %s differ: %s", STEPS, form[i].name,
                           what);
        }
        layer_things_free(&other);
    }
    layer_things_free(&whole);
    return ok;
}

bool cell_threads_agree(const cell_case *c, char *why, size_t cap)
{
    static const struct named_form forms[] = {
        {{.rows = ROWS, .steps = STEPS, .threads = 2, .recorded = true}, "on 2 threads"},
        {{.rows = ROWS, .steps = STEPS, .threads = 3, .recorded = true}, "on 3 threads"},
    };
    return forms_agree(c, forms, sizeof forms / sizeof forms[0], why, cap);
}

bool cell_chunks_agree(const cell_case *c, char *why, size_t cap)
{
    static const struct named_form forms[] = {
        {{.rows = ROWS, .steps = STEPS, .chunk = 1, .recorded = true}, "one by one"},
        {{.rows = ROWS, .steps = STEPS, .chunk = 3, .recorded = true}, "in calls of 3"},
        {{.rows = ROWS, .steps = STEPS}, "without gradients"},
        {{.rows = ROWS, .steps = STEPS, .chunk = 1}, "one by one without gradients"},
    };
    return forms_agree(c, forms, sizeof forms / sizeof forms[0], why, cap);
}

/* ---- C4: lengths --------------------------------------------------------------------------------- */

static const bool counts[ROWS][STEPS] = {{1, 1, 1, 0, 0, 0, 0},
                                         {0, 0, 0, 0, 0, 1, 0},
                                         {1, 1, 1, 1, 1, 1, 1},
                                         {0, 0, 0, 1, 1, 1, 1},
                                         {1, 0, 1, 0, 0, 1, 0}};

struct padded {
    made m;
    bool reverse;
    rd_tensor *x, *mask;
};

/* The steps of row r that count, as (1, n, width). */
static rd_status steps_of(const rd_tensor *t, size_t r, rd_tensor **out, rd_error *err)
{
    const size_t width = rd_tensor_shape(t)[2];
    rd_real *values = malloc(rd_tensor_numel(t) * sizeof *values);
    rd_tensor *own = NULL;
    size_t n = 0;

    if (!values) return rdc_no_memory(err, rd_tensor_numel(t) * sizeof *values);
    rd_tensor_read(t, values);
    for (size_t i = 0; i < STEPS; i++)
        if (counts[r][i])
            memmove(values + n++ * width, values + (r * STEPS + i) * width, width * sizeof *values);
    rd_status status =
        rd_tensor_new(rd_tensor_core(t), 3, (size_t[]){1, n, width}, RD_SEQUENCE, &own, err);
    if (status == RD_OK) status = rd_tensor_write(own, values, err);
    free(values);
    *out = own;
    return status;
}

/* What row r gives in the batch, and alone. */
static rd_status run_row(const struct padded *p, size_t r, rd_tensor *y, rd_tensor *const *last,
                         layer_things seen[2], rd_error *err)
{
    rd_tensor *x = NULL, *part = NULL, *alone = NULL, *state[LAYER_STATES] = {NULL};
    char name[80];

    RD_TRY(steps_of(y, r, &part, err));
    RD_TRY(layer_keep(&seen[0], "the output", part, err));
    rd_tensor_release(part);
    RD_TRY(steps_of(p->x, r, &x, err));
    RD_TRY(made_run(&p->m, &(rd_rnn_input){.x = x, .reverse = p->reverse}, &alone, state, err));
    RD_TRY(layer_keep(&seen[1], "the output", alone, err));
    for (size_t k = 0; k < p->m.states; k++) {
        (void)snprintf(name, sizeof name, "last state '%s'", made_state(&p->m, k, NULL));
        RD_TRY(rd_slice(last[k], 0, r, 1, &part, err));
        RD_TRY(layer_keep(&seen[0], name, part, err));
        RD_TRY(layer_keep(&seen[1], name, state[k], err));
        rd_tensor_release(part);
        rd_tensor_release(state[k]);
    }
    rd_tensor_release(x);
    rd_tensor_release(alone);
    return RD_OK;
}

/* *same says whether each row of the batch is what it is alone. */
static rd_status compare_rows(const struct padded *p, bool *same, char *why, size_t cap,
                              rd_error *err)
{
    const rd_rnn_input in = {.x = p->x, .mask = p->mask, .reverse = p->reverse};
    rd_tensor *y = NULL, *last[LAYER_STATES] = {NULL};
    char what[TEXT];

    RD_TRY(made_run(&p->m, &in, &y, last, err));
    for (size_t r = 0; r < ROWS && *same; r++) {
        layer_things seen[2] = {{0}};
        RD_TRY(run_row(p, r, y, last, seen, err));
        *same = layer_things_same(&seen[0], &seen[1], what, sizeof what);
        if (!*same)
            (void)snprintf(why, cap, "row %zu of a batch of unequal lengths%s and alone differ: %s",
                           r, p->reverse ? ", reversed," : "", what);
        layer_things_free(&seen[0]);
        layer_things_free(&seen[1]);
    }
    rd_tensor_release(y);
    for (size_t k = 0; k < p->m.states; k++) rd_tensor_release(last[k]);
    return RD_OK;
}

static rd_status open_padded(const cell_case *c, struct padded *p, rd_error *err)
{
    rd_real values[ROWS * STEPS];

    for (size_t i = 0; i < (size_t)ROWS * STEPS; i++) values[i] = counts[i / STEPS][i % STEPS];
    RD_TRY(layer_new(c, 7, &p->m, err));
    RD_TRY(layer_numbers(c->core, 50, 3, (size_t[]){ROWS, STEPS, c->in}, &p->x, err));
    RD_TRY(rd_tensor_new(c->core, 2, (size_t[]){ROWS, STEPS}, RD_DENSE, &p->mask, err));
    return rd_tensor_write(p->mask, values, err);
}

bool cell_rows_alone_agree(const cell_case *c, char *why, size_t cap)
{
    struct padded p = {0};
    rd_error err;
    bool same = true;
    const bool before = rd_set_grad_mode(c->core, false);

    rd_status status = open_padded(c, &p, &err);
    for (int i = 0; i < (c->layer ? 1 : 2) && status == RD_OK && same; i++) {
        p.reverse = i > 0;
        check_call_is("a run with unequal lengths");
        status = compare_rows(&p, &same, why, cap, &err);
    }
    (void)rd_set_grad_mode(c->core, before);
    if (status != RD_OK) (void)snprintf(why, cap, "it cannot be run: %s", err.text);
    rd_tensor_release(p.x);
    rd_tensor_release(p.mask);
    made_release(&p.m);
    return same && status == RD_OK;
}

/* ---- C9 ------------------------------------------------------------------------------------------ */

struct saved {
    const check_subject *s;
    const char *path; /* of the archive */
    rd_archive *archive;
    bool load; /* else save */
    size_t n;  /* cases so far */
    check_verdict *v;
};

static rd_status put_all(struct saved *to, const made *m, rd_tensor *y, rd_error *err)
{
    char name[160];

    for (size_t i = 0; i < m->parameters; i++) {
        const char *own;
        rd_tensor *p = made_parameter(m, i, &own);
        (void)snprintf(name, sizeof name, "%zu/model/%s", to->n, own);
        RD_TRY(rd_archive_put_tensor(to->archive, name, p, err));
    }
    (void)snprintf(name, sizeof name, "%zu/output", to->n);
    return rd_archive_put_tensor(to->archive, name, y, err);
}

static rd_status get_all(const struct saved *from, const made *m, rd_error *err)
{
    char name[160];

    for (size_t i = 0; i < m->parameters; i++) {
        const char *own;
        rd_tensor *p = made_parameter(m, i, &own);
        (void)snprintf(name, sizeof name, "%zu/model/%s", from->n, own);
        RD_TRY(rd_archive_get_tensor(from->archive, name, p, err));
    }
    return RD_OK;
}

/* Is y what was saved? */
static rd_status compare_saved(const struct saved *from, rd_tensor *y, rd_error *err)
{
    layer_things now = {0}, then = {0};
    rd_tensor *before = NULL;
    char name[160], what[TEXT];

    (void)snprintf(name, sizeof name, "%zu/output", from->n);
    RD_TRY(rd_tensor_new(rd_tensor_core(y), rd_tensor_ndim(y), rd_tensor_shape(y), RD_DENSE,
                         &before, err));
    RD_TRY(rd_archive_get_tensor(from->archive, name, before, err));
    RD_TRY(layer_keep(&now, "the output", y, err));
    RD_TRY(layer_keep(&then, "the output", before, err));
    if (!layer_things_same(&then, &now, what, sizeof what))
        check_say(from->v, CHECK_FAIL,
                  "saved, and read in another process, a layer gives something else: %s", what);
    rd_tensor_release(before);
    layer_things_free(&now);
    layer_things_free(&then);
    return RD_OK;
}

static rd_status save_or_load(struct saved *o, const cell_case *c, rd_error *err)
{
    made m;
    rd_tensor *x = NULL, *y = NULL;

    RD_TRY(layer_new(c, o->load ? 8 : 7, &m, err));
    if (o->load) RD_TRY(get_all(o, &m, err));
    RD_TRY(layer_numbers(c->core, 50, 3, (size_t[]){ROWS, STEPS, c->in}, &x, err));
    RD_TRY(made_run(&m, &(rd_rnn_input){.x = x}, &y, NULL, err));
    RD_TRY(o->load ? compare_saved(o, y, err) : put_all(o, &m, y, err));
    rd_tensor_release(x);
    rd_tensor_release(y);
    made_release(&m);
    return RD_OK;
}

static bool visit_saved(void *user, const cell_case *c, bool built, const rd_error *err)
{
    struct saved *o = user;
    rd_error own;
    char text[CASE_TEXT];

    if (!built) return case_skipped(c, err, o->v);
    o->n++;
    if (save_or_load(o, c, &own) != RD_OK) {
        case_text(c, text);
        check_say(o->v, CHECK_FAIL, "%s%s%s", own.text, text[0] ? ", with " : "", text);
    }
    return o->v->status == CHECK_PASS;
}

/* In a process of its own, in which the plugin is loaded anew. */
static void go(const void *job, check_verdict *v)
{
    struct saved o = *(const struct saved *)job;
    const rd_core_options options = {
        .threads = 1, .kernels = "scalar", .lib_dir = o.s->lib_dir, .trust_plugins = true};
    rd_core *core;
    rd_plugin_report report;
    rd_digests digests;
    rd_error err = {0};

    o.v = v;
    if (rd_core_open(&options, &core, &err) != RD_OK ||
        rd_plugin_load(core, o.s->path, &report, &err) != RD_OK ||
        (o.load ? rd_archive_load(core, o.path, &o.archive, &digests, &err)
                : rd_archive_new(&o.archive, &err)) != RD_OK) {
        check_say(v, CHECK_FAIL, "%s", err.text);
        return;
    }
    (void)rd_set_grad_mode(core, false);
    cell_case c = {.core = core};
    rd_cell stand_in;
    check_case_of(o.s, report.plugin, &c, &stand_in);
    each_setting(&c, visit_saved, &o);
    if (!o.load && v->status == CHECK_PASS &&
        rd_archive_save(core, o.archive, o.path, &digests, &err) != RD_OK)
        check_say(v, CHECK_FAIL, "%s", err.text);
}

void cell_is_saved(const check_subject *s, check_verdict *v)
{
    const double SHARE =
        0.45; /* of the rule's time for each of two, so that this process ends in time */
    char folder[] = "/tmp/rondo-check-XXXXXX", path[64];
    struct saved o = {.s = s, .path = path};

    if (!s->lib_dir) {
        check_say(v, CHECK_SKIP, "--lib-dir was not given, where this Rondo's HDF5 module lies");
        return;
    }
    if (!mkdtemp(folder)) {
        check_say(v, CHECK_FAIL, "there is no temporary folder");
        return;
    }
    (void)snprintf(path, sizeof path, "%s/layer.h5", folder);
    for (int i = 0; i < 2 && v->status == CHECK_PASS; i++) {
        o.load = i > 0;
        (void)child_run(go, &o, SHARE * s->seconds, v);
    }
    (void)unlink(path);
    (void)rmdir(folder);
}
