"""What a client says on a stream socket (SUBSCRIBE and its like), and what the venue answers to it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from depthgui.exchange.venue_format import encode_json

METHODS = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY")
_ALLOWED_FIELDS = {"method", "params", "id"}


class ControlError(Exception):
    """A request that the venue answers with an error: its code, text, and the request's id if it had one."""

    def __init__(self, code: int, msg: str, request_id: Any = None) -> None:
        self.code = code
        self.msg = msg
        self.request_id = request_id
        super().__init__(msg)

    def answer(self) -> bytes:
        """The error as the venue writes it."""
        body: dict[str, Any] = {"code": self.code, "msg": self.msg}
        if self.request_id is not None:
            body["id"] = self.request_id
        return encode_json(body)


@dataclass(frozen=True, slots=True)
class ControlRequest:
    """A well-formed request."""

    method: str
    params: list[Any]
    request_id: int | str | None

    def answer(self, result: Any = None) -> bytes:
        """The answer that all is well."""
        return encode_json({"result": result, "id": self.request_id})

    def odd_answers(self, kind: str) -> list[bytes]:
        """Answers that are not what the venue documents, by the kinds of the fault `odd-answer`."""
        error = {"code": 2, "msg": "Invalid request: said by a fault"}
        bodies: list[dict[str, Any]]
        match kind:
            case "no-id":
                bodies = [{"result": None}]
            case "text-id":
                bodies = [{"result": None, "id": str(self.request_id)}]
            case "twice":
                bodies = [{"result": None, "id": self.request_id}] * 2
            case "list":
                bodies = [{"result": list(self.params), "id": self.request_id}]
            case "error":
                bodies = [{**error, "id": self.request_id}]
            case "error-without-id":
                bodies = [error]
            case _:
                bodies = [{"result": None, "id": 1_000_000}]
        return [encode_json(body) for body in bodies]

    def stream_names(self) -> list[str]:
        """The streams asked for; ControlError if there is something else among them."""
        if not all(isinstance(name, str) for name in self.params):
            raise self.error(2, "Invalid request: stream names must be strings")
        if any(not name or any(character.isspace() for character in name) for name in self.params):
            raise self.error(2, "Invalid request: invalid stream")
        return [str(name) for name in self.params]

    def error(self, code: int, msg: str) -> ControlError:
        """An error in answer to this request."""
        return ControlError(code, msg, self.request_id)


def parse_control(text: str) -> ControlRequest:
    """Read a client's message; ControlError with the venue's code and words if it is not a request."""
    try:
        body = json.loads(text)
    except ValueError as error:
        line, column = getattr(error, "lineno", 1), getattr(error, "colno", 1)
        raise ControlError(3, f"Invalid JSON: expected value at line {line} column {column}") from error
    if not isinstance(body, dict):
        raise ControlError(2, "Invalid request: expected an object")
    request_id = _checked_id(body)
    unknown = sorted(set(body) - _ALLOWED_FIELDS)
    if unknown:
        fields = "`method`, `params`, `id`"
        raise ControlError(2, f"Invalid request: unknown field `{unknown[0]}`, expected one of {fields}", request_id)
    method = body.get("method")
    if method is None:
        raise ControlError(2, "Invalid request: missing field `method`", request_id)
    if method not in METHODS:
        expected = ", ".join(f"`{name}`" for name in METHODS)
        raise ControlError(2, f"Invalid request: unknown variant `{method}`, expected one of {expected}", request_id)
    params = body.get("params", [])
    if not isinstance(params, list):
        raise ControlError(2, "Invalid request: params must be an array", request_id)
    if not params and method != "LIST_SUBSCRIPTIONS":
        raise ControlError(2, "Invalid request: missing field `params`", request_id)
    return ControlRequest(method, params, request_id)


def _checked_id(body: dict[str, Any]) -> int | str | None:
    request_id = body.get("id")
    if request_id is None:
        return None
    if isinstance(request_id, str) and len(request_id) <= 36:
        return request_id
    if isinstance(request_id, int) and not isinstance(request_id, bool) and request_id >= 0:
        return request_id
    raise ControlError(2, "Invalid request: request ID must be an unsigned integer")
