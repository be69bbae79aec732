#!/usr/bin/python3
"""The shipped networks have the parameters, MACs and names that papers and torchvision have.

  zoo_test.py CNNC PROJECT

Counts are published ones or sums done by hand, never what cnnc printed. Where torchvision is installed, each of its
networks is compared layer by layer: the same sizes in the same order, and, where the specs say so, the same names.
"""
import json
import pathlib
import re
import struct
import subprocess
import sys
import unittest
import warnings

CNNC, PROJECT = sys.argv[1], pathlib.Path(sys.argv[2])
MOBILENET_WEIGHTS = PROJECT.parent / "shared/data/mobilenet_v1_0.75/mobilenet_v1_0.75_imagenet.safetensors"

# Trainable parameters, those of auxiliary heads, and multiplications with an addition for one image (0: no figure
# is published for it that counts the same way).
COUNTS = {
    ("mlp", "MLP"): (784 * 512 + 512 + 512 * 256 + 256 + 256 * 10 + 10, 0, 784 * 512 + 512 * 256 + 256 * 10),
    ("lenet5", "LeNet5"): (61_706, 0, 0),
    ("lenet5_1998", "LeNet5"): (60_000, 0, 0),
    ("alexnet", "AlexNet2012"): (60_965_224, 0, 724_406_816),
    ("alexnet", "AlexNet"): (61_100_840, 0, 714_188_480),
    ("vgg", "VGG16"): (138_357_544, 0, 15_470_264_320),
    ("vgg", "VGG19"): (143_667_240, 0, 19_632_062_464),
    ("googlenet", "GoogLeNet"): (6_998_552, 6_379_728, 0),
    ("googlenet_bn", "GoogLeNetBn"): (6_624_904, 13_004_888 - 6_624_904, 0),
    ("inception_v3", "InceptionV3"): (23_834_568, 27_161_264 - 23_834_568, 0),
    ("resnet", "ResNet18"): (11_689_512, 0, 1_814_073_344),
    ("resnet", "ResNet34"): (21_797_672, 0, 3_663_761_408),
    ("resnet", "ResNet50"): (25_557_032, 0, 4_089_184_256),
    ("resnet", "ResNet101"): (44_549_160, 0, 7_801_405_440),
    # ResNet-34 without its three projections: 1x1 convolutions with their bn.
    ("resnet", "Plain34"): (21_797_672 - sum(a * 2 * a + 4 * a for a in (64, 128, 256)), 0, 0),
    # He et al. 2016 have 0.27 M for 20 layers; projections add two 1x1 convolutions with their bn.
    ("cifar_resnet", "CifarPlain"): (269_722, 0, 0),
    ("cifar_resnet", "CifarResNet"): (269_722 + 16 * 32 + 64 + 32 * 64 + 128, 0, 0),
    ("densenet", "DenseNet121"): (7_978_856, 0, 2_834_161_664),
    ("densenet", "DenseNet169"): (14_149_480, 0, 3_359_843_328),
    ("mobilenet", "MobileNet"): (4_231_976, 0, 568_740_352),
    ("mobilenet", "MobileNet75"): (2_585_560, 0, 325_400_448),
    ("mobilenet_v2", "MobileNetV2"): (3_504_872, 0, 300_774_272),
    ("efficientnet", "EfficientNetB0"): (5_288_548, 0, 0),
}

# What papers and model tables print, in billions.
PUBLISHED_GIGAMACS = {
    ("alexnet", "AlexNet"): 0.71, ("vgg", "VGG16"): 15.47, ("vgg", "VGG19"): 19.63, ("googlenet_bn", "GoogLeNetBn"): 1.50,
    ("inception_v3", "InceptionV3"): 5.71, ("resnet", "ResNet18"): 1.81, ("resnet", "ResNet34"): 3.66,
    ("resnet", "ResNet50"): 4.09, ("resnet", "ResNet101"): 7.80, ("densenet", "DenseNet121"): 2.83,
    ("densenet", "DenseNet169"): 3.36, ("mobilenet", "MobileNet"): 0.569, ("mobilenet", "MobileNet75"): 0.325,
    ("mobilenet_v2", "MobileNetV2"): 0.3008, ("efficientnet", "EfficientNetB0"): 0.386, ("googlenet", "GoogLeNet"): 1.58,
}

LENET5_1998 = {"c1": 156, "s2": 12, "c3": 1_516, "s4": 32, "c5": 48_120, "f6": 10_164, "output": 0}

# The spec, its model, torchvision's, and whether the names are the same.
TORCHVISION = [
    ("alexnet", "AlexNet", "alexnet", False), ("vgg", "VGG16", "vgg16", False), ("vgg", "VGG19", "vgg19", False),
    ("googlenet_bn", "GoogLeNetBn", "googlenet", True), ("inception_v3", "InceptionV3", "inception_v3", True),
    ("resnet", "ResNet18", "resnet18", False), ("resnet", "ResNet34", "resnet34", False),
    ("resnet", "ResNet50", "resnet50", False), ("resnet", "ResNet101", "resnet101", False),
    ("densenet", "DenseNet121", "densenet121", True), ("densenet", "DenseNet169", "densenet169", True),
    ("mobilenet_v2", "MobileNetV2", "mobilenet_v2", False), ("efficientnet", "EfficientNetB0", "efficientnet_b0", False),
]


