#!/usr/bin/env python3
"""Accuracy by hospital over several runs of fedavg.yaml: federated, pooled, each hospital's own model, and the other hospitals' models.

    python3 experiments/sweep.py experiments/heart-disease --data-dir ../shared/data --out results/heart-disease
    python3 experiments/heart-disease/table.py results/heart-disease/*

Means in % ± standard deviation over runs; differences are paired (same run, same patients), ± standard error. "own" and "others" over all
hospitals are weighted by test patients. Reads scores.csv; needs nothing beyond Python 3.9.
"""
import csv
import math
import statistics
import sys
from pathlib import Path


def accuracies(folder):
    """Accuracy by (what was trained, where it is tested) in one run."""
    with open(Path(folder) / "scores.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    patients = {row["tested_on"]: int(row["test_examples"]) for row in rows if row["test_examples"]}
    found = {}
    for row in rows:
        kind, place = row["training"], row["tested_on"]
        if kind == "local":
            if place == "all":
                continue
            kind = "own" if row["trained_on"] == place else "others"
        found.setdefault((kind, place), []).append(float(row["accuracy"]))
    means = {key: statistics.fmean(values) for key, values in found.items()}
    for kind in ("own", "others"):
        means[kind, "all"] = sum(means[kind, place] * n for place, n in patients.items()) / sum(patients.values())
    return means


def main():
    runs = [accuracies(folder) for folder in sys.argv[1:]]
    if len(runs) < 2:
        sys.exit(__doc__)
    kinds = ("federated", "pooled", "own", "others")
    print(f"| {len(runs)} runs | " + " | ".join(kinds) + " | " + " | ".join(f"federated − {kind}" for kind in kinds[1:]) + " |")
    print("|" + " --- |" * (2 * len(kinds)))
    for place in [place for kind, place in runs[0] if kind == "federated"]:
        columns = {kind: [100 * run[kind, place] for run in runs] for kind in kinds}
        cells = [f"{statistics.fmean(c):.1f} ± {statistics.stdev(c):.1f}" for c in columns.values()]
        for kind in kinds[1:]:
            differences = [a - b for a, b in zip(columns["federated"], columns[kind])]
            cells.append(f"{statistics.fmean(differences):+.1f} ± {statistics.stdev(differences) / math.sqrt(len(runs)):.1f}")
        print(f"| {place} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
