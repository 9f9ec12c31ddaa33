"""The application's event loop: qasync's, with one queue of callbacks and one heap of timers of its own.

qasync makes a Qt timer for every callback, and keeps the timer of a cancelled one until it would have been due. Here
callbacks wait in one queue. A ready socket's callback is run at once, and after it everything that it made ready, so
that a message goes from the socket to the book within one event of Qt's. Whatever is left waits for a Qt timer of zero
milliseconds, which is on whenever the queue is not empty: so callbacks also go on inside a menu's or a drag's own loop.

Qt has its turn after `_TURN_S` of callbacks, or `_ROUNDS` rounds of the queue. Qt serves all sockets that are ready
before it looks at its timers: once that time is used up, they too have to wait for the zero timer.

On Windows qasync waits for input and output in a thread of its own; what arrives from there is served likewise.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import logging
import math
import time
from collections import deque
from collections.abc import Callable
from contextvars import Context
from typing import Any

from depthgui.ui.qt import QtCore, QtWidgets

# isort: split
import qasync  # after the choice of Qt's binding

__all__ = ["EventLoop"]

_log = logging.getLogger("asyncio")  # where asyncio's own loop tells of slow callbacks

_TURN_S = 0.005
_ROUNDS = 16
_LONGEST_ALARM_S = 24 * 3600.0
# As asyncio's own: fewer cancelled timers than this are not worth a cleaning.
_CANCELLED_KEPT = 100

_READ = QtCore.QSocketNotifier.Type.Read
_WRITE = QtCore.QSocketNotifier.Type.Write

_Callback = Callable[..., object]


class EventLoop(qasync.QEventLoop):  # type: ignore[misc] # qasync has no types
    """An asyncio loop on `app`'s, with the contract of asyncio's own loops. Use it from the thread of `app`."""

    _current_handle: asyncio.Handle | None

    # Asked for many times a second: not through a method.
    time = staticmethod(time.monotonic)

    def __init__(self, app: QtWidgets.QApplication) -> None:
        """Begin stopped."""
        # The base class calls methods of ours while it is made.
        self._queue: deque[asyncio.Handle] = deque()
        self._spent_s = 0.0  # on callbacks, since Qt's timers had their turn
        self._escaped: BaseException | None = None
        self._is_armed = False
        self._zero = QtCore.QTimer(singleShot=True, interval=0)
        self._zero.timeout.connect(self._zero_is_due)
        self._heap: list[tuple[float, int, _Timer]] = []
        self._numbers = itertools.count()
        self._cancelled_timers = 0
        self._alarm_at_s = math.inf
        self._alarm = QtCore.QTimer(singleShot=True, timerType=QtCore.Qt.TimerType.PreciseTimer)
        self._alarm.timeout.connect(self._alarm_is_due)
        self._watched: dict[QtCore.QSocketNotifier.Type, dict[int, _Watch]] = {_READ: {}, _WRITE: {}}
        self._waker = _Waker(self._run_queue)
        super().__init__(app)

    # Running

    def run_forever(self) -> int:
        """Run until `stop`. Raises the SystemExit or KeyboardInterrupt that a callback raised."""
        result: int = super().run_forever()
        if self._escaped is not None:
            error, self._escaped = self._escaped, None
            raise error
        return result

    def _before_run_forever(self) -> None:
        super()._before_run_forever()
        if self._queue:
            self._start_zero()
        self._set_alarm()

    def _after_run_forever(self) -> None:
        self._stop_zero()
        self._stop_alarm()
        super()._after_run_forever()

    def close(self) -> None:
        """Let go of everything; callbacks that are waiting are never run. Raises RuntimeError while running."""
        was_closed = self.is_closed()
        super().close()
        if was_closed:
            return
        self._zero.timeout.disconnect()
        self._alarm.timeout.disconnect()
        self._waker.close()
        for watches in self._watched.values():
            for watch in watches.values():
                watch.close()
            watches.clear()
        self._queue.clear()
        self._heap.clear()

    @property
    def timers(self) -> int:
        """Number of timers that wait, with those cancelled ones that have not been cleared away."""
        return len(self._heap)

    # Callbacks

    def call_soon(self, callback: _Callback, *args: Any, context: Context | None = None) -> asyncio.Handle:
        """Run `callback` in its turn. Raises RuntimeError once the loop is closed."""
        handle = self._handle(callback, args, context)
        self._queue.append(handle)
        if not self._is_armed:
            self._start_zero()
        return handle

    def call_soon_threadsafe(self, callback: _Callback, *args: Any, context: Context | None = None) -> asyncio.Handle:
        """The same from any thread."""
        handle = self._handle(callback, args, context)
        self._queue.append(handle)
        self._waker.wake()
        return handle

    def call_later(
        self, delay: float, callback: _Callback, *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Run `callback` in `delay` seconds."""
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: _Callback, *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Run `callback` when `time()` has come to `when`, never before. Raises RuntimeError once closed."""
        self._check(callback, "call_at")
        timer = _Timer(when, callback, args, self, context)
        timer._scheduled = True
        heapq.heappush(self._heap, (when, next(self._numbers), timer))
        if when < self._alarm_at_s:
            self._set_alarm()
        return timer

    def _handle(self, callback: _Callback, args: tuple[Any, ...], context: Context | None) -> asyncio.Handle:
        self._check(callback, "call_soon")
        return asyncio.Handle(callback, args, self, context)

    def _check(self, callback: _Callback, method: str) -> None:
        self._check_closed()
        if self._debug:
            self._check_callback(callback, method)

    def _add_callback(self, handle: asyncio.Handle) -> None:
        """Queue a handle that asyncio made: a signal's."""
        if not handle._cancelled:
            self._queue.append(handle)
            if not self._is_armed:
                self._start_zero()

    def timer_cancelled(self, timer: _Timer) -> None:
        """Clear `timer` away, now or with others."""
        self._cancelled_timers += 1
        if timer.when() <= self._alarm_at_s:
            self._set_alarm()
        if self._cancelled_timers > _CANCELLED_KEPT and self._cancelled_timers * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if not entry[2]._cancelled]
            heapq.heapify(self._heap)
            self._cancelled_timers = 0

    # Sockets

    def _add_reader(self, fd: Any, callback: _Callback, *args: Any) -> asyncio.Handle:
        return self._watch(_READ, fd, callback, args)

    def _remove_reader(self, fd: Any) -> bool:
        return self._unwatch(_READ, fd)

    def _add_writer(self, fd: Any, callback: _Callback, *args: Any) -> asyncio.Handle:
        return self._watch(_WRITE, fd, callback, args)

    def _remove_writer(self, fd: Any) -> bool:
        return self._unwatch(_WRITE, fd)

    def _watch(
        self, kind: QtCore.QSocketNotifier.Type, fd: Any, callback: _Callback, args: tuple[Any, ...]
    ) -> asyncio.Handle:
        self._check_closed()
        handle = asyncio.Handle(callback, args, self)
        number = fd if isinstance(fd, int) else fd.fileno()
        watch = self._watched[kind].get(number)
        if watch is None:
            notifier = QtCore.QSocketNotifier(number, kind, self._waker)
            self._watched[kind][number] = _Watch(notifier, handle, fd, self._socket_ready)
        else:
            watch.replace(handle, fd)
        return handle

    def _unwatch(self, kind: QtCore.QSocketNotifier.Type, fd: Any) -> bool:
        if self.is_closed():
            return False
        watches = self._watched[kind]
        number = fd if isinstance(fd, int) else fd.fileno()
        if number < 0:  # closed by now
            number = next((number for number, watch in watches.items() if watch.fileobj is fd), number)
        watch = watches.pop(number, None)
        if watch is None:
            return False
        watch.close()
        return True

    # Qt's events

    def _start_zero(self) -> None:
        if self.is_running():
            self._is_armed = True
            self._zero.start()

    def _stop_zero(self) -> None:
        self._is_armed = False
        self._zero.stop()

    def _zero_is_due(self) -> None:
        self._is_armed = False
        self._spent_s = 0.0
        self._run_queue()

    def _set_alarm(self) -> None:
        """Let Qt's one timer be due with the earliest of ours."""
        heap = self._heap
        while heap and heap[0][2]._cancelled:
            heapq.heappop(heap)[2]._scheduled = False
            self._cancelled_timers -= 1
        if not heap or not self.is_running():
            self._stop_alarm()
        elif heap[0][0] != self._alarm_at_s:
            self._alarm_at_s = heap[0][0]
            wait_s = min(max(self._alarm_at_s - self.time(), 0.0), _LONGEST_ALARM_S)
            self._alarm.start(math.ceil(wait_s * 1000))

    def _stop_alarm(self) -> None:
        if self._alarm_at_s != math.inf:
            self._alarm_at_s = math.inf
            self._alarm.stop()

    def _alarm_is_due(self) -> None:
        self._alarm_at_s = math.inf
        now_s = self.time() + self._clock_resolution
        while self._heap and self._heap[0][0] <= now_s:
            timer = heapq.heappop(self._heap)[2]
            timer._scheduled = False
            if timer._cancelled:
                self._cancelled_timers -= 1
            else:
                self._queue.append(timer)
        self._set_alarm()
        self._run_queue()

    def _process_events(self, events: Any) -> None:
        """What qasync's thread waited for, on Windows."""
        super()._process_events(events)
        self._run_queue()

    def _socket_ready(self, watch: _Watch) -> None:
        if watch.is_served:
            watch.pause()  # its callback runs a loop of Qt's own, and is not made for more before it is back
        elif self._spent_s >= _TURN_S or not self.is_running():
            watch.pause()
            self._add_callback(asyncio.Handle(self._serve, (watch, watch.handle), self))
        else:
            begun_s = self.time()
            self._serve(watch, watch.handle)
            self._spent_s += self.time() - begun_s
            self._run_queue()

    # The work

    def _serve(self, watch: _Watch, handle: asyncio.Handle) -> None:
        if not handle._cancelled:
            watch.is_served = True
            self._run(handle)
            watch.is_served = False
        watch.go_on()

    def _run_queue(self) -> None:
        """Run what is ready, and what that makes ready, until nothing is, or it is Qt's turn.

        A callback may run a loop of Qt's own, in which this is entered again: so the zero timer is on before it begins.
        """
        if not self.is_running():
            return
        queue, clock = self._queue, self.time
        begun_s = clock()
        until_s = begun_s + _TURN_S - self._spent_s
        rounds, left = _ROUNDS, len(queue)
        while queue:
            if left == 0:
                rounds -= 1
                if rounds == 0 or not self.is_running():
                    break
                left = len(queue)
            left -= 1
            handle = queue.popleft()
            if handle._cancelled:
                continue
            if queue and not self._is_armed:
                self._start_zero()
            self._run(handle)
            if clock() >= until_s or self._escaped is not None:
                break
        self._spent_s += clock() - begun_s
        if not queue:
            if self._is_armed:
                self._stop_zero()
        elif not self._is_armed:
            self._start_zero()

    def _run(self, handle: asyncio.Handle) -> None:
        try:
            if self._debug:
                self._run_timed(handle)
            else:
                handle._run()
        except (KeyboardInterrupt, SystemExit) as error:  # the loop's end, as in asyncio's; all else is handled there
            self._escaped = error
            self.stop()

    def _run_timed(self, handle: asyncio.Handle) -> None:
        begun_s = self.time()
        self._current_handle = handle
        try:
            handle._run()
        finally:
            self._current_handle = None
        took_s = self.time() - begun_s
        if took_s >= self.slow_callback_duration:
            _log.warning("Executing %s took %.3f seconds", qasync._format_handle(handle), took_s)


