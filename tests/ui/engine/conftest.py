"""Loops and sockets for the tests of the event loop."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from PySide6 import QtWidgets

from depthgui.app.event_loop import EventLoop


@pytest.fixture
def loop() -> Iterator[EventLoop]:
    app = QtWidgets.QApplication.instance() or QtWidgets.QApplication(["depthgui-tests"])
    assert isinstance(app, QtWidgets.QApplication)
    loop = EventLoop(app)
    yield loop
    loop.close()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    near, far = socket.socketpair()
    near.setblocking(False)
    far.setblocking(False)
    yield near, far
    near.close()
    far.close()
