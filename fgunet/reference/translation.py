"""From the codes of a source to the codes of a nomenclature."""

import csv
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fgunet.errors import ReferenceDataError

_COLUMNS = ["source_code", "code", "meaning"]

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
        If the file is missing, lacks a column, repeats a source code or holds a code that is
        not a whole number; all faults are listed at once.
    """
    if not Path(path).is_file():
        raise ReferenceDataError(
            f"there is no translation table {path}; correct reference.sources in the configuration"
        )
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        if list(reader.fieldnames or []) != _COLUMNS:
            raise ReferenceDataError(
                f"{path} has the columns {reader.fieldnames}; "
                f"a translation table has {', '.join(_COLUMNS)}"
            )
        rows = [(reader.line_num, row) for row in reader]
    translation: dict[str, int | None] = {}
    faults = []
    for line, row in rows:
        source_code, code = (row["source_code"] or "").strip(), (row["code"] or "").strip()
        if not source_code or source_code in translation:
            faults.append(f"line {line}: source_code {source_code!r} is empty or repeated")
        elif code and not code.isdecimal():
            faults.append(f"line {line}: code {code!r} is not a whole number")
        else:
            translation[source_code] = int(code) if code else None
    if faults:
        raise ReferenceDataError(f"{path} is not a translation table: {'; '.join(faults)}")
    return translation


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


def source_codes(values: Iterable[Any]) -> NDArray[np.object_]:
    """The values of a field as source codes.

    Whole numbers lose their decimals ("311", not "311.0"), text its outer blanks; missing and
    empty values become None.

    Returns
    -------
    numpy.ndarray
        (value,), object: str or None.
    """
    return np.array([_source_code(value) for value in values] + [None], dtype=object)[:-1]


def _source_code(value: Any) -> str | None:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip() or None


def plain_translation(
    values: NDArray[np.object_],
    codes: Sequence[int],
    ignored: Sequence[int],
    *,
    path: str,
    field: str,
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
    path, field : str
        File and field, for the message.

    Raises
    ------
    ReferenceDataError
        If the field holds a code that is neither in the nomenclature nor ignored.
    """
    known: dict[str, int | None] = {str(code): code for code in codes}
    known |= {str(code): None for code in ignored}
    found = {value for value in values if value is not None}
    foreign = sorted(found - set(known))
    if foreign:
        raise ReferenceDataError(
            f"{path}: field {field} holds {', '.join(foreign)}, "
            f"which are not codes of the nomenclature {list(codes)}; "
            "list them under the source's ignore_codes, or give the source a translation table"
        )
    return known


def translate(
    values: NDArray[np.object_], translation: Translation, *, path: str, field: str, table: str
) -> NDArray[np.int64]:
    """Class codes of source codes.

    Parameters
    ----------
    values : numpy.ndarray
        (feature,), object: source codes, or None where the field is empty.
    translation : mapping
        Class code, or None, of each source code.
    path, field, table : str
        File, field and table, for the message.

    Returns
    -------
    numpy.ndarray
        (feature,), int64; 0 where the source code is ignored on purpose or missing.

    Raises
    ------
    ReferenceDataError
        If values are not in the table.
    """
    foreign = sorted({v for v in values if v is not None and v not in translation})
    if foreign:
        raise ReferenceDataError(
            f"{path}: field {field} holds values that the table {table} lacks: "
            f"{', '.join(map(repr, foreign))}; add a row for each "
            "(with an empty code to ignore it)"
        )
    return np.array([translation.get(v) or 0 if v is not None else 0 for v in values], np.int64)
