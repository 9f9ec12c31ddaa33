"""Writes the licences of everything in a frozen build into one file, from what is installed here.

Run as a program: ``freeze_notices.py BUNDLE ORIGINS.json TARGET``, with the Python that the build was made with.
"""

from __future__ import annotations

import json
import platform
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import freeze_contents as contents
import freeze_linux
import freeze_metadata as metadata

if TYPE_CHECKING:
    from importlib.metadata import Distribution

_TEXTS = Path(__file__).parent / "licences"
_LINE = "=" * 100
_QT_PARTS = ("pyside6", "shiboken6")
_NAMES = ("licen", "copying", "notice", "copyright")

_HEAD = """\
{title} {version}: licences

{title} itself is under the MIT licence, the first text below. It is shipped with the works of others, each
under its own licence; all of them follow.

Qt and Qt for Python (PySide6, Shiboken) are used under the GNU Lesser General Public License, version 3, which builds
on the GNU General Public License, version 3; both texts are below. They are here as shared libraries, in files of their
own that may be replaced with changed versions of the same interface (folder _internal/PySide6; on macOS
Contents/Frameworks). Version: {qt}. The sources are at https://download.qt.io/official_releases/qt/ and
https://download.qt.io/official_releases/QtForPython/; they are used as published, without changes. What Qt itself is
built from, with the licences, is listed at https://doc.qt.io/qt-6/licenses-used-in-qt.html.

The program file was made with PyInstaller, whose licence (the GPL, version 2 or later) has an exception that lets such
programs be under any licence.
"""


def section(title: str, text: str) -> str:
    """One part of the file."""
    return f"{_LINE}\n{title}\n{_LINE}\n\n{text.strip()}\n"


def licence_texts(distribution: Distribution) -> list[str]:
    """The licence files that a package was installed with."""
    found = []
    for file in distribution.files or ():
        name = file.name.lower()
        if name.startswith(_NAMES) and ".dist-info" in file.parts[0]:
            found.append(Path(str(file.locate())).read_text("utf-8", "replace"))
    return found


def licence_name(distribution: Distribution) -> str:
    """What its metadata say, in a few words."""
    fields = distribution.metadata
    # get_all, for a field that isn't there is an error to come for [], and get() is missing in Python 3.11's types.
    name: str = (fields.get_all("License-Expression") or [""])[0]
    known = [line for line in fields.get_all("Classifier") or () if line.startswith("License ::")]
    if not name and known:
        name = known[-1].rpartition(" :: ")[2]
    if not name:
        name = (fields.get_all("License") or [""])[0].strip().partition("\n")[0]
    return name


def package_sections() -> list[str]:
    """A part for each Python package. Raises ValueError if one neither carries its licence nor is Qt's."""
    parts = []
    for distribution in metadata.distributions():
        name = distribution.metadata["Name"]
        if name == contents.NAME:
            continue
        texts = licence_texts(distribution)
        if name.lower().replace("_", "-").startswith(_QT_PARTS):
            texts = ["GNU Lesser General Public License, version 3: its text is further down, a note at the top."]
        if not texts:
            raise ValueError(f"{name} was installed without a licence text: add one to packaging/licences")
        parts.append(section(f"{name} {distribution.version} - {licence_name(distribution)}", "\n\n".join(texts)))
    return parts


def system_sections(bundle: Path, origins: dict[str, str]) -> list[str]:
    """A part for each package of the system that libraries in the bundle come from. Linux only.

    Raises ValueError if a library is no package's and came with no Python package either.
    """
    own = (sys.prefix, sysconfig.get_path("stdlib"))
    names = {path.name for path in freeze_linux.elf_files(bundle)}
    foreign = [source for name, source in origins.items() if Path(name).name in names and not source.startswith(own)]
    owners = freeze_linux.debian_packages_of(foreign)
    unknown = {Path(file).name for file in foreign} - {name for files in owners.values() for name in files}
    # A Python that was built here has its library outside of any package; its licence is the second text.
    unknown = {name for name in unknown if not name.startswith("libpython")}
    if unknown:
        raise ValueError(f"no package of this system owns {', '.join(sorted(unknown))}: their licence isn't known")
    parts = []
    for package, files in sorted(owners.items()):
        text = (Path("/usr/share/doc") / package / "copyright").read_text("utf-8", "replace")
        parts.append(section(f"{', '.join(sorted(set(files)))} - from the package {package}", text))
    return parts


def notices(bundle: Path, origins: dict[str, str]) -> str:
    """The whole file."""
    import PySide6

    parts = [_HEAD.format(title=contents.TITLE, version=contents.version(), qt=PySide6.__version__)]
    parts.append(section(f"{contents.TITLE} - MIT", (contents.ROOT / "LICENSE").read_text("utf-8")))
    parts.append(section(f"Python {platform.python_version()} - PSF-2.0", (_TEXTS / "Python.txt").read_text("utf-8")))
    parts += package_sections()
    if sys.platform.startswith("linux"):
        parts += system_sections(bundle, origins)
    parts += [
        section("GNU Lesser General Public License, version 3", (_TEXTS / "LGPL-3.0.txt").read_text("utf-8")),
        section("GNU General Public License, version 3", (_TEXTS / "GPL-3.0.txt").read_text("utf-8")),
        section("GNU Lesser General Public License, version 2.1", (_TEXTS / "LGPL-2.1.txt").read_text("utf-8")),
    ]
    return "\n".join(parts)


if __name__ == "__main__":
    known = json.loads(Path(sys.argv[2]).read_text("utf-8"))
    Path(sys.argv[3]).write_text(notices(Path(sys.argv[1]), known), encoding="utf-8", newline="\n")
