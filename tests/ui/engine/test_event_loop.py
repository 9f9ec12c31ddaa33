"""The application's event loop: asyncio's contract, and fairness between asyncio and Qt."""

from __future__ import annotations

import asyncio
import contextvars
import math
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PySide6 import QtCore, QtWidgets

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


def run(loop: EventLoop, within_s: float = 10.0) -> None:
    """Run until something stops the loop."""
    late: list[bool] = []

    def give_up() -> None:
        late.append(True)
        loop.stop()

    timer = loop.call_later(within_s, give_up)
    loop.run_forever()
    timer.cancel()
    assert not late, "the loop was not stopped"


class Hands:
    """A clock that only the test moves."""

    def __init__(self, loop: EventLoop, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 1000.0
        monkeypatch.setattr(loop, "time", lambda: self.now_s)


class Ticking:
    """Counts the turns of one of Qt's timers."""

    def __init__(self) -> None:
        self.turns = 0
        self._timer = QtCore.QTimer(interval=0)
        self._timer.timeout.connect(self._count)

    def _count(self) -> None:
        self.turns += 1

    def __enter__(self) -> Ticking:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.stop()


# --- callbacks


def test_callbacks_run_in_order_and_new_ones_after_them(loop: EventLoop) -> None:
    seen: list[int] = []

    def first() -> None:
        seen.append(1)
        loop.call_soon(seen.append, 4)
        loop.call_soon(loop.stop)

    loop.call_soon(first)
    loop.call_soon(seen.append, 2)
    cancelled = loop.call_soon(seen.append, 0)
    loop.call_soon(seen.append, 3)
    cancelled.cancel()
    run(loop)
    assert seen == [1, 2, 3, 4]


def test_a_callback_runs_in_its_context(loop: EventLoop, pair: tuple[socket.socket, socket.socket]) -> None:
    name: contextvars.ContextVar[str] = contextvars.ContextVar("name", default="none")
    seen: dict[str, str] = {}

    def note(what: str) -> None:
        seen[what] = name.get()
        name.set("changed by a callback")
        if what == "socket":
            loop.remove_reader(pair[0])
        if len(seen) == 5:
            loop.stop()

    context = contextvars.copy_context()
    context.run(name.set, "given")
    loop.call_soon(note, "soon given", context=context)
    loop.call_soon_threadsafe(note, "threadsafe given", context=context.copy())
    token = name.set("at the call")
    loop.call_soon(note, "soon")
    loop.call_later(0.001, note, "later")
    loop.add_reader(pair[0], note, "socket")
    name.reset(token)
    pair[1].send(b"x")
    run(loop)
    assert seen == {
        "soon given": "given",
        "threadsafe given": "given",
        "soon": "at the call",
        "later": "at the call",
        "socket": "at the call",
    }
    assert name.get() == "none"


def test_an_exception_goes_to_the_handler_and_the_rest_goes_on(
    loop: EventLoop, pair: tuple[socket.socket, socket.socket]
) -> None:
    told: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: told.append(context))

    def fail(what: str) -> None:
        if what == "socket":
            loop.remove_reader(pair[0])
        raise ValueError(what)

    loop.call_soon(fail, "soon")
    loop.call_later(0.001, fail, "later")
    loop.add_reader(pair[0], fail, "socket")
    pair[1].send(b"x")
    loop.call_later(0.02, loop.stop)
    run(loop)
    assert sorted(str(context["exception"]) for context in told) == ["later", "socket", "soon"]
    assert all("handle" in context for context in told)


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("source", ["soon", "later", "socket"])
def test_what_ends_the_program_leaves_the_loop(
    loop: EventLoop, pair: tuple[socket.socket, socket.socket], error: type[BaseException], source: str
) -> None:
    seen: list[str] = []

    def end() -> None:
        loop.remove_reader(pair[0])
        loop.call_soon(seen.append, "left")
        raise error

    if source == "soon":
        loop.call_soon(end)
        loop.call_soon(seen.append, "waiting")
    elif source == "later":
        loop.call_later(0, end)
    else:
        loop.add_reader(pair[0], end)
        pair[1].send(b"x")
    with pytest.raises(error):
        run(loop)
    assert seen == []
    loop.call_soon(loop.stop)
    run(loop)
    assert seen == (["waiting", "left"] if source == "soon" else ["left"])


