#!/usr/bin/python3
"""Compiles the kernels for 64-bit ARM and runs some of them in qemu. Ends with 77 where a tool is missing, and says which."""
import argparse
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "dispatch"))
from dispatch_test import SKIPPED, expect_close, run, values  # noqa: E402


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cmake", required=True)
    parser.add_argument("--build", required=True)
    parser.add_argument("--program", required=True, help="the same kernels for this processor")
    options = parser.parse_args()
    if not shutil.which("aarch64-linux-gnu-g++"):
        print("skipped: there is no aarch64-linux-gnu-g++ (Debian's g++-aarch64-linux-gnu)")
        return SKIPPED
    toolchain = HERE.parents[1] / "cmake/arm64.cmake"
    generator = ["-G", "Ninja"] if shutil.which("ninja") else []
    subprocess.run([options.cmake, "--toolchain", toolchain, *generator, "-S", HERE / "kernels", "-B", options.build], check=True)
    subprocess.run([options.cmake, "--build", options.build], check=True)
    emulator = shutil.which("qemu-aarch64")
    if not emulator:
        print("compiled; skipped: there is no qemu-aarch64 (Debian's qemu-user)")
        return SKIPPED
    expected = values(run(options.program))
    for threads in (1, 2, 4):
        result = run(f"{options.build}/kernels_program", threads, emulator=[emulator, "-L", "/usr/aarch64-linux-gnu"])
        got = values(result)
        assert result.stderr.decode().strip().startswith("aarch64"), result.stderr
        if threads == 1:
            one = got
            expect_close(got, expected, "arm64")
        assert got == one, f"{threads} threads"
    return 0


if __name__ == "__main__":
    sys.exit(main())
