#!/usr/bin/python3
"""How cost grows: time and memory for an image of a training step and of a prediction, along three axes.

  bench/growth.py [--axes batch,size,depth] [--work training,inference] [--quick] [--csv FILE] [--svg FILE]

Along each axis one thing grows while the others stay: the batch (ResNet-18 at 224x224), the images' size (ResNet-18, 8
images), the depth (ResNet-18 to -101 at 224x224, 8 images). Programs of cnnc and, where it is installed, PyTorch run by turns,
as in against_peers.py. Memory is that of fresh processes: what exceeds libraries, weights, gradients and momentum, and
so grows with the images.
"""
import argparse
import csv
import dataclasses
import pathlib
import statistics
import sys
import time

import networks
import sides
import svg_plot
from against_peers import IDLE, ORDERS, runs_in

ROOT = pathlib.Path(__file__).resolve().parents[1]
SPEC = ROOT / "bench/growth.cnn"
WORK = ("training", "inference")
COLUMNS = ("axis", "network", "size", "batch", "work", "side", "variant", "milliseconds_an_image", "least", "most",
           "mebibytes_peak", "mebibytes_an_image")
LABELS = {"batch": "images in a batch", "size": "height and width of the images", "depth": "layers"}


@dataclasses.dataclass(frozen=True)
class Point:
    """What is measured: a network, its images' height and width, how many at once."""
    axis: str
    network: networks.Network
    size: int = 224
    batch: int = 8

    def settings(self):
        return "--set", f"side={self.size}"

    def place(self):
        """Its place on the axis."""
        return {"batch": self.batch, "size": self.size, "depth": int(self.network.name.rpartition("-")[2])}[self.axis]

    def name(self):
        return f"{self.network.name}, {self.size}x{self.size}, batch {self.batch}"


def residual(layers):
    network = networks.find(f"ResNet-{layers}")
    return dataclasses.replace(network, model=network.model + "At")


def points(axes, quick):
    every = {"batch": [Point("batch", residual(18), batch=batch) for batch in (1, 2, 4, 8, 16, 32, 64)],
             "size": [Point("size", residual(18), size=size) for size in (32, 64, 96, 128, 160, 224, 320, 448)],
             "depth": [Point("depth", residual(layers)) for layers in (18, 34, 50, 101)]}
    short = {"batch": [Point("batch", residual(18), size=64, batch=batch) for batch in (1, 4)],
             "size": [Point("size", residual(18), size=size, batch=2) for size in (32, 96)],
             "depth": [Point("depth", residual(layers), size=64, batch=2) for layers in (18, 34)]}
    return [point for axis in axes for point in (short if quick else every)[axis]]


