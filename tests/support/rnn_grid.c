/* rnn_grid.c - see rnn_grid.h. SPDX-License-Identifier: MIT */
#include "support/rnn_grid.h"
#include "engine/rnn.h"
#include "support/rnn_forms.h"

#include <string.h>

enum { TRIES = 5, MAX_LEAVES = 128, MAX_SETTINGS = 16, LARGEST_INT = 4 };

static bool is_of_the_tree(const rd_cell *cell)
{
    return strncmp(cell->name, "test_", 5) != 0;
}

static rd_setting setting_of(const rd_option *o, double value)
{
    rd_setting s = {.name = o->name, .kind = o->kind};
    if (o->kind == RD_CHOICE)
        s.text = o->choices[(size_t)value];
    else if (o->kind == RD_REAL)
        s.value.r = value;
    else
        s.value.i = (int64_t)value;
    return s;
}

/* How many values of an option are tried, and value i. */
static size_t value_count(const rd_option *o)
{
    size_t n = 0;
    if (o->kind != RD_CHOICE) return 2;
    while (o->choices[n]) n++;
    return n;
}

static double value_at(const rd_option *o, size_t i)
{
    if (o->kind == RD_CHOICE || o->kind == RD_BOOL) return (double)i;
    if (i == 0) return o->min;
    /* widths and depths may be large, which a test cannot afford; reals would saturate every gate */
    if (o->kind == RD_INT) return o->max < LARGEST_INT ? o->max : LARGEST_INT;
    return o->max < 3 ? o->max : 3;
}

static void visit_cell(const rd_cell *cell, rnn_layer layer, rnn_visit_fn visit)
{
    rd_setting all[MAX_SETTINGS];
    layer.cell = cell->name;
    visit(&layer);
    assert_true(cell->n_options <= MAX_SETTINGS);
    for (uint32_t k = 0; k < cell->n_options; k++) {
        const rd_option *o = &cell->options[k];
        for (size_t i = 0; i < value_count(o); i++) {
            const rd_setting s = setting_of(o, value_at(o, i));
            layer.settings = &s;
            layer.n_settings = 1;
            if (value_at(o, i) != o->def) visit(&layer);
        }
        all[k] = setting_of(o, value_at(o, value_at(o, 1) != o->def));
    }
    for (uint32_t k = 0; k < cell->n_options; k++) /* pairs of those that change the form */
        for (uint32_t j = 0; j < k; j++) {
            const rd_setting two[2] = {all[j], all[k]};
            layer.settings = two;
            layer.n_settings = 2;
            if (cell->options[j].flags & cell->options[k].flags & RD_OPT_SHAPE) visit(&layer);
        }
    layer.settings = all;
    layer.n_settings = cell->n_options;
    if (cell->n_options > 1) visit(&layer);
}

void rnn_visit_all(rnn_layer layer, rnn_visit_fn visit)
{
    rd_core *core = rnn_core(1, NULL);
    for (size_t i = 0; i < rd_cell_count(core); i++)
        if (is_of_the_tree(rd_cell_at(core, i))) visit_cell(rd_cell_at(core, i), layer, visit);
    assert_int_equal(test_close_core((void **)&core), 0);
}

void rnn_say(const rnn_layer *layer)
{
    print_message("%s", layer->cell);
    for (size_t k = 0; layer->settings && k < layer->n_settings; k++) {
        const rd_setting *s = &layer->settings[k];
        print_message(", %s", s->name);
        if (s->kind == RD_CHOICE)
            print_message(" %s", s->text);
        else if (s->kind == RD_REAL)
            print_message(" %g", s->value.r);
        else
            print_message(" %d", (int)s->value.i);
    }
    print_message("\n");
}

/* ---- derivatives --------------------------------------------------------------------------------- */

struct problem {
    rd_rnn *rnn;
    bool training;
    bool stops; /* a state is without gradient */
    rd_tensor *x, *first[RNN_MAX_STATES];
};

static bool has_stop(const rd_rnn *rnn)
{
    for (uint32_t k = 0; k < rnn->layout->n_states; k++)
        if (rnn->layout->state[k].flags & RD_STATE_STOP) return true;
    return false;
}

