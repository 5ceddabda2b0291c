#!/usr/bin/python3
"""make_golden.py - writes tests/oracle/golden.tsv: what PyTorch computes for small cases.

    apt-get install -y --no-install-recommends python3-torch
    /usr/bin/python3 scripts/make_golden.py > tests/oracle/golden.tsv

One array a line, fields apart by tabs: case, name, shape ("2x3", "-" for a number), values in row-major order
with 17 digits. Inputs are exact in float32, so the numbers judge both builds. Sequences are (time, batch,
features); cell cases hold the gradients of sum(y dy) + sum(h_n dh_n) (+ sum(c_n dc_n)). Optimizer cases hold
the parameter after each step, and their options as "option.<name>".
SPDX-License-Identifier: MIT
"""
import random

import torch
from torch.nn import functional as F

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
STEPS, BATCH, INPUT, HIDDEN = 4, 2, 3, 3
CHOSEN = random.Random(20240229)


def draw(*shape, scale=1.0):
    count = 1
    for n in shape:
        count *= n
    values = [CHOSEN.uniform(-scale, scale) for _ in range(count)]
    return torch.tensor(values, dtype=torch.float32).to(torch.float64).reshape(shape)


def put(case, name, value):
    value = value.detach() if isinstance(value, torch.Tensor) else torch.tensor(float(value))
    shape = "x".join(str(n) for n in value.shape) or "-"
    print(case, name, shape, " ".join(f"{v:.17g}" for v in value.reshape(-1).tolist()), sep="\t")


def gru_reset_before(x, h, p):
    """Cho et al. 2014, eq. 5-8: the reset gate acts on the state before its product."""
    wi, wh = p["weight_ih"].chunk(3), p["weight_hh"].chunk(3)
    bi, bh = p["bias_ih"].chunk(3), p["bias_hh"].chunk(3)
    out = []
    for step in x:
        r = torch.sigmoid(step @ wi[0].T + bi[0] + h @ wh[0].T + bh[0])
        z = torch.sigmoid(step @ wi[1].T + bi[1] + h @ wh[1].T + bh[1])
        n = torch.tanh(step @ wi[2].T + bi[2] + (r * h) @ wh[2].T + bh[2])
        h = (1 - z) * n + z * h
        out.append(h)
    return torch.stack(out), h