def test_calls_from_other_threads(loop: EventLoop) -> None:
    seen: list[tuple[int, int]] = []
    homes: set[threading.Thread] = set()

    def note(thread: int, number: int) -> None:
        homes.add(threading.current_thread())
        seen.append((thread, number))
        if len(seen) == 2000:
            loop.stop()

    def work(thread: int) -> None:
        loop.call_soon_threadsafe(note, thread, -1).cancel()
        for number in range(500):
            loop.call_soon_threadsafe(note, thread, number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    loop.call_later(0.01, lambda: [thread.start() for thread in threads])
    run(loop)
    for thread in threads:
        thread.join()
    assert homes == {threading.main_thread()}
    for thread in range(4):
        mine = [number for which, number in seen if which == thread]
        assert [number for number in mine if number >= 0] == list(range(500))


def test_a_threadsafe_call_from_the_loop_s_own_thread_waits_for_its_turn(loop: EventLoop) -> None:
    seen: list[int] = []

    def call() -> None:
        loop.call_soon(seen.append, 1)
        loop.call_soon_threadsafe(seen.append, 2)
        loop.call_soon_threadsafe(loop.stop)
        assert seen == []

    loop.call_soon(call)
    run(loop)
    assert seen == [1, 2]


# --- timers


def test_timers_come_when_they_are_due_and_in_order(loop: EventLoop) -> None:
    seen: list[tuple[str, float]] = []

    def note(name: str) -> None:
        seen.append((name, loop.time()))

    begun_s = loop.time()
    when = {"c": 0.03, "a": 0.01, "b": 0.02}
    for name, delay_s in when.items():
        timer = loop.call_later(delay_s, note, name)
        assert timer.when() == pytest.approx(loop.time() + delay_s, abs=0.01)
    loop.call_later(0.03, note, "d")
    at_s = loop.time() + 0.04
    for name in "efg":
        loop.call_at(at_s, note, name)
    loop.call_later(-1, note, "first")
    loop.call_at(at_s + 0.001, loop.stop)
    loop.call_later(math.inf, note, "never")
    run(loop)
    assert "".join(name for name, _ in seen) == "firstabcdefg"
    assert all(at_s >= begun_s + when.get(name, 0.0) for name, at_s in seen)


def test_cancelled_timers_are_cleared_away(loop: EventLoop) -> None:
    seen: list[int] = []

    async def many() -> None:
        kept = [loop.call_later(0.01, seen.append, number) for number in range(10)]
        for _ in range(20_000):
            loop.call_later(30, seen.append, -1).cancel()
        assert loop.timers < 300
        kept[3].cancel()
        kept[3].cancel()
        await asyncio.sleep(0.02)

    loop.run_until_complete(many())
    assert seen == [0, 1, 2, 4, 5, 6, 7, 8, 9]


def test_nothing_wakes_an_idle_loop(loop: EventLoop) -> None:
    """Neither a timer that was cancelled nor an empty queue keeps a timer of Qt's running."""

    async def idle() -> None:
        loop.call_later(0.001, pytest.fail, "cancelled").cancel()
        assert not loop._alarm.isActive()
        late = loop.call_later(60, pytest.fail, "much too late")
        loop.call_later(30, pytest.fail, "cancelled").cancel()
        assert loop._alarm.isActive()
        assert loop._alarm.remainingTime() > 31_000
        late.cancel()
        assert not loop._alarm.isActive()
        quiet = loop.create_future()
        QtCore.QTimer.singleShot(5, lambda: quiet.set_result(loop._zero.isActive()))
        assert not await quiet

    loop.run_until_complete(idle())


# --- sockets


def test_readers_may_be_changed_by_what_they_call(loop: EventLoop, pair: tuple[socket.socket, socket.socket]) -> None:
    near, far = pair
    seen: list[str] = []

    def first() -> None:
        seen.append("first")
        loop.add_reader(near, second)  # of the same, which stays readable

    def second() -> None:
        seen.append("second")
        assert loop.remove_reader(near)
        assert not loop.remove_reader(near)
        loop.add_reader(near, third)

    def third() -> None:
        seen.append("third")
        near.recv(10)
        loop.add_writer(near, writable)

    def writable() -> None:
        seen.append("writable")
        assert loop.remove_writer(near)
        loop.stop()

    loop.add_reader(near, first)
    far.send(b"x")
    run(loop)
    assert seen == ["first", "second", "third", "writable"]
    assert loop.remove_reader(near)


def test_a_socket_closed_in_its_callback_and_its_number_used_again(loop: EventLoop) -> None:
    old, old_far = socket.socketpair()
    number = old.fileno()
    new: list[socket.socket] = []
    seen: list[str] = []

    def close() -> None:
        seen.append("old")
        loop.remove_reader(old)
        old.close()
        near, far = socket.socketpair()
        new.extend((near, far, old_far))
        assert near.fileno() == number
        loop.add_reader(near, again, near)
        loop.call_later(0.01, far.send, b"x")

    def again(near: socket.socket) -> None:
        seen.append("new")
        near.recv(10)
        loop.remove_reader(near)
        loop.call_later(0.01, loop.stop)

    loop.add_reader(old, close)
    old_far.send(b"x")
    run(loop)
    assert seen == ["old", "new"]
    for each in new:
        each.close()


@pytest.mark.parametrize("change", ["removed", "replaced"])
def test_a_reader_that_waits_for_its_turn_is_not_called_any_more(
    loop: EventLoop, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """The first to be served uses up the time; the others have to wait, and are changed meanwhile."""
    hands = Hands(loop, monkeypatch)
    pairs = [socket.socketpair() for _ in range(3)]
    seen: list[str] = []

    def first() -> None:
        seen.append("first")
        hands.now_s += 1.0
        loop.call_soon(seen.append, "what it made ready")
        loop.call_soon(others_change)

    def others_change() -> None:
        for near, _ in pairs:
            if change == "removed":
                loop.remove_reader(near)
            else:
                loop.add_reader(near, second, near)
        QtCore.QTimer.singleShot(10, loop.stop)

    def second(near: socket.socket) -> None:
        seen.append("second")
        near.recv(1)

    for near, far in pairs:
        loop.add_reader(near, first)
        far.send(b"x")
    run(loop)
    assert seen == ["first", "what it made ready"] + (["second"] * 3 if change == "replaced" else [])
    for near, far in pairs:
        loop.remove_reader(near)
        near.close()
        far.close()


def test_a_removed_reader_is_not_called_though_it_was_ready(loop: EventLoop) -> None:
    """Both are ready in the same turn; each would remove the other."""
    pairs = [socket.socketpair() for _ in range(2)]
    seen: list[int] = []

    def ready(number: int) -> None:
        seen.append(number)
        for near, _ in pairs:
            loop.remove_reader(near)
        loop.call_later(0.01, loop.stop)

    for number, (near, far) in enumerate(pairs):
        loop.add_reader(near, ready, number)
        far.send(b"x")
    run(loop)
    assert len(seen) == 1
    for near, far in pairs:
        near.close()
        far.close()


def test_watching_and_not_watching_leaves_nothing_behind(
    loop: EventLoop, pair: tuple[socket.socket, socket.socket]
) -> None:
    async def churn() -> None:
        for number in range(500):
            loop.add_reader(pair[0], print)
            loop.add_writer(pair[0], print)
            loop.remove_writer(pair[0])
            loop.remove_reader(pair[0])
            if number % 50 == 0:
                await asyncio.sleep(0.001)
        await asyncio.sleep(0.001)

    before = len(loop._waker.children())
    loop.run_until_complete(churn())
    assert len(loop._waker.children()) == before


def test_streams_servers_and_sock_calls(loop: EventLoop, pair: tuple[socket.socket, socket.socket]) -> None:
    async def talk() -> None:
        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
            writer.close()

        async with await asyncio.start_server(echo, "127.0.0.1", 0) as server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            body = os.urandom(3_000_000)  # more than fits in between: both sides wait to write
            writer.write(body)
            writer.write_eof()
            assert await reader.read() == body
            writer.close()
            await writer.wait_closed()
        near, far = pair
        waiting = asyncio.create_task(loop.sock_recv(near, 10))
        await asyncio.sleep(0)
        await loop.sock_sendall(far, b"hello")
        assert await waiting == b"hello"
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await loop.sock_recv(near, 10)
        await loop.sock_sendall(far, b"again")
        assert await loop.sock_recv(near, 10) == b"again"

    loop.run_until_complete(asyncio.wait_for(talk(), 10))


def test_a_message_costs_no_timer_of_qt_s(loop: EventLoop, pair: tuple[socket.socket, socket.socket]) -> None:
    """What a socket makes ready runs with it; but for one in five, which have to wait for Qt's turn."""
    fired: list[int] = []
    loop._zero.timeout.connect(lambda: fired.append(len(seen)))
    seen: list[bytes] = []

    def read() -> None:
        loop._spent_s += 0.001
        loop.call_soon(loop.call_soon, take, pair[0].recv(1))

    def take(data: bytes) -> None:
        seen.append(data)
        if len(seen) == 20:
            loop.stop()

    async def write() -> None:
        loop.add_reader(pair[0], read)
        for _ in range(20):
            await asyncio.sleep(0.001)
            pair[1].send(b"x")

    task = loop.create_task(write())
    run(loop)
    assert task.done()
    assert len(seen) == 20
    assert len(fired) <= 8  # with the start
    loop.remove_reader(pair[0])


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


# --- beginning and end


def test_what_is_left_at_a_stop_is_done_in_the_next_run(
    loop: EventLoop, pair: tuple[socket.socket, socket.socket]
) -> None:
    seen: list[str] = []
    loop.call_soon(loop.stop)
    loop.call_soon(lambda: loop.call_soon(seen.append, "of the next round"))
    loop.call_later(0, seen.append, "timer")
    loop.add_reader(pair[0], lambda: (seen.append("socket"), loop.remove_reader(pair[0])))
    loop.run_forever()
    assert "of the next round" not in seen
    pair[1].send(b"x")
    before = list(seen)
    for _ in range(5):  # Qt's events alone do not run asyncio's callbacks
        QtCore.QCoreApplication.processEvents(QtCore.QEventLoop.ProcessEventsFlag.AllEvents)
    assert seen == before
    loop.call_later(0.01, loop.stop)
    run(loop)
    assert sorted(seen) == ["of the next round", "socket", "timer"]


def test_run_until_complete(loop: EventLoop) -> None:
    async def answer() -> int:
        with pytest.raises(RuntimeError, match="already running"):
            loop.run_forever()
        with pytest.raises(RuntimeError, match="running"):
            loop.close()
        return 5

    async def fail() -> None:
        raise ValueError("ours")

    assert not loop.is_running()
    assert loop.run_until_complete(answer()) == 5
    with pytest.raises(ValueError, match="ours"):
        loop.run_until_complete(fail())
    loop.call_soon(loop.stop)
    with pytest.raises(RuntimeError, match="before Future completed"):
        loop.run_until_complete(loop.create_future())
    assert loop.run_until_complete(answer()) == 5


def test_a_closed_loop_runs_and_takes_nothing(loop: EventLoop, pair: tuple[socket.socket, socket.socket]) -> None:
    seen: list[str] = []
    loop.call_soon(loop.stop)
    run(loop)
    loop.call_soon(seen.append, "soon")
    loop.call_later(0, seen.append, "later")
    loop.add_reader(pair[0], seen.append, "socket")
    loop.call_soon_threadsafe(seen.append, "threadsafe")
    pair[1].send(b"x")
    loop.close()
    loop.close()
    for _ in range(5):
        QtCore.QCoreApplication.processEvents()
    assert seen == []
    for call in (
        lambda: loop.call_soon(print),
        lambda: loop.call_soon_threadsafe(print),
        lambda: loop.call_later(1, print),
        lambda: loop.call_at(1, print),
    ):
        with pytest.raises(RuntimeError, match="closed"):
            call()


def test_the_runner_cancels_what_is_left(loop: EventLoop) -> None:
    seen: list[str] = []

    async def stay() -> None:
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            await asyncio.sleep(0.001)
            seen.append("cleaned up")
            raise

    async def main() -> None:
        tasks.append(asyncio.create_task(stay()))
        await asyncio.sleep(0)

    tasks: list[asyncio.Task[None]] = []
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(main())
    assert seen == ["cleaned up"]
    assert loop.is_closed()


# --- the rest of the system


@pytest.mark.skipif(sys.platform == "win32", reason="add_signal_handler is Unix")
def test_a_signal_wakes_a_loop_that_waits(loop: EventLoop) -> None:
    loop.add_signal_handler(signal.SIGINT, loop.stop)
    sender = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT))
    sender.start()
    run(loop)
    sender.join()
    assert loop.remove_signal_handler(signal.SIGINT)


