"""The composition root: the one package that knows every layer.

``root`` wires engine and window and shuts them down in order; beside it stand what a whole process needs: logs, the
hooks for unexpected errors, the lock on a profile, the embedded exchange as a child process, and the self-test.
Importing this package imports no Qt, so that --help, --version and a bad argument answer at once.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from depthgui.ui.main_window import MainWindow

__all__ = ["main", "open_app"]


def open_app(argv: Sequence[str]) -> AbstractAsyncContextManager[MainWindow]:
    """Open the application inside a running qasync loop; yields the main window.

    On leaving, everything is shut down in order: window, feeds, sockets, embedded exchange, logs. `argv` are the
    arguments after the program's name. Raises CommandLineError for arguments that cannot be understood, and
    AlreadyOpenError of `root` if they leave it to a window that is open already; `--new-window` keeps that from it.
    """
    from depthgui.app.root import open_app as open_it
    from depthgui.cli import parse

    return open_it(parse(argv))


def main(argv: Sequence[str]) -> int:
    """Run the whole program; returns the exit code: 0, 1 for a failure, 2 for arguments that make no sense."""
    from depthgui import cli

    try:
        arguments = cli.parse(argv)
    except cli.CommandLineError as error:
        sys.stderr.write(f"depthgui: {error}\nTry depthgui --help.\n")
        return 2
    from depthgui.app.screen import choose_platform

    problem = choose_platform(arguments)
    if problem:
        sys.stderr.write(f"depthgui: {problem}\n")
        return 1
    from depthgui.app.exchange_start import early_child

    # Looking for garbage among fresh modules finds none; `run_process` turns it on again.
    gc.disable()
    # numpy's threads are not used, and the first thing they do is to wait in a loop for a tenth of a second.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    with early_child(arguments) as child:
        from depthgui.app.process import run_process

        return run_process(arguments, child)
