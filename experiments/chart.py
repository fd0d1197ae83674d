#!/usr/bin/env python3
"""Draws a study's charts from the tables in its README, so that picture and numbers cannot disagree.

    python3 experiments/chart.py experiments/byzantine        # writes the files that its chart.json names
    python3 experiments/chart.py --check                      # all studies: ends with 1 when a committed chart is not its table's

A folder's chart.json is a list of charts:
  file     what to write, beside the README
  table    which table of the README, from 0; a cell is "mean ± spread", a bare number, or "–" for none
  title    what is compared; "x" (and "y" for lines) say what is measured, with its unit
  kind     "dots": a row of dots per table row, for categories; "lines": a line per series over the number in the first column
  labels   the columns that name a row (default: the first); joined, and a blank one repeats the one above
  series   {heading of a column, or #number of one from 0: name in the legend}, in the order of the colours
  log      the measure on a logarithmic axis;  log_x the same of lines' x
  only     {heading: [value, …]}: only the rows that have one of them
  csv      in place of "table": a file whose lines are cells. "series" is then {value of the column "by": name}, and "mean" and
           "spread" name the columns of a cell's numbers
  scale    what cells are multiplied by
The same table gives the same bytes. Colours and words follow the reader's light or dark theme. Needs nothing beyond Python 3.9.
"""

import argparse
import csv
import json
import math
import re
import sys
from pathlib import Path
from xml.sax.saxutils import escape

ROOT = Path(__file__).resolve().parent
WIDTH, ROW, TOP, BOTTOM = 760, 24, 76, 52
NUMBER = r"[−-]?\d[\d,]*(?:\.\d+)?(?:[eE]-?\d+)?"

# Okabe and Ito's colours, told apart also by the colour-blind; lighter ones where the ground is dark. Marks differ in shape as well.
STYLE = """<style>
text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;fill:#24292f}.t{font-size:14px;font-weight:600}.s{fill:#57606a}
.g{stroke:#d0d7de;stroke-width:1}.b{fill:#fff}.w{fill:none;stroke-width:1.5}.l{fill:none;stroke-width:2}
.c0{--c:#0072b2}.c1{--c:#d55e00}.c2{--c:#009e73}.c3{--c:#b4679c}.c4{--c:#8a6d00}.c5{--c:#56789a}
.w,.l{stroke:var(--c)}.m{fill:var(--c)}
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.s{fill:#9198a1}.g{stroke:#3d444d}.b{fill:#0d1117}
.c0{--c:#58a6ff}.c1{--c:#ff9b57}.c2{--c:#3fb98a}.c3{--c:#e79ccb}.c4{--c:#e3c04f}.c5{--c:#a5bdd6}}
</style>"""


def tables(readme):
    """Every table of a page: (headings, rows of cells)."""
    found, lines = [], readme.read_text(encoding="utf-8").splitlines()
    for i, line in enumerate(lines):
        if re.fullmatch(r"\|(\s*:?-+:?\s*\|)+", line.strip()):
            rows = []
            for row in lines[i + 1:]:
                if not row.startswith("|"):
                    break
                rows.append(split(row))
            found.append((split(lines[i - 1]), rows))
    return found


def split(line):
    return [cell.strip().replace("**", "").replace("`", "") for cell in line.strip().strip("|").split("|")]


def value(cell, scale):
    """(mean, spread) of a cell; None for none."""
    match = re.match(rf"({NUMBER})(?: ± ({NUMBER}))?", cell)
    if not match:
        return None
    mean, spread = (float(part.replace("−", "-").replace(",", "")) * scale if part else 0.0 for part in match.groups())
    return mean, spread


def steps(low, high, log, most=6):
    """Round numbers on an axis that reach around a range."""
    if log:
        marks = [m * 10.0 ** e for e in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1) for m in (1, 2, 5)]
        inside = [m for m in marks if low * 0.999 <= m <= high * 1.001]
        first = max([m for m in marks if m <= low * 1.001], default=low)
        last = min([m for m in marks if m >= high * 0.999], default=high)
        marks = sorted({first, last, *inside})
        return marks if len(marks) <= 9 else [m for m in marks if m in (first, last) or abs(math.log10(m) - round(math.log10(m))) < 1e-9]
    raw = (high - low or 1.0) / most
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(size * m for m in (1, 2, 2.5, 5, 10) if size * m >= raw * 0.999)
    start = math.floor(low / step + 1e-9)
    return [step * i for i in range(start, math.ceil(high / step - 1e-9) + 1)]


def number(x):
    text = f"{x:,.10g}" if abs(x) >= 1e-4 or x == 0 else f"{x:.0e}"
    return text.replace("-", "−")


