#!/usr/bin/python3
"""`cnnc weights` on files that PyTorch itself wrote.

  weights_test.py CNNC PROJECT

Skipped with a message where PyTorch or torchvision is missing.
"""
import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest

try:
    import numpy
    import torch
    import torchvision
except ImportError as error:
    print(f"skipped: {error}; Debian has python3-torch and python3-torchvision")
    sys.exit(77)

CNNC, PROJECT = sys.argv[1], pathlib.Path(sys.argv[2])
TYPES = {torch.float32: "F32", torch.float64: "F64", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64",
         torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL"}

# The specs whose weighted layers stand in the order of torchvision's state dictionaries.
NETWORKS = [("resnet", "ResNet18", "resnet18", {}), ("resnet", "ResNet34", "resnet34", {}),
            ("resnet", "ResNet50", "resnet50", {}), ("resnet", "ResNet101", "resnet101", {}),
            ("densenet", "DenseNet121", "densenet121", {}), ("densenet", "DenseNet169", "densenet169", {}),
            ("mobilenet_v2", "MobileNetV2", "mobilenet_v2", {}), ("efficientnet", "EfficientNetB0", "efficientnet_b0", {}),
            ("alexnet", "AlexNet", "alexnet", {}), ("vgg", "VGG16", "vgg16", {}), ("vgg", "VGG19", "vgg19", {}),
            ("googlenet_bn", "GoogLeNetBn", "googlenet", {"aux_logits": True}),
            ("googlenet_bn", "GoogLeNetBn", "googlenet", {"aux_logits": False}),
            ("inception_v3", "InceptionV3", "inception_v3", {"aux_logits": True})]


def run(*arguments, code=0):
    result = subprocess.run([CNNC, *map(str, arguments)], capture_output=True, text=True, timeout=120)
    if result.returncode != code:
        raise AssertionError(f"cnnc {' '.join(map(str, arguments))}: exit code {result.returncode}, not {code}\n"
                             f"{result.stdout}{result.stderr}")
    return result


def read_safetensors(file):
    """Names in the order of their data, with their numbers."""
    data = pathlib.Path(file).read_bytes()
    length, = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    header.pop("__metadata__", None)
    numbers = {}
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        assert entry["dtype"] == "F32"
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        numbers[name] = numpy.frombuffer(data[begin:end], dtype="<f4").reshape(entry["shape"])
    return numbers


def small_network():
    torch.manual_seed(1)
    network = torch.nn.Sequential()
    network.add_module("conv", torch.nn.Conv2d(3, 8, 3))
    network.add_module("bn", torch.nn.BatchNorm2d(8))
    network.add_module("fc", torch.nn.Linear(8, 4))
    return network


def of_all_types():
    torch.manual_seed(2)
    state = {str(dtype): (torch.randn(3, 5) * 20).to(dtype) for dtype in TYPES}
    state["transposed"] = torch.randn(4, 6).t()
    state["every second"] = torch.randn(4, 6)[:, ::2]
    state["a number"] = torch.tensor(2.5)
    state["nothing"] = torch.zeros(0, 3)
    state["parameter"] = torch.nn.Parameter(torch.randn(2, 2))
    state["tied"] = state["parameter"]
    return state


class FilesOfPyTorch(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.folder.name)

    def tearDown(self):
        self.folder.cleanup()

    def save(self, value, name="w.pth", **how):
        torch.save(value, self.path / name, **how)
        return self.path / name

    def test_every_type_in_both_formats(self):
        state = of_all_types()
        for zipped, form in ((True, "PyTorch (ZIP)"), (False, "PyTorch (before 1.6)")):
            with self.subTest(zipped=zipped):
                # A name that says nothing: the content decides.
                file = self.save(state, "weights.dat", _use_new_zipfile_serialization=zipped)
                found = json.loads(run("weights", "inspect", file, "--json").stdout)
                self.assertEqual(found["format"], form)
                self.assertEqual([(t["name"], t["type"], t["shape"], t["count"]) for t in found["tensors"]],
                                 [(name, TYPES[tensor.dtype], list(tensor.shape), tensor.numel()) for name, tensor in state.items()])
                target = self.path / "out.safetensors"
                run("weights", "convert", file, target)
                floats = {name: tensor for name, tensor in state.items() if tensor.is_floating_point()}
                numbers = read_safetensors(target)
                self.assertEqual(sorted(numbers), sorted(floats))
                for name, tensor in floats.items():
                    expected = tensor.detach().to(torch.float32).contiguous().numpy()
                    self.assertEqual(numbers[name].tobytes(), expected.tobytes(), name)
                again = json.loads(run("weights", "inspect", target, "--json").stdout)
                self.assertEqual(again["format"], "safetensors")

    def test_inspect_as_people_read_it(self):
        file = self.save(small_network().state_dict())
        self.assertEqual(run("weights", "inspect", file).stdout, f"""{file}: PyTorch (ZIP), 9 tensors

name                    type  shape          numbers
conv.weight             F32   8x3x3x3            216
conv.bias               F32   8                    8
bn.weight               F32   8                    8
bn.bias                 F32   8                    8
bn.running_mean         F32   8                    8
bn.running_var          F32   8                    8
bn.num_batches_tracked  I64   scalar               1
fc.weight               F32   4x8                 32
fc.bias                 F32   4                    4

292 numbers of float types, 1 of others
""")

    def test_checkpoints_of_training_scripts(self):
        network = torch.nn.DataParallel(small_network())
        optimizer = torch.optim.Adam(network.parameters())
        file = self.save({"epoch": 3, "state_dict": network.state_dict(), "optimizer": optimizer.state_dict(), "best": 0.5})
        result = run("weights", "inspect", file, "--json")
        found = json.loads(result.stdout)
        self.assertEqual(found["tensors"][0]["name"], "conv.weight")
        self.assertEqual(found["notes"], ["its weights were found under 'state_dict'; it also holds: epoch, optimizer, best",
                                          "'module.' was taken from the front of 9 names"])

    def test_what_is_refused(self):
        whole = run("weights", "inspect", self.save(small_network()), code=1).stderr
        self.assertIn("it asks for 'torch.nn.modules.container.Sequential'", whole)
        self.assertIn("torch.save(model.state_dict(), FILE)", whole)
        quantized = {"w": torch.quantize_per_tensor(torch.randn(2, 2), 0.1, 0, torch.qint8)}
        self.assertIn("'torch._utils._rebuild_qtensor'", run("weights", "inspect", self.save(quantized), code=1).stderr)
        script = self.path / "script.pt"
        torch.jit.script(small_network()).save(str(script))
        self.assertIn("is a TorchScript program", run("weights", "inspect", script, code=1).stderr)
        repeated = {"w": torch.zeros(1).expand(5)}
        self.assertIn("tensor 'w' of 5 repeats the 1 numbers of its storage",
                      run("weights", "inspect", self.save(repeated), code=1).stderr)
        broken = {"a": torch.zeros(2), "b.w": torch.tensor([1.0, float("nan")])}
        target = self.path / "out.safetensors"
        target.write_text("old")
        self.assertIn("tensor 'b.w' has NaN as its number 1", run("weights", "convert", self.save(broken), target, code=1).stderr)
        self.assertEqual(target.read_text(), "old")
        text = self.path / "text.pth"
        text.write_text("not weights at all")
        self.assertIn("is neither a safetensors file nor one of torch.save", run("weights", "inspect", text, code=1).stderr)
        run("weights", "inspect", self.path / "missing.pth", code=1)

    def test_the_command_line(self):
        self.assertIn("inspect, convert or map", run("weights", code=2).stderr)
        self.assertIn("not 'show'", run("weights", "show", "x", code=2).stderr)
        self.assertIn("cnnc weights convert IN OUT.safetensors", run("weights", "convert", "x", code=2).stderr)
        self.assertIn("writes safetensors", run("weights", "convert", "x", "y.pth", code=2).stderr)
        self.assertIn("--match takes name or order", run("weights", "map", "a", "b", "--match", "shape", code=2).stderr)


MOBILENET = PROJECT.resolve().parent / "shared/data/mobilenet_v1_0.75/mobilenet_v1_0.75_imagenet.safetensors"


class Maps(unittest.TestCase):
    @unittest.skipUnless(MOBILENET.exists(), f"{MOBILENET} is missing")
    def test_mobilenet_by_name(self):
        text = run("weights", "map", PROJECT / "specs" / "mobilenet.cnn", MOBILENET, "--model", "MobileNet75").stdout
        self.assertTrue(text.endswith(f"\n\n137 of MobileNet75's 137 tensors are paired by name with {MOBILENET}\n"))

    SPEC = """cnn 1
model Small(classes = 4) {
  input 3x8x8
  conv = conv(8, 3)
  bn = bn
  gap
  fc = dense(classes)
}
"""

    def test_by_name_and_in_order(self):
        with tempfile.TemporaryDirectory() as folder:
            spec, file = pathlib.Path(folder) / "small.cnn", pathlib.Path(folder) / "w.pth"
            spec.write_text(self.SPEC)
            torch.save(small_network().state_dict(), file)
            pairs = """conv.weight      8x3x3x3  conv.weight
conv.bias        8        conv.bias
bn.weight        8        bn.weight
bn.bias          8        bn.bias
bn.running_mean  8        bn.running_mean
bn.running_var   8        bn.running_var
fc.weight        4x8      fc.weight
fc.bias          4        fc.bias
"""
            for how in ("name", "order"):
                self.assertEqual(run("weights", "map", spec, file, "--match", how).stdout,
                                 f"{pairs}\n8 of Small's 8 tensors are paired by {how} with {file}\n")
            text = run("weights", "map", spec, file, "--match", "order", "--set", "classes=5", code=1).stdout
            self.assertEqual(text[text.index("6 of"):], f"""6 of Small's 8 tensors are paired by order with {file}
disagree:
  fc.weight 5x8 with fc.weight F32 4x8
left in the spec:
  fc.bias 5
left in the file:
  fc.bias F32 4
""")

    def test_networks_of_torchvision_in_order(self):
        # Only shapes and names matter here: nobody waits for random numbers.
        for name in ("kaiming_normal_", "kaiming_uniform_", "normal_", "trunc_normal_", "uniform_", "constant_"):
            setattr(torch.nn.init, name, lambda tensor, *rest, **named: tensor)
        for spec, model, name, options in NETWORKS:
            path = PROJECT / "specs" / f"{spec}.cnn"
            with self.subTest(model=model, **options), tempfile.TemporaryDirectory() as folder:
                if name in ("googlenet", "inception_v3"):
                    options = dict(options, init_weights=False)
                network = getattr(torchvision.models, name)(weights=None, **options)
                state = {key: torch.zeros(tensor.shape, dtype=torch.float16) if tensor.is_floating_point() else tensor
                         for key, tensor in network.state_dict().items()}
                file = pathlib.Path(folder) / "w.pth"
                torch.save(state, file)
                # Heads that the file lacks stay on the spec's side, all else must go together.
                lacks = options.get("aux_logits") is False
                text = run("weights", "map", path, file, "--model", model, "--match", "order", code=1 if lacks else 0).stdout
                pairs = dict(line.split()[::2] for line in text[:text.index("\n\n")].splitlines())
                floats = [key for key, tensor in state.items() if tensor.is_floating_point()]
                self.assertEqual(sorted(pairs.values()), sorted(floats), "every tensor of the file is used, once")
                self.assertNotIn("left in the file", text)
                self.assertNotIn("disagree", text)
                for ours, theirs in pairs.items():
                    self.assertEqual(ours.split(".")[-1], theirs.split(".")[-1], f"{ours} = {theirs}")
                if lacks:
                    left = text[text.index("left in the spec:"):].splitlines()[1:]
                    self.assertTrue(left and all(line.strip().startswith("aux") for line in left), left)


class Exports(unittest.TestCase):
    def test_weights_of_pytorch_reach_the_onnx_model(self):
        try:
            import onnx
            from onnx import numpy_helper
        except ImportError as error:
            self.skipTest(f"{error}; Debian has python3-onnx")
        net, spec = torchvision.models.resnet18(weights=None), PROJECT / "specs" / "resnet.cnn"
        with tempfile.TemporaryDirectory() as folder:
            weights, exported = pathlib.Path(folder) / "net.pth", pathlib.Path(folder) / "net.onnx"
            torch.save(net.state_dict(), weights)
            refused = run("export", spec, weights, "--model", "ResNet18", "-o", exported, code=1).stderr
            self.assertIn("these are not weights of ResNet18", refused)
            self.assertFalse(exported.exists())
            run("export", spec, weights, "--model", "ResNet18", "--match", "order", "-o", exported)
            arrays = {each.name: numpy_helper.to_array(each) for each in onnx.load(str(exported)).graph.initializer}
        for ours, theirs in (("features.conv1.weight", net.conv1.weight), ("head.fc.bias", net.fc.bias),
                             ("features.layer4.1.conv2.weight", net.layer4[1].conv2.weight),
                             ("features.layer2.0.downsample.conv1.weight", net.layer2[0].downsample[0].weight)):
            self.assertTrue(numpy.array_equal(arrays[ours], theirs.detach().numpy()), ours)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=1)
