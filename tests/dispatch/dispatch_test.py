#!/usr/bin/python3
"""One library for several instruction sets. Ends with 77 where a promise can't be tested here, and says why."""
import argparse
import array
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SETS = ["x86-64", "x86-64-v3", "x86-64-v4"]
ALL_SETS = [*SETS, "x86-64-v4-amx"]  # with that of the kernels for v4 which multiply tiles of bf16 numbers
TOLERANCE = 1e-5
SKIPPED = 77
SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "cmake/dispatch_table.cmake"
# Registers of AVX, or an instruction in its encoding: all of them begin with v, and none of the others but VERR and VERW do.
AVX = re.compile(r"\t(v(?!err|erw)[a-z0-9]+)\b|%[yz]mm\d")


class Skip(Exception):
    pass


def run(program, threads=1, instructions=None, emulator=()):
    environment = {name: value for name, value in os.environ.items() if name != "CNN_INSTRUCTIONS"}
    if instructions:
        environment["CNN_INSTRUCTIONS"] = instructions
    return subprocess.run([*emulator, program, str(threads)], env=environment, capture_output=True, timeout=100)


def values(result):
    assert result.returncode == 0, result.stderr.decode()
    assert len(result.stdout) > 10000, "hardly a result"
    return array.array("f", result.stdout)


def available(program):
    """The sets that can run here."""
    return [name for name in ALL_SETS if run(program, instructions=name).returncode == 0]


def expect_close(got, expected, what):
    assert len(got) == len(expected), what
    scale = max(abs(value) for value in expected)
    assert 0.1 < scale < 1e4, f"{what}: the largest is {scale}"
    worst = max(abs(a - b) / max(1.0, abs(b)) for a, b in zip(got, expected))
    assert worst <= TOLERANCE, f"{what}: off by {worst}"
    print(f"{what}: within {worst:.1e} of the larger of 1 and each of {len(got)} values")


