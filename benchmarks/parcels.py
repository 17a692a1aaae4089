"""Simulated reference sources over eleven full-size tiles, for other benchmarks.

Parcels lie in blocks of 10 x 10, which touch along their borders as real ones do, and the blocks
are spread over all tiles. Roads cross the parcels, towns lie on them, land cover lies under them:
mosaics of tens to hundreds of hectares, and a few forests of thousands of hectares and vertices.
Glaciers are where the Alps are. All other sources grow with the parcels, and fewer parcels fill a
smaller part of each tile, so the ground around a parcel looks the same however many there are.
Run alone, this makes the sources of a million.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from fgunet.files import atomic_path, write_json
from fgunet.grid import Grid
from fgunet.vectors import write_layer

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / "benchmarks" / "work"
CRS = "EPSG:2154"
SIDE, SEED = 10_980, 2016
TILES = (
    "T30TWT", "T30TXQ", "T30TYN", "T30UXV", "T31TDJ", "T31TDN", "T31TEL", "T31TGK", "T31UDQ",
    "T31UDS", "T32ULU",
)  # fmt: skip
ALPINE = ("T31TGK", "T32ULU")
_COLUMNS = ("STUVWXYZ", "ABCDEFGH", "JKLMNPQR")
_ROWS = "ABCDEFGHJKLMNPQRSTUV"

ROW = 10
"""Parcels on a side of a block."""
PITCH_M = 2500.0
"""Least distance between the centres of two blocks."""
BLOCKS_OF_A_FOREST = 100
PARCELS_OF_A_GLACIER = 2000

SOURCES = (
    {"name": "roads", "buffer_field": "LARGEUR", "precedence": 1},
    {"name": "glaciers", "precedence": 2},
    {"name": "parcels", "id_field": "ID_PARCEL", "precedence": 3},
    {"name": "towns", "precedence": 4},
    {"name": "cover", "precedence": 5},
)

Array = NDArray[np.float64]


class Blocks(NamedTuple):
    """Centres (block, 2) in m, spacing (block,) of the parcels in m, angles (block,)."""

    centre: Array
    spacing: Array
    angle: Array


def grid_of(tile: str) -> Grid:
    """The 10 m grid of a tile, true to size and place (MGRS 100 km squares)."""
    zone, column, row = int(tile[1:3]), tile[4], tile[5]
    left = 100_000 * (_COLUMNS[zone % 3].index(column) + 1)
    north = (_ROWS.index(row) - (0 if zone % 2 else 5)) % 20
    # Rows repeat every 2,000 km; France lies in the third turn.
    top = 4_000_000 + 100_000 * north + 100_000
    corner = float(left // 60 * 60), float(-(-top // 60) * 60)
    return Grid(f"EPSG:326{zone}", (10.0, 0.0, corner[0], 0.0, -10.0, corner[1]), SIDE, SIDE)


def sources_folder(folder: Path, parcels: int) -> Path:
    """Where the sources of so many parcels and the listings of the tiles lie; made if need be."""
    path = folder / f"parcels_{parcels}"
    if not path.exists():
        with atomic_path(path) as part:
            part.mkdir(parents=True)
            for name, frame in simulated(parcels).items():
                write_layer(part / f"{name}.gpkg", frame)
            for tile in TILES:
                write_json(part / f"{tile}.json", {"tile": tile, "grid": grid_of(tile).to_dict()})
    return path


def described(folder: Path) -> list[dict[str, Any]]:
    """The sources in `folder` as the configuration describes them."""
    return [
        {**source, "path": str(folder / f"{source['name']}.gpkg"), "field": "code"}
        for source in SOURCES
    ]


def simulated(parcels: int) -> Mapping[str, gpd.GeoDataFrame]:
    """All sources, by name."""
    rng = np.random.default_rng(SEED)
    blocks = _blocks(parcels // ROW**2, rng)
    return {
        "parcels": _parcels(blocks, rng),
        "roads": _roads(blocks, rng),
        "towns": _towns(blocks, rng),
        "cover": _cover(blocks, rng),
        "glaciers": _glaciers(max(20, parcels // PARCELS_OF_A_GLACIER), rng),
    }


def _blocks(count: int, rng: np.random.Generator) -> Blocks:
    """Blocks on every other place, by chance, of a part of each tile; as many in each."""
    centres = []
    for number, tile in enumerate(TILES):
        share = count // len(TILES) + (number < count % len(TILES))
        grid = grid_of(tile)
        left, bottom, right, top = grid.bounds
        x, y = np.meshgrid(
            np.arange(left + PITCH_M / 2, right, PITCH_M),
            np.arange(bottom + PITCH_M / 2, top, PITCH_M),
        )
        chosen = rng.permutation(min(2 * share, x.size))[:share]
        to_crs = pyproj.Transformer.from_crs(grid.crs, CRS, always_xy=True)
        centres.append(np.stack(to_crs.transform(x.flat[chosen], y.flat[chosen]), axis=1))
    centre = np.concatenate(centres)
    # 1.2 to 4.4 ha; even the widest block fits its place at any angle.
    return Blocks(centre, rng.uniform(110, 210, len(centre)), rng.uniform(0, 0.4, len(centre)))


def _placed(local: Array, blocks: Blocks) -> Array:
    """Coordinates (block, ..., 2) in m: turned by each block's angle and moved to its centre."""
    shape = (-1,) + (1,) * (local.ndim - 2)
    cos, sin = np.cos(blocks.angle).reshape(shape), np.sin(blocks.angle).reshape(shape)
    x, y = local[..., 0], local[..., 1]
    turned = np.stack([cos * x - sin * y, sin * x + cos * y], axis=-1)
    return np.asarray(turned + blocks.centre.reshape(*shape, 2))


