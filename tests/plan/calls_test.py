#!/usr/bin/python3
"""What the planner makes one call of, and which kernel it calls, in small networks.

  calls_test.py CNNC
"""
import re
import sys
import unittest

from plans import TRAINING, buffers, cnnc, plan, preparation, steps


class Epilogues(unittest.TestCase):
    MODEL = """
  input 1x8x8
  conv1 = conv(4, 3, pad=1)
  relu1 = relu
  gap1 = gap
  fc = dense(4)"""

    def test_bias_and_activation_are_the_convolutions(self):
        self.assertIn("conv(relu1, input, conv1.weight, <+conv1.bias kRelu>)", steps(plan(self.MODEL), "step_main"))

    def test_the_gradient_of_the_activation_is_a_step_of_its_own(self):
        self.assertIn("relu_backward_input(d_relu1, d_relu1, relu1)", steps(plan(self.MODEL), "step_main"))

    TWO = """
  input 1x8x8
  conv1 = conv(4, 3, pad=1)
  relu1 = relu
  conv2 = conv(4, 3, pad=1)
  relu2 = relu
  gap1 = gap
  fc = dense(4)"""

    def test_but_the_gradient_of_a_convolution_behind_it_goes_through_it_into_its_place(self):
        text = plan(self.TWO)
        calls = steps(text, "step_main")
        self.assertIn("conv_backward_input(d_relu1<kRelu, d_relu2, conv2.weight)", calls)
        self.assertFalse([call for call in calls if call.startswith("relu_backward_input(d_relu1")])
        place = {name: offset for name, offset in re.findall(r"  buffer (\w+) \S+ at (\d+) ", text.split("function ")[1])}
        self.assertEqual(place["d_relu1"], place["relu1"])
        self.assertLess(calls.index("conv_backward_params(d conv2.weight, d conv2.bias, d_relu2, relu1)"),
                        calls.index("conv_backward_input(d_relu1<kRelu, d_relu2, conv2.weight)"))

    def test_an_output_with_two_readers_keeps_its_place(self):
        calls = steps(plan("""
  input 1x8x8
  conv1 = conv(4, 3, pad=1)
  relu1 = relu
  block1 = add {
    | conv2 = conv(4, 3, pad=1)
    | identity
  }
  gap1 = gap
  fc = dense(4)"""), "step_main")
        self.assertFalse([call for call in calls if "<kRelu" in call and "backward" in call])
        self.assertTrue([call for call in calls if call.startswith("relu_backward_input(")])

    def test_a_norm_is_folded_into_the_convolution_before_it_where_it_runs_as_at_prediction(self):
        model = """
  input 1x8x8
  conv1 = conv(4, 3, pad=1, bias=false)
  bn1 = bn
  relu1 = relu
  gap1 = gap
  fc = dense(4)"""
        predict = steps(plan(model), "predict")
        self.assertEqual(predict[0], "conv(relu1, input, prepared conv1_weight_prepared, <*bn1_saved kRelu>)")
        self.assertEqual(preparation(plan(model), "predict"),
                         ["bn_affine(bn1_saved, bn1.weight, bn1.bias, bn1.running_mean, bn1.running_var)",
                          "conv_prepare(conv1_weight_prepared, conv1.weight)"])
        frozen = steps(plan(model, "phase one { freeze conv1, bn1  epochs = 1 }"), "step_one")
        self.assertIn("conv(relu1, input, conv1.weight, <*bn1_saved kRelu>)", frozen)

    def test_a_sum_is_done_by_the_convolution_that_runs_last(self):
        model = """
  input 1x8x8
  conv0 = conv(4, 3, pad=1)
  block1 = add {
    | conv1 = conv(4, 3, pad=1, bias=false)
      bn1 = bn
    | identity
  }
  relu1 = relu
  gap1 = gap
  fc = dense(4)"""
        self.assertIn("conv(relu1, conv0, prepared block1_conv1_weight_prepared, <*block1_bn1_saved +conv0 kRelu>)", steps(plan(model), "predict"))

    def test_nothing_that_another_reads_is_left_out(self):
        model = """
  input 1x8x8
  conv0 = conv(4, 3, pad=1)
  block1 = concat {
    | relu1 = relu
    | tanh1 = tanh
  }
  gap1 = gap
  fc = dense(4)"""
        calls = steps(plan(model), "step_main")
        self.assertIn("conv(conv0, input, conv0.weight, <+conv0.bias>)", calls)
        self.assertTrue(any(call.startswith("relu(") for call in calls), calls)


