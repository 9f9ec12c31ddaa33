"""The application's event loop: the turns that asyncio and Qt leave each other, also in loops within loops."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable

import pytest
from PySide6 import QtCore
from ui.engine.loop_helpers import Hands, Ticking, run

from depthgui.app.event_loop import EventLoop

# --- fairness


def chain(loop: EventLoop, links: int, each: Callable[[], None]) -> None:
    """One callback after another, each making the next ready; the last stops the loop."""

    def link(left: int) -> None:
        each()
        if left:
            loop.call_soon(link, left - 1)
        else:
            loop.stop()

    loop.call_soon(link, links)


def test_callbacks_without_end_leave_qt_its_turns(loop: EventLoop) -> None:
    with Ticking() as qt:
        chain(loop, 1600, lambda: None)
        run(loop)
    assert qt.turns >= 90  # one in sixteen rounds


def test_slow_callbacks_leave_qt_its_turns(loop: EventLoop, monkeypatch: pytest.MonkeyPatch) -> None:
    hands = Hands(loop, monkeypatch)

    def slow() -> None:
        hands.now_s += 0.002

    for _ in range(300):
        loop.call_soon(slow)
    loop.call_soon(loop.stop)
    with Ticking() as qt:
        loop.run_forever()
    assert qt.turns >= 90  # one in three


@pytest.mark.parametrize("sockets", [1, 10])
def test_data_without_end_leaves_qt_its_turns(loop: EventLoop, monkeypatch: pytest.MonkeyPatch, sockets: int) -> None:
    """Qt alone would serve all that are ready before anything else has its turn."""
    hands = Hands(loop, monkeypatch)
    pairs = [socket.socketpair() for _ in range(sockets)]
    reads = [0] * sockets

    def read(number: int) -> None:
        reads[number] += 1  # and nothing is taken: it stays ready
        hands.now_s += 0.002
        if sum(reads) == 300:
            loop.stop()

    for number, (near, far) in enumerate(pairs):
        loop.add_reader(near, read, number)
        far.send(b"x")
    with Ticking() as qt:
        loop.run_forever()
    assert qt.turns >= 300 // 6  # one in three reads, or so
    assert min(reads) >= 300 // sockets - 10
    for near, far in pairs:
        loop.remove_reader(near)
        near.close()
        far.close()


def test_data_without_end_leaves_timers_and_callbacks_their_turns(
    loop: EventLoop, pair: tuple[socket.socket, socket.socket]
) -> None:
    pair[1].send(b"x")
    loop.add_reader(pair[0], lambda: None)

    async def wait() -> None:
        await asyncio.sleep(0.02)
        for _ in range(100):
            await asyncio.sleep(0)
        assert await loop.run_in_executor(None, lambda: 5) == 5

    loop.run_until_complete(asyncio.wait_for(wait(), 10))
    loop.remove_reader(pair[0])


class _Flood(QtCore.QObject):
    """An event that posts itself anew, and a timer that is always due."""

    def __init__(self) -> None:
        super().__init__()
        self.is_on = True
        self.events = 0
        self.startTimer(0)
        QtCore.QCoreApplication.postEvent(self, QtCore.QEvent(QtCore.QEvent.Type.User))

    def timerEvent(self, event: QtCore.QTimerEvent) -> None:
        self.events += 1
        if self.is_on:
            QtCore.QCoreApplication.postEvent(self, QtCore.QEvent(QtCore.QEvent.Type.User))
        else:
            self.killTimer(event.timerId())


def test_a_busy_qt_leaves_asyncio_its_turns(loop: EventLoop, pair: tuple[socket.socket, socket.socket]) -> None:
    async def wait() -> None:
        for number in range(100):
            await asyncio.sleep(0.001 if number % 10 == 0 else 0)
            await loop.sock_sendall(pair[1], b"x")
            assert await loop.sock_recv(pair[0], 1) == b"x"

    flood = _Flood()
    loop.run_until_complete(asyncio.wait_for(wait(), 10))
    flood.is_on = False
    assert flood.events > 10
    loop.run_until_complete(asyncio.sleep(0.01))


# --- loops within loops, as a menu or a drag runs one


def nested(loop: EventLoop, prepare: Callable[[QtCore.QEventLoop], None]) -> list[str]:
    """Run a loop of Qt's own within a callback; say what was done in it."""
    seen: list[str] = []
    inner = QtCore.QEventLoop()
    guard = QtCore.QTimer(singleShot=True, interval=5000)
    guard.timeout.connect(lambda: (seen.append("stuck"), inner.quit()))

    def open_menu() -> None:
        guard.start()
        prepare(inner)
        inner.exec()
        guard.stop()
        seen.append("menu closed")
        loop.stop()

    loop.call_soon(open_menu)
    loop.call_soon(seen.append, "what waited behind it")
    run(loop)
    return seen


