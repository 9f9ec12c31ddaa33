"""The installed Qt binding holds up under this Python, on this machine, and the guards see what is left open in it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPAINTS = """
from PySide6.QtCore import QTimer, Qt
from PySide6.QtGui import QPainter, QPixmap, QFont
from PySide6.QtWidgets import QApplication, QWidget

app = QApplication([])

class Canvas(QWidget):
    painted = 0

    def paintEvent(self, event):
        painter = QPainter(self)
        painter.setFont(QFont())
        painter.fillRect(self.rect(), Qt.GlobalColor.black)
        painter.end()
        self.painted += 1

canvas = Canvas()
canvas.resize(20, 20)
canvas.show()
for _ in range(10_000):
    canvas.update()
    canvas.repaint()
    app.processEvents()
print(canvas.painted >= 10_000)
"""


def test_ten_thousand_repaints_do_not_end_the_interpreter() -> None:
    """Some versions of the binding lose a reference to None per call: after about 8,000 the interpreter aborts."""
    result = subprocess.run([sys.executable, "-c", REPAINTS], capture_output=True, text=True, timeout=50, check=False)
    assert result.returncode == 0, result.stderr[-2000:]
    assert result.stdout.split() == ["True"]


LEAKS = {
    "test_timer": (
        """
        from PySide6.QtCore import QTimer
        kept = QTimer()
        def test_it(qapp):
            kept.setObjectName("frameClock")
            kept.start(1000)
        """,
        "*QTimer 'frameClock' every 1000 ms, started at *test_timer.py:5*",
    ),
    "test_window": (
        """
        from PySide6.QtWidgets import QWidget
        kept = []
        def test_it(qapp):
            kept.append(QWidget())
            kept[0].setWindowTitle("ladder")
            kept[0].show()
        """,
        "*QWidget '' 'ladder', shown at *test_window.py:6*",
    ),
}


def test_leaks_fail_the_test_and_say_where_they_began(pytester: pytest.Pytester, monkeypatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    pytester.makepyfile(**{name: source for name, (source, _) in LEAKS.items()})
    result = pytester.runpytest_subprocess("-p", "guards.widgets", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=len(LEAKS), errors=len(LEAKS))
    for _, message in LEAKS.values():
        result.stdout.fnmatch_lines([message])


def test_widgets_given_to_qtbot_and_stopped_timers_are_no_leaks(qtbot) -> None:
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QComboBox, QDialog

    dialog = QDialog()
    QComboBox(dialog).showPopup()
    timer = QTimer(dialog)
    timer.start(10)
    dialog.show()
    qtbot.addWidget(dialog)


def test_the_tests_run_without_a_screen() -> None:
    assert os.environ["QT_QPA_PLATFORM"] == (os.environ.get("DEPTHGUI_TEST_PLATFORM") or "offscreen")
