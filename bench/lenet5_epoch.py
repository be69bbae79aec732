"""LeNet-5 on Fashion-MNIST, an epoch of 60,000 images at batch 128 with Adam, in fresh processes.

Both sides load the gzip files, resize 28x28 to 32x32, shuffle, and train. An epoch's seconds are a process's whole time less
that of a process with fewer epochs, so that starting up counts for neither; loading is counted apart, in the first epoch.

  lenet5_epoch.py EPOCHS THREADS      PyTorch's side
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
DATA = pathlib.Path("/usr/share/datasets/fashion-mnist")
SPEC = HERE.parent / "specs/lenet5.cnn"
IDLE = 0.3


def torch_side(epochs, threads):
    import gzip

    import numpy as np
    import torch
    import torch.nn as nn
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    import small_networks

    def read(name, header, shape):
        with gzip.open(DATA / name) as file:
            return torch.from_numpy(np.frombuffer(file.read(), np.uint8, offset=header).reshape(shape).copy())

    def images(name):
        pixels = read(name, 16, (-1, 1, 28, 28)).float() / 255
        return nn.functional.interpolate(pixels, (32, 32), mode="bilinear")
    x, y = images("train-images-idx3-ubyte.gz"), read("train-labels-idx1-ubyte.gz", 8, (-1,)).long()
    tx, ty = images("t10k-images-idx3-ubyte.gz"), read("t10k-labels-idx1-ubyte.gz", 8, (-1,)).long()
    net = small_networks.lenet5()
    optimizer, loss_of = torch.optim.Adam(net.parameters(), lr=1e-3), nn.CrossEntropyLoss()
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(128):
            optimizer.zero_grad(set_to_none=True)
            loss_of(net(x[rows]), y[rows]).backward()
            optimizer.step()
        with torch.no_grad():
            accuracy = (net(tx).argmax(1) == ty).float().mean().item()
    print(f"accuracy {accuracy:.4f}")


def measure(command):
    """Seconds and peak bytes of a command, as the operating system counts them."""
    time.sleep(IDLE)
    start = time.perf_counter()
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if status != 0:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{process.stderr.read().decode()}")
    return seconds, usage.ru_maxrss * 1024


def pairs(makers, count, epochs, sides):
    """Yields (side, seconds of an epoch, seconds of a process with one epoch, peak bytes), `count` times by turns."""
    with tempfile.TemporaryDirectory() as folder:
        def ours(number):
            return [makers.cnnc, "train", SPEC, "--epochs", number, "--threads", makers.threads, "--out", f"{folder}/run",
                    "--overwrite", "--quiet"]

        def theirs(number):
            return [sys.executable, __file__, number, makers.threads]
        measure(ours(1))  # builds the program
        commands = {"cnnc": ours, "PyTorch": theirs}
        for _ in range(count):
            for side in sides:
                first, _ = measure(commands[side](1))
                whole, peak = measure(commands[side](epochs))
                yield side, (whole - first) / (epochs - 1), first, peak


if __name__ == "__main__":
    torch_side(int(sys.argv[1]), int(sys.argv[2]))
