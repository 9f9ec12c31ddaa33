"""The project's virtual environments: made once, from lock files with hashes, and stamped when they are whole.

An environment whose stamp is not the right one (never finished, other lock file, other Python, moved folder) is removed
and made anew; one with the right stamp is used as it is. The stamp is begun first and filled in last: a set-up that was
killed leaves an unfinished one, and a folder without any was made by somebody else and is kept.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import dev_apt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "packaging" / "requirements.lock"
# What builds depthgui and its dependencies that come as source: also pinned, also hashed, installed first.
BUILD_REQUIREMENTS = ROOT / "packaging" / "build.lock"
# What a frozen build is made from: what depthgui runs on, in the same versions, and PyInstaller; no tools for tests.
FREEZE_REQUIREMENTS = ROOT / "packaging" / "freeze.lock"
# The oldest versions that pyproject.toml allows, for `dev.py test --lowest`.
LOWEST_REQUIREMENTS = ROOT / "packaging" / "lowest.lock"
STAMP = "depthgui-stamp.json"
# Raise it when the steps of the set-up change.
RECIPE = 1

QT_PACKAGES = frozenset({"pyside6-essentials", "shiboken6", "qasync", "pyqtgraph", "pytest-qt"})

_started_s = time.monotonic()


class SetUpError(Exception):
    """The set-up can't go on; the text says why, and what to do."""


def say(text: str) -> None:
    """Print one line of progress, with the seconds since the start."""
    print(f"[{time.monotonic() - _started_s:6.1f} s] {text}", flush=True)


@dataclass(frozen=True, slots=True)
class Environment:
    """One virtual environment: its folder's `name` in the repository, its lock file, and what of that it leaves out.

    `build_tools` are packages of the lock file that others of it, which come as source only, are built with.
    """

    name: str
    leave_out: frozenset[str] = frozenset()
    build_tools: frozenset[str] = frozenset()
    requirements: Path = REQUIREMENTS

    @property
    def folder(self) -> Path:
        """Where it is."""
        return ROOT / self.name

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.script("python")

    def script(self, name: str) -> Path:
        """The path of the command `name` that is installed in it."""
        if os.name == "nt":
            return self.folder / "Scripts" / f"{name}.exe"
        return self.folder / "bin" / name


FULL = Environment(".venv")
WITHOUT_QT = Environment(".venv-noqt", leave_out=QT_PACKAGES)
FREEZE = Environment(".venv-freeze", requirements=FREEZE_REQUIREMENTS)


def base_python() -> str:
    """The interpreter to make environments with: this one, or the one below if this one is in an environment."""
    base = getattr(sys, "_base_executable", None)
    return str(base) if sys.prefix != sys.base_prefix and base else sys.executable


