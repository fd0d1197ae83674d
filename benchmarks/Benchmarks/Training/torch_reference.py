#!/usr/bin/python3
"""The same models, batches and steps as TrainingSpeed.cs in PyTorch, on one thread; prints the same names.

usage: OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 ./torch_reference.py [name]

Run it alternately with `Federated.Benchmarks training [name]`, several times each, and compare the best of each: both report the
best of many windows of about a millisecond (or one step, where that is longer), so that a shared machine disturbs them alike.
A step is zero_grad, forward, cross-entropy, backward and torch.optim.SGD's step.
"""
import os
import sys
import time

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(variable, "1")  # before the import: OpenBLAS reads it once

import torch
from torch import nn
from torch.nn import functional as F

torch.set_num_threads(1)


class Cnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 5, padding=2)
        self.conv2 = nn.Conv2d(32, 64, 5, padding=2)
        self.fc1 = nn.Linear(3136, 512)
        self.fc2 = nn.Linear(512, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc2(F.relu(self.fc1(x.flatten(1))))


def best(action):
    """Seconds per call."""
    action()
    start = time.perf_counter()
    action()
    count = max(1, int(1e-3 / (time.perf_counter() - start)))
    result = float("inf")
    begin = time.perf_counter()
    while time.perf_counter() - begin < 1:
        start = time.perf_counter()
        for _ in range(count):
            action()
        result = min(result, (time.perf_counter() - start) / count)
    return result


def model(name, module, x):
    y = torch.randint(0, 10, (x.shape[0],))
    optimizer = torch.optim.SGD(module.parameters(), lr=0.01)

    def step():
        optimizer.zero_grad(set_to_none=True)
        F.cross_entropy(module(x), y).backward()
        optimizer.step()

    seconds = best(step)
    print(f"{name:28} {1 / seconds:12,.0f} steps/s ({seconds * 1e6:,.2f} us)", flush=True)


def main():
    torch.manual_seed(1)
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    mlp = lambda: nn.Sequential(nn.Linear(784, 200), nn.ReLU(), nn.Linear(200, 10))
    models = [
        ("mlp 784-200-10 batch 32", mlp, (32, 784)),
        ("mlp 784-200-10 batch 10", mlp, (10, 784)),
        ("softmax 60-10 batch 10", lambda: nn.Linear(60, 10), (10, 60)),
        ("softmax 784-10 batch 10", lambda: nn.Linear(784, 10), (10, 784)),
        ("cnn 28x28 batch 10", Cnn, (10, 1, 28, 28)),
        ("cnn 28x28 batch 32", Cnn, (32, 1, 28, 28)),
    ]
    for name, create, shape in models:
        if wanted in name:
            model(name, create(), torch.randn(*shape))
    if wanted in "gemm":
        for m, n, k in [(32, 200, 784), (10, 200, 784), (32, 512, 3136), (10, 512, 3136), (256, 256, 256), (512, 512, 512), (1024, 1024, 1024)]:
            a, b, bt, g = torch.randn(m, k), torch.randn(k, n), torch.randn(n, k), torch.randn(m, n)
            flops = 2.0 * m * n * k
            nn_, nt, tn = (flops / best(f) / 1e9 for f in (lambda: a @ b, lambda: a @ bt.T, lambda: a.T @ g))
            print(f"gemm m={m:5} n={n:5} k={k:5}: A·B {nn_:6.1f}  A·Bᵀ {nt:6.1f}  Aᵀ·B ({k}x{n}, depth {m}) {tn:6.1f} GFLOP/s", flush=True)


main()
