"""The sides of a measurement as processes that take orders: ours, PyTorch's, ONNX Runtime's."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ZOO = HERE / "zoo.cnn"


class Missing(Exception):
    """A peer that is not there, or has no such network."""


class Failed(Exception):
    """A side that could not do what was asked."""


class Side:
    """A process that answers a line of JSON to each order; `start` is what it took until it was ready."""

    def __init__(self, name, command, environment=None):
        self.name, self.variant = name, ""
        self.errors = tempfile.TemporaryFile(mode="w+")
        self.begun = time.perf_counter()
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        stderr=self.errors, env={**os.environ, **(environment or {})})
        self.read()
        self.start = time.perf_counter() - self.begun

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            self.errors.seek(0)
            raise Failed(f"{self.name} ended with code {self.process.returncode}: {self.errors.read()[-2000:]}")
        answer = json.loads(line)
        if "error" in answer:
            raise Failed(f"{self.name}: {answer['error']}")
        return answer

    def does_only(self, order):
        """Nothing else will be ordered, as of a command that does one thing: where ours only predicts, it keeps weights once."""
        if self.name == "cnnc" and order == "predict":
            self.ask("only_predict")

    def ask(self, order):
        self.process.stdin.write(order + "\n")
        self.process.stdin.flush()
        return self.read()

    def seconds(self, work, runs, images):
        """Of one run, the mean over `runs`."""
        return self.ask(f"{work} {runs} {images}")["seconds"] / runs

    def close(self):
        try:
            self.process.communicate("quit\n", timeout=20)
        except (subprocess.TimeoutExpired, OSError):
            self.process.kill()
            self.process.wait()
        self.errors.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Makers:
    """Starts sides; knows where the tools and the built programs are."""

    def __init__(self, cnnc, threads, modules, spec=ZOO):
        self.cnnc, self.threads, self.modules, self.spec = pathlib.Path(cnnc).resolve(), threads, pathlib.Path(modules), spec
        self.cache = pathlib.Path(os.environ.get("CNNC_CACHE", pathlib.Path.home() / ".cache/cnnc")) / "bench"
        self.folder = tempfile.TemporaryDirectory()
        self.built = {}

    def environment(self, network):
        # A folder for each network: one for all would drop what was used longest ago.
        return {"CNNC_CACHE": str(self.cache / network.model)}

    def ours(self, network, batch, settings=()):
        command = [self.cnnc, "bench", self.spec, "--model", network.model, "--set", f"batch={batch}", *settings,
                   "--orders", "--threads", self.threads]
        key = network.model, batch, tuple(settings)
        if key not in self.built:
            with Side("cnnc", command, self.environment(network)) as first:
                self.built[key] = first.start
            with Side("cnnc", command, self.environment(network)) as again:
                self.built[key] -= again.start
        return Side("cnnc", command, self.environment(network))

    def build_seconds(self, network, batch):
        """What building the program took beyond starting it; near 0 where it was built before."""
        return self.built[network.model, batch, ()]

    def torch(self, network, batch, variant=None, size=None):
        if not network.peer:
            raise Missing("PyTorch has none")
        if subprocess.run([sys.executable, "-c", "import torch, torchvision"], capture_output=True).returncode != 0:
            raise Missing("python3-torch or python3-torchvision is not installed")
        extra = (["--variant", variant] if variant else []) + (["--size", size] if size else [])
        side = Side("PyTorch", [sys.executable, HERE / "torch_side.py", network.name, batch, "--threads", self.threads, *extra])
        side.variant = variant or ""
        return side

    def exported(self, network):
        """The network as an ONNX file, with the values it begins with."""
        file = pathlib.Path(self.folder.name) / f"{network.model}.onnx"
        if not file.exists():
            weights = file.with_suffix(".safetensors")
            with self.ours(network, 1) as side:
                side.ask(f"save {weights}")
            export = [self.cnnc, "export", self.spec, weights, "-o", file, "--model", network.model]
            subprocess.run([str(word) for word in export], check=True, capture_output=True)
            weights.unlink()
        return file

    def onnx(self, network, batch):
        if not (self.modules / "onnxruntime-node").exists():
            raise Missing(f"no onnxruntime-node in {self.modules}: ./bootstrap test installs it")
        if shutil.which("node") is None:
            raise Missing("node is not installed")
        shape = "x".join(map(str, network.input))
        return Side("ONNX Runtime", ["node", HERE / "onnx_side.js", self.modules, self.exported(network), shape, batch, self.threads])

    def summary(self, network, batch=1, settings=()):
        """What `cnnc summary --json` knows."""
        command = [self.cnnc, "summary", self.spec, "--model", network.model, "--set", f"batch={batch}", *settings, "--json",
                   "--threads", self.threads]
        return json.loads(subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True).stdout)
