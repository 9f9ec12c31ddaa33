"""The environment that dev.py makes: when it counts as ready, what it is made from, and what a failed step says."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pytest

import dev_environment
from dev_bench import BENCH
from dev_environment import FULL, ROOT, WITHOUT_QT, SetUpError

LOCKS = [
    dev_environment.BUILD_REQUIREMENTS,
    dev_environment.REQUIREMENTS,
    dev_environment.LOWEST_REQUIREMENTS,
]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what an environment is made from, in a folder with a space in its name."""
    root = tmp_path / "depth gui"
    (root / "packaging").mkdir(parents=True)
    shutil.copy(ROOT / "pyproject.toml", root)
    for lock in LOCKS:
        shutil.copy(lock, root / "packaging")
    monkeypatch.setattr(dev_environment, "ROOT", root)
    return root


@pytest.fixture
def made(project: Path) -> Path:
    """An environment as a finished set-up leaves it; returns its folder."""
    FULL.python.parent.mkdir(parents=True)
    FULL.python.touch()
    dev_environment.write_stamp(FULL, dev_environment.digest_of(FULL))
    return FULL.folder


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text("utf-8") + text, encoding="utf-8")


def test_a_finished_environment_is_used_as_it_is(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dev_environment, "set_up", lambda environment: pytest.fail("set up again"))
    assert dev_environment.is_ready(FULL)
    dev_environment.ensure(FULL)


