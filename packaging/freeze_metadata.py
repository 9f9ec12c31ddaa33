"""The files that a frozen build carries beside its modules: resources, fonts, metadata, version stamps, Info.plist."""

from __future__ import annotations

import importlib.metadata
import json
import re
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import freeze_contents as contents

Entry = tuple[str, str, str]
METADATA_FOLDER = "metadata"
ORIGINS = "origins.json"
# Upright weights only: the application has no italics.
_FONT_FILES = ("Roboto-Regular.ttf", "Roboto-Medium.ttf", "Roboto-Bold.ttf", "Roboto-Light.ttf")


def modules_of_depthgui(root: Path) -> list[str]:
    """Every module of the package by name: its public names are looked up late, where no analysis finds them."""
    found = []
    for path in sorted((root / contents.NAME).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        found.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return [name for name in found if not name.endswith(".__main__")]


def installed_qt_modules() -> list[str]:
    """The names of the modules inside the installed PySide6: "QtCore", "QtQml" ..."""
    names = set()
    for folder in package_folders("PySide6"):
        for path in folder.iterdir():
            if match := re.match(r"(Qt[A-Za-z0-9]+)\.(?:abi3\.so|pyd|so)$", path.name):
                names.add(match[1])
    return sorted(names)


def package_folders(name: str) -> list[Path]:
    """The folders of an installed package; none if it isn't installed."""
    spec = find_spec(name)
    return [Path(folder) for folder in (spec.submodule_search_locations or ())] if spec else []


def distributions(start: str = contents.NAME) -> Iterator[importlib.metadata.Distribution]:
    """`start` and, as far as installed, everything it needs at run time; by name.

    Extras are left out. A requirement for another system isn't installed, so its marker need not be read.
    """
    found: dict[str, importlib.metadata.Distribution] = {}
    waiting = [start]
    while waiting:
        name = waiting.pop()
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        key = re.sub(r"[-_.]+", "-", distribution.metadata["Name"]).lower()
        if key in found:
            continue
        found[key] = distribution
        for requirement in distribution.requires or ():
            if "extra ==" not in requirement and (match := re.match(r"[A-Za-z0-9._-]+", requirement)):
                waiting.append(match[0])
    return iter(found[key] for key in sorted(found))


def write_metadata(folder: Path) -> list[Path]:
    """Write METADATA of every part, without its long description, where "About" looks for it; returns the files."""
    written = []
    for distribution in distributions():
        name = re.sub(r"[-_.]+", "_", distribution.metadata["Name"])
        head = (distribution.read_text("METADATA") or "").partition("\n\n")[0]
        if name == contents.NAME:
            # An environment that is installed in place keeps the version it was made with.
            head = re.sub(r"^Version: .*$", f"Version: {contents.version()}", head, flags=re.MULTILINE)
            number = contents.version()
        else:
            number = distribution.version
        path = folder / f"{name}-{number}.dist-info" / "METADATA"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(head + "\n", encoding="utf-8", newline="\n")
        written.append(path)
    return written


def data_files(root: Path, build: Path) -> list[tuple[str, str]]:
    """(file, folder in the bundle): resources, the font, and the metadata of all parts."""
    files = [(path, f"resources/{path.parent.relative_to(root / 'resources').as_posix()}") for path in _resources(root)]
    for package in package_folders("font_roboto"):
        files += [(package / "files" / name, "font_roboto/files") for name in _FONT_FILES]
    files += [(path, path.parent.name) for path in write_metadata(build / METADATA_FOLDER)]
    return [(str(path), folder.removesuffix("/.")) for path, folder in files]


def _resources(root: Path) -> list[Path]:
    kept = {".svg", ".qss", ".json", ".txt"}
    return [path for path in sorted((root / "resources").rglob("*")) if path.suffix in kept]


def is_own(entry: Entry) -> bool:
    """Tell whether an entry is one of `data_files`, which no filter takes out."""
    return METADATA_FOLDER in Path(entry[1]).parts[-3:-2]


def write_origins(build: Path, binaries: Iterable[Entry]) -> None:
    """Keep where each binary came from, for the licences of the system libraries among them."""
    build.mkdir(parents=True, exist_ok=True)
    origins = {entry[0]: entry[1] for entry in binaries}
    (build / ORIGINS).write_text(json.dumps(origins, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def windows_version_file(build: Path, version: str, name: str) -> str:
    """Write the version resource of a Windows program in PyInstaller's notation; returns the file's path."""
    numbers = ([int(part) for part in re.findall(r"\d+", version)] + [0, 0, 0, 0])[:4]
    words = {
        "CompanyName": "depthgui contributors",
        "FileDescription": f"{contents.TITLE}: {contents.SUMMARY.lower()}",
        "FileVersion": version,
        "InternalName": name,
        "LegalCopyright": "MIT licence; Qt under the LGPL version 3",
        "OriginalFilename": f"{name}.exe",
        "ProductName": contents.TITLE,
        "ProductVersion": version,
    }
    table = ", ".join(f"StringStruct({key!r}, {value!r})" for key, value in words.items())
    fixed = f"filevers={tuple(numbers)}, prodvers={tuple(numbers)}, mask=0x3f, flags=0, OS=0x40004, fileType=1"
    text = (
        f"VSVersionInfo(ffi=FixedFileInfo({fixed}, subtype=0, date=(0, 0)), "
        f"kids=[StringFileInfo([StringTable('040904B0', [{table}])]), "
        "VarFileInfo([VarStruct('Translation', [1033, 1200])])])\n"
    )
    build.mkdir(parents=True, exist_ok=True)
    path = build / f"{name}-version.txt"
    path.write_text(text, encoding="utf-8")
    return str(path)


def info_plist(version: str) -> dict[str, Any]:
    """What Info.plist says beyond what PyInstaller writes by itself."""
    return {
        "CFBundleName": contents.TITLE,
        "CFBundleDisplayName": contents.TITLE,
        "CFBundleShortVersionString": version,
        "CFBundleVersion": version,
        "LSApplicationCategoryType": "public.app-category.finance",
        "LSMinimumSystemVersion": "13.0",
        "NSHighResolutionCapable": True,
        "NSSupportsAutomaticGraphicsSwitching": True,
        "NSHumanReadableCopyright": "MIT licence; Qt under the LGPL version 3",
    }
