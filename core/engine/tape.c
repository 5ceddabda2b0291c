/* tape.c - recording operations and playing them backward.
 *
 * Invariants: an edge points to a node with a lower number, so visiting by descending number meets every
 * consumer of a node before the node itself. Nodes are freed from a list (core->dying), never by
 * recursion: a chain of any length needs no stack. A node that was played backward is consumed: it has
 * given up its edges and saved values, and the tensors it made are constants.
 *
 * Over 400 lines: recording, playing and releasing keep these invariants together.
 * SPDX-License-Identifier: MIT */
#include "engine/tape.h"

#include "base/profile.h"
#include "engine/map.h"
#include "rondo_parts.h"

#include <assert.h>
#include <string.h>

/* Does a gradient flow into t? */
static bool is_live(const rd_tensor *t)
{
    return t && (t->wants_grad || (t->node && !t->node->consumed));
}

bool rdc_wants_node(rd_tensor *const *in, uint32_t n_in)
{
    for (uint32_t i = 0; i < n_in; i++)
        if (is_live(in[i]) && in[i]->core->grad_mode) return true;
    return false;
}

static void make_edge(rdc_edge *edge, rd_tensor *t)
{
    if (!t) return;
    edge->ndim = t->ndim;
    memcpy(edge->shape, t->shape, sizeof(edge->shape));
    edge->order = rdc_order(t);
    if (t->wants_grad) {
        edge->leaf = rd_tensor_retain(t);
    } else if (is_live(t)) {
        edge->node = t->node;
        edge->node->refs++;
        edge->output = t->output;
    }
}

rd_status rdc_record(const rdc_op *op, rd_tensor *const *in, uint32_t n_in, rd_tensor *const *out,
                     uint32_t n_out, rdc_node **node, rd_error *err)
{
    assert(n_out > 0);
    rd_core *const core = out[0]->core;
    size_t bytes = 0, din_at = 0, dout_at = 0;
    if (!rdc_mul_size(n_in, sizeof(rdc_edge), &bytes) ||
        !rdc_add_size(bytes, sizeof(rdc_node), &din_at) ||
        !rdc_add_size(din_at, n_in * sizeof(rd_tensor *), &dout_at) ||
        !rdc_add_size(dout_at, n_out * sizeof(rd_tensor *), &bytes))
        return rdc_fail(err, RD_E_ARG, "%s: %u inputs are too many", op->name, n_in);
    rdc_node *made = rdc_record_new(core->arena, bytes);
    if (!made) return rdc_no_memory(err, bytes);
    made->op = op;
    made->core = core;
    made->number = core->next_node++;
    made->n_in = n_in;
    made->n_out = n_out;
    made->in = (rdc_edge *)(made + 1);
    made->din = (rd_tensor **)((char *)made + din_at);
    made->dout = (rd_tensor **)((char *)made + dout_at);
    for (uint32_t i = 0; i < n_in; i++) {
        make_edge(&made->in[i], in[i]);
        if (made->in[i].node && made->in[i].node->hosted) made->hosted = true;
    }
    for (uint32_t k = 0; k < n_out; k++) {
        assert(!out[k]->node && !out[k]->wants_grad);
        out[k]->node = made;
        out[k]->output = k;
        made->refs++;
    }
    *node = made;
    return RD_OK;
}

void rdc_save(rdc_node *node, uint32_t slot, rd_tensor *t)
{
    assert(slot < RDC_MAX_SAVED && !node->saved[slot]);
    if (t->node != node)
        node->saved[slot] = rd_tensor_retain(t);
    else if (rdc_tensor_over(t->core, t->block, t->at, t->ndim, t->shape, t->stride,
                             &node->saved[slot], NULL) != RD_OK)
        node->lost = true;
    node->saved_version[slot] = t->block->version;
}

