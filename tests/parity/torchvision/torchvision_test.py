#!/usr/bin/python3
"""torchvision's networks and ours, with the same weights, on the same batch.

  torchvision_test.py MODEL CNNC SPEC PROBE

Random weights are saved by torch.save, in its old and in its new format by turns, and loaded by our program in their order.
In evaluation the logits agree within 1e-4. After one training step each parameter's gradient is as near to PyTorch's in
float64 as 1e-3 (relative, L2), or as twice PyTorch's own float32; each running statistic within 1e-4.

A unit whose input is within rounding of 0 may fall on either side of its relu, in ours as in PyTorch's float32, and moves a
gradient by a thousandth and more. Such units differ from batch to batch, and a mistake does not: where a tensor is off, up to
four batches are tried, our best error against twice PyTorch's worst. Exit code 77 where torchvision is missing: skipped.
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
    import torchvision.models as zoo
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)
import safetensors_file

torch.manual_seed(1)
torch.set_num_threads(2)

BATCHES = 4

# Our model: torchvision's, and what the auxiliary heads' losses count.
NETWORKS = {
    "AlexNetStill": (zoo.alexnet, {}, 0), "VGG16Still": (zoo.vgg16, {}, 0), "VGG19Still": (zoo.vgg19, {}, 0),
    "GoogLeNetStill": (zoo.googlenet, {"aux_logits": True, "init_weights": False}, 0.3),
    "InceptionV3Still": (zoo.inception_v3, {"aux_logits": True, "init_weights": False}, 0.4),
    "ResNet18": (zoo.resnet18, {}, 0), "ResNet34": (zoo.resnet34, {}, 0), "ResNet50": (zoo.resnet50, {}, 0),
    "ResNet101": (zoo.resnet101, {}, 0), "DenseNet121": (zoo.densenet121, {}, 0), "DenseNet169": (zoo.densenet169, {}, 0),
    "MobileNetV2Still": (zoo.mobilenet_v2, {}, 0), "EfficientNetB0Still": (zoo.efficientnet_b0, {}, 0),
}


def still(net):
    """Random layers do nothing."""
    for module in net.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0
        if type(module).__name__ == "StochasticDepth":
            module.p = 0
    return net


def randomise(net):
    """Statistics and factors that change what passes; weights that keep signals at their size."""
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.1)
            nn.init.normal_(module.running_mean, 0, 0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
        elif isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu" if isinstance(module, nn.Conv2d) else "linear")
            if module.bias is not None:
                nn.init.normal_(module.bias, 0, 0.1)


def step(net, weight, images, labels):
    """Logits in evaluation, then the loss, gradients and statistics of a training step."""
    net.eval()
    with torch.no_grad():
        scores = net(images).numpy()
    net.train()
    output = net(images)
    heads = [output] if torch.is_tensor(output) else [each for each in output if each is not None]
    loss = F.cross_entropy(heads[0], labels) + sum(weight * F.cross_entropy(head, labels) for head in heads[1:])
    loss.backward()
    gradients = {name: parameter.grad.numpy() for name, parameter in net.named_parameters()}
    after = {name: buffer.numpy() for name, buffer in net.named_buffers() if not name.endswith("num_batches_tracked")}
    return scores, loss.item(), gradients, after


def pairs(table):
    """Our names and the file's, as `cnnc weights map` prints them: ours, the shape, the file's."""
    rows = [line.split() for line in table.splitlines()]
    return {row[0]: row[2] for row in rows if len(row) == 3 and "." in row[0]}


def relative(actual, expected, floor=1e-30):
    actual = actual.reshape(expected.shape).astype(np.float64)
    return np.linalg.norm(actual - expected) / max(np.linalg.norm(expected), floor)


def errors(ours, names, single, double):
    """For each quantity, by torchvision's name: the relative error, and the largest that is allowed."""
    found = {"scores": (relative(ours["scores"], double[0]), 1e-4),
             "loss": (abs(ours["loss"][0] - double[1]) / abs(double[1]), 1e-4)}
    # A bias before a normalisation has no gradient but rounding: what is a millionth of the others is compared as if it were
    # that large.
    floor = 1e-6 * max(np.linalg.norm(gradient) for gradient in double[2].values())
    for name, array in ours.items():
        kind, _, own = name.partition(".")
        if kind == "gradient":
            expected = double[2][names[own]]
            own_error = relative(single[2][names[own]], expected, floor)
            found["gradient " + names[own]] = (relative(array, expected, floor), max(1e-3, 2 * own_error))
            if not np.any(array):
                found[name] = (1, 0)
        elif kind == "after":
            found["after " + names[own]] = (relative(array, double[3][names[own]]), 1e-4)
    for kind, tensors in (("gradient", double[2]), ("after", double[3])):
        for name in tensors:
            found.setdefault(f"{kind} {name}", (float("inf"), 0))
    return found


def wrong(best, allowed):
    return [name for name, error in best.items() if not error <= allowed[name]]


def main():
    model, cnnc, spec, probe = sys.argv[1:]
    make, options, weight = NETWORKS[model]
    net = still(make(weights=None, **options))
    randomise(net)
    state = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    twin = still(make(weights=None, **options)).double()
    size, batch = (299, 4) if model.startswith("Inception") else (224, 2)
    old_format = list(NETWORKS).index(model) % 2 == 1
    tried, worst, best, allowed = 0, {}, {}, {}
    with tempfile.TemporaryDirectory() as folder:
        saved, given, made = (os.path.join(folder, name) for name in ("net.pth", "batch.safetensors", "out.safetensors"))
        torch.save(state, saved, _use_new_zipfile_serialization=not old_format)
        names = pairs(subprocess.run([cnnc, "weights", "map", spec, saved, "--model", model, "--match", "order"],
                                     check=True, capture_output=True, text=True).stdout)
        while tried < BATCHES and (tried == 0 or wrong(best, allowed)):
            tried += 1
            images, labels = torch.randn(batch, 3, size, size), torch.randint(0, 1000, (batch,))
            safetensors_file.save(given, {"images": images.numpy(), "labels": labels.numpy()})
            subprocess.run([probe, saved, given, made], check=True)
            for each in (net, twin):
                each.load_state_dict(state)
                each.zero_grad()
            found = errors(safetensors_file.load(made), names, step(net, weight, images, labels),
                           step(twin, weight, images.double(), labels))
            for name, (error, limit) in found.items():
                best[name] = min(best.get(name, error), error)
                allowed[name] = max(allowed.get(name, limit), limit)
                kind = name.split()[0]
                worst[kind] = max(worst.get(kind, 0), error)
    print(f"{model}: " + ", ".join(f"{kind} {error:.1e}" for kind, error in worst.items()) + f" in {tried} batches")
    for name in wrong(best, allowed):
        print(f"{name}: relative error {best[name]:.2e}, allowed {allowed[name]:.2e}")
    return 1 if wrong(best, allowed) else 0


if __name__ == "__main__":
    sys.exit(main())
