#!/usr/bin/python3
"""The mistakes of people who come from PyTorch and Keras: one error each, at the right column, with the right help.

  habits_test.py CNNC

The list is habits.tsv, beside this file.
"""
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

CNNC = sys.argv[1]
LIST = pathlib.Path(__file__).parent / "habits.tsv"


def spec(where, line):
    if where == "model":
        return f"cnn 1\nmodel M {{\n  input 3x32x32\n  {line}\n}}\n"
    if where == "data":
        source = "" if line.startswith("source") else 'source = idx("d") '
        return f"cnn 1\ndata D {{ {source}classes = 4\n  {line}\n}}\n"
    optimizer = "" if line.startswith("optimizer") else " optimizer = adam(lr=1e-3)"
    return ("cnn 1\nmodel M { input 1x8x8 flatten -> dense(4) -> softmax }\n"
            'data D { source = idx("d", val=0.1) classes = 4 batch = 2 }\n'
            f"train M on D {{ epochs = 1{optimizer}\n  {line}\n}}\n")


class Habits(unittest.TestCase):
    def test_each_is_caught_at_its_column_with_its_help(self):
        rows = [line.split("\t") for line in LIST.read_text().splitlines() if not line.startswith("#")]
        self.assertGreaterEqual(len(rows), 40)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "net.cnn"
            for where, line, column, help_text in rows:
                with self.subTest(f"{where}: {line}"):
                    path.write_text(spec(where, line))
                    result = subprocess.run([CNNC, "check", str(path)], capture_output=True, text=True, timeout=20)
                    self.assertEqual(result.returncode, 1, result.stderr)
                    errors = [part for part in result.stderr.split("\n\n") if part.startswith("error")]
                    self.assertEqual(len(errors), 1, result.stderr)
                    place = re.search(r"net\.cnn:(\d+):(\d+)", errors[0])
                    written = path.read_text().splitlines()[int(place.group(1)) - 1]
                    self.assertEqual(written.strip(), line)
                    self.assertEqual(place.group(2), column, result.stderr)
                    self.assertTrue(help_text)
                    self.assertIn(f"help: {help_text}\n", result.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
