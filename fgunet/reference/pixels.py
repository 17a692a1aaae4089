"""The rasters of a tile, held against the layer they were made from."""

from collections import Counter
from typing import Any

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from fgunet.grid import Grid, Window
from fgunet.reference.claims import Claims
from fgunet.reference.rasterisation import PixelPolygons
from fgunet.reference.sides import SPLIT_CODES, SPLIT_NAMES, TEST

MOST_CENTRES = 10_000
"""Labelled pixels of a strip, evenly chosen, that are looked for in their polygon."""

CHECKS = (
    "pixels_of_unknown_polygons",
    "pixels_of_another_code",
    "pixels_of_another_side",
    "pixels_half_labelled",
    "pixels_without_polygon",
    "pixels_left_out",
    "pixels_outside_their_polygon",
    "pixels_claimed_twice",
)


class PixelAudit:
    """Looks at the rasters of a tile strip by strip, and counts.

    Parameters
    ----------
    frame : geopandas.GeoDataFrame
        Polygons on the tile and somewhat beyond, in the grid's coordinates: polygon_id, code,
        source, area_ha, split (name), tiles (names, comma-separated).
    tile : str
        Name of the tile.
    grid : Grid
        Its grid.
    """

    def __init__(self, frame: gpd.GeoDataFrame, tile: str, grid: Grid) -> None:
        frame = frame.sort_values("polygon_id", ignore_index=True)
        self._frame, self._tile = frame, tile
        # Place 0 is no polygon.
        side = frame["split"].map(SPLIT_CODES).to_numpy(dtype=np.int64)
        self._id = np.concatenate([[0], frame["polygon_id"].to_numpy(dtype=np.int64)])
        self._code = np.concatenate([[0], frame["code"].to_numpy(dtype=np.int64)])
        self._split = np.concatenate([[0], side])
        geometry = frame.geometry.to_numpy()
        self._polygons, self._claims = PixelPolygons(geometry, grid), Claims(geometry, grid)
        self._pixels = np.zeros(len(frame) + 1, dtype=np.int64)
        self._checks = Counter(dict.fromkeys(CHECKS, 0))
        self._on_borders = 0
        self._test = np.zeros((2, 256), dtype=np.int64)

    def look(
        self,
        window: Window,
        code: NDArray[np.uint8],
        polygon: NDArray[np.uint32],
        split: NDArray[np.uint8],
        reached: NDArray[np.bool_],
    ) -> None:
        """Take a strip into account.

        Parameters
        ----------
        window : Window
            The strip: of the tile's full width.
        code, polygon, split : numpy.ndarray
            (y, x), uint8, uint32, uint8: what the rasters hold there; 0 none.
        reached : numpy.ndarray
            (y, x), bool: whether a training patch can show the pixel.
        """
        self._compare_runs(code.ravel(), polygon.ravel(), split.ravel())
        claims = self._polygons.burn(window, count=True)
        self._checks["pixels_without_polygon"] += int(((polygon > 0) & (claims == 0)).sum())
        self._checks["pixels_left_out"] += int(((polygon == 0) & (claims > 0)).sum())
        rows, cols = np.nonzero(claims > 1)
        twice = int(self._claims.overlapping(rows + window.row, cols).sum())
        self._checks["pixels_claimed_twice"] += twice
        self._on_borders += len(rows) - twice
        self._compare_centres(window, polygon)
        test = split == TEST
        self._test[0] += np.bincount(code[test], minlength=256)
        self._test[1] += np.bincount(code[test & reached], minlength=256)

    def _compare_runs(
        self, code: NDArray[np.uint8], polygon: NDArray[np.uint32], split: NDArray[np.uint8]
    ) -> None:
        """Count the pixels of each polygon, and those that the layer knows otherwise."""
        # Polygons are wide: runs of equal pixels are far fewer than pixels.
        changed = polygon[1:] != polygon[:-1]
        changed |= (code[1:] != code[:-1]) | (split[1:] != split[:-1])
        start = np.concatenate([[0], np.flatnonzero(changed) + 1])
        length = np.diff(start, append=len(code))
        run_code, run_polygon, run_split = code[start], polygon[start], split[start]
        none = (run_code == 0).astype(int) + (run_polygon == 0) + (run_split == 0)
        place, known = self._places(run_polygon)
        unknown = (run_polygon > 0) & ~known
        other_code = known & (self._code[place] != run_code) & (run_code > 0)
        other_side = known & (self._split[place] != run_split) & (run_split > 0)
        self._checks["pixels_half_labelled"] += int(length[(none > 0) & (none < 3)].sum())
        self._checks["pixels_of_unknown_polygons"] += int(length[unknown].sum())
        self._checks["pixels_of_another_code"] += int(length[other_code].sum())
        self._checks["pixels_of_another_side"] += int(length[other_side].sum())
        np.add.at(self._pixels, place[known], length[known])

    def _places(self, polygon: NDArray[np.uint32]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Place of each polygon number in the layer, from 1, and whether it is there."""
        number = polygon.astype(np.int64)
        place = np.minimum(np.searchsorted(self._id, number), len(self._id) - 1)
        return place, (number > 0) & (self._id[place] == number)

    def _compare_centres(self, window: Window, polygon: NDArray[np.uint32]) -> None:
        labelled = np.flatnonzero(polygon)
        chosen = labelled[:: max(1, -(-len(labelled) // MOST_CENTRES))]
        place, known = self._places(polygon.ravel()[chosen])
        rows, cols = np.divmod(chosen[known], window.width)
        outside = self._claims.outside(rows + window.row, cols, place[known] - 1)
        self._checks["pixels_outside_their_polygon"] += int(outside.sum())

    def result(self) -> dict[str, Any]:
        """What was seen; JSON can hold it.

        Returns
        -------
        dict
            `tile`; `pixels`: rows of source, code, split, polygons (that have a pixel), pixels;
            `test_pixels` and `test_pixels_in_reach`, also under `test_classes` by code;
            `polygons_without_pixels`: polygons of this tile too thin to hold a centre, or outside
            of its grid, and their hectares; `pixels_on_common_borders`, for information; `checks`:
            counts that must all be 0.
        """
        frame = self._frame
        pixels = self._pixels[1:]
        seen = pixels > 0
        named = (
            frame["tiles"].map(lambda names: self._tile in names.split(",")).to_numpy(dtype=bool)
        )
        lost = frame[named & ~seen]
        shown = frame.assign(pixels=pixels)[seen]
        groups = shown.groupby(["source", "code", "split"], sort=True)["pixels"].agg(
            ["size", "sum"]
        )
        rows = [
            {"source": source, "code": int(code), "split": split}
            | {"polygons": int(count), "pixels": int(pixels)}
            for (source, code, split), count, pixels in groups.itertuples()
        ]
        order = list(SPLIT_NAMES.values())
        rows.sort(key=lambda row: (row["source"], row["code"], order.index(row["split"])))
        return {
            "tile": self._tile,
            "pixels": rows,
            "test_pixels": int(self._test[0].sum()),
            "test_pixels_in_reach": int(self._test[1].sum()),
            "test_classes": {
                str(code): {"pixels": int(total), "in_reach": int(reached)}
                for code, (total, reached) in enumerate(self._test.T)
                if total
            },
            "polygons_without_pixels": {
                "polygons": len(lost),
                "hectares": round(float(lost["area_ha"].sum()), 4),
            },
            "pixels_on_common_borders": self._on_borders,
            "checks": dict(self._checks),
        }
