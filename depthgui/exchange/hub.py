"""Who hears what: subscriptions by topic, and the way of a message to every subscriber."""

from __future__ import annotations

from typing import Protocol

from depthgui.binance.endpoints import Market
from depthgui.exchange.sabotage import Saboteur
from depthgui.exchange.source import Message
from depthgui.exchange.stream_names import Topic


class Listener(Protocol):
    """What the hub needs of a connection."""

    is_combined: bool

    def push(self, frame: bytes) -> None:
        """Take a frame; it goes out with the next flush."""
        ...


class StreamHub:
    """Subscriptions of all connections, and the fan-out.

    A message is encoded once; its frames are shared by all who hear the same stream in the same form.
    """

    def __init__(self, saboteur: Saboteur) -> None:
        self._saboteur = saboteur
        self._listeners: dict[Topic, dict[Listener, set[str]]] = {}
        self._by_symbol: dict[tuple[Market, str], tuple[Topic, ...]] = {}
        self._name: dict[Topic, str] = {}
        self.now_ms = 0
        self.published = 0

    def subscribe(self, listener: Listener, topic: Topic, name: str) -> None:
        """From now on `listener` hears `topic` under `name`."""
        self._listeners.setdefault(topic, {}).setdefault(listener, set()).add(name)
        self._name.setdefault(topic, name)
        self._index(topic)

    def unsubscribe(self, listener: Listener, topic: Topic, name: str) -> None:
        """`listener` hears `topic` under `name` no more; nothing happens if it never did."""
        listeners = self._listeners.get(topic, {})
        names = listeners.get(listener, set())
        names.discard(name)
        if not names:
            listeners.pop(listener, None)
        if not listeners:
            self._listeners.pop(topic, None)
        self._index(topic)

    def _index(self, topic: Topic) -> None:
        key = (topic.market, topic.symbol)
        topics = tuple(one for one in self._listeners if (one.market, one.symbol) == key)
        if topics:
            self._by_symbol[key] = topics
        else:
            self._by_symbol.pop(key, None)

    def topics(self, market: Market, symbol: str) -> tuple[Topic, ...]:
        """What of a symbol is being listened to."""
        return self._by_symbol.get((market, symbol), ())

    def symbols_heard(self) -> list[tuple[Market, str]]:
        """All symbols that someone listens to."""
        return list(self._by_symbol)

    def name(self, topic: Topic) -> str:
        """The stream name of a topic, as first subscribed."""
        return self._name.get(topic, "")

    def publish(self, topic: Topic, message: Message) -> None:
        """Send a message to all who hear the topic, through the faults that stand."""
        for sent in self._saboteur.pass_on(topic, self.name(topic), message, self.now_ms):
            self._fan_out(topic, sent)

    def _fan_out(self, topic: Topic, message: Message) -> None:
        self.published += 1
        for listener, names in list(self._listeners.get(topic, {}).items()):
            if listener.is_combined:
                for name in names:
                    listener.push(message.frame(name))
            else:
                listener.push(message.frame(None))
