"""Draws the application's icon in the sizes that desktops ask for: PNG files, a Windows .ico, a macOS .icns.

Run as a program it draws with Qt: ``freeze_icons.py ICON.svg FOLDER``. The two containers are written here by hand:
Qt puts only one size into an .ico.
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

SIZES = (16, 22, 24, 32, 48, 64, 128, 256, 512, 1024)
# What icon themes on Linux have folders for.
THEME_SIZES = (16, 22, 24, 32, 48, 64, 128, 256, 512)
_ICO_SIZES = (16, 24, 32, 48, 64, 128, 256)
# Kinds of picture in an .icns, with the size in pixels; each of those that hold PNG files.
_ICNS_KINDS = (
    (b"icp4", 16), (b"icp5", 32), (b"ic11", 32), (b"ic12", 64), (b"ic07", 128), (b"ic13", 256), (b"ic08", 256),
    (b"ic14", 512), (b"ic09", 512), (b"ic10", 1024),
)  # fmt: skip


def ico(pictures: Mapping[int, bytes]) -> bytes:
    """An .ico file from PNG files by size in pixels; sizes up to 256."""
    sizes = [size for size in _ICO_SIZES if size in pictures]
    offset = 6 + 16 * len(sizes)
    head = struct.pack("<HHH", 0, 1, len(sizes))
    body = b""
    for size in sizes:
        data = pictures[size]
        # 256 is written as 0.
        head += struct.pack("<BBBBHHII", size % 256, size % 256, 0, 0, 1, 32, len(data), offset + len(body))
        body += data
    return head + body


def icns(pictures: Mapping[int, bytes]) -> bytes:
    """An .icns file from PNG files by size in pixels."""
    body = b"".join(
        kind + struct.pack(">I", 8 + len(pictures[size])) + pictures[size]
        for kind, size in _ICNS_KINDS
        if size in pictures
    )
    return b"icns" + struct.pack(">I", 8 + len(body)) + body


def draw(source: Path, size: int) -> bytes:
    """The picture `size` pixels wide and high, as a PNG file. Raises ValueError if the SVG can't be read."""
    from PySide6 import QtCore, QtGui, QtSvg

    renderer = QtSvg.QSvgRenderer(str(source))
    if not renderer.isValid():
        raise ValueError(f"{source} is no SVG that Qt can read")
    image = QtGui.QImage(size, size, QtGui.QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(QtCore.Qt.GlobalColor.transparent)
    painter = QtGui.QPainter(image)
    renderer.render(painter)
    painter.end()
    buffer = QtCore.QBuffer()
    buffer.open(QtCore.QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]
    return bytes(buffer.data().data())


def main(source: Path, folder: Path) -> None:
    """Write 16.png ... 1024.png, depthgui.ico and depthgui.icns into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures = {size: draw(source, size) for size in SIZES}
    for size, data in pictures.items():
        (folder / f"{size}.png").write_bytes(data)
    (folder / "depthgui.ico").write_bytes(ico(pictures))
    (folder / "depthgui.icns").write_bytes(icns(pictures))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
