#!/usr/bin/python3
"""The robust rules of RobustSpeed.cs in NumPy, on the same updates, as one would write them there.

usage: numpy_reference.py UPDATES.f32 N D TRIM BYZANTINE PASSES OUT_DIR

Prints one line per variant, "name wall_seconds cpu_seconds" (best of PASSES; CPU over all threads), and writes each result as
OUT_DIR/name.f32. RobustSpeed runs it between its own measurements. Where NumPy has several ways, all are here:

  median         np.median(axis=0), the documented one
  median-sort    the middle of np.sort(axis=0), which is faster
  trimmed-mean   np.sort(axis=0), then the mean of what is left
  krum-norm      np.linalg.norm of each pair's difference in float32: what published implementations do
  krum-double    the same sums in double
  krum-gram      |x|^2 + |y|^2 - 2<x,y> from one sgemm: fastest, and inexact where updates are close
                 to each other compared with their length, because it cancels. Reading the updates
                 takes a third of its time: nothing that reads them is ten times as fast
"""
import sys
import time

import numpy as np


def pairs(n, distance):
    table = np.zeros((n, n))
    for i in range(n):
        for j in range(i + 1, n):
            table[i, j] = table[j, i] = distance(i, j)
    return table


def krum(x, squared, f):
    n = len(x)
    scores = np.sort(squared, axis=1)[:, 1 : n - f - 1].sum(axis=1)
    return x[np.argmin(scores)]


def double_square(a, b):
    difference = a.astype(np.float64) - b
    return difference @ difference


def gram(x):
    products = (x @ x.T).astype(np.float64)
    lengths = np.diag(products)
    return np.maximum(lengths[:, None] + lengths[None, :] - 2 * products, 0)


def main():
    path, n, d, trim, f, passes, out = sys.argv[1], *map(int, sys.argv[2:7]), sys.argv[7]
    x = np.fromfile(path, np.float32).reshape(n, d)
    variants = {
        "median": lambda: np.median(x, axis=0),
        "median-sort": lambda: (lambda s: (s[(n - 1) // 2] + s[n // 2]) / 2)(np.sort(x, axis=0)),
        "trimmed-mean": lambda: np.sort(x, axis=0)[trim : n - trim].mean(axis=0),
        "krum-norm": lambda: krum(x, pairs(n, lambda i, j: float(np.linalg.norm(x[i] - x[j])) ** 2), f),
        "krum-double": lambda: krum(x, pairs(n, lambda i, j: double_square(x[i], x[j])), f),
        "krum-gram": lambda: krum(x, gram(x), f),
    }
    for name, run in variants.items():
        wall, cpu = [], []
        for _ in range(passes):
            before = time.perf_counter(), time.process_time()
            result = run()
            wall.append(time.perf_counter() - before[0])
            cpu.append(time.process_time() - before[1])
        result.astype(np.float32).tofile(f"{out}/{name}.f32")
        print(name, min(wall), min(cpu), flush=True)


main()