class Growth:
    def __init__(self, options):
        self.options = options
        self.makers = sides.Makers(options.cnnc, options.threads, ROOT, SPEC)
        self.rows = []
        self.missing = set()

    def say(self, text):
        print(text, file=sys.stderr, flush=True)

    def makers_of(self, point):
        makers = {"cnnc": lambda variant=None: self.makers.ours(point.network, point.batch, point.settings())}
        if not self.options.alone:
            makers["PyTorch"] = lambda variant=None: self.makers.torch(point.network, point.batch, variant, point.size)
        return makers

    def start(self, name, maker):
        """A side, or None where PyTorch is missing, which is said once."""
        try:
            return maker()
        except (sides.Missing, sides.Failed) as reason:
            if name == "cnnc":
                raise
            if str(reason) not in self.missing:
                self.say(f"without {name}: {reason}")
                self.missing.add(str(reason))
            return None

    def seconds(self, point, work, running):
        """side -> seconds of a run, one of each round."""
        order, runs, found = ORDERS[work], {}, {name: [] for name in running}
        for name, side in running.items():
            if name == "PyTorch":
                chosen = side.ask(f"choose {order} {point.batch}")
                side.variant = chosen["variant"]
                runs[name] = runs_in(min(chosen["tried"].values()), self.options.block)
            else:
                side.seconds(order, 1, point.batch)  # pages are touched
                runs[name] = runs_in(side.seconds(order, 1, point.batch), self.options.block)
        for _ in range(self.options.pairs):
            for name, side in running.items():
                time.sleep(IDLE)
                found[name].append(side.seconds(order, runs[name], point.batch))
        return found

    def memory(self, point, work, maker, variant):
        """Of a fresh process: the most it had, and what of that exceeds what any program needs, in bytes."""
        planned = self.makers.summary(point.network, point.batch, point.settings())["memory"]
        needed = planned["weights"] + (planned["gradients"] + planned["optimizer"] if work == "training" else 0)
        with maker(variant) as side:
            side.does_only(ORDERS[work])
            for _ in range(2):
                side.seconds(ORDERS[work], 1, point.batch)
            used = side.ask("memory")
        return used["peak"], max(0, used["peak"] - used["bare"] - needed)

    def measure(self, point, work):
        makers = self.makers_of(point)
        running = {name: self.start(name, maker) for name, maker in makers.items()}
        running = {name: side for name, side in running.items() if side is not None}
        try:
            seconds = self.seconds(point, work, running)
            variants = {name: side.variant for name, side in running.items()}
        finally:
            for side in running.values():
                side.close()
        for name, values in seconds.items():
            each = [1e3 * value / point.batch for value in values]
            peak, exceeding = self.memory(point, work, makers[name], variants[name])
            row = dict(zip(COLUMNS, (point.axis, point.network.name, point.size, point.batch, work, name, variants[name],
                                     statistics.median(each), min(each), max(each), peak / 2**20, exceeding / 2**20 / point.batch)))
            self.rows.append((point, row))
            self.say(f"{point.axis}: {point.name()}, {work}, {name}: {row['milliseconds_an_image']:.2f} ms and "
                     f"{row['mebibytes_an_image']:.2f} MiB an image")
        self.write()

    def write(self):
        """After each point, so that a run that is stopped leaves what it has."""
        with open(self.options.csv, "w", newline="") as file:
            table = csv.DictWriter(file, COLUMNS)
            table.writeheader()
            for _, row in self.rows:
                table.writerow({name: f"{value:.4f}" if isinstance(value, float) else value for name, value in row.items()})
        self.options.svg.write_text(svg_plot.svg([self.panels(axis) for axis in self.options.axes]))

    def panels(self, axis):
        def panel(title, y, column):
            lines = {}
            for point, row in self.rows:
                if point.axis == axis and row[column] > 0:
                    lines.setdefault(f"{row['side']}, {row['work']}", []).append((point.place(), row[column]))
            return svg_plot.Panel(title, LABELS[axis], y, lines)
        return [panel(f"time by {axis}", "ms an image", "milliseconds_an_image"),
                panel(f"memory by {axis}", "MiB an image", "mebibytes_an_image")]

    def run(self):
        for point in points(self.options.axes, self.options.quick):
            for work in self.options.work:
                self.measure(point, work)


def parse():
    options = argparse.ArgumentParser(description="How cost grows with the batch, the images' size and the network's depth.")
    options.add_argument("--axes", default=",".join(LABELS), help="batch, size, depth, with commas between them")
    options.add_argument("--work", default=",".join(WORK), help="training, inference, with commas between them")
    options.add_argument("--pairs", type=int, default=5, help="rounds, of which the median counts (default: 5)")
    options.add_argument("--block", type=float, default=1.0, help="seconds that a side runs before the next one's turn")
    options.add_argument("--quick", action="store_true", help="two small points an axis, two short rounds: whether it works")
    options.add_argument("--alone", action="store_true", help="without PyTorch")
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--csv", type=pathlib.Path, default="growth.csv", metavar="FILE", help="(default: growth.csv)")
    options.add_argument("--svg", type=pathlib.Path, default="growth.svg", metavar="FILE", help="(default: growth.svg)")
    options.add_argument("--cnnc", default=ROOT / "build/bin/cnnc")
    chosen = options.parse_args()
    if chosen.quick:
        chosen.pairs, chosen.block = 2, 0.1
    if chosen.pairs < 1 or chosen.block <= 0:
        options.error("--pairs and --block must be more than 0")
    for name, known in (("axes", tuple(LABELS)), ("work", WORK)):
        words = getattr(chosen, name).split(",")
        for word in words:
            if word not in known:
                options.error(f"--{name} takes {', '.join(known)}, not '{word}'")
        setattr(chosen, name, words)
    if not pathlib.Path(chosen.cnnc).exists():
        options.error(f"{chosen.cnnc} is missing: build first, or name it with --cnnc")
    return chosen


def main():
    try:
        Growth(parse()).run()
    except sides.Failed as reason:
        sys.exit(f"error: {reason}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
