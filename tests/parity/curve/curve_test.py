#!/usr/bin/python3
"""A small ResNet on CIFAR-10, ours and PyTorch's: the same initial weights, the same batches, three epochs.

  curve_test.py PROBE CIFAR10 [PICTURE]

CIFAR10 is a folder with the binary version (4,000 training images are used). The first steps agree to a thousandth; later, roundings
grow and the curves part, as PyTorch's own do when it adds in another order: then the mean loss of each epoch agrees within 2 %,
the accuracy on the test images within 5 points. The last epoch takes smaller steps, as a second phase: after large ones the accuracy is that of
the last few. PICTURE, where given, gets both curves (matplotlib). Exit code 77 where PyTorch
or the images are missing: skipped.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
try:
    import numpy as np
    import torch
    import torch.nn as nn
    import torch.nn.functional as F
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)
import safetensors_file

EPOCHS, BATCH = 3, 50
torch.manual_seed(1)
torch.set_num_threads(2)


def conv(inputs, outputs, kernel, stride=1):
    return nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, bias=False)


class Block(nn.Module):
    def __init__(self, inputs, width, stride):
        super().__init__()
        self.conv1, self.bn1 = conv(inputs, width, 3, stride), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = conv(width, width, 3), nn.BatchNorm2d(width)
        if stride != 1:
            self.downsample = nn.ModuleDict({"conv1": conv(inputs, width, 1, stride), "bn1": nn.BatchNorm2d(width)})

    def forward(self, x):
        skip = self.downsample.bn1(self.downsample.conv1(x)) if hasattr(self, "downsample") else x
        return F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))) + skip)


class ResNet8(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.ModuleDict({"conv1": conv(3, 16, 3), "bn1": nn.BatchNorm2d(16)})
        for i, (inputs, width) in enumerate([(16, 16), (16, 32), (32, 64)]):
            self.features[f"stage{i + 1}"] = nn.ModuleList([Block(inputs, width, 2 if i > 0 else 1)])
        self.head = nn.ModuleDict({"dense1": nn.Linear(64, 10)})

    def forward(self, x):
        x = F.relu(self.features.bn1(self.features.conv1(x)))
        for i in range(3):
            x = self.features[f"stage{i + 1}"][0](x)
        return self.head.dense1(x.mean((2, 3)))


def read(files):
    rows = np.concatenate([np.fromfile(file, np.uint8).reshape(-1, 3073) for file in files])
    images = (rows[:, 1:].reshape(-1, 3, 32, 32) / np.float32(255) - np.float32(0.5)) / np.float32(0.25)
    return torch.tensor(images.astype(np.float32)), torch.tensor(rows[:, 0].astype(np.int64))


def train(net, images, labels, order):
    losses, steps = [], order.reshape(-1, BATCH)
    for number, batch in enumerate(steps):
        if number in (0, len(steps) - len(images) // BATCH):
            optimizer = torch.optim.SGD(net.parameters(), lr=0.01 if number == 0 else 0.001, momentum=0.9, weight_decay=1e-4)
        optimizer.zero_grad()
        loss = F.cross_entropy(net(images[batch]), labels[batch])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return np.array(losses)


def draw(picture, ours, reference):
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot
    for name, losses in (("cnnc", ours), ("PyTorch", reference)):
        pyplot.plot(losses, label=name, alpha=0.8)
    pyplot.xlabel("step")
    pyplot.ylabel("loss")
    pyplot.legend()
    pyplot.savefig(picture, dpi=120)


def main():
    probe, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    parts = [sorted(folder.rglob("data_batch*.bin")), sorted(folder.rglob("test_batch*.bin"))]
    if not all(parts):
        print(f"skipped: no CIFAR-10 in {folder}")
        return 77
    (images, labels), (test_images, test_labels) = (read(files) for files in parts)
    images, labels = images[:4000], labels[:4000]
    order = torch.stack([torch.randperm(len(images)) for _ in range(EPOCHS)]).reshape(-1)
    net = ResNet8().train()
    weights = {name: tensor.numpy().copy() for name, tensor in net.state_dict().items() if not name.endswith("tracked")}
    with tempfile.TemporaryDirectory() as scratch:
        given, made = os.path.join(scratch, "in.safetensors"), os.path.join(scratch, "out.safetensors")
        safetensors_file.save(given, {**weights, "images": images.numpy(), "labels": labels.numpy(), "order": order.numpy(),
                                      "test_images": test_images.numpy(), "test_labels": test_labels.numpy()})
        subprocess.run([probe, given, made], check=True)
        result = safetensors_file.load(made)
    ours, reference = result["losses"].astype(np.float64), train(net, images, labels, order)
    net.eval()
    with torch.no_grad():
        theirs_correct = (net(test_images).argmax(1) == test_labels).sum().item()
    beginning = np.abs(ours[:10] / reference[:10] - 1).max()
    means = [(each.reshape(EPOCHS, -1).mean(axis=1)) for each in (ours, reference)]
    apart = np.abs(means[0] / means[1] - 1).max()
    accuracy = [100 * float(count) / len(test_labels) for count in (result["correct"][0], theirs_correct)]
    print(f"first ten losses differ by {beginning:.1e}; mean loss by epoch: ours {np.round(means[0], 3)}, PyTorch "
          f"{np.round(means[1], 3)}; accuracy {accuracy[0]:.1f} and {accuracy[1]:.1f} %")
    if len(sys.argv) > 3:
        draw(sys.argv[3], ours, reference)
    learned = means[0][-1] < 0.85 * means[0][0]
    return 0 if beginning <= 1e-3 and apart <= 0.02 and abs(accuracy[0] - accuracy[1]) <= 5 and learned else 1


if __name__ == "__main__":
    sys.exit(main())
