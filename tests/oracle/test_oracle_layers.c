/* test_oracle_layers.c - recurrent layers against PyTorch: outputs, last states and every gradient.
 *
 * Lengths, both directions and dropout with a stored mask too; see torch.h.
 * SPDX-License-Identifier: MIT */
#include "oracle/torch.h"
#include <stdio.h>
#include <string.h>

static const char *const variants[] = {"1",      "1_init", "1_nobias", "1_mask",   "2",
                                       "2_drop", "bi",     "bi_mask",  "2bi_mask", "2bi_len0",
                                       "odd",    "sat",    "tiny"};

struct run {
    torch_stack stack;
    rd_tensor *x, *loss;
};

/* loss += sum(t * weights) */
static void weigh(struct run *r, rd_tensor *t, rd_tensor *weights)
{
    rd_error err;
    rd_tensor *product = NULL, *sum = NULL, *both = NULL;
    OK(rd_apply2(RD_MUL, t, weights, &product, &err));
    OK(rd_sum(product, RD_ALL, false, &sum, &err));
    rd_tensor_release(product);
    rd_tensor_release(weights);
    if (!r->loss) {
        r->loss = sum;
        return;
    }
    OK(rd_apply2(RD_ADD, r->loss, sum, &both, &err));
    rd_tensor_release(sum);
    rd_tensor_release(r->loss);
    r->loss = both;
}

static void open_states(torch_stack *s)
{
    rd_error err;
    char path[160];
    for (uint32_t i = 0; i < s->states; i++) {
        snprintf(path, sizeof path, "%s/%c_0", s->group, i == 0 ? 'h' : 'c');
        golden_array all = golden_read(s->f, path);
        for (uint32_t k = 0; k < s->units; k++) {
            const golden_array own = torch_entry(&all, k);
            s->first[k][i] = golden_tensor_of(s->core, &own, RD_DENSE);
            OK(rd_set_requires_grad(s->first[k][i], true, &err));
        }
        golden_array_free(&all);
    }
}

/* The output of a layer times the stored mask of dropout, where there is one. */
static rd_tensor *drop(const torch_stack *s, uint32_t layer, rd_tensor *y)
{
    rd_error err;
    char path[160];
    rd_tensor *dropped = NULL;
    snprintf(path, sizeof path, "%s/dropout_scale", s->group);
    if (!golden_has(s->f, path) || (layer + 1) * s->directions == s->units) return y;
    golden_array all = golden_read(s->f, path);
    const golden_array own = torch_entry(&all, layer);
    rd_tensor *scale = golden_tensor_of(s->core, &own, RD_SEQUENCE);
    golden_array_free(&all);
    OK(rd_apply2(RD_MUL, y, scale, &dropped, &err));
    RELEASE(y, scale);
    return dropped;
}

static void forward(struct run *r)
{
    rd_error err;
    char path[160];
    torch_stack *s = &r->stack;
    snprintf(path, sizeof path, "%s/x", s->group);
    r->x = golden_tensor(s->core, s->f, path, RD_SEQUENCE);
    OK(rd_set_requires_grad(r->x, true, &err));
    rd_tensor *in = rd_tensor_retain(r->x);
    for (uint32_t unit = 0; unit < s->units; unit += s->directions) {
        rd_tensor *y = torch_layer(s, unit, in);
        rd_tensor_release(in);
        in = drop(s, unit / s->directions, y);
    }
    snprintf(path, sizeof path, "%s/y", s->group);
    golden_check(s->f, path, in, RD_SEQUENCE);
    snprintf(path, sizeof path, "%s/dy", s->group);
    weigh(r, in, golden_tensor(s->core, s->f, path, RD_SEQUENCE));
    rd_tensor_release(in);
}

static void check_states(struct run *r, bool gradients)
{
    char path[160], weights[160];
    const torch_stack *s = &r->stack;
    for (uint32_t i = 0; i < s->states; i++) {
        const char name = i == 0 ? 'h' : 'c';
        snprintf(path, sizeof path, gradients ? "%s/grad/%c_0" : "%s/%c_n", s->group, name);
        snprintf(weights, sizeof weights, "%s/d%c_n", s->group, name);
        golden_array want = golden_read(s->f, path), d = golden_read(s->f, weights);
        for (uint32_t k = 0; k < s->units; k++) {
            const golden_array own = torch_entry(&want, k), own_d = torch_entry(&d, k);
            const rd_tensor *t = gradients ? rd_grad(s->first[k][i]) : s->final[k][i];
            golden_check_values(path, &own, t, RD_DENSE);
            if (!gradients) weigh(r, s->final[k][i], golden_tensor_of(s->core, &own_d, RD_DENSE));
        }
        golden_array_free(&want);
        golden_array_free(&d);
    }
}

static void check_case(golden_file *f, const torch_map *map, const char *variant)
{
    rd_error err;
    char path[160];
    struct run r = {
        .stack = {.f = f, .map = map, .parameters = "param/", .core = rnn_core(1, NULL)}};
    torch_stack *s = &r.stack;
    snprintf(s->group, sizeof s->group, "%s_%s", map->prefix, variant);
    torch_open(s);
    open_states(s);
    forward(&r);
    check_states(&r, false);
    OK(rd_backward(r.loss, NULL, false, &err));
    snprintf(path, sizeof path, "%s/grad/x", s->group);
    golden_check(f, path, rd_grad(r.x), RD_SEQUENCE);
    check_states(&r, true);
    torch_check(s, "grad/", -1, true);
    torch_close(s);
    RELEASE(r.x, r.loss);
    assert_int_equal(test_close_core((void **)&s->core), 0);
}

static void check_cell(const torch_map *map)
{
    golden_file *f = golden_open("layers");
    uint32_t n = 0;
    for (size_t v = 0; v < sizeof variants / sizeof variants[0]; v++) {
        char group[64];
        snprintf(group, sizeof group, "%s_%s", map->prefix, variants[v]);
        if (!golden_has(f, group)) continue; /* relu does not saturate */
        check_case(f, map, variants[v]);
        n++;
    }
    golden_close(f);
    assert_int_equal(n, strcmp(map->prefix, "rnn_relu") == 0 ? 12 : 13);
}

static void test_rnn_tanh(void **state)
{
    (void)state;
    check_cell(&torch_maps[0]);
}

static void test_rnn_relu(void **state)
{
    (void)state;
    check_cell(&torch_maps[1]);
}

static void test_lstm(void **state)
{
    (void)state;
    check_cell(&torch_maps[2]);
}

static void test_gru(void **state)
{
    (void)state;
    check_cell(&torch_maps[3]);
}

static void test_gru_reset_before(void **state)
{
    (void)state;
    check_cell(&torch_maps[4]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rnn_tanh),
        cmocka_unit_test(test_rnn_relu),
        cmocka_unit_test(test_lstm),
        cmocka_unit_test(test_gru),
        cmocka_unit_test(test_gru_reset_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
