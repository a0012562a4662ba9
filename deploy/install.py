"""Make .venv with everything in it: `python3 deploy/install.py` (what `make setup` calls).

Standard library only, since nothing else is there yet. Says beforehand how much will be downloaded: a plain
torch on Linux can be several gigabytes of CUDA. `--relock` renews constraints.txt instead of reading it.
"""

import argparse
import json
import shlex
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
CONSTRAINTS = ROOT / "constraints.txt"

# Rough download sizes in MB, good enough to decide whether to go on over a phone's connection.
TORCH_CPU_MB = 200
TORCH_CUDA_MB = 2_800
THE_REST_MB = 350

# Both settings keep pip from upgrading itself in passing and from asking questions.
PIP_OPTIONS = ["--disable-pip-version-check", "--no-input", "--quiet"]


def main() -> None:
    arguments = _arguments()
    # This file is the one that an older Python gets to read.
    if sys.version_info < (3, 11):  # noqa: UP036
        sys.exit(
            f"Twotrack needs Python 3.11 or newer, and this is {sys.version.split()[0]}.\n"
            "Name another one: make setup PYTHON=python3.12"
        )
    python = VENV / "bin" / "python"
    if not python.exists():
        _say("creating .venv")
        _create_venv()
    torch_pip_arguments = shlex.split(arguments.torch_pip_args)
    constraints = [] if arguments.relock else ["-c", str(CONSTRAINTS)]
    pip = [str(python), "-m", "pip", "install", *PIP_OPTIONS]
    if not arguments.serving_only:
        torch = _requirement("torch")
        if not _installed(python, "torch"):
            _announce_torch(python, torch, torch_pip_arguments)
            # torch comes first and alone: the chosen index or build must not apply to anything else.
            _run([*pip, torch, *torch_pip_arguments], "torch")
    _say("installing Twotrack and what it needs")
    project = (
        [f"{ROOT}"]
        if arguments.serving_only
        else [f"{ROOT}[train,demo,korean,qdrant]", "--group", f"{ROOT}/pyproject.toml:dev"]
    )
    _run([*pip, "-e", *project, *constraints])
    if arguments.relock:
        _relock(python)
    (VENV / ".complete").touch()
    _say("ready: .venv/bin/twotrack")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--torch-pip-args", default="", help="further pip arguments for torch alone")
    parser.add_argument("--serving-only", action="store_true", help="no torch, no tests: what a server needs")
    parser.add_argument("--relock", action="store_true", help="newest versions, then rewrite constraints.txt")
    return parser.parse_args()


def _create_venv() -> None:
    try:
        venv.create(VENV, with_pip=True)
    except (subprocess.CalledProcessError, OSError) as error:
        sys.exit(
            f".venv could not be created ({error}).\n"
            "On Debian and Ubuntu the module is a package of its own: apt install python3-venv"
        )
    # `--group` needs pip 25.1; the pip inside a fresh environment is as old as its Python.
    python = str(VENV / "bin" / "python")
    _run([python, "-m", "pip", "install", *PIP_OPTIONS, "--upgrade", "pip"], "pip")


def _requirement(name: str) -> str:
    """The one line of pyproject.toml that names this package, so that its version stands in one place."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras: dict[str, list[str]] = project["optional-dependencies"]
    return next(line for line in extras["train"] if line.startswith(name))


def _installed(python: Path, name: str) -> bool:
    probe = f"import importlib.util as u, sys; sys.exit(u.find_spec({name!r}) is None)"
    return subprocess.run([str(python), "-c", probe], check=False).returncode == 0


def _announce_torch(python: Path, torch: str, torch_pip_arguments: list[str]) -> None:
    """Ask pip what it would take, and say how large that is before anything large is downloaded."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [str(python), "-m", "pip", "install", *PIP_OPTIONS, "--dry-run", "--report", str(report)]
        asked = subprocess.run([*command, torch, *torch_pip_arguments], check=False, capture_output=True)
        if asked.returncode != 0:
            return  # The installation itself will say what is wrong.
        names = [entry["metadata"]["name"] for entry in json.loads(report.read_text())["install"]]
    cuda = any(name.startswith(("nvidia-", "cuda-")) for name in names)
    size = (TORCH_CUDA_MB if cuda else TORCH_CPU_MB) + THE_REST_MB
    _say(
        f"about {size:,} MB to download, {torch} as "
        + ("a CUDA build with its libraries" if cuda else "a processor build")
    )
    if cuda:
        _say(
            "no NVIDIA GPU here? A processor build is a tenth of that. Stop with Ctrl-C and name its index,\n"
            'which PyTorch\'s own site tells: make setup TORCH_PIP_ARGS="--index-url …"'
        )


def _relock(python: Path) -> None:
    frozen = subprocess.run(
        [str(python), "-m", "pip", "freeze", "--exclude-editable"], check=True, capture_output=True, text=True
    ).stdout
    # A local version (+cpu) or a file reference would tie the list to one machine's build.
    lines = [line.split(" @ ")[0].split("+")[0] for line in frozen.splitlines() if "==" in line]
    CONSTRAINTS.write_text("\n".join(lines) + "\n", encoding="utf-8")
    _say(f"{CONSTRAINTS.name} rewritten: {len(lines)} packages")


def _run(command: list[str], what: str = "Twotrack") -> None:
    if subprocess.run(command, check=False, cwd=ROOT).returncode != 0:
        sys.exit(f"Installing {what} failed; pip's own words stand above.")


def _say(text: str) -> None:
    sys.stdout.write(f"[setup] {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
