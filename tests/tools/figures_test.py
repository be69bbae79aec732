#!/usr/bin/python3
"""What summary and compare print of networks small enough to count by hand.

  figures_test.py CNNC
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

CNNC = sys.argv[1]

# conv: 2 x 3 x 3 x 3 = 54 numbers at 16 places; dense: 48 x 5 + 5 = 245.
SPEC = """cnn 1

model Small {
  input 2x4x4
  features = for width in [3, 3] { conv(width, 3, pad=1, bias=false) -> bn -> relu }
  head = { flatten -> dense(5) -> softmax }
}

model Flat {
  input [48]
  dense(5)
  softmax
}
"""

SMALL = """Small: 2x4x4 -> 5

  layer              type           output    parameters       MAC/image
  features[0].conv1  conv            3x4x4            54             864
  features[0].bn1    bn              3x4x4             6               -
  features[0].relu1  relu            3x4x4             -               -
  features[1].conv1  conv            3x4x4            81           1,296
  features[1].bn1    bn              3x4x4             6               -
  features[1].relu1  relu            3x4x4             -               -
  head.flatten1      flatten            48             -               -
  head.dense1        dense               5           245             240
  head.softmax1      softmax             5             -               -

  parameters             392
  statistics              12
  MAC/image            2,400
"""

DEPTH_1 = """
  layer     type            output    parameters       MAC/image
  features  6 layers         3x4x4           147           2,160
  head      3 layers             5           245             240

"""

DEPTH_2 = """
  layer          type            output    parameters       MAC/image
  features[0]    3 layers         3x4x4            60             864
  features[1]    3 layers         3x4x4            87           1,296
  head.flatten1  flatten             48             -               -
  head.dense1    dense                5           245             240
  head.softmax1  softmax              5             -               -

"""

# bn has two running statistics a channel, which Keras counts among its parameters.
KERAS = """Model: "Small", input 2x4x4

Layer (type)              Output shape       Param #
features[0].conv1 (conv)         3x4x4            54
features[0].bn1 (bn)             3x4x4            12
features[0].relu1 (relu)         3x4x4             0
features[1].conv1 (conv)         3x4x4            81
features[1].bn1 (bn)             3x4x4            12
features[1].relu1 (relu)         3x4x4             0
head.flatten1 (flatten)             48             0
head.dense1 (dense)                  5           245
head.softmax1 (softmax)              5             0

Total params: 404 (0.00 MiB)
Trainable params: 392 (0.00 MiB)
Non-trainable params: 12 (0.00 MiB)
"""

COMPARED = """                     Small      Flat
input                2x4x4        48
output                   5         5
parameters             392       245
  in conv           34.4 %         -
  in bn              3.1 %         -
  in dense          62.5 %   100.0 %
statistics              12         -
MAC/image            2,400       240
  in conv           90.0 %         -
  in dense          10.0 %   100.0 %
depth                    3         1
layers                   9         2
weights           0.00 MiB  0.00 MiB
"""

# Then memory, whose figures are checked as JSON: here they are too small to print.
MEMORY_ROWS = ["predict, batch 4", "  activations", "train, batch 4", "  activations"]

COMPARED_END = """
Depth counts convolutions and dense layers on the longest way. Memory is for 1 thread;
training is of the whole network, by SGD with momentum.
"""


def run(*arguments, code=0):
    result = subprocess.run([CNNC, *map(str, arguments)], capture_output=True, text=True, timeout=60)
    if result.returncode != code:
        raise AssertionError(f"cnnc {' '.join(map(str, arguments))}: exit code {result.returncode}, not {code}\n{result.stderr}")
    return result.stdout if code == 0 else result.stderr


class Figures(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.spec = pathlib.Path(folder.name) / "net.cnn"
        self.spec.write_text(SPEC)

    def test_a_summary_has_a_line_for_each_layer_and_totals(self):
        self.assertTrue(run("summary", self.spec, "--model", "Small").startswith(SMALL + "\n  memory for batches of 32 on "))

    def test_depth_folds_what_lies_deeper(self):
        for depth, table in ((1, DEPTH_1), (2, DEPTH_2)):
            text = run("summary", self.spec, "--model", "Small", "--depth", depth)
            self.assertEqual(text[text.index("\n") + 1:text.index("\n  parameters ") + 1], table)
        whole = run("summary", self.spec, "--model", "Small")
        self.assertEqual(run("summary", self.spec, "--model", "Small", "--depth", 3), whole)

    def test_keras_counts_statistics_as_parameters(self):
        self.assertEqual(run("summary", self.spec, "--model", "Small", "--keras"), KERAS)

    def test_json_has_the_same_totals(self):
        found = json.loads(run("summary", self.spec, "--model", "Small", "--json"))
        self.assertEqual((found["parameters"], found["statistics"], found["macs"], found["depth"]), (392, 12, 2400, 3))
        self.assertEqual(found["keras"], {"total": 404, "trainable": 392, "non_trainable": 12})

    def test_compare_sets_networks_side_by_side(self):
        options = ["--batch", 4, "--threads", 1]
        text = run("compare", f"{self.spec}:Small", f"{self.spec}:Flat", *options)
        self.assertEqual(text[:len(COMPARED)], COMPARED)
        self.assertEqual(text[-len(COMPARED_END):], COMPARED_END)
        rows = text[len(COMPARED):-len(COMPARED_END)].splitlines()
        self.assertEqual([row[:row.index("0.0")].rstrip() for row in rows], MEMORY_ROWS)
        self.assertEqual(run("compare", self.spec, *options), text)
        markdown = run("compare", self.spec, "--markdown", *options).splitlines()
        self.assertEqual(markdown[:5], ["|  | Small | Flat |", "|---|---:|---:|", "| input | 2x4x4 | 48 |",
                                        "| output | 5 | 5 |", "| parameters | 392 | 245 |"])

    def test_compare_counts_memory_by_the_same_rule(self):
        small, flat = json.loads(run("compare", self.spec, "--json", "--batch", 4, "--threads", 1))
        self.assertEqual(flat["kinds"], [{"type": "dense", "layers": 1, "parameters": 245, "macs": 240},
                                         {"type": "softmax", "layers": 1, "parameters": 0, "macs": 0}])
        memory = flat["memory"]
        # Tensors begin on a cache line of 16 floats: 240 and 16. To train, gradients and momentum are as large.
        self.assertEqual(memory["weights"], 4 * (240 + 16))
        self.assertGreaterEqual(memory["train"] - memory["train_activations"], 3 * memory["weights"])
        # An image has 48 inputs and 5 outputs; four of them.
        self.assertGreaterEqual(memory["predict_activations"], 4 * 4 * (48 + 5))
        self.assertGreater(small["memory"]["train_activations"], small["memory"]["predict_activations"])

    def test_what_compare_refuses(self):
        self.assertEqual(run("compare", f"{self.spec}:Smal", code=1),
                         f"error: there is no model 'Smal' in {self.spec}; it has: Small, Flat\n")
        self.assertEqual(run("compare", self.spec, "--batch", 0, code=2).splitlines()[0],
                         "error: --batch must be at least 1, not 0")
        self.assertEqual(run("summary", self.spec, "--depth", 0, code=2).splitlines()[0],
                         "error: --depth must be at least 1, not 0")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=1)
