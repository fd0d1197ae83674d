#!/usr/bin/env python3
"""Runs an experiment with several seeds and tells mean ± standard deviation, so that no claim rests on one draw.

  python3 experiments/seeds.py experiments/heart-disease/fedavg.yaml --seeds 1-20 --out results/heart -- --data-dir ../shared/data

Arguments after -- go to `fed run`. A seed whose folder is complete is not run again. Python's standard library only.
"""
import argparse
import csv
import json
import math
import pathlib
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def seeds_of(text):
    """'1-3,7' is 1, 2, 3, 7."""
    ends = [[int(end) for end in part.split("-")] for part in text.split(",")]
    return [seed for end in ends for seed in range(end[0], end[-1] + 1)]


def run(experiment, seed, folder, more):
    if (folder / "summary.json").exists() and not (folder / ".partial").exists():
        return
    command = [str(ROOT / "fed"), "run", experiment, "--seed", str(seed), "--out", str(folder), "--quiet", *more]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"seed {seed} ended with exit code {done.returncode}: {' '.join(command)}")


def told(values, unit=100):
    deviation = statistics.stdev(values) if len(values) > 1 else 0
    return f"{unit * statistics.mean(values):.2f} ± {unit * deviation:.2f}"


def difference(a, b):
    """Mean of the paired differences and its standard error."""
    values = [x - y for x, y in zip(a, b)]
    error = statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else 0
    return f"{100 * statistics.mean(values):+.2f} ± {100 * error:.2f}"


def read_rows(folder, name):
    path = folder / name
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def accuracies(folder):
    """Accuracy by (what was trained, where it is tested); 'own' is each client's own model on that client's examples."""
    rows = read_rows(folder, "scores.csv")
    found = {}
    for row in rows:
        accuracy = float(row["accuracy"])
        if row["training"] != "local":
            found[row["training"], row["tested_on"]] = accuracy
        elif row["tested_on"] == row["trained_on"]:
            found["own", row["tested_on"]] = accuracy
        elif row["tested_on"] != "all":
            found.setdefault(("others", row["tested_on"]), []).append(accuracy)
    sizes = {row["tested_on"]: int(row["test_examples"]) for row in rows if row["test_examples"]}
    found = {key: statistics.mean(value) if isinstance(value, list) else value for key, value in found.items()}
    for kind in ("own", "others"):
        if sizes and all((kind, place) in found for place in sizes):
            found[kind, "all"] = sum(found[kind, place] * n for place, n in sizes.items()) / sum(sizes.values())
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiment")
    parser.add_argument("--seeds", type=seeds_of, default=[1, 2, 3, 4, 5], help="such as 1-5 or 1,4,9 (default 1-5)")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="one results folder per seed goes here")
    parser.add_argument("more", nargs="*", help="arguments of fed run, after --")
    options = parser.parse_args()

    folders = []
    for seed in options.seeds:
        folders.append(options.out / f"seed-{seed}")
        run(options.experiment, seed, folders[-1], options.more)

    summaries = [json.loads((folder / "summary.json").read_text()) for folder in folders]
    curves = [[float(row["accuracy"]) for row in read_rows(folder, "metrics.csv") if row["accuracy"]] for folder in folders]
    print(f"{summaries[0]['run']}, {len(folders)} seeds, mean ± standard deviation in %")
    print(f"final accuracy               {told([s['final_accuracy'] for s in summaries])}")
    print(f"best accuracy                {told([s['best_accuracy'] for s in summaries])}")
    print(f"mean of last 10 evaluations  {told([statistics.mean(curve[-10:]) for curve in curves])}")

    scores = [accuracies(folder) for folder in folders]
    places = [place for kind, place in scores[0] if kind == "federated"]
    if not places:
        return
    kinds = [kind for kind in ("federated", "pooled", "own", "others") if (kind, "all") in scores[0]]
    print(f"\n| tested on | {' | '.join(kinds)} |{''.join(f' federated − {kind} |' for kind in kinds[1:])}")
    print("|---" * (2 * len(kinds)) + "|")
    for place in places:
        columns = [[score[kind, place] for score in scores] for kind in kinds]
        print(f"| {place} | {' | '.join(told(c) for c in columns)} |{''.join(f' {difference(columns[0], c)} |' for c in columns[1:])}")


if __name__ == "__main__":
    main()
