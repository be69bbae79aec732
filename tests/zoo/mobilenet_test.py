#!/usr/bin/python3
"""A real network with real weights on real pictures: MobileNet v1 0.75, trained on ImageNet by its authors.

  mobilenet_test.py CNNC PROJECT

`predict` finds the Samoyed in dog.jpg; `eval` on a hundred pictures of a hundred classes reaches 82 % top-1 and 97 % top-5, within
one point each. Weights and pictures stand in ../shared/data. Exit code 77 where they are missing: skipped.
"""
import csv
import json
import pathlib
import subprocess
import sys
import tempfile

CNNC, PROJECT = sys.argv[1], pathlib.Path(sys.argv[2])
DATA = PROJECT.parent / "shared" / "data"
WEIGHTS = DATA / "mobilenet_v1_0.75" / "mobilenet_v1_0.75_imagenet.safetensors"


def unique_names():
    """The classes in ImageNet's order; two names stand for two classes each, a bird and a machine, a swimsuit and a swimsuit."""
    lines = (DATA / "images" / "imagenet_classes.txt").read_text().split("\n")
    names = [line.strip() for line in lines if line.strip()]
    return [f"{name} {i}" if names.count(name) > 1 else name for i, name in enumerate(names)]


def labelled(pictures, names):
    """Each picture's class: its file is called after the class, and files sort as ImageNet's classes do."""
    last, rows = -1, []
    for picture in sorted(pictures):
        label = picture.stem.split("_", 1)[1].replace("_", " ").lower()
        matching = [i for i, name in enumerate(names) if i > last and name.rstrip("0123456789").strip().lower() == label]
        last = matching[0]
        rows.append((picture, names[last]))
    return rows


def run(*arguments, folder):
    result = subprocess.run([CNNC, *map(str, arguments)], capture_output=True, text=True, cwd=folder)
    if result.returncode != 0:
        sys.exit(f"cnnc {arguments[0]}: exit code {result.returncode}\n{result.stderr}")
    return json.loads(result.stdout)


def main():
    if not WEIGHTS.exists():
        print(f"skipped: {WEIGHTS} is missing")
        return 77
    names = unique_names()
    assert len(names) == 1000 == len(set(names))
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        with open(folder / "labels.csv", "w", newline="") as file:
            csv.writer(file).writerows(labelled((DATA / "imagenet_samples").iterdir(), names))
        quoted = ", ".join(json.dumps(name, ensure_ascii=False) for name in names)
        (folder / "pictures.cnn").write_text(f"""cnn 1
import MobileNet75 from "{PROJECT / 'specs' / 'mobilenet.cnn'}"
data Samples {{
  source = list("labels.csv")
  classes = [{quoted}]
  prepare {{ resize(short=256) -> center_crop(224x224) -> normalize(mean=[0.5, 0.5, 0.5], std=[0.5, 0.5, 0.5]) }}
  batch = 20
}}
train MobileNet75 on Samples {{
  metrics = [accuracy, top5]
  optimizer = sgd(lr=0.1)
  epochs = 1
}}
""")
        dog = run("predict", "pictures.cnn", DATA / "images" / "dog.jpg", "--weights", WEIGHTS, "--json", folder=folder)
        best = dog["predictions"][0]["classes"][0]
        figures = run("eval", "pictures.cnn", "--weights", WEIGHTS, "--part", "train", "--json", folder=folder)
    print(json.dumps(best), json.dumps(figures))
    metrics = {name: value for name, value in flat(figures)}
    top1, top5 = metrics["accuracy"], metrics["top5"]
    print(f"dog.jpg: {best}; top-1 {top1}, top-5 {top5}")
    well = best["class"] == "Samoyed" and abs(top1 - 0.82) <= 0.0101 and abs(top5 - 0.97) <= 0.0101
    return 0 if well else 1


def flat(value):
    for name, each in value.items():
        yield from flat(each) if isinstance(each, dict) else [(name, each)]


if __name__ == "__main__":
    sys.exit(main())
