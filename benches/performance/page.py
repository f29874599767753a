"""The performance page: tables and plots of what `benches/performance/run.py` has measured.

    python benches/performance/page.py RESULTS.json [--page docs/performance.md] [--readme README.md]

Results are an object of `machine`, `quick` and `sections`; a section has `records` as benches and peers write them: {case, who, median, quartiles,
runs} in seconds, beside ours `ratio` and `ratio_quartiles` (over ours in the same rounds), and of ours what it needs at least, `flops` and `bytes`.
"""

import argparse
import json
import math
from pathlib import Path
from xml.sax.saxutils import escape

OURS = "pcml"
#: Title, sections whose cases are joined, the arithmetic's type, what a reader has to know. Of a case in two sections the first one counts.
GROUPS = (
    ("Projection of a field onto one row", ("peers/projection", "projection"), "f64",
     "Mean and variance, f64. The floor is mean, variance and weights read twice, mean and variance written, at the rate of memory in the same "
     "rounds: the faster of plain stores and of stores past the caches. Beside it the published formula in PyTorch, which builds n x n matrices. In "
     "parts a projection takes three exact sums, where the whole takes double-doubles: the same bits for any partition cost that."),
    ("Within bounds", ("bounded",), "f64",
     "A fifth of the cells ends at bounds. One pass: mean, variance, bounds and weights read, a state written, at a given multiplier. Clarabel, an "
     "interior-point solver, solves the same quadratic program, its set-up included; the answers agree."),
    ("Many rows and other priors", ("joint",), "f64",
     "10^5 columns of 72 levels with 4 rows each, as slices with one set of weights, and as one state of 400,000 rows; a dense covariance of 2,000 "
     "cells with 50 rows; an ensemble of 32 samples of 10^6 cells. Memory: the same bytes copied, of an ensemble four passes."),
    ("Samples, likelihoods, derivatives, boundary rows", ("inference",), "f64", "A square of 1,000 x 1,000 cells: its mass alone, and with 3,000 boundary rows."),
    ("Mass and energy", ("nonlinear",), "f64", "Newton steps for the quadratic invariant; the mass alone for comparison."),
    ("Face fluxes", ("flux",), "f64", "All balances of a square mesh closed, by elimination and by conjugate gradients."),
    ("Exact sums", ("sums",), "f64", "The same bits in any order, beside plain sums of 16 lanes; values of one magnitude, over 12 and over 600 decades."),
    ("Neural operators", ("peers/fno", "fno"), "f32",
     "Batch 1, f32. Operations are counted as those of plain truncated transforms; bytes are the weights, and the field of each block read and written "
     "once. Peers have the same weights and agree. BOON: the published code where a checkout of it is there."),
    ("Perceptrons", ("peers/mlp", "mlp"), "f32", "60-128-128-60, ReLU, f32; a case is its number of rows. Bytes: weights, and rows read and written."),
    ("Attentive neural process", ("peers/anp", "anp"), "f32",
     "Condition on 100 points, predict 201 targets, hidden 128. `published` evaluates the whole network once a latent with dropout left on; `torch` "
     "without it; `torch fused` with PyTorch's own attention."),
    ("Gaussian processes", ("peers/gp", "gp"), "f64", "Matern 5/2, three inputs; 200 targets. A likelihood comes with its gradient; ours is a fit over its evaluations."),
    ("A call", ("overhead",), "f64",
     "The exact sum of one value, and a projection of 8 cells: from C, and beside it the same from other languages, in alternating runs of their programs."),
)
TOGETHER = ("threads", "processes")
PRODUCTS = ("product", "product at the end")
#: What cases of peers need at least, where no bench says so.
WORK = {
    ("peers/anp", "100 latents"): {"flops": 12.2e9},
    ("peers/gp", "1000, condition"): {"flops": 1000**3 / 3},
    ("peers/gp", "1000, variance"): {"flops": 1000**2 * 200},
    **{("peers/projection", f"{n} cells"): {"bytes": 64 * n} for n in (201, 1001, 4001)},
}
#: Below that share of what the machine could do, the page says that it is not reached.
REACHED = 0.6
#: Of the table in the README, at most ten: title, cases.
SHORT = (
    ("projection of 201 cells, mean and variance", "201 cells"),
    ("projection of 10^6 cells", "1000000 cells"),
    ("projection of 10^8 cells", "100000000 cells"),
    ("one row within bounds, 10^4 cells", "one row, 10000 cells"),
    ("FNO, 64 x 64, width 32, 24 x 12 modes, f32", "fno_2d_64x64"),
    ("FNO, 50 x 50 x 25", "fno_3d_50x50x25"),
    ("BOON, 500 x 25", "boon_2d_500x25"),
    ("perceptron 60-128-128-60, 256 rows, f32", "mlp_256"),
    ("neural process of width 128, 100 latents at 201 targets, f32", "100 latents"),
    ("Gaussian process of 1,000 points: condition", "1000, condition"),
)


