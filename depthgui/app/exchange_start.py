"""Starts and ends the embedded exchange's process. Imports no Qt and no event loop.

With --demo or --replay the process is started before anything else: it boots on another core while the window's
modules are imported here.
"""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

import depthgui
from depthgui.app.exchange_messages import Orders, orders_of
from depthgui.cli import EXCHANGE_FLAG, Arguments

ExchangeChild = subprocess.Popen[bytes]

_LOG = logging.getLogger(__name__)
_STOP_S = 3.0


def start_child(orders: Orders) -> ExchangeChild:
    """Start the process and hand it its orders; it answers on its standard output. Raises OSError."""
    child = subprocess.Popen(  # noqa: S603 - our own program
        _command(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=_environment(),
    )
    try:
        send_line(child, orders)
    except OSError:
        end_child(child)
        raise
    return child


def send_line(child: ExchangeChild, message: msgspec.Struct) -> None:
    """Write a message to the process. Raises OSError if it has gone."""
    if child.stdin is None:
        raise BrokenPipeError("the embedded exchange takes no orders")
    child.stdin.write(msgspec.json.encode(message) + b"\n")
    child.stdin.flush()


def end_child(child: ExchangeChild) -> None:
    """Close its standard input, which ends it; kill it if it takes too long. May be called twice."""
    try:
        if child.stdin is not None:
            child.stdin.close()
    except BrokenPipeError:
        _LOG.info("the embedded exchange had ended by itself")
    try:
        child.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    if child.stdout is not None:
        child.stdout.close()


@contextlib.contextmanager
def early_child(arguments: Arguments) -> Iterator[ExchangeChild | None]:
    """The process that `arguments` will need, if any, while the block runs."""
    child: ExchangeChild | None = None
    if arguments.uses_exchange and not arguments.self_test:
        # If it does not start, the window tries again, and tells why not.
        with contextlib.suppress(OSError):
            child = start_child(orders_of(arguments))
    try:
        yield child
    finally:
        if child is not None and child.stdout is not None and not child.stdout.closed:
            # Nobody has taken it over.
            end_child(child)
            if child.stderr is not None:
                child.stderr.close()


def _command() -> list[str]:
    if getattr(sys, "frozen", False):
        return [sys.executable, EXCHANGE_FLAG]
    return [sys.executable, "-m", "depthgui", EXCHANGE_FLAG]


def _environment() -> dict[str, str]:
    """The child must find this very package, also where it is not installed.

    It connects to nobody and needs no certificates; its HTTP library would read them all for 60 ms of its start.
    """
    environment = {**os.environ, "SSL_CERT_FILE": os.devnull}
    home = str(Path(depthgui.__file__).resolve().parents[1])
    others = environment.get("PYTHONPATH", "")
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [home, others]))
    return environment
