#!/usr/bin/env python3
"""Puts runs beside runs of reference.py that had the same split and cohorts.

    python3 experiments/mnist/compare.py results/pair/1=reference/mlp-shards-1.csv results/pair/2=reference/mlp-shards-2.csv

A pair is FOLDER=CSV. Accuracies in %; a difference is ours − reference, its spread over pairs a standard deviation.
"""
import csv
import statistics
import sys
from pathlib import Path


def read(path, key):
    with open(path, newline="") as file:
        return {int(row[key]): 100 * float(row["accuracy"]) for row in csv.DictReader(file)}


def main():
    pairs = [pair.split("=", 1) for pair in sys.argv[1:]]
    if not pairs:
        sys.exit(__doc__)
    curves = [(read(Path(folder) / "metrics.csv", "version"), read(reference, "round")) for folder, reference in pairs]
    last = min(max(curve) for pair in curves for curve in pair)
    half = last // 2
    print("| rounds | ours | reference | difference by pair | mean difference |\n| --- | --- | --- | --- | --- |")
    for first, end in ((1, half), (half + 1, last), (last - 9, last), (last, last)):
        ours, theirs = ([statistics.fmean(pair[side][i] for i in range(first, end + 1)) for pair in curves] for side in (0, 1))
        differences = [a - b for a, b in zip(ours, theirs)]
        spread = f" ± {statistics.stdev(differences):.2f}" if len(differences) > 1 else ""
        print(f"| {first}–{end} | {statistics.fmean(ours):.2f} | {statistics.fmean(theirs):.2f} | "
              f"{', '.join(f'{d:+.2f}' for d in differences)} | {statistics.fmean(differences):+.2f}{spread} |")


if __name__ == "__main__":
    main()
