"""Puts a frozen build into a .tar.xz and a .deb, with what a Linux desktop wants to know about it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import freeze_archives
import freeze_contents as contents
from freeze_icons import THEME_SIZES

_LINUX = contents.ROOT / "packaging" / "linux"
_DESKTOP = "depthgui.desktop"
_METAINFO = f"{contents.IDENTIFIER}.metainfo.xml"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
MAINTAINER = "depthgui contributors <depthgui@users.noreply.localhost>"

_TAR_README = """\
{title} {version} for Linux

Start it with ./depthgui in this folder; ./depthgui --demo needs no network, and ./depthgui --help lists the rest.
It runs from any place. To have it in the menu, copy share/ into ~/.local/share and put a link to depthgui into a
folder on the PATH, such as ~/.local/bin.

From the system it needs glibc {glibc} or newer, libGL.so.1, libEGL.so.1, libX11, libxcb, fontconfig, FreeType and
D-Bus, which desktops have. ./depthgui --self-test says whether all is there. Licences: LICENSES.txt.
"""

_COPYRIGHT = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: depthgui
Comment: Python, Qt and other libraries come with this package, each under its own licence.
 All of them are in /usr/lib/depthgui/LICENSES.txt. Qt is under the LGPL, version 3:
 /usr/share/common-licenses/LGPL-3 and /usr/share/common-licenses/GPL-3.

Files: *
Copyright: 2026 depthgui contributors
License: Expat
{licence}
"""


@dataclass(frozen=True, slots=True)
class Frozen:
    """A finished bundle: its folder, the drawn icons, the machine it is for, its glibc, and the time of its source."""

    bundle: Path
    icons: Path
    machine: str
    glibc: str
    epoch_s: int

    @property
    def version(self) -> str:
        """The version."""
        return contents.version()


def share_files(frozen: Frozen, prefix: str) -> dict[str, Path | bytes]:
    """Desktop entry, AppStream metadata and icons, named below `prefix` (a "share" folder)."""
    day = datetime.fromtimestamp(frozen.epoch_s, UTC).date().isoformat()
    metainfo = (_LINUX / _METAINFO).read_text("utf-8").replace("@VERSION@", frozen.version).replace("@DATE@", day)
    files: dict[str, Path | bytes] = {
        f"{prefix}/applications/{_DESKTOP}": (_LINUX / _DESKTOP).read_bytes(),
        f"{prefix}/metainfo/{_METAINFO}": metainfo.encode(),
        f"{prefix}/icons/hicolor/scalable/apps/depthgui.svg": (
            contents.ROOT / "resources" / "icons" / "depthgui.svg"
        ).read_bytes(),
    }
    for size in THEME_SIZES:
        data = (frozen.icons / f"{size}.png").read_bytes()
        files[f"{prefix}/icons/hicolor/{size}x{size}/apps/depthgui.png"] = data
    return files


def write_tar_xz(frozen: Frozen, folder: Path) -> Path:
    """Write depthgui-VERSION-linux-MACHINE.tar.xz; returns its path."""
    name = f"{contents.NAME}-{frozen.version}-linux-{frozen.machine}"
    members, links = freeze_archives.folder_members(frozen.bundle, name)
    members |= share_files(frozen, f"{name}/share")
    readme = _TAR_README.format(title=contents.TITLE, version=frozen.version, glibc=frozen.glibc)
    members[f"{name}/README.txt"] = readme.encode()
    target = folder / f"{name}.tar.xz"
    freeze_archives.tar_xz(target, members, links, frozen.epoch_s)
    return target


def debian_version(version: str) -> str:
    """The version in Debian's notation: 1.0.0rc1 comes before 1.0.0, as 1.0.0~rc1."""
    return re.sub(r"(?<=\d)\.?(a|b|rc|dev)(?=\d)", r"~\1", version)


def control_file(frozen: Frozen, size_bytes: int) -> str:
    """The control file of the .deb."""
    lines = {
        "Package": contents.NAME,
        "Version": debian_version(frozen.version),
        "Architecture": _ARCHITECTURES[frozen.machine],
        "Maintainer": MAINTAINER,
        "Installed-Size": str(-(-size_bytes // 1024)),
        "Depends": ", ".join([f"libc6 (>= {frozen.glibc})", *contents.HOST_PACKAGES]),
        "Recommends": ", ".join(contents.RECOMMENDED_PACKAGES),
        "Section": "misc",
        "Priority": "optional",
    }
    text = "".join(f"{key}: {value}\n" for key, value in lines.items())
    return text + (
        "Description: live Binance order books\n"
        " A ladder, a depth chart and a tape for each symbol, one tab a symbol, for\n"
        " spot, USD-M and COIN-M futures and options. The book is kept in step with the\n"
        " venue, and the window says at any time whether it can be believed.\n"
        " .\n"
        " Python and Qt are in the package. Not affiliated with Binance.\n"
    )


def copyright_file() -> str:
    """The copyright file of the .deb."""
    licence = (contents.ROOT / "LICENSE").read_text("utf-8").partition("\n\n")[2].partition("\n\n")[2].strip()
    return _COPYRIGHT.format(licence="\n".join(f" {line}" if line else " ." for line in licence.splitlines()))


def changelog(frozen: Frozen) -> str:
    """Debian's changelog; the real one is CHANGELOG.md."""
    moment = format_datetime(datetime.fromtimestamp(frozen.epoch_s, UTC))
    version = debian_version(frozen.version)
    return (
        f"depthgui ({version}) stable; urgency=medium\n\n  * Release {frozen.version}.\n\n -- {MAINTAINER}  {moment}\n"
    )


def manual(help_text: str, frozen: Frozen) -> str:
    """The manual page, from what ``depthgui --help`` says."""
    day = datetime.fromtimestamp(frozen.epoch_s, UTC).date().isoformat()
    body = help_text.replace("\\", "\\e").replace("-", "\\-")
    body = "\n".join(f"\\&{line}" if line.startswith((".", "'")) else line for line in body.splitlines())
    return (
        f'.TH DEPTHGUI 1 {day} "depthgui {frozen.version}" "User Commands"\n'
        ".SH NAME\ndepthgui \\- live Binance order books\n"
        f".SH DESCRIPTION\n.nf\n{body}\n.fi\n"
    )


def write_deb(frozen: Frozen, help_text: str, folder: Path) -> Path:
    """Write depthgui_VERSION_ARCHITECTURE.deb; returns its path."""
    members, links = freeze_archives.folder_members(frozen.bundle, "./usr/lib/depthgui")
    members |= share_files(frozen, "./usr/share")
    members["./usr/share/doc/depthgui/copyright"] = copyright_file().encode()
    members["./usr/share/doc/depthgui/changelog.gz"] = freeze_archives.gzipped(changelog(frozen))
    members["./usr/share/man/man1/depthgui.1.gz"] = freeze_archives.gzipped(manual(help_text, frozen))
    members["./usr/share/lintian/overrides/depthgui"] = (_LINUX / "lintian-overrides").read_bytes()
    links["./usr/bin/depthgui"] = "../lib/depthgui/depthgui"
    size = sum(len(item) if isinstance(item, bytes) else item.stat().st_size for item in members.values())
    control = {"control": control_file(frozen, size).encode()}
    target = folder / f"{contents.NAME}_{debian_version(frozen.version)}_{_ARCHITECTURES[frozen.machine]}.deb"
    freeze_archives.deb(target, control, members, links, frozen.epoch_s)
    return target
