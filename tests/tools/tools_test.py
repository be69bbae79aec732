#!/usr/bin/python3
"""What cnnc's commands print of the design's examples and of the shipped specs.

  tools_test.py CNNC PROJECT

The examples stand in ../shared/design/examples; where they are missing, their tests are skipped with a message. Counts of
parameters are the published ones.
"""
import json
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time
import unittest

CNNC, PROJECT = sys.argv[1], pathlib.Path(sys.argv[2])
EXAMPLES = PROJECT.parent / "shared" / "design" / "examples"
SPECS = sorted((PROJECT / "specs").glob("*.cnn"))

COUNTS = {
    ("lenet5", "LeNet5"): 61_706, ("vgg", "VGG16"): 138_357_544, ("vgg", "VGG19"): 143_667_240,
    ("small_nets", "AlexNet"): 61_100_840, ("resnet", "ResNet18"): 11_689_512, ("resnet", "ResNet50"): 25_557_032,
    ("resnet", "ResNet101"): 44_549_160, ("densenet", "DenseNet121"): 7_978_856, ("densenet", "DenseNet169"): 14_149_480,
    ("googlenet", "GoogLeNet"): 6_998_552, ("small_nets", "EfficientNetB0"): 5_288_548,
    ("small_nets", "EfficientNetB1"): 7_794_184, ("chest", "ChestXray"): 7_217_027,
}


# Architectures that were written from the reference alone; their counts are sums done by hand.
NEWCOMER = {"senet": 11_778_592, "hourglass": 243_594, "allconv": 1_369_738}


def run(*arguments, code=0, seconds=60):
    result = subprocess.run([CNNC, *map(str, arguments)], capture_output=True, text=True, timeout=seconds)
    if result.returncode != code:
        raise AssertionError(f"cnnc {' '.join(map(str, arguments))}: exit code {result.returncode}, not {code}\n{result.stderr}")
    return result.stdout if code == 0 else result.stderr


def without_origin(text):
    """Generated code without what says where it comes from: comments and the lines of the spec."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("//")]
    text = re.sub(r'\.(line|text) = "(?:[^"\\]|\\.)*"', "", "\n".join(lines))
    return re.sub(r"  // .*$", "", text, flags=re.M)


class Shipped(unittest.TestCase):
    def test_a_rendered_spec_generates_the_same_code(self):
        programs = [(spec, model) for spec in SPECS for model in models_of(spec)]
        if EXAMPLES.exists():
            programs += [(EXAMPLES / f"{name}.cnn", model) for name, model in COUNTS if name != "chest"]
        for spec, model in programs:
            with self.subTest(spec=spec.name, model=model), tempfile.TemporaryDirectory() as folder:
                chosen = ["--model", model] if model else []
                text = run("render", spec, *chosen)
                name = pathlib.Path(run_name(spec, chosen)).stem
                rendered = pathlib.Path(folder) / f"{name}.cnn"
                rendered.write_text(text)
                self.assertEqual(run("render", rendered), text)
                before, after = pathlib.Path(folder) / "before", pathlib.Path(folder) / "after"
                run("generate", spec, *chosen, "-o", before)
                run("generate", rendered, "-o", after)
                names = sorted(path.name for path in before.iterdir())
                self.assertTrue(names)
                self.assertEqual(names, sorted(path.name for path in after.iterdir()))
                for each in names:
                    first, second = (without_origin((side / each).read_text()) for side in (before, after))
                    first = first.replace(spec.name, rendered.name)
                    self.assertGreater(len(first), 200)
                    self.assertEqual(first, second, each)

    def test_networks_that_only_the_reference_was_needed_for(self):
        for name, parameters in NEWCOMER.items():
            spec = PROJECT / "tests" / "tools" / "newcomer" / f"{name}.cnn"
            with self.subTest(name), tempfile.TemporaryDirectory() as folder:
                run("check", spec)
                run("fmt", "--check", spec)
                self.assertEqual(json.loads(run("summary", spec, "--json"))["parameters"], parameters)
                run("generate", spec, "-o", folder)
                self.assertTrue((pathlib.Path(folder) / f"{name}.cpp").exists())

    def test_what_the_commands_themselves_say(self):
        with tempfile.TemporaryDirectory() as folder:
            spec = pathlib.Path(folder) / "net.cnn"
            self.assertEqual(run("check", spec, code=1), f"error: '{spec}' can't be read: No such file or directory\n")
            spec.write_text("""cnn 1
model Small { input 1x28x28 flatten -> dense(10) -> softmax }
model Large { input 1x28x28 flatten -> dense(100) -> dense(10) -> softmax }
data Images { source = idx("d", val=0.1) classes = 10 batch = 32 }
train Small on Images {
  clip_norm = 1
  epochs = 1
  optimizer = sgd(lr=0.1)
}
""")
            self.assertEqual(run("summary", spec, "--model", "Smal", code=1),
                             f"error: there is no model 'Smal' in {spec}; it has: Small, Large\n")
            said = run("generate", spec, "--model", "Small", "-o", folder, code=1)
            self.assertIn(f"""error: 'clip_norm' can be checked, but not generated by this version of cnnc
  --> {spec}:6:3
 6 |   clip_norm = 1
   |   ^^^^^^^^^
