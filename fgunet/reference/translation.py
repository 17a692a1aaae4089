"""From the codes of a source to the codes of a nomenclature."""

import csv
import math
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fgunet.errors import ReferenceDataError

_COLUMNS = ["source_code", "code", "meaning"]
_WHOLE = re.compile("[0-9]{1,3}")

Translation = Mapping[str, int | None]
"""Class code of each source code; None where the source code is ignored on purpose."""


def read_translation(path: str | os.PathLike[str]) -> dict[str, int | None]:
    """Read a translation table (CSV, UTF-8: source_code, code, meaning).

    Parameters
    ----------
    path : path
        The table. An empty `code` means that the source code is ignored on purpose.

    Returns
    -------
    dict
        Class code, or None, of each source code.

    Raises
    ------
    ReferenceDataError
        If the file is missing, empty or no CSV in UTF-8, lacks a column, has a row of more or
        fewer fields, repeats a source code or holds a code that is not a whole number; all faults
        of rows are listed at once.
    """
    if not Path(path).is_file():
        raise ReferenceDataError(
            f"there is no translation table {path}; correct reference.sources in the configuration"
        )
    (_, columns), *rows = _rows(path)
    if columns != _COLUMNS:
        raise ReferenceDataError(
            f"{path} has the columns {columns}; a translation table has {', '.join(_COLUMNS)}"
        )
    if not rows:
        raise ReferenceDataError(f"{path} has no rows: add one for each class of the source")
    translation: dict[str, int | None] = {}
    faults = []
    for line, fields in rows:
        source_code, code, *_ = (*map(str.strip, fields), "")
        fault = _fault(len(fields), source_code, code, translation)
        if fault:
            faults.append(f"line {line}: {fault}")
        else:
            translation[source_code] = int(code) if code else None
    if faults:
        raise ReferenceDataError(f"{path} is not a translation table: {'; '.join(faults)}")
    return translation


def _rows(path: str | os.PathLike[str]) -> list[tuple[int, list[str]]]:
    """The rows of a table that hold anything, with the lines they end in; an empty one if none."""
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            rows = [(reader.line_num, row) for row in reader if row]
    except (OSError, UnicodeError, csv.Error) as error:
        raise ReferenceDataError(
            f"{path} cannot be read as a translation table ({type(error).__name__}: {error}); save "
            "it as CSV with commas, in UTF-8"
        ) from error
    return rows or [(0, [])]


def _fault(count: int, source_code: str, code: str, before: Translation) -> str:
    """What is wrong with a row of so many fields after others; empty where nothing is."""
    if count != len(_COLUMNS):
        return f"{count} fields in place of {len(_COLUMNS)}"
    if not source_code or source_code in before:
        return f"source_code {source_code!r:.60} is empty or repeated"
    if code and not _WHOLE.fullmatch(code):
        return f"code {code!r:.60} is not a whole number up to 255"
    return ""


def check_translations(translations: Mapping[str, Translation], codes: Sequence[int]) -> None:
    """Check that tables lead to classes of the nomenclature only.

    Parameters
    ----------
    translations : mapping
        Each table, by a name to be shown in the message.
    codes : sequence of int
        Codes of the nomenclature.

    Raises
    ------
    ReferenceDataError
        If a table holds other codes; all tables are listed at once.
    """
    faults = []
    for name, translation in translations.items():
        foreign = sorted({c for c in translation.values() if c is not None} - set(codes))
        if foreign:
            faults.append(f"{name} leads to {foreign}")
    if faults:
        raise ReferenceDataError(
            f"translation tables use codes outside the nomenclature {list(codes)}: "
            f"{'; '.join(faults)}; correct the tables, or empty the code to ignore the value"
        )


class _Feeding(Protocol):
    """What a source says of the classes it may lead to."""

    @property
    def code(self) -> int | None: ...

    @property
    def translation(self) -> Translation | None: ...

    @property
    def ignore_codes(self) -> tuple[int, ...]: ...


