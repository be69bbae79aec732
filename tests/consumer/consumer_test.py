#!/usr/bin/python3
"""A project of somebody else's against an installed cnnc: it builds, runs, and rebuilds what changed and nothing else.

All paths have blanks in them, and the installed tree is moved before it is used.
"""
import argparse
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
# Stands before the compiler and notes what is compiled.
LAUNCHER = '#!/bin/sh\nfor word; do case "$word" in *.cpp) echo "$word" >> "{log}" ;; esac; done\nexec "$@"\n'


def run(*command, **options):
    """The output of a command that must succeed."""
    ended = subprocess.run([str(word) for word in command], text=True, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, **options)
    if ended.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\nended with {ended.returncode}:\n{ended.stdout}")
    return ended.stdout


def require(holds, text):
    if not holds:
        sys.exit(f"failed: {text}")


def write_images(folder):
    """40 images of stripes, across and upright, as IDX files."""
    folder.mkdir()
    for part, count in (("train", 40), ("t10k", 10)):
        pixels = bytes(255 * (((row, column)[image % 2] + image // 2) % 4 < 2)
                       for image in range(count) for row in range(8) for column in range(8))
        (folder / f"{part}-images-idx3-ubyte").write_bytes(struct.pack(">IIII", 0x803, count, 8, 8) + pixels)
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">II", 0x801, count) +
                                                           bytes(image % 2 for image in range(count)))


class Consumer:
    def __init__(self, options, folder):
        self.options = options
        self.prefix = folder / "the prefix"
        self.source = folder / "a project"
        self.build_folder = folder / "a project" / "built here"
        self.log = folder / "compiled.log"
        run(options.cmake, "--install", options.build, "--prefix", folder / "another place")
        (folder / "another place").rename(self.prefix)
        shutil.copytree(HERE / "project", self.source)
        write_images(self.source / "specs/images")
        launcher = folder / "launcher"
        launcher.write_text(LAUNCHER.format(log=self.log))
        launcher.chmod(0o755)
        self.configured = run(
            options.cmake, "-G", options.generator, "-S", self.source, "-B", self.build_folder,
            f"-DCMAKE_PREFIX_PATH={self.prefix}", f"-DCMAKE_CXX_COMPILER={options.compiler}",
            f"-DCMAKE_CXX_COMPILER_LAUNCHER={launcher}", "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Werror")

    def build(self):
        """What the build says, and the names of the files it compiled."""
        self.log.write_text("")
        output = run(self.options.cmake, "--build", self.build_folder, "--parallel", "2")
        return output, sorted(pathlib.Path(line).name for line in self.log.read_text().splitlines())

    def require_nothing_to_do(self, when):
        stamps = {stamp: stamp.stat().st_mtime_ns for stamp in self.build_folder.rglob("*.stamp")}
        require(len(stamps) == 2, f"two models, not the stamps {stamps}")
        output, compiled = self.build()
        require(compiled == [], f"{when}: a build without a change compiles {compiled}")
        require(all(stamp.stat().st_mtime_ns == age for stamp, age in stamps.items()),
                f"{when}: a build without a change generates:\n{output}")
        if self.options.generator == "Ninja":
            require("no work to do" in output, f"{when}: ninja has work to do:\n{output}")
        else:
            require("Building" not in output and "Linking" not in output, f"{when}: make has work to do:\n{output}")

    def run_app(self):
        """The two losses that the program prints."""
        output = run(self.build_folder / "app", self.source / "two steps.safetensors")
        losses = re.search(r"^losses (\S+) (\S+)$", output, re.MULTILINE)
        require(losses is not None, f"no losses in\n{output}")
        require(losses.group(1) != losses.group(2), f"two steps did not change the loss:\n{output}")
        return losses.groups()


def edit(file, before, after):
    text = file.read_text()
    require(before in text, f"{file} has no '{before}'")
    time.sleep(0.02)  # file systems tell ages apart by some milliseconds
    file.write_text(text.replace(before, after))


USERS_OF_HEADER = ["main.cpp", "stripes.cpp", "stripes_main.cpp"]


def test_first_build(consumer):
    _, compiled = consumer.build()
    require(compiled == sorted(USERS_OF_HEADER + ["squares.cpp"]), f"the first build compiles {compiled}")
    losses = consumer.run_app()
    consumer.require_nothing_to_do("after the first build")
    return losses


def test_executables(consumer):
    usage = run(consumer.build_folder / "stripes_train", "--help")
    require(usage.startswith("usage: stripes_train [OPTIONS]"), f"stripes_train --help says\n{usage}")
    output = run(consumer.build_folder / "stripes_train", "--root", consumer.source / "specs", "--threads", "1",
                 cwd=consumer.source)
    require((consumer.source / "stripes-run/last.safetensors").exists(), f"stripes_train keeps no weights:\n{output}")
    require("next      stripes_eval" in output, f"stripes_train does not say how to go on:\n{output}")


