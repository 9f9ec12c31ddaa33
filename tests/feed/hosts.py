"""Environments whose streams more than one host serves."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from depthgui.binance.endpoints import Endpoints, Market


def with_other_hosts(*urls: str) -> Endpoints:
    """The model venue, with these addresses to fall back on for the streams of spot."""
    base = Endpoints.at("http://model")
    hosts = dict(base.hosts)
    hosts[Market.SPOT] = replace(hosts[Market.SPOT], other_streams=urls)
    return replace(base, hosts=MappingProxyType(hosts))
