#!/usr/bin/python3
"""LeNet-5 on Fashion-MNIST: a program of cnnc against PyTorch, by turns, a fresh process each time.

  bench/lenet5_against_pytorch.py [--pairs N] [--epochs N] [--threads N] [--cnnc build/bin/cnnc]

Both sides load the gzip files, resize 28x28 to 32x32, shuffle, and train with Adam 1e-3 and batches of 128. Compared are
the seconds of an epoch: a process's whole time less that of a process with one epoch less, so that starting up counts for
neither, and then loading is counted apart; and the peak of resident memory. Printed are medians of the ratios and their
spread. Absolute times depend on the machine; the ratios less so.
"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

DATA = "/usr/share/datasets/fashion-mnist"


def torch_side(epochs, threads):
    """Runs in a process of its own."""
    import gzip

    import numpy as np
    import torch
    import torch.nn as nn
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)

    def read(name, header, shape):
        with gzip.open(f"{DATA}/{name}") as file:
            return torch.from_numpy(np.frombuffer(file.read(), np.uint8, offset=header).reshape(shape).copy())

    def images(name):
        pixels = read(name, 16, (-1, 1, 28, 28)).float() / 255
        return nn.functional.interpolate(pixels, (32, 32), mode="bilinear")
    x, y = images("train-images-idx3-ubyte.gz"), read("train-labels-idx1-ubyte.gz", 8, (-1,)).long()
    tx, ty = images("t10k-images-idx3-ubyte.gz"), read("t10k-labels-idx1-ubyte.gz", 8, (-1,)).long()
    net = nn.Sequential(nn.Conv2d(1, 6, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2),
                        nn.Conv2d(16, 120, 5), nn.Tanh(), nn.Flatten(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10))
    optimizer, loss_of = torch.optim.Adam(net.parameters(), lr=1e-3), nn.CrossEntropyLoss()
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(128):
            optimizer.zero_grad()
            loss_of(net(x[rows]), y[rows]).backward()
            optimizer.step()
        with torch.no_grad():
            accuracy = (net(tx).argmax(1) == ty).float().mean().item()
    print(f"accuracy {accuracy:.4f}")


def measure(command):
    """Seconds and peak MiB of a command, as the operating system counts them."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if status != 0:
        sys.exit(f"{' '.join(command)} failed:\n{process.stderr.read().decode()}")
    return seconds, usage.ru_maxrss / 1024


def spread(values):
    return f"{statistics.median(values):6.2f}   ({min(values):.2f} to {max(values):.2f})"


def main():
    options = argparse.ArgumentParser(description="LeNet-5 against PyTorch, by turns.")
    options.add_argument("--pairs", type=int, default=5)
    options.add_argument("--epochs", type=int, default=3)
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--cnnc", default="build/bin/cnnc")
    options.add_argument("--torch-side", action="store_true", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.torch_side:
        return torch_side(chosen.epochs, chosen.threads)
    if chosen.epochs < 2:
        options.error("--epochs: at least 2, since one epoch is measured as a difference")
    try:
        import torch  # noqa: F401
    except ImportError:
        sys.exit("PyTorch is missing: apt-get install python3-torch")

    with tempfile.TemporaryDirectory() as folder:
        def ours(epochs):
            return [chosen.cnnc, "train", "specs/lenet5.cnn", "--epochs", str(epochs), "--threads", str(chosen.threads),
                    "--out", os.path.join(folder, "run"), "--overwrite", "--quiet"]

        def theirs(epochs):
            return [sys.executable, __file__, "--torch-side", "--epochs", str(epochs), "--threads", str(chosen.threads)]
        measure(ours(1))  # builds the program
        rows = []
        print(f"{'pair':>4}  {'cnnc s/epoch':>12}  {'PyTorch s/epoch':>15}  {'ratio':>6}  {'cnnc MiB':>8}  {'PyTorch MiB':>11}  {'ratio':>6}")
        for pair in range(chosen.pairs):
            figures = []
            for side in (ours, theirs):
                first, _ = measure(side(1))
                time.sleep(0.3)
                all_epochs, peak = measure(side(chosen.epochs))
                time.sleep(0.3)
                figures.append(((all_epochs - first) / (chosen.epochs - 1), first, peak))
            (a, a_first, a_peak), (b, b_first, b_peak) = figures
            rows.append((b / a, b_first / a_first, b_peak / a_peak))
            print(f"{pair + 1:4}  {a:12.2f}  {b:15.2f}  {b / a:6.2f}  {a_peak:8.0f}  {b_peak:11.0f}  {b_peak / a_peak:6.2f}", flush=True)
        epoch, first, memory = zip(*rows)
        print(f"\nPyTorch / cnnc, median (least to most) of {chosen.pairs} pairs, {chosen.threads} threads")
        print(f"  an epoch's time                        {spread(epoch)}")
        print(f"  first epoch with start and loading     {spread(first)}")
        print(f"  peak memory of the process             {spread(memory)}")


if __name__ == "__main__":
    main()
