#!/usr/bin/python3
"""A training step's memory against what `cnnc summary` says before the program exists.

  bench/memory_against_plan.py [--networks NAMES] [--threads N] [--cnnc FILE]

Each network of the zoo takes two training steps in a fresh process. Its peak (VmHWM), less what the bare process had resident and
the pages of the program's own code that came with their first use, stands beside the plan: weights, gradients, momentum,
activations, scratch, and the images of a step, which are the caller's.
Exit code 1 where a peak exceeds its plan, or falls below it, by more than 5 % and a MiB.
"""
import argparse
import math
import pathlib
import sys

import networks
import sides

ROOT = pathlib.Path(__file__).resolve().parents[1]
MIB = 1 << 20
LIMIT = 0.05  # or a MiB: threads' stacks and the like, beside which a tiny network is nothing


def measure(makers, network):
    """Planned and measured bytes, and those of the process without them."""
    summary = makers.summary(network, network.batch)
    planned = sum(summary["memory"][part] for part in ("weights", "gradients", "optimizer", "scratch"))
    planned += summary["phases"][0]["activation_bytes"]  # a step's: a prediction's weights are prepared, and may take more
    planned += 4 * network.batch * math.prod(network.input)
    with makers.ours(network, network.batch) as side:
        side.ask(f"train 2 {network.batch}")
        memory = side.ask("memory")
    base = memory["bare"] + memory["code"]
    return planned, memory["peak"] - base, base


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", help="names, with commas between them (default: the whole zoo)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cnnc", default=ROOT / "build/bin/cnnc", type=pathlib.Path)
    options = parser.parse_args()
    makers = sides.Makers(options.cnnc, options.threads, ROOT / "build/peers/node_modules")
    chosen = [networks.find(name) for name in options.networks.split(",")] if options.networks else networks.NETWORKS
    print(f"{'network':18} {'batch':>5} {'planned MiB':>12} {'measured MiB':>13} {'measured / planned':>19} {'base MiB':>9}")
    missed = []
    for network in chosen:
        planned, measured, base = measure(makers, network)
        print(f"{network.name:18} {network.batch:5} {planned / MIB:12.1f} {measured / MIB:13.1f} {measured / planned:19.3f} {base / MIB:9.1f}",
              flush=True)
        if abs(measured - planned) > max(LIMIT * planned, MIB):
            missed.append(network.name)
    if missed:
        sys.exit(f"more than {LIMIT:.0%} off: {', '.join(missed)}")


if __name__ == "__main__":
    main()