def digits(value):
    """Three significant ones, no exponent."""
    if value == 0:
        return "0"
    places = 2 - math.floor(math.log10(abs(value)))
    return f"{round(value, places):,.{max(places, 0)}f}"


def seconds(value):
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if value >= size:
            return f"{digits(value / size)} {unit}"
    return f"{digits(value / 1e-9)} ns"


def spread(record):
    low, high = record["quartiles"]
    return f"{seconds(record['median'])} ({seconds(low)} to {seconds(high)})"


def times(record):
    low, high = record["ratio_quartiles"]
    return f"{digits(record['ratio'])} times ({digits(low)} to {digits(high)})"


def compared(record, ours):
    """What another took, and how many times ours; where that is not ours of this row, which."""
    of = f" {seconds(record['ours'])}" if record["ours"] not in (None, ours["median"]) else ""
    low, high = record["ratio_quartiles"]
    return f"{record['who']} {spread(record)}, {digits(record['ratio'])} times{of} ({digits(low)} to {digits(high)})"


def by_case(results, sections):
    """Cases in order; of each our record with what it needs, and those beside it, each with our median of the rounds that its ratio is of."""
    cases = {}
    for name in sections:
        records = results["sections"].get(name, {}).get("records", [])
        own = {record["case"]: record["median"] for record in records if record["who"] == OURS}
        for record in records:
            ours, beside = cases.setdefault(record["case"], ({}, []))
            if record["who"] == OURS:
                found = {**WORK.get((name, record["case"]), {}), **record}
                # The first section's times, the work of any.
                ours.update({key: value for key, value in found.items() if key not in ours})
            else:
                beside.append({**record, "ours": own.get(record["case"])})
    return {case: (ours, beside) for case, (ours, beside) in cases.items() if ours}


def products_of(results):
    return [record for name in PRODUCTS for record in results["sections"].get(name, {}).get("records", [])]


def product_rates(results):
    """Flop/s of faer's product by type: the median of the better of the runs."""
    rates = {}
    for record in products_of(results):
        kind, rate = record["case"].split(",")[0], record["flops"] / record["median"]
        if record["case"].endswith("1024"):
            rates[kind] = max(rates.get(kind, 0.0), rate)
    return rates


def memory_rates(results):
    """Bytes/s of memory by the bytes that pass, one thread."""
    cases = by_case(results, ("projection",)).items()
    return {
        ours["bytes"]: ours["bytes"] / record["median"]
        for case, (ours, beside) in cases for record in beside
        if record["who"] == "memory" and "threads" not in case
    }


def floor(ours, beside, kind, products, memory):
    """Which part of our time the machine needs at least, and why; None where nothing says what it needs."""
    for record in beside:
        if record["who"] == "memory" and "flops" not in ours:
            return record["ratio"], f"{digits(ours['bytes'] / record['median'] / 1e9)} GB/s"
    needs = []
    if "flops" in ours and kind in products:
        needs.append((ours["flops"] / products[kind], f"{digits(ours['flops'] / 1e9)} GFLOP at {digits(products[kind] / 1e9)} GFLOP/s"))
    if "bytes" in ours and memory:
        rate = memory[min(memory, key=lambda size: abs(math.log(size / ours["bytes"])))]
        needs.append((ours["bytes"] / rate, f"{digits(ours['bytes'] / 1e6)} MB at {digits(rate / 1e9)} GB/s"))
    if not needs:
        return None
    least, why = max(needs)
    return least / ours["median"], why


