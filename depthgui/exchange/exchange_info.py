"""The exchangeInfo answer of each market, in the venue's shape."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from depthgui.binance.endpoints import Market
from depthgui.exchange.limits import VenueLimits
from depthgui.exchange.symbols import SymbolSpec

_ONBOARDED_MS = 1_569_398_400_000
_ORDER_TYPES = ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"]
_FUTURES_ORDER_TYPES = ["LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET"]


def exchange_info(market: Market, specs: Sequence[SymbolSpec], limits: VenueLimits, now_ms: int) -> dict[str, Any]:
    """The whole answer, for these symbols."""
    info: dict[str, Any] = {
        "timezone": "UTC",
        "serverTime": now_ms,
        "rateLimits": _rate_limits(market, limits),
        "exchangeFilters": [],
    }
    match market:
        case Market.SPOT:
            info["symbols"] = [_spot(spec) for spec in specs]
        case Market.USDM:
            info["futuresType"] = "U_MARGINED"
            info["assets"] = [{"asset": "USDT", "marginAvailable": True, "autoAssetExchange": "-10000"}]
            info["symbols"] = [_usdm(spec) for spec in specs]
        case Market.COINM:
            info["symbols"] = [_coinm(spec) for spec in specs]
        case Market.OPTIONS:
            info |= _option_contracts(specs)
            info["optionSymbols"] = [_option(spec, number) for number, spec in enumerate(specs, 1)]
    return info


def _rate_limits(market: Market, limits: VenueLimits) -> list[dict[str, Any]]:
    def rule(kind: str, interval: str, number: int, limit: int) -> dict[str, Any]:
        return {"rateLimitType": kind, "interval": interval, "intervalNum": number, "limit": limit}

    rules = [rule("REQUEST_WEIGHT", "MINUTE", 1, limits.weight_per_minute)]
    if market is Market.SPOT:
        rules += [rule("ORDERS", "SECOND", 10, 100), rule("ORDERS", "DAY", 1, 200_000)]
        rules.append(rule("RAW_REQUESTS", "MINUTE", 5, 61_000))
    else:
        rules.append(rule("ORDERS", "MINUTE", 1, 1200))
    return rules


def _padded(value: Decimal, decimals: int) -> str:
    return f"{value:.{decimals}f}"


def _short(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _price_and_lot(tick: str, step: str, *, highest: str, largest: str) -> list[dict[str, Any]]:
    return [
        {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": highest, "tickSize": tick},
        {"filterType": "LOT_SIZE", "minQty": step, "maxQty": largest, "stepSize": step},
    ]


def _spot(spec: SymbolSpec) -> dict[str, Any]:
    filters = _price_and_lot(
        _padded(spec.tick, 8), _padded(spec.step, 8), highest="1000000.00000000", largest="9000000.00000000"
    )
    zero = "0.00000000"
    filters += [
        {"filterType": "ICEBERG_PARTS", "limit": 10},
        {"filterType": "MARKET_LOT_SIZE", "minQty": zero, "maxQty": "120.00000000", "stepSize": zero},
        {
            "filterType": "NOTIONAL", "minNotional": "5.00000000", "applyMinToMarket": True,
            "maxNotional": "9000000.00000000", "applyMaxToMarket": False, "avgPriceMins": 5,
        },
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200},
    ]  # fmt: skip
    return {
        "symbol": spec.symbol,
        "status": spec.status,
        "baseAsset": spec.base,
        "baseAssetPrecision": 8,
        "quoteAsset": spec.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": _ORDER_TYPES,
        "icebergAllowed": True,
        "ocoAllowed": True,
        "otoAllowed": True,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": True,
        "cancelReplaceAllowed": True,
        "isSpotTradingAllowed": spec.is_trading,
        "isMarginTradingAllowed": False,
        "filters": filters,
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": ["EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"],
    }


def _futures(spec: SymbolSpec) -> dict[str, Any]:
    tick, step = _short(spec.tick), _short(spec.step)
    filters = _price_and_lot(tick, step, highest="1000000", largest="1000000")
    filters += [
        {"filterType": "MARKET_LOT_SIZE", "minQty": step, "maxQty": "100000", "stepSize": step},
        {"filterType": "MAX_NUM_ORDERS", "limit": 200},
        {"filterType": "PERCENT_PRICE", "multiplierUp": "1.0500", "multiplierDown": "0.9500", "multiplierDecimal": "4"},
    ]
    return {
        "symbol": spec.symbol,
        "pair": spec.pair,
        "contractType": spec.contract_type,
        "deliveryDate": spec.delivery_ms,
        "onboardDate": _ONBOARDED_MS,
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": spec.base,
        "quoteAsset": spec.quote,
        "pricePrecision": spec.price_decimals,
        "quantityPrecision": spec.size_decimals,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": ["PoW"],
        "triggerProtect": "0.0500",
        "liquidationFee": "0.012500",
        "marketTakeBound": "0.05",
        "filters": filters,
        "orderTypes": _FUTURES_ORDER_TYPES,
        "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
    }


def _usdm(spec: SymbolSpec) -> dict[str, Any]:
    return {**_futures(spec), "status": spec.status, "marginAsset": spec.quote, "settlePlan": 0}


def _coinm(spec: SymbolSpec) -> dict[str, Any]:
    extra = {"contractStatus": spec.status, "contractSize": spec.contract_size, "marginAsset": spec.base}
    return {**_futures(spec), **extra, "equalQtyPrecision": 4, "maxMoveOrderLimit": 10_000}


def _option_contracts(specs: Sequence[SymbolSpec]) -> dict[str, Any]:
    bases = sorted({spec.base for spec in specs})
    return {
        "optionContracts": [
            {"baseAsset": base, "quoteAsset": "USDT", "underlying": f"{base}USDT", "settleAsset": "USDT"}
            for base in bases
        ],
        "optionAssets": [{"name": "USDT"}],
    }


def _option(spec: SymbolSpec, number: int) -> dict[str, Any]:
    tick, step = _short(spec.tick), _short(spec.step)
    return {
        "id": number,
        "contractId": number,
        "symbol": spec.symbol,
        "side": spec.option_side,
        "strikePrice": f"{spec.strike or 0:.8f}",
        "underlying": f"{spec.base}USDT",
        "expiryDate": spec.delivery_ms,
        "unit": spec.contract_size,
        "quoteAsset": "USDT",
        "minQty": step,
        "maxQty": "10000",
        "initialMargin": "0.15000000",
        "maintenanceMargin": "0.07500000",
        "minInitialMargin": "0.10000000",
        "minMaintenanceMargin": "0.05000000",
        "priceScale": spec.price_decimals,
        "quantityScale": spec.size_decimals,
        "filters": _price_and_lot(tick, step, highest="100000", largest="10000"),
    }
