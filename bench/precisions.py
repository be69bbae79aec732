#!/usr/bin/python3
"""Trains in both precisions from several seeds: rounding must not show in the accuracy.

  bench/precisions.py [--seeds N] [--cifar10 FOLDER] [--epochs N] [--cnnc FILE]

LeNet-5 on Fashion-MNIST and, where the folder with CIFAR-10's binary version is given, the ResNet-20 of
specs/cifar_resnet.cnn, once with precision = strict and once with fast for each seed. Reported are the accuracies on the test
part, their means, and how far a mean lies from the other one in standard errors of the difference (Welch 1938).
"""
import argparse
import json
import math
import pathlib
import statistics
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
PRECISIONS = ("strict", "fast")


def accuracy(options, spec, model, seed, precision, data):
    """On the test part, of a training from `seed`."""
    with tempfile.TemporaryDirectory() as folder:
        common = ["--precision", precision, "--out", str(pathlib.Path(folder) / "run"), *(["--data", str(data)] if data else [])]
        train = [options.cnnc, "train", ROOT / "specs" / spec, "--model", model, *common, "--seed", str(seed), "--quiet"]
        if options.epochs:
            train += ["--epochs", str(options.epochs)]
        subprocess.run([str(word) for word in train], check=True, capture_output=True)
        evaluate = [options.cnnc, "eval", ROOT / "specs" / spec, "--model", model, *common, "--part", "test", "--json"]
        result = subprocess.run([str(word) for word in evaluate], check=True, capture_output=True, text=True)
        return json.loads(result.stdout)["accuracy"]


def compare(options, name, spec, model, data=None):
    found = {}
    for precision in PRECISIONS:
        found[precision] = [accuracy(options, spec, model, seed, precision, data) for seed in range(1, options.seeds + 1)]
        values = ", ".join(f"{100 * value:.2f}" for value in found[precision])
        print(f"{name:10} {precision:7} {values}   mean {100 * statistics.mean(found[precision]):.2f} %", flush=True)
    spread = math.sqrt(sum(statistics.variance(values) / len(values) for values in found.values()))
    apart = abs(statistics.mean(found["strict"]) - statistics.mean(found["fast"]))
    print(f"{name:10} the means are {100 * apart:.2f} points apart, {apart / spread if spread else 0:.1f} standard errors", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3, help="trainings in each precision, from 2 on (default: 3)")
    parser.add_argument("--cifar10", type=pathlib.Path, help="CIFAR-10's binary version: data_batch_1.bin ... test_batch.bin")
    parser.add_argument("--epochs", type=int, help="in place of the specs'")
    parser.add_argument("--cnnc", default=ROOT / "build/bin/cnnc", type=pathlib.Path)
    options = parser.parse_args()
    if options.seeds < 2:
        parser.error("--seeds takes 2 or more: one has no spread")
    compare(options, "LeNet-5", "lenet5.cnn", "LeNet5")
    if options.cifar10:
        compare(options, "ResNet-20", "cifar_resnet.cnn", "CifarResNet", options.cifar10)


if __name__ == "__main__":
    main()
