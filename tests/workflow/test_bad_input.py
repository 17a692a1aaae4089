"""Bad input ends in one clear error, before any work starts."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest

from fgunet.grid import Window
from fgunet.series.store import SeriesStore
from fgunet.vectors import write_layer
from tests.workflow.own_ground import (
    BANDS,
    DATES,
    LEFT,
    SIZE,
    product,
    write_band,
    write_configuration,
    write_polygons,
)


@pytest.fixture
def tiny(tmp_path: Path) -> dict[str, Any]:
    """A configuration that is right, on one tile of 320 m of the user's own."""
    return write_configuration(tmp_path, {"T31TCJ": LEFT})


Change = Callable[[dict[str, Any], Path], None]


def misspelt(config: dict[str, Any], folder: Path) -> None:
    config["split"] = {"test_shares": 0.3}
    config["forest"] = {"tree": 10}


def tile_without_products(config: dict[str, Any], folder: Path) -> None:
    config["tiles"] = ["T31TCJ", "T31TDK"]


def few_dates(config: dict[str, Any], folder: Path) -> None:
    config["series"]["minimum_acquisitions"] = 13


def missing_band(config: dict[str, Any], folder: Path) -> None:
    config["products"]["bands"].append("B11")


def missing_field(config: dict[str, Any], folder: Path) -> None:
    config["reference"]["sources"][0]["field"] = "CLASS"


def unknown_codes(config: dict[str, Any], folder: Path) -> None:
    write_polygons(folder / "stands.gpkg", [31, 32] * 8 + [99, 98])


def few_polygons(config: dict[str, Any], folder: Path) -> None:
    write_polygons(folder / "stands.gpkg", [31] * 8 + [32] * 2)


def indivisible_dates(config: dict[str, Any], folder: Path) -> None:
    config["series"]["n_dates"] = 7


