"""Exact figures for the screen: the venue's text as integers of one small unit, and back to text.

Sums and grid positions are computed with these integers, so that nothing shown was ever rounded by a float. Texts are
made once per value and kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from depthgui.book.levels import BookSide
from depthgui.book.spelling import PriceKey

_FIRST_DECIMALS = 8  # what the venue pads spot prices to
_MAX_CACHED = 100_000
_COUNTABLE = 1e18  # from here on a power of ten says more than a million T
_MOST_DIGITS = 40  # before or after the point, of a number that means anything
_SMALL = 0.01  # below it two decimals would say nothing

Figure = tuple[str, str]
"""A number's text in two parts: what counts, and the trailing zeros, which are drawn dimmed."""


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """How numbers are written: the mark between thousands (may be empty) and the decimal point."""

    thousands: str = ","
    point: str = "."


class ExactScale:
    """Integers of 10**-`decimals` for decimal texts.

    `decimals` grows when a text needs more; integers made before it grew are then of the old unit. Whoever keeps
    some compares `decimals` and starts over when it changed.
    """

    __slots__ = ("decimals", "known", "known_numbers")

    def __init__(self, decimals: int = _FIRST_DECIMALS) -> None:
        """Start with a unit of 10**-decimals."""
        self.decimals = decimals
        self.known: dict[str, int] = {}
        """Texts met before; to be read only."""
        self.known_numbers: dict[float, int] = {}
        """The same for sizes that a book holds as numbers which give back their texts."""

    def units(self, text: str) -> int:
        """The exact integer of a decimal text. Raises ValueError if it is not one."""
        found = self.known.get(text)
        if found is None:
            found = self._parse(text)
            if len(self.known) >= _MAX_CACHED:
                self.known.clear()
            self.known[text] = found
        return found

    def units_of(self, number: Decimal) -> int:
        """The exact integer of a finite Decimal."""
        return self.units(f"{number:f}")

    def size_units(self, side: BookSide, key: PriceKey) -> int:
        """The exact integer of a level's size."""
        if side.odd and key in side.odd:
            return self.units(side.size_text(key))
        number = side.sizes[key]
        found = self.known_numbers.get(number)
        if found is None:
            found = self._parse(side.size_text(key))
            if len(self.known_numbers) >= _MAX_CACHED:
                self.known_numbers.clear()
            self.known_numbers[number] = found
        return found

    def to_decimal(self, units: int) -> Decimal:
        """The number that an integer of this scale stands for."""
        return Decimal(units).scaleb(-self.decimals)

    def _parse(self, text: str) -> int:
        if "e" in text or "E" in text:  # exponent forms are numbers, too
            text = _written_out(text)
        if not text:
            raise ValueError("an empty text is no number")
        whole, _, fraction = text.partition(".")
        if len(fraction) > self.decimals:
            fraction = fraction.rstrip("0")
            if len(fraction) > self.decimals:
                self.decimals = len(fraction)
                self.known.clear()
                self.known_numbers.clear()
        return int(whole + fraction.ljust(self.decimals, "0"))


def _written_out(text: str) -> str:
    # A number without its exponent. Raises ValueError for what is no number, or one of absurdly many digits.
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"not a number: {text!r}") from None
    if not number.is_finite() or abs(number.adjusted()) > _MOST_DIGITS:
        raise ValueError(f"not a usable number: {text!r}")
    return f"{number:f}"


class FigureFormatter:
    """Texts of one column: `decimals` are always shown, more only where a value has more. Texts are cached.

    `widest_whole` is the longest part before the point of all texts so far, `fraction` the most decimals: what a
    column needs to stand on its decimal points.
    """

    __slots__ = ("_cache", "_scale", "_style", "_unit_decimals", "decimals", "fraction", "widest_whole")

    def __init__(self, scale: ExactScale, decimals: int, style: NumberFormat) -> None:
        """Format integers of `scale` with at least `decimals` decimals."""
        self._scale = scale
        self._style = style
        self._unit_decimals = scale.decimals
        self._cache: dict[int, Figure] = {}
        self.decimals = decimals
        self.fraction = decimals
        self.widest_whole = ""

    def figure(self, units: int) -> Figure:
        """The exact text, in its two parts."""
        found = self._cache.get(units)
        if found is not None and self._unit_decimals == self._scale.decimals:
            return found
        if self._unit_decimals != self._scale.decimals or len(self._cache) >= _MAX_CACHED:
            self._cache.clear()
            self._unit_decimals = self._scale.decimals
        text = self._exact(units)
        whole, _, fraction = text.partition(self._style.point)
        if len(whole) > len(self.widest_whole):
            self.widest_whole = whole
        self.fraction = max(self.fraction, len(fraction))
        made = self._cache[units] = split_zeros(text, self._style.point)
        return made

    def text(self, units: int) -> str:
        """The exact text in one piece."""
        head, tail = self.figure(units)
        return head + tail

    def _exact(self, units: int) -> str:
        return format_units(units, self._unit_decimals, self.decimals, self._style)


