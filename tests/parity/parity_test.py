#!/usr/bin/python3
"""The same initial weights and batches in PyTorch and in a generated program.

  parity_test.py lenet5|mlp|residual|inception|layers|objective|binary PROBE

Logits agree within 1e-5, every gradient within 1e-4 (relative, L2), the losses of 20 Adam steps within 1e-4, running
statistics within 1e-4. Exit code 77 where PyTorch is missing: skipped.
"""
import os
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import torch
    import torch.nn as nn
    import torch.nn.functional as F
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

import safetensors_file

STEPS, BATCH = 20, 43  # 43: the last block of images is short
torch.manual_seed(1)
torch.set_num_threads(2)


class LeNet5(nn.Module):
    shape = (1, 32, 32)

    def __init__(self):
        super().__init__()
        self.c1, self.c3, self.c5 = nn.Conv2d(1, 6, 5), nn.Conv2d(6, 16, 5), nn.Conv2d(16, 120, 5)
        self.f6, self.output = nn.Linear(120, 84), nn.Linear(84, 10)

    def forward(self, x):
        x = F.avg_pool2d(torch.tanh(self.c1(x)), 2)
        x = F.avg_pool2d(torch.tanh(self.c3(x)), 2)
        x = torch.tanh(self.c5(x)).flatten(1)
        return self.output(torch.tanh(self.f6(x)))


class Mlp(nn.Module):
    shape = (1, 14, 14)

    def __init__(self):
        super().__init__()
        self.hidden1, self.hidden2, self.output = nn.Linear(196, 128), nn.Linear(128, 64), nn.Linear(64, 10)

    def forward(self, x):
        return self.output(torch.sigmoid(self.hidden2(torch.relu(self.hidden1(x.flatten(1))))))


class Objective(Mlp):
    """Smoothed labels, weights of classes, and RMSprop with momentum and decay."""

    def loss(self, logits, labels):
        weights = torch.tensor([1, 2, 0.5, 1, 1, 3, 1, 0.25, 1, 1])
        return F.cross_entropy(logits, labels, weight=weights, label_smoothing=0.1)

    def optimizer(self):
        return torch.optim.RMSprop(self.parameters(), lr=1e-3, alpha=0.9, momentum=0.5, weight_decay=1e-2)


class Binary(Mlp):
    """A sigmoid for each class, and RMSprop as it comes."""

    def forward(self, x):
        return torch.sigmoid(super().forward(x))

    def loss(self, probabilities, labels):
        return F.binary_cross_entropy(probabilities, F.one_hot(labels, 10).float())

    def optimizer(self):
        return torch.optim.RMSprop(self.parameters(), lr=1e-3)