def _parcels(blocks: Blocks, rng: np.random.Generator) -> gpd.GeoDataFrame:
    nodes = np.stack(np.meshgrid(*[np.arange(ROW + 1) - ROW / 2] * 2), axis=-1)
    moved = nodes + rng.uniform(-0.2, 0.2, (len(blocks.centre), *nodes.shape))
    corner = _placed(moved * blocks.spacing[:, None, None, None], blocks)
    ring = [corner[:, :-1, :-1], corner[:, :-1, 1:], corner[:, 1:, 1:], corner[:, 1:, :-1]]
    shapes = shapely.polygons(np.stack(ring, axis=-2).reshape(-1, 4, 2))
    return _frame(shapes, rng.choice([11, 12, 211, 221, 222], len(shapes)),
                  ID_PARCEL=np.arange(len(shapes)))  # fmt: skip


def _roads(blocks: Blocks, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Three bent roads each way across a block and beyond."""
    along = np.linspace(-0.6, 0.6, 21) * ROW
    across = rng.uniform(-0.4, 0.4, (len(blocks.centre), 6, 1)) * ROW
    bent = across + 0.15 * rng.standard_normal((len(blocks.centre), 6, 21))
    line = np.stack([np.broadcast_to(along, bent.shape), bent], axis=-1)
    line[:, 3:] = line[:, 3:, :, ::-1]
    placed = _placed(line * blocks.spacing[:, None, None, None], blocks)
    shapes = shapely.linestrings(placed.reshape(-1, 21, 2))
    return _frame(shapes, np.full(len(shapes), 44), LARGEUR=rng.uniform(4, 12, len(shapes)))


def _towns(blocks: Blocks, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Two towns of 3 to 30 ha on the edge of each block."""
    centre = rng.uniform(-0.6, 0.6, (len(blocks.centre), 2, 2)) * ROW
    placed = _placed(centre * blocks.spacing[:, None, None], blocks).reshape(-1, 2)
    shapes = _stars(placed, rng.uniform(100, 300, len(placed)), 40, rng)
    return _frame(shapes, rng.choice([41, 42, 43], len(shapes)))


def _cover(blocks: Blocks, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Four land covers of 150 ha under each block, and now and then a forest of thousands."""
    quarter = np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]]) * PITCH_M / 4
    centre = (blocks.centre[:, None] + quarter).reshape(-1, 2)
    small = _stars(centre, rng.uniform(400, 700, len(centre)), 150, rng)
    chosen = blocks.centre[::BLOCKS_OF_A_FOREST]
    large = _stars(chosen, rng.uniform(4000, 6000, len(chosen)), 4000, rng)
    shapes = np.concatenate([small, large])
    return _frame(shapes, rng.choice([31, 32, 34, 36, 45], len(shapes)))


def _glaciers(count: int, rng: np.random.Generator) -> gpd.GeoDataFrame:
    frames = []
    for tile in ALPINE:
        grid = grid_of(tile)
        left, bottom, right, top = grid.bounds
        centre = rng.uniform((left, bottom), (right, top), (count // 2, 2))
        shapes = _stars(centre, rng.uniform(200, 1500, len(centre)), 300, rng)
        frames.append(_frame(shapes, np.full(len(shapes), 53), crs=grid.crs).to_crs("EPSG:4326"))
    joined: gpd.GeoDataFrame = gpd.pd.concat(frames, ignore_index=True)
    return joined


def _stars(centre: Array, radius: Array, vertices: int, rng: np.random.Generator) -> Any:
    """Outlines that waver around circles."""
    turn = np.arange(vertices) * 2 * np.pi / vertices
    waves = np.arange(2, 9)[:, None]
    phase = rng.uniform(0, 2 * np.pi, (len(centre), len(waves), 1))
    wavering = 1 + 0.06 * np.sin(waves * turn + phase).sum(axis=1)
    wavering += rng.uniform(-0.5, 0.5, wavering.shape) / vertices
    reach = (radius[:, None] * wavering)[..., None]
    around = np.stack([np.cos(turn), np.sin(turn)], axis=-1)
    return shapely.polygons(centre[:, None] + reach * around)


def _frame(shapes: Any, code: NDArray[Any], crs: str = CRS, **columns: Any) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"code": code.astype(np.int64), **columns}, geometry=shapes, crs=crs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=WORK, help="where the sources are kept")
    parser.add_argument("--parcels", type=int, default=1_000_000)
    arguments = parser.parse_args()
    print(sources_folder(arguments.folder, arguments.parcels))


if __name__ == "__main__":
    main()
