import json

import geopandas as gpd
import numpy as np
import pytest
import shapely

from fgunet.grid import Grid
from fgunet.reference.pixels import CHECKS, PixelAudit
from fgunet.reference.rasterisation import Rasteriser, strips
from fgunet.reference.sides import SPLIT_CODES

GRID = Grid("EPSG:32631", (10.0, 0.0, 500_000.0, 0.0, -10.0, 5_000_000.0), 40, 60)
TILE = "T31TCJ"


def layer():
    """Four fields of 5 x 8 pixels, one too thin for a centre, one of another tile."""
    left, top = 500_000, 5_000_000
    boxes = [shapely.box(left + x, top - 80, left + x + 50, top) for x in (0, 50, 200, 500)]
    boxes.append(shapely.box(left + 6, top - 300, left + 9, top - 200))
    boxes.append(shapely.box(left + 700, top - 80, left + 750, top))
    return gpd.GeoDataFrame(
        {
            "polygon_id": [70, 20, 30, 40, 50, 60],
            "code": [11, 11, 31, 31, 31, 31],
            "source": ["rpg", "rpg", "clc", "clc", "clc", "clc"],
            "area_ha": [0.4, 0.4, 0.4, 0.4, 0.03, 0.4],
            "split": ["training", "test", "test", "validation", "training", "test"],
            "tiles": [TILE, f"{TILE},T31TDJ", TILE, TILE, TILE, "T31TDJ"],
        },
        geometry=boxes,
        crs=GRID.crs,
    )


def rasters(frame):
    split = frame["split"].map(SPLIT_CODES).to_numpy(dtype=np.uint8)
    columns = (frame[name].to_numpy() for name in ("geometry", "code", "polygon_id"))
    burner = Rasteriser(*columns, split, GRID)
    pieces = [burner.burn(window) for window in strips(GRID.shape, 7)]
    return [np.concatenate(band) for band in zip(*pieces, strict=True)]


def audited(frame, bands, reached=None):
    audit = PixelAudit(frame, TILE, GRID)
    reached = np.zeros(GRID.shape, dtype=bool) if reached is None else reached
    for window in strips(GRID.shape, 16):
        audit.look(window, *(band[window.slices] for band in bands), reached[window.slices])
    return audit.result()


def failed(found):
    return {name: count for name, count in found["checks"].items() if count}


def test_sound_rasters_by_hand():
    reached = np.zeros(GRID.shape, dtype=bool)
    reached[:, :7] = True
    found = audited(layer(), rasters(layer()), reached)
    assert json.loads(json.dumps(found)) == found
    assert set(found["checks"]) == set(CHECKS)
    assert not failed(found)
    keys = "source", "code", "split", "polygons", "pixels"
    assert [tuple(row[key] for key in keys) for row in found["pixels"]] == [
        ("clc", 31, "validation", 1, 40), ("clc", 31, "test", 1, 40),
        ("rpg", 11, "training", 1, 40), ("rpg", 11, "test", 1, 40),
    ]  # fmt: skip
    # Columns 5 and 6 of the second field are within reach.
    assert (found["test_pixels"], found["test_pixels_in_reach"]) == (80, 16)
    assert found["test_classes"] == {
        "11": {"pixels": 40, "in_reach": 16}, "31": {"pixels": 40, "in_reach": 0},
    }  # fmt: skip
    assert found["polygons_without_pixels"] == {"polygons": 1, "hectares": 0.03}


def test_each_fault_of_a_raster_is_found():
    code, polygon, split = rasters(layer())

    def fault(band, value, where):
        bands = {"code": code.copy(), "polygon": polygon.copy(), "split": split.copy()}
        bands[band][where] = value
        return failed(audited(layer(), bands.values()))

    assert fault("polygon", 99, (0, 0)) == {"pixels_of_unknown_polygons": 1}
    assert fault("code", 31, (0, slice(0, 3))) == {"pixels_of_another_code": 3}
    assert fault("split", 3, (0, slice(0, 2))) == {"pixels_of_another_side": 2}
    assert fault("split", 0, (0, 0)) == {"pixels_half_labelled": 1}
    assert fault("polygon", 0, (0, 0)) == {"pixels_half_labelled": 1, "pixels_left_out": 1}


def test_pixels_beside_their_polygon_are_found():
    bands = rasters(layer())
    found = failed(audited(layer(), [np.roll(band, 2, axis=1) for band in bands]))
    # Of three groups of columns, the first two side by side, two columns each lie beside; two of
    # the first group lie in its neighbour.
    assert found["pixels_without_polygon"] == found["pixels_left_out"] == 48
    assert found["pixels_outside_their_polygon"] == 48 + 16


def test_overlaps_are_told_from_common_borders():
    frame = layer()
    top = 5_000_000
    twice = frame.copy()
    twice.loc[1, "geometry"] = shapely.box(500_040, top - 80, 500_100, top)
    assert failed(audited(twice, rasters(twice))) == {"pixels_claimed_twice": 8}
    # A level edge through centres: GDAL gives them to both.
    border = frame.copy()
    border.loc[0, "geometry"] = shapely.box(500_000, top - 75, 500_050, top)
    border.loc[1, "geometry"] = shapely.box(500_000, top - 175, 500_050, top - 75)
    found = audited(border, rasters(border))
    assert not failed(found)
    assert found["pixels_on_common_borders"] == 5


def test_a_tile_without_polygons():
    frame = layer().iloc[:0]
    kinds = (np.uint8, np.uint32, np.uint8)
    found = audited(frame, [np.zeros(GRID.shape, dtype=kind) for kind in kinds])
    assert not failed(found)
    assert found["pixels"] == []
    assert found["polygons_without_pixels"] == {"polygons": 0, "hectares": 0}


@pytest.mark.parametrize("most", [1, 3])
def test_a_sample_of_centres_is_looked_for(monkeypatch, most):
    monkeypatch.setattr("fgunet.reference.pixels.MOST_CENTRES", most)
    bands = [np.roll(band, 20, axis=0) for band in rasters(layer())]
    # Two of the three strips hold labels.
    assert 1 <= audited(layer(), bands)["checks"]["pixels_outside_their_polygon"] <= 2 * most
