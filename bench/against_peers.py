#!/usr/bin/python3
"""Programs of cnnc against PyTorch and ONNX Runtime, by turns.

  bench/against_peers.py [--networks NAMES] [--work KINDS] [--pairs N] [--quick] [--markdown FILE] [--csv FILE]

Each network of the zoo is measured at a training step (SGD with momentum, batch normalisation in training mode), at
predictions of one image and of a batch, and LeNet-5 at a whole epoch. All sides' processes stay alive and run blocks by
turns: ours, PyTorch, ONNX Runtime, ours ..., with a pause before each. What counts are ratios within a round: their median,
least and most. PyTorch runs the quickest of its variants, tried at the beginning. Memory and cold start are those of fresh
processes. A peer that is missing is left out, by name. README.md says more.
"""
import argparse
import math
import pathlib
import statistics
import sys
import time

import lenet5_epoch
import networks
import report
import sides

ROOT = pathlib.Path(__file__).resolve().parents[1]
WORK = ("training", "inference", "epoch")
IDLE = 0.3  # seconds: threads that spin after their work have gone to sleep
ORDERS = {"training": "train", "inference": "predict"}


def flops(summary, work, batch):
    """Of a step or a prediction, counted directly: two for each multiply-add; a training step has three times as many, but
    for the gradient of the images, which nobody needs."""
    if work == "inference":
        return 2 * batch * summary["macs"]
    macs = [layer["macs"] for layer in summary["layers"] if layer["macs"] > 0]
    return 2 * batch * (3 * sum(macs) - macs[0])


def check_same(network, summary, torch):
    """Both sides have the same network: as many parameters."""
    theirs = torch.ask("parameters")
    ours = summary["parameters"]
    if ours != theirs["parameters"]:
        raise sides.Failed(f"{network.name} has {ours:,} parameters here and {theirs['parameters']:,} in PyTorch")


def runs_in(seconds, block):
    """How many runs make a block."""
    return max(1, min(10000, math.ceil(block / seconds)))


class Bench:
    def __init__(self, options):
        self.options = options
        self.makers = sides.Makers(options.cnnc, options.threads, options.modules)
        self.measurements = []
        self.missing = set()

    def say(self, text):
        print(text, file=sys.stderr, flush=True)

    def start(self, one, network, name, maker):
        """A side, or None where it is missing; then that is noted."""
        if name not in self.options.peers and name != "cnnc":
            return None
        try:
            return maker()
        except (sides.Missing, sides.Failed) as reason:
            if name == "cnnc":
                raise
            one.missing[name] = str(reason)
            if (name, str(reason)) not in self.missing:
                self.say(f"{network.name} without {name}: {reason}")
                self.missing.add((name, str(reason)))
            return None

    def makers_of(self, network, work, batch):
        found = {"cnnc": lambda variant=None: self.makers.ours(network, batch),
                 "PyTorch": lambda variant=None: self.makers.torch(network, batch, variant)}
        if work == "inference":
            found["ONNX Runtime"] = lambda variant=None: self.makers.onnx(network, batch)
        return found

    def measure(self, network, work, batch):
        one = report.Measurement(network.name, work, batch)
        summary = self.makers.summary(network, batch)
        one.flops = flops(summary, work, batch)
        makers = self.makers_of(network, work, batch)
        running = {name: self.start(one, network, name, maker) for name, maker in makers.items()}
        running = {name: side for name, side in running.items() if side is not None}
        try:
            if "PyTorch" in running:
                check_same(network, summary, running["PyTorch"])
            self.rounds(one, running, work, batch)
        finally:
            for side in running.values():
                side.close()
        if not self.options.no_memory:
            for name in running:
                self.fresh(one, makers[name], name, summary, work, batch)
        one.build = self.makers.build_seconds(network, batch)
        self.measurements.append(one)
        self.tell(one)

    def rounds(self, one, running, work, batch):
        order = ORDERS[work]
        runs = {}
        for name, side in running.items():
            if name == "PyTorch":
                chosen = side.ask(f"choose {order} {batch}")
                one.variants[name] = side.variant = chosen["variant"]
                runs[name] = runs_in(min(chosen["tried"].values()), self.options.block)
                continue
            first = side.seconds(order, 1, batch)  # pages are touched
            again = side.seconds(order, 1, batch) if first < 2 * self.options.block else first
            runs[name] = runs_in(min(first, again), self.options.block)
        for _ in range(self.options.pairs):
            for name, side in running.items():
                time.sleep(IDLE)
                one.seconds.setdefault(name, []).append(side.seconds(order, runs[name], batch))
            one.peak.append(running["cnnc"].ask("peak")["gflops"])

    def fresh(self, one, maker, name, summary, work, batch):
        """Memory, and the time from nothing to the first result. The least that any program needs: its weights, and for
        training their gradients and momentum."""
        order = ORDERS[work]
        time.sleep(IDLE)
        begin = time.perf_counter()
        with maker(one.variants.get(name)) as side:
            side.does_only(order)
            side.seconds(order, 1, batch)
            one.cold[name] = time.perf_counter() - begin
            side.seconds(order, 1, batch)
            memory = side.ask("memory")
        weights = summary["memory"]["weights"]
        needed = weights + (summary["memory"]["gradients"] + summary["memory"]["optimizer"] if work == "training" else 0)
        one.memory[name] = {"peak": memory["peak"], "bare": memory["bare"], "needed": needed,
                            "exceeding": memory["peak"] - memory["bare"] - needed}

    def tell(self, one):
        words = [f"{one.network} {one.work} b{one.batch}: ours {report.milliseconds(one.seconds['cnnc'])} ms"]
        words += [f"{side} {report.milliseconds(one.seconds[side])} ms, x {report.spread(one.ratios(side))}"
                  for side in report.PEERS if side in one.seconds]
        self.say("; ".join(words))
        self.write()

    def epoch(self):
        one = report.Measurement("LeNet-5", "epoch", 128)
        names = ["cnnc"]
        if not lenet5_epoch.DATA.exists():
            self.say(f"no epoch of LeNet-5: {lenet5_epoch.DATA} is missing (dataset-fashion-mnist)")
            return
        lenet = networks.find("LeNet-5")
        if "PyTorch" in self.options.peers:
            side = self.start(one, lenet, "PyTorch", lambda: self.makers.torch(lenet, 1))
            if side is not None:
                side.close()
                names.append("PyTorch")
        peaks = {}
        for side, seconds, first, peak in lenet5_epoch.pairs(self.makers, self.options.pairs, self.options.epochs, names):
            one.seconds.setdefault(side, []).append(seconds)
            one.cold[side] = min(first, one.cold.get(side, first))
            peaks.setdefault(side, []).append(peak)
        one.memory = {side: {"peak": statistics.median(values)} for side, values in peaks.items()}
        self.measurements.append(one)
        self.tell(one)

    def write(self):
        """After each measurement, so that a run that is stopped leaves what it has."""
        if self.options.markdown:
            self.options.markdown.write_text(report.text(self.measurements, report.markdown))
        if self.options.csv:
            report.write_csv(self.options.csv, self.measurements)

    def run(self):
        for network in self.options.networks:
            for work in self.options.work:
                for batch in {"training": [network.batch], "inference": [1, network.batch], "epoch": []}[work]:
                    self.measure(network, work, self.options.batch or batch)
                    if self.options.batch:
                        break
            if network.model == "LeNet5" and "epoch" in self.options.work:
                self.epoch()
        print(report.text(self.measurements))


