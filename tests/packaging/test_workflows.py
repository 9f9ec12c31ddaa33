"""The workflows of the code host: they call tasks that exist, attach files that are made, and can't run for ever."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

import dev_tasks
import freeze_contents as contents
import freeze_installers
from dev_environment import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
RELEASE = (ROOT / ".github" / "workflows" / "release.yml").read_text("utf-8")


def jobs(text: str) -> list[str]:
    """The text of each job."""
    return re.split(r"^  (?=\w+:\n)", text.partition("\njobs:\n")[2], flags=re.MULTILINE)[1:]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_calls_tasks_that_exist_and_ends(path: Path) -> None:
    text = path.read_text("utf-8")
    assert set(re.findall(r"packaging/dev\.py (\w+)", text)) <= set(dev_tasks.TASKS)
    assert jobs(text)
    for job in jobs(text):
        assert re.search(r"^    timeout-minutes: \d+$", job, re.MULTILINE), job[:30]


def test_ci_runs_the_script_that_runs_all() -> None:
    assert "run: bash .ci/run" in (ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8")


def test_all_three_systems_are_built_before_anything_is_attached() -> None:
    builders = {re.match(r"\w+", job)[0] for job in jobs(RELEASE) if "packaging/dev.py build" in job}  # type: ignore[index]
    assert builders == {"linux", "windows", "macos"}
    assert "needs: [linux, windows, macos]" in RELEASE


@pytest.mark.parametrize(
    "name",
    [
        f"depthgui-{contents.version()}-linux-x86_64.tar.xz",
        f"depthgui_{contents.version()}_amd64.deb",
        f"depthgui-{contents.version()}-py3-none-any.whl",
        f"depthgui-{contents.version()}.tar.gz",
        f"depthgui-{contents.version()}-windows-amd64.zip",
        f"{freeze_installers.installer_name()}.exe",
        f"depthgui-{contents.version()}-macos-arm64.dmg",
    ],
)
def test_what_is_made_is_attached(name: str) -> None:
    patterns = re.findall(r"dist/(\S+)", RELEASE)
    assert any(fnmatch(name, pattern) for pattern in patterns)


def test_secrets_are_those_that_the_build_reads() -> None:
    read = "".join(
        (ROOT / "packaging" / name).read_text("utf-8")
        for name in ("freeze_installers.py", "depthgui.spec", "macos/make_dmg.sh")
    )
    named = set(re.findall(r"secrets\.(\w+)", RELEASE))
    assert named
    assert all(name in read for name in named)
