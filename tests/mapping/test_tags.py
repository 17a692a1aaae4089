import json
import shutil
import subprocess

import numpy as np
import pytest
import rasterio

from fgunet.grid import Grid, Window
from fgunet.mapping.deliverables import create_class_map
from fgunet.mapping.tags import class_tags, clear_count_tags, map_tags
from fgunet.nomenclature import LandCoverClass, Nomenclature

NOMENCLATURE = Nomenclature("two classes", (LandCoverClass(11, "été", (1, 2, 3), ""),))
TAGS = map_tags(
    tile="T31TCJ",
    method="forest",
    model="ab" * 32,
    dates=["20160105", "20160115", "20161220"],
    bands=["B02", "B11"],
    version="1.2.3",
)


def test_tags_by_hand() -> None:
    assert TAGS == {
        "TIFFTAG_SOFTWARE": "fgunet 1.2.3",
        "TIFFTAG_IMAGEDESCRIPTION": "Land cover, tile T31TCJ, 20160105 to 20161220",
        "tile": "T31TCJ",
        "method": "forest",
        "model_sha256": "ab" * 32,
        "first_date": "20160105",
        "last_date": "20161220",
        "dates": "20160105,20160115,20161220",
        "bands": "B02,B11",
        "version": "1.2.3",
    }
    assert class_tags(NOMENCLATURE) == {"nomenclature": "two classes", "CLASS_11": "été"}
    counted = clear_count_tags(tile="T31TCJ", dates=["20160105", "20161220"], version="1.2.3")
    assert counted["TIFFTAG_IMAGEDESCRIPTION"] == (
        "Days with a clear view, tile T31TCJ, 20160105 to 20161220"
    )
    assert "method" not in counted


def test_a_map_says_what_it_is(tmp_path) -> None:
    path = tmp_path / "class.tif"
    grid = Grid("EPSG:32631", (10.0, 0.0, 500000.0, 0.0, -10.0, 4800000.0), 3, 4)
    with create_class_map(path, grid, NOMENCLATURE, TAGS) as write:
        write(Window(0, 0, 3, 4), np.full((3, 4), 11, np.uint8))
    expected = {"AREA_OR_POINT": "Area", **class_tags(NOMENCLATURE), **TAGS}
    with rasterio.open(path) as dataset:
        assert dataset.tags() == expected
    if shutil.which("gdalinfo") is None:
        pytest.skip("no gdal-bin here")
    done = subprocess.run(["gdalinfo", "-json", str(path)], check=True, capture_output=True)
    assert json.loads(done.stdout)["metadata"][""] == expected
