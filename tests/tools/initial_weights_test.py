#!/usr/bin/python3
"""Trainings that begin with PyTorch's weights, and programs that predict with them.

  initial_weights_test.py CNNC

Skipped with a message where PyTorch is missing.
"""
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest

try:
    import numpy
    import torch
except ImportError as error:
    print(f"skipped: {error}; Debian has python3-torch")
    sys.exit(77)

CNNC = pathlib.Path(sys.argv[1]).resolve()

# What is learned is next to nothing, so that the last weights tell the first.
SPEC = """cnn 1
block ConvBn(out) { conv(out, 3, pad=1, bias=false) -> bn -> relu }
model Source(classes = 7) {
  input 1x8x8
  features = { ConvBn(4) -> maxpool(2) -> ConvBn(6) }
  head = { gap -> dense(classes) -> softmax }
}
model Net {
  input 1x8x8
  backbone = Source.features
  head = { gap -> dense(3) -> softmax }
}
data Noise { source = idx("data", val=0.2) classes = 3 batch = 16 }
train Net on Noise {
  loss = cross_entropy
  optimizer = sgd(lr=1e-30)
  init backbone from "weights/source.pth"
  phase only { freeze bn layers  epochs = 1 }
}
"""


def write_idx(path, values):
    kind = struct.pack(">HBB", 0, 8, values.ndim) + b"".join(struct.pack(">I", extent) for extent in values.shape)
    path.write_bytes(kind + values.astype("u1").tobytes())


def read_safetensors(file):
    data = pathlib.Path(file).read_bytes()
    length, = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    header.pop("__metadata__", None)
    return {name: numpy.frombuffer(data[8 + length:][slice(*entry["data_offsets"])], dtype="<f4").reshape(entry["shape"])
            for name, entry in header.items()}


def network():
    """Source in PyTorch, with statistics that are not those of the beginning."""
    torch.manual_seed(3)
    features = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3, padding=1, bias=False), torch.nn.BatchNorm2d(4), torch.nn.ReLU(),
                                   torch.nn.MaxPool2d(2), torch.nn.Conv2d(4, 6, 3, padding=1, bias=False),
                                   torch.nn.BatchNorm2d(6), torch.nn.ReLU())
    net = torch.nn.Sequential()
    net.add_module("features", features)
    net.add_module("gap", torch.nn.AdaptiveAvgPool2d(1))
    net.add_module("flat", torch.nn.Flatten())
    net.add_module("fc", torch.nn.Linear(6, 7))
    for module in features:
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.normal_(module.weight, 1, 0.2)
            torch.nn.init.normal_(module.bias)
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    return net.eval()


LAYERS = {"features.0": "conv1", "features.1": "bn1", "features.4": "conv2", "features.5": "bn2"}


def named(state, front):
    """The state dictionary under the names that the spec gives, below `front`."""
    renamed = {}
    for key, tensor in state.items():
        layer, last = key.rsplit(".", 1)
        if layer in LAYERS:
            renamed[f"{front}{LAYERS[layer]}.{last}"] = tensor
    return renamed


