#!/usr/bin/python3
"""A spec with pictures, from its text to class names: trains, evaluates, predicts.

  picture_training_test.py CNNC
"""
import csv
import json
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import unittest

try:
    from PIL import Image
except ImportError:
    print("needs Debian's python3-pil")
    sys.exit(77)

CNNC = sys.argv[1]
COLORS = {"blue": (30, 60, 200), "green": (40, 190, 50), "red": (200, 40, 40)}
SPEC = """cnn 1
model Colors {
  input 3x16x16
  conv(8, 3, stride=2, pad=1, act=relu)
  gap
  dense(3)
  softmax
}
data Swatches {
  source = SOURCE
  classes = CLASSES
  prepare { resize(short=18) -> center_crop(16x16) -> normalize(imagenet) }
  augment { hflip vflip(p=0.2) rotate(10) shift(0.1) zoom(0.1) brightness(0.1) contrast(0.1) random_crop(16x16, pad=2) }
}
train Colors on Swatches {
  epochs = 1
  batch = 8
  seed = 1
  optimizer = adam(lr=0.03)
  checkpoint("best.safetensors", monitor=val_accuracy)
}
"""


def swatch(color, numbers):
    width, height = numbers.randint(14, 40), numbers.randint(14, 40)
    picture = Image.new("RGB", (width, height))
    picture.putdata([tuple(min(255, max(0, v + numbers.randint(-60, 60))) for v in COLORS[color]) for _ in range(width * height)])
    return picture


def write_swatches(folder, count):
    numbers = random.Random(1)
    for color in COLORS:
        (folder / color).mkdir(parents=True)
        for i in range(count):
            swatch(color, numbers).save(folder / color / f"{i}.{'jpg' if i % 2 else 'png'}")


class Training(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        write_swatches(cls.folder / "colors", 30)
        cls.write_spec("colors", 'folder("colors", val=0.2, test=0.2)', "3")
        cls.run_cnnc("train", "colors.cnn")

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    @classmethod
    def write_spec(cls, name, source, classes):
        (cls.folder / f"{name}.cnn").write_text(SPEC.replace("SOURCE", source).replace("CLASSES", classes))

    @classmethod
    def run_cnnc(cls, *arguments, code=0):
        done = subprocess.run([CNNC, *map(str, arguments)], cwd=cls.folder, capture_output=True, text=True)
        assert done.returncode == code, f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout if code == 0 else done.stderr

    def rows(self, run):
        """Of metrics.csv, without the time that an epoch took."""
        with open(self.folder / run / "metrics.csv") as stream:
            return [{key: value for key, value in row.items() if key != "seconds"} for row in csv.DictReader(stream)]

    def test_learns_colours(self):
        result = json.loads(self.run_cnnc("eval", "colors.cnn", "--json"))
        self.assertEqual(result["images"], 18)
        self.assertGreater(result["accuracy"], 0.8)

    def test_threads_change_nothing(self):
        for threads in (1, 3):
            self.run_cnnc("train", "colors.cnn", "--out", f"run{threads}", "--threads", threads)
            self.assertEqual(self.rows(f"run{threads}"), self.rows("colors-run"))
            weights = [(self.folder / run / "last.safetensors").read_bytes() for run in (f"run{threads}", "colors-run")]
            self.assertEqual(*weights)

    def test_predicts_names(self):
        numbers = random.Random(2)
        files = []
        for mode, name in (("RGB", "a.jpg"), ("RGBA", "b.png"), ("P", "c.png"), ("CMYK", "d.jpg")):
            for color in COLORS:
                picture = swatch(color, numbers)
                files.append((f"{color}-{name}", color))
                (picture.quantize() if mode == "P" else picture.convert(mode)).save(self.folder / files[-1][0])
        names = [name for name, _ in files]
        text = self.run_cnnc("predict", "colors.cnn", *names).splitlines()
        self.assertEqual(len(text), len(files))
        for (name, color), line in zip(files, text):
            self.assertTrue(line.startswith(f"{name}  {color} "), line)
        predictions = json.loads(self.run_cnnc("predict", "colors.cnn", "--json", "--top", 2, *names))["predictions"]
        self.assertEqual([(one["file"], one["classes"][0]["class"]) for one in predictions], files)
        self.assertEqual({len(one["classes"]) for one in predictions}, {2})

    def test_damaged_pictures_are_named(self):
        whole = (self.folder / "colors" / "red" / "1.jpg").read_bytes()
        (self.folder / "half.jpg").write_bytes(whole[: len(whole) // 2])
        self.assertIn("half.jpg: is a JPEG picture that is truncated or damaged", self.run_cnnc("predict", "colors.cnn", "half.jpg", code=1))
        self.assertIn("none.jpg: not found", self.run_cnnc("predict", "colors.cnn", "none.jpg", code=1))

    def test_weights_and_data_must_have_the_same_classes(self):
        shutil.copytree(self.folder / "colors", self.folder / "other")
        (self.folder / "other" / "red").rename(self.folder / "other" / "crimson")
        message = self.run_cnnc("eval", "colors.cnn", "--data", "other", code=1)
        self.assertIn("the classes when these weights were trained are not those of the data\n"
                      "  file: blue, green, red\n  data: blue, crimson, green", message)

    def test_a_list_trains_as_its_folder_does(self):
        lines = [f'"{path.relative_to(self.folder)}",{path.parent.name}'
                 for color in sorted(COLORS) for path in sorted((self.folder / "colors" / color).iterdir())]
        (self.folder / "labels.csv").write_text("path,class\n" + "\n".join(lines) + "\n")
        self.write_spec("listed", 'list("labels.csv", val=0.2, test=0.2)', '["blue", "green", "red"]')
        self.run_cnnc("train", "listed.cnn")
        self.assertEqual(self.rows("listed-run"), self.rows("colors-run"))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
