"""dev.py as its user meets it: the tasks, the README's commands, exit codes, Ctrl+C and Pythons that are too old."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import dev
import dev_qt
import dev_tasks
from dev_environment import ROOT
from dev_qt import Finding, Verdict

DEV = ROOT / "packaging" / "dev.py"


def test_the_readme_has_the_two_commands_and_only_tasks_that_exist() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    named = set(re.findall(r"packaging/dev\.py (\w+)", readme))
    assert {"demo", "test"} <= named
    assert named == set(dev_tasks.TASKS)
    assert "\npython3 packaging/dev.py demo\n" in readme
    assert "\npython3 packaging/dev.py test\n" in readme


def test_ci_calls_the_readmes_test_command() -> None:
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    assert "\npython3 packaging/dev.py test\n" in script
    assert "\npython3 packaging/dev.py check\n" in script


def test_everything_after_the_task_goes_on_to_it() -> None:
    task, rest = dev_tasks.parse(["test", "-k", "ladder", "--help", "-x"])
    assert task is dev_tasks.TASKS["test"]
    assert rest == ["-k", "ladder", "--help", "-x"]


@pytest.mark.parametrize("argv", [["paint"], []])
def test_an_unknown_task_is_refused_with_the_list_of_tasks(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        dev_tasks.parse(argv)
    assert stop.value.code == 2
    assert "TASK" in capsys.readouterr().err


def test_help_works_from_any_folder_with_standard_input_closed(tmp_path: Path) -> None:
    folder = tmp_path / "some where"
    folder.mkdir()
    command = [sys.executable, str(DEV), "--help"]
    if os.name == "posix":
        command = ["sh", "-c", 'exec "$0" "$@" <&-', *command]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=30, check=False)
    assert result.returncode == 0, result.stderr
    assert all(f"\n  {name} " in result.stdout for name in dev_tasks.TASKS)


def test_exit_codes_are_handed_on() -> None:
    assert dev_tasks.run([sys.executable, "-c", "raise SystemExit(7)"]) == 7


@pytest.mark.skipif(os.name == "nt", reason="no such signals on Windows")
def test_a_child_ended_by_a_signal_gives_the_shells_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert dev_tasks.run([sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"]) == 137
    assert "SIGKILL" in capsys.readouterr().out


CHILD = """
import signal, sys, time
signal.signal(signal.SIGINT, lambda *a: sys.exit(5))
print("up", flush=True)
time.sleep(60)
"""
PARENT = """
import sys
sys.path.insert(0, sys.argv[1])
import dev_tasks
sys.exit(dev_tasks.run([sys.executable, "-c", sys.argv[2]]))
"""


@pytest.mark.skipif(os.name == "nt", reason="no process groups on Windows")
def test_ctrl_c_reaches_the_child_which_closes_in_order() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(DEV.parent), CHILD],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == "up\n"
    os.killpg(parent.pid, signal.SIGINT)
    output, errors = parent.communicate(timeout=20)
    assert parent.returncode == 5, (output, errors)
    assert "Traceback" not in errors


STUBBORN = """
import signal, time
signal.signal(signal.SIGINT, lambda *a: print("heard", flush=True))
print("up", flush=True)
while True:
    time.sleep(60)
"""


@pytest.mark.skipif(os.name == "nt", reason="no process groups on Windows")
def test_a_second_ctrl_c_ends_a_child_that_goes_on() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(DEV.parent), STUBBORN],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == "up\n"
    os.killpg(parent.pid, signal.SIGINT)
    assert parent.stdout.readline() == "heard\n"
    end_s = time.monotonic() + 20
    while parent.poll() is None:  # a signal that comes while the one before is not handled yet is lost
        assert time.monotonic() < end_s
        os.kill(parent.pid, signal.SIGINT)
        time.sleep(0.05)
    output, _ = parent.communicate()
    assert parent.returncode == 137, output


class Started:
    """Stands in for the last step of `demo`: keeps what would have been started."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, finding: Verdict, platform: str | None) -> None:
        self.command: list[str] = []
        self.variables: dict[str, str] = {}
        monkeypatch.setattr(dev_tasks, "ensure", lambda environment: None)
        monkeypatch.setattr(dev_tasks, "run", self.run)
        monkeypatch.setattr(dev_qt, "wanted_screen", lambda: platform)
        monkeypatch.setattr(
            dev_qt,
            "ensure",
            lambda asked, find, screen=False: Finding(finding if screen else Verdict.FINE, "no answer"),
        )

    def run(self, command: list[object], variables: dict[str, str] | None = None) -> int:
        self.command = [str(part) for part in command[1:]]
        self.variables = variables or {}
        if "--screenshot" in self.command:
            Path(self.command[self.command.index("--screenshot") + 1]).touch()
        return 0


def test_demo_shows_a_window_where_there_is_a_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    started = Started(monkeypatch, Verdict.FINE, platform="")
    assert dev_tasks.demo(["ETHUSDT"]) == 0
    assert started.command == ["-m", "depthgui", "--demo", "ETHUSDT"]
    assert "QT_QPA_PLATFORM" not in started.variables


@pytest.mark.parametrize(
    ("platform", "said"), [(None, "no display here"), ("", "the display doesn't answer (no answer)")]
)
def test_demo_without_a_screen_says_so_and_takes_a_picture(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    platform: str | None,
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("QT_QPA_PLATFORM")
    started = Started(monkeypatch, Verdict.NO_SCREEN, platform)
    dev_tasks.demo(["--seed", "3"])
    picture = str(tmp_path / "depthgui-demo.png")
    assert started.command == [
        *("-m", "depthgui", "--demo", "--screenshot", picture, "--exit-after", "8", "--seed", "3"),
    ]
    assert started.variables == {"QT_QPA_PLATFORM": "offscreen"}
    output = capsys.readouterr().out
    assert said in output
    assert picture in output


def test_demo_leaves_the_users_own_picture_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    started = Started(monkeypatch, Verdict.FINE, platform=None)
    dev_tasks.demo(["--screenshot", "mine.png", "--exit-after", "3"])
    assert started.command == ["-m", "depthgui", "--demo", "--screenshot", "mine.png", "--exit-after", "3"]


def fake_python(folder: Path, name: str, exit_code: int) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\nexit {exit_code}\n")
    path.chmod(0o755)


@pytest.mark.skipif(os.name == "nt", reason="the stand-ins are shell scripts")
def test_an_old_python_looks_for_one_that_really_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert dev.newer_python() is None
    # A version manager's stand-in is there, but the Python behind it is not.
    fake_python(tmp_path, "python3.13", 127)
    fake_python(tmp_path, "python3.12", 0)
    fake_python(tmp_path, "python3", 0)
    assert dev.newer_python() == str(tmp_path / "python3.12")


def test_an_old_python_without_a_newer_one_is_said_in_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert dev.restart_with_newer_python() == 2
    assert "depthgui needs Python 3.11 or newer" in capsys.readouterr().err


def test_the_entry_file_stays_readable_for_old_pythons() -> None:
    """No f-strings, annotations or walrus: an old Python has to get as far as saying that it is too old."""
    import ast

    tree = ast.parse(DEV.read_text("utf-8"), feature_version=(3, 5))
    assert not [node for node in ast.walk(tree) if isinstance(node, (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr))]
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.arg) and node.annotation]


def test_progress_comes_with_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    started = time.monotonic()
    dev_tasks.say("making .venv")
    assert re.fullmatch(r"\[ *\d+\.\d s\] making \.venv\n", capsys.readouterr().out)
    assert time.monotonic() - started < 1
