"""Texts that come from outside: names and paths, and YAML files."""

import os
import unicodedata
from pathlib import Path
from typing import Any

import yaml

_CONTROL = {"Cc", "Cs", "Zl", "Zp"}
_TURNING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
_MERGE = "tag:yaml.org,2002:merge"


def control_characters(text: str) -> str:
    """The characters of a text that no name or path can mean, in their order.

    Control characters (line breaks and tabs among them), separators of lines, halves of
    characters, and what turns the direction of writing: they break logs, XML and pages, and cannot
    be seen.
    """
    return "".join(
        one
        for one in text
        if unicodedata.category(one) in _CONTROL or unicodedata.bidirectional(one) in _TURNING
    )


class RepeatedKeyError(ValueError):
    """A section of a YAML file has a key twice."""


class _Loader(yaml.SafeLoader):
    """Makes nothing but plain data, of sections whose keys stand once."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        # As it is written: once merged ("<<"), a key may well replace another.
        node = super().compose_mapping_node(anchor)
        found: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == _MERGE:
                continue
            if key.value in found:
                line = key.start_mark.line + 1
                raise RepeatedKeyError(
                    f"line {line}: the key {key.value!r:.60} stands twice in its section"
                )
            found.add(key.value)
        return node


def read_yaml(path: str | os.PathLike[str]) -> Any:
    """Read a YAML file as plain data: texts, numbers, dates, lists and sections.

    Raises
    ------
    RepeatedKeyError
        If a section has a key twice, of which YAML would silently keep the last.
    OSError, ValueError, RecursionError, yaml.YAMLError
        If it cannot be read as YAML in UTF-8.
    """
    with Path(path).open(encoding="utf-8") as file:
        return yaml.load(file, Loader=_Loader)  # noqa: S506 - it is a safe loader