class Chains(unittest.TestCase):
    """Layers that one kernel runs, where none of them learns."""
    HEAD = """
  input 1x16x16
  conv0 = conv(8, 3, pad=1)
"""
    TAIL = """
  gap1 = gap
  fc = dense(4)"""
    BLOCK = """
  block1 = add {
    | conv1 = conv(24, 1, bias=false)
      bn1 = bn
      relu1 = relu6
      conv2 = dwconv(3, pad=1, bias=false)
      bn2 = bn
      relu2 = relu6
      conv3 = conv(8, 1)
    | identity
  }"""
    MODEL = HEAD + BLOCK + TAIL

    def test_an_inverted_residual_is_one_call_where_it_does_not_learn(self):
        self.assertIn("inverted_residual(block1, conv0, {prepared block1_conv1_weight_prepared <*block1_bn1_saved kRelu6>}, "
                      "{block1.conv2.weight <*block1_bn2_saved kRelu6>}, {prepared block1_conv3_weight_prepared <+block1.conv3.bias +conv0>})",
                      steps(plan(self.MODEL), "predict"))
        stored = ("inverted_residual(block1, conv0, {block1.conv1.weight <*block1_bn1_saved kRelu6>}, "
                  "{block1.conv2.weight <*block1_bn2_saved kRelu6>}, {block1.conv3.weight <+block1.conv3.bias +conv0>})")
        self.assertIn(stored, steps(plan(self.MODEL), "evaluate"))
        self.assertIn(stored, steps(plan(self.MODEL, "phase one { freeze conv0, block1  epochs = 1 }"), "step_one"))
        self.assertNotIn("block1_conv1", " ".join(b for b in buffers(plan(self.MODEL), "predict") if "prepared" not in b))

    def test_what_a_gradient_reads_is_stored(self):
        for training in ("epochs = 1", "phase one { freeze block1  epochs = 1 }"):
            name = "step_main" if training.startswith("epochs") else "step_one"
            calls = steps(plan(self.MODEL, training), name)
            self.assertTrue(any(call.startswith("dwconv(") for call in calls), calls)

    def test_a_map_that_another_layer_reads_is_stored(self):
        model = self.HEAD + """
  conv1 = conv(24, 1)
  block1 = concat {
    | conv2 = dwconv(3, pad=1)
      conv3 = conv(8, 1)
    | identity
  }""" + self.TAIL
        calls = steps(plan(model), "predict")
        self.assertTrue(any(call.startswith("conv(") and "conv1" in call for call in calls), calls)
        self.assertTrue(any(call.startswith("separable(") for call in calls), calls)

    def test_the_first_convolution_joins_too(self):
        model = """
  input 1x16x16
  conv0 = conv(8, 3, stride=2, pad=1)
  conv1 = dwconv(3, pad=1)
  conv2 = conv(16, 1)""" + self.TAIL
        self.assertIn("inverted_residual(conv2, input, {prepared conv0_weight_prepared <+conv0.bias>}, {conv1.weight <+conv1.bias>}, "
                      "{prepared conv2_weight_prepared <+conv2.bias>})", steps(plan(model), "predict"))

    def test_where_it_gains_nothing_layers_stay_apart(self):
        for wide in ("conv1 = dwconv(3, pad=1)\n  conv2 = conv(256, 1)",      # products hide what the depthwise one stores
                     "conv1 = dwconv(7, pad=3)\n  conv2 = conv(16, 1)",       # more taps than there are registers for
                     "conv1 = dwconv(3, pad=1)\n  conv2 = conv(16, 3)",       # no 1x1 convolution
                     "conv1 = dwconv(3, pad=1, multiplier=2)\n  conv2 = conv(16, 1)"):
            model = "\n  input 1x16x16\n  conv0 = conv(8, 3, pad=1, stride=2)\n  relu0 = silu\n  " + wide + self.TAIL
            calls = " ".join(steps(plan(model), "predict"))
            self.assertIn("dwconv(", calls, wide)
            self.assertNotIn("separable(", calls, wide)

    def test_the_reason_is_told(self):
        text = cnnc("explain", f"model Net {{\n{self.MODEL}\n}}\n{TRAINING % 'epochs = 1'}")
        self.assertRegex(text, r"kernels of predict\n(.*\n)*? +block1\.conv1 +predict +one kernel: the 24 channels of the depthwise convolution")