/* Gives up everything the node holds but its own record. */
static void drop_contents(rdc_node *node)
{
    if (node->op->dispose && node->state) node->op->dispose(node);
    node->state = NULL;
    for (uint32_t s = 0; s < RDC_MAX_SAVED; s++) {
        rd_tensor_release(node->saved[s]);
        node->saved[s] = NULL;
    }
    for (uint32_t k = 0; k < node->n_out; k++) {
        rd_tensor_release(node->dout[k]);
        node->dout[k] = NULL;
    }
    for (uint32_t i = 0; i < node->n_in; i++) {
        rd_tensor_release(node->in[i].leaf);
        rdc_node_release(node->in[i].node);
        node->in[i].leaf = NULL;
        node->in[i].node = NULL;
    }
}

void rdc_node_release(rdc_node *node)
{
    if (!node || --node->refs > 0) return;
    rd_core *const core = node->core;
    node->next = core->dying;
    core->dying = node;
    if (core->releasing) return; /* the loop below, further up the stack, will come to it */
    core->releasing = true;
    while (core->dying) {
        rdc_node *const dead = core->dying;
        core->dying = dead->next;
        drop_contents(dead);
        rdc_record_free(core->arena, dead);
    }
    core->releasing = false;
}

/* ---- playing backward ------------------------------------------------------------------------- */

/* Merges two lists in descending order of number. */
static rdc_node *merge(rdc_node *a, rdc_node *b)
{
    rdc_node *head = NULL, **end = &head;
    while (a && b) {
        rdc_node **const from = a->number > b->number ? &a : &b;
        *end = *from;
        end = &(*from)->next;
        *from = (*from)->next;
    }
    *end = a ? a : b;
    return head;
}

/* Bottom-up merge sort of a list: runs[i] is empty or holds 2^i nodes. */
static rdc_node *sort_descending(rdc_node *list)
{
    rdc_node *runs[64] = {NULL};
    while (list) {
        rdc_node *run = list;
        list = list->next;
        run->next = NULL;
        uint32_t i = 0;
        for (; runs[i]; i++) {
            run = merge(runs[i], run);
            runs[i] = NULL;
        }
        runs[i] = run;
    }
    rdc_node *sorted = NULL;
    for (uint32_t i = 0; i < 64; i++) sorted = merge(runs[i], sorted);
    return sorted;
}

/* Appends a node to a list of those that are reached; each is held by one reference. */
static void reach(rdc_node *node, rdc_node **first, rdc_node **last)
{
    if (!node || node->marked) return;
    node->marked = true;
    node->refs++;
    node->next = NULL;
    if (*last)
        (*last)->next = node;
    else
        *first = node;
    *last = node;
}

/* Every node that the roots reach, by descending number. */
static rdc_node *collect(const rd_root *roots, size_t n)
{
    rdc_node *first = NULL, *last = NULL;
    for (size_t i = 0; i < n; i++)
        if (!roots[i].tensor->wants_grad) reach(roots[i].tensor->node, &first, &last);
    for (const rdc_node *node = first; node; node = node->next)
        for (uint32_t i = 0; i < node->n_in; i++) reach(node->in[i].node, &first, &last);
    return sort_descending(first);
}

static void release_list(rdc_node *list)
{
    while (list) {
        rdc_node *const node = list;
        list = list->next;
        node->marked = false;
        for (uint32_t k = 0; k < node->n_out; k++) {
            rd_tensor_release(node->dout[k]);
            node->dout[k] = NULL;
        }
        rdc_node_release(node);
    }
}

/* All that can be wrong with a graph is found before any gradient is touched. */
static rd_status check_nodes(const rdc_node *list, rd_error *err)
{
    for (const rdc_node *node = list; node; node = node->next) {
        const char *const name = node->op->name;
        if (node->consumed)
            return rdc_fail(
                err, RD_E_ARG,
                "backward: the graph from '%s' down was already played backward and given "
                "up; pass retain_graph to the first backward, or compute it again",
                name);
        if (node->lost)
            return rdc_fail(err, RD_E_NOMEM,
                            "%s: there was no memory to keep its result for backward", name);
        for (uint32_t s = 0; s < RDC_MAX_SAVED; s++)
            if (node->saved[s] && node->saved[s]->block->version != node->saved_version[s])
                return rdc_fail(
                    err, RD_E_ARG,
                    "%s: a tensor that its gradient needs was written in place after it "
                    "ran; write to a copy, or call backward before the write",
                    name);
    }
    return RD_OK;
}

