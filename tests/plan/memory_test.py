#!/usr/bin/python3
"""What a step of a small network keeps, what it makes twice, and where everything lies.

  memory_test.py CNNC
"""
import pathlib
import re
import sys
import unittest

from plans import TRAINING, buffers, cnnc, cnnc_file, plan, steps


class Parts(unittest.TestCase):
    MODEL = """
  input 1x12x12
  conv1 = conv(4, 3, act=tanh)
  pool1 = maxpool(2)
  flatten
  drop1 = dropout(0.5)
  fc = dense(4)"""

    def head(self, model, batch):
        return plan(model, f"epochs = 1  batch = {batch}").splitlines()[0]

    def test_a_task_takes_a_block_of_images_and_gradients_have_a_place_for_each(self):
        text = plan(self.MODEL, "epochs = 1  batch = 128")
        self.assertEqual(text.splitlines()[0], "plan Net batch 128 block 16 part 16")
        gradients = int(re.search(r"gradients (\d+)", text).group(1))
        self.assertRegex(text, rf"parts gradients {8 * gradients} activations")

    def test_buffers_are_those_of_one_part(self):
        activations = [int(re.search(r"parts .* activations (\d+)", plan(self.MODEL, f"epochs = 1  batch = {batch}")).group(1))
                       for batch in (64, 128)]
        self.assertEqual(activations[0], activations[1])

    def test_there_are_eight_parts_at_most(self):
        self.assertEqual(self.head(self.MODEL, 300), "plan Net batch 300 block 16 part 48")

    def test_the_team_shares_the_work_of_few_blocks(self):
        self.assertEqual(self.head(self.MODEL, 32), "plan Net batch 32 block 16")

    def test_statistics_of_the_batch_keep_it_together(self):
        self.assertEqual(self.head(self.MODEL + "\n  bn", 128), "plan Net batch 128 block 16")


class Predictions(unittest.TestCase):
    """Two maps of 64x224x224 are live at once: 24.5 MiB an image, and 256 may be."""

    MODEL = """
  input 1x224x224
  conv1 = conv(64, 3, pad=1, act=tanh)
  conv2 = conv(64, 3, pad=1, act=tanh)
  pool1 = maxpool(14)
  gap1 = gap
  fc = dense(4)"""

    def head(self, batch):
        return plan(self.MODEL, f"epochs = 1  batch = {batch}").splitlines()[0]

    def test_large_maps_are_predicted_a_few_images_at_a_time(self):
        self.assertEqual(self.head(16), "plan Net batch 16 block 1 predicted 8")
        self.assertEqual(self.head(19), "plan Net batch 19 block 1 predicted 10")

    def test_never_fewer_than_eight_at_a_time(self):
        self.assertEqual(self.head(40), "plan Net batch 40 block 1 predicted 10")
        self.assertEqual(self.head(15), "plan Net batch 15 block 1")

    def test_what_fits_is_predicted_at_once(self):
        self.assertEqual(self.head(10), "plan Net batch 10 block 1")


class Gradients(unittest.TestCase):
    BLOCK = """
  input 1x8x8
  conv0 = conv(4, 3, pad=1)
  relu0 = relu
  block1 = add {
    | conv1 = conv(4, 3, pad=1, bias=false)
      bn1 = bn
    | identity
  }
  relu1 = relu
  gap1 = gap
  fc = dense(4)"""

    def test_a_later_contribution_is_added_to_what_nobody_else_needs(self):
        # d_relu1 is bn1's gradient as well, which has had it by then.
        calls = steps(plan(self.BLOCK), "step_main")
        self.assertTrue(any(call.startswith("conv_backward_input(+=d_relu1, ") for call in calls), calls)

    def test_what_is_still_needed_is_not_written_over(self):
        calls = steps(plan(self.BLOCK.replace(", bias=false)\n      bn1 = bn", ")")), "step_main")
        # The convolution reads d_relu1 while it makes its input's gradient.
        self.assertIn("conv_backward_input(d_relu0, d_relu1, block1.conv1.weight)", calls)
        self.assertIn("add(d_relu1, {d_relu1, d_relu0}, -)", calls)


