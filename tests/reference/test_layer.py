import json

import geopandas as gpd
import numpy as np
import pytest
import shapely

from fgunet.errors import ReferenceDataError
from fgunet.reference.layer import fused_layer
from fgunet.reference.source import Source
from fgunet.reference.tiles import tiles_of

CRS = "EPSG:2154"
SQUARE = 1000.0


def at(x, y, width, height):
    """A rectangle, counted from a corner of squares."""
    return shapely.box(600_000 + x, 6_500_000 + y, 600_000 + x + width, 6_500_000 + y + height)


WEST, EAST = at(100, 100, 800, 800), at(1100, 100, 800, 800)
FIELDS = [at(200, 200, 200, 100), at(1200, 200, 200, 100), at(950, 500, 100, 100)]
WOODS = [at(300, 200, 300, 300), at(10, 10, 50, 50), at(1960, 10, 100, 50)]


@pytest.fixture
def write(tmp_path):
    def written(name, geometry, codes, order=None):
        frame = gpd.GeoDataFrame({"code": codes}, geometry=geometry, crs=CRS)
        frame.iloc[order or range(len(frame))].to_file(tmp_path / f"{name}.gpkg")
        return str(tmp_path / f"{name}.gpkg")

    return written


def sources(write, order=None, precedence=(1, 2)):
    return [
        Source("fields", write("fields", FIELDS, [11, 12, 11], order), field="code",
               precedence=precedence[0], year=2016),
        Source("woods", write("woods", WOODS, [31, 31, 11], order), field="code",
               precedence=precedence[1]),
    ]  # fmt: skip


def layer(read, footprints, **changes):
    return fused_layer(
        read,
        footprints,
        **{
            "crs": CRS,
            "codes": [11, 12, 31],
            "minimum_area": 0.0,
            "minimum_share": 0.5,
            "square_m": SQUARE,
        }
        | changes,
    )


def test_two_tiles_by_hand(write):
    frame, report = layer(sources(write), {"W": WEST, "E": EAST})
    assert [*frame.columns] == [
        "polygon_id", "feature", "code", "source", "area_ha", "tiles", "square", "geometry",
    ]  # fmt: skip
    assert frame["polygon_id"].is_monotonic_increasing
    assert frame["polygon_id"].between(1, 2**32 - 1).all()
    rows = {
        (row.source, row.code, round(row.area_ha, 4), row.tiles, row.square)
        for row in frame.itertuples()
    }
    assert rows == {
        ("fields", 11, 2.0, "W", "600_6500"),
        ("fields", 12, 2.0, "E", "601_6500"),
        # Between the tiles and across two squares.
        ("fields", 11, 1.0, "", ""),
        # The first field covers 100 m x 100 m of the wood.
        ("woods", 31, 8.0, "W", "600_6500"),
        ("woods", 31, 0.25, "", "600_6500"),
        # It reaches into a square that no tile touches, and stays whole.
        ("woods", 11, 0.5, "", ""),
    }
    assert report["overlaps"] == [
        {
            "kept_source": "fields",
            "kept_code": 11,
            "cut_source": "woods",
            "cut_code": 31,
            "pairs": 1,
            "hectares": 1.0,
            "contradiction": True,
        }
    ]
    fields, woods = report["sources"]
    assert (fields["name"], fields["precedence"], fields["year"]) == ("fields", 1, 2016)
    assert woods["fusion_cut"] == {"polygons": 1, "hectares": 1.0}
    assert [step["step"] for step in woods["steps"][-2:]] == ["fused", "in_tiles"]
    assert woods["steps"][-2]["classes"] == {
        "11": {"polygons": 1, "hectares": 0.5},
        "31": {"polygons": 2, "hectares": 8.25},
    }
    assert woods["steps"][-1]["classes"] == {"31": {"polygons": 1, "hectares": 8.0}}
    assert report["polygon_ids_collided"] == 0
    assert json.loads(json.dumps(report)) == report


def test_order_of_rows_sources_tiles_and_threads_does_not_show(write):
    frame, report = layer(sources(write), {"W": WEST, "E": EAST})
    again, same = layer(sources(write, order=[2, 0, 1])[::-1], {"E": EAST, "W": WEST}, threads=2)
    assert same == report
    assert (again.to_wkb() == frame.to_wkb()).all(axis=None)


def test_another_tile_changes_nothing_in_the_squares_there_were(write):
    both, _ = layer(sources(write), {"W": WEST, "E": EAST})
    west, _ = layer(sources(write), {"W": WEST})
    assert set(west["polygon_id"]) < set(both["polygon_id"])
    both = both.set_index("polygon_id").loc[west["polygon_id"]].reset_index()
    assert (both.drop(columns="tiles").to_wkb() == west.drop(columns="tiles").to_wkb()).all(
        axis=None
    )


def test_equal_precedence_is_refused_where_sources_overlap(write):
    with pytest.raises(
        ReferenceDataError,
        match=r"fields and woods \(precedence 3\): 1 pairs .* 11 and 31, 1\.00 ha; give them",
    ):
        layer(sources(write, precedence=(3, 3)), {"W": WEST, "E": EAST})
    # In the east they do not meet.
    frame, _ = layer(sources(write, precedence=(3, 3)), {"E": EAST})
    assert len(frame) == 3


def test_ground_given_up_is_counted(write):
    road = Source(
        "road",
        write("road", [at(300, 0, 10, 900)], [12]),
        field="code",
        precedence=0,
        minimum_area_m2=0,
    )
    _, report = layer([road, *sources(write)], {"W": WEST}, minimum_area=12_000)
    # The road takes 0.1 ha and leaves 1.0 and 0.9 ha of the first field.
    fields = report["sources"][1]
    assert fields["fusion_dropped"] == {
        "smaller than the minimum area after cutting": {"polygons": 1, "hectares": 2.0}
    }
    _, report = layer([road, *sources(write)], {"W": WEST}, minimum_area=9_500)
    fields = report["sources"][1]
    assert fields["fusion_small_pieces"] == {"polygons": 1, "hectares": 0.9}
    assert fields["fusion_cut"] == {"polygons": 1, "hectares": 1.0}
    assert fields["fusion_thin_squares"] == {"polygons": 0, "hectares": 0.0}


def test_tiles_of_many():
    footprints = {f"T{i:02}": shapely.box(i, 0, i + 1.5, 1) for i in range(30, -1, -1)}
    polygons = np.array([shapely.box(3.6, 0, 3.7, 1), shapely.box(3.2, 0, 4.2, 1),
                         shapely.box(0, 5, 1, 6)], dtype=object)  # fmt: skip
    assert tiles_of(polygons, footprints).tolist() == ["T03", "T02,T03,T04", ""]