def run(*arguments):
    result = subprocess.run([CNNC, *map(str, arguments)], capture_output=True, text=True, timeout=60)
    if result.returncode != 0:
        raise AssertionError(f"cnnc {' '.join(map(str, arguments))}: exit code {result.returncode}\n{result.stderr}")
    return result.stdout


def summary(spec, model):
    return json.loads(run("summary", PROJECT / "specs" / f"{spec}.cnn", "--model", model, "--json"))


def weighted(layers):
    """Path as in a weights file, learnt numbers, running statistics and shape of each layer that has any."""
    return [(re.sub(r"\[(\d+)\]", r".\1", layer["path"]), layer["parameters"], layer["statistics"])
            for layer in layers if layer["parameters"] + layer["statistics"] > 0]


class Counts(unittest.TestCase):
    def test_parameters_and_macs_are_the_published_ones(self):
        for (spec, model), (parameters, auxiliary, macs) in COUNTS.items():
            with self.subTest(spec=spec, model=model):
                found = summary(spec, model)
                self.assertEqual(found["parameters"], parameters)
                self.assertEqual(found["auxiliary"], auxiliary)
                if macs:
                    self.assertEqual(found["macs"], macs)
                published = PUBLISHED_GIGAMACS.get((spec, model))
                if published:
                    digits = len(str(published).split(".")[1])
                    self.assertEqual(round(found["macs"] / 1e9, max(digits, 2)), published)

    def test_every_shipped_model_is_counted(self):
        found = set()
        for spec in sorted((PROJECT / "specs").glob("*.cnn")):
            found |= {(spec.stem, model) for model in re.findall(r"^(\w+): .* -> ", run("summary", spec), re.MULTILINE)}
        small = {("branches", "Branches"), ("residual", "Residual")}  # examples of the language, not architectures
        self.assertEqual(found - small, set(COUNTS))

    def test_lenet5_of_1998_layer_by_layer(self):
        layers = {layer["path"]: layer["parameters"] for layer in summary("lenet5_1998", "LeNet5")["layers"]}
        self.assertEqual({name: layers[name] for name in LENET5_1998}, LENET5_1998)
        self.assertEqual(sum(layers.values()), 60_000)

    def test_residual_and_plain_differ_by_one_word(self):
        plain = weighted(summary("cifar_resnet", "CifarPlain")["layers"])
        residual = weighted(summary("cifar_resnet", "CifarResNet")["layers"])
        self.assertEqual([layer for layer in residual if "downsample" not in layer[0]], plain)

    def test_vgg16_with_two_classes_is_set_from_the_command_line(self):
        found = json.loads(run("summary", PROJECT / "specs/vgg.cnn", "--model", "VGG16", "--set", "classes=2", "--json"))
        self.assertEqual(found["parameters"], 138_357_544 - 998 * 4097)


class Weights(unittest.TestCase):
    def test_layers_are_those_of_torchvision_in_its_order(self):
        try:
            import torchvision.models
        except ImportError:
            self.skipTest("torchvision is not installed: apt-get install python3-torchvision")
        for spec, model, name, same_names in TORCHVISION:
            with self.subTest(spec=spec, model=model), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                options = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
                theirs = self.layers_of(torchvision.models, name, options)
                ours = weighted(summary(spec, model)["layers"])
                # torchvision defines GoogLeNet's auxiliary heads last, where the spec has them in their places.
                if name == "googlenet":
                    def late(layer):
                        return layer[0].startswith("aux") + 2 * layer[0].startswith("fc")
                    ours.sort(key=late)
                self.assertEqual([layer[1:] for layer in ours], [layer[1:] for layer in theirs])
                if same_names:  # a branch's pool counts as branch4.0 there, which no name of a spec can say
                    names = [layer[0].replace("branch4.1.", "branch4.") for layer in theirs]
                    self.assertEqual([layer[0] for layer in ours], names)

    def layers_of(self, models, name, options):
        layers = {}
        for key, tensor in getattr(models, name)(**options).state_dict().items():
            path, kind = key.rsplit(".", 1)
            if kind == "num_batches_tracked":
                continue
            counts = layers.setdefault(path, [0, 0])
            counts[kind.startswith("running")] += tensor.numel()
        return [(path, *counts) for path, counts in layers.items()]

    def test_mobilenet_has_the_names_of_its_weights(self):
        if not MOBILENET_WEIGHTS.exists():
            self.skipTest(f"{MOBILENET_WEIGHTS} is missing")
        with open(MOBILENET_WEIGHTS, "rb") as file:
            header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        header.pop("__metadata__", None)
        expected = {}
        for key, tensor in header.items():
            path, kind = key.rsplit(".", 1)
            counts = expected.setdefault(path, [0, 0])
            size = 1
            for length in tensor["shape"]:
                size *= length
            counts[kind.startswith("running")] += size
        found = {path: list(counts) for path, *counts in weighted(summary("mobilenet", "MobileNet75")["layers"])}
        self.assertEqual(found, expected)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=1)