def table(results, group):
    """Lines of a group's table."""
    _, sections, kind, _ = group
    products, memory = product_rates(results), memory_rates(results)
    lines = ["| case | median (quartiles) | the machine could | share of the floor | beside it |", "|---|---|---|---|---|"]
    for case, (ours, beside) in by_case(results, sections).items():
        found = floor(ours, beside, kind, products, memory)
        least, share = (found[1], digits(found[0])) if found else ("", "")
        others = "; ".join(compared(r, ours) for r in beside if r["who"] != "memory")
        if "note" in ours:
            others = "; ".join(part for part in (ours["note"], others) if part)
        lines.append(f"| {case} | {spread(ours)}, {ours['runs']} runs | {least} | {share} | {others} |")
    return lines


def missing(results, sections):
    """Lines about sections that are not there."""
    of = results["sections"]
    why = {name: of[name].get("missing") if name in of else "not in this run" for name in sections}
    return [f"`{name}`: {reason}." for name, reason in why.items() if reason]


def together(results):
    """Throughput of two at once over that of one, (case, who, low, middle, high); and what one takes alone."""
    rows, alone = [], {}
    for name in TOGETHER:
        for record in results["sections"].get(name, {}).get("records", []):
            if record["who"] == OURS:
                alone[f"two {name}", record["case"]] = record
            else:
                low, high = record["ratio_quartiles"]
                rows.append((record["case"], record["who"], 2 / high, 2 / record["ratio"], 2 / low))
    return rows, alone


def plot(title, rows, log, marks):
    """A picture of dots with quartiles: rows are (label, who, low, middle, high); marks are lines across with their names."""
    colors = ("#1f6f8b", "#c8553d", "#588157", "#7b4b94", "#b08900", "#444444")
    whos = list(dict.fromkeys(row[1] for row in rows))
    labels = list(dict.fromkeys(row[0] for row in rows))
    left, right, top, step = 250, 40, 58, 22
    width, height = 900, top + step * len(labels) + 44
    values = [value for row in rows for value in row[2:]] + [at for at, _ in marks]
    low, high = (min(values), max(values)) if log else (0.0, max(values))
    scale = math.log10 if log else float
    low, high = scale(low), scale(high)
    if log:
        low, high = math.floor(low), math.ceil(high)
    x = lambda value: left + (width - left - right) * (scale(value) - low) / ((high - low) or 1.0)
    if log:
        ticks = [10.0**k for k in range(int(low), int(high) + 1)]
    else:
        ticks = [high * k / 5 for k in range(6)]
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<text x="10" y="20" font-size="14">{escape(title)}</text>',
    ]
    for tick in ticks:
        out.append(f'<line x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{top - 8}" y2="{height - 34}" stroke="#dddddd"/>')
        out.append(f'<text x="{x(tick):.1f}" y="{height - 18}" text-anchor="middle">{tick:g}</text>')
    for at, name in marks:
        out.append(f'<line x1="{x(at):.1f}" x2="{x(at):.1f}" y1="{top - 8}" y2="{height - 34}" stroke="#888888" stroke-dasharray="4 3"/>')
        out.append(f'<text x="{x(at):.1f}" y="{height - 4}" text-anchor="middle" fill="#666666">{escape(name)}</text>')
    for k, who in enumerate(whos):
        place = 10 + k * 890 // max(len(whos), 1)
        out.append(f'<circle cx="{place + 4}" cy="36" r="4" fill="{colors[k % len(colors)]}"/><text x="{place + 12}" y="40">{escape(who)}</text>')
    for k, label in enumerate(labels):
        out.append(f'<text x="{left - 8}" y="{top + step * k + 12}" text-anchor="end">{escape(label)}</text>')
    for label, who, first, middle, last in rows:
        color = colors[whos.index(who) % len(colors)]
        y = top + step * labels.index(label) + 8
        out.append(f'<line x1="{x(first):.1f}" x2="{x(last):.1f}" y1="{y}" y2="{y}" stroke="{color}" stroke-width="2"/>')
        out.append(f'<circle cx="{x(middle):.1f}" cy="{y}" r="4" fill="{color}"/>')
    return "\n".join([*out, "</svg>", ""])


