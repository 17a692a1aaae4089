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
from fgunet.texts import control_characters

UNLABELLED = 255
"""Label of a pixel without reference, only inside arrays."""

NODATA_CODE = 0
"""Code of a pixel without class, in maps and reference rasters."""

NODATA_CONFIDENCE = 255
"""Confidence, margin or probability in percent of a pixel without class."""


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
        If the file lacks a key or holds codes that do not fit.
    """
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        classes = tuple(
            LandCoverClass(
                code=int(row["code"]),
                name=_text(row["name"]),
                colour=_colour(row["colour"]),
                group=_text(row.get("group", "")),
            )
            for row in content["classes"]
        )
        return Nomenclature(_text(content["name"]), classes)
    except FileNotFoundError:
        raise NomenclatureError(f"there is no nomenclature file {path}") from None
    except (KeyError, TypeError, ValueError, yaml.YAMLError) as error:
        raise NomenclatureError(
            f"{path} is not a nomenclature ({type(error).__name__}: {error}); it needs 'name' and "
            "'classes', each class with 'code', 'name' and 'colour: [red, green, blue]'"
        ) from error


def _text(value: Any) -> str:
    """A name; it goes into maps, XML and pages, where control characters may not stand."""
    if isinstance(value, list | dict):
        raise TypeError(f"a name or group is a {type(value).__name__}, expected text")
    text = str(value)
    if control_characters(text):
        raise ValueError(f"{text!r} holds a line break or another control character")
    if set("{}") & set(text):
        raise ValueError(f"{text!r} has a brace, which Snakemake takes for a wildcard")
    return text


def _colour(value: Any) -> tuple[int, int, int]:
    red, green, blue = (int(part) for part in value)
    if not all(0 <= part <= 255 for part in (red, green, blue)):
        raise ValueError(f"colour {value} is not three numbers from 0 to 255")
    return red, green, blue
