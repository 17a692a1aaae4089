"""Texts that come from outside: names and paths of a configuration or a nomenclature."""

import unicodedata

_CONTROL = {"Cc", "Cs", "Zl", "Zp"}


def control_characters(text: str) -> str:
    """The characters of a text that no name or path can mean, in their order.

    Control characters (line breaks and tabs among them), separators of lines, and halves of
    characters: they break logs, XML and pages, and cannot be seen.
    """
    return "".join(one for one in text if unicodedata.category(one) in _CONTROL)