def is_peer(record):
    return record["who"] not in ("memory", "plain", "one pass", "packed by the host") and not record["who"].startswith(OURS)


def summary(results):
    """Of all cases: shares of the machine, (case, group, share, why), and peers' ratios, (case, who, low, middle, high)."""
    products, memory = product_rates(results), memory_rates(results)
    shares, ratios = [], []
    for group in GROUPS:
        title, sections, kind, _ = group
        for case, (ours, beside) in by_case(results, sections).items():
            found = floor(ours, beside, kind, products, memory)
            if found:
                shares.append((case, title, *found))
            if "overhead" not in sections:
                ratios += [(case, r["who"], r["ratio_quartiles"][0], r["ratio"], r["ratio_quartiles"][1]) for r in beside if is_peer(r)]
    return shares, ratios


def page(results, pictures, heading="# Performance"):
    """The page's text, and its pictures by name in the folder `pictures`. Tables of which the run had no section are named, no more."""
    machine, drawn = results["machine"], {}
    left_out = []

    def has_none(table, sections):
        if any(name in results["sections"] for name in sections):
            return False
        left_out.append(table)
        return True

    text = [
        heading,
        "",
        "    python benches/performance/run.py",
        "",
        "measures all of this in one run and writes this page. Medians and, in brackets, quartiles; what is compared ran in turns on one core, so that a "
        "machine whose speed changes changes it for all, and ratios are medians over rounds: how many times as long as ours the other took. One thread, "
        "unless a row says otherwise. In turns with programs in Python one of them is called for 10 ms unseen, then for 20 ms: after other work a processor "
        "needs some milliseconds to bring data and its wide units back, and a single call in between takes up to half as long again. Where a time follows *times*, that is ours in those rounds, of another program. *The machine could* is the time that a floor takes at rates of the same run: operations at the rate of faer's matrix "
        "product, bytes at the rate of memory for about as many bytes; *share of the floor* is the floor over our median: 1 would be as fast as the machine, "
        "and more is where fewer operations do, by fast transforms or by pairs of points, or where ours beat faer's.",
        "",
    ]
    if results["quick"]:
        text += ["**From a quick run**: few repetitions on a machine with other work on it. Ratios of one row hold better than its times, and neither is to be quoted.", ""]
    text += ["## The machine", "", "| | |", "|---|---|"]
    text += [f"| {name} | {value} |" for name, value in machine.items()]
    for record in products_of(results):
        low, high = (record["flops"] / second / 1e9 for second in reversed(record["quartiles"]))
        text.append(f"| product of faer, {record['case']} | {digits(record['flops'] / record['median'] / 1e9)} GFLOP/s ({digits(low)} to {digits(high)}) |")
    for size, rate in sorted(memory_rates(results).items()):
        text.append(f"| memory, {digits(size / 1e6)} MB | {digits(rate / 1e9)} GB/s |")
    text += ["", *(f"Not measured: {line}\n" for line in missing(results, PRODUCTS))]

    shares, ratios = summary(results)
    if ratios:
        drawn["peers.svg"] = plot("Peers over ours: time ratio, medians and quartiles", ratios, True, [(1.0, "as fast")])
        text += [f"![How many times as long peers take]({pictures}/peers.svg)", ""]
    if shares:
        rows = [(case, title, share, share, share) for case, title, share, _ in shares]
        drawn["reached.svg"] = plot("Share of what the machine could do", rows, False, [(1.0, "")])
        text += [f"![Which share of what the machine could do is reached]({pictures}/reached.svg)", ""]

    for group in GROUPS:
        title, sections, _, words = group
        if has_none(title, sections):
            continue
        lines = table(results, group)
        gone = missing(results, sections)
        if len(lines) == 2 and not gone:
            continue
        text += [f"## {title}", "", words, ""]
        text += [*lines, ""] if len(lines) > 2 else []
        text += [f"Not measured: {line}\n" for line in gone]

    rows, alone = together(results)
    gone = missing(results, TOGETHER)
    if not has_none("Two at once", TOGETHER) and (rows or gone):
        text += [
            "## Two at once",
            "",
            "Throughput of two over that of one: 2 at best; what is missing they take from each other, memory's bandwidth above all. Threads of an OpenMP "
            "region call one shared plan, each with a workspace; processes are two ranks under `mpirun -n 2`, each with a plan of its own.",
            "",
        ]
        if rows:
            text += ["| case | one alone | two | throughput |", "|---|---|---|---|"]
            text += [f"| {case} | {spread(alone[who, case])} | {who} | {digits(mid)} times ({digits(low)} to {digits(high)}) |" for case, who, low, mid, high in rows]
            drawn["together.svg"] = plot("Throughput of two at once over that of one", rows, False, [(1.0, "no gain"), (2.0, "twice")])
            text += ["", f"![Throughput of two at once]({pictures}/together.svg)", ""]
        text += [f"Not measured: {line}\n" for line in gone]

    if left_out:
        text += [f"Not in this run: {'; '.join(left_out)}.", ""]

    text += ["## What is not reached", ""]
    far = sorted((share, case, title, why) for case, title, share, why in shares if share < REACHED)
    if far:
        text += [f"Below {REACHED} of what the machine could do, the furthest first:", "", "| case | share of the floor | the machine could |", "|---|---|---|"]
        text += [f"| {title}: {case} | {digits(share)} | {why} |" for share, case, title, why in far]
        text.append("")
    slower = [row for row in ratios if row[3] < 1]
    if slower:
        text += ["Peers that are faster than ours:", ""]
        text += [f"- {case}: {who}, {digits(middle)} of our time ({digits(low)} to {digits(high)})" for case, who, low, middle, high in slower]
        text.append("")
    if not shares:
        text += ["The machine's rates were not measured in this run: no share is known.", ""]
    elif not far:
        text += [f"No share below {REACHED}.", ""]
    return "\n".join(text).rstrip() + "\n", drawn