def by_torch(fn, x, states, p):
    """One layer of torch.rnn_tanh, rnn_relu, lstm or gru: y and the final states, (1, B, H) each."""
    weights = [p[name] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr") if name in p]
    return fn(x, states, weights, True, 1, 0.0, False, False, False)


def cell_case(case, gates, run, states=("h",), projection=0):
    """projection: the proj_size of nn.LSTM."""
    p = {"weight_ih": draw(gates * HIDDEN, INPUT), "weight_hh": draw(gates * HIDDEN, projection or HIDDEN),
         "bias_ih": draw(gates * HIDDEN), "bias_hh": draw(gates * HIDDEN)}
    if projection:
        p["weight_hr"] = draw(projection, HIDDEN)
    given = {"x": draw(STEPS, BATCH, INPUT)}
    for s in states:
        given[f"{s}_0"] = draw(BATCH, projection if projection and s == "h" else HIDDEN)
    leaves = {**p, **given}
    for v in leaves.values():
        v.requires_grad_(True)
    y, *last = run(given, p)
    found = {"y": y}
    for s, value in zip(states, last):
        found[f"{s}_n"] = value.reshape(BATCH, -1)
    total = 0
    for name, value in found.items():
        d = draw(*value.shape)
        put(case, f"d{name}", d)
        total = total + (value * d).sum()
    total.backward()
    for name, value in {**leaves, **found}.items():
        put(case, name, value)
    for name, value in leaves.items():
        put(case, f"grad.{name}", value.grad)


def cells():
    for case, gates, fn in (("rnn_tanh", 1, torch.rnn_tanh), ("rnn_relu", 1, torch.rnn_relu),
                            ("gru", 3, torch.gru)):
        cell_case(case, gates, lambda g, p, fn=fn: by_torch(fn, g["x"], g["h_0"][None], p))
    cell_case("lstm", 4, lambda g, p: by_torch(torch.lstm, g["x"], (g["h_0"][None], g["c_0"][None]), p),
              ("h", "c"))
    cell_case("gru_reset_before", 3, lambda g, p: gru_reset_before(g["x"], g["h_0"], p))


def projection():
    cell_case("lstm_projection", 4,
              lambda g, p: by_torch(torch.lstm, g["x"], (g["h_0"][None], g["c_0"][None]), p), ("h", "c"), 2)


class NAdam:
    """PyTorch 2's rule by hand: 1.13 (Debian's) multiplies mu_t twice into the product of mu_{t+1}."""

    def __init__(self, params, lr, weight_decay, momentum_decay):
        (self.p,), self.lr, self.decay, self.psi = params, lr, weight_decay, momentum_decay
        self.t, self.product, self.m, self.s = 0, 1.0, 0.0, 0.0

    def step(self):
        self.t += 1
        g = self.p.grad + self.decay * self.p.detach()
        mu, ahead = (0.9 * (1 - 0.5 * 0.96 ** (t * self.psi)) for t in (self.t, self.t + 1))
        self.product *= mu
        self.m = 0.9 * self.m + 0.1 * g
        self.s = 0.999 * self.s + 0.001 * g * g
        n = (self.s / (1 - 0.999 ** self.t)).sqrt() + 1e-8
        with torch.no_grad():
            self.p -= self.lr * (1 - mu) / (1 - self.product) * g / n
            self.p -= self.lr * ahead / (1 - self.product * ahead) * self.m / n


def optimizers():
    first = draw(2, 3)
    grads = torch.stack([draw(2, 3, scale=s) for s in (1.0, 0.1, 1e-3, 30.0, 1.0)])
    grads[2, 0] = 0
    put("optimizers", "start", first)
    put("optimizers", "grads", grads)
    for case, rule, options in (
            ("sgd", torch.optim.SGD, {"lr": 0.1}),
            ("sgd_momentum", torch.optim.SGD, {"lr": 0.1, "momentum": 0.9}),
            ("sgd_nesterov", torch.optim.SGD,
             {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
            ("rmsprop", torch.optim.RMSprop, {"lr": 0.01, "alpha": 0.95}),
            ("rmsprop_momentum", torch.optim.RMSprop, {"lr": 0.01, "momentum": 0.9, "weight_decay": 0.1}),
            ("rmsprop_centered", torch.optim.RMSprop, {"lr": 0.01, "centered": True}),
            ("adam", torch.optim.Adam, {"lr": 0.01, "weight_decay": 0.1}),
            ("adamw", torch.optim.AdamW, {"lr": 0.01, "weight_decay": 0.1, "eps": 1e-6}),
            ("adam_amsgrad", torch.optim.Adam, {"lr": 0.01, "amsgrad": True}),
            ("adamw_amsgrad", torch.optim.AdamW, {"lr": 0.01, "weight_decay": 0.1, "amsgrad": True}),
            ("nadam", NAdam, {"lr": 0.01, "weight_decay": 0.1, "momentum_decay": 0.01}),
            ("adagrad", torch.optim.Adagrad, {"lr": 0.05, "lr_decay": 0.1, "weight_decay": 0.1,
                                              "initial_accumulator_value": 0.1}),
            ("adadelta", torch.optim.Adadelta, {"lr": 0.5, "rho": 0.95, "weight_decay": 0.1})):
        p = first.clone().requires_grad_(True)
        step = rule([p], **options)
        path = []
        for g in grads:
            p.grad = g.clone()
            step.step()
            path.append(p.detach().clone())
        for name, value in options.items():
            put(f"optimizer.{case}", f"option.{name}", value)
        put(f"optimizer.{case}", "param", torch.stack(path))


def loss_case(case, x, target, fn):
    x = x.clone().requires_grad_(True)
    loss = fn(x)
    loss.backward()
    for name, value in {"x": x, "target": target, "loss": loss, "grad": x.grad}.items():
        put(f"loss.{case}", name, value)


def losses():
    logits = torch.cat([draw(5, 4, scale=3), torch.tensor([[1e4, 0, 0, -1e4], [-1e4, 0, 0, 1e4]])])
    ids = torch.tensor([1, 4, 2, 3, 1, 1, 4])
    masked = torch.tensor([1, 0, 2, 0, 1, 1, 4])
    loss_case("cross_entropy_mean", logits, ids, lambda x: F.cross_entropy(x, ids - 1))
    loss_case("cross_entropy_sum", logits, ids, lambda x: F.cross_entropy(x, ids - 1, reduction="sum"))
    loss_case("cross_entropy_masked", logits, masked,
              lambda x: F.cross_entropy(x, masked - 1, ignore_index=-1))
    want = draw(3, 4, scale=2)
    loss_case("mse_mean", draw(3, 4, scale=2), want, lambda x: F.mse_loss(x, want))
    weights, zero_one = draw(4).abs() + 0.25, torch.tensor([[1.0, 0, 0, 1], [0, 1, 1, 0], [1, 1, 0, 0]])
    put("losses", "class_weights", weights)
    loss_case("cross_entropy_smooth_weighted", logits, masked, lambda x: F.cross_entropy(
        x, masked - 1, weights, label_smoothing=0.2, ignore_index=-1))
    loss_case("l1_sum", draw(3, 4, scale=2), want, lambda x: F.l1_loss(x, want, reduction="sum"))
    loss_case("huber", draw(3, 4, scale=2), want, lambda x: F.huber_loss(x, want, delta=0.5))
    loss_case("bce", draw(3, 4, scale=9), zero_one, lambda x: F.binary_cross_entropy_with_logits(
        x, zero_one, pos_weight=torch.tensor(2.5)))
    loss_case("cosine", draw(3, 4, scale=2), want, lambda x: (1 - F.cosine_similarity(x, want)).mean())


if __name__ == "__main__":
    cells()
    optimizers()
    losses()
    projection()
