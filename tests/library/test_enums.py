"""The states and kinds that a library's user compares are texts, too."""

from __future__ import annotations

import enum
import json

import pytest

import depthgui
from depthgui.binance.endpoints import Market
from depthgui.book.audit import AuditSource
from depthgui.book.levels import Side
from depthgui.book.outcomes import SyncState
from depthgui.depthcache.connection import ConnectionPhase

ENUMS = (depthgui.FeedState, depthgui.FuturesType, Market, SyncState, ConnectionPhase, Side, AuditSource)


@pytest.mark.parametrize("kind", ENUMS, ids=lambda kind: kind.__name__)
def test_a_member_equals_its_text(kind: type[enum.Enum]) -> None:
    for member in kind:
        assert member == member.value
        assert str(member) == f"{member}" == member.value
        assert {member: 1}[member.value] == 1  # type: ignore[index]
        assert json.loads(json.dumps({"state": member})) == {"state": member.value}


def test_a_state_can_be_compared_with_a_word() -> None:
    assert depthgui.FeedState.LIVE == "live"
    assert depthgui.FeedState.STALE != "live"
