"""A whole process: makes the QApplication and the loop, waits for the end, takes the picture, gives the exit code."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import sys
from collections.abc import Callable, Iterator

from depthgui.app import root
from depthgui.app.event_loop import EventLoop
from depthgui.app.exchange_start import ExchangeChild
from depthgui.book.errors import UsageError
from depthgui.cli import Arguments
from depthgui.ui.picture import grab_window, save_picture
from depthgui.ui.qt import QtCore, QtWidgets

_PICTURE_AFTER_S = 8.0
_WAKE_MS = 300


def run_process(arguments: Arguments, child: ExchangeChild | None = None) -> int:
    """Run until the window is closed, the time is over, or a signal comes; returns the exit code.

    `child` is the embedded exchange that was started for `arguments`, if any.
    """
    app = _Application()
    with asyncio.Runner(loop_factory=lambda: EventLoop(app)) as runner:
        try:
            return runner.run(_self_test(arguments) if arguments.self_test else _run(arguments, child))
        except root.AlreadyOpenError as error:
            if sys.stdout is not None:
                sys.stdout.write(f"depthgui: {error}\n")
            return 0
        except (OSError, UsageError) as error:
            sys.stderr.write(f"depthgui: {error}\n")
            return 1


async def _self_test(arguments: Arguments) -> int:
    from depthgui.app.self_test import run_self_test

    _collect_from_now_on()
    return await run_self_test(arguments)


async def _run(arguments: Arguments, child: ExchangeChild | None) -> int:
    stop = asyncio.Event()
    with _ending(stop):
        async with root.open_application(arguments, child) as application:
            _collect_from_now_on()
            window = application.window
            window.closed.connect(stop.set)
            if window.is_closed:  # by somebody quicker than the start
                stop.set()
            await _wait(stop, _time_limit_s(arguments))
            if arguments.screenshot is not None:
                save_picture(grab_window(window, application.theme), arguments.screenshot)
    return 0


def _collect_from_now_on() -> None:
    """What is there now stays to the end: no collection needs to walk through it, which took 20 ms each time."""
    gc.freeze()
    gc.enable()


def _time_limit_s(arguments: Arguments) -> float | None:
    if arguments.exit_after_s is None and arguments.screenshot is not None:
        return _PICTURE_AFTER_S
    return arguments.exit_after_s


async def _wait(stop: asyncio.Event, limit_s: float | None) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), limit_s)


class _Application(QtWidgets.QApplication):
    """Turns the desktop's wish to quit (macOS menu, session end) into the orderly end.

    An event filter on the application would do that too, and be called for every event of every object.
    """

    def __init__(self) -> None:
        super().__init__(sys.argv[:1])
        self.on_quit: Callable[[], None] | None = None

    def event(self, event: QtCore.QEvent) -> bool:
        """Take the event: quitting at once would end the loop below our feet."""
        if event.type() is QtCore.QEvent.Type.Quit and self.on_quit is not None:
            self.on_quit()
            return True
        return super().event(event)


@contextlib.contextmanager
def _ending(stop: asyncio.Event) -> Iterator[None]:
    """Ctrl+C, SIGTERM and the desktop's quit set `stop` while the block runs."""
    app = QtWidgets.QApplication.instance()
    if isinstance(app, _Application):
        app.on_quit = stop.set
    loop = asyncio.get_running_loop()
    numbers = [signal.SIGINT, signal.SIGTERM]
    timer: QtCore.QTimer | None = None
    if sys.platform == "win32":
        for number in numbers:
            signal.signal(number, lambda *_: stop.set())
        # Python handles a signal between two of its own instructions: give it some now and then.
        timer = QtCore.QTimer(interval=_WAKE_MS)
        timer.timeout.connect(lambda: None)
        timer.start()
    else:
        for number in numbers:
            loop.add_signal_handler(number, stop.set)
    try:
        yield
    finally:
        if timer is not None:
            timer.stop()
        else:
            for number in numbers:
                loop.remove_signal_handler(number)
        if isinstance(app, _Application):
            app.on_quit = None