static rd_status new_gradient(rd_core *core, const rdc_edge *edge, rd_tensor **out, rd_error *err)
{
    rd_tensor *made = NULL;
    RD_TRY(rd_tensor_new(core, edge->ndim, edge->shape, edge->order, &made, err));
    memset(made->at, 0, rd_tensor_numel(made) * sizeof(rd_real));
    *out = made;
    return RD_OK;
}

/* Gives a leaf a gradient of zeros if it has none. */
static rd_status need_gradient(rd_tensor *leaf, rd_error *err)
{
    if (leaf->grad) return RD_OK;
    if (!leaf->grad_place) return rdc_tensor_like(leaf, true, &leaf->grad, err);
    leaf->grad = leaf->grad_place;
    leaf->grad_place = NULL;
    return RD_OK;
}

/* Where input i's gradient is added up in the end: a leaf's gradient or a producer's dout. */
static rd_tensor **target_of(const rdc_edge *edge)
{
    if (edge->leaf) return &edge->leaf->grad;
    return edge->node ? &edge->node->dout[edge->output] : NULL;
}

/* A leaf's gradient is continued in place (rule 6). Of an inner tensor the first contribution is made in
 * place and each later one complete, in a buffer of its own, and then added (rule 5); a contribution of
 * one term needs no buffer for that. */
static rd_status open_inputs(rdc_node *node, rd_error *err)
{
    for (uint32_t i = 0; i < node->n_in; i++) {
        const rdc_edge *const edge = &node->in[i];
        rd_tensor **const target = target_of(edge);
        if (!target || (node->op->reaches && !node->op->reaches(node, i))) continue;
        if (edge->leaf) {
            RD_TRY(need_gradient(edge->leaf, err));
        } else if (!*target) {
            RD_TRY(new_gradient(node->core, edge, target, err));
        } else if (!edge->one_term) {
            RD_TRY(new_gradient(node->core, edge, &node->din[i], err));
            continue;
        }
        node->din[i] = *target;
    }
    return RD_OK;
}

static void close_inputs(rdc_node *node, bool add)
{
    for (uint32_t i = 0; i < node->n_in; i++) {
        rd_tensor **const target = target_of(&node->in[i]);
        if (node->din[i] && node->din[i] != *target) {
            if (add) rdc_add_tensor(*target, node->din[i]);
            rd_tensor_release(node->din[i]);
        }
        node->din[i] = NULL;
    }
}

static rd_status visit(rdc_node *node, rd_error *err)
{
    bool arrived = false;
    for (uint32_t k = 0; k < node->n_out; k++) arrived = arrived || node->dout[k];
    if (!arrived) return RD_OK;
    rd_status status = open_inputs(node, err);
    if (status == RD_OK) {
        RDC_TIMED(node->core, node->op->work);
        status = node->op->backward(node, err);
    }
    close_inputs(node, status == RD_OK);
    return status;
}

/* dL/droot: the seed, or 1. */
static rd_status put_seed(rd_tensor *root, rd_tensor *seed, rd_error *err)
{
    rd_tensor *first = NULL;
    RD_TRY(rdc_tensor_like(root, true, &first, err));
    if (seed)
        rdc_copy_values(seed, first);
    else
        first->at[0] = 1;
    if (root->wants_grad) {
        const rd_status status = need_gradient(root, err);
        if (status == RD_OK) rdc_add_tensor(root->grad, first);
        rd_tensor_release(first);
        return status;
    }
    rd_tensor **const at = &root->node->dout[root->output];
    if (!*at) {
        *at = first;
        return RD_OK;
    }
    rdc_add_tensor(*at, first); /* the same tensor is a root twice */
    rd_tensor_release(first);
    return RD_OK;
}

