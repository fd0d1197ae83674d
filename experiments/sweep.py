#!/usr/bin/env python3
"""Runs the cells of an experiment for several seeds and prints one table of means ± standard deviations.

    python3 experiments/sweep.py experiments/fedbuff --data-dir ../shared/data --out results/fedbuff
    python3 experiments/sweep.py experiments/fedcompass --only clients=5,speed=normal --seeds 1,2

A folder's sweep.json says what to run: "axes" is a list of {axis: {value: [arguments of fed run]}}, whose product is the cells (an
argument that ends in .yaml names the file, every other one is a --set; "FILE.yaml: key=value" is one for that file alone), and "measures"
is a list of [heading, measure]. A measure is a field of summary.json; "Y@X=v", the column Y of metrics.csv where X reaches v (the running
maximum of X, linear between evaluations), with v a number or "target", the run's target accuracy; "tail Y", the mean of Y over the last
quarter of the run's evaluations; or a quotient "A / B" of two of these. "–" in the table: no run got there; "(2 of 3)": not all did.
A run whose summary.json is there already is not run again. Needs nothing beyond Python 3.9.
"""

import argparse
import csv
import itertools
import json
import math
import re
import shlex
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def cells(spec, only):
    """Every combination of the axes' values that --only leaves: [({axis: value}, [arguments])]."""
    axes = [[(axis, value, arguments) for value, arguments in values.items() if only.get(axis, value) == value]
            for entry in spec["axes"] for axis, values in entry.items()]
    for combination in itertools.product(*axes):
        yield ({axis: value for axis, value, _ in combination}, [a for _, _, arguments in combination for a in arguments])


def command(folder, arguments, seed, options, out):
    file = [a for a in arguments if a.endswith(".yaml")][-1]
    conditions = [a.partition(".yaml: ") for a in arguments if not a.endswith(".yaml")]
    sets = [then or always for always, _, then in conditions if not then or always + ".yaml" == file] + options.set
    line = [str(ROOT / "fed"), "run", str(folder / file), "--seed", str(seed), "--threads", str(options.threads), "--quiet", "--no-updates", "--out", str(out)]
    if options.data_dir:
        line += ["--data-dir", options.data_dir]
    return line + [part for s in sets for part in ("--set", s)]


def where(rows, y, x, value):
    """Column y where the running maximum of column x first reaches a value; NaN when it does not."""
    best, before = -math.inf, 0.0
    for row in rows:
        if row[x] is None or row[y] is None:
            continue
        if row[x] >= value:
            share = 1.0 if best == -math.inf else (value - best) / (row[x] - best)
            return before + share * (row[y] - before)
        if row[x] > best:
            best, before = row[x], row[y]
    return math.nan


def measure(name, run):
    if " / " in name:
        above, below = (measure(part, run) for part in name.split(" / "))
        return above / below
    if name.startswith("tail "):
        values = [r[name[5:]] for r in run["rows"] if r[name[5:]] is not None]
        return statistics.fmean(values[-max(1, len(values) // 4):])
    if "@" in name:
        y, _, condition = name.partition("@")
        x, _, value = condition.partition("=")
        return where(run["rows"], y, x, run["target"] if value == "target" else float(value))
    value = run["summary"][name]
    return math.nan if value is None else float(value)


def load(folder):
    def number(text):
        return float(text) if text not in ("", "NaN") else None

    with open(folder / "metrics.csv", newline="") as file:
        rows = [{k: number(v) for k, v in row.items()} for row in csv.DictReader(file)]
    target = re.search(r"targetAccuracy: (\S+)", (folder / "config.yaml").read_text())
    return {"target": float(target[1]) if target else math.nan, "summary": json.loads((folder / "summary.json").read_text()), "rows": rows}


def show(values):
    """mean ± sd, four significant digits; how many runs got there when not all did."""
    there = [v for v in values if math.isfinite(v)]
    if not there:
        return "–"
    mean = statistics.fmean(there)
    digits = max(0, 3 - (math.floor(math.log10(abs(mean))) if mean else 0))
    digits = min(digits, 4)
    unit = (1e6, " M") if abs(mean) >= 1e6 else (1, "")
    digits = 1 if unit[1] else digits
    text = f"{mean / unit[0]:,.{digits}f}" + (f" ± {statistics.stdev(there) / unit[0]:,.{digits}f}" if len(there) > 1 else "") + unit[1]
    return text if len(there) == len(values) else f"{text} ({len(there)} of {len(values)})"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="the experiment, a folder with a sweep.json")
    parser.add_argument("--spec", default="sweep.json", help="another file of the folder that says what to run")
    parser.add_argument("--data-dir", help="where data sets stand; the drawn digits need none")
    parser.add_argument("--out", type=Path, help="where the runs' folders go (default: results/<folder>)")
    parser.add_argument("--seeds", help="the seeds, for example 1,2,3 (default: the spec's)")
    parser.add_argument("--threads", type=int, default=0, help="threads per run; 0 for one per core")
    parser.add_argument("--only", default="", help="axis=value[,axis=value…]: leave the other cells out")
    parser.add_argument("--set", action="append", default=[], help="another --set for every run")
    parser.add_argument("--print", action="store_true", help="print the commands that are still to run, and run nothing")
    options = parser.parse_args()

    spec = json.loads((options.folder / options.spec).read_text())
    only = dict(part.split("=", 1) for part in options.only.split(",") if part)
    seeds = [int(s) for s in options.seeds.split(",")] if options.seeds else spec["seeds"]
    out = options.out or Path("results") / options.folder.name
    table = []
    for names, arguments in cells(spec, only):
        runs = []
        for seed in seeds:
            target = out / "-".join([*names.values(), str(seed)])
            if not (target / "summary.json").exists():
                line = command(options.folder, arguments, seed, options, target)
                if options.print:
                    print(shlex.join(line))
                    continue
                print(shlex.join(line), file=sys.stderr)
                # Exit code 1 is a run that diverged or stalled: a result, with a summary.
                if subprocess.run(line, stdout=subprocess.DEVNULL).returncode != 0 and not (target / "summary.json").exists():
                    sys.exit(f"sweep: the run failed; its command is above.")
            runs.append(load(target))
        table.append([*names.values(), *(show([measure(m, r) for r in runs]) for _, m in spec["measures"])])

    if not options.print:
        heads = [*(axis for entry in spec["axes"] for axis in entry), *(head for head, _ in spec["measures"])]
        for row in [heads, ["---"] * len(heads), *table]:
            print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
