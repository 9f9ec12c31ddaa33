"""What the ladder's size columns show: the venue's own sizes exactly, or base, quote or short forms, rounded."""

from __future__ import annotations

from collections.abc import Callable

from depthgui.ui.viewmodels.figures import ExactScale, Figure, FigureFormatter, format_rounded, format_units, with_marks
from depthgui.ui.viewmodels.instrument import Instrument
from depthgui.ui.viewmodels.ladder_options import LadderOptions, SizeUnit
from depthgui.ui.viewmodels.row_sums import SideSums

_MAX_CACHED = 50_000
_SIGNIFICANT = 4  # digits of what is rounded
_FLOAT_MAX = 10**15  # integers below it keep all their digits as floats, a decimal point among them or not
_SUFFIXES = ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "K"))


class SizeColumn:
    """Turns sums of a side into the integers that are shown, and those into texts.

    What is shown is in units of the sizes' scale too, whatever it counts.
    """

    def __init__(self, instrument: Instrument, prices: ExactScale, sizes: ExactScale, options: LadderOptions) -> None:
        """Prepare the texts for these choices."""
        self._instrument = instrument
        self._prices = prices
        self._sizes = sizes
        self._style = options.number_format
        # What a contract is worth may not be known yet: then contracts are counted, whatever was chosen.
        self._unit = options.size_unit if instrument.is_value_known else SizeUnit.NATIVE
        self._is_short = options.short_numbers
        self._exact = FigureFormatter(sizes, instrument.size_decimals, options.number_format)
        self._texts: dict[int, Figure] = {}
        self._sum_texts: dict[int, str] = {}
        self._decimals = instrument.size_decimals
        self._sum_decimals = instrument.size_decimals
        self.sum_unit = 1
        """Units of the size's scale in the last digit of a running total."""
        self._widest_whole = ""
        is_value = self._unit is SizeUnit.QUOTE and not instrument.is_inverse
        self.needs_products = is_value
        """True where the sums of price x size are needed, and not only those of sizes."""
        self._is_native = self._unit is SizeUnit.NATIVE or (
            self._unit is SizeUnit.BASE and instrument.size_unit == instrument.base
        )

        self.figure: Callable[[int], Figure] = self._exact.figure if self._is_plain else self._figure
        """Text of one size."""

    @property
    def widest_whole(self) -> str:
        """The longest part before the point so far."""
        return self._exact.widest_whole if self._is_plain else self._widest_whole

    @property
    def fraction(self) -> int:
        """The most decimals so far."""
        if self._is_plain:
            return self._exact.fraction
        return 0 if self._has_suffix else self._decimals

    @property
    def decimals(self) -> tuple[int, int]:
        """Decimals of what is rounded, sizes and totals; texts may be others after a change."""
        return self._decimals, self._sum_decimals

    @property
    def _has_suffix(self) -> bool:
        return self._widest_whole[-1:].isalpha()

    @property
    def _is_plain(self) -> bool:
        return self._is_native and not self._is_short

    def shown(self, sums: SideSums, step_units: int) -> dict[int, int]:
        """What is shown of each row, in units of the size's scale."""
        if self._is_native:
            return sums.rows
        factor = self._instrument.contract_size
        times, per = factor.as_integer_ratio()
        if self.needs_products:
            per *= 10**self._prices.decimals
            return {index: units * times // per for index, units in sums.products.items()}
        if self._unit is SizeUnit.BASE and self._instrument.is_inverse:
            times *= 10**self._prices.decimals
            return {index: units * times // (per * index * step_units) for index, units in sums.rows.items()}
        return {index: units * times // per for index, units in sums.rows.items()}

    def fit(self, largest_size: int, largest_sum: int) -> None:
        """Choose the decimals of what is rounded, from the largest on screen."""
        sum_decimals = self._fitting(largest_sum)
        self.sum_unit = 1 if self._is_short else 10 ** max(0, self._sizes.decimals - sum_decimals)
        if sum_decimals != self._sum_decimals or len(self._sum_texts) > _MAX_CACHED:
            self._sum_decimals = sum_decimals
            self._sum_texts.clear()
        decimals = self._fitting(largest_size)
        if decimals != self._decimals or len(self._texts) > _MAX_CACHED:
            self._decimals = decimals
            self._texts.clear()

    def _figure(self, units: int) -> Figure:
        found = self._texts.get(units)
        if found is None:
            text = self._rounded(units, self._decimals)
            found = self._texts[units] = (text, "")
            whole = text if text[-1:].isalpha() else text.partition(self._style.point)[0]
            if len(whole) > len(self._widest_whole):
                self._widest_whole = whole
        return found

    def rounded_sums(self, totals: list[int]) -> list[int]:
        """Running totals as they are shown, in units of `sum_unit`: most differ in digits that aren't."""
        unit = self.sum_unit
        if unit == 1:
            return totals
        half = unit // 2
        return [(total + half) // unit for total in totals]

    def sum_text(self, rounded: int) -> str:
        """Text of a running total out of `rounded_sums`: four digits of the largest."""
        found = self._sum_texts.get(rounded)
        if found is None:
            found = self._sum_texts[rounded] = self._sum_text(rounded)
        return found

    def _sum_text(self, rounded: int) -> str:
        decimals = self._sum_decimals
        if self._is_short or rounded >= _FLOAT_MAX:
            return self._rounded(rounded * self.sum_unit, decimals)
        unit = 10 ** min(decimals, self._sizes.decimals)
        return with_marks(f"{rounded / unit:,.{decimals}f}", self._style)

    def exact_text(self, units: int) -> str:
        """The venue's own size, exactly, with its unit."""
        decimals = self._instrument.size_decimals
        text = format_units(units, self._sizes.decimals, decimals, self._style)
        return f"{text} {self._instrument.size_unit}".rstrip()

    def _rounded(self, units: int, decimals: int) -> str:
        scale = self._sizes.decimals
        if self._is_short:
            for limit, suffix in _SUFFIXES:
                if units >= limit * 10**scale:
                    return format_rounded(units // limit, scale, 2, self._style) + suffix
            decimals = min(decimals, 2)
        return format_rounded(units, scale, decimals, self._style)

    def _fitting(self, largest: int) -> int:
        scale = self._sizes.decimals
        whole = largest // 10**scale
        zeros = scale - len(str(largest)) if largest and not whole else 0  # after the point, before what counts
        more = zeros - 1 if zeros >= _SIGNIFICANT - 1 else 0  # else everything on screen would be 0.000
        most = max(self._instrument.size_decimals, zeros + 1 if more else 0) if self._is_native else _SIGNIFICANT + more
        return max(0, min(most, _SIGNIFICANT - len(str(whole)) + more))