def short_table(results):
    """The README's table, its lines."""
    products, memory = product_rates(results), memory_rates(results)
    lines = ["| what | time | beside it |", "|---|---|---|"]
    for title, case in SHORT:
        for _, sections, kind, _ in GROUPS:
            if case in (cases := by_case(results, sections)):
                ours, beside = cases[case]
                words = [f"{r['who']} {seconds(r['median'])}, {times(r)}" for r in beside if is_peer(r)]
                if found := floor(ours, beside, kind, products, memory):
                    words.append(f"{digits(found[0])} of what the machine could, {found[1]}")
                lines.append(f"| {title} | {spread(ours)} | {'; '.join(words)} |")
    return lines


def marked(text, mark):
    """What lies before the marks, between them, and after."""
    before, rest = text.split(f"<!-- {mark} -->\n")
    inside, after = rest.split(f"<!-- end {mark} -->\n")
    return before, inside, after


def between(text, mark, inside):
    """The text with something else between its marks."""
    before, _, after = marked(text, mark)
    return f"{before}<!-- {mark} -->\n{inside}<!-- end {mark} -->\n{after}"


def write(results, path, readme=None):
    """Writes the page and its pictures, and the README's table where one is named. The title of a page that is there stays, and what it has
    between `<!-- by hand -->` and `<!-- end by hand -->`."""
    pictures = path.parent / path.stem
    text, drawn = page(results, path.stem, *(path.read_text().splitlines()[:1] if path.is_file() else []))
    pictures.mkdir(parents=True, exist_ok=True)
    for name, picture in drawn.items():
        (pictures / name).write_text(picture)
    by_hand = marked(path.read_text(), "by hand")[1] if path.is_file() else ""
    path.write_text(f"{text}\n<!-- by hand -->\n{by_hand}<!-- end by hand -->\n")
    if readme:
        table = "".join(f"{line}\n" for line in short_table(results))
        readme.write_text(between(readme.read_text(), "performance", table))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("--page", type=Path, default=Path(__file__).resolve().parents[2] / "docs/performance.md")
    parser.add_argument("--readme", type=Path)
    arguments = parser.parse_args()
    write(json.loads(arguments.results.read_text()), arguments.page, arguments.readme)


if __name__ == "__main__":
    main()