def mark(shape, x, y):
    points = {
        1: f"M{x - 4.5:.1f} {y - 4.5:.1f}h9v9h-9z",
        2: f"M{x:.1f} {y - 6:.1f}L{x + 5.5:.1f} {y + 4:.1f}H{x - 5.5:.1f}z",
        3: f"M{x:.1f} {y - 6:.1f}L{x + 6:.1f} {y:.1f}L{x:.1f} {y + 6:.1f}L{x - 6:.1f} {y:.1f}z",
        4: f"M{x:.1f} {y + 6:.1f}L{x + 5.5:.1f} {y - 4:.1f}H{x - 5.5:.1f}z",
    }
    return f'<circle class="m" cx="{x:.1f}" cy="{y:.1f}" r="4.5"/>' if shape not in points else f'<path class="m" d="{points[shape]}"/>'


def legend(series, left):
    parts, x = [], left
    for i, name in enumerate(series):
        parts.append(f'<g class="c{i % 6}">{mark(i % 6, x + 6, 50)}</g><text x="{x + 17}" y="54">{escape(name)}</text>')
        x += 34 + round(6.6 * len(name))
    return parts


def document(height, title, description, parts):
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" aria-label="{escape(title, {chr(34): "&quot;"})}">',
        f"<title>{escape(title)}</title><desc>{escape(description)}</desc>", STYLE, f'<rect class="b" width="{WIDTH}" height="{height}" rx="6"/>',
        f'<text class="t" x="16" y="26">{escape(title)}</text>', *parts, "</svg>", ""])


def axis(low, high, log, start, end):
    """Where a value stands between two places of the picture."""
    a, b = (math.log10(low), math.log10(high)) if log else (low, high)
    return lambda v: start + (end - start) * ((math.log10(max(v, low)) if log else v) - a) / (b - a)


def extent(cells, log):
    ends = [e for mean, spread in cells for e in (mean - spread, mean + spread)]
    if log:
        ends = [e for e in ends if e > 0] + [mean for mean, _ in cells if mean > 0]
    least = min(ends)
    return (max(least, 0.0) if all(mean >= 0 for mean, _ in cells) else least), max(ends)


def dots(chart, names, rows):
    series, log = list(chart["series"].values()), chart.get("log", False)
    left = 28 + round(6.7 * max(len(n) for n in names))
    lane = max(ROW, 11 * len(series) + 6)
    bottom = TOP + lane * len(names)
    low, high = extent([c for row in rows for c in row if c], log)
    marks = steps(low, high, log)
    place = axis(marks[0], marks[-1], log, left + 10, WIDTH - 30)
    parts = legend(series, 16)
    for m in marks:
        parts.append(f'<line class="g" x1="{place(m):.1f}" x2="{place(m):.1f}" y1="{TOP - 6}" y2="{bottom}"/>'
                     f'<text class="s" x="{place(m):.1f}" y="{bottom + 16}" text-anchor="middle">{number(m)}</text>')
    for r, (name, row) in enumerate(zip(names, rows)):
        middle = TOP + lane * r + lane / 2
        if r > 0:
            parts.append(f'<line class="g" x1="16" x2="{WIDTH - 16}" y1="{middle - lane / 2:.1f}" y2="{middle - lane / 2:.1f}"/>')
        parts.append(f'<text x="{left}" y="{middle + 4:.1f}" text-anchor="end">{escape(name)}</text>')
        for i, cell in enumerate(row):
            if cell:
                y = middle + 11 * (i - (len(series) - 1) / 2)
                parts.append(point(cell, i, place, y, f"{name}, {series[i]}", horizontal=True))
    parts.append(f'<text class="s" x="{(left + WIDTH) / 2:.0f}" y="{bottom + 38}" text-anchor="middle">{escape(chart["x"])}</text>')
    return document(bottom + BOTTOM, chart["title"], chart["x"], parts)


