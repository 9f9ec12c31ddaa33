"""dev.py test --all-pythons: which interpreters are found, and what is done with them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import dev_pythons
import dev_tasks

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the stand-ins are shell scripts")


def stand_in(folder: Path, name: str, script: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def search(tmp_path: Path) -> str:
    """A PATH with a version manager's stand-in that doesn't start, two Pythons behind it, and one that is too old."""
    stand_in(tmp_path / "shims", "python3.12", "exit 127")
    stand_in(tmp_path / "a", "python3.12", "echo 3.12")
    stand_in(tmp_path / "a", "python3", "echo 3.10")
    stand_in(tmp_path / "b", "python3", "echo 3.11")
    return os.pathsep.join(str(tmp_path / name) for name in ("shims", "a", "b", "nowhere"))


def test_every_version_is_found_once_and_only_if_it_starts(search: str, tmp_path: Path) -> None:
    assert dev_pythons.pythons_on_path(search) == {
        "3.11": tmp_path / "b" / "python3",
        "3.12": tmp_path / "a" / "python3.12",
    }


def test_all_are_run_and_the_first_failure_is_the_exit_code(
    search: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    started: list[list[str]] = []

    def run(command: object) -> int:
        started.append([str(part) for part in command])  # type: ignore[attr-defined]
        return 3 if "3.12" in started[-1][0] else 0

    assert dev_pythons.run_all(["-k", "ladder"], run, search) == 3
    assert [command[0] for command in started] == [str(tmp_path / "b/python3"), str(tmp_path / "a/python3.12")]
    assert all(command[-4:] == ["test", "--own-environment", "-k", "ladder"] for command in started)
    said = capsys.readouterr().out
    assert "Python 3.13 was not found: not tested" in said
    assert "Python 3.11: passed" in said
    assert "Python 3.12: failed (3)" in said


def test_no_python_at_all_is_a_failure(tmp_path: Path) -> None:
    assert dev_pythons.run_all([], lambda command: 0, str(tmp_path)) == 1


def test_pyenv_s_pythons_are_found_too_the_newest_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in ("3.13.9", "3.13.10", "3.12.1", "2.7.18"):
        (tmp_path / "pyenv" / "versions" / version).mkdir(parents=True)
        stand_in(tmp_path / "pyenv" / "versions" / version / "bin", "python3", f"echo {version.rpartition('.')[0]}")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.setenv("PATH", str(tmp_path))
    started: list[str] = []
    assert dev_pythons.run_all([], lambda command: started.append(str(command[0])) or 0) == 0
    assert started == [str(tmp_path / "pyenv" / "versions" / v / "bin" / "python3") for v in ("3.12.1", "3.13.10")]


def test_without_pyenv_there_is_nothing_more(tmp_path: Path) -> None:
    assert dev_pythons.pyenv_folders({"PYENV_ROOT": str(tmp_path / "nowhere")}) == []


def test_the_lowest_versions_are_tested_in_an_environment_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[object] = []
    monkeypatch.setattr(dev_tasks, "ensure", done.append)
    monkeypatch.setattr(dev_tasks.dev_qt, "ensure", lambda *_: None)
    monkeypatch.setattr(dev_tasks, "run", lambda command, cwd: done.append(command) or 0)
    assert dev_tasks.test(["tests/ui", "--lowest", "-x"]) == 0
    assert done == [dev_pythons.LOWEST, [dev_pythons.LOWEST.python, "-m", "pytest", "tests/ui", "-x"]]
    assert dev_pythons.LOWEST.name == ".venv-lowest"
