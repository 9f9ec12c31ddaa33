"""Which proxy leads where."""

from __future__ import annotations

import pytest

from depthgui.book.errors import UsageError
from depthgui.transport.proxy import ProxyChoice

HTTPS = "https://api.binance.com/api/v3/time"
WSS = "wss://stream.binance.com:9443/stream"
SOCKS = "socks5://127.0.0.1:1080"


@pytest.fixture
def env(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("http", "https", "all", "no", "ws", "wss"):
        monkeypatch.delenv(f"{name}_proxy", raising=False)
        monkeypatch.delenv(f"{name}_PROXY".upper(), raising=False)
    return monkeypatch


@pytest.mark.parametrize(
    ("variables", "target", "expected"),
    [
        ({}, HTTPS, None),
        ({"https_proxy": "http://p:3128"}, HTTPS, "http://p:3128"),
        ({"https_proxy": "http://p:3128"}, WSS, "http://p:3128"),
        ({"https_proxy": "http://p:3128"}, "http://api.binance.com/", None),
        ({"http_proxy": "http://p:3128"}, "ws://stream.binance.com/", "http://p:3128"),
        ({"http_proxy": "http://p:3128"}, HTTPS, None),
        ({"all_proxy": "socks5://p:1080"}, HTTPS, "socks5://p:1080"),
        ({"all_proxy": "socks5://p:1080"}, WSS, "socks5://p:1080"),
        ({"all_proxy": "socks5://p:1080", "https_proxy": "http://q:1"}, WSS, "http://q:1"),
        ({"https_proxy": "p:3128"}, HTTPS, "http://p:3128"),
        ({"HTTPS_PROXY": "http://p:3128/"}, HTTPS, "http://p:3128"),
        ({"https_proxy": "http://u:p%40ss@p:3128"}, HTTPS, "http://u:p%40ss@p:3128"),
        ({"all_proxy": "socks://p:1080/"}, HTTPS, "socks5://p:1080"),  # as desktops write it
        ({"all_proxy": "socks5h://p"}, HTTPS, "socks5h://p:1080"),
        ({"https_proxy": "http://p"}, HTTPS, "http://p:80"),
        ({"https_proxy": "http://p:3128", "no_proxy": "binance.com"}, HTTPS, None),
        ({"https_proxy": "http://p:3128", "no_proxy": ".binance.com"}, WSS, None),
        ({"https_proxy": "http://p:3128", "no_proxy": "stream.binance.com"}, HTTPS, "http://p:3128"),
        ({"https_proxy": "http://p:3128", "no_proxy": "stream.binance.com:9443"}, WSS, None),
        ({"https_proxy": "http://p:3128", "no_proxy": "*"}, HTTPS, None),
        ({"all_proxy": "http://p:3128"}, "http://127.0.0.1:8900/", None),
        ({"all_proxy": "http://p:3128"}, "ws://localhost:8900/", None),
        ({"all_proxy": "http://p:3128"}, "ws://demo.localhost:8900/", None),
        ({"all_proxy": "http://p:3128"}, "ws://[::1]:8900/", None),
        ({"all_proxy": "http://p:3128"}, "http://127.8.9.1/", None),
        ({"all_proxy": "http://p:3128"}, "http://192.168.1.5/", "http://p:3128"),
        ({"https_proxy": ""}, HTTPS, None),
    ],
)
def test_the_environment_is_followed(
    env: pytest.MonkeyPatch, variables: dict[str, str], target: str, expected: str | None
) -> None:
    for name, value in variables.items():
        env.setenv(name, value)
    assert ProxyChoice().for_url(target) == expected


@pytest.mark.parametrize("target", [HTTPS, WSS, "http://api.binance.com/"])
def test_a_setting_wins_over_the_environment(env: pytest.MonkeyPatch, target: str) -> None:
    env.setenv("all_proxy", "http://p:3128")
    env.setenv("no_proxy", "*")
    assert ProxyChoice(SOCKS).for_url(target) == SOCKS
    assert ProxyChoice("").for_url(target) is None
    assert ProxyChoice(SOCKS).for_url("http://127.0.0.1:8900/") is None


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("http://p:3128/", "http://p:3128"),
        ("HTTP://p:3128", "http://p:3128"),
        ("socks5://user@p:1080", "socks5://user:@p:1080"),
        ("socks5://[::1]:1080", "socks5://[::1]:1080"),
        ("https://p", "https://p:443"),
        ("socks4a://p", "socks4a://p:1080"),
    ],
)
def test_addresses_are_completed(url: str, canonical: str) -> None:
    assert ProxyChoice(url).for_url(HTTPS) == canonical


@pytest.mark.parametrize(
    "url",
    ["p:3128", "ftp://p:21", "http://", "http://:3128", "http://p:port", "http://p:99999", "http://p:-1", "http://[::1",
     "socks5://p:1080/path", "http://p:3128?x=1", "just words"],
)  # fmt: skip
def test_what_cannot_be_a_proxy_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="is not a proxy's address"):
        ProxyChoice(url)


def test_a_password_is_not_shown_when_an_address_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        ProxyChoice("ftp://user:secret@p:21")
    assert "secret" not in str(caught.value)


def test_what_cannot_be_a_proxy_in_the_environment_is_refused_when_it_is_needed(env: pytest.MonkeyPatch) -> None:
    env.setenv("https_proxy", "ftp://p:21")
    choice = ProxyChoice()
    assert choice.for_url("http://api.binance.com/") is None
    with pytest.raises(UsageError, match=r"'ftp://p:21' is not a proxy's address"):
        choice.for_url(HTTPS)
