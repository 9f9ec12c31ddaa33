"""Tries the .deb as its user would: checked by the distribution's tools, installed in a clean Debian, started, removed.

The clean Debian is made by debootstrap in a folder and entered with chroot, so this needs root and a package mirror. In
there a virtual display shows the window on the embedded exchange, and its picture is brought out.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import dev_apt
from dev_environment import SetUpError, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_TOOLS = ["debootstrap", "lintian", "desktop-file-utils", "appstream"]
_SUITE = "bookworm"
_PICTURE = "window.png"
_MINUTES = 15
# Started in the clean system: a window on a virtual display, its picture, then the self-test.
_START = """
set -e
export HOME=/root/home LC_ALL=C.UTF-8
mkdir -p $HOME
command -v python3 && echo "python3 is here: this system is not clean" && exit 1
xvfb-run -a -s "-screen 0 1600x1000x24" depthgui --demo --screenshot /root/{picture} --exit-after 12
xvfb-run -a depthgui --self-test
test -s /root/{picture}
"""


def run(command: Sequence[str | Path], what: str) -> str:
    """Run a step and return what it printed.

    Raises:
        SetUpError: it failed, or took too long.
    """
    try:
        result = subprocess.run(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"},
            timeout=60 * _MINUTES,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise SetUpError(f"{what}: not over after {_MINUTES} minutes") from error
    text = result.stdout.decode("utf-8", "replace")
    if result.returncode:
        tail = "\n".join(f"    {line}" for line in text.strip().splitlines()[-40:])
        raise SetUpError(f"{what} failed (exit code {result.returncode}):\n{tail}")
    return text


def check_files(deb: Path, folder: Path) -> None:
    """Look at the package with lintian, desktop-file-validate and appstreamcli; errors and warnings fail.

    Raises:
        SetUpError: one of them complained.
    """
    unpacked = folder / "unpacked"
    shutil.rmtree(unpacked, ignore_errors=True)
    run(["dpkg-deb", "-x", deb, unpacked], "unpacking the package")
    share = unpacked / "usr" / "share"
    said = run(["desktop-file-validate", *(share / "applications").iterdir()], "desktop-file-validate")
    if said.strip():
        raise SetUpError(f"desktop-file-validate: {said}")
    run(["appstreamcli", "validate", "--no-net", "--pedantic", *(share / "metainfo").iterdir()], "appstreamcli")
    found = run(["lintian", "--fail-on", "error,warning", "--tag-display-limit", "0", deb], "lintian").strip()
    say(f"desktop-file-validate, appstreamcli and lintian are content{': ' + found if found else ''}")


def mirror() -> str:
    """The package mirror that this machine uses.

    Raises:
        SetUpError: none is configured.
    """
    sources = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    for path in sources:
        text = path.read_text("utf-8", "replace") if path.is_file() else ""
        if found := re.search(r"^(?:URIs:|deb(?: \[[^\]]*\])?)\s+(\S+/debian)/?(?:\s|$)", text, re.MULTILINE):
            return found[1]
    raise SetUpError("no Debian mirror in /etc/apt: debootstrap wouldn't know where to get packages")


def make_root(root: Path) -> None:
    """Make a minimal Debian with a virtual display in it, and nothing of Python or Qt."""
    if root.exists():
        shutil.rmtree(root)
    root.parent.mkdir(parents=True, exist_ok=True)
    say(f"making a clean Debian ({_SUITE}) in {root}")
    where = mirror()
    run(["debootstrap", "--variant=minbase", "--include=ca-certificates", _SUITE, root, where], "debootstrap")
    # How this machine reaches its mirror (proxies, certificates) holds in there as well.
    for path in [*Path("/etc/apt/apt.conf.d").glob("*proxy*"), *Path("/etc/apt/apt.conf.d").glob("*cert*")]:
        shutil.copy(path, root / "etc" / "apt" / "apt.conf.d")
    shutil.copy("/etc/resolv.conf", root / "etc" / "resolv.conf")
    for name in ("hosts",):
        shutil.copy(Path("/etc") / name, root / "etc" / name)


@contextlib.contextmanager
def mounted(root: Path) -> Iterator[None]:
    """Give the clean system /proc, /dev and /dev/shm while the block runs."""
    mounts = [("proc", "proc"), ("devtmpfs", "dev"), ("tmpfs", "dev/shm")]
    done: list[Path] = []
    try:
        for kind, place in mounts:
            target = root / place
            target.mkdir(parents=True, exist_ok=True)
            run(["mount", "-t", kind, kind, target], f"mounting {place}")
            done.append(target)
        yield
    finally:
        for target in reversed(done):
            run(["umount", "--lazy", target], f"unmounting {target}")


def left_over(before: set[str], after: set[str]) -> list[str]:
    """Files that removing the package left behind, of those under /usr and /etc that are its own."""
    return sorted(name for name in after - before if "depthgui" in name.lower())


def files_in(root: Path) -> set[str]:
    """All files of the clean system below /usr, /etc and /opt."""
    return {
        str((Path(folder) / name).relative_to(root))
        for top in ("usr", "etc", "opt")
        for folder, _, names in os.walk(root / top)
        for name in names
    }


def check(deb: Path, folder: Path) -> Path:
    """Do all of it; returns the picture of the window in the clean system.

    Raises:
        SetUpError: something failed; the text says what.
    """
    if not dev_apt.is_root():
        raise SetUpError("--check-deb makes a clean Debian with debootstrap and chroot, so it needs root")
    absent = [
        tool for tool in ("debootstrap", "lintian", "desktop-file-validate", "appstreamcli") if not shutil.which(tool)
    ]
    if absent and not dev_apt.install(_TOOLS, say):
        raise SetUpError(f"{', '.join(absent)} missing: install {' '.join(_TOOLS)}")
    folder.mkdir(parents=True, exist_ok=True)
    check_files(deb, folder)
    root = folder / "root"
    make_root(root)
    inside: list[str | Path] = ["chroot", root]
    apt: list[str | Path] = [*inside, "apt-get", "-qq", "-y", "--no-install-recommends"]
    with mounted(root):
        run([*apt, "update"], "apt-get update")
        run([*apt, "install", "xvfb", "xauth", "fonts-dejavu-core"], "installing a virtual display")
        before = files_in(root)
        shutil.copy(deb, root / "root" / deb.name)
        say(f"installing {deb.name} there")
        run([*apt, "install", f"/root/{deb.name}"], "installing the package")
        say("starting it there, on a virtual display")
        said = run([*inside, "sh", "-c", _START.format(picture=_PICTURE)], "depthgui in the clean system")
        print("\n".join(f"    {line}" for line in said.strip().splitlines()), flush=True)
        run([*apt, "purge", "depthgui"], "removing the package")
        if rest := left_over(before, files_in(root)):
            raise SetUpError(f"removing the package left {', '.join(rest[:10])}")
    picture = folder / _PICTURE
    shutil.copy(root / "root" / _PICTURE, picture)
    shutil.rmtree(root)
    say(f"installed, started, removed; the window there: {picture}")
    return picture
