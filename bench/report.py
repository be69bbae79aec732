"""What was measured as rows, and rows as tables: for a terminal, in Markdown, as CSV."""
import csv
import dataclasses
import statistics

RAW = ("network", "work", "batch", "side", "variant", "round", "quantity", "value")
PEERS = ("PyTorch", "ONNX Runtime")


@dataclasses.dataclass
class Measurement:
    """One kind of work of one network at one batch, on all sides; lists run over the rounds."""
    network: str
    work: str
    batch: int
    flops: float = 0                                    # of a step or a prediction
    seconds: dict = dataclasses.field(default_factory=dict)     # side -> a list
    peak: list = dataclasses.field(default_factory=list)        # GFLOP/s that the machine reached in each round
    variants: dict = dataclasses.field(default_factory=dict)    # side -> its name
    memory: dict = dataclasses.field(default_factory=dict)      # side -> {"peak", "bare", "exceeding"}: bytes
    cold: dict = dataclasses.field(default_factory=dict)        # side -> seconds from nothing to the first result
    build: float = 0                                    # seconds that building our program took
    missing: dict = dataclasses.field(default_factory=dict)     # side -> why

    def ratios(self, side):
        """How many times longer `side` takes, round by round."""
        return [theirs / ours for ours, theirs in zip(self.seconds.get("cnnc", []), self.seconds.get(side, []))]

    def raw(self):
        def row(side, round_, quantity, value):
            return (self.network, self.work, self.batch, side, self.variants.get(side, ""), round_, quantity, value)
        for side, values in self.seconds.items():
            yield from (row(side, i + 1, "seconds", value) for i, value in enumerate(values))
        yield from (row("machine", i + 1, "peak_gflops", value) for i, value in enumerate(self.peak))
        for side, values in self.memory.items():
            yield from (row(side, "", f"memory_{name}", value) for name, value in values.items())
        yield from (row(side, "", "cold_seconds", value) for side, value in self.cold.items())
        if self.build:
            yield row("cnnc", "", "build_seconds", self.build)
        yield row("", "", "flops", self.flops)


def spread(values):
    if not values:
        return "-"
    return f"{statistics.median(values):.2f} ({min(values):.2f}–{max(values):.2f})"


def milliseconds(values):
    if not values:
        return "-"
    value = 1e3 * statistics.median(values)
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def gflops(one, side):
    return one.flops / statistics.median(one.seconds[side]) / 1e9 if one.flops and one.seconds.get(side) else None


def number(value, form=".0f"):
    return "-" if value is None else format(value, form)


def mebibytes(one, side, which):
    return one.memory[side][which] / 2**20 if which in one.memory.get(side, {}) else None


def memory_ratio(one, side, which):
    ours, theirs = mebibytes(one, "cnnc", which), mebibytes(one, side, which)
    return "-" if not ours or theirs is None else f"{theirs / ours:.2f}"


def share_of_peak(one):
    rate = gflops(one, "cnnc")
    return "-" if rate is None or not one.peak else f"{100 * rate / statistics.median(one.peak):.0f} %"


def tables(measurements):
    """(title, head, rows) of each table."""
    times = [[one.network, one.work, str(one.batch), milliseconds(one.seconds.get("cnnc")), number(gflops(one, "cnnc")),
              share_of_peak(one), milliseconds(one.seconds.get("PyTorch")), one.variants.get("PyTorch", "-"),
              spread(one.ratios("PyTorch")), milliseconds(one.seconds.get("ONNX Runtime")), spread(one.ratios("ONNX Runtime"))]
             for one in measurements if one.seconds]
    yield ("Time: medians; ratios are theirs / ours, round by round, median (least–most)",
           ["network", "work", "batch", "ours ms", "GFLOP/s", "of peak", "PyTorch ms", "its variant", "PyTorch / ours",
            "ONNX Runtime ms", "ONNX Runtime / ours"], times)
    memory = []
    for one in measurements:
        for side in PEERS:
            if side in one.memory and "cnnc" in one.memory:
                memory.append([one.network, one.work, str(one.batch), side] +
                              [number(mebibytes(one, who, which)) for which in ("peak", "exceeding") for who in ("cnnc", side)] +
                              [memory_ratio(one, side, which) for which in ("peak", "exceeding")])
    yield ("Memory of fresh processes, MiB (VmHWM): all of it, and what exceeds weights, gradients, optimizer state and the bare "
           "process",
           ["network", "work", "batch", "peer", "ours", "theirs", "ours exceeding", "theirs exceeding", "theirs / ours",
            "exceeding, theirs / ours"], memory)
    cold = [[one.network, one.work, str(one.batch), number(one.build, ".1f"), number(one.cold.get("cnnc"), ".2f"),
             *(number(one.cold.get(side), ".2f") for side in PEERS)] for one in measurements if one.cold]
    yield ("Cold start, seconds: building our program (near 0 where it was built before), then from nothing to the first result",
           ["network", "work", "batch", "build", "ours", *PEERS], cold)
    left_out = sorted({(side, one.network, why) for one in measurements for side, why in one.missing.items()})
    yield "Left out", ["peer", "network", "why"], [list(row) for row in left_out]


def plain(title, head, rows):
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]

    def line(row):
        return "  ".join(cell.ljust(width) if i < 2 else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths))).rstrip()
    return "\n".join([title, line(head), *map(line, rows)]) + "\n"


def markdown(title, head, rows):
    lines = [f"### {title}", "", "| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def text(measurements, layout=plain):
    return "\n".join(layout(*table) for table in tables(measurements) if table[2])


def write_csv(path, measurements):
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(RAW)
        for one in measurements:
            writer.writerows(one.raw())