def test_executors(loop: EventLoop) -> None:
    async def work() -> None:
        assert await asyncio.gather(*(asyncio.to_thread(pow, 2, number) for number in range(20))) == [
            2**number for number in range(20)
        ]
        with pytest.raises(ZeroDivisionError):
            await loop.run_in_executor(None, lambda: 1 // 0)

    loop.run_until_complete(asyncio.wait_for(work(), 10))


def test_subprocesses(loop: EventLoop) -> None:
    async def work() -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            "import sys; print(sys.stdin.read().upper())",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await process.communicate(b"hello")
        assert (out.strip(), process.returncode) == (b"HELLO", 0)

    loop.run_until_complete(asyncio.wait_for(work(), 20))


@pytest.mark.expected_logs(r"Executing .*slow.* took 0\.250 seconds")
def test_debug_mode_tells_of_slow_callbacks(loop: EventLoop, monkeypatch: pytest.MonkeyPatch) -> None:
    hands = Hands(loop, monkeypatch)

    def slow() -> None:
        hands.now_s += 0.25

    loop.set_debug(True)
    loop.call_soon(slow)
    loop.call_soon(loop.stop)
    loop.run_forever()


def test_debug_mode_refuses_coroutine_functions(loop: EventLoop) -> None:
    async def wrong() -> None: ...

    loop.set_debug(True)
    with pytest.raises(TypeError, match="coroutines cannot be used with call_soon"):
        loop.call_soon(wrong)
    with pytest.raises(TypeError, match="coroutines cannot be used with call_at"):
        loop.call_later(1, wrong)


def test_what_windows_thread_brings_is_followed_up_at_once(loop: EventLoop) -> None:
    """Completions come as one event; what they make ready runs within it (the events themselves are Windows' own)."""
    seen: list[str] = []

    def complete() -> None:
        loop.call_soon(loop.call_soon, seen.append, "follow-up")
        loop._process_events([])
        assert seen == ["follow-up"]
        loop.stop()

    QtCore.QTimer.singleShot(0, complete)
    run(loop)
    assert seen == ["follow-up"]
