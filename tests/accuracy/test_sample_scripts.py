"""From a sparse mosaic of two tiles to the areas of its classes, by the scripts of the rules."""

import numpy as np
import pandas as pd
import pytest
import rasterio

from fgunet.errors import AccuracyError
from fgunet.files import file_sha256, read_json
from fgunet.grid import Grid
from fgunet.rasters import read_band, write_raster
from fgunet.vectors import find_layer, read_layer, write_layer

MOSAIC = Grid("EPSG:32631", (10.0, 0.0, 500000.0, 0.0, -10.0, 5000000.0), 1300, 2200)
# Tiles whose grids are not the mosaic's: one is shifted by a third of a pixel.
PLACES = {"T31TDJ": (20, 40), "T31TEL": (1100, 2000)}
SIDE = 150


def draw_options(folder, **changed):
    return {
        "path_to_class": str(folder / "fgunet.tif"),
        "nomenclature": str(folder / "oso17.yaml"),
        "size": 400,
        "minimum_per_class": 50,
        "seed": 1,
        "path_to_points": str(folder / "points.gpkg"),
        "path_to_strata": str(folder / "strata.json"),
    } | changed


@pytest.fixture(scope="module")
def folder(root, tmp_path_factory):
    """Truths of two tiles, and mosaics of two methods that are right at 9 and at 8 of 10 pixels."""
    top = tmp_path_factory.mktemp("sample")
    (top / "oso17.yaml").write_bytes((root / "tables" / "oso17.yaml").read_bytes())
    random = np.random.default_rng(0)
    maps = {method: np.zeros(MOSAIC.shape, dtype=np.uint8) for method in ("fgunet", "forest")}
    for shift, (tile, (row, col)) in enumerate(PLACES.items()):
        truth = random.choice([11, 31, 51], size=(SIDE, SIDE), p=[0.5, 0.4, 0.1]).astype(np.uint8)
        corner = 500000.0 + 10 * col + 3 * shift, 5000000.0 - 10 * row + 3 * shift
        grid = Grid("EPSG:32631", (10.0, 0.0, corner[0], 0.0, -10.0, corner[1]), SIDE, SIDE)
        write_raster(top / f"{tile}_truth.tif", truth, grid, 0)
        for right, codes in zip((0.9, 0.8), maps.values(), strict=True):
            wrong = random.random(truth.shape) > right
            codes[row : row + SIDE, col : col + SIDE] = np.where(wrong, 31, truth)
    for method, codes in maps.items():
        write_sparse(top / f"{method}.tif", codes)
    return top


