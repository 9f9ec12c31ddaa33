"""What stands in the place of a panel that has failed: what happened, and a button to try again."""

from __future__ import annotations

from PySide6 import QtCore, QtGui, QtWidgets

from depthgui.ui.wording import tool_tip

_LOW_PX = 96  # below this height everything stands in one row
_NARROW_PX = 190  # below this width only the button has room
_MARGINS = {True: (8, 0, 8, 0), False: (18, 14, 18, 14)}


class PanelCover(QtWidgets.QFrame):
    """Covers a panel wholly. It is opaque, so that Qt paints nothing of the panel below it."""

    retry_wanted = QtCore.Signal()

    def __init__(self, panel: QtWidgets.QWidget, title: str) -> None:
        """Make it over `panel`, which people know as `title`; it is hidden until `tell`."""
        super().__init__(panel)
        self._panel = panel
        self._title = title
        self._details = ""
        self.setObjectName("panelFailed")
        self.setProperty("role", "panel")
        self.setAutoFillBackground(True)
        self.setAccessibleName(f"The {title} has failed")
        self._heading = self._label("panelFailedHeading")
        self._sentence = self._label("panelFailedText")
        self._sentence.setProperty("role", "muted")
        self._retry = self._button("Retry", "panelFailedRetry", self.retry_wanted.emit)
        self._copy = self._button("Copy details", "panelFailedCopy", self._copy_details)
        buttons = QtWidgets.QHBoxLayout()
        buttons.setSpacing(6)
        buttons.addWidget(self._retry)
        buttons.addWidget(self._copy)
        buttons.addStretch(1)
        self._column = QtWidgets.QBoxLayout(QtWidgets.QBoxLayout.Direction.TopToBottom, self)
        self._column.setSpacing(8)
        self._column.addWidget(self._heading)
        self._column.addWidget(self._sentence)
        self._column.addLayout(buttons)
        self._column.addStretch(1)
        self.hide()
        panel.installEventFilter(self)

    def _label(self, name: str) -> QtWidgets.QLabel:
        label = QtWidgets.QLabel(self)
        label.setObjectName(name)
        label.setTextFormat(QtCore.Qt.TextFormat.PlainText)  # an error may quote the venue
        label.setMinimumWidth(1)
        return label

    def _button(self, text: str, name: str, on_click: object) -> QtWidgets.QPushButton:
        button = QtWidgets.QPushButton(text, self)
        button.setObjectName(name)
        button.setProperty("role", "chip")
        button.setFocusPolicy(QtCore.Qt.FocusPolicy.TabFocus)
        button.clicked.connect(lambda _checked=False: on_click())  # type: ignore[operator]
        return button

    @property
    def text(self) -> str:
        """What it says."""
        return f"{self._heading.text()}\n{self._sentence.text()}"

    def tell(self, error: Exception, details: str) -> None:
        """Say what happened, over the whole panel."""
        kind = type(error).__name__
        self._details = details
        self._heading.setText(f"The {self._title} has failed")
        what = f"{kind}: {error}" if str(error) else kind
        self._sentence.setText(f"{what[:300]}. The rest goes on; the log has the details.")
        self.setAccessibleDescription(self._sentence.text())
        self._fit()
        self.show()
        self.raise_()

    def _copy_details(self) -> None:
        QtGui.QGuiApplication.clipboard().setText(self._details)

    def _fit(self) -> None:
        self.setGeometry(self._panel.rect())
        is_low, is_narrow = self.height() < _LOW_PX, self.width() < _NARROW_PX
        directions = QtWidgets.QBoxLayout.Direction
        self._column.setDirection(directions.LeftToRight if is_low else directions.TopToBottom)
        self._column.setContentsMargins(*_MARGINS[is_low])
        self._heading.setWordWrap(not is_low)
        self._sentence.setWordWrap(not is_low)
        self._heading.setVisible(not (is_low and is_narrow))
        self._sentence.setVisible(not is_low)
        self._copy.setVisible(not is_narrow)
        for widget in (self._heading, self._retry):
            widget.setToolTip(tool_tip(self.text) if is_low else "")

    def eventFilter(self, watched: QtCore.QObject, event: QtCore.QEvent) -> bool:
        """Stay as large as the panel."""
        if event.type() == QtCore.QEvent.Type.Resize and watched is self._panel and self.isVisibleTo(self._panel):
            self._fit()
        return super().eventFilter(watched, event)
