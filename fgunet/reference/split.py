"""The split by polygon: sides drawn by chance, balanced in area by class and square.

The side of a unit (the polygons of a feature, or of features close to one another) is drawn from
the seed and its own number. A function of the unit alone is stable, but not balanced in area: a
few large polygons tip a class. So, where a class in a square of ground is off its share by more
than a tolerance, a few units change sides. As sources are read over whole squares, what lies in a
square does not depend on the tiles of a run: adding a tile moves no unit, but for those of a class
of which chance left none for the test or the training (they are told), and, with a least distance,
groups that reach beyond what was read. Adding a polygon moves no other, save in its own class and
square, and there seldom.

For polygons of uneven size (areas log-normal, sigma 1), n of a class in each of eleven squares,
the share of the test deviates by (one standard deviation, with the draw alone, balanced), and a
polygon that is added moves so many others of its class and square:

====== ========== ======== =====
n      draw alone balanced moved
====== ========== ======== =====
5      0.105      0.063    0.95
10     0.072      0.024    1.0
30     0.038      0.011    0.51
100    0.022      0.008    0.11
1000   0.009      0.009    0.00
====== ========== ======== =====
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from fgunet.errors import SplitError
from fgunet.reference.balance import Strata, balanced, draws, keys_of
from fgunet.reference.blocks import cut_to_blocks
from fgunet.reference.chunks import added_up
from fgunet.reference.ground import cut_by_squares
from fgunet.reference.groups import Units, units_of
from fgunet.reference.rescue import rescued
from fgunet.reference.scarcity import Scarcity, settle_scarce
from fgunet.reference.shares import achieved_shares
from fgunet.reference.sides import (
    BLOCKS,
    SPLIT_NAMES,
    TEST,
    TRAINING,
    VALIDATION,
    SplitOptions,
)
from fgunet.reference.tally import M2_PER_HECTARE, as_counts
from fgunet.reference.tiles import tiles_of

_COLUMNS = ["polygon_id", "feature", "code", "source", "area_ha", "split", "tiles", "geometry"]


def split_layer(
    frame: gpd.GeoDataFrame,
    options: SplitOptions,
    *,
    names: Mapping[int, str],
    footprints: Mapping[str, shapely.Geometry],
) -> tuple[gpd.GeoDataFrame, dict[str, Any]]:
    """Split the fused layer into training, validation and test.

    Parameters
    ----------
    frame : geopandas.GeoDataFrame
        Fused polygons with `polygon_id`, `feature`, `code`, `source`, `area_ha`, `tiles` (names
        joined by commas; empty for polygons beyond the tiles, which only help the balance),
        `square` (the one square that holds the whole feature, or empty text), and geometry in
        metres.
    options : SplitOptions
        How to split.
    names : mapping
        Name of each class of the nomenclature.
    footprints : mapping
        Footprint of each tile, in the coordinates of the layer: what is cut may leave a tile.

    Returns
    -------
    frame : geopandas.GeoDataFrame
        Polygons that touch a tile and are in a split, by rising polygon_id: polygon_id, feature,
        code, source, area_ha, split (a name), tiles and geometry.
    report : dict
        What was decided, and the shares reached; JSON can hold it.

    Raises
    ------
    SplitError
        If classes have too few units and are neither merged nor left out, or nothing is left for
        the validation.
    """
    frame = frame.sort_values("polygon_id", ignore_index=True)
    report: dict[str, Any] = {"options": _as_json(options)}
    if options.mode == BLOCKS:
        frame, report["given_up"] = cut_to_blocks(frame, options)
        frame["tiles"] = tiles_of(frame.geometry.to_numpy(), footprints)
    units = _units(frame, options)
    inside = (frame["tiles"] != "").to_numpy()
    code, unit = frame["code"].to_numpy()[inside], units.of[inside]
    report["units"] = len(np.unique(unit))
    if options.mode == BLOCKS:
        side = np.zeros(len(units), dtype=np.uint8)
        side[units.of] = frame["side"].to_numpy()
        scarcity = settle_scarce(code, unit, options, names, side[unit])
        report["moved_for_balance"], report["rescued"] = [], []
    else:
        scarcity = settle_scarce(code, unit, options, names)
        side, report["moved_for_balance"] = _sides(frame, units, options, names)
        side, report["rescued"] = rescued(
            side,
            scarcity.settled(code),
            unit,
            shapely.area(frame.geometry.to_numpy()[inside]),
            options=options,
            names=names,
        )
    return _layer(frame, side[units.of], scarcity, names, report)


def _units(frame: gpd.GeoDataFrame, options: SplitOptions) -> Units:
    return units_of(
        frame.geometry.to_numpy(),
        frame["feature"].to_numpy(),
        frame["code"].to_numpy(),
        # Blocks keep their distance by themselves.
        min_distance=0.0 if options.mode == BLOCKS else options.min_distance,
    )


def _layer(
    frame: gpd.GeoDataFrame,
    side: NDArray[np.uint8],
    scarcity: Scarcity,
    names: Mapping[int, str],
    report: dict[str, Any],
) -> tuple[gpd.GeoDataFrame, dict[str, Any]]:
    """The polygons in the tiles with their sides, and the report with what became of them."""
    in_tiles = (frame["tiles"] != "").to_numpy()
    frame, side = frame[in_tiles], side[in_tiles]
    report["merged"] = [
        {"code": one, "into": into, "name": names[one], "into_name": names[into]}
        | _counted(frame, (frame["code"] == one).to_numpy())
        for one, into in scarcity.merged.items()
    ]
    code = frame["code"].replace(dict(scarcity.merged))
    report["left_out"] = [
        {"code": one, "name": names[one]} | _counted(frame, (code == one).to_numpy())
        for one in scarcity.left_out
    ]
    kept = ~code.isin(list(scarcity.left_out)).to_numpy()
    frame = frame.assign(code=code, split=[SPLIT_NAMES[n] for n in side.tolist()])[kept]
    frame = frame.assign(area_ha=frame.area / M2_PER_HECTARE)[_COLUMNS].reset_index(drop=True)
    report["shares"] = achieved_shares(
        frame["code"].to_numpy(),
        side[kept],
        frame["area_ha"].to_numpy(),
        frame["tiles"].tolist(),
        names,
    )
    validated = {
        one: row["validation"]["polygons"] for one, row in report["shares"]["classes"].items()
    }
    report["without_validation"] = [int(one) for one, count in validated.items() if not count]
    if not any(validated.values()):
        raise SplitError(
            "no polygon is left to choose a model by (validation); add polygons, or take a larger "
            "split.validation_share or, in mode blocks, smaller squares (split.square_m)"
        )
    return frame, report


def _counted(frame: gpd.GeoDataFrame, chosen: NDArray[np.bool_]) -> dict[str, Any]:
    return as_counts(int(chosen.sum()), float(frame.geometry[chosen].area.sum()))


def _as_json(options: SplitOptions) -> dict[str, Any]:
    return vars(options) | {"merge": {str(k): v for k, v in options.merge.items()}}


def _sides(
    frame: gpd.GeoDataFrame, units: Units, options: SplitOptions, names: Mapping[int, str]
) -> tuple[NDArray[np.uint8], list[dict[str, Any]]]:
    """Sides by chance, then balanced: first the test, then the validation within the rest."""
    lattice = _lattice(frame, units, options)
    keys = keys_of(units.number)

    def chosen(
        purpose: str, share: float, among: NDArray[np.bool_]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        drawn = among & (draws(keys, options.seed, purpose) < share)
        strata = lattice.strata(drawn, among, draws(lattice.keys, options.seed, purpose))
        mended = balanced(
            drawn, units.area, strata, share=share, tolerance=options.balance_tolerance
        )
        return mended, mended != drawn

    everyone = np.ones(len(units), dtype=bool)
    test, moved = chosen("test", options.test_share, everyone)
    validation, moved_later = chosen("validation", options.validation_share, ~test)
    side = np.where(test, TEST, np.where(validation, VALIDATION, TRAINING)).astype(np.uint8)
    rows = [
        {"code": int(one), "name": names.get(int(one), ""), "units": int(n)}
        for one, n in zip(
            *np.unique(units.code[moved | moved_later], return_counts=True), strict=True
        )
    ]
    return side, rows


@dataclass(frozen=True)
class _Lattice:
    """Class and square of units, and the ground of units across squares.

    `of` (unit,) is the stratum, -1 across squares; `keys` the name of each stratum. `owner`,
    `place` and `ground` (piece,) are unit, stratum and m2 of the pieces of units across squares.
    """

    of: NDArray[np.int64]
    keys: list[bytes]
    owner: NDArray[np.int64]
    place: NDArray[np.int64]
    ground: NDArray[np.float64]

    def strata(
        self, drawn: NDArray[np.bool_], among: NDArray[np.bool_], dither: NDArray[np.float64]
    ) -> Strata:
        """The strata of the units `among` (unit,), of which some are `drawn` (unit,)."""

        def summed(units: NDArray[np.bool_]) -> NDArray[np.float64]:
            weight = np.where(units[self.owner], self.ground, 0.0)
            return added_up(self.place, weight, len(self.keys))

        return Strata(
            of=np.where(among, self.of, -1),
            dither=dither,
            given=summed(among),
            given_chosen=summed(drawn),
        )


def _lattice(frame: gpd.GeoDataFrame, units: Units, options: SplitOptions) -> _Lattice:
    square = _common_square(frame, units, options)
    whole = square != ""
    across = ~whole[units.of]
    piece, owner, cell = cut_by_squares(frame.geometry.to_numpy()[across], options.square_m)
    # Its own class: that of its unit may rest on ground that the run does not see.
    own_code = frame["code"].to_numpy()[across][owner]
    owner = units.of[across][owner]
    reached = np.array([f"{i}_{j}" for i, j in cell.tolist()], dtype=object)
    squares, number = np.unique(
        np.concatenate([square[whole], reached]).astype(str), return_inverse=True
    )
    code = np.concatenate([units.code[whole], own_code])
    kinds, stratum = np.unique(np.stack([code, number], axis=1), axis=0, return_inverse=True)
    stratum = stratum.reshape(-1)
    of = np.full(len(units), -1, dtype=np.int64)
    of[whole] = stratum[: whole.sum()]
    return _Lattice(
        of=of,
        keys=[f"{one} {squares[place]}".encode() for one, place in kinds.tolist()],
        owner=owner,
        place=stratum[whole.sum() :],
        # Beyond the zone a polygon may be cut otherwise, which moves the last digits here too.
        ground=np.round(shapely.area(piece), 2),
    )


def _common_square(
    frame: gpd.GeoDataFrame, units: Units, options: SplitOptions
) -> NDArray[np.object_]:
    """(unit,), object: the square that holds a unit, and all that could join it, or ""."""
    square = frame["square"].to_numpy(dtype=object).copy()
    if options.min_distance > 0:
        bounds = shapely.bounds(frame.geometry.to_numpy())
        margin = options.min_distance
        low = np.floor((bounds - margin) / options.square_m)
        high = np.floor((bounds + margin) / options.square_m)
        square[(low[:, :2] != high[:, 2:]).any(axis=1)] = ""
    result = np.full(len(units), "", dtype=object)
    result[units.of] = square
    apart = square != result[units.of]
    result[units.of[apart]] = ""
    # One polygon without a square is enough.
    result[units.of[square == ""]] = ""
    return result
