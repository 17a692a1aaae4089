"""What comes back of a sample's points when a person has filled them in."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fgunet.accuracy.areas import Sample
from fgunet.accuracy.points import DESIGN, REFERENCE
from fgunet.errors import AccuracyError
from fgunet.nomenclature import NODATA_CODE


@dataclass(frozen=True)
class Labelled:
    """A sample that was filled in.

    Attributes
    ----------
    sample : Sample
        The points with a class.
    kept : ndarray of bool, (n,)
        Which rows of the table they are.
    drawn, unlabelled : int
        Points that were drawn, and those of them that are without class or missing.
    """

    sample: Sample
    kept: NDArray[np.bool_]
    drawn: int
    unlabelled: int


def labelled_sample(
    table: pd.DataFrame, codes: Sequence[int], *, field: str = REFERENCE
) -> Labelled:
    """Read the sample out of points that were filled in.

    Points without class are left out and counted: the others of their stratum stand for them,
    which is right only if what cannot be seen does not depend on the class.

    Parameters
    ----------
    table : pandas.DataFrame
        The fields of `DESIGN`, and `field` with a code, or nothing (None, NaN or 0).
    codes : sequence of int
        Codes of the nomenclature.
    field : str
        Field of the classes.

    Raises
    ------
    AccuracyError
        If the table does not hold a sample as it was drawn: a number is missing, an identifier
        stands twice, a stratum says different things of itself, points were added or those of a
        whole stratum taken away; if a code is unknown; or if a stratum has too few points with a
        class.
    """
    design = _numbers(table, DESIGN)
    twice = design["point_id"][design["point_id"].duplicated()]
    if len(twice):
        _refuse(f"point_id {_some(twice)} stands more than once", "keep one row of each point")
    reference = _codes(table, codes, field)
    strata = _strata(design)
    seen = reference != NODATA_CODE
    places = strata.index.get_indexer(pd.Index(design["stratum"]))
    labelled = np.bincount(places[seen], minlength=len(strata))
    few = strata.index[labelled < np.minimum(strata["stratum_pixels"], 2)]
    if len(few):
        _refuse(
            f"stratum {_some(few)} has fewer than two points with a class in the field {field!r}",
            "fill in more of its points",
        )
    drawn = int(strata["stratum_points"].sum())
    sample = Sample(
        strata=places[seen],
        pixels=strata["stratum_pixels"].to_numpy(np.int64),
        reference=reference[seen],
        pixel_m2=float(design["pixel_m2"].iloc[0]),
    )
    return Labelled(sample, seen, drawn, drawn - int(seen.sum()))


def _refuse(found: str, remedy: str) -> None:
    raise AccuracyError(f"the points are not a sample as it was drawn: {found}; {remedy}")


def _some(values: "pd.Series[int] | pd.Index[int]") -> str:
    """A few values, and how many there are more."""
    listed = sorted(set(values))
    more = f" and {len(listed) - 5} more" if len(listed) > 5 else ""
    return ", ".join(str(value) for value in listed[:5]) + more


def _numbers(table: pd.DataFrame, fields: Sequence[str]) -> pd.DataFrame:
    if table.empty:
        _refuse("there are none", "fill in the points that were drawn")
    numbers = table[list(fields)].apply(pd.to_numeric, errors="coerce")
    gaps = [field for field in fields if numbers[field].isna().any()]
    if gaps:
        _refuse(f"{', '.join(gaps)} has rows without number", "leave the fields as they were drawn")
    whole = dict.fromkeys(set(fields) - {"pixel_m2"}, np.int64)
    return pd.DataFrame(numbers).astype(whole)


def _codes(table: pd.DataFrame, codes: Sequence[int], field: str) -> NDArray[np.int64]:
    """Codes of the points (n,), 0 where there is none."""
    given = table[field].mask(table[field] == "")
    numbers = pd.to_numeric(given, errors="coerce")
    known = numbers.isin([NODATA_CODE, *codes]) | given.isna()
    if not known.all():
        points = table["point_id"][~known]
        raise AccuracyError(
            f"the field {field!r} holds {sorted(set(map(str, given[~known])))}, which are no codes "
            f"of the nomenclature, at point_id {_some(points)}; use {list(codes)}, or leave the "
            "field empty where the class cannot be seen"
        )
    return np.asarray(numbers.fillna(NODATA_CODE), dtype=np.int64)


def _strata(design: pd.DataFrame) -> pd.DataFrame:
    """Pixels and drawn points of each stratum, by its number."""
    for field in ("map_pixels", "pixel_m2"):
        if design[field].min() != design[field].max():
            _refuse(f"{field} is {_some(design[field])}", "keep the points of one draw")
    told = design[["stratum", "stratum_pixels", "stratum_points"]].drop_duplicates()
    if told["stratum"].duplicated().any():
        odd = told["stratum"][told["stratum"].duplicated()]
        _refuse(f"stratum {_some(odd)} has several sizes", "keep the points of one draw")
    strata = told.set_index("stratum").sort_index()
    present = design["stratum"].value_counts().reindex(strata.index)
    added = strata.index[present > strata["stratum_points"]]
    if len(added):
        _refuse(f"stratum {_some(added)} has more points than were drawn", "take out those added")
    missing = int(design["map_pixels"].iloc[0] - strata["stratum_pixels"].sum())
    if missing:
        _refuse(
            f"no point is left of strata with {missing} of the map's "
            f"{design['map_pixels'].iloc[0]} pixels (results/sample/strata.json names them)",
            "put their points back",
        )
    return strata
