"""The tasks of ``packaging/dev.py``: what each one runs, in which environment, and the exit code it hands on."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import venv
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import dev_pythons
import dev_qt
from dev_bench import BENCH_REQUIREMENTS, bench
from dev_build import build, wheel
from dev_environment import (
    BUILD_REQUIREMENTS,
    FREEZE_REQUIREMENTS,
    FULL,
    LOWEST_REQUIREMENTS,
    REQUIREMENTS,
    ROOT,
    WITHOUT_QT,
    SetUpError,
    clean_variables,
    ensure,
    run_quietly,
    say,
)
from dev_screenshots import screenshots

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

DEMO_PICTURE = "depthgui-demo.png"
DEMO_SECONDS = 8


@dataclass(frozen=True, slots=True)
class Task:
    """One task: what it is for, and the function that gets the further arguments and returns the exit code."""

    purpose: str
    run: Callable[[list[str]], int]


def wait_through_interrupts(child: subprocess.Popen[bytes]) -> int:
    """Wait for `child`; the terminal sends Ctrl+C to it as well, and it gets the time to close in order, once."""
    seen = 0

    def on_interrupt(*_: object) -> None:
        nonlocal seen
        seen += 1
        if seen > 1:
            child.kill()

    # An exception could come just after the child's exit code was fetched, and lose it: 0 would be handed on.
    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        return child.wait()
    finally:
        signal.signal(signal.SIGINT, before)


def run(command: Sequence[str | Path], variables: Mapping[str, str] | None = None, cwd: Path | None = None) -> int:
    """Run a program to its end and return its exit code, 128 + n if signal n ended it."""
    child = subprocess.Popen([str(part) for part in command], env=clean_variables(variables), cwd=cwd)
    code = wait_through_interrupts(child)
    if code >= 0:
        return code
    say(f"{Path(str(command[0])).name} was ended by signal {signal.Signals(-code).name}")
    return 128 - code


def demo(arguments: list[str]) -> int:
    """Start the application on the embedded exchange: in a window, or where there is no screen into a picture."""
    ensure(FULL)
    find = partial(dev_qt.probe, FULL.python)
    platform = dev_qt.wanted_screen()
    reason = "no display here (DISPLAY and WAYLAND_DISPLAY are not set)"
    if platform is not None:
        finding = dev_qt.ensure(platform, find, screen=True)
        if finding.verdict is dev_qt.Verdict.FINE:
            say("starting depthgui on the embedded exchange")
            return run([FULL.python, "-m", "depthgui", "--demo", *arguments])
        reason = f"the display doesn't answer ({finding.detail})"
    elif os.environ.get("QT_QPA_PLATFORM"):
        reason = f"QT_QPA_PLATFORM is {os.environ['QT_QPA_PLATFORM']}"
    dev_qt.ensure("offscreen", find)
    own_picture = any(argument.startswith(("--screenshot", "--self-test")) for argument in arguments)
    picture = Path.cwd() / DEMO_PICTURE
    if not own_picture:
        picture.unlink(missing_ok=True)
        arguments = ["--screenshot", str(picture), "--exit-after", str(DEMO_SECONDS), *arguments]
    say(f"{reason}: running without a window{'' if own_picture else f' for {DEMO_SECONDS} s'}")
    code = run([FULL.python, "-m", "depthgui", "--demo", *arguments], {"QT_QPA_PLATFORM": "offscreen"})
    if not own_picture and picture.exists():
        say(f"what the window showed: {picture}")
    return code


def start(arguments: list[str]) -> int:
    """Start the application with the given arguments."""
    ensure(FULL)
    return run([FULL.python, "-m", "depthgui", *arguments])


def test(arguments: list[str]) -> int:
    """Run the tests; arguments go to pytest, paths are relative to the repository."""
    if "--all-pythons" in arguments:
        return dev_pythons.run_all([argument for argument in arguments if argument != "--all-pythons"], run)
    environment = FULL
    if arguments[:1] == [dev_pythons.OWN_ENVIRONMENT]:
        environment, arguments = dev_pythons.own_environment(), arguments[1:]
    elif dev_pythons.LOWEST_OPTION in arguments:
        environment = dev_pythons.LOWEST
        arguments = [argument for argument in arguments if argument != dev_pythons.LOWEST_OPTION]
    ensure(environment)
    dev_qt.ensure("offscreen", partial(dev_qt.probe, environment.python))
    return run([environment.python, "-m", "pytest", *arguments], cwd=ROOT)


def check(arguments: list[str]) -> int:
    """Run linters, types, import rules, and the tests that need no Qt in an environment without it."""
    ensure(FULL)
    ensure(WITHOUT_QT)
    steps: list[tuple[str, list[str | Path]]] = [
        ("ruff check", [FULL.python, "-m", "ruff", "check", ROOT]),
        ("ruff format --check", [FULL.python, "-m", "ruff", "format", "--check", ROOT]),
        ("mypy", [FULL.python, "-m", "mypy"]),
        ("lint-imports", [FULL.script("lint-imports")]),
        ("tests without Qt", [WITHOUT_QT.python, "-m", "pytest", *arguments]),
    ]
    failed: list[str] = []
    first_code = 0
    for name, command in steps:
        say(name)
        code = run(command, cwd=ROOT)
        if code:
            failed.append(name)
            first_code = first_code or code
        if code in {130, 128 + signal.SIGTERM}:
            break
    say(f"check: {'failed: ' + ', '.join(failed) if failed else 'all of it passed'}")
    return first_code


def lock(arguments: list[str]) -> int:
    """Write the lock files anew from pyproject.toml, with the newest versions it allows, for all systems."""
    with tempfile.TemporaryDirectory() as folder:
        say("getting uv, which resolves for all systems at once")
        venv.create(folder, with_pip=True)
        bin_folder = Path(folder) / ("Scripts" if os.name == "nt" else "bin")
        run_quietly([bin_folder / "python", "-m", "pip", "install", "--quiet", "uv"], "installing uv")
        wanted = Path(folder) / "build.in"
        # Those with which pyproject.toml builds, and setuptools for dependencies that come as source only.
        wanted.write_text("hatchling>=1.25\neditables>=0.5\nsetuptools>=70.1\n", encoding="utf-8")
        freezer = Path(folder) / "freeze.in"
        freezer.write_text("pyinstaller>=6.11\n", encoding="utf-8")
        project = ROOT / "pyproject.toml"
        for sources, extras, target in (
            ([wanted], [], BUILD_REQUIREMENTS),
            ([project], ["--extra", "dev"], REQUIREMENTS),
            # After the one above, whose versions it takes: what is frozen is what was tested.
            ([project, freezer], ["--constraint", REQUIREMENTS], FREEZE_REQUIREMENTS),
            ([project], ["--extra", "bench", "--constraint", REQUIREMENTS], BENCH_REQUIREMENTS),
            # The oldest versions that pyproject.toml names, and the newest of what those depend on.
            ([project], ["--extra", "test", "--resolution", "lowest-direct"], LOWEST_REQUIREMENTS),
        ):
            fresh = Path(folder) / target.name
            resolve = ["pip", "compile", "--quiet", "--universal", "--generate-hashes", "--python-version", "3.11"]
            plain = ["--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"]
            code = run([bin_folder / "uv", *resolve, *plain, *extras, *arguments, *sources, "-o", fresh])
            if code:
                return code
            text = fresh.read_text("utf-8")
            target.write_text(
                f"# Written by `packaging/dev.py lock`. Don't edit.\n{text}", encoding="utf-8", newline="\n"
            )
            say(f"wrote packaging/{target.name}")
    return 0


TASKS = {
    "demo": Task("start depthgui on the embedded exchange (arguments: depthgui's)", demo),
    "test": Task(
        "run the tests (arguments: pytest's; --all-pythons: with each Python here; --lowest: lowest versions)", test
    ),
    "check": Task("run linters, types, import rules and the tests without Qt (arguments: pytest's)", check),
    "bench": Task("measure, beside other libraries (--help tells the arguments; --quick is the short form)", bench),
    "build": Task("freeze depthgui, try the result and pack it for this system (--help tells the arguments)", build),
    "wheel": Task("write wheel and sdist, and try the wheel in an environment of its own", wheel),
    "screenshots": Task("take all pictures of the window (arguments: names, --out FOLDER)", screenshots),
    "run": Task("start depthgui (arguments: depthgui's)", start),
    "lock": Task("resolve the dependencies anew and write the lock files (arguments: uv's)", lock),
}


def parse(argv: list[str]) -> tuple[Task, list[str]]:
    """The task that is asked for and the arguments that go on to it.

    Raises:
        SystemExit: no such task, or help was asked for.
    """
    parser = argparse.ArgumentParser(
        prog="packaging/dev.py",
        usage="%(prog)s TASK [ARGUMENT ...]",
        description="Sets up what is missing, then runs one task.",
        epilog="tasks:\n" + "\n".join(f"  {name:11} {task.purpose}" for name, task in TASKS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("task", metavar="TASK", choices=TASKS, help=argparse.SUPPRESS)
    chosen = parser.parse_args(argv[:1])
    return TASKS[chosen.task], argv[1:]


def occupy_standard_streams() -> None:
    """Where a standard stream is closed, put an empty one in its place: children and pipes would land on its number."""
    for number, flags in ((0, os.O_RDONLY), (1, os.O_WRONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, flags)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            os.set_inheritable(number, True)


def main(argv: list[str]) -> int:
    """Run one task and return its exit code; what stops the set-up is said in words."""
    occupy_standard_streams()
    task, rest = parse(argv)
    try:
        return task.run(rest)
    except SetUpError as error:
        print(f"depthgui can't be set up: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 1