static rd_status check_root(const rd_tensor *root, const rd_tensor *seed, rd_error *err)
{
    char given[128], wanted[128];
    if (root->core->calling)
        return rdc_fail(err, RD_E_ARG,
                        "backward: the backward of function '%s' is running, and gradients of "
                        "gradients are not computed",
                        root->core->calling);
    if (!root->wants_grad && !root->node)
        return rdc_fail(err, RD_E_ARG,
                        "backward: this tensor depends on nothing that wants a gradient");
    if (seed && !rdc_same_shape(root, seed))
        return rdc_fail(err, RD_E_ARG, "backward: the seed must have the tensor's shape %s, got %s",
                        rdc_shape_text(root, wanted), rdc_shape_text(seed, given));
    if (!seed && rd_tensor_numel(root) != 1)
        return rdc_fail(
            err, RD_E_ARG,
            "backward: a tensor of shape %s needs a seed; only one element goes without",
            rdc_shape_text(root, given));
    return RD_OK;
}

rd_status rd_backward(rd_tensor *root, rd_tensor *seed, bool retain_graph, rd_error *err)
{
    return rd_backward_all(&(rd_root){root, seed}, 1, retain_graph, err);
}

rd_status rd_backward_all(const rd_root *roots, size_t n, bool retain_graph, rd_error *err)
{
    for (size_t i = 0; i < n; i++) RD_TRY(check_root(roots[i].tensor, roots[i].seed, err));
    if (n == 0) return RD_OK;
    rd_core *const core = roots[0].tensor->core;
    const bool grad_mode = rd_set_grad_mode(core, false);
    const uint64_t env = rdc_fp_enter();
    rdc_node *list = collect(roots, n);
    rd_status status = check_nodes(list, err);
    for (size_t i = 0; i < n && status == RD_OK; i++)
        status = put_seed(roots[i].tensor, roots[i].seed, err);
    while (list && status == RD_OK) {
        rdc_node *const node = list;
        node->retained = retain_graph;
        status = visit(node, err);
        if (status != RD_OK) break;
        list = node->next;
        node->next = NULL;
        if (!retain_graph) {
            node->consumed = true;
            drop_contents(node);
        }
        release_list(node);
    }
    release_list(list);
    rdc_fp_leave(env);
    rd_set_grad_mode(core, grad_mode);
    return status;
}

/* ---- what a user asks of a tensor --------------------------------------------------------------- */

bool rd_grad_mode(const rd_core *core)
{
    return core->grad_mode;
}

bool rd_set_grad_mode(rd_core *core, bool on)
{
    const bool before = core->grad_mode;
    core->grad_mode = on;
    return before;
}

bool rd_requires_grad(const rd_tensor *t)
{
    return is_live(t);
}

bool rd_is_leaf(const rd_tensor *t)
{
    return !t->node || t->node->consumed;
}

rd_status rd_set_requires_grad(rd_tensor *t, bool on, rd_error *err)
{
    if (!rd_is_leaf(t))
        return rdc_fail(err, RD_E_ARG,
                        "requires_grad: this tensor is the result of '%s'; detach it first",
                        t->node->op->name);
    if (on) {
        rdc_node_release(t->node); /* a consumed one: t was a constant */
        t->node = NULL;
    }
    t->wants_grad = on;
    return RD_OK;
}

rd_tensor *rd_grad(const rd_tensor *t)
{
    return t->grad;
}

void rd_zero_grad(rd_tensor *t)
{
    if (!t->grad) return;
    memset(t->grad->at, 0, rd_tensor_numel(t->grad) * sizeof(rd_real));
    t->grad->block->version++;
}
