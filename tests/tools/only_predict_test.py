#!/usr/bin/python3
"""A program that only predicts gives back the memory of the weights that it keeps prepared.

  only_predict_test.py CNNC
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

CNNC = str(pathlib.Path(sys.argv[1]).resolve())

# 3 x 9 MiB of weights, for maps of a few places.
SPEC = """cnn 1
model Net {
  input 1x7x7
  wide1 = conv(512, 1)
  stage = repeat 3 { conv = conv(512, 3, pad=1, act=relu) }
  gap1 = gap
  fc = dense(4)
  softmax1 = softmax
}
data Any { source = idx("any")  classes = 4  batch = 1 }
train Net on Any { optimizer = sgd(lr=0.1)  epochs = 1 }
"""
WEIGHTS = 3 * 512 * 512 * 9 * 4


class OnlyPredict(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        pathlib.Path(self.folder.name, "net.cnn").write_text(SPEC)

    def answers(self, *orders):
        command = [CNNC, "bench", "net.cnn", "--orders", "--threads", "2"]
        result = subprocess.run(command, input="\n".join(orders) + "\nquit\n", capture_output=True, text=True, cwd=self.folder.name, timeout=300,
                                env={**os.environ, "CNNC_CACHE": str(pathlib.Path(self.folder.name) / "cache")})
        self.assertEqual(result.returncode, 0, result.stderr)
        return [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")][1:]

    def test_memory_is_given_back(self):
        # Within a process: how much more there is after predictions than when there were only the weights. What activations and scratch
        # take is the same in each.
        def grown(*orders):
            before, after = [answer for answer in self.answers("memory", *orders, "memory") if "resident" in answer]
            return after["resident"] - before["resident"], after["peak"] - before["resident"]

        usual, _ = grown("predict 2 1")
        alone, most = grown("only_predict", "predict 2 1")
        later, _ = grown("predict 2 1", "only_predict", "predict 2 1")
        self.assertGreater(usual, 0.95 * WEIGHTS)
        self.assertLess(alone, usual - 0.9 * WEIGHTS)
        self.assertLess(later, usual - 0.9 * WEIGHTS)
        # As weights are prepared, one layer after the other, there is never more than one of the three twice.
        self.assertLess(most, usual - 0.6 * WEIGHTS)

    def test_what_would_read_lost_weights_is_refused(self):
        answers = self.answers("only_predict", "predict 1 1", "train 1 1", "save weights.safetensors", "predict 1 1")
        self.assertIn("only predicts", answers[2]["error"])
        self.assertIn("only predicts", answers[3]["error"])
        self.assertIn("seconds", answers[4])
        self.assertFalse(pathlib.Path(self.folder.name, "weights.safetensors").exists())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[2:])