class Repeats(unittest.TestCase):
    """What is made once more in front of the backward steps that read it, instead of being kept."""

    @staticmethod
    def blocks(count, channels=64):
        block = """
  block%d = add {
    | conv%d = conv({channels}, 3, pad=1, bias=false)
      bn%d = bn
    | identity
  }
  relu%d = relu""".replace("{channels}", str(channels))
        return f"""
  input 1x64x64
  conv0 = conv({channels}, 3, pad=1, bias=false)
  bn0 = bn
  relu0 = relu""" + "".join(block % (i, i, i, i) for i in range(1, count + 1)) + """
  gap1 = gap
  fc = dense(4)"""

    def test_sums_are_made_once_more_in_front_of_their_first_reader(self):
        text = plan(self.blocks(4))
        calls = steps(text, "step_main")
        again = [call for call in calls if call.startswith("add(relu") and calls.count(call) == 2]
        self.assertTrue(again)
        for call in again:
            made = re.match(r"add\((\w+)", call).group(1)
            last = len(calls) - 1 - calls[::-1].index(call)
            reader = next(other for other in calls[last + 1:] if re.search(rf"\b{made}\b", other))
            self.assertEqual(calls[last + 1], reader)
        self.assertRegex(text, rf"buffer {made} .* steps \d+\.\.\d+ and \d+\.\.\d+")

    def test_chains_stay_short(self):
        calls = steps(plan(self.blocks(12)), "step_main")
        again = [calls.count(call) == 2 for call in calls if call.startswith("add(relu")]
        # Three of four: one of what is kept, one of that, and one of that.
        self.assertNotIn([True] * 4, [again[i:i + 4] for i in range(12 - 4)])
        self.assertIn(True, again)

    def test_large_steps_repeat_small_convolutions_too(self):
        def repeated(batch, pairs):
            wide = "".join(f"""
  narrow{i} = conv(64, 3, pad=1, bias=false)
  bn{i}a = bn
  relu{i}a = relu
  wide{i} = conv(256, 1, bias=false)
  bn{i}b = bn
  relu{i}b = relu""" for i in range(1, pairs + 1))
            calls = steps(plan(f"\n  input 1x64x64{wide}\n  gap1 = gap\n  fc = dense(4)", f"epochs = 1  batch = {batch}"), "step_main")
            return [call for call in calls if call.startswith("conv(wide") and calls.count(call) > 1]
        # A wide one of three is more than a seventieth of a step's cost, of four less; both are less than a twentieth.
        self.assertFalse(repeated(8, pairs=3))
        self.assertTrue(repeated(8, pairs=4))
        for pairs in (3, 4):
            self.assertGreater(len(repeated(128, pairs)), len(repeated(8, pairs)))

    def test_a_convolution_of_few_channels_is_cheap_too(self):
        model = """
  input 1x64x64
  conv1 = conv(64, 3, pad=1)
  relu1 = relu
  conv2 = conv(64, 3, pad=1)
  relu2 = relu
  conv3 = conv(64, 3, pad=1)
  relu3 = relu
  gap1 = gap
  fc = dense(4)"""
        calls = steps(plan(model), "step_main")
        self.assertEqual(calls.count("conv(relu1, input, conv1.weight, <+conv1.bias kRelu>)"), 2)
        self.assertEqual(calls.count("conv(relu2, relu1, conv2.weight, <+conv2.bias kRelu>)"), 1)

    def test_where_little_is_live_nothing_is_made_twice(self):
        calls = steps(plan(self.blocks(4, channels=2)), "step_main")
        self.assertFalse([call for call in calls if calls.count(call) > 1])

    def test_predictions_make_nothing_twice(self):
        calls = steps(plan(self.blocks(4)), "predict")
        self.assertFalse([call for call in calls if calls.count(call) > 1])


class Places(unittest.TestCase):
    """Where buffers lie, and what has none."""

    def test_images_stay_where_the_caller_has_them(self):
        text = plan(self.WIDE)
        self.assertEqual(text.count("buffer input 1x16x16 given"), 3)
        self.assertNotIn("to_blocked", text)

    WIDE = """
  input 1x16x16
  conv0 = conv(200, 3, pad=1)
  conv1 = conv(200, 3, pad=1)
  conv2 = conv(200, 3, pad=1)
  gap1 = gap
  fc = dense(4)"""

    @staticmethod
    def scratch(text, call):
        """Floats that the first such call shares."""
        body = text.split("function ")[1]
        name = re.search(rf"{re.escape(call)}\(.*(scratch\d+)\)", body).group(1)
        return int(re.search(rf"buffer {name} (\d+) floats", body).group(1))

    def wide(self, batch):
        model = f"model Net {{\n{self.WIDE}\n}}\n{TRAINING % f'epochs = 1  batch = {batch}'}"
        return cnnc("explain", model, "--dump=plan")

    def test_scratch_lies_among_the_activations_and_is_halved_where_it_is_most_of_them(self):
        few, many = self.wide(8), self.wide(256)
        # Of 34 panels of rows, 17.
        ratio = self.scratch(few, "winograd::conv_backward_params") / self.scratch(many, "winograd::conv_backward_params")
        self.assertAlmostEqual(ratio, 0.5, delta=0.01)
        self.assertRegex(few, r"scratch \d+ a thread")

    def test_places_are_found_for_what_is_live(self):
        specs = pathlib.Path(__file__).parents[2] / "specs"
        for spec in sorted(specs.glob("*.cnn")):
            if not re.search(r"^model ", spec.read_text(), re.M):
                continue  # blocks alone
            functions = re.findall(r"function \w+  # (\d+) floats, at least (\d+)", cnnc_file("explain", spec, "--dump=plan"))
            self.assertTrue(functions, spec.name)
            for arena, bound in functions:
                self.assertLessEqual(int(arena), 1.05 * int(bound) + 4096, spec.name)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[2:])
