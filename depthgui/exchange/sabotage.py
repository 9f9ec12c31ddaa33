"""What a fault does to a message on its way out: loses it, doubles it, delays it, spoils it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from depthgui.exchange.faults import Fault, FaultBox, Where
from depthgui.exchange.source import Message
from depthgui.exchange.stream_names import Kind, Topic
from depthgui.exchange.venue_format import binary_frame, encode_json, text_frame


class BrokenMessage(Message):
    """A message whose bytes are sent as they are, in whatever frame."""

    __slots__ = ("_make_frame",)

    def __init__(self, payload: bytes, make_frame: Callable[[bytes], bytes] = text_frame) -> None:
        super().__init__(payload)
        self._make_frame = make_frame

    def _wrap(self, payload: bytes) -> bytes:
        return self._make_frame(payload)


class Saboteur:
    """Passes messages on, through the faults that stand."""

    def __init__(self, faults: FaultBox) -> None:
        self._faults = faults
        self._held: dict[Topic, Message] = {}

    def pass_on(self, topic: Topic, stream: str, message: Message, now_ms: int) -> list[Message]:
        """The messages to send in place of this one; `stream` is the topic's name as subscribed."""
        messages = [message]
        for fault in self._faults.standing(Where.MESSAGE):
            is_meant = topic.kind is Kind.DIFF or fault.text("stream")
            if is_meant and fault.meets(topic.market, topic.symbol, stream) and fault.strikes(now_ms):
                messages = self._struck(fault, topic, messages)
        held = self._held.get(topic)
        if held is not None and messages and held is not message:
            messages = [*messages, self._held.pop(topic)]
        return messages

    def _struck(self, fault: Fault, topic: Topic, messages: list[Message]) -> list[Message]:
        first, rest = messages[:1], messages[1:]
        match fault.name:
            case "drop" | "gap":
                return []
            case "duplicate":
                return [*first, *first, *rest]
            case "reorder" if first and topic not in self._held:
                self._held[topic] = first[0]
                return rest
            case "wrong-size":
                return [*map(_with_wrong_size, first), *rest]
            case "malformed":
                return [*(_malformed(message, fault.text("kind")) for message in first), *rest]
        return messages


def _with_wrong_size(message: Message) -> Message:
    """The same diff with the size of its best changed level altered."""
    event: dict[str, Any] = json.loads(message.payload)
    bids = reversed(event["b"]) if "pu" in event else event["b"]
    for levels in (bids, event["a"]):
        for level in levels:
            if float(level[1]):
                level[1] = _altered(level[1])
                return Message(encode_json(event), message.diff)
    return Message(encode_json(event), message.diff)


def _altered(size: str) -> str:
    """Another size of the same length: the last digit that isn't zero becomes a different one."""
    for index in range(len(size) - 1, -1, -1):
        if size[index] in "123456789":
            return f"{size[:index]}{1 if size[index] != '1' else 2}{size[index + 1 :]}"
    return size


def _malformed(message: Message, kind: str) -> Message:
    payload = message.payload
    match kind:
        case "truncated":
            return BrokenMessage(payload[: len(payload) * 2 // 3])
        case "not-json":
            return BrokenMessage(b"upstream connect error or disconnect/reset before headers")
        case "binary":
            return BrokenMessage(payload, binary_frame)
        case "bad-utf8":
            return BrokenMessage(payload.replace(b'"s":"', b'"s":"\xff\xfe', 1))
    event: dict[str, Any] = json.loads(payload)
    match kind:
        case "missing-field":
            event.pop("u", None)
        case "wrong-type":
            event["b"] = "none"
        case "bad-number":
            event["b"] = [["not a price", "1.0"]]
        case "array":
            return BrokenMessage(encode_json([event]))
    return BrokenMessage(encode_json(event))
