"""The packages of Windows and macOS: a .zip and an installer; a disk image. Signed where the variables say how.

Windows: DEPTHGUI_SIGN_COMMAND is a command that signs the files that are appended to it. macOS:
DEPTHGUI_CODESIGN_IDENTITY and DEPTHGUI_NOTARY_PROFILE, see macos/make_dmg.sh.
"""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import freeze_archives
import freeze_contents as contents
from dev_environment import SetUpError, say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_HERE = Path(__file__).parent
_INNO_PLACES = (Path("C:/Program Files (x86)/Inno Setup 6/ISCC.exe"), Path("C:/Program Files/Inno Setup 6/ISCC.exe"))


def pack(bundle: Path, dist: Path, epoch_s: int) -> list[Path]:
    """Write the packages of the system this runs on; returns them."""
    return pack_for_windows(bundle, dist, epoch_s) if sys.platform == "win32" else [pack_for_macos(bundle, dist)]


def sign_command(files: Sequence[Path], variables: Mapping[str, str] = os.environ) -> list[str] | None:
    """The command that signs `files` on Windows, None where nobody said how.

    The variable is split as on a POSIX command line, quotes included: ``signtool sign /fd sha256 /n "My name"``.
    """
    command = variables.get("DEPTHGUI_SIGN_COMMAND", "").strip()
    return [*shlex.split(command.replace("\\", "/")), *map(str, files)] if command else None


def sign(files: Sequence[Path]) -> None:
    """Sign `files`, or say that they are not signed.

    Raises:
        SetUpError: the command failed.
    """
    command = sign_command(files)
    if command is None:
        say(f"not signed (DEPTHGUI_SIGN_COMMAND is not set): {', '.join(path.name for path in files)}")
        return
    if subprocess.run(command, check=False).returncode:
        raise SetUpError(f"signing failed: {' '.join(command)}")


def inno_setup() -> Path | None:
    """Inno Setup's compiler, if it is here."""
    found = shutil.which("iscc")
    return Path(found) if found else next((path for path in _INNO_PLACES if path.is_file()), None)


def inno_command(compiler: Path, bundle: Path, dist: Path) -> list[str]:
    """The command that writes the installer."""
    return [
        str(compiler),
        f"/DVersion={contents.version()}",
        f"/DBundle={bundle}",
        f"/O{dist}",
        f"/F{installer_name()}",
        str(_HERE / "windows" / "depthgui.iss"),
    ]


def installer_name() -> str:
    """The installer's name without its ending."""
    return f"{contents.NAME}-{contents.version()}-windows-setup"


def pack_for_windows(bundle: Path, dist: Path, epoch_s: int) -> list[Path]:
    """Sign the programs, write the .zip, and the installer if Inno Setup is here."""
    sign(sorted(bundle.glob("*.exe")))
    name = f"{contents.NAME}-{contents.version()}-windows-{platform.machine().lower()}"
    archive = dist / f"{name}.zip"
    freeze_archives.zip_folder(archive, bundle, name, epoch_s)
    compiler = inno_setup()
    if compiler is None:
        say("no installer: Inno Setup 6 is not here (iscc)")
        return [archive]
    if subprocess.run(inno_command(compiler, bundle, dist), check=False).returncode:
        raise SetUpError("Inno Setup failed")
    installer = dist / f"{installer_name()}.exe"
    sign([installer])
    return [archive, installer]


def pack_for_macos(bundle: Path, dist: Path) -> Path:
    """Write the disk image with the application, signed and notarised where the variables say how."""
    target = dist / f"{contents.NAME}-{contents.version()}-macos-{platform.machine()}.dmg"
    command = [_HERE / "macos" / "make_dmg.sh", dist / f"{contents.TITLE}.app", bundle / "LICENSES.txt", target]
    if subprocess.run(command, check=False).returncode:
        raise SetUpError("making the disk image failed")
    return target