def other_grid(config: dict[str, Any], folder: Path) -> None:
    path = product(folder / "products", "T31TCJ", DATES[3])
    for band in BANDS:
        values = np.full((SIZE, SIZE), 500, np.int16)
        write_band(path / f"{path.name}_FRE_{band}.tif", values, 10, left=LEFT + 100)
    mask = np.zeros((SIZE // 2, SIZE // 2), np.uint8)
    write_band(path / "MASKS" / f"{path.name}_CLM_R2.tif", mask, 20, left=LEFT + 100)


def truncated_band(config: dict[str, Any], folder: Path) -> None:
    path = product(folder / "products", "T31TCJ", DATES[5])
    band = path / f"{path.name}_FRE_B3.tif"
    band.write_bytes(band.read_bytes()[:-700])


def truncated_archive(config: dict[str, Any], folder: Path) -> None:
    path = product(folder / "products", "T31TCJ", DATES[5])
    archive = shutil.make_archive(str(path), "zip", folder / "products", path.name)
    shutil.rmtree(path)
    with Path(archive).open("r+b") as file:
        file.truncate(Path(archive).stat().st_size // 2)


def other_date_inside(config: dict[str, Any], folder: Path) -> None:
    path = product(folder / "products", "T31TCJ", DATES[5])
    path.rename(path.with_name(path.name.replace(DATES[5], "20160329")))


def missing_mask(config: dict[str, Any], folder: Path) -> None:
    shutil.rmtree(product(folder / "products", "T31TCJ", DATES[5]) / "MASKS")


def missing_asset(config: dict[str, Any], folder: Path) -> None:
    """A STAC item of which one file is not there."""
    path = product(folder / "products", "T31TCJ", DATES[0])
    properties = {
        "datetime": "2016-04-29T10:58:18Z", "platform": "sentinel-2a",
        "grid:code": "MGRS-31TCJ", "s2:processing_baseline": "02.01",
    }  # fmt: skip
    names = {"B02": "B2", "B03": "B3", "B04": "B4", "B08": "nowhere"}
    assets = {key: {"href": f"{path}/{path.name}_FRE_{name}.tif"} for key, name in names.items()}
    assets["SCL"] = {"href": f"{path}/MASKS/{path.name}_CLM_R2.tif"}
    item = {
        "type": "Feature", "stac_version": "1.0.0", "id": "S2A_31TCJ_20160429_0_L2A",
        "geometry": None, "properties": properties, "assets": assets, "links": [],
    }  # fmt: skip
    (folder / "products" / "item.json").write_text(json.dumps(item))


def repeated_date(config: dict[str, Any], folder: Path) -> None:
    config["series"] = {"dates": ["20160110", "20160110", "20160301"]}


def no_such_folder(config: dict[str, Any], folder: Path) -> None:
    config["products"]["folder"] = [str(folder / "products"), str(folder / "nowhere")]


def source(config: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = config["reference"]["sources"][0]
    return found


def empty_layer(config: dict[str, Any], folder: Path) -> None:
    write_polygons(folder / "stands.gpkg", [])


def layer_without_crs(config: dict[str, Any], folder: Path) -> None:
    frame = gpd.read_file(folder / "stands.gpkg").set_crs(None, allow_override=True)
    with pytest.warns(UserWarning, match="'crs' was not provided"):
        frame.to_file(folder / "plain.gpkg")
    source(config)["path"] = str(folder / "plain.gpkg")


def polygons_elsewhere(config: dict[str, Any], folder: Path) -> None:
    frame = gpd.read_file(folder / "stands.gpkg")
    frame["geometry"] = frame.translate(150_000, 0)
    write_layer(folder / "stands.gpkg", frame, layer="stands")


def repeated_identifiers(config: dict[str, Any], folder: Path) -> None:
    source(config)["id_field"] = "CODE"


def truncated_database(config: dict[str, Any], folder: Path) -> None:
    path = folder / "stands.gpkg"
    path.write_bytes(path.read_bytes()[:-5000])


def bad_expression(config: dict[str, Any], folder: Path) -> None:
    source(config).update(field=None, expression="CODES + 1")


def equal_precedence(config: dict[str, Any], folder: Path) -> None:
    source(config)["precedence"] = 1
    config["reference"]["sources"].append(source(config) | {"name": "again"})


def some_precedence(config: dict[str, Any], folder: Path) -> None:
    config["reference"]["sources"].append(source(config) | {"name": "again", "precedence": 2})


def classifier_not_installed(config: dict[str, Any], folder: Path) -> None:
    config["forest"] = {"classifier": "no_such_package.Forest"}


def classifier_without_probabilities(config: dict[str, Any], folder: Path) -> None:
    config["forest"] = {"classifier": "sklearn.svm.SVC", "parameters": {"C": 2.0}}


def protected_code_unknown(config: dict[str, Any], folder: Path) -> None:
    config["mapping"] = {"regularisation": {"forest": {"protect": [32, 44]}}}


def class_without_source(config: dict[str, Any], folder: Path) -> None:
    (folder / "stands.csv").write_text("source_code,code,meaning\n31,31,a\n32,,b\n")
    source(config)["translation"] = str(folder / "stands.csv")


CASES: list[tuple[Change, list[str]]] = [
    (misspelt, ["split: unknown key 'test_shares'", "forest: unknown key 'tree'"]),
    (tile_without_products, ["MissingAcquisitionError", "T31TDK", "products"]),
    (
        protected_code_unknown,
        ["ConfigError: mapping.regularisation.forest.protect: [44]", "'two classes'", "[31, 32]"],
    ),
    (few_dates, ["MissingAcquisitionError", "T31TCJ", "13", "12"]),
    (missing_band, ["MissingBandError", "B11", "SENTINEL2A_20160104"]),
    (missing_field, ["ReferenceDataError", "stands.gpkg", "no field CLASS", "CODE"]),
    (unknown_codes, ["stands.gpkg", "98", "99"]),
    (few_polygons, ["SplitError", "32", "2"]),
    (empty_layer, ["ReferenceDataError", "stands.gpkg", "is empty: 0 features"]),
    (layer_without_crs, ["ReferenceDataError", "plain.gpkg", "no coordinate system"]),
    (polygons_elsewhere, ["ReferenceDataError", "stands.gpkg", "optional"]),
    (repeated_identifiers, ["ReferenceDataError", "stands.gpkg", "CODE", "31"]),
    (truncated_database, ["ReferenceDataError", "stands.gpkg", "is cut off"]),
    (bad_expression, ["ReferenceDataError", "CODES + 1"]),
    (equal_precedence, ["ReferenceDataError", "again and stands", "equal precedence overlap"]),
    (some_precedence, ["ConfigError", "only again have a precedence"]),
    (class_without_source, ["ReferenceDataError", "coniferous", "32"]),
    (classifier_not_installed, ["ModelError", "no_such_package.Forest", "cannot be imported"]),
    (classifier_without_probabilities, ["ModelError", "sklearn.svm.SVC", "no predict_proba"]),
    (indivisible_dates, ["7 dates cannot be cut into groups"]),
    (other_grid, ["GridError", DATES[3], "500100"]),
    (truncated_band, ["ProductError: 1 of 12 products are broken", "_FRE_B3.tif cannot be read"]),
    (truncated_archive, ["ProductError: 1 of 12 products", ".zip cannot be read", "cut short"]),
    (other_date_inside, ["ProductError: 1 of 12", "20160329", DATES[5]]),
    (missing_mask, ["ProductError: 1 of 12 products", "no cloud mask", "products.masks.cloud"]),
    (missing_asset, ["ProductError: 1 of 13 products", "B08", "nowhere.tif"]),
    (repeated_date, ["series.dates", "non-unique"]),
    (no_such_folder, ["MissingAcquisitionError", "nowhere", "products.folder"]),
]


@pytest.mark.parametrize(("change", "said"), CASES, ids=[change.__name__ for change, _ in CASES])
def test_bad_input_stops_before_any_work(
    tiny: dict[str, Any], snakemake: Any, tmp_path: Path, change: Change, said: list[str]
) -> None:
    change(tiny, tmp_path)
    done = snakemake(tmp_path, "--cores", "2", config=tiny)
    assert done.returncode != 0
    for part in said:
        assert part in done.stderr, done.stderr
    assert not (tmp_path / "results" / "series").exists()


def test_what_is_broken_is_set_aside_if_asked_for(
    tiny: dict[str, Any], snakemake: Any, tmp_path: Path
) -> None:
    truncated_band(tiny, tmp_path)
    missing_asset(tiny, tmp_path)
    tiny["products"]["strict"] = False
    series = "results/series/T31TCJ.zarr"
    done = snakemake(tmp_path, "--cores", "2", series, config=tiny)
    assert done.returncode == 0, done.stderr
    assert "2 left out: broken" in done.stderr
    listing = json.loads((tmp_path / "results/acquisitions/T31TCJ.json").read_text())
    broken = {row["product"]: row["detail"] for row in listing["excluded"]}
    name = product(tmp_path, "T31TCJ", DATES[5]).name
    assert broken.keys() == {name, "S2A_31TCJ_20160429_0_L2A"}
    assert "_FRE_B3.tif cannot be read" in broken[name]
    store = SeriesStore(tmp_path / series)
    assert store.read_clear_count(Window(0, 0, SIZE, SIZE)).max() == 11
    assert len(store.provenance["products"]) == 11


def test_the_right_configuration_passes_the_checks(
    tiny: dict[str, Any], snakemake: Any, tmp_path: Path
) -> None:
    done = snakemake(tmp_path, "--cores", "2", "results/inputs_checked.json", config=tiny)
    assert done.returncode == 0, done.stderr


def test_a_tile_with_another_product_is_listed_again(
    tiny: dict[str, Any], snakemake: Any, tmp_path: Path
) -> None:
    first = snakemake(tmp_path, "--cores", "2", "results/inputs_checked.json", config=tiny)
    assert first.returncode == 0, first.stderr
    shutil.copytree(
        product(tmp_path / "products", "T31TCJ", DATES[0]),
        product(tmp_path / "products" / "later", "T31TCJ", DATES[0].replace("04", "09")),
    )
    plan = snakemake(tmp_path, "--dry-run", "results/inputs_checked.json", config=tiny)
    assert "list_acquisitions" in plan.stdout
