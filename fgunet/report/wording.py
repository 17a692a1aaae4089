"""How numbers and names are written in the report."""

from collections.abc import Sequence
from typing import Any

import numpy as np

UNDEFINED = "–"

SCORE_NAMES = {
    "kappa": "Cohen's kappa",
    "overall_accuracy": "Overall accuracy",
    "macro_f": "F-score, mean of classes",
    "weighted_f": "F-score, weighted by test pixels",
    "group_f": "F-score of the group, mean",
    "group_micro_f": "F-score of the group, pixels added up",
    "quantity_disagreement": "Quantity disagreement",
    "allocation_disagreement": "Allocation disagreement",
}


def score_name(name: str, focus_group: str | None) -> str:
    """Name of a score as readers know it."""
    return SCORE_NAMES.get(name, name).replace("the group", f"{focus_group} classes")


def is_defined(value: Any) -> bool:
    """Whether `value` is a number that is not NaN or infinite."""
    return isinstance(value, int | float | np.number) and bool(np.isfinite(value))


def decimals(value: Any, places: int = 3) -> str:
    """A number with so many decimals, with a real minus sign; an en dash where undefined."""
    # "z": what rounds to 0 has no sign.
    return f"{value:z.{places}f}".replace("-", "−") if is_defined(value) else UNDEFINED


def signed(value: Any, places: int = 3) -> str:
    """A difference with its sign."""
    text = decimals(value, places)
    return f"+{text}" if is_defined(value) and round(value, places) > 0 else text


def whole(value: Any) -> str:
    """A count, with thin spaces between thousands."""
    return f"{value:,.0f}".replace(",", "\u202f") if is_defined(value) else UNDEFINED


def span(lower: Any, upper: Any, places: int = 3) -> str:
    """An interval; nothing where it is undefined."""
    if not (is_defined(lower) and is_defined(upper)):
        return ""
    return f"{decimals(lower, places)} to {decimals(upper, places)}"


def p_value(value: Any) -> str:
    """A p-value, without false precision."""
    if not is_defined(value):
        return UNDEFINED
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def p_statement(value: Any) -> str:
    """A p-value with its letter, on one line: "p = 0.012", "p < 0.001"."""
    text = p_value(value)
    return f"p {text}".replace(" ", "\u00a0") if text.startswith("<") else f"p\u00a0=\u00a0{text}"


def duration(seconds: Any) -> str:
    """A time span in the unit that suits it."""
    if not is_defined(seconds):
        return UNDEFINED
    for unit, size in (("h", 3600.0), ("min", 60.0)):
        if seconds >= 1.5 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def percent(share: Any) -> str:
    """A share (0..1) in percent, without the sign; what is not quite nothing does not read 0."""
    if not is_defined(share):
        return UNDEFINED
    return "< 0.1" if 0 < share < 0.0005 else f"{share:.1%}".removesuffix("%")


def day(text: str) -> str:
    """A day as YYYY-MM-DD, from YYYYMMDD or a time in ISO 8601."""
    digits = text[:10].replace("-", "")
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:8]}"


def alternatives(items: Sequence[str]) -> str:
    """Items in a sentence: "a, b or c"."""
    return " or ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))
