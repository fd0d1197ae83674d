#!/usr/bin/env python3
"""Federated averaging on MNIST in PyTorch: the loop that this folder's experiments are compared with.

Written from McMahan et al. (AISTATS 2017, https://arxiv.org/abs/1602.05629), algorithm 1, with nothing of this repository:
own reader, own split, own random numbers, autograd. The hyper-parameters are those of the YAML files.

  /usr/bin/python3 experiments/mnist/reference.py --data-dir ../shared/data --partition iid --seeds 1 2 3

Prints one line per seed and, with --out DIR, writes DIR/<model>-<partition>-<seed>.csv (round, test accuracy, test loss).

Where the draw of split and cohorts matters more than half a point (shards do), both sides can be given the same draw:
--leaf DIR writes this seed's split as LEAF JSON, which `fed run` reads, and --cohorts DIR takes each round's clients from that
run's updates.csv; see README.md.
"""
import argparse
import csv
import gzip
import json
import os
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


def read_idx(path):
    """An IDX file of unsigned bytes."""
    with gzip.open(path, "rb") as file:
        content = file.read()
    assert content[:3] == b"\0\0\x08", path
    shape = np.frombuffer(content, ">u4", content[3], 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * content[3]).reshape(shape)


def load(folder, name):
    images = read_idx(os.path.join(folder, f"{name}-images-idx3-ubyte.gz")).astype(np.float32) / 255
    labels = read_idx(os.path.join(folder, f"{name}-labels-idx1-ubyte.gz")).astype(np.int64)
    return torch.from_numpy(images).unsqueeze(1), torch.from_numpy(labels)


def split(labels, kind, clients, random):
    """Indices per client: 'iid' deals shuffled examples; 'shards' sorts by label and gives two of 2·clients pieces to each."""
    if kind == "iid":
        return np.array_split(random.permutation(len(labels)), clients)
    pieces = np.array_split(np.argsort(labels.numpy(), kind="stable"), 2 * clients)
    order = random.permutation(2 * clients)
    return [np.concatenate([pieces[order[2 * k]], pieces[order[2 * k + 1]]]) for k in range(clients)]


def write_leaf(path, images, labels, shards):
    """The examples of every client in LEAF's JSON; pixels have the digits that bring back the same float32."""
    rows = (images.numpy() * 255).round().astype(np.uint8).reshape(len(labels), -1)
    text = [f"{np.float32(level) / np.float32(255):.9g}" for level in range(256)]
    with open(path, "w") as file:
        file.write('{"users": %s, "num_samples": %s, "user_data": {' % (
            json.dumps([str(k) for k in range(len(shards))]), [len(shard) for shard in shards]))
        for k, shard in enumerate(shards):
            x = ", ".join("[" + ",".join(text[level] for level in rows[i]) + "]" for i in shard)
            file.write('%s"%d": {"x": [%s], "y": %s}' % (", " if k else "", k, x, labels[shard].tolist()))
        file.write("}}")


def read_cohorts(folder):
    """Clients of every round of a synchronous run, in ascending order."""
    cohorts = {}
    with open(os.path.join(folder, "updates.csv"), newline="") as file:
        for row in csv.DictReader(file):
            assert row["outcome"] == "accepted", row
            cohorts.setdefault(int(row["base_version"]), []).append(int(row["client"]))
    return [sorted(cohorts[version]) for version in range(len(cohorts))]


def create(model):
    if model == "mlp":
        return nn.Sequential(nn.Flatten(), nn.Linear(784, 200), nn.ReLU(), nn.Linear(200, 200), nn.ReLU(), nn.Linear(200, 10))
    return nn.Sequential(
        nn.Conv2d(1, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(7 * 7 * 64, 512), nn.ReLU(), nn.Linear(512, 10))


def evaluate(net, images, labels):
    with torch.no_grad():
        scores = torch.cat([net(part) for part in images.split(500)])
        return (scores.argmax(1) == labels).float().mean().item(), F.cross_entropy(scores, labels).item()


def run(options, random, shards, cohorts, train, test):
    images, labels = train
    net = create(options.model)
    parameters = list(net.parameters())
    history = [(0, *evaluate(net, *test))]
    for number in range(1, options.rounds + 1):
        start = [p.detach().clone() for p in parameters]
        total = [torch.zeros_like(p, dtype=torch.float64) for p in start]
        cohort = cohorts[number - 1] if cohorts else random.choice(options.clients, options.cohort, replace=False)
        examples = sum(len(shards[k]) for k in cohort)
        for k in cohort:
            with torch.no_grad():
                for p, s in zip(parameters, start):
                    p.copy_(s)
            for _ in range(options.epochs):
                order = torch.from_numpy(random.permutation(shards[k]))
                for batch in order.split(options.batch_size):
                    gradients = torch.autograd.grad(F.cross_entropy(net(images[batch]), labels[batch]), parameters)
                    with torch.no_grad():
                        for p, g in zip(parameters, gradients):
                            p.sub_(g, alpha=options.learning_rate)
            for t, p, s in zip(total, parameters, start):
                t.add_((p.detach() - s).double(), alpha=len(shards[k]) / examples)
        with torch.no_grad():
            for p, s, t in zip(parameters, start, total):
                p.copy_(s + t.float())
        history.append((number, *evaluate(net, *test)))
    return history


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", required=True, help="the folder that holds mnist/")
    parser.add_argument("--model", choices=["mlp", "cnn"], default="mlp")
    parser.add_argument("--partition", choices=["iid", "shards"], default="iid")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--cohort", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--batch-size", type=int, default=10)
    parser.add_argument("--learning-rate", type=float, default=0.1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", help="a folder for one CSV per seed")
    parser.add_argument("--leaf", metavar="DIR", help="only write the split of the first seed, as DIR/train.json and DIR/test.json")
    parser.add_argument("--cohorts", metavar="DIR", help="take the clients of every round from the results folder of a run")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    folder = os.path.join(options.data_dir, "mnist")
    train, test = load(folder, "train"), load(folder, "t10k")
    cohorts = read_cohorts(options.cohorts) if options.cohorts else None
    for seed in options.seeds:
        torch.manual_seed(seed)
        random = np.random.default_rng(seed)
        shards = split(train[1], options.partition, options.clients, random)
        if options.leaf:
            os.makedirs(options.leaf, exist_ok=True)
            write_leaf(os.path.join(options.leaf, "train.json"), *train, shards)
            write_leaf(os.path.join(options.leaf, "test.json"), *test, [np.arange(len(test[1]))])
            return
        began = time.monotonic()
        history = run(options, random, shards, cohorts, train, test)
        last = [accuracy for _, accuracy, _ in history[-10:]]
        print(f"{options.model} {options.partition} seed {seed}: final {history[-1][1]:.4f}, best {max(h[1] for h in history):.4f}, "
              f"mean of the last 10 {sum(last) / len(last):.4f}, {time.monotonic() - began:.1f} s", flush=True)
        if options.out:
            os.makedirs(options.out, exist_ok=True)
            with open(os.path.join(options.out, f"{options.model}-{options.partition}-{seed}.csv"), "w", newline="") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(["round", "accuracy", "loss"])
                writer.writerows((n, f"{a:.4f}", f"{l:.6f}") for n, a, l in history)


if __name__ == "__main__":
    main()
