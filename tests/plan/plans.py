"""Plans of small networks as text, for the tests beside this module, each of which is called with the compiler's path."""
import pathlib
import re
import subprocess
import sys
import tempfile

CNNC = sys.argv[1]

TRAINING = """
data Any { source = idx("any")  classes = 4  batch = 8 }
train Net on Any { optimizer = sgd(lr=0.1)  %s }
"""


def run(command, path, *options):
    result = subprocess.run([CNNC, command, str(path), *options], capture_output=True, text=True, timeout=60)
    if result.returncode != 0:
        raise AssertionError(result.stderr)
    return result.stdout


def cnnc(command, spec, *options):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "net.cnn"
        path.write_text("cnn 1\n" + spec)
        return run(command, path, *options)


def cnnc_file(command, path, *options):
    """The same for a file, of each of its models, but for those whose parameters must be given."""
    found = re.findall(r"^model (\w+)(?:\(([^)]*)\))?", path.read_text(), re.M)
    models = [name for name, parameters in found if all("=" in one for one in parameters.split(",") if one)]
    return "".join(run(command, path, "--model", model, *options) for model in models)


def plan(model, training="epochs = 1", *options):
    """The plan's text, of a model's lines and a training's."""
    return cnnc("explain", f"model Net {{\n{model}\n}}\n{TRAINING % training}", "--dump=plan", "--precision", "strict", *options)


def steps(text, function):
    """The calls of a function without their common operands: geometry, batch, scratch."""
    body = re.search(rf"function {function} .*?\n(.*?)(?=function |\Z)", text, re.S).group(1)
    calls = re.findall(r"^ +\d+ (\S+\(.*\))$", body, re.M)
    return [re.sub(r"(, (k(?!Relu)\w+|batch|scratch\d*))+\)", ")", call) for call in calls]


def preparation(text, function):
    """What is done once for all its calls."""
    body = re.search(rf"function {function} .*?\n(.*?)(?=function |\Z)", text, re.S).group(1)
    calls = re.findall(r"^  once (\S+\(.*\))$", body, re.M)
    return [re.sub(r"(, (k\w+|batch|scratch))+\)", ")", call) for call in calls]


def buffers(text, function):
    body = re.search(rf"function {function} .*?\n(.*?)(?=function |\Z)", text, re.S).group(1)
    return re.findall(r"^  buffer (\S+)", body, re.M)