class Siblings(unittest.TestCase):
    BLOCK = """
  block1 = concat {
    | conv1 = conv(4, 1, act=relu)
    | conv2 = conv(3, 1, act=relu)
      conv3 = conv(6, 3, pad=1, act=relu)
    | conv4 = conv(7, 1)
      conv5 = conv(5, 5, pad=2)
    | pool1 = maxpool(3, stride=1, pad=1)
      conv6 = conv(2, 1, act=relu)
  }"""
    HEAD = """
  input 1x8x8
  conv0 = conv(8, 3, pad=1, act=relu)"""
    TAIL = """
  gap1 = gap
  fc = dense(4)"""
    MODEL = HEAD + BLOCK + TAIL

    def calls(self, model, function="predict", training="epochs = 1"):
        return steps(plan(model, training), function)

    def siblings(self, model, function="predict"):
        return [call for call in self.calls(model, function) if call.startswith("conv_siblings(")]

    def test_what_reads_one_map_is_one_call_at_the_place_of_the_first(self):
        calls = self.calls(self.MODEL)
        one = ("conv_siblings({{block1_conv1, prepared block1_conv1_weight_prepared <+block1.conv1.bias kRelu>}, "
               "{block1_conv2, prepared block1_conv2_weight_prepared <+block1.conv2.bias kRelu>}, "
               "{block1_conv4, prepared block1_conv4_weight_prepared <+block1.conv4.bias>}}, conv0)")
        self.assertEqual(calls[1], one)
        self.assertEqual([call.split("(")[0] for call in calls],
                         ["conv", "conv_siblings", "conv", "conv", "maxpool", "conv", "gap", "dense", "softmax", "from_blocked"])

    def test_where_they_learn_too(self):
        stored = ("conv_siblings({{block1_conv1, block1.conv1.weight <+block1.conv1.bias kRelu>}, "
                  "{block1_conv2, block1.conv2.weight <+block1.conv2.bias kRelu>}, "
                  "{block1_conv4, block1.conv4.weight <+block1.conv4.bias>}}, conv0)")
        self.assertIn(stored, self.calls(self.MODEL, "evaluate"))
        self.assertIn(stored, self.calls(self.MODEL, "step_main"))

    def test_the_gradient_of_what_they_read_is_one_product_when_all_have_theirs(self):
        calls = self.calls(self.MODEL, "step_main")
        backward = ("conv_siblings_backward_input(+=d_conv0, {{d_block1_conv1, block1.conv1.weight}, "
                    "{d_block1_conv2, block1.conv2.weight}, {d_block1_conv4, block1.conv4.weight}})")
        self.assertIn(backward, calls)
        params = "conv_backward_params(d block1.conv1.weight, d block1.conv1.bias, d_block1_conv1, conv0)"
        self.assertEqual(calls.index(backward), calls.index(params) + 1)
        self.assertFalse(any(call.startswith("conv_backward_input(") and "conv0," in call for call in calls), calls)

    def test_where_what_they_read_needs_no_gradient_there_is_none(self):
        calls = self.calls(self.MODEL, "step_one", "phase one { freeze conv0  epochs = 1 }")
        self.assertFalse(any("siblings_backward" in call for call in calls), calls)
        self.assertTrue(any(call.startswith("conv_siblings(") for call in calls), calls)

    def test_a_gradient_that_waits_is_not_written_over(self):
        # The sum's gradient is conv3's and the tanh's: that goes backward while conv3's waits for conv1's, and may not in place.
        model = self.HEAD + """
  cat1 = concat {
    | conv1 = conv(6, 1)
    | add1 = add {
        | conv2 = conv(5, 3, pad=1, act=tanh)
        | conv3 = conv(5, 1)
        | conv4 = conv(5, 3, pad=1)
      }
  }""" + self.TAIL
        calls = self.calls(model, "step_main")
        waits = next(call for call in calls if call.startswith("conv_siblings_backward_input("))
        buffer = re.search(r"\{(\w+), cat1\.add1\.conv3\.weight\}", waits).group(1)
        between = [call for call in calls if call.startswith("tanh_backward_input(")]
        self.assertEqual(len(between), 1, calls)
        self.assertFalse(between[0].startswith(f"tanh_backward_input({buffer},"), calls)

    def test_a_map_that_is_scaled_as_it_is_loaded(self):
        model = """
  input 1x8x8
  conv0 = conv(8, 3, pad=1, bias=false)
  bn0 = bn
  relu0 = relu
  add1 = add {
    | conv1 = conv(4, 1, bias=false)
      bn1 = bn
    | conv2 = conv(4, 1, bias=false)
      bn2 = bn
  }""" + self.TAIL
        self.assertIn("conv_siblings({{add1_conv1, add1.conv1.weight <>}, {add1_conv2, add1.conv2.weight <>}}, conv0[bn0_saved kRelu])",
                      self.calls(model, "step_main"))

    def test_an_addend_that_is_made_in_between_keeps_a_layer_alone(self):
        model = self.HEAD + """
  add1 = add {
    | conv1 = conv(6, 1, act=relu)
      conv2 = conv(9, 3, pad=1)
    | conv3 = conv(9, 1)
  }""" + self.TAIL
        self.assertEqual(self.siblings(model), [])
        self.assertTrue(any(call.startswith("conv(") and "+add1_conv2" in call for call in self.calls(model)), self.calls(model))

    def test_an_addend_that_was_there_before_does_not(self):
        model = self.HEAD + """
  cat1 = concat {
    | conv1 = conv(6, 1, act=relu)
    | add1 = add {
        | identity
        | conv3 = conv(8, 1)
      }
  }""" + self.TAIL
        self.assertEqual(len(self.siblings(model)), 1, self.calls(model))
        self.assertIn("+conv0", self.siblings(model)[0])

    def test_other_convolutions_stay_alone(self):
        for other in ("conv(3, 3, pad=1)", "conv(3, 1, stride=2) -> upsample(2)", "conv(4, 1, groups=2)", "dwconv(1)",
                      "relu -> conv(3, 1)"):
            model = self.HEAD + f"\n  block1 = concat {{\n    | conv1 = conv(4, 1)\n    | {other}\n  }}" + self.TAIL
            self.assertEqual(self.siblings(model), [], other)

    def test_nine_are_eight_and_one(self):
        arms = "".join(f"\n    | conv{i} = conv({i}, 1)" for i in range(1, 10))
        model = self.HEAD + f"\n  block1 = concat {{{arms}\n  }}" + self.TAIL
        self.assertEqual([call.split("(")[0] for call in self.calls(model)][1:3], ["conv_siblings", "conv"])

    def test_the_reason_is_told_once(self):
        text = cnnc("explain", f"model Net {{\n{self.MODEL}\n}}\n{TRAINING % 'epochs = 1'}")
        line = r" +block1\.conv1 +forward, backward-input +one product: 4 \+ 3 \+ 7 output channels of the same map, with block1\.conv2 and block1\.conv4"
        self.assertRegex(text, rf"kernels of step_main\n(.*\n)*?{line}\n")
        self.assertNotIn("kernels of predict", text)


