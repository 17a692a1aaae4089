"""The scripts of the rules clear_count and styles."""

import numpy as np
import rasterio

from fgunet import __version__
from fgunet.grid import Grid
from fgunet.mapping.styles import CLEAR_COUNT, CONFIDENCE, class_legend, qml, sld
from fgunet.nomenclature import read_nomenclature


def test_clear_count_is_that_of_the_series_whatever_the_windows(
    load_script, write_series, tmp_path
) -> None:
    counts = np.random.default_rng(0).integers(0, 60, (90, 130), dtype=np.uint16)
    grid = Grid("EPSG:32631", (10.0, 0.0, 500000.0, 0.0, -10.0, 4800000.0), 90, 130)
    series = write_series(
        tmp_path / "T31TCJ.zarr",
        np.zeros((2, 1, 90, 130), np.uint16),
        counts={"clear_count": counts},
        tile="T31TCJ",
        grid=grid,
        dates=("20160105", "20161220"),
        bands=("B02",),
    )
    module = load_script("clear_count")
    made = []
    for window in (2048, 32):
        module.WINDOW = window
        path = tmp_path / f"{window}.tif"
        module.main(path_to_series=str(series), path_to_clear_count=str(path))
        made.append(path.read_bytes())
        with rasterio.open(path) as dataset:
            np.testing.assert_array_equal(dataset.read(1), counts)
            assert dataset.dtypes == ("uint16",)
            assert dataset.transform == grid.affine
            assert dataset.tags()["tile"] == "T31TCJ"
            assert dataset.tags()["version"] == __version__
    assert made[0] == made[1]


def test_styles_lie_where_they_are_asked_for(load_script, root, tmp_path) -> None:
    known = root / "tables" / "oso17.yaml"
    paths = {
        name: [str(tmp_path / f"{name}.{kind}") for kind in kinds]
        for name, kinds in {
            "class": ("qml", "sld", "more.qml"),
            "confidence": ("qml", "sld"),
            "clear_count": ("sld",),
        }.items()
    }
    load_script("styles").main(
        nomenclature=str(known), **{f"paths_to_{name}": each for name, each in paths.items()}
    )
    legend = class_legend(read_nomenclature(known))
    expected = {
        "class.qml": qml(legend),
        "class.more.qml": qml(legend),
        "class.sld": sld(legend),
        "confidence.qml": qml(CONFIDENCE),
        "confidence.sld": sld(CONFIDENCE),
        "clear_count.sld": sld(CLEAR_COUNT),
    }
    written = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    assert written == expected
