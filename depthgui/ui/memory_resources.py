"""Files that exist in memory only, under ``:/``, where style sheets find them: tinted icons leave nothing on the disk.

The three tables are what ``rcc`` writes into a program, in its format 1: a tree of nodes, their names, and the data.
Source: ``RCCResourceLibrary`` of Qt's rcc; Qt reads the format for as long as it reads what was built with it.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

from PySide6 import QtCore

_FORMAT = 1
_FOLDER = 2
_ANY_COUNTRY, _C_LANGUAGE = 0, 1


@dataclass(slots=True)
class _Node:
    name: str
    data: bytes | None = None  # None: a folder
    children: list[_Node] = field(default_factory=list)


def name_hash(name: str) -> int:
    """Qt's hash of a resource's name (``qt_hash``), by which the nodes of a folder are sorted."""
    number = 0
    for unit in struct.unpack(f">{len(name.encode('utf-16-be')) // 2}H", name.encode("utf-16-be")):
        number = (number << 4) + unit
        number ^= (number & 0xF0000000) >> 23
        number &= 0x0FFFFFFF
    return number


def resource_tables(folder: str, files: Mapping[str, bytes]) -> tuple[bytes, bytes, bytes]:
    """Tree, names and data for `files` (name to content) in ``:/folder``."""
    inner = _Node(folder, None, [_Node(name, data) for name, data in files.items()])
    inner.children.sort(key=lambda node: name_hash(node.name))
    nodes = [_Node("", None, [inner]), inner, *inner.children]  # breadth first: children stand in one run
    names, data, tree = bytearray(), bytearray(), bytearray()
    for number, node in enumerate(nodes):
        name_at = len(names) if number else 0
        if number:
            text = node.name.encode("utf-16-be")
            names += struct.pack(">HI", len(text) // 2, name_hash(node.name)) + text
        if node.data is None:
            tree += struct.pack(">IHII", name_at, _FOLDER, len(node.children), number + 1)
        else:
            tree += struct.pack(">IHHHI", name_at, 0, _ANY_COUNTRY, _C_LANGUAGE, len(data))
            data += struct.pack(">I", len(node.data)) + node.data
    return bytes(tree), bytes(names), bytes(data)


class MemoryResources:
    """Files in memory, there for as long as this lives and `close` was not called."""

    def __init__(self) -> None:
        """Start with none."""
        self._tables: dict[str, tuple[bytes, bytes, bytes]] = {}  # Qt reads them where they are

    def add(self, folder: str, files: Mapping[str, bytes]) -> str:
        """Put files (name to content) into a folder, once; returns its path, such as ``:/style-dark``."""
        if folder not in self._tables:
            tables = self._tables[folder] = resource_tables(folder, files)
            QtCore.qRegisterResourceData(_FORMAT, *tables)
        return f":/{folder}"

    def close(self) -> None:
        """Take all of them away."""
        for tables in self._tables.values():
            QtCore.qUnregisterResourceData(_FORMAT, *tables)
        self._tables.clear()