class _Timer(asyncio.TimerHandle):
    """A timer that tells the loop once it is cancelled; asyncio's own tells just before."""

    __slots__ = ()
    _loop: EventLoop
    _scheduled: bool  # it is in the loop's heap

    def cancel(self) -> None:
        if not self._cancelled:
            super().cancel()
            if self._scheduled:
                self._loop.timer_cancelled(self)


class _Watch:
    """A notifier of Qt's, and what is run when its socket is ready. Qt owns the notifier, which may be at its work."""

    def __init__(
        self,
        notifier: QtCore.QSocketNotifier,
        handle: asyncio.Handle,
        fileobj: Any,
        ready: Callable[[_Watch], None],
    ) -> None:
        self.handle = handle
        self.fileobj = fileobj
        self.is_served = False
        self._is_paused = False
        self._is_closed = False
        self._notifier = notifier
        self._ready = ready
        notifier.activated["int"].connect(self._activated)  # type: ignore[index]

    def _activated(self) -> None:
        if not self._is_closed and not self._is_paused:
            self._ready(self)

    def replace(self, handle: asyncio.Handle, fileobj: Any) -> None:
        """Run something else from now on."""
        self.handle.cancel()
        self.handle = handle
        self.fileobj = fileobj

    def pause(self) -> None:
        """Let Qt be silent about the socket, however ready it is."""
        self._is_paused = True
        self._notifier.setEnabled(False)

    def go_on(self) -> None:
        """End the pause, if there is one."""
        if self._is_paused and not self._is_closed:
            self._is_paused = False
            self._notifier.setEnabled(True)

    def close(self) -> None:
        """Watch no longer."""
        self.handle.cancel()
        self._is_closed = True
        self._notifier.setEnabled(False)
        self._notifier.activated["int"].disconnect(self._activated)  # type: ignore[index]
        self._notifier.deleteLater()


class _Waker(QtCore.QObject):
    """Calls a function in Qt's thread, on behalf of any other. Parent of the loop's notifiers."""

    _called = QtCore.Signal()

    def __init__(self, answer: Callable[[], None]) -> None:
        super().__init__()
        self._answer = answer
        self._is_called = False
        self._called.connect(self._hear, QtCore.Qt.ConnectionType.QueuedConnection)

    def wake(self) -> None:
        """Call soon, once for all who ask until then."""
        if not self._is_called:
            self._is_called = True
            self._called.emit()

    @QtCore.Slot()
    def _hear(self) -> None:
        self._is_called = False
        self._answer()

    def close(self) -> None:
        """Call no more."""
        self._called.disconnect(self._hear)
