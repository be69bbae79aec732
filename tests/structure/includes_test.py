#!/usr/bin/python3
"""Who may include whom: the table of the architecture, held against every #include of the tree."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

# A folder of the compiler: those of its own that it may include, itself apart.
COMPILER = {
    "support": [],
    "syntax": ["support"],
    "ir": ["support"],
    "ops": ["ir", "support"],
    "sema": ["syntax", "ir", "support"],
    "lower": ["sema", "ir", "support"],
    "passes": ["ir", "support"],
    "plan": ["passes", "ir", "support"],
    "emit": ["plan", "ir", "support"],
    "onnx": ["ir", "support"],
    "driver": ["support", "syntax", "ir", "ops", "sema", "lower", "passes", "plan", "emit", "onnx"],
}
# Headers of libraries, and the only places that may see them.
ONLY_IN = {
    r"antlr4|CnnLexer|CnnParser": r"compiler/syntax/(parser|tree|error_strategy|expressions|bodies|config)\.",
    r"cblas\.h": r"runtime/cnn/core/sgemm\.cpp",
    r"boost/program_options": r"compiler/driver/command_line\.cpp|runtime/cnn/program/.*\.cpp",
    r"Eigen/": r"runtime/cnn/.*\.cpp|runtime/cnn/core/elementary\.hpp",
    r"onnx/onnx_pb": r"compiler/onnx/export\.cpp",
    r"j(peglib|error)\.h": r"runtime/formats/jpeg\.cpp",
    r"png\.h": r"runtime/formats/png\.cpp",
    r"ops/cards\.hpp": r"compiler/(ops|driver)/.*",
}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)


def sources(*folders):
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".cpp", ".hpp", ".h"):
                yield path.relative_to(ROOT).as_posix(), path.read_text()


def main():
    wrong, seen = [], 0
    for name, text in sources("compiler", "runtime", "generated"):
        for bracket, header in INCLUDE.findall(text):
            seen += 1
            for pattern, places in ONLY_IN.items():
                if re.match(pattern, header) and not re.match(places, name):
                    wrong.append(f"{name} includes {header}: only {places} may")
            first = header.split("/")[0]
            if name.startswith("compiler/"):
                folder = name.split("/")[1]
                if first == "cnn" or (first == "formats" and folder != "driver"):
                    wrong.append(f"{name} includes {header}: the compiler never includes the runtime")
                if "/" in header and first in COMPILER and first != folder and first not in COMPILER[folder]:
                    wrong.append(f"{name} includes {header}: {folder} may not include {first}")
            elif name.startswith("runtime/"):
                if "/" in header and first in COMPILER:
                    wrong.append(f"{name} includes {header}: the runtime never includes the compiler")
                if name.startswith("runtime/formats/") and first == "cnn":
                    wrong.append(f"{name} includes {header}: formats know nothing of kernels")
            elif bracket == "<" and "/" in header and first != "cnn":
                wrong.append(f"{name} includes {header}: generated code sees the runtime's headers only")
    if seen < 100:
        wrong.append(f"only {seen} includes seen: is this the right tree?")
    print("\n".join(wrong) if wrong else f"{seen} includes, all allowed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