static rd_status weighed(void *user, rd_tensor **out, rd_error *err)
{
    const struct problem *p = user;
    rd_tensor *y = NULL, *final[RNN_MAX_STATES] = {NULL}, *sum = NULL;
    const rd_rnn_input in = {.x = p->x,
                             .states = p->stops ? NULL : p->first,
                             .training = p->training,
                             .update = RNN_UPDATE};
    rd_status status = rd_rnn_run(p->rnn, &in, &y, p->stops ? NULL : final, err);
    if (status != RD_OK) return status;
    status = test_weighted_sum(y, &sum, err);
    for (size_t k = 0; status == RD_OK && !p->stops && k < rd_rnn_state_count(p->rnn); k++) {
        rd_tensor *part = NULL, *both = NULL;
        status = test_weighted_sum(final[k], &part, err);
        if (status == RD_OK) status = rd_apply2(RD_ADD, sum, part, &both, err);
        rd_tensor_release(part);
        rd_tensor_release(sum);
        sum = both;
    }
    *out = sum;
    return status;
}

/* A norm divides by deviations, which may be small: its fifth derivative, the error of a difference, is then
 * large. cells_spec.lua compares the same gradients with those of the tape, to 1e-12. */
static double tolerance_of(const rnn_layer *layer)
{
    for (size_t k = 0; layer->settings && k < layer->n_settings; k++)
        if (strcmp(layer->settings[k].name, "layer_norm") == 0) return 1e-6;
    return layer->training ? 1e-8
                           : 1e-9; /* what is not dropped is scaled up,and the error with it */
}

/* A difference over the corner of a relu is no derivative. Cells alone have a seed for which no sum comes
 * near one; with regularisers another input is tried. */
static bool is_near(const rnn_layer *layer, struct problem *p, rd_tensor *const *leaf, size_t n)
{
    rd_error err;
    rd_gradient_report report;
    if (sizeof(rd_real) != sizeof(double)) return true; /* see test_gradients_within */
    OK(rd_check_gradients(&(rd_gradient_check){weighed, p, leaf, n, 0, 0}, &report, &err));
    return report.worst <= tolerance_of(layer);
}

void rnn_check_derivatives(const rnn_layer *layer)
{
    rnn_say(layer);
    rd_core *core = rnn_core(1, NULL);
    rd_tensor *leaf[MAX_LEAVES];
    size_t n = 0;
    struct problem p = {.rnn = rnn_make(core, layer), .training = layer->training};
    p.stops = has_stop(p.rnn);
    for (size_t i = 0; i < rd_rnn_parameter_count(p.rnn); i++)
        if (rd_requires_grad(rd_rnn_parameter(p.rnn, i))) leaf[n++] = rd_rnn_parameter(p.rnn, i);
    p.x = leaf[n++] = test_leaf(core, SHAPE(2, 3, layer->in), RD_SEQUENCE, 50 + layer->bias);
    for (uint32_t k = 0; !p.stops && k < rd_rnn_state_count(p.rnn); k++)
        p.first[k] = leaf[n++] =
            test_leaf(core, SHAPE(2, rd_rnn_state_width(p.rnn, k)), RD_DENSE, 2 + k);
    const bool noisy = layer->zoneout > 0 || layer->training;
    for (uint32_t other = 0; !noisy || !is_near(layer, &p, leaf, n); other++) {
        rd_real values[2 * 3 * 16];
        if (!noisy || other == TRIES) {
            test_gradients_within(tolerance_of(layer), weighed, &p, leaf, n);
            break;
        }
        for (size_t i = 0; i < rd_tensor_numel(p.x); i++) values[i] = rnn_number(90 + other, i);
        rnn_set(p.x, values);
    }
    rd_tensor_release(p.x);
    for (int k = 0; k < RNN_MAX_STATES; k++) rd_tensor_release(p.first[k]);
    rd_rnn_release(p.rnn);
    assert_int_equal(test_close_core((void **)&core), 0);
}
