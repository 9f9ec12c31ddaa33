"""System packages: installed with apt-get where that is allowed, otherwise named in a command for the user to run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def is_root() -> bool:
    """Tell whether this process may install system packages."""
    return sys.platform != "win32" and os.geteuid() == 0


def apt_get(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run apt-get without questions; output and errors are kept together."""
    return subprocess.run(
        ["apt-get", "-qq", "-o", "Acquire::Retries=3", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"},
        check=False,
    )


def install(packages: Sequence[str], say: Callable[[str], None]) -> bool:
    """Install system packages if this is root on Debian, Ubuntu or a relative; tell whether that was done.

    `say` gets a line for each step, and apt-get's own words if it fails.
    """
    if not is_root() or not shutil.which("apt-get"):
        return False
    say(f"installing system packages with apt-get: {' '.join(packages)}")
    command = ["install", "-y", "--no-install-recommends", *packages]
    if apt_get(*command).returncode == 0:
        return True
    say("apt-get doesn't find them, or not all: updating its lists first")
    apt_get("update")
    result = apt_get(*command)
    if result.returncode:
        for line in result.stdout.decode("utf-8", "replace").strip().splitlines()[-10:]:
            say(f"apt-get: {line}")
    return result.returncode == 0


def advice(*, apt: Sequence[str], dnf: Sequence[str], pacman: Sequence[str]) -> str:
    """The sentence that tells which command to run, for the package manager that is here (or all, if none is known)."""
    root = "" if is_root() else "sudo "
    commands = {
        "apt-get": f"{root}apt-get install -y --no-install-recommends {' '.join(apt)}",
        "dnf": f"{root}dnf install -y {' '.join(dnf)}",
        "pacman": f"{root}pacman -S --needed {' '.join(pacman)}",
    }
    here = [command for tool, command in commands.items() if shutil.which(tool)]
    if here:
        return f"Run: {here[0]}"
    return "Install these with your system's package manager, for example:\n" + "\n".join(
        f"    {c}" for c in commands.values()
    )
