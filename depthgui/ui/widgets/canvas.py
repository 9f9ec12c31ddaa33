"""The base of the painted views: a pyqtgraph view with a single item that paints everything in one pass.

It ties a view to the frame clock while it is shown, times its paints, keeps device pixels crisp, and keeps what a
view raises from everything else.
"""

from __future__ import annotations

import time

from PySide6 import QtCore, QtGui, QtWidgets

from depthgui.ui.frame_clock import FrameClock
from depthgui.ui.panel_guard import PanelGuard, guarded
from depthgui.ui.qt import GraphicsObject, GraphicsView


class _Item(GraphicsObject):
    """Fills the view and hands its paint to the canvas."""

    def __init__(self, canvas: Canvas) -> None:
        super().__init__()
        self._canvas = canvas
        self._rect = QtCore.QRectF(0, 0, 1, 1)

    def resize(self, size: QtCore.QSize) -> None:
        """Cover the whole view."""
        self.prepareGeometryChange()
        self._rect = QtCore.QRectF(0, 0, size.width(), size.height())

    def boundingRect(self) -> QtCore.QRectF:
        return self._rect

    def paint(
        self,
        painter: QtGui.QPainter,
        option: QtWidgets.QStyleOptionGraphicsItem,
        widget: QtWidgets.QWidget | None = None,
    ) -> None:
        self._canvas.timed_paint(painter)


@guarded
class Canvas(GraphicsView):
    """A view that paints itself in one pass. Subclasses give `paint_canvas`, `frame_key`, `render_frame`, `begin_anew`.

    What its painting, its frames or its event handlers raise goes to `panel_guard`, which puts a cover with a Retry in
    its place.
    """

    wants_heartbeat = False
    title = "panel"
    """What people call it, for the sentence on the cover."""

    def __init_subclass__(cls, **named: object) -> None:
        """Guard the event handlers of every view."""
        super().__init_subclass__(**named)
        guarded(cls)

    def __init__(self, clock: FrameClock, parent: QtWidgets.QWidget | None = None) -> None:
        """Make a hidden view; it joins `clock` when it is shown."""
        super().__init__(parent)
        self.panel_guard = PanelGuard(self, self.title, self._begin_again)
        self._clock = clock
        self._item = _Item(self)
        scene = self.scene()
        scene.addItem(self._item)
        self.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        # `paint_canvas` covers every pixel: no ground is painted behind it, and no picture of one is kept.
        self.setCacheMode(QtWidgets.QGraphicsView.CacheModeFlag.CacheNone)
        self.setBackgroundBrush(QtCore.Qt.BrushStyle.NoBrush)
        self.viewport().setAttribute(QtCore.Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setViewportUpdateMode(QtWidgets.QGraphicsView.ViewportUpdateMode.FullViewportUpdate)
        self.setMouseTracking(True)
        self.viewport().setMouseTracking(True)
        self.setFocusPolicy(QtCore.Qt.FocusPolicy.StrongFocus)
        self.paint_ms = 0.0

    # -- for subclasses

    def paint_canvas(self, painter: QtGui.QPainter, width: int, height: int) -> None:
        """Draw the latest frame; nothing is painted behind it, so every pixel must be covered."""
        raise NotImplementedError

    def frame_key(self, now_s: float) -> object:
        """See `FrameSource.frame_key`."""
        raise NotImplementedError

    def render_frame(self, now_s: float) -> float | None:
        """See `FrameSource.render_frame`."""
        raise NotImplementedError

    def begin_anew(self) -> None:
        """Make everything that was prepared for painting anew, after something in it has raised."""
        raise NotImplementedError

    def refresh(self) -> None:
        """Make a new frame now, because of something that the user did."""
        if not self.panel_guard.has_failed:
            self.panel_guard.run(self.render_frame, self._clock.now_s())
        self._clock.wake()

    def request_paint(self) -> None:
        """Ask Qt for a paint of the latest frame."""
        self.viewport().update()  # not by way of the scene, which would pass it on one turn of the event loop later

    # -- the clock's side

    def is_frame_visible(self) -> bool:
        """See `FrameSource.is_frame_visible`."""
        return self.isVisible() and not self.panel_guard.has_failed and not self.window().isMinimized()

    def take_error(self, error: Exception) -> None:
        """See `FrameSource.take_error`."""
        self.panel_guard.take(error)

    def timed_paint(self, painter: QtGui.QPainter) -> None:
        """Paint, and tell the clock how long it took. A view that has failed is blank below its cover."""
        begin_ns = time.perf_counter_ns()
        size = self.viewport().size()
        guard = self.panel_guard
        if not guard.has_failed:
            guard.run(self.paint_canvas, painter, size.width(), size.height())
        if guard.has_failed:
            painter.resetTransform()
            painter.setClipping(False)
            painter.setOpacity(1.0)
            painter.fillRect(QtCore.QRect(QtCore.QPoint(0, 0), size), self.palette().base())
            return
        self.paint_ms = (time.perf_counter_ns() - begin_ns) / 1e6
        self._clock.note_paint(self.paint_ms)

    def _begin_again(self) -> None:
        self.begin_anew()
        if self.isVisible():
            self._clock.add(self)

    # -- Qt's events; pyqtgraph's own handling of them (panning, item hovering) is left out on purpose

    def close(self) -> bool:
        """Close as any widget does; pyqtgraph's own way takes the viewport away under events that are still to come."""
        return bool(QtWidgets.QWidget.close(self))

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        """Paint the item; pyqtgraph would tell every item beforehand, of which ours has no use."""
        QtWidgets.QGraphicsView.paintEvent(self, event)

    def showEvent(self, event: QtGui.QShowEvent) -> None:
        """Join the clock."""
        super().showEvent(event)
        self._clock.add(self)

    def hideEvent(self, event: QtGui.QHideEvent) -> None:
        """Leave the clock."""
        self._clock.remove(self)
        super().hideEvent(event)

    def resizeEvent(self, event: QtGui.QResizeEvent | None) -> None:
        """Cover the new size."""
        super().resizeEvent(event)  # type: ignore[arg-type]
        if event is not None and hasattr(self, "_item"):  # pyqtgraph calls it from its constructor, with None
            self._item.resize(event.size())
            self.on_resized(event.size())

    def on_resized(self, size: QtCore.QSize) -> None:
        """Take the new size; called before the next paint."""

    def mouseReleaseEvent(self, event: QtGui.QMouseEvent) -> None:
        """Keep pyqtgraph from panning."""
        event.accept()

    def mouseDoubleClickEvent(self, event: QtGui.QMouseEvent) -> None:
        """Two clicks are two clicks."""
        self.mousePressEvent(event)

    def event(self, event: QtCore.QEvent) -> bool:
        """Render again at once on another screen, whose pixels may be of another size."""
        if event.type() == QtCore.QEvent.Type.DevicePixelRatioChange:
            self.request_paint()
        return bool(super().event(event))