class Deferral(unittest.TestCase):
    MODEL = """
  input 1x8x8
  conv1 = conv(4, 3, pad=1, bias=false)
  bn1 = bn
  relu1 = relu
  conv2 = conv(4, 3, pad=1, bias=false)
  gap1 = gap
  fc = dense(4)"""

    def test_readers_make_the_norms_output_as_they_load_it(self):
        text = plan(self.MODEL)
        calls = steps(text, "step_main")
        self.assertIn("conv(conv2, conv1[bn1_saved kRelu], conv2.weight, <>)", calls)
        self.assertIn("conv_backward_params(d conv2.weight, d_conv2, conv1[bn1_saved kRelu])", calls)
        self.assertNotIn("relu1", buffers(text, "step_main"))
        self.assertNotIn("bn1", buffers(text, "step_main"))

    def test_norm_and_activation_go_backward_together_and_in_place(self):
        self.assertIn("bn_backward(d_relu1, d bn1.weight, d bn1.bias, d_relu1, conv1, bn1_saved, kRelu)",
                      steps(plan(self.MODEL), "step_main"))

    def test_a_reader_that_cannot_needs_it_stored(self):
        calls = steps(plan(self.MODEL.replace("conv2 = conv(4, 3, pad=1, bias=false)", "lrn1 = lrn(3)")), "step_main")
        self.assertIn("bn(relu1, bn1_saved, conv1, bn1.weight, bn1.bias, bn1.running_mean, bn1.running_var, kRelu)", calls)