def format_units(units: int, unit_decimals: int, min_decimals: int, style: NumberFormat) -> str:
    """Text of units x 10**-unit_decimals with at least `min_decimals` decimals, and as many more as it needs."""
    sign = "-" if units < 0 else ""
    whole, rest = divmod(abs(units), 10**unit_decimals)
    fraction = f"{rest:0{unit_decimals}d}".rstrip("0") if unit_decimals and rest else ""
    fraction = fraction.ljust(min_decimals, "0")
    text = sign + _group(whole, style)
    return text + style.point + fraction if fraction else text


def format_rounded(units: int, unit_decimals: int, decimals: int, style: NumberFormat) -> str:
    """Text of units x 10**-unit_decimals, rounded half up to `decimals`: for totals, where exact would only be long."""
    dropped = unit_decimals - decimals
    if dropped > 0:
        unit = 10**dropped
        units = (units + unit // 2) // unit
        unit_decimals = decimals
    return format_units(units, unit_decimals, decimals, style)


def format_decimal(number: Decimal, style: NumberFormat, decimals: int | None = None) -> str:
    """Text of a Decimal with thousands marked; rounded to `decimals` if given, else exact."""
    return with_marks(f"{number:,f}" if decimals is None else f"{number:,.{decimals}f}", style)


def with_marks(text: str, style: NumberFormat) -> str:
    """A number's text that Python wrote, as in 67,412.85, with the marks of `style`."""
    if style.thousands == "," and style.point == ".":
        return text
    return text.replace(",", "\0").replace(".", style.point).replace("\0", style.thousands)


def format_short(value: float, style: NumberFormat) -> str:
    """Short form with about four digits: 12.43 M, 684.2 K, 91.50, 0.00000123, 1.20e21."""
    if abs(value) >= _COUNTABLE:
        return f"{value:.2e}".replace("e+", "e").replace(".", style.point)
    if 0 < abs(value) < _SMALL:
        return with_marks(f"{Decimal(f'{value:.3g}'):f}", style)
    for limit, suffix in ((1e12, " T"), (1e9, " B"), (1e6, " M"), (1e4, " K")):
        if abs(value) >= limit:
            return with_marks(f"{value / limit * (10 if suffix == ' K' else 1):,.2f}", style) + suffix
    return with_marks(f"{value:,.2f}", style)


def format_brief(size: float, style: NumberFormat) -> str:
    """A size on an axis or in a legend, in a few digits without needless zeros: 0.025, 84.3, 684.2, 12.5 K."""
    if abs(size) < 100:
        return with_marks(f"{Decimal(f'{size:.3g}'):f}", style)  # "g" alone would write 1e-05
    number, suffix = format_short(size, style), ""
    if "e" in number:
        return number
    if number[-1].isalpha():
        number, suffix = number[:-2], number[-2:]
    return split_zeros(number, style.point)[0] + suffix


def compact_forms(text: str, point: str) -> Iterator[str]:
    """A formatted number in fewer and fewer letters, for where it has no room. One that is cut would be another number.

    1,000,000,000,000,000 gives 1000 T, 1.00e15, 1e15. A text with letters gives nothing. `point` is its decimal mark.
    """
    if any(letter.isalpha() for letter in text):
        return
    style = NumberFormat(thousands="", point=point)
    try:
        value = float("".join("." if letter == point else letter for letter in text if letter in f"-0123456789{point}"))
    except ValueError:
        return
    yield format_brief(value, style)
    for form in (f"{value:.2e}", f"{value:.0e}"):
        mantissa, _, exponent = form.partition("e")
        yield f"{mantissa.replace('.', point)}e{int(exponent)}"


def split_zeros(text: str, point: str = ".") -> Figure:
    """Cut a number's text before its trailing decimal zeros; a bare point goes with them."""
    if point not in text:
        return text, ""
    head = text.rstrip("0").removesuffix(point)
    return head, text[len(head) :]


def decimals_of(number: Decimal) -> int:
    """Decimals that a number needs: 2 for 0.01, 0 for 10."""
    exponent = number.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def plain(number: Decimal) -> Decimal:
    """The same number without trailing zeros and without an exponent."""
    return number.normalize() + 0


def _group(whole: int, style: NumberFormat) -> str:
    if not style.thousands:
        return str(whole)
    text = f"{whole:,}"
    return text if style.thousands == "," else text.replace(",", style.thousands)
