"""Shared libraries of a frozen build on Linux: drops those nobody needs, strips, and checks that none is missing."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import freeze_contents as contents

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_MAGIC = b"\x7fELF"


@dataclass(frozen=True, slots=True)
class Links:
    """What one file is linked to: the names of the libraries it needs, and the newest glibc symbols among them."""

    needed: frozenset[str]
    glibc: tuple[int, ...]


def elf_files(folder: Path) -> list[Path]:
    """All programs and libraries in `folder`, without symbolic links."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                if file.read(4) == _MAGIC:
                    found.append(path)
    return found


def parse_readelf(text: str) -> Links:
    """Read the output of ``readelf -d -V -W`` for one file."""
    needed = re.findall(r"\(NEEDED\).*\[([^\]]+)\]", text)
    versions = re.findall(r"Name: GLIBC_(\d+(?:\.\d+)*)", text)
    newest = max((tuple(map(int, number.split("."))) for number in versions), default=(2, 0))
    return Links(frozenset(needed), newest)


def links_of(path: Path) -> Links:
    """What `path` is linked to, as readelf says."""
    result = subprocess.run(
        ["readelf", "-d", "-V", "-W", path],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "LC_ALL": "C"},
    )
    return parse_readelf(result.stdout)


def is_library_only(path: Path) -> bool:
    """Tell whether a file is there only because others are linked to it: no program, extension module or plug-in."""
    if path.parent.name in {"_internal", "lib"}:
        return ".so" in path.name
    return False


def unneeded(links: Mapping[Path, Links], keep: Iterable[str]) -> list[Path]:
    """The libraries that no program, module or plug-in leads to, and that no pattern in `keep` matches."""
    by_name = {path.name: path for path in links}
    waiting = [path for path in links if not is_library_only(path)]
    waiting += [path for path in links for pattern in keep if fnmatchcase(path.name, pattern)]
    reached = set(waiting)
    while waiting:
        for name in links[waiting.pop()].needed:
            target = by_name.get(name)
            if target is not None and target not in reached:
                reached.add(target)
                waiting.append(target)
    return sorted(path for path in links if path not in reached)


def missing(links: Mapping[Path, Links]) -> dict[str, str]:
    """Libraries that are needed, not in the bundle and not to be had from the host: name -> a file that needs it."""
    there = {path.name for path in links}
    return {
        name: path.name
        for path, link in sorted(links.items())
        for name in link.needed
        if name not in there and not contents.is_host_library(name)
    }


def trim(bundle: Path) -> tuple[int, int, dict[Path, Links]]:
    """Drop libraries that nothing needs and strip the rest; returns (dropped, stripped, links of what is left)."""
    links = {path: links_of(path) for path in elf_files(bundle)}
    doomed = unneeded(links, contents.OPENED_AT_RUN_TIME)
    for path in doomed:
        path.unlink()
        del links[path]
    for path in [path for path in bundle.rglob("*") if path.is_symlink() and not path.exists()]:
        path.unlink()
    for folder in sorted((path for path in bundle.rglob("*") if path.is_dir()), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()
    strippable = [path for path in links if contents.may_be_stripped(path.relative_to(bundle).as_posix())]
    for path in strippable:
        subprocess.run(["strip", "--strip-unneeded", path], check=True)
    for path in links:
        # Libraries are loaded, not run; how they came depends on the build machine.
        path.chmod(0o644 if ".so" in path.name else 0o755)
    return len(doomed), len(strippable), links


def glibc_floor(links: Mapping[Path, Links]) -> str:
    """The oldest glibc that all of it runs with, such as "2.36"."""
    return ".".join(map(str, max(link.glibc for link in links.values())))


def debian_packages_of(files: Iterable[str]) -> dict[str, list[str]]:
    """Debian packages that own `files` of this machine: package -> file names; what no package owns is left out."""
    owners: dict[str, list[str]] = {}
    ask = partial(subprocess.run, check=False, capture_output=True, text=True)
    for file in files:
        for path in dict.fromkeys([file, os.path.realpath(file), os.path.realpath(file).removeprefix("/usr")]):
            answer = ask(["dpkg", "-S", path])
            if answer.returncode == 0 and ": " in answer.stdout:
                package = answer.stdout.partition(": ")[0].partition(":")[0]
                owners.setdefault(package, []).append(Path(file).name)
                break
    return owners