class Concats(unittest.TestCase):
    MODEL = """
  input 1x8x8
  block1 = concat {
    | conv1 = conv(4, 3, pad=1, bias=false)
      bn1 = bn
      relu
    | conv2 = conv(2, 3, pad=1, bias=false)
      bn2 = bn
      relu
  }
  conv3 = conv(4, 1, bias=false)
  gap1 = gap
  fc = dense(4)"""

    def test_what_the_arms_norms_read_is_joined_and_so_are_their_scales_and_shifts(self):
        text = plan(self.MODEL)
        calls = steps(text, "step_main")
        self.assertEqual(calls[0:5], [
            "conv(block1_conv1, input, block1.conv1.weight, <>)",
            "bn_statistics(block1_bn1_saved, block1_conv1, block1.bn1.weight, block1.bn1.bias, block1.bn1.running_mean, block1.bn1.running_var)",
            "conv(block1_conv2, input, block1.conv2.weight, <>)",
            "bn_statistics(block1_bn2_saved, block1_conv2, block1.bn2.weight, block1.bn2.bias, block1.bn2.running_mean, block1.bn2.running_var)",
            "conv(conv3, block1[block1_saved kRelu], conv3.weight, <>)"])
        self.assertIn("conv_backward_params(d conv3.weight, d_conv3, block1[block1_saved kRelu])", calls)
        places = dict(re.findall(r"buffer (block1\w*) .* at (\d+)", text[:text.index("function evaluate")]))
        place = {name: int(at) for name, at in places.items()}
        self.assertEqual(place["block1_conv1"], place["block1"])
        self.assertEqual(place["block1_conv2"], place["block1"] + 4 * 64)
        self.assertEqual(place["block1_bn2_saved"], place["block1_saved"] + 4)

    def test_arms_of_a_concat_within_one_join_the_outer_one(self):
        model = self.MODEL.replace("block1 = concat {", """block1 = concat {
    | inner = concat {
        | conv4 = conv(2, 1, bias=false)
          bn4 = bn
          relu
        | conv5 = conv(2, 1, bias=false)
          bn5 = bn
          relu
      }""")
        text = plan(model)
        self.assertIn("conv(conv3, block1[block1_saved kRelu], conv3.weight, <>)", steps(text, "step_main"))
        self.assertFalse([call for call in steps(text, "step_main") if call.startswith(("bn(", "copy("))])

    def test_an_arm_of_another_kind_needs_all_stored(self):
        for arm in ("identity", "conv6 = conv(2, 1)\n      relu", "conv6 = conv(2, 1, bias=false)\n      bn6 = bn"):
            calls = steps(plan(self.MODEL.replace("block1 = concat {", f"block1 = concat {{\n    | {arm}")), "step_main")
            self.assertIn("conv(conv3, block1, conv3.weight, <>)", calls, arm)
            self.assertTrue(any(call.startswith("bn(block1_relu") for call in calls), calls)

    def test_a_reader_that_cannot_load_needs_all_stored(self):
        calls = steps(plan(self.MODEL.replace("  conv3 =", "  lrn1 = lrn(3)\n  conv3 =")), "step_main")
        self.assertTrue(any(call.startswith("lrn(lrn1, ") and "block1" in call for call in calls), calls)
        self.assertTrue(any(call.startswith("bn(block1_relu1, ") for call in calls), calls)

    def test_pools_load_too(self):
        for pool in ("maxpool(2)", "avgpool(2)", "adaptive_avgpool(2)"):
            calls = steps(plan(self.MODEL.replace("  conv3 =", f"  pool1 = {pool}\n  conv3 =")), "step_main")
            self.assertTrue(any("block1[block1_saved kRelu]" in call and call.startswith(pool.split("(")[0]) for call in calls), calls)


