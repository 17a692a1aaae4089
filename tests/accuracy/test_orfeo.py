"""The same matrix as Orfeo ToolBox's ComputeConfusionMatrix."""

import shutil
import subprocess

import geopandas as gpd
import numpy as np
import pytest
import shapely

from fgunet.accuracy.confusion import confuse, count_confusion
from fgunet.grid import Grid
from fgunet.nomenclature import read_nomenclature
from fgunet.rasters import write_raster
from fgunet.vectors import write_layer

TOOL = shutil.which("otbcli_ComputeConfusionMatrix")
GRID = Grid("EPSG:32631", (10.0, 0.0, 600000.0, 0.0, -10.0, 4900000.0), 120, 136)
FIELD = 8
"""Side of a polygon in pixels."""

pytestmark = pytest.mark.skipif(TOOL is None, reason="Orfeo ToolBox is not installed")


@pytest.fixture(scope="module")
def codes(root):
    return read_nomenclature(root / "tables" / "oso17.yaml").codes


@pytest.fixture(scope="module")
def scene(codes, tmp_path_factory):
    """A reference of square polygons and a map, both with nodata: their folder and arrays."""
    folder, random = tmp_path_factory.mktemp("orfeo"), np.random.default_rng(3)
    fields = random.choice([0, 0, *codes], size=(GRID.height // FIELD, GRID.width // FIELD))
    reference = np.kron(fields, np.ones((FIELD, FIELD))).astype(np.uint8)
    wrong = random.choice([0, *codes], size=GRID.shape)
    mapped = np.where(random.random(GRID.shape) < 0.7, reference, wrong).astype(np.uint8)
    write_raster(folder / "reference.tif", reference, GRID, 0)
    write_raster(folder / "map.tif", mapped, GRID, 0)
    left, top, side = GRID.transform[2], GRID.transform[5], 10.0 * FIELD
    rows, columns = np.nonzero(fields)
    boxes = shapely.box(
        left + columns * side,
        top - (rows + 1) * side,
        left + (columns + 1) * side,
        top - rows * side,
    )
    layer = gpd.GeoDataFrame({"code": fields[rows, columns]}, geometry=boxes, crs=GRID.crs)
    write_layer(folder / "reference.gpkg", layer)
    return folder, reference, mapped


def _by_orfeo(folder, codes, *reference):
    """The matrix that the tool writes, brought to all the codes."""
    path = folder / "matrix.csv"
    command = [TOOL, "-in", folder / "map.tif", "-nodatalabel", "0", "-out", path, *reference]
    done = subprocess.run(map(str, command), capture_output=True, text=True, check=False)
    assert path.exists(), done.stdout + done.stderr
    rows, columns, *lines = path.read_text().splitlines()
    labels = [[int(label) for label in line.split(":")[1].split(",")] for line in (rows, columns)]
    matrix = np.zeros((len(codes), len(codes)), dtype=np.int64)
    places = [[codes.index(label) for label in axis] for axis in labels]
    matrix[np.ix_(*places)] = [[int(count) for count in line.split(",")] for line in lines]
    path.unlink()
    return matrix


def test_same_matrix_from_a_raster(scene, codes):
    folder, reference, mapped = scene
    raster = folder / "reference.tif"
    arguments = ["-ref", "raster", "-ref.raster.in", raster, "-ref.raster.nodata", "0"]
    expected = _by_orfeo(folder, codes, *arguments)
    assert expected.sum() > 5000
    np.testing.assert_array_equal(count_confusion(reference, mapped, codes), expected)


def test_same_matrix_from_polygons(scene, codes):
    folder, reference, mapped = scene
    layer = folder / "reference.gpkg"
    arguments = ["-ref", "vector", "-ref.vector.in", layer, "-ref.vector.field", "code"]
    polygons = np.arange(GRID.height)[:, None] // FIELD * 100 + np.arange(GRID.width) // FIELD + 1
    counted = confuse([(polygons, reference, mapped)], tile="T", method="m", codes=codes)
    np.testing.assert_array_equal(counted.matrix, _by_orfeo(folder, codes, *arguments))