def parse():
    options = argparse.ArgumentParser(description="Programs of cnnc against PyTorch and ONNX Runtime, by turns.")
    options.add_argument("--networks", help="names, with commas between them (default: the whole zoo)")
    options.add_argument("--work", default=",".join(WORK), help="training, inference, epoch, with commas between them")
    options.add_argument("--peers", default=",".join(report.PEERS), help="whom to measure against, with commas between them")
    options.add_argument("--batch", type=int, help="the only batch, in place of the networks' own")
    options.add_argument("--pairs", type=int, default=5, help="rounds; ratios are taken within a round (default: 5)")
    options.add_argument("--block", type=float, default=1.0, help="seconds that a side runs before the next one's turn")
    options.add_argument("--quick", action="store_true", help="2 rounds of short blocks, without memory: a rough picture")
    options.add_argument("--epochs", type=int, default=3, help="LeNet-5's epochs in a process; at least 2 (default: 3)")
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--no-memory", action="store_true", help="times only: no fresh processes")
    options.add_argument("--markdown", type=pathlib.Path, metavar="FILE", help="writes the tables in Markdown, too")
    options.add_argument("--csv", type=pathlib.Path, metavar="FILE", help="writes every figure of every round, too")
    options.add_argument("--cnnc", default=ROOT / "build/bin/cnnc")
    options.add_argument("--modules", default=ROOT / "build/peers/node_modules", help="where onnxruntime-node is")
    chosen = options.parse_args()
    if chosen.quick:
        chosen.pairs, chosen.block, chosen.no_memory = 2, 0.3, True
    if chosen.epochs < 2:
        options.error("--epochs: at least 2, since an epoch is measured as a difference")
    if chosen.pairs < 1 or chosen.block <= 0:
        options.error("--pairs and --block must be more than 0")
    chosen.work = chosen.work.split(",")
    for work in chosen.work:
        if work not in WORK:
            options.error(f"--work takes {', '.join(WORK)}, not '{work}'")
    chosen.peers = [peer.strip() for peer in chosen.peers.split(",")]
    for peer in filter(None, chosen.peers):
        if peer not in report.PEERS:
            options.error(f"--peers takes {', '.join(report.PEERS)}, not '{peer}'")
    try:
        names = chosen.networks.split(",") if chosen.networks else [network.name for network in networks.NETWORKS]
        chosen.networks = [networks.find(name) for name in names]
    except KeyError as name:
        options.error(f"--networks: there is no {name}; there are {', '.join(network.name for network in networks.NETWORKS)}")
    if not pathlib.Path(chosen.cnnc).exists():
        options.error(f"{chosen.cnnc} is missing: build first, or name it with --cnnc")
    return chosen


def main():
    try:
        Bench(parse()).run()
    except sides.Failed as reason:
        sys.exit(f"error: {reason}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
