"""Dialogs. All of them are opened with show() or open() and never with exec(), which would stop every other task."""
