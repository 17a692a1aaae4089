"""Both scripts of the room on real products."""

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np

from fgunet.files import read_json
from fgunet.grid import Window
from fgunet.series.store import SeriesStore

BANDS = ["B02", "B03", "B04", "B8A", "B11", "B12"]
PERIOD = {"first_date": "20160105", "n_dates": 33, "step_days": 22}


def script(root: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, root / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_real_tile_is_listed_and_stacked(root: Path, shared_data: Path, tmp_path: Path):
    script(root, "list_acquisitions").main(
        tile="T31UFQ",
        path_to_products=str(shared_data / "theia_T31UFQ"),
        family="theia",
        reflectance="FRE",
        bands=BANDS,
        margin_days=20,
        minimum_acquisitions=10,
        path_to_acquisitions=str(tmp_path / "T31UFQ.json"),
        **PERIOD,
    )
    listing = read_json(tmp_path / "T31UFQ.json")
    assert (len(listing["kept"]), len(listing["excluded"])) == (29, 26)
    assert listing["missing_masks"] == {"EDG": 29, "SAT_R1": 29, "SAT_R2": 29}
    for threads in (1, 2):
        script(root, "stack_series").main(
            tile="T31UFQ",
            path_to_acquisitions=str(tmp_path / "T31UFQ.json"),
            bands=BANDS,
            threads=threads,
            path_to_series=str(tmp_path / f"{threads}.zarr"),
            window=64,
            **PERIOD,
        )
    whole = Window(0, 0, 80, 80)
    one, two = (SeriesStore(tmp_path / f"{threads}.zarr") for threads in (1, 2))
    series = one.read(whole)
    np.testing.assert_array_equal(series, two.read(whole))
    assert series.shape == (33, 6, 80, 80)
    assert one.read_clear_count(whole).min() >= 8
    # Forest in summer: near infrared far above red, everywhere but in clearings.
    summer = one.dates.index("20160629")
    near_infrared, red = (series[summer, BANDS.index(band)] for band in ("B8A", "B04"))
    assert np.median(near_infrared / np.maximum(red, 1.0)) > 4
