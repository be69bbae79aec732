#!/usr/bin/python3
"""PyTorch's side of a measurement: a process that answers orders, as a program's `bench --orders` does (README.md).

  torch_side.py NETWORK IMAGES [--threads N] [--variant NAME] [--size N]

Beyond our programs' orders it knows `choose train|predict IMAGES`, which tries every way PyTorch has of doing that work
(memory format; for inference also a traced, frozen graph with batch normalisation folded) and keeps the quickest.
"""
import argparse
import copy
import json
import sys
import time
import warnings


def status_bytes(name):
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith(name + ":"):
                return 1024 * int(line.split()[1])
    return 0


import torch                       # noqa: E402
import torch.nn as nn              # noqa: E402
import torchvision.models as zoo   # noqa: E402
import networks                    # noqa: E402
import small_networks              # noqa: E402

VARIANTS = {"train": ["contiguous", "channels_last"], "predict": ["contiguous", "channels_last", "frozen"]}
LONG = 2  # seconds of a run that is not tried again


class Side:
    def __init__(self, options):
        torch.manual_seed(1)
        torch.set_num_threads(options.threads)
        torch.set_flush_denormal(True)
        self.bare = status_bytes("VmHWM")
        self.network = networks.find(options.network)
        self.net = self.make()
        channels, height, width = self.network.input
        if options.size:
            height = width = options.size
        self.images = torch.randn(options.images, channels, height, width)
        self.labels = torch.arange(options.images) % self.network.classes
        self.variant = options.variant or "contiguous"
        self.runs = {}

    def make(self):
        name = self.network.peer
        if not hasattr(zoo, name):
            return getattr(small_networks, name)()
        quick = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
        heads = {"aux_logits": True} if self.network.heads else {}
        return getattr(zoo, name)(**quick, **heads)

    def parameters(self):
        """Numbers that learn, without the auxiliary heads'."""
        def count(tensors):
            return sum(tensor.numel() for name, tensor in tensors if tensor.is_floating_point())
        heads = count((name, tensor) for name, tensor in self.net.named_parameters() if name.lower().startswith("aux"))
        return {"parameters": count(self.net.named_parameters()) - heads}

    def train(self, count, variant):
        """A function that takes a step."""
        net, images, labels = self.net.train(), self.images[:count], self.labels[:count]
        if variant == "channels_last":
            net, images = net.to(memory_format=torch.channels_last), images.contiguous(memory_format=torch.channels_last)
        else:
            net = net.to(memory_format=torch.contiguous_format)
        optimizer = torch.optim.SGD(net.parameters(), lr=0.001, momentum=0.9)
        loss_of = nn.CrossEntropyLoss()

        def step():
            optimizer.zero_grad(set_to_none=True)
            output = net(images)
            outputs = [output] if torch.is_tensor(output) else [each for each in output if each is not None]
            loss = loss_of(outputs[0], labels)
            for head in outputs[1:]:
                loss = loss + self.network.heads * loss_of(head, labels)
            loss.backward()
            optimizer.step()
        return step

    def predict(self, count, variant):
        """A function that predicts."""
        net, images = self.net.eval(), self.images[:count]
        with torch.no_grad():
            if variant == "channels_last":
                net, images = net.to(memory_format=torch.channels_last), images.contiguous(memory_format=torch.channels_last)
            elif variant == "frozen":
                still = copy.deepcopy(net).to(memory_format=torch.contiguous_format)
                net = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(still, images)))
            else:
                net = net.to(memory_format=torch.contiguous_format)

        def run():
            with torch.inference_mode():
                torch.softmax(net(images), 1)
        return run

    def run_of(self, work, count):
        key = work, count
        if key not in self.runs:
            self.runs[key] = getattr(self, work)(count, self.variant)
        return self.runs[key]

    def timed(self, work, runs, count):
        run = self.run_of(work, count)
        start = time.perf_counter()
        for _ in range(runs):
            run()
        return {"seconds": time.perf_counter() - start}

    def choose(self, work, count):
        """The quickest variant, which is then warm: by the better of two runs, or of three where they are short."""
        seconds = {}
        for variant in VARIANTS[work]:
            self.variant, self.runs = variant, {}
            try:
                first, second = (self.timed(work, 1, count)["seconds"] for _ in range(2))
                third = self.timed(work, 1, count)["seconds"] if second < LONG else second
                seconds[variant] = min(first, second, third)
            except RuntimeError as error:
                print(f"{self.network.name}, {variant}: {error}", file=sys.stderr)
        if self.variant != min(seconds, key=seconds.get):
            self.variant, self.runs = min(seconds, key=seconds.get), {}
            self.timed(work, 1, count)
        return {"variant": self.variant, "tried": seconds}

    def answer(self, order):
        word, *rest = order.split()
        if word in ("train", "predict"):
            return self.timed(word, int(rest[0]), int(rest[1]))
        if word == "choose":
            return self.choose(rest[0], int(rest[1]))
        if word == "memory":
            return {"peak": status_bytes("VmHWM"), "resident": status_bytes("VmRSS"), "bare": self.bare}
        if word == "parameters":
            return self.parameters()
        raise ValueError(f"unknown order '{word}'")


def main():
    parser = argparse.ArgumentParser(description="PyTorch's side of a measurement.")
    parser.add_argument("network")
    parser.add_argument("images", type=int)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--variant")
    parser.add_argument("--size", type=int, help="height and width of the images, in place of the network's own")
    warnings.filterwarnings("ignore")  # tracing warns of every branch
    side = Side(parser.parse_args())
    print(json.dumps({"ready": side.network.name}), flush=True)
    for line in sys.stdin:
        if line.strip() == "quit":
            break
        try:
            answer = side.answer(line)
        except Exception as error:  # whatever it is, the other end waits for an answer
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
