from dataclasses import replace
from pathlib import Path

import numpy as np
import pyproj
import pytest
import shapely

from fgunet.errors import ConfigError, GridError
from fgunet.nomenclature import read_nomenclature
from fgunet.simulate.catalogue import Catalogue
from fgunet.simulate.landscape import (
    Landscape,
    build_landscape,
    read_landscape,
    write_landscape,
)
from fgunet.simulate.scene import snow_cover, view_landscape
from fgunet.simulate.sites import Placement, Site, group_sites, place_tile


def test_overlapping_tiles_share_a_site(sites: tuple[Site, ...]) -> None:
    names = {site.name: [tile.name for tile in site.tiles] for site in sites}
    assert names == {
        "T30TAA-T30TAB-T31TAA": ["T30TAA", "T30TAB", "T31TAA"],
        "T31TBB": ["T31TBB"],
    }


def test_overlapping_tiles_with_two_landscapes_are_refused(
    placements: dict[str, Placement],
) -> None:
    with pytest.raises(ConfigError, match="one landscape"):
        group_sites([placements["T30TAA"], replace(placements["T30TAB"], landscape="coast")])


@pytest.mark.parametrize(("left", "size"), [(10, 96), (0, 95)])
def test_tile_off_the_20_m_grid_is_refused(left: int, size: int) -> None:
    with pytest.raises(ConfigError, match="multiples of 20 m"):
        place_tile("T31TAA", crs="EPSG:32631", left=left, top=0, size=size, landscape="plain")


def test_same_seed_same_landscape(
    sites: tuple[Site, ...], grounds: dict[str, Landscape], catalogue: Catalogue
) -> None:
    site = sites[1]
    again = build_landscape(site, catalogue, seed=11)
    for name in ("cover", "material", "unit", "thing", "height"):
        np.testing.assert_array_equal(getattr(again, name), getattr(grounds[site.name], name))
    assert again.roads == grounds[site.name].roads
    other = build_landscape(site, catalogue, seed=12)
    assert (other.cover != again.cover).any()


def test_one_unit_has_one_cover(grounds: dict[str, Landscape]) -> None:
    for ground in grounds.values():
        pairs = np.unique(np.stack([ground.unit.ravel(), ground.cover.ravel()]), axis=1)
        assert len(np.unique(pairs[0])) == pairs.shape[1]
        assert ground.unit.min() > 0


def test_written_landscape_is_read_back(grounds: dict[str, Landscape], tmp_path: Path) -> None:
    ground = grounds["T31TBB"]
    write_landscape(tmp_path / "site", ground)
    back = read_landscape(tmp_path / "site")
    for name in ("cover", "material", "unit", "thing", "height"):
        np.testing.assert_array_equal(getattr(back, name), getattr(ground, name))
    assert (back.grid, back.kind) == (ground.grid, ground.kind)
    assert [(r.width_m, r.cover, r.ground) for r in back.roads] == [
        (r.width_m, r.cover, r.ground) for r in ground.roads
    ]
    assert all(a.line.equals(b.line) for a, b in zip(back.roads, ground.roads, strict=True))


def test_a_coast_and_mountains_hold_every_class(
    grounds: dict[str, Landscape], catalogue: Catalogue, root: Path
) -> None:
    found: set[int] = set()
    for ground in grounds.values():
        found |= set(np.unique(catalogue.codes[ground.cover]).tolist())
    assert found == set(read_nomenclature(root / "tables" / "oso17.yaml").codes)


def test_roads_are_painted_as_wide_as_they_are(
    grounds: dict[str, Landscape], catalogue: Catalogue
) -> None:
    ground = grounds["T31TBB"]
    a, _, c, _, e, f = ground.grid.transform
    code = catalogue.codes[catalogue.cover_numbers["road"]]
    painted = catalogue.codes[ground.cover] == code
    corridor = shapely.union_all(
        [r.line.buffer(r.width_m / 2, cap_style="flat") for r in ground.roads if r.cover]
    )
    rows, cols = np.indices(painted.shape)
    inside = shapely.contains_xy(corridor, c + a * (cols + 0.5), f + e * (rows + 0.5))
    assert (inside == painted).mean() > 0.9999


def test_tiles_of_one_zone_agree_pixel_by_pixel(
    placements: dict[str, Placement], grounds: dict[str, Landscape], catalogue: Catalogue
) -> None:
    site = "T30TAA-T30TAB-T31TAA"
    views = {
        name: view_landscape(grounds[site], placements[name].grid, catalogue, seed=11, region=site)
        for name in ("T30TAA", "T30TAB")
    }
    shift = 50
    left, right = views["T30TAA"], views["T30TAB"]
    np.testing.assert_array_equal(left.code[:, shift:], right.code[:, :-shift])
    np.testing.assert_allclose(
        left.reflectance(150)[:, :, shift:], right.reflectance(150)[:, :, :-shift], rtol=1e-5
    )


def test_tiles_of_two_zones_agree_on_the_ground(
    placements: dict[str, Placement], grounds: dict[str, Landscape], catalogue: Catalogue
) -> None:
    """Independent oracle: pixel centres of one tile, looked up in the other tile's truth."""
    site = "T30TAA-T30TAB-T31TAA"
    one, other = (
        view_landscape(grounds[site], placements[name].grid, catalogue, seed=11, region=site)
        for name in ("T30TAA", "T31TAA")
    )
    rows, cols = np.indices(one.code.shape)
    x, y = one.grid.affine @ (cols + 0.5, rows + 0.5)
    to_other = pyproj.Transformer.from_crs(one.grid.crs, other.grid.crs, always_xy=True)
    col, row = (np.floor(v).astype(int) for v in ~other.grid.affine @ to_other.transform(x, y))
    shared = (row >= 0) & (col >= 0) & (row < other.code.shape[0]) & (col < other.code.shape[1])
    assert shared.mean() > 0.3
    agreement = (one.code[shared] == other.code[row[shared], col[shared]]).mean()
    assert agreement > 0.85


def test_tile_outside_the_ground_is_refused(
    placements: dict[str, Placement], grounds: dict[str, Landscape], catalogue: Catalogue
) -> None:
    with pytest.raises(GridError, match="leave"):
        view_landscape(
            grounds["T31TBB"], placements["T30TAA"].grid, catalogue, seed=1, region="T31TBB"
        )


def test_snow_lies_high_in_winter_and_nowhere_low_in_summer() -> None:
    height = np.linspace(0, 1, 11, dtype=np.float32)[None, :]
    winter = snow_cover(height, 45, winter=0.3, summer=1.0)
    summer = snow_cover(height, 228, winter=0.3, summer=1.0)
    assert winter[0, -1] > 0.99
    assert winter[0, 0] == 0
    assert summer[0, :8].max() == 0
    assert (np.diff(winter[0]) >= 0).all()