def lines(chart, names, rows):
    series, log = list(chart["series"].values()), chart.get("log", False)
    height, left, bottom = 400, 64, 340
    at = [value(n, 1.0)[0] for n in names]
    ticks = sorted(set(at))
    low, high = extent([c for row in rows for c in row if c], log)
    marks = steps(low, high, log)
    across = axis(ticks[0], ticks[-1], chart.get("log_x", False), left + 24, WIDTH - 40)
    up = axis(marks[0], marks[-1], log, bottom, TOP + 4)
    parts = legend(series, 16)
    for m in marks:
        parts.append(f'<line class="g" x1="{left}" x2="{WIDTH - 16}" y1="{up(m):.1f}" y2="{up(m):.1f}"/>'
                     f'<text class="s" x="{left - 8}" y="{up(m) + 4:.1f}" text-anchor="end">{number(m)}</text>')
    for t in ticks:
        parts.append(f'<text class="s" x="{across(t):.1f}" y="{bottom + 18}" text-anchor="middle">{number(t)}</text>')
    for i, name in enumerate(series):
        drawn = [(a, row[i]) for a, row in zip(at, rows) if row[i]]
        path = "L".join(f"{across(a):.1f} {up(cell[0]):.1f}" for a, cell in drawn)
        parts.append(f'<g class="c{i % 6}"><path class="l" d="M{path}"/></g>')
        for a, cell in drawn:
            parts.append(point(cell, i, up, across(a), f"{name} at {number(a)}", horizontal=False))
    parts.append(f'<text class="s" x="{(left + WIDTH) / 2:.0f}" y="{height - 16}" text-anchor="middle">{escape(chart["x"])}</text>')
    parts.append(f'<text class="s" x="{-(TOP + bottom) / 2:.0f}" y="20" text-anchor="middle" transform="rotate(-90)">{escape(chart["y"])}</text>')
    return document(height, chart["title"], f"{chart['y']} over {chart['x']}", parts)


def point(cell, i, place, other, name, horizontal):
    mean, spread = cell
    said = escape(f"{name}: {number(mean)}" + (f" ± {number(spread)}" if spread else ""))
    a, b, c = place(mean - spread), place(mean + spread), place(mean)
    whisker = f"M{a:.1f} {other:.1f}H{b:.1f}" if horizontal else f"M{other:.1f} {a:.1f}V{b:.1f}"
    return (f'<g class="c{i % 6}"><title>{said}</title>' + (f'<path class="w" d="{whisker}"/>' if spread else "")
            + (mark(i % 6, c, other) if horizontal else mark(i % 6, other, c)) + "</g>")


def draw(folder, chart):
    headings, table = pivot(folder, chart) if "csv" in chart else tables(folder / "README.md")[chart["table"]]

    def column(heading):
        if re.fullmatch(r"#\d+", heading):
            return int(heading[1:])
        if heading not in headings:
            sys.exit(f"{folder}: there is no column '{heading}'; there are {', '.join(headings)}.")
        return headings.index(heading)

    labels = [column(h) for h in chart.get("labels", headings[:1])]
    wanted = {column(h): v for h, v in chart.get("only", {}).items()}
    chosen, names, rows, above = [column(h) for h in chart["series"]], [], [], {}
    for row in table:
        above = {i: row[i] or above.get(i, "") for i in {*labels, *wanted}}
        if any(above[i] not in v for i, v in wanted.items()):
            continue
        cells = [value(row[i], chart.get("scale", 1)) for i in chosen]
        named = [(headings[i], above[i]) for i in labels if above[i] not in ("", "–")]
        name = ", ".join(f"{h} = {v}" if len(labels) > 1 and re.fullmatch(NUMBER, v) else v for h, v in named)
        if any(cells) and (chart["kind"] != "lines" or re.fullmatch(NUMBER, name)):
            names.append(name)
            rows.append(cells)
    return (dots if chart["kind"] == "dots" else lines)(chart, names, rows)


def pivot(folder, chart):
    """A table with a row for each combination of the labels and a column for each series, from a file with a line for each cell."""
    with open(folder / chart["csv"], encoding="utf-8", newline="") as file:
        lines_of = [line for line in csv.DictReader(file) if all(line[h] in v for h, v in chart.get("only", {}).items())]
    keys = [*chart["labels"], *(h for h in chart.get("only", {}) if h not in chart["labels"])]
    rows = {}
    for line in lines_of:
        row = rows.setdefault(tuple(line[k] for k in keys), {})
        row[line[chart["by"]]] = f"{line[chart['mean']]} ± {line[chart['spread']]}"
    return [*keys, *chart["series"]], [[*key, *(row.get(s, "–") for s in chart["series"])] for key, row in rows.items()]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, help="studies; all by default")
    parser.add_argument("--check", action="store_true", help="write nothing; end with 1 when a chart is not its table's")
    options = parser.parse_args()
    wrong = []
    for folder in options.folders or sorted(p.parent for p in ROOT.rglob("chart.json")):
        if not (folder / "chart.json").exists():
            sys.exit(f"{folder} has no chart.json; charts are described there.")
        for chart in json.loads((folder / "chart.json").read_text(encoding="utf-8")):
            file, text = folder / chart["file"], draw(folder, chart)
            if not options.check:
                file.write_text(text, encoding="utf-8", newline="\n")
            elif not file.exists() or file.read_text(encoding="utf-8") != text:
                wrong.append(str(file))
    if wrong:
        sys.exit(f"Not as their tables say: {', '.join(wrong)}. Run python3 experiments/chart.py.")


if __name__ == "__main__":
    main()