def write_sparse(path, codes):
    profile = {"driver": "GTiff", "dtype": "uint8", "count": 1, "nodata": 0, "SPARSE_OK": True}
    tiles = {"tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "deflate"}
    place = {"crs": MOSAIC.crs, "transform": MOSAIC.affine}
    with rasterio.open(
        path, "w", height=MOSAIC.height, width=MOSAIC.width, **profile, **tiles, **place
    ) as dataset:
        dataset.write(codes, 1)


@pytest.fixture(scope="module")
def labelled(script, folder):
    script("draw_sample")(**draw_options(folder))
    script("label_sample")(
        path_to_points=str(folder / "points.gpkg"),
        paths_to_truth=[str(folder / f"{tile}_truth.tif") for tile in PLACES],
        path_to_labelled=str(folder / "labelled.gpkg"),
    )
    return folder / "labelled.gpkg"


@pytest.fixture
def estimate(script, folder, tmp_path):
    def run(path_to_labelled, methods=("fgunet", "forest"), field="reference"):
        script("areas")(
            methods=methods,
            paths_to_classes=[str(folder / f"{method}.tif") for method in methods],
            path_to_labelled=str(path_to_labelled),
            field=field,
            nomenclature=str(folder / "oso17.yaml"),
            path_to_areas=str(tmp_path / "areas.csv"),
            path_to_summary=str(tmp_path / "areas.json"),
        )
        return pd.read_csv(tmp_path / "areas.csv"), read_json(tmp_path / "areas.json")

    return run


def test_the_strata_are_told_and_drawn_as_they_were_mapped(labelled, folder):
    strata = read_json(folder / "strata.json")
    assert strata["map_sha256"] == file_sha256(folder / "fgunet.tif")
    codes = read_band(folder / "fgunet.tif")
    assert [one["code"] for one in strata["strata"]] == [11, 31, 51]
    for one in strata["strata"]:
        assert one["pixels"] == np.count_nonzero(codes == one["code"])
        assert one["area_ha"] == one["pixels"] / 100
    assert sum(one["points"] for one in strata["strata"]) == 400
    points = read_layer(folder / "points.gpkg", columns=["stratum", "stratum_pixels"])
    rows = (5000000 - points.geometry.y.to_numpy()) / 10
    cols = (points.geometry.x.to_numpy() - 500000) / 10
    assert (rows % 1 == 0.5).all()
    mapped = codes[rows.astype(int), cols.astype(int)]
    code_of = {one["stratum"]: one["code"] for one in strata["strata"]}
    assert mapped.tolist() == points["stratum"].map(code_of).tolist()


def test_points_get_the_truth(labelled, folder):
    points = read_layer(labelled, columns=["point_id", "reference"])
    assert points["point_id"].tolist() == list(range(1, 401))
    found = set()
    for tile in PLACES:
        with rasterio.open(folder / f"{tile}_truth.tif") as truth:
            xy = np.column_stack([points.geometry.x, points.geometry.y])
            values = np.array([value[0] for value in truth.sample(xy)])
        own = np.flatnonzero(values)
        assert (values[own] == points["reference"].to_numpy()[own]).all()
        found |= set(own)
    assert len(found) > 395, "all but those in the last third of a pixel"


def test_areas_and_accuracies(labelled, estimate, folder):
    table, summary = estimate(labelled)
    assert summary["points"] == summary["drawn"] == 400
    assert summary["pixels"] == 2 * SIDE**2
    assert (summary["crs"], summary["keeps_areas"]) == ("EPSG:32631", False)
    truths = [read_band(folder / f"{tile}_truth.tif") for tile in PLACES]
    for (method, code), row in table.set_index(["method", "code"]).iterrows():
        mapped = np.count_nonzero(read_band(folder / f"{method}.tif") == code)
        assert row["mapped_area_ha"] == mapped / 100
        true = sum(np.count_nonzero(truth == code) for truth in truths) / 100
        assert abs(row["area_ha"] - true) < 4 * row["area_ha_standard_error"]
    accuracies = {name: one["overall_accuracy"] for name, one in summary["methods"].items()}
    expected = {"fgunet": 0.9 + 0.1 * 0.4, "forest": 0.8 + 0.2 * 0.4}
    assert accuracies == pytest.approx(expected, abs=0.06)
    found = summary["difference"]["difference"]
    assert found == pytest.approx(accuracies["fgunet"] - accuracies["forest"])


def test_a_persons_file_in_another_system_with_another_field(labelled, estimate, tmp_path):
    path = tmp_path / "mine.gpkg"
    points = read_layer(labelled, columns=find_layer(labelled).fields).drop(columns="feature_id")
    write_layer(path, points.rename(columns={"reference": "seen"}).to_crs(4326)[::-1])
    first, summary = estimate(labelled)
    again, turned = estimate(path, field="seen")
    pd.testing.assert_frame_equal(first, again)
    assert turned["methods"]["fgunet"] == pytest.approx(summary["methods"]["fgunet"])


def test_same_map_same_bytes(script, folder, labelled, tmp_path):
    script("draw_sample")(
        **draw_options(
            folder,
            path_to_points=str(tmp_path / "points.gpkg"),
            path_to_strata=str(tmp_path / "strata.json"),
        )
    )
    for name in ("points.gpkg", "strata.json"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


def test_a_persons_work_is_not_drawn_over(script, folder, labelled, tmp_path):
    path = tmp_path / "points.gpkg"
    path.write_bytes(labelled.read_bytes())
    with pytest.raises(AccuracyError, match="has a class at 400 points; move it"):
        script("draw_sample")(**draw_options(folder, path_to_points=str(path)))
    assert path.read_bytes() == labelled.read_bytes()


def test_points_outside_of_all_truths_are_refused(script, folder, labelled, tmp_path):
    with pytest.raises(AccuracyError, match="points lie outside of the truth of all 1 tiles"):
        script("label_sample")(
            path_to_points=str(folder / "points.gpkg"),
            paths_to_truth=[str(folder / "T31TDJ_truth.tif")],
            path_to_labelled=str(tmp_path / "labelled.gpkg"),
        )
    assert not (tmp_path / "labelled.gpkg").exists()


def test_a_sample_of_another_place_is_refused(labelled, estimate, tmp_path):
    points = read_layer(labelled, columns=find_layer(labelled).fields).drop(columns="feature_id")
    write_layer(tmp_path / "far.gpkg", points.assign(geometry=points.translate(1e6)))
    with pytest.raises(AccuracyError, match=r"400 of 400 points of .*far.gpkg lie outside of"):
        estimate(tmp_path / "far.gpkg")


def test_chart_of_the_areas(script, labelled, estimate, folder, tmp_path):
    estimate(labelled)
    script("area_figure")(
        path_to_areas=str(tmp_path / "areas.csv"),
        methods=["fgunet", "forest"],
        nomenclature=str(folder / "oso17.yaml"),
        paths_to_figures=[str(tmp_path / "areas.svg")],
    )
    assert (tmp_path / "areas.svg").read_text(encoding="utf-8").count("<path") > 20
