"""The application's event loop: asyncio's contract."""

from __future__ import annotations

import asyncio
import contextvars
import math
import os
import signal
import socket
import sys
import threading
from typing import Any

import pytest
from PySide6 import QtCore
from ui.engine.loop_helpers import Hands, run

from depthgui.app.event_loop import EventLoop

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