class Residual(nn.Module):
    shape = (1, 16, 16)

    def __init__(self):
        super().__init__()

        def section(**layers):
            return nn.ModuleDict(layers)

        def conv(i, o, k, stride=1):
            return nn.Conv2d(i, o, k, stride=stride, padding=k // 2, bias=False)

        self.stem = section(conv1=conv(1, 16, 3), bn1=nn.BatchNorm2d(16))
        self.stage1 = section(conv1=conv(16, 16, 3), bn1=nn.BatchNorm2d(16), conv2=conv(16, 16, 3), bn2=nn.BatchNorm2d(16))
        self.stage2 = section(conv1=conv(16, 32, 3, 2), bn1=nn.BatchNorm2d(32), conv2=conv(32, 32, 3), bn2=nn.BatchNorm2d(32),
                              projection=section(conv1=conv(16, 32, 1, 2), bn1=nn.BatchNorm2d(32)))
        self.mix = section(conv1=nn.Conv2d(32, 8, 1), conv2=nn.Conv2d(32, 8, 3, padding=1, groups=2))
        self.head = section(dense1=nn.Linear(16, 10))

    def forward(self, x):
        x = F.relu(self.stem.bn1(self.stem.conv1(x)))
        s = self.stage1
        x = F.relu(s.bn2(s.conv2(F.relu(s.bn1(s.conv1(x))))) + x)
        s = self.stage2
        skip = s.projection.bn1(s.projection.conv1(x))
        x = F.relu(s.bn2(s.conv2(F.relu(s.bn1(s.conv1(x))))) + skip)
        x = torch.cat([F.relu(self.mix.conv1(x)), F.relu(self.mix.conv2(F.max_pool2d(x, 3, 1, 1)))], 1)
        return self.head.dense1(x.mean((2, 3)))


class Inception(nn.Module):
    """Joined branches, each of a convolution, bn and relu."""
    shape = (1, 16, 16)

    def __init__(self):
        super().__init__()

        def section(*convolutions):
            layers = {}
            for number, (i, o, k) in enumerate(convolutions, 1):
                layers[f"conv{number}"] = nn.Conv2d(i, o, k, padding=k // 2, bias=False)
                layers[f"bn{number}"] = nn.BatchNorm2d(o)
            return nn.ModuleDict(layers)

        self.stem = section((1, 16, 3))
        self.mixed1 = section((16, 8, 1), (16, 8, 1), (8, 16, 3), (16, 12, 1))
        self.mixed2 = section((36, 8, 1), (36, 8, 1), (36, 4, 3), (36, 4, 1))
        self.mixed3 = section((24, 16, 3), (24, 8, 1))
        self.head = nn.ModuleDict({"dense1": nn.Linear(24, 10)})

    def forward(self, x):
        def unit(section, number, x):
            return F.relu(section[f"bn{number}"](section[f"conv{number}"](x)))

        x = unit(self.stem, 1, x)
        m = self.mixed1
        x = torch.cat([unit(m, 1, x), unit(m, 3, unit(m, 2, x)), unit(m, 4, F.max_pool2d(x, 3, 1, 1))], 1)
        m, mean = self.mixed2, F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
        x = torch.cat([unit(m, 1, x), unit(m, 2, F.max_pool2d(x, 3, 1, 1)), unit(m, 3, mean), unit(m, 4, mean)], 1)
        m, x = self.mixed3, F.max_pool2d(x, 2)
        return self.head.dense1(torch.cat([unit(m, 1, x), unit(m, 2, x)], 1).mean((2, 3)))


class Subsample(nn.Module):
    """A mean of 2x2, with a coefficient and a bias for each map: LeNet-5 as published."""

    def __init__(self, channels):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.rand(channels) + 0.5), nn.Parameter(torch.randn(channels))

    def forward(self, x):
        return F.avg_pool2d(x, 2) * self.weight[:, None, None] + self.bias[:, None, None]


class Connected(nn.Module):
    """A convolution by a connection table: [connections, kh, kw] spread over weights with zeros."""

    def __init__(self, inputs, table, kernel):
        super().__init__()
        pairs = [(out, channel) for out, row in enumerate(table) for channel in row]
        self.at, self.shape = tuple(zip(*pairs)), (len(table), inputs, kernel, kernel)
        self.weight = nn.Parameter(torch.randn(len(pairs), kernel, kernel) / kernel)
        self.bias = nn.Parameter(torch.randn(len(table)))

    def forward(self, x):
        weight = torch.zeros(self.shape).index_put(tuple(torch.tensor(index) for index in self.at), self.weight)
        return F.conv2d(x, weight, self.bias, padding=self.shape[-1] // 2)


def behind(x, value=0.0):
    """What TensorFlow's SAME adds for windows of 2: a row below and a column on the right."""
    return F.pad(x, (0, 1, 0, 1), value=value)


class Layers(nn.Module):
    """Every layer that the other networks have not."""
    shape = (1, 33, 35)

    def __init__(self):
        super().__init__()

        def section(**layers):
            return nn.ModuleDict(layers)

        self.stem = section(conv1=nn.Conv2d(1, 16, 3, stride=2, padding=1, bias=False), bn1=nn.BatchNorm2d(16))
        self.depthwise = section(dwconv1=nn.Conv2d(16, 16, 3, padding=1, groups=16, bias=False), bn1=nn.BatchNorm2d(16),
                                 conv1=nn.Conv2d(16, 24, 1))
        self.strided = section(dwconv1=nn.Conv2d(24, 48, 5, stride=2, padding=2, groups=24))
        self.squeeze = section(dense1=nn.Linear(48, 12), dense2=nn.Linear(12, 48))
        self.skipped = section(conv1=nn.Conv2d(48, 48, 3, padding=1, groups=48))
        self.behind = section(conv1=nn.Conv2d(48, 24, 2))
        self.table = section(conv1=Connected(24, [[0, 1, 5], [23], [2, 3, 4, 5, 22]], 3), conv2=nn.Conv2d(3, 48, 1))
        self.last = section(subsample1=Subsample(144))
        self.head = section(dense1=nn.Linear(144 * 2 * 3, 10))

    def forward(self, x):
        x = F.local_response_norm(F.relu6(self.stem.bn1(self.stem.conv1(x))), 5, alpha=0.5, k=2)
        x = F.gelu(self.depthwise.conv1(F.hardswish(self.depthwise.bn1(self.depthwise.dwconv1(x)))))
        x = F.leaky_relu(self.strided.dwconv1(x))
        scale = torch.sigmoid(self.squeeze.dense2(F.silu(self.squeeze.dense1(x.mean((2, 3))))))
        x = x * scale[:, :, None, None]
        x = F.silu(self.skipped.conv1(x)) + x
        x = F.max_pool2d(behind(self.behind.conv1(behind(x)), -float("inf")), 2, 1)
        x = F.avg_pool2d(behind(x), 2, 1) / F.avg_pool2d(behind(torch.ones_like(x)), 2, 1)
        x = self.table.conv2(self.table.conv1(x))
        x = torch.cat([F.max_pool2d(x, 2, ceil_mode=True), F.avg_pool2d(x, 3, 2, 1, count_include_pad=False),
                       F.avg_pool2d(x, 2, ceil_mode=True)], 1)
        x = F.interpolate(F.pad(x, (0, 0, 1, 1)), scale_factor=(1, 2), mode="nearest")
        x = self.last.subsample1(F.adaptive_avg_pool2d(x, (4, 6)))
        return self.head.dense1(F.leaky_relu(1.7159 * torch.tanh(0.6667 * x), 0.2).flatten(1))


def relative(ours, theirs):
    return float(np.linalg.norm((ours - theirs).ravel()) / max(np.linalg.norm(theirs.ravel()), 1e-30))


def theirs(net, images, labels):
    """PyTorch's side: the same quantities under the same names as the probe's."""
    result = {}
    optimizer = net.optimizer() if hasattr(net, "optimizer") else torch.optim.Adam(net.parameters(), lr=1e-3)
    objective = net.loss if hasattr(net, "loss") else F.cross_entropy
    losses = []
    for step in range(STEPS):
        optimizer.zero_grad()
        logits = net(images[step])
        loss = objective(logits, labels[step])
        loss.backward()
        if step == 0:
            result["logits"] = logits.detach().numpy().copy()
            for name, parameter in net.named_parameters():
                result["gradient." + name] = parameter.grad.numpy().copy()
            for name, buffer in net.named_buffers():
                if not name.endswith("num_batches_tracked"):
                    result["after." + name] = buffer.numpy().copy()
        optimizer.step()
        losses.append(loss.item())
    result["losses"] = np.array(losses, np.float32)
    return result


def compare(ours, reference):
    limits = {"logits": 1e-5, "gradient": 1e-4, "after": 1e-4, "losses": 1e-4}
    worst, failures = {}, []
    if set(ours) != set(reference):
        failures.append(f"other names: {sorted(set(ours) ^ set(reference))}")
    for name in sorted(set(ours) & set(reference)):
        kind = name.split(".")[0]
        if kind == "gradient" and not np.any(reference[name]):
            failures.append(f"{name}: all zero, so it proves nothing")
        error = relative(ours[name], reference[name])
        worst[kind] = max(worst.get(kind, 0), error)
        if not error <= limits[kind]:
            failures.append(f"{name}: relative error {error:.2e}, allowed {limits[kind]:.0e}")
    return worst, failures


def main():
    which, probe = sys.argv[1], sys.argv[2]
    net = {"lenet5": LeNet5, "mlp": Mlp, "residual": Residual, "inception": Inception, "layers": Layers, "objective": Objective,
           "binary": Binary}[which]().train()
    images, labels = torch.randn(STEPS, BATCH, *net.shape), torch.randint(0, 10, (STEPS, BATCH))
    weights = {name: tensor.numpy() for name, tensor in net.state_dict().items() if not name.endswith("num_batches_tracked")}
    with tempfile.TemporaryDirectory() as folder:
        given, made = os.path.join(folder, "in.safetensors"), os.path.join(folder, "out.safetensors")
        safetensors_file.save(given, {**weights, "images": images.numpy(), "labels": labels.numpy().astype(np.float32),
                                      "steps": np.zeros(STEPS, np.float32)})
        subprocess.run([probe, given, made], check=True)
        ours = safetensors_file.load(made)
    worst, failures = compare(ours, theirs(net, images, labels))
    print(f"{which}: " + ", ".join(f"{kind} {error:.1e}" for kind, error in worst.items()))
    print("\n".join(failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