class Pools(unittest.TestCase):
    def test_an_activation_works_on_what_the_pool_chose(self):
        model = """
  input 1x8x8
  conv1 = conv(4, 3, pad=1)
  relu1 = relu
  pool1 = maxpool(2)
  gap1 = gap
  fc = dense(4)"""
        text = plan(model)
        calls = steps(text, "step_main")
        self.assertEqual(calls[0:3], ["conv(conv1, input, conv1.weight, <+conv1.bias>)",
                                      "maxpool(relu1, pool1_saved, conv1)", "relu(relu1, relu1)"])
        # At prediction the convolution does it for nothing.
        self.assertIn("conv(relu1, input, prepared conv1_weight_prepared, <+conv1.bias kRelu>)", steps(text, "predict"))


class Decisions(unittest.TestCase):
    def explain(self, size, channels, kernel=3, options=()):
        model = f"""
  input 1x{size}x{size}
  conv1 = conv({channels}, 3, pad=1)
  conv2 = conv({channels}, {kernel}, pad={kernel // 2})
  gap1 = gap
  fc = dense(4)"""
        return cnnc("explain", f"model Net {{\n{model}\n}}\n{TRAINING % 'epochs = 1'}", *options)

    def reason(self, text, layer):
        kernels = text[text.index("kernels of"):]
        return " ".join(line.strip() for line in kernels.splitlines() if line.strip().startswith(layer))

    def test_the_reason_follows_the_shape(self):
        self.assertRegex(self.reason(self.explain(32, 64), "conv2"), r"Winograd F\(4x4, 3x3\): \d\.\d times as fast")
        self.assertRegex(self.reason(self.explain(32, 64), "conv1"), "transforms cost more than they save")
        self.assertRegex(self.reason(self.explain(32, 64, kernel=5), "conv2"), r"Winograd F\(2x2, 5x5\): \d\.\d times as fast")
        self.assertIn("packed columns: the kernel is 7x7", self.reason(self.explain(32, 64, kernel=7), "conv2"))
        self.assertIn("one product of matrices", self.reason(self.explain(32, 64, kernel=1), "conv2"))

    def test_strict_forbids_winograd(self):
        self.assertIn("precision = strict", self.reason(self.explain(32, 64, options=["--precision", "strict"]), "conv2"))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[2:])
