"""Lists in messages, kept as short as they can be read."""

from collections.abc import Mapping, Sequence

MOST = 5
"""How many of a list's items a message names."""


def listed(items: Sequence[str], most: int = MOST) -> str:
    """Items, or the first ones and how many follow."""
    more = [f"{len(items) - most} more"] if len(items) > most else []
    return ", ".join([*items[:most], *more])


def differences(found: Mapping[str, Sequence[str]], expected: Mapping[str, Sequence[str]]) -> str:
    """What differs between named lists, and nothing else.

    Parameters
    ----------
    found, expected : mapping of str to sequence of str
        What each list is called, and its items; both of the same names.

    Returns
    -------
    str
        Such as "dates: 20190101 instead of 20180101"; empty if nothing differs.
    """
    return "; ".join(
        f"{name}: {_difference(found[name], items)}"
        for name, items in expected.items()
        if list(found[name]) != list(items)
    )


def _difference(found: Sequence[str], expected: Sequence[str]) -> str:
    surplus = [item for item in found if item not in expected]
    missing = [item for item in expected if item not in found]
    if surplus and missing:
        return f"{listed(surplus)} instead of {listed(missing)}"
    if surplus:
        return f"{listed(surplus)} too many"
    if missing:
        return f"{listed(missing)} missing"
    return f"in the order {listed(found)} instead of {listed(expected)}"