def check_fed(names: Mapping[int, str], sources: Sequence[_Feeding]) -> None:
    """Check that each class can come from a source.

    Parameters
    ----------
    names : mapping
        Name of each class of the nomenclature, by code.
    sources : sequence of Source
        A source with a code feeds that class, one with a translation those it leads to; any
        other may feed all classes that it does not ignore.

    Raises
    ------
    ReferenceDataError
        If classes are fed by no source; all of them are named.
    """
    fed: set[int] = set()
    for source in sources:
        if source.code is not None:
            fed.add(source.code)
        elif source.translation is not None:
            fed.update(code for code in source.translation.values() if code is not None)
        else:
            fed.update(set(names) - set(source.ignore_codes))
    hungry = [f"{names[code]} ({code})" for code in sorted(set(names) - fed)]
    if hungry:
        raise ReferenceDataError(
            f"no source leads to the classes {', '.join(hungry)}; add a source or a row of a "
            "translation table for each, merge or leave out scarce classes (split.merge, "
            "split.leave_out_scarce), or drop them from the nomenclature"
        )


def source_codes(values: Iterable[Any]) -> NDArray[np.object_]:
    """The values of a field as source codes.

    Whole numbers lose their decimals ("311", not "311.0"), text its outer blanks; missing and
    empty values become None.

    Returns
    -------
    numpy.ndarray
        (value,), object: str or None.
    """
    given = values if isinstance(values, np.ndarray) else np.array([*values, None], object)[:-1]
    place, distinct = pd.factorize(given)
    # Missing values have the place -1: the last.
    codes = np.array([*map(_source_code, distinct), None], dtype=object)
    return np.asarray(codes[place], dtype=object)


def _source_code(value: Any) -> str | None:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value).strip() or None


def plain_translation(
    values: NDArray[np.object_],
    codes: Sequence[int],
    ignored: Sequence[int],
    *,
    path: str,
    what: str,
) -> dict[str, int | None]:
    """The translation of a field that holds class codes already.

    Parameters
    ----------
    values : numpy.ndarray
        (feature,), object: source codes, or None.
    codes : sequence of int
        Codes of the nomenclature.
    ignored : sequence of int
        Codes of the field that are left out on purpose.
    path, what : str
        File, and field or expression, for the message.

    Raises
    ------
    ReferenceDataError
        If the field holds a code that is neither in the nomenclature nor ignored.
    """
    known: dict[str, int | None] = {str(code): code for code in codes}
    known |= {str(code): None for code in ignored}
    foreign = sorted(set(_distinct(values)) - set(known))
    if foreign:
        raise ReferenceDataError(
            f"{path}: {what} holds {', '.join(foreign)}, "
            f"which are not codes of the nomenclature {list(codes)}; "
            "list them under the source's ignore_codes, or give the source a translation table"
        )
    return known


def translate(
    values: NDArray[np.object_], translation: Translation, *, path: str, what: str, table: str
) -> NDArray[np.int64]:
    """Class codes of source codes.

    Parameters
    ----------
    values : numpy.ndarray
        (feature,), object: source codes, or None where the field is empty.
    translation : mapping
        Class code, or None, of each source code.
    path, what, table : str
        File, field or expression, and table, for the message.

    Returns
    -------
    numpy.ndarray
        (feature,), int64; 0 where the source code is ignored on purpose or missing.

    Raises
    ------
    ReferenceDataError
        If values are not in the table.
    """
    foreign = sorted(value for value in _distinct(values) if value not in translation)
    if foreign:
        raise ReferenceDataError(
            f"{path}: {what} holds values that the table {table} lacks: "
            f"{', '.join(map(repr, foreign))}; add a row for each "
            "(with an empty code to ignore it)"
        )
    place, distinct = pd.factorize(values)
    codes = np.array([*(translation[value] or 0 for value in distinct), 0], dtype=np.int64)
    return np.asarray(codes[place], dtype=np.int64)


def _distinct(values: NDArray[np.object_]) -> list[str]:
    return list(pd.unique(values[~pd.isna(values)]))