class InitialWeights(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.path = pathlib.Path(cls.folder.name)
        (cls.path / "data").mkdir()
        (cls.path / "weights").mkdir()
        random = numpy.random.default_rng(1)
        for part, count in (("train", 48), ("t10k", 16)):
            write_idx(cls.path / "data" / f"{part}-images-idx3-ubyte", random.integers(0, 256, (count, 8, 8)))
            write_idx(cls.path / "data" / f"{part}-labels-idx1-ubyte", numpy.arange(count) % 3)
        cls.state = network().state_dict()
        (cls.path / "net.cnn").write_text(SPEC)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def run_cnnc(self, *arguments, code=0):
        result = subprocess.run([CNNC, *map(str, arguments)], capture_output=True, text=True, timeout=240, cwd=self.path,
                                env=dict(os.environ, CNNC_CACHE=str(self.path / "cache")))
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        return result

    def train(self, out, *options, code=0):
        return self.run_cnnc("train", "net.cnn", "--model", "Net", "--out", out, "--threads", "1", *options, code=code)

    def assert_backbone(self, out, equal=True):
        last = read_safetensors(self.path / out / "last.safetensors")
        for name, tensor in named(self.state, "backbone.").items():
            if name.endswith("num_batches_tracked"):
                continue
            self.assertEqual(numpy.array_equal(last[name], tensor.numpy()), equal, name)

    def save(self, state, name="source.pth", **how):
        torch.save(state, self.path / "weights" / name, **how)

    def test_names_in_every_way(self):
        for front in ("features.", "backbone.", ""):
            self.save(named(self.state, front), _use_new_zipfile_serialization=front != "")
            result = self.train("run-name", "--overwrite")
            self.assertIn("init backbone from ./weights/source.pth: 10 tensors by name\n", result.stdout)
            self.assertNotIn("note", result.stderr)
            self.assert_backbone("run-name")

    def test_another_file_or_none(self):
        self.save(named(self.state, ""), "other.pth")
        self.save({"x": torch.zeros(2)})
        self.train("run-other", "--init", f"backbone={self.path / 'weights' / 'other.pth'}")
        self.assert_backbone("run-other")
        self.assertIn("init backbone at random\n", self.train("run-random", "--init", "backbone=random").stdout)
        self.assert_backbone("run-random", equal=False)
        self.assertIn("--init names head, and net.cnn has init lines for: backbone",
                      self.train("run-none", "--init", "head=x", code=1).stderr)
        self.assertIn("takes PATH=FILE or PATH=random, not 'backbone'", self.train("run-none", "--init", "backbone", code=2).stderr)

    def test_nothing_is_changed_where_the_file_does_not_fit(self):
        self.save(named(self.state, ""))
        self.train("run-kept")
        before = {file.name: file.read_bytes() for file in (self.path / "run-kept").iterdir()}
        wrong = named(self.state, "")
        wrong["conv2.weight"] = wrong["conv2.weight"][:, :3]
        del wrong["bn2.bias"]
        self.save(wrong)
        text = self.train("run-kept", "--overwrite", code=1).stderr
        self.assertIn("these are not weights of backbone by name\n  missing:\n    backbone.bn2.bias 6\n  different:\n"
                      "    backbone.conv2.weight is F32 6x3x3x3, expected F32 6x4x3x3\n", text)
        nothing = named(self.state, "")
        nothing["bn2.bias"] = torch.full((6,), float("nan"))
        self.save(nothing)
        self.assertIn("tensor 'bn2.bias' has NaN as its number 0", self.train("run-kept", "--overwrite", code=1).stderr)
        self.assertEqual({file.name: file.read_bytes() for file in (self.path / "run-kept").iterdir()}, before)
        # A run that goes on has its weights: the file is not looked at.
        (self.path / "weights" / "source.pth").unlink()
        self.assertNotIn("init", self.train("run-kept", "--resume", "--epochs", "2").stdout)
        self.assert_backbone("run-kept")
        self.assertIn("contradict", self.train("run-kept", "--resume", "--init", "backbone=x", code=2).stderr)

    def test_in_order(self):
        self.save(self.state)
        spec = (self.path / "net.cnn").read_text()
        (self.path / "ordered.cnn").write_text(spec.replace('source.pth"', 'source.pth" (match=order)'))
        result = self.run_cnnc("train", "ordered.cnn", "--model", "Net", "--out", "run-order", "--threads", "1")
        self.assertIn("init backbone from ./weights/source.pth: 10 tensors by order\n"
                      "  backbone.conv1.weight      4x1x3x3  features.0.weight\n", result.stdout)
        self.assertIn("has more than backbone takes\n  not asked for:\n    fc.weight 7x6\n    fc.bias 7\n", result.stderr)
        self.assert_backbone("run-order")

    def test_predictions_with_weights_of_pytorch(self):
        self.save(self.state, "all.pth")
        images = numpy.random.default_rng(2).integers(0, 256, (20, 8, 8))
        write_idx(self.path / "images.idx", images)
        arguments = ["predict", "net.cnn", "--model", "Source", "images.idx", "--weights", "weights/all.pth"]
        result = self.run_cnnc(*arguments, "--match", "order", "--top", "7", "--json")
        self.assertIn("was not written by a cnnc program", result.stderr)
        with torch.no_grad():
            expected = torch.softmax(network()(torch.from_numpy(images).float()[:, None] / 255), 1).numpy()
        for image, prediction in enumerate(json.loads(result.stdout)["predictions"]):
            for entry in prediction["classes"]:
                self.assertAlmostEqual(entry["probability"], expected[image][int(entry["class"])], delta=1e-6)
        self.assertIn("these are not weights of Source", self.run_cnnc(*arguments, code=1).stderr)
        self.assertIn("--match", self.run_cnnc(*arguments[:-2], "--match", "order", code=2).stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=1)
