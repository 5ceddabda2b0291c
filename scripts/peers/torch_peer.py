#!/usr/bin/python3
"""torch_peer.py - a case of `rondo bench` in PyTorch: a whole training step, inference, or a drawn symbol.

usage: torch_peer.py task=train shape=charnn cell=lstm threads=1 H=128 B=50 T=50 layers=2 in=65 seconds=1

train: zero_grad, forward from a zero state, loss, backward, clip_grad_norm_ 5, Adam. sample: one symbol of one row
with the state carried on, softmax and multinomial; infer at B = T = 1 is that step without the draw.
SPDX-License-Identifier: MIT
"""
import json
import os
import statistics
import sys
import time

case = dict(word.split("=", 1) for word in sys.argv[1:])
for name in ("threads", "H", "B", "T", "layers", "in"):
    case[name] = int(case[name])
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = str(case["threads"])
import torch  # noqa: E402  (it reads the environment)

torch.set_num_threads(case["threads"])
torch.set_flush_denormal(True)
torch.manual_seed(1)
LEAST_SECONDS, LEAST_TIMES, MOST_TIMES = 0.01, 3, 50
LAYERS = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "vanilla": torch.nn.RNN}
EMBEDDED = {"tftext": 256}  # width of the embedding; other shapes of symbols are one-hot
SYMBOLS = 65


class Net(torch.nn.Module):
    """Symbols (T, B) or features (T, B, in) to logits of every step, or to a number after the last."""

    def __init__(self):
        super().__init__()
        self.features = case["shape"] == "series"
        width = EMBEDDED.get(case["shape"])
        self.embedding = torch.nn.Embedding(SYMBOLS, width) if width else None
        width = width or (case["in"] if self.features else SYMBOLS)
        self.recurrent = LAYERS[case["cell"]](width, case["H"], case["layers"])
        self.out = torch.nn.Linear(case["H"], 1 if self.features else SYMBOLS)

    def forward(self, x, state=None):
        if self.embedding is not None:
            x = self.embedding(x)
        elif not self.features:
            x = torch.nn.functional.one_hot(x, SYMBOLS).float()
        y, state = self.recurrent(x, state)
        return self.out(y[-1] if self.features else y), state


def batch(net):
    """x, and the target as the loss takes it."""
    steps, rows = case["T"], case["B"]
    if net.features:
        return torch.randn(steps, rows, case["in"]), torch.randn(rows, 1)
    return torch.randint(SYMBOLS, (steps, rows)), torch.randint(SYMBOLS, (steps * rows,))


def training(net):
    x, target = batch(net)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)

    def step():
        optimizer.zero_grad(set_to_none=True)
        y, _ = net(x)
        if net.features:
            loss = torch.nn.functional.mse_loss(y, target)
        else:
            loss = torch.nn.functional.cross_entropy(y.view(-1, SYMBOLS), target)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimizer.step()

    return step


def inference(net):
    x, _ = batch(net)

    def run():
        with torch.inference_mode():
            net(x)

    return run


def sampling(net):
    last = {"id": torch.zeros(1, 1, dtype=torch.long), "state": None}

    def draw():
        with torch.inference_mode():
            y, last["state"] = net(last["id"], last["state"])
            last["id"] = torch.multinomial(torch.softmax(y[-1], -1), 1)

    return draw


def timed(f, seconds):
    """Seconds of a call: median, best, and of how many measurements."""
    f()
    start = time.perf_counter()
    f()
    often = int(LEAST_SECONDS / max(time.perf_counter() - start, 1e-9)) + 1
    times, end = [], time.perf_counter() + seconds
    while len(times) < LEAST_TIMES or (len(times) < MOST_TIMES and time.perf_counter() < end):
        start = time.perf_counter()
        for _ in range(often):
            f()
        times.append((time.perf_counter() - start) / often)
    return statistics.median(times), min(times), len(times)


net = Net()
make = {"train": training, "infer": inference, "sample": sampling}[case["task"]]
net.train(case["task"] == "train")
median, best, reps = timed(make(net), float(case["seconds"]))
tokens = 1 if case["task"] == "sample" else case["B"] * case["T"]
print(json.dumps({name: case[name] for name in ("task", "shape", "cell", "threads", "H", "B", "T", "layers")} |
                 {"ms": median * 1e3, "ms_best": best * 1e3, "tok_s": tokens / median, "reps": reps,
                  "lib": "torch-" + torch.__version__}, separators=(",", ":")))
