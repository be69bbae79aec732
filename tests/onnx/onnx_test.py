#!/usr/bin/python3
"""An exported network is a valid ONNX model, and a runtime that is not ours computes what our program computes.

  onnx_test.py CNNC SPEC MODEL SAMPLE MODULES

SAMPLE writes random weights, images and our predictions. ONNX's checker (python3-onnx) judges the file; ONNX Runtime, as the
npm package onnxruntime-node in MODULES, runs it. Exit code 77 where the checker or the runtime is missing: skipped.
"""
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "parity"))
try:
    import numpy as np
    import onnx
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)
import safetensors_file

HERE = pathlib.Path(__file__).resolve().parent
LIMIT = 1e-4  # of the largest probability


def main():
    cnnc, spec, model, sample, modules = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        weights, exported = folder / "weights.safetensors", folder / "model.onnx"
        subprocess.run([sample, weights], check=True)
        subprocess.run([cnnc, "export", spec, weights, "-o", exported, "--model", model], check=True, stderr=subprocess.DEVNULL)
        onnx.checker.check_model(str(exported), full_check=True)
        known = safetensors_file.load(weights)
        images, ours = known["images"], known["predictions"]
        if not (pathlib.Path(modules) / "onnxruntime-node").exists():
            print(f"skipped: valid, but there is no onnxruntime-node in {modules} to run it")
            return 77
        images.astype("<f4").tofile(folder / "images")
        shape = "x".join(map(str, images.shape))
        subprocess.run(["node", HERE / "run_onnx.js", modules, exported, folder / "images", shape, folder / "output"], check=True)
        theirs = np.fromfile(folder / "output", "<f4").reshape(ours.shape)
    error = np.abs(ours - theirs).max() / np.abs(theirs).max()
    varies = np.abs(theirs - theirs.mean(axis=0)).max() / np.abs(theirs).max()
    print(f"{model}: largest error {error:.1e} of the largest output; images differ by {varies:.1e}")
    if varies < 10 * LIMIT:
        print("the outputs hardly depend on the image, so they prove nothing")
        return 1
    return 0 if error <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
