"""The import rules in pyproject.toml: a tree that keeps them passes, and each kind of breach is found.

They are tried on an empty package of the same shape, so that the test says nothing about today's code and everything
about the rules.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2] / "pyproject.toml"
MODULES = {
    "__init__": "from depthgui.depthcache import Feed",
    "_version": "",
    "__main__": "from depthgui.app import main",
    "app": "import qasync\nfrom depthgui import ui, cli, settings, recording, exchange, depthcache",
    "cli": "from depthgui.exchange import server",
    "settings": "",
    "websockets": "from depthgui.depthcache import Feed",
    "ui/__init__": "import PySide6, pyqtgraph",
    "recording/__init__": "",
    "exchange/__init__": "from aiohttp import web",
    "exchange/server": "",
    "depthcache/__init__": "import asyncio, time, logging\nfrom depthgui.transport import stream\nFeed = object",
    "transport/__init__": "",
    "transport/stream": "import socket, websockets, aiohttp\nfrom depthgui.binance import codec",
    "binance/__init__": "",
    "binance/codec": "import msgspec\nfrom depthgui.book import messages",
    "book/__init__": "",
    "book/messages": "import decimal",
}
BREACHES = {
    "upward import": ("depthcache/feed", "from depthgui.ui import theme", "Imports point down only"),
    "late upward import": ("depthcache/feed", "def f():\n    import depthgui.exchange", "Imports point down only"),
    "siblings": ("recording/player", "import depthgui.exchange", "Imports point down only"),
    "upward through the public names": ("book/levels", "import depthgui", "Imports point down only"),
    "a module in no layer": ("util", "", "Imports point down only"),
    "clock in the book": ("book/sync", "import time", "book and binance are pure"),
    "loop in the dialect": ("binance/limits", "from asyncio import sleep", "book and binance are pure"),
    "logging in the book": ("book/sync", "import logging", "book and binance are pure"),
    "Qt in the feed": ("depthcache/feed", "from PySide6.QtCore import QObject", "Only ui and app know Qt"),
    "Qt in the settings": ("settings", "import PySide6.QtCore", "Only ui and app know Qt"),
    "Qt behind the guide's names": ("websockets", "import qasync", "Only ui and app know Qt"),
    "Qt behind the public names": ("__init__", "import qasync", "The library can be used without Qt"),
    "window behind the public names": ("__init__", "import depthgui.app", "The library can be used without Qt"),
    "Qt in a module of tomorrow": ("recording/chart", "import pyqtgraph", "Only ui and app know Qt"),
    "socket in the window": ("ui/ping", "import aiohttp", "open sockets"),
    "socket in the feed": ("depthcache/feed", "import websockets.client", "open sockets"),
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A project with depthgui's rules and an empty package of depthgui's shape that keeps them."""
    shutil.copy(PROJECT, tmp_path)
    for name, source in MODULES.items():
        write(tmp_path, name, source)
    return tmp_path


def write(tree: Path, name: str, source: str) -> None:
    path = tree / "depthgui" / f"{name}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{source}\n", encoding="utf-8")


def lint(tree: Path) -> tuple[int, str]:
    """Check the tree; returns the exit code and what was printed."""
    command = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    result = subprocess.run(
        [sys.executable, "-c", command, "--no-cache"], cwd=tree, capture_output=True, text=True, timeout=50, check=False
    )
    return result.returncode, result.stdout + result.stderr


def test_a_tree_that_keeps_the_rules_passes(tree: Path) -> None:
    code, output = lint(tree)
    assert code == 0, output
    assert "0 broken" in output


@pytest.mark.parametrize("case", BREACHES)
def test_a_breach_is_found(tree: Path, case: str) -> None:
    name, source, rule = BREACHES[case]
    write(tree, name, source)
    code, output = lint(tree)
    assert code == 1, output
    broken = [line for line in output.splitlines() if rule in line and "BROKEN" in line]
    assert broken, output