""", said)

    def test_diff_tells_what_changed_by_meaning(self):
        spec = PROJECT / "specs" / "lenet5.cnn"
        with tempfile.TemporaryDirectory() as folder:
            other = pathlib.Path(folder) / "other.cnn"
            text = spec.read_text()
            other.write_text(text.replace("cnn 1\n", "cnn 1\n# a comment\n"))
            self.assertEqual(run("diff", spec, other), "LeNet5 and LeNet5 mean the same\n")
            changed = text.replace("conv(6, 5, act=tanh)", "conv(8, 5, act=tanh)").replace("epochs = 10", "epochs = 3")
            self.assertNotEqual(changed, text)
            other.write_text(changed)
            told = run("diff", spec, other)
        self.assertIn("  ~ c1  conv(6, 5, stride=1", told)
        self.assertIn("parameters: 61,706 -> 62,558  (+852)", told)  # 2 * 26 in c1, 2 * 25 * 16 in c3
        self.assertIn("  ~ phase main: epochs   = 10", told)
        self.assertNotIn("c5", told)

    def test_the_reference_is_what_describe_prints(self):
        self.assertEqual(run("describe", "--markdown"), (PROJECT / "docs" / "reference.md").read_text(),
                         "docs/reference.md is stale: cnnc describe --markdown > docs/reference.md")

    def test_graph_draws_branches_and_sections(self):
        dot = run("graph", PROJECT / "specs" / "branches.cnn")
        self.assertTrue(dot.startswith('digraph "Branches" {'))
        self.assertIn('label="features";', dot)
        concat = re.search(r"n(\d+) \[label=\"concat1: concat\\n32x14x14\"", dot)
        self.assertIsNotNone(concat, dot)
        self.assertEqual(len(re.findall(rf"-> n{concat.group(1)};", dot)), 3)

    def test_no_spec_makes_it_hang(self):
        hostile = {
            "a billion rounds": "model M { input 3x8x8 repeat 1000000000 { relu } }",
            "empty rounds": "model M { input 3x8x8 repeat 1000000000 { } relu }",
            "nested rounds": "model M { input 3x8x8 " + "repeat 1000 { " * 6 + "relu" + " }" * 6 + " }",
            "doubling blocks": "block B0 { }\n" + "".join(f"block B{i} {{ B{i - 1} B{i - 1} }}\n" for i in range(1, 60)) +
                               "model M { input 3x8x8 B59 relu }",
            "doubling lists": "let a0 = [1, 1]\n" + "".join(f"let a{i} = a{i - 1} + a{i - 1}\n" for i in range(1, 60)) +
                              "model M { input 3x8x8 relu }",
            "doubling edits": "model M0 { input 3x8x8 features = { relu } }\n" +
                              "".join(f"model M{i} extends M{i - 1}() {{ insert after features {{ M{i - 1}.features }} }}\n"
                                      for i in range(1, 40)),
            "a wide pattern": "model M { input 1x8x8 flatten dense(10) -> softmax }\ndata D { source = idx(\"d\") classes = 10 batch = 2 }\n"
                              "train M on D { epochs = 1 optimizer = adam(lr=1) freeze " + ".".join(["**"] * 40) + ".x }",
            "keywords as names": "model class { input 3x8x8 int = relu  for_ = relu  namespace = gap  dense(2) }",
            "names alike": "model M { input 3x8x8 a = { b = relu } a_b = relu  a__b = relu }",
        }
        well = {"keywords as names", "names alike"}
        for name, text in hostile.items():
            with self.subTest(name), tempfile.TemporaryDirectory() as folder:
                spec = pathlib.Path(folder) / "net.cnn"
                spec.write_text("cnn 1\n" + text + "\n")
                said = run("check", spec, code=0 if name in well else 1, seconds=20)
                if name not in well:
                    self.assertTrue(said.startswith("error: "), said[:200])


def run_name(spec, chosen):
    """The name that a program's files get."""
    return f"{spec.stem}_{chosen[1]}" if chosen and several(spec) else spec.stem


def several(spec):
    result = subprocess.run([CNNC, "render", str(spec)], capture_output=True, text=True)
    return result.returncode == 2


def models_of(spec):
    """The models that a spec has programs for."""
    return re.findall(r"^(\w+): .* -> ", run("summary", spec), re.MULTILINE)


class Examples(unittest.TestCase):
    def setUp(self):
        if not EXAMPLES.exists():
            self.skipTest(f"the design's examples are not at {EXAMPLES}")

    def test_every_file_checks_and_is_in_its_one_form(self):
        files = sorted(EXAMPLES.glob("*.cnn"))
        self.assertGreaterEqual(len(files), 10)
        for path in files:
            with self.subTest(path.name):
                run("check", path)
                run("fmt", "--check", path)

    def test_parameters_are_the_published_ones(self):
        for (name, model), parameters in COUNTS.items():
            with self.subTest(model=model):
                summary = json.loads(run("summary", EXAMPLES / f"{name}.cnn", "--model", model, "--json"))
                self.assertEqual(summary["parameters"], parameters)
                self.assertEqual(summary["auxiliary"], 6_379_728 if model == "GoogLeNet" else 0)

    def test_explain_resolves_the_chest_example(self):
        told = run("explain", EXAMPLES / "chest.cnn")
        self.assertIn("phase head_only: 8 epochs, 263,171 of 7,217,027 parameters learn", told)
        self.assertIn("backbone: 22 of 241 layers with weights learn, 827,712 of 6,953,856 parameters", told)
        self.assertIn("Nothing before backbone.dense4[10].conv2 learns, so back-propagation stops there.", told)
        checked = subprocess.run([CNNC, "check", str(EXAMPLES / "chest.cnn")], capture_output=True, text=True).stderr
        self.assertIn("the cut goes through backbone.dense4[10]: it takes 3 of its 7 layers", checked)
        self.assertIn("by name, without it: backbone.dense4[11:], backbone.bn2, backbone.relu2", checked)

    def test_resnet101_is_checked_in_under_100_ms(self):
        seconds = []
        for _ in range(7):
            start = time.perf_counter()
            run("check", EXAMPLES / "resnet.cnn")
            seconds.append(time.perf_counter() - start)
        self.assertLess(statistics.median(seconds), 0.1)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
