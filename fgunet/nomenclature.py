"""Nomenclatures: the classes of a map, their codes, names and colours."""

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from fgunet.errors import NomenclatureError
from fgunet.texts import control_characters, read_yaml

UNLABELLED = 255
"""Label of a pixel without reference, only inside arrays."""

NODATA_CODE = 0
"""Code of a pixel without class, in maps and reference rasters."""

NODATA_CONFIDENCE = 255
"""Confidence, margin or probability in percent of a pixel without class."""

_KEYS = {"code", "name", "colour", "group"}


@dataclass(frozen=True)
class LandCoverClass:
    """One class: its code (1..255), name, colour (red, green, blue: 0..255) and group."""

    code: int
    name: str
    colour: tuple[int, int, int]
    group: str

    @property
    def hexadecimal(self) -> str:
        """Its colour as web pages write it: "#rrggbb"."""
        return "#{:02x}{:02x}{:02x}".format(*self.colour)


@dataclass(frozen=True)
class Nomenclature:
    """The classes of a map, in the order of their labels.

    A *code* is the user's number (sparse, 1..255), kept in polygons and maps. A *label* is
    the class's place in this list (0..n-1), kept only inside arrays.

    Attributes
    ----------
    name : str
        Name and version of the list ("OSO, 17 classes").
    classes : tuple of LandCoverClass
        The classes, by rising code.

    Raises
    ------
    NomenclatureError
        If codes repeat, are not rising, or do not fit in 1..255.
    """

    name: str
    classes: tuple[LandCoverClass, ...]

    def __post_init__(self) -> None:
        codes = self.codes
        if not codes or list(codes) != sorted(set(codes)) or codes[0] < 1 or codes[-1] > 255:
            raise NomenclatureError(
                f"nomenclature {self.name!r} has the codes {list(codes)}; "
                "they must be unique, rising, and between 1 and 255"
            )

    @property
    def codes(self) -> tuple[int, ...]:
        """Codes, rising."""
        return tuple(c.code for c in self.classes)

    @property
    def names(self) -> dict[int, str]:
        """Name of each code."""
        return {c.code: c.name for c in self.classes}

    @property
    def colours(self) -> dict[int, tuple[int, int, int]]:
        """Colour (red, green, blue) of each code."""
        return {c.code: c.colour for c in self.classes}

    def group(self, group: str) -> tuple[int, ...]:
        """Codes of the classes of a group ("urban"); empty where there is none."""
        return tuple(c.code for c in self.classes if c.group == group)

    @cached_property
    def _label_of_code(self) -> NDArray[np.uint8]:
        table = np.full(256, UNLABELLED, dtype=np.uint8)
        table[list(self.codes)] = np.arange(len(self.codes), dtype=np.uint8)
        return table

    def labels(self, codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Labels of `codes` (any shape, uint8); 0 becomes 255, unlabelled.

        Raises
        ------
        NomenclatureError
            If a code other than 0 is not in the nomenclature.
        """
        labels = self._label_of_code[codes]
        unknown = np.unique(codes[(labels == UNLABELLED) & (codes != NODATA_CODE)])
        if unknown.size:
            raise NomenclatureError(
                f"codes {unknown.tolist()} are not in the nomenclature {self.name!r} "
                f"{list(self.codes)}"
            )
        return labels

    def codes_of(self, labels: NDArray[Any]) -> NDArray[np.uint8]:
        """Codes of `labels` (any shape, integers 0..n-1; 255 becomes 0)."""
        table = np.zeros(256, dtype=np.uint8)
        table[: len(self.codes)] = self.codes
        codes: NDArray[np.uint8] = table[labels]
        return codes


def read_nomenclature(path: str | os.PathLike[str]) -> Nomenclature:
    """Read a nomenclature file (YAML: name, classes: [{code, name, colour, group}]).

    Raises
    ------
    NomenclatureError
        If the file cannot be read, lacks a key, has one that is unknown or stands twice, names
        two classes alike, or holds codes, names or colours that are none.
    """
    if not Path(path).is_file():
        raise NomenclatureError(f"there is no nomenclature file {path}")
    try:
        return _nomenclature(read_yaml(path))
    except (OSError, KeyError, TypeError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise NomenclatureError(
            f"{path} is not a nomenclature ({type(error).__name__}: {error}); it needs 'name' and "
            "'classes', each class with 'code', 'name' and 'colour: [red, green, blue]', in UTF-8"
        ) from error


def _nomenclature(content: Any) -> Nomenclature:
    """What a file holds; other keys beside 'name' and 'classes' may hold what classes share."""
    rows = content["classes"]
    if not isinstance(rows, list):
        raise TypeError(f"classes is {_told(rows)}, expected a list")
    classes = tuple(_class(row) for row in rows)
    if len({one.name for one in classes}) < len(classes):
        raise ValueError(f"two classes share a name: {', '.join(one.name for one in classes)}")
    return Nomenclature(_text(content["name"]), classes)


def _class(row: Any) -> LandCoverClass:
    if not isinstance(row, dict):
        raise TypeError(f"a class is {_told(row)}, expected a section")
    unknown = ", ".join(sorted(map(repr, row.keys() - _KEYS)))
    if unknown:
        raise ValueError(f"a class has the unknown key {unknown}; known are {sorted(_KEYS)}")
    return LandCoverClass(
        code=_number(row["code"]),
        name=_text(row["name"]),
        colour=_colour(row["colour"]),
        # YAML has null where nothing is written.
        group="" if row.get("group") in (None, "") else _text(row["group"]),
    )


def _text(value: Any) -> str:
    """A name; it goes into maps, XML and pages, where control characters may not stand."""
    if not isinstance(value, str) or not value.strip():
        raise TypeError(f"a name or group is {_told(value)}, expected text; put it in quotes")
    if control_characters(value):
        raise ValueError(f"{_told(value)} holds a line break or another control character")
    if set("{}") & set(value):
        raise ValueError(f"{_told(value)} has a brace, which Snakemake takes for a wildcard")
    return value


def _colour(value: Any) -> tuple[int, int, int]:
    if not isinstance(value, list) or len(value) != 3:
        raise TypeError(f"a colour is {_told(value)}, expected [red, green, blue]")
    red, green, blue = map(_number, value)
    return red, green, blue


def _number(value: Any) -> int:
    # To Python "yes" is a number, too.
    if type(value) is not int or not 0 <= value <= 255:
        raise TypeError(f"{_told(value)} is no whole number from 0 to 255")
    return value


def _told(value: Any) -> str:
    """A value, in few words."""
    if isinstance(value, str | int | float | None):
        return f"{value!r:.60}"
    return f"a {type(value).__name__}"