def test_changes(consumer, losses):
    spec = consumer.source / "specs/stripes.cnn"
    edit(spec, "# Which way do", "# In which direction do")
    output, compiled = consumer.build()
    require("Generating the C++ of stripes" in output, f"an edited spec is not read again:\n{output}")
    require(compiled == [], f"another comment compiles {compiled}")
    consumer.require_nothing_to_do("after a change that changes no C++")
    edit(spec, "momentum=0.9", "momentum=0.5")
    _, compiled = consumer.build()
    require(compiled == ["stripes.cpp"], f"a change of what only the .cpp holds compiles {compiled}")
    edit(spec, "channels = 4", "channels = 6")
    _, compiled = consumer.build()
    require(compiled == USERS_OF_HEADER, f"a change of the header compiles {compiled}")
    require(consumer.run_app() != losses, "a wider network has the same losses")
    consumer.require_nothing_to_do("after a change of the spec")


def test_mistake(consumer):
    """A spec that is wrong stops the build at its line, and once it is right again, nothing is compiled anew."""
    spec = consumer.source / "specs/stripes.cnn"
    edit(spec, "flatten", "flaten")
    ended = subprocess.run([consumer.options.cmake, "--build", consumer.build_folder], text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    require(ended.returncode != 0 and "specs/stripes.cnn:" in ended.stdout and "flaten" in ended.stdout,
            f"a mistake in the spec goes unnoticed:\n{ended.stdout}")
    edit(spec, "flaten", "flatten")
    require(consumer.build()[1] == [], "a mended spec compiles what did not change")


def test_imports(consumer):
    shutil.copytree(HERE / "with_import", consumer.source / "specs", dirs_exist_ok=True,
                    copy_function=shutil.copyfile)  # not as old as the copied files: they must be newer than the build
    consumer.build()
    losses = consumer.run_app()
    consumer.require_nothing_to_do("with an import")
    stem = consumer.source / "specs/parts/the stem.cnn"
    edit(stem, "conv(channels, 3", "conv(channels, 5")
    _, compiled = consumer.build()
    require("stripes.cpp" in compiled, "a change of an imported file does not rebuild")
    require(consumer.run_app() != losses, "a change of an imported file changes no losses")
    consumer.require_nothing_to_do("after a change of an imported file")
    edit(stem, "cnn 1\n", "cnn 1\n# No change to what it means.\n")
    output, _ = consumer.build()
    require("Generating the C++ of stripes" in output, f"an edited import is not read again:\n{output}")
    consumer.require_nothing_to_do("after a comment in an imported file")


def test_headers(consumer):
    """Each installed header compiles by itself, with nothing but the installed tree."""
    include = consumer.prefix / "include"
    headers = sorted(header.relative_to(include) for header in include.rglob("*.hpp"))
    require(len(headers) > 20, f"only {len(headers)} headers are installed")
    for order in (headers, headers[::-1]):
        text = "".join(f"#include <{header}>\n" for header in order)
        run(consumer.options.compiler, "-std=c++20", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", f"-I{include}",
            "-x", "c++", "-", input=text)


def test_installed_cnnc(consumer):
    """The installed compiler builds programs with the installed runtime."""
    environment = {**os.environ, "CNNC_CACHE": str(consumer.source / "cache"), "CXX": consumer.options.compiler}
    output = run(consumer.prefix / "bin/cnnc", "train", consumer.source / "specs/stripes.cnn", "--epochs", "1",
                 "--out", consumer.source / "by cnnc", env=environment, cwd=consumer.source)
    require((consumer.source / "by cnnc/last.safetensors").exists(), f"the installed cnnc trains nothing:\n{output}")
    description = (consumer.prefix / "share/cnnc/runtime.json").read_text()
    for folder in (consumer.options.build, HERE.parents[1]):
        require(str(folder) not in description, f"share/cnnc/runtime.json names {folder}:\n{description}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("cmake", "build", "generator", "compiler"):
        parser.add_argument(f"--{name}", required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cnnc consumer ") as folder:
        consumer = Consumer(options, pathlib.Path(folder))
        losses = test_first_build(consumer)
        test_executables(consumer)
        test_changes(consumer, losses)
        test_mistake(consumer)
        test_imports(consumer)
        if options.generator == "Ninja":
            test_headers(consumer)
            test_installed_cnnc(consumer)
    print(f"{options.generator}: builds, runs, rebuilds what changed and nothing else")


if __name__ == "__main__":
    main()