def archive(options):
    """All sets are there, and no others' code has an instruction of AVX."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["ar", "x", os.path.abspath(options.library)], cwd=folder, check=True)
        found = {}
        for member in sorted(os.listdir(folder)):
            path = os.path.join(folder, member)
            code = subprocess.run(["objdump", "-d", "--no-show-raw-insn", path], capture_output=True, text=True, check=True).stdout
            names = subprocess.run(["nm", "--defined-only", path], capture_output=True, text=True, check=True).stdout
            found[member] = sum(1 for line in code.splitlines() if AVX.search(line)), names
    suffixes = {name: name.replace("-", "_") for name in SETS}
    for name, suffix in suffixes.items():
        count, names = found[suffix + ".o"]
        kernels = [line.split()[2] for line in names.splitlines() if line.split()[1] == "T"]
        others = [line for line in names.splitlines() if line.split()[1] in "WVuBD"]
        assert len(kernels) >= 10 and all(kernel.endswith("." + suffix) for kernel in kernels), (name, kernels)
        assert not others, f"{name} shares with the rest of the program: {others}"
        assert (count > 100) == (name != "x86-64"), f"{count} instructions of AVX in the kernels for {name}"
        print(f"{name}: {len(kernels)} kernels, {count} instructions of AVX")
    rest = {member: count for member, (count, _) in found.items() if member not in [s + ".o" for s in suffixes.values()]}
    assert len(rest) >= 4, rest
    wrong = {member: count for member, count in rest.items() if count}
    assert not wrong, f"AVX outside of the kernels: {wrong}"
    print(f"{len(rest)} other objects without any")


def results(options):
    """All sets compute the same, and the same as the runtime that was compiled for one processor, where there is one."""
    sets = available(options.program)
    assert sets[0] == "x86-64", sets
    expected = values(run(options.reference or options.program, instructions=None if options.reference else "x86-64"))
    for name in sets if options.reference else sets[1:]:
        result = run(options.program, instructions=name)
        assert result.stderr.decode().split() == [name], result.stderr
        expect_close(values(result), expected, name)
    chosen = run(options.program).stderr.decode().strip()
    assert chosen == sets[-1], f"{chosen} runs, {sets[-1]} is the best"


def threads(options):
    """The same bits on any number of threads."""
    for name in available(options.program):
        one = values(run(options.program, 1, name))
        for count in (2, 4):
            for _ in range(3):
                assert values(run(options.program, count, name)) == one, f"{name} on {count} threads"
        print(f"{name}: the same on 1, 2 and 4 threads")


def refuses(options):
    """A set that is none, or that this processor lacks, is said to be."""
    for name in ["avx", *(set for set in ALL_SETS if set not in available(options.program))]:
        result = run(options.program, instructions=name)
        assert result.returncode == 2, result
        expected = f"CNN_INSTRUCTIONS is '{name}'; this program and this processor have x86-64"
        assert result.stderr.decode().startswith(expected), result.stderr


def globals_refused(options):
    """A kernel that owns a global variable, of which each set would have its own, does not build."""
    for text, name in [("inline thread_local int own = 0; int kernel() { return ++own; }", "own"),
                       ("int own[4]; int kernel() { return ++own[0]; }", "own"),
                       ("inline int twice(int x) { return 2 * x; } int kernel(int x) { return twice(x); }", None)]:
        with tempfile.TemporaryDirectory() as folder:
            paths = {key: os.path.join(folder, key) for key in ("SOURCE.cpp", "COMPILED", "LINKED", "OBJECT", "LIST")}
            pathlib.Path(paths["SOURCE.cpp"]).write_text(text)
            subprocess.run(["c++", "-std=c++20", "-c", paths["SOURCE.cpp"], "-o", paths["COMPILED"]], check=True)
            subprocess.run(["ld", "-r", "--force-group-allocation", "-o", paths["LINKED"], paths["COMPILED"]], check=True)
            settings = [f"-D{key}={paths[key]}" for key in ("LINKED", "OBJECT", "LIST")]
            result = subprocess.run(["cmake", "-DNM=nm", "-DOBJCOPY=objcopy", "-DSUFFIX=set", *settings, "-P", SCRIPT],
                                    capture_output=True, text=True)
            if name:
                assert result.returncode != 0 and f"and these do: {name}." in result.stderr, result.stderr
            else:
                names = subprocess.run(["nm", paths["OBJECT"]], capture_output=True, text=True, check=True).stdout
                assert re.search(r" T \S*kernel\S*\.set$", names, re.M) and re.search(r" t \S*twice", names), names


def emulate(options, processor, expected):
    emulator = shutil.which("qemu-x86_64")
    if not emulator:
        raise Skip("there is no qemu-x86_64 (Debian's qemu-user)")
    result = run(options.program, 2, emulator=[emulator, "-cpu", processor])
    chosen = result.stderr.decode().strip().splitlines()[-1:]
    got = values(result)
    assert chosen[0] in expected, f"{chosen[0]} runs on {processor}"
    expect_close(got, values(run(options.program, 2, "x86-64")), f"{processor} with {chosen[0]}")


def old_processor(options):
    emulate(options, "Nehalem", ["x86-64"])


def new_processor(options):
    emulate(options, "max", ["x86-64-v3", "x86-64-v4"])  # as far as this qemu goes


def generated_program(options):
    """What cnnc builds runs on an old processor as well: nothing of it is compiled for this one."""
    emulator = shutil.which("qemu-x86_64")
    if not emulator:
        raise Skip("there is no qemu-x86_64 (Debian's qemu-user)")
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "CNNC_CACHE": cache}
        bench = ["bench", "--steps", "1", "--batch", "2", "--threads", "2"]
        subprocess.run([options.cnnc, bench[0], options.spec, *bench[1:]], env=environment, check=True, capture_output=True)
        program, = pathlib.Path(cache).glob("*/" + pathlib.Path(options.spec).stem)
        for command in ["info"], bench:
            result = subprocess.run([emulator, "-cpu", "Nehalem", program, *command], capture_output=True, text=True)
            assert result.returncode == 0, (command, result.returncode, result.stderr)
            assert command != ["info"] or "  kernels for x86-64\n" in result.stdout, result.stdout


def with_set(options):
    if options.set not in available(options.program):
        raise Skip(f"this processor has no {options.set}")
    environment = {**os.environ, "CNN_INSTRUCTIONS": options.set}
    result = subprocess.run(options.command, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    assert re.search(r"\[  PASSED  \] [1-9]", result.stdout), result.stdout


def main():
    parser = argparse.ArgumentParser()
    promises = [archive, results, threads, refuses, globals_refused, old_processor, new_processor,
                generated_program, with_set]
    parser.add_argument("promise", choices=[promise.__name__ for promise in promises])
    parser.add_argument("--library")
    parser.add_argument("--program")
    parser.add_argument("--reference")
    parser.add_argument("--cnnc")
    parser.add_argument("--spec")
    parser.add_argument("--set")
    parser.add_argument("--command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    try:
        next(promise for promise in promises if promise.__name__ == options.promise)(options)
    except Skip as skip:
        print(f"skipped: {skip}")
        return SKIPPED
    return 0


if __name__ == "__main__":
    sys.exit(main())