def test_one_that_was_never_finished_is_made_anew(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dev_environment.write_stamp(FULL, None)
    set_up: list[object] = []
    monkeypatch.setattr(dev_environment, "set_up", set_up.append)
    dev_environment.ensure(FULL)
    assert set_up == [FULL]


def test_a_cut_off_stamp_does_not_count(made: Path) -> None:
    stamp = made / dev_environment.STAMP
    stamp.write_text(stamp.read_text("utf-8")[:20], encoding="utf-8")
    assert not dev_environment.is_ready(FULL)


def test_an_unfinished_environment_is_removed(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dev_environment.write_stamp(FULL, None)
    dev_environment.clear_the_way(FULL)
    assert not made.exists()
    assert "was not finished" in capsys.readouterr().out


def test_what_a_killed_removal_left_is_removed(made: Path, project: Path) -> None:
    half_removed = made.rename(project / ".venv-removing")
    dev_environment.clear_the_way(FULL)
    assert not half_removed.exists()


def test_an_environment_made_by_somebody_else_is_kept(
    made: Path, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (made / dev_environment.STAMP).unlink()
    (project / ".venv-kept-1").mkdir()
    dev_environment.clear_the_way(FULL)
    assert not made.exists()
    assert (project / ".venv-kept-2" / FULL.python.relative_to(made)).exists()
    assert ".venv-kept-2" in capsys.readouterr().out


def test_another_lock_file_makes_it_out_of_date(made: Path, project: Path) -> None:
    append(project / "packaging" / "requirements.lock", "new-package==1.0\n")
    assert not dev_environment.is_ready(FULL)


def test_another_entry_point_makes_it_out_of_date_but_another_lint_rule_does_not(made: Path, project: Path) -> None:
    settings = project / "pyproject.toml"
    append(settings, "\n[tool.something]\nrule = 1\n")
    assert dev_environment.is_ready(FULL)
    changed = settings.read_text("utf-8").replace("[project.scripts]\n", '[project.scripts]\nother = "depthgui:main"\n')
    settings.write_text(changed, encoding="utf-8")
    assert not dev_environment.is_ready(FULL)


def test_one_whose_python_is_gone_is_made_anew(made: Path) -> None:
    FULL.python.unlink()
    assert not dev_environment.is_ready(FULL)


def test_a_moved_folder_makes_it_out_of_date(made: Path, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moved = project.rename(project.parent / "elsewhere")
    monkeypatch.setattr(dev_environment, "ROOT", moved)
    assert not dev_environment.is_ready(FULL)


def test_the_two_environments_have_different_stamps(project: Path) -> None:
    assert dev_environment.digest_of(FULL) != dev_environment.digest_of(WITHOUT_QT)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_lock_files_pin_and_hash_everything_and_name_no_host(lock: Path) -> None:
    text = lock.read_text("utf-8")
    assert "://" not in text
    assert not re.search(r"index|find-links|trusted-host", text)
    requirements = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
    assert requirements
    for requirement in requirements:
        assert re.match(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==[0-9]\S*", requirement), requirement
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", requirement), requirement


def test_the_lock_has_every_dependency_of_the_project() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    names = {
        re.match(r"[A-Za-z0-9._-]+", line)[0].lower()
        for line in project["dependencies"] + extras["test"] + extras["lint"]
    }
    locked = set(re.findall(r"^([A-Za-z0-9._-]+)==", dev_environment.REQUIREMENTS.read_text("utf-8"), re.MULTILINE))
    assert names <= locked


def test_the_binding_that_ends_python_3_11_is_not_locked_for_it() -> None:
    lines = dev_environment.REQUIREMENTS.read_text("utf-8").splitlines()
    versions = {
        tuple(map(int, match[1].split(".")[:2]))
        for line in lines
        if (match := re.match(r"pyside6-essentials==([0-9.]+) ; python_full_version < '3.12'", line))
    }
    assert versions
    assert all(version < (6, 12) for version in versions)


def test_the_lowest_versions_are_those_that_the_project_names() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lock = dev_environment.LOWEST_REQUIREMENTS.read_text("utf-8")
    locked = dict(re.findall(r"^([A-Za-z0-9._-]+)==([0-9.]+)", lock, re.MULTILINE))
    for line in project["dependencies"] + project["optional-dependencies"]["test"]:
        match = re.match(r"([A-Za-z0-9._-]+)(?:\[[a-z,]+\])?>=([0-9.]+)", line)
        assert match, f"{line}: no lower bound"
        name, lowest = match[1].lower(), tuple(map(int, match[2].split(".")))
        found = tuple(map(int, locked[name].split(".")))
        assert found[: len(lowest)] == lowest, f"{name}: packaging/lowest.lock is older than pyproject.toml"


def test_a_part_of_a_lock_file_has_whole_entries_and_only_those_that_are_wanted() -> None:
    attrs = "# head\nattrs==1 \\\n    --hash=sha256:aa\n"
    qasync = "qasync==2 ; x \\\n    --hash=sha256:bb \\\n    --hash=sha256:cc\n"
    yarl = "yarl==3 \\\n    --hash=sha256:dd\n"
    assert dev_environment.locked(attrs + qasync + yarl, {"attrs", "yarl"}.__contains__) == attrs + yarl
    lock = dev_environment.REQUIREMENTS.read_text("utf-8")
    kept = dev_environment.locked(lock, lambda name: name not in WITHOUT_QT.leave_out)
    assert "aiohttp==" in kept
    assert not re.search(r"^(pyside|shiboken|qasync|pyqtgraph|pytest-qt)", kept, re.MULTILINE)


def test_what_a_peer_is_built_with_is_in_the_lock_file() -> None:
    lock = BENCH.requirements.read_text("utf-8")
    assert BENCH.build_tools
    assert all(re.search(rf"^{name}==", lock, re.MULTILINE) for name in BENCH.build_tools)


def test_a_failed_step_shows_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(SetUpError, match=r"fetching failed \(exit code 3\):\n    no route to the index"):
        dev_environment.run_quietly(
            [sys.executable, "-c", "print('no route to the index'); raise SystemExit(3)"], "fetching"
        )


def test_a_place_that_cannot_be_written_is_said_in_words(project: Path) -> None:
    (project / ".venv.lock").mkdir()
    with pytest.raises(SetUpError, match=r"\.venv can't be written: .*\.venv\.lock"):
        dev_environment.ensure(FULL)


def test_what_python_compiles_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    assert "PYTHONDONTWRITEBYTECODE" not in dev_environment.clean_variables()


def test_variables_that_mislead_pip_are_not_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_USER", "1")
    monkeypatch.setenv("PYTHONPATH", "somewhere")
    monkeypatch.setenv("PIP_CERT", "certificates.pem")
    variables = dev_environment.clean_variables({"QT_QPA_PLATFORM": "offscreen"})
    assert "PIP_USER" not in variables
    assert "PYTHONPATH" not in variables
    assert variables["PIP_CERT"] == "certificates.pem"
    assert variables["QT_QPA_PLATFORM"] == "offscreen"


def test_neither_pip_nor_ensurepip_is_said_in_words(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dev_environment, "find_spec", lambda name: None)
    monkeypatch.setattr(dev_environment.dev_apt, "install", lambda packages, say: False)
    with pytest.raises(SetUpError, match=r"neither ensurepip nor pip.*python3[0-9.]*-venv|Run: "):
        dev_environment.make_empty(FULL)
