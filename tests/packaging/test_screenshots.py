"""The list of pictures that dev.py knows, and the tour that takes them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import dev_screenshots

TOUR = Path(dev_screenshots.TOUR)


def test_every_picture_is_in_the_tour_and_in_the_list() -> None:
    tree = ast.parse(TOUR.read_text("utf-8"))
    (table,) = (
        node.value
        for node in tree.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == "PICTURES"
    )
    assert isinstance(table, ast.Dict)
    assert tuple(ast.literal_eval(key) for key in table.keys if key is not None) == dev_screenshots.NAMES


def test_an_unknown_picture_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        dev_screenshots.screenshots(["main-dark", "sunset"])
    assert "there is no picture sunset" in capsys.readouterr().err