def test_callbacks_go_on_within_a_loop_of_qt_s(loop: EventLoop) -> None:
    def prepare(inner: QtCore.QEventLoop) -> None:
        loop.call_soon(loop.call_soon, loop.call_soon, inner.quit)

    assert nested(loop, prepare) == ["what waited behind it", "menu closed"]


def test_what_waited_behind_goes_on_within_a_loop_of_qt_s(loop: EventLoop) -> None:
    """Though nothing else happens there."""
    seen: list[str] = []
    inner = QtCore.QEventLoop()

    def open_menu() -> None:
        inner.exec()
        seen.append("menu closed")
        loop.stop()

    def behind() -> None:
        seen.append("behind")
        inner.quit()

    loop.call_soon(open_menu)
    loop.call_soon(behind)
    run(loop)
    assert seen == ["behind", "menu closed"]


def test_timers_threads_and_sockets_go_on_within_a_loop_of_qt_s(
    loop: EventLoop, pair: tuple[socket.socket, socket.socket]
) -> None:
    def prepare(inner: QtCore.QEventLoop) -> None:
        def by_timer() -> None:
            thread = threading.Thread(target=loop.call_soon_threadsafe, args=(by_thread,))
            thread.start()
            threads.append(thread)

        def by_thread() -> None:
            threads[0].join()
            loop.add_reader(pair[0], by_socket)
            pair[1].send(b"x")

        def by_socket() -> None:
            loop.remove_reader(pair[0])
            inner.quit()

        threads: list[threading.Thread] = []
        loop.call_later(0.005, by_timer)

    assert nested(loop, prepare) == ["what waited behind it", "menu closed"]


@pytest.mark.parametrize("source", ["timer", "zero timer", "socket"])
def test_a_loop_within_a_loop_from_every_kind_of_callback(
    loop: EventLoop, pair: tuple[socket.socket, socket.socket], source: str
) -> None:
    """What began the callback is needed again within it."""
    seen: list[str] = []
    inner = QtCore.QEventLoop()

    async def work() -> None:
        await asyncio.sleep(0.005)
        await loop.run_in_executor(None, lambda: None)
        seen.append("done within")
        inner.quit()

    def open_menu() -> None:
        loop.remove_reader(pair[0])
        tasks.append(loop.create_task(work()))
        inner.exec()
        seen.append("menu closed")
        loop.call_later(0.001, loop.stop)

    tasks: list[asyncio.Task[None]] = []
    if source == "timer":
        loop.call_later(0.001, open_menu)
    elif source == "zero timer":
        loop.call_soon(open_menu)
    else:
        loop.add_reader(pair[0], open_menu)
        pair[1].send(b"x")
    run(loop)
    assert seen == ["done within", "menu closed"]


def test_a_reader_is_not_entered_again_while_it_runs_a_loop(
    loop: EventLoop, pair: tuple[socket.socket, socket.socket]
) -> None:
    seen: list[str] = []
    inner = QtCore.QEventLoop()

    def read() -> None:
        seen.append(f"begin {pair[0].recv(1).decode()}")
        if len(seen) == 1:
            QtCore.QTimer.singleShot(20, inner.quit)
            inner.exec()
        seen.append("end")
        if len(seen) == 4:
            loop.stop()

    loop.add_reader(pair[0], read)
    pair[1].send(b"ab")
    run(loop)
    assert seen == ["begin a", "end", "begin b", "end"]
    loop.remove_reader(pair[0])