def clean_variables(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Environment variables for child processes, without those that would lead Python or pip elsewhere.

    Python keeps what it has compiled, as it does on its users' machines: the tests and the benchmarks start the program
    hundreds of times, and a third of each start would be compiling.
    """
    misleading = {
        "PYTHONDONTWRITEBYTECODE",
        "PYTHONPATH",
        "PYTHONHOME",
        "PIP_USER",
        "PIP_CONSTRAINT",
        "PIP_TARGET",
        "PIP_PREFIX",
        "PIP_REQUIRE_VIRTUALENV",
        "VIRTUAL_ENV",
    }
    kept = {name: value for name, value in os.environ.items() if name not in misleading}
    return {**kept, "PYTHONUTF8": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", **(more or {})}


def digest_of(environment: Environment) -> str:
    """What the environment is made from, as one hash: lock files, project metadata, interpreter and place."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    locks = (BUILD_REQUIREMENTS, environment.requirements)
    facts = {
        "recipe": RECIPE,
        "locks": [(ROOT / "packaging" / path.name).read_text("utf-8") for path in locks],
        "project": [project["project"], project["build-system"], project["tool"]["hatch"]],
        # Not its patch level: an environment outlives a security update of the Python below it.
        "python": [os.path.realpath(base_python()), sys.implementation.cache_tag, sys.platform],
        "place": str(ROOT / environment.name),
        "leave_out": sorted(environment.leave_out),
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def is_ready(environment: Environment) -> bool:
    """Tell whether the environment was finished from exactly what is here now."""
    try:
        stamp = json.loads((environment.folder / STAMP).read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return stamp.get("digest") == digest_of(environment) and environment.python.exists()


def write_stamp(environment: Environment, digest: str | None) -> None:
    """Mark the environment as made from what `digest` says, in one step; None while it is being made."""
    fresh = environment.folder / f"{STAMP}.new"
    fresh.write_text(json.dumps({"digest": digest}) + "\n", encoding="utf-8")
    fresh.replace(environment.folder / STAMP)


def clear_the_way(environment: Environment) -> None:
    """Remove an older environment, or move what somebody else made at its place out of the way."""
    doomed = ROOT / f"{environment.name}-removing"
    if doomed.exists():
        shutil.rmtree(doomed)
    if not (environment.folder.exists() or environment.folder.is_symlink()):
        return
    try:
        stamp = json.loads((environment.folder / STAMP).read_text("utf-8"))
    except FileNotFoundError:
        kept = next(path for n in range(1, 1000) if not (path := ROOT / f"{environment.name}-kept-{n}").exists())
        environment.folder.rename(kept)
        say(f"{environment.name} was not made by this script: it is kept as {kept.name}")
        return
    except ValueError:
        stamp = {}
    say(f"{environment.name} {'is out of date' if stamp.get('digest') else 'was not finished'}: making it anew")
    # Renamed first: what is removed by half would look like somebody else's.
    environment.folder.rename(doomed)
    shutil.rmtree(doomed)


def wait_and_tell(child: subprocess.Popen[bytes], what: str) -> int:
    """Wait for `child` and return its exit code; every 20 s say that it is still at it."""
    while True:
        try:
            return child.wait(20)
        except subprocess.TimeoutExpired:
            say(f"still {what}")


def run_quietly(command: Sequence[str | Path], what: str) -> None:
    """Run a step of the set-up; its output is shown only if it fails.

    Raises:
        SetUpError: the command ended with another code than 0.
    """
    with tempfile.TemporaryFile() as output:
        child = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=clean_variables(),
            cwd=ROOT,
        )
        try:
            code = wait_and_tell(child, what)
        except BaseException:
            child.kill()
            child.wait()
            raise
        output.seek(0)
        text = output.read().decode("utf-8", "replace")
    if code:
        tail = "\n".join(f"    {line}" for line in text.strip().splitlines()[-25:])
        raise SetUpError(f"{what} failed (exit code {code}):\n{tail}")


def make_empty(environment: Environment) -> list[str]:
    """Make the environment with nothing in it; return the start of the pip command that installs into it.

    Debian's Python comes without ensurepip unless python3-venv is installed; its pip can install into another
    environment, so that either of the two packages is enough.

    Raises:
        SetUpError: this Python has neither.
    """
    if not find_spec("ensurepip") and not find_spec("pip"):
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        package = (
            "python3-venv"
            if base_python() in {"/usr/bin/python3", f"/usr/bin/python{version}"}
            else f"python{version}-venv"
        )
        if not dev_apt.install([package], say):
            raise SetUpError(
                "this Python has neither ensurepip nor pip, and one of them is needed to make .venv. "
                + dev_apt.advice(apt=[package], dnf=["python3-pip"], pacman=["python-pip"])
            )
    # Asked in a new process: this one may have been started before the package was there.
    has_ensurepip = (
        subprocess.run(
            [base_python(), "-c", "import ensurepip"], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
        ).returncode
        == 0
    )
    command = [base_python(), "-m", "venv", str(environment.folder)]
    run_quietly(command if has_ensurepip else [*command, "--without-pip"], f"making {environment.name}")
    if has_ensurepip:
        return [str(environment.python), "-m", "pip"]
    return [base_python(), "-m", "pip", "--python", str(environment.python)]


def locked(text: str, is_wanted: Callable[[str], bool]) -> str:
    """The text of a lock file with only the requirements whose names, in lower case, are wanted."""
    kept = []
    skipping = False
    for line in text.splitlines(keepends=True):
        if match := re.match(r"([A-Za-z0-9._-]+)(\[|==)", line):
            skipping = not is_wanted(match[1].lower())
        elif not line.startswith((" ", "\t")):
            skipping = False
        if not skipping:
            kept.append(line)
    return "".join(kept)


@contextlib.contextmanager
def only_one(environment: Environment) -> Iterator[None]:
    """Let a second dev.py wait while a first one sets up; a killed one leaves nothing locked."""
    with (ROOT / f"{environment.name}.lock").open("a+b") as file:
        if sys.platform == "win32":
            import msvcrt

            # Gives up after 10 s by itself, as an OSError.
            while True:
                with contextlib.suppress(OSError):
                    msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
                    break
                say(f"another dev.py is setting up {environment.name}: waiting for it")
        else:
            import fcntl

            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say(f"another dev.py is setting up {environment.name}: waiting for it")
                fcntl.flock(file, fcntl.LOCK_EX)
        yield


def set_up(environment: Environment) -> None:
    """Make the environment from nothing.

    Raises:
        SetUpError: a step failed; what there is has no stamp, and the next run starts again.
    """
    digest = digest_of(environment)
    clear_the_way(environment)
    environment.folder.mkdir()
    write_stamp(environment, None)
    say(f"making {environment.name} with Python {sys.version.split()[0]} ({base_python()})")
    pip = [*make_empty(environment), "install", "--quiet", "--no-input", "--no-deps"]
    # With the build tools that are pinned here, not with the newest ones of the day.
    from_source = ["--no-build-isolation", "--use-pep517"]
    run_quietly([*pip, "--require-hashes", "-r", BUILD_REQUIREMENTS], "installing the build tools")
    lock = environment.requirements.read_text("utf-8")
    packages = locked(lock, lambda name: name not in environment.leave_out)
    steps = [packages]
    if environment.build_tools:
        steps.insert(0, locked(lock, environment.build_tools.__contains__))
    count = len(re.findall(r"^[A-Za-z0-9]", packages, re.MULTILINE))
    say(f"installing up to {count} packages from packaging/{environment.requirements.name}")
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder) / environment.requirements.name
        for step in steps:
            wanted.write_text(step, encoding="utf-8")
            run_quietly([*pip, *from_source, "--require-hashes", "-r", wanted], "installing packages")
    say("installing depthgui itself, in place")
    run_quietly([*pip, *from_source, "--editable", ROOT], "installing depthgui")
    write_stamp(environment, digest)
    say(f"{environment.name} is ready")


def ensure(environment: Environment) -> None:
    """See to it that the environment is whole and up to date; does nothing if it is.

    Raises:
        SetUpError: as `set_up`.
    """
    if is_ready(environment):
        return
    try:
        with only_one(environment):
            if not is_ready(environment):
                set_up(environment)
    except OSError as error:
        raise SetUpError(f"{environment.name} can't be written: {error}") from error
