"""The STAC collection, read back as others read it."""

import json
import re
import shutil
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pystac
import pytest
import rasterio.warp
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pystac.extensions.classification import ClassificationExtension
from pystac.extensions.file import FileExtension
from pystac.extensions.mlm import MLMExtension
from pystac.extensions.projection import ProjectionExtension
from pystac.extensions.raster import RasterExtension
from pystac.validation import JsonSchemaSTACValidator

from fgunet.errors import CatalogueError, GridError, ModelError
from fgunet.files import write_json
from fgunet.grid import Grid, Window
from fgunet.mapping.deliverables import (
    create_class_map,
    create_clear_count,
    create_percent,
    create_probabilities,
)
from fgunet.mapping.stac.assets import MapFile, classes_of, slug
from fgunet.mapping.stac.collection import (
    add_documents,
    add_mosaic,
    bbox_of,
    make_collection,
    write_collection,
)
from fgunet.mapping.stac.extent import footprint, interval
from fgunet.mapping.stac.models import model_id, model_item
from fgunet.mapping.stac.tiles import tile_item
from fgunet.nomenclature import LandCoverClass, Nomenclature

NOMENCLATURE = Nomenclature(
    "three classes",
    (
        LandCoverClass(11, "summer crops", (255, 85, 0), "agriculture"),
        LandCoverClass(44, "roads", (0, 255, 255), "urban"),
        LandCoverClass(222, "forêt (dense)", (1, 2, 3), "forest"),
    ),
)
DATES = ("20160105", "20160116", "20161222")
LABELS = {"fgunet": "FG-UNET", "forest": "Random Forest"}
# Two zones; the second tile is not square.
GRIDS = {
    "T31TCJ": Grid("EPSG:32631", (10.0, 0.0, 300000.0, 0.0, -10.0, 4900020.0), 60, 60),
    "T30TYP": Grid("EPSG:32630", (20.0, 0.0, 699960.0, 0.0, -20.0, 4900020.0), 40, 70),
}
MOSAIC = Grid("EPSG:2154", (10.0, 0.0, 500000.0, 0.0, -10.0, 6300000.0), 30, 50)
METADATA: dict[str, dict[str, Any]] = {
    "fgunet": {
        "method": "fgunet",
        "codes": [11, 44, 222],
        "dates": list(DATES),
        "bands": ["B02", "B8A"],
        "n_parameters": 525997,
        "width": 32,
        "dropout": 0.2,
        "versions": {"fgunet": "0.2.0", "keras": "3.15.1"},
        "wall_s": 12.5,
    },
    "forest": {
        "method": "forest",
        "codes": [11, 222],
        "dates": list(DATES),
        "bands": ["B02", "B8A"],
        "parameters": {"classifier": "sklearn.ensemble.RandomForestClassifier", "trees": 100},
        "versions": {"fgunet": "0.2.0", "scikit-learn": "1.9.1"},
    },
}
MODEL_FILES = {"fgunet": "model.keras", "forest": "forest.skops"}


def write_method(folder: Path, place: str, grid: Grid) -> None:
    """The two maps that every method makes."""
    window = Window(0, 0, *grid.shape)
    with create_class_map(folder / f"{place}_class.tif", grid, NOMENCLATURE) as write:
        write(window, np.full(grid.shape, 44, np.uint8))
    with create_percent(folder / f"{place}_confidence.tif", grid) as write:
        write(window, np.full(grid.shape, 90, np.uint8))


def write_results(results: Path) -> None:
    """A run's files, as the rules lay them out."""
    for tile, grid in GRIDS.items():
        window = Window(0, 0, *grid.shape)
        for method in LABELS:
            write_method(results / "maps" / method, tile, grid)
        path = results / f"maps/fgunet/{tile}_probabilities.tif"
        codes = METADATA["fgunet"]["codes"]
        with create_probabilities(path, grid, NOMENCLATURE, codes, "float16") as write:
            write(window, np.full((3, *grid.shape), 1 / 3, np.float16))
        (results / f"maps/fgunet/{tile}_polygons.gpkg").write_bytes(b"polygons")
        with create_clear_count(results / f"maps/clear_count/{tile}.tif", grid) as write:
            write(window, np.full(grid.shape, 7, np.uint16))
        put(results / f"figures/tiles/{tile}.png")
    for method in LABELS:
        write_method(results / "maps" / method, "mosaic", MOSAIC)
        put(results / "maps" / method / "overlap.csv")
        put(results / "models" / method / MODEL_FILES[method])
        write_json(results / "models" / method / "metadata.json", METADATA[method])
    for style in ("class.qml", "class.sld"):
        put(results / "maps/styles" / style)
    put(results / "report.html")


def put(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"content")


def describe_tile(results: Path, tile: str) -> pystac.Item:
    return tile_item(
        tile,
        [MapFile.of(path) for path in sorted(results.glob(f"maps/*/{tile}_*.[tg]*[fg]"))],
        results / "stac" / tile,
        clear_count=results / f"maps/clear_count/{tile}.tif",
        sheet=results / f"figures/tiles/{tile}.png",
        labels=LABELS,
        nomenclature=NOMENCLATURE,
        dates=DATES,
        version="0.2.0",
    )


def describe_model(results: Path, method: str, **changed: Any) -> pystac.Item:
    return model_item(
        {**METADATA[method], **changed},
        results / "stac" / model_id(method),
        model=results / "models" / method / MODEL_FILES[method],
        path_to_metadata=results / "models" / method / "metadata.json",
        label=LABELS[method],
        nomenclature=NOMENCLATURE,
        bbox=(-1.0, 43.0, 1.5, 45.0),
    )


def describe_all(results: Path, title: str = "A run, 2016") -> pystac.Collection:
    tiles = [describe_tile(results, tile) for tile in GRIDS]
    models = [describe_model(results, method) for method in LABELS]
    collection = make_collection(title, tiles, models, NOMENCLATURE)
    folder = results / "stac"
    for path in sorted(results.glob("maps/*/mosaic_*.tif")):
        file = MapFile.of(path)
        label = LABELS[file.method]
        add_mosaic(collection, file, folder, label=label, nomenclature=NOMENCLATURE)
    add_documents(
        collection,
        folder,
        report=results / "report.html",
        overlaps={LABELS[m]: results / "maps" / m / "overlap.csv" for m in LABELS},
        styles=sorted(results.glob("maps/styles/*")),
    )
    return collection


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with its collection, at another place than where it was made."""
    made = tmp_path_factory.mktemp("made") / "results"
    write_results(made)
    write_collection(describe_all(made), made / "stac")
    moved = tmp_path_factory.mktemp("moved") / "elsewhere"
    shutil.move(made, moved)
    return moved


@pytest.fixture
def collection(results: Path) -> pystac.Collection:
    return pystac.Collection.from_file(str(results / "stac" / "collection.json"))


def members(collection: pystac.Collection) -> list[pystac.Item | pystac.Collection]:
    return [collection, *collection.get_items()]


def test_pystac_finds_every_tile_and_model(collection: pystac.Collection) -> None:
    found = [item.id for item in collection.get_items()]
    assert found == ["T31TCJ", "T30TYP", "model_fgunet", "model_forest"]
    assert all(item.get_collection() is collection for item in collection.get_items())
    assert collection.id == "a_run_2016"
    assert collection.license == "other"


def test_every_address_is_relative_and_leads_to_a_file(
    results: Path, collection: pystac.Collection
) -> None:
    for path in results.glob("stac/**/*.json"):
        content = json.loads(path.read_text())
        hrefs = [link["href"] for link in content["links"]]
        hrefs += [asset["href"] for asset in content["assets"].values()]
        assert "self" not in {link["rel"] for link in content["links"]}
        assert len(hrefs) >= 5
        for href in hrefs:
            assert href.startswith("."), href
            assert (path.parent / href).resolve().is_file(), href
    for member in members(collection):
        for asset in member.assets.values():
            size = Path(asset.get_absolute_href() or "").stat().st_size
            assert FileExtension.ext(asset).size == size


def test_tiles_name_the_models_that_made_them(collection: pystac.Collection) -> None:
    tile = collection.get_item("T31TCJ")
    models = list(tile.get_stac_objects("derived_from"))
    assert [model.id for model in models] == ["model_fgunet", "model_forest"]
    expression = tile.assets["forest_class"].extra_fields["processing:expression"]
    assert expression["format"] == "stac-mlm"
    named = Path(tile.get_self_href()).parent / expression["expression"]
    assert pystac.Item.from_file(str(named.resolve())).id == "model_forest"


def test_assets_are_the_files_that_there_are(collection: pystac.Collection) -> None:
    expected = {
        "clear_count", "fgunet_class", "fgunet_confidence", "fgunet_polygons",
        "fgunet_probabilities", "forest_class", "forest_confidence", "sheet",
    }  # fmt: skip
    tile = collection.get_item("T30TYP")
    assert tile.assets.keys() == collection.item_assets.keys() == expected
    for key, definition in collection.item_assets.items():
        assert definition.media_type == tile.assets[key].media_type
        assert "href" not in definition.properties
        assert "file:size" not in definition.properties
    documents = {"report", "fgunet_overlap", "forest_overlap", "style_class_qml", "style_class_sld"}
    mosaics = {f"{method}_{kind}" for method in LABELS for kind in ("class", "confidence")}
    assert collection.assets.keys() == documents | mosaics


@pytest.mark.parametrize("tile", GRIDS)
def test_grid_is_that_of_the_maps(collection: pystac.Collection, tile: str) -> None:
    item, grid = collection.get_item(tile), GRIDS[tile]
    found = ProjectionExtension.ext(item)
    with rasterio.open(item.assets["fgunet_class"].get_absolute_href()) as dataset:
        assert found.code == dataset.crs.to_string()
        assert found.shape == list(dataset.shape)
        assert found.transform == list(dataset.transform)[:6]
        assert found.bbox == list(dataset.bounds)
    # Corners as GDAL places them.
    left, bottom, right, top = grid.bounds
    corners = rasterio.warp.transform(
        grid.crs, "EPSG:4326", [left, right, right, left], [bottom, bottom, top, top]
    )
    polygon = shapely.geometry.shape(item.geometry)
    expected = shapely.Polygon(zip(*corners, strict=True))
    assert polygon.exterior.is_ccw
    # A straight line between corners is off the curved edge by less than its sagitta.
    assert polygon.symmetric_difference(expected).area < 1e-3 * expected.area
    vertices = shapely.points(polygon.exterior.coords)
    for x, y in zip(*corners, strict=True):
        assert shapely.distance(vertices, shapely.Point(x, y)).min() < 2e-7
    assert item.bbox == list(polygon.bounds)


def test_time_is_that_of_the_series(collection: pystac.Collection) -> None:
    for item in collection.get_items():
        assert item.datetime is None
        assert item.properties["start_datetime"] == "2016-01-05T00:00:00Z"
        assert item.properties["end_datetime"] == "2016-12-22T23:59:59Z"
    assert collection.extent.temporal.intervals == [list(interval(DATES))]


def test_extent_is_that_of_all_tiles(collection: pystac.Collection) -> None:
    whole = shapely.union_all([footprint(grid) for grid in GRIDS.values()])
    assert collection.extent.spatial.bboxes == [list(whole.bounds)]


@pytest.mark.parametrize(
    ("key", "data_type", "nodata", "unit"),
    [
        ("fgunet_class", "uint8", 0, None),
        ("forest_confidence", "uint8", 255, "%"),
        ("clear_count", "uint16", None, "d"),
    ],
)
def test_bands_are_those_of_the_file(
    collection: pystac.Collection, key: str, data_type: str, nodata: int | None, unit: str | None
) -> None:
    for tile, metres in (("T31TCJ", 10), ("T30TYP", 20)):
        (band,) = RasterExtension.ext(collection.get_item(tile).assets[key]).bands
        assert (band.data_type, band.nodata, band.unit) == (data_type, nodata, unit)
        assert band.spatial_resolution == metres


def test_probabilities_have_a_named_band_a_class(collection: pystac.Collection) -> None:
    bands = RasterExtension.ext(collection.get_item("T31TCJ").assets["fgunet_probabilities"]).bands
    assert [band.properties["name"] for band in bands] == list(NOMENCLATURE.names.values())
    assert {(band.data_type, band.nodata, band.unit) for band in bands} == {("float32", "nan", "1")}


def test_probabilities_in_whole_percent(results: Path, tmp_path: Path) -> None:
    grid = GRIDS["T31TCJ"]
    path = tmp_path / "fgunet" / "T31TCJ_probabilities.tif"
    with create_probabilities(path, grid, NOMENCLATURE, [11, 44], "uint8") as write:
        write(Window(0, 0, *grid.shape), np.full((2, *grid.shape), 50, np.uint8))
    item = tile_item(
        "T31TCJ",
        [MapFile.of(path)],
        tmp_path,
        clear_count=results / "maps/clear_count/T31TCJ.tif",
        sheet=results / "report.html",
        labels={"fgunet": "FG-UNET"},
        nomenclature=NOMENCLATURE,
        dates=DATES,
        version="0.2.0",
    )
    bands = RasterExtension.ext(item.assets["fgunet_probabilities"]).bands
    assert [(band.unit, band.nodata) for band in bands] == [("%", 255)] * 2


def test_mosaics_have_their_own_grid(collection: pystac.Collection) -> None:
    asset = collection.assets["forest_class"]
    found = ProjectionExtension.ext(asset)
    assert found.code == "EPSG:2154"
    assert found.shape == [30, 50]
    assert found.transform == list(MOSAIC.transform)
    assert asset.extra_fields["processing:expression"]["expression"].startswith("./model_forest/")
    assert "classification:classes" in asset.extra_fields


def test_classes_are_those_of_the_nomenclature(collection: pystac.Collection) -> None:
    asset = collection.get_item("T31TCJ").assets["fgunet_class"]
    expected = [
        (0, "nodata", "no data", None, True),
        (11, "summer_crops", "summer crops", "FF5500", None),
        (44, "roads", "roads", "00FFFF", None),
        (222, "foret_dense", "forêt (dense)", "010203", None),
    ]
    for found in (
        ClassificationExtension.ext(asset).classes,
        ClassificationExtension.summaries(collection).classes,
    ):
        assert [(c.value, c.name, c.title, c.color_hint, c.nodata) for c in found] == expected
    confidence = collection.get_item("T31TCJ").assets["fgunet_confidence"]
    assert "classification:classes" not in confidence.extra_fields


def test_processing_is_told(collection: pystac.Collection) -> None:
    properties = collection.get_item("T31TCJ").properties
    assert properties["processing:level"] == "L4"
    assert properties["processing:software"] == {"fgunet": "0.2.0"}
    assert properties["processing:lineage"] == (
        "Series of 3 dates, 2016-01-05 to 2016-12-22, classified by FG-UNET and by Random Forest."
    )


def test_network_in_the_words_of_the_mlm_extension(collection: pystac.Collection) -> None:
    item = collection.get_item("model_fgunet")
    found = MLMExtension.ext(item)
    assert (found.framework, found.framework_version) == ("Keras", "3.15.1")
    assert (found.total_parameters, found.memory_size) == (525997, 2103988)
    assert found.tasks == ["semantic-segmentation"]
    (series,), (classes,) = found.input, found.output
    # 3 dates of 2 bands.
    assert series.input.shape == [-1, -1, -1, 6]
    assert series.bands == ["B02", "B8A"]
    assert classes.result.shape == [-1, -1, -1, 3]
    assert [c.value for c in classes.classes] == [11, 44, 222]
    assert found.hyperparameters.to_dict() == {"width": 32, "dropout": 0.2}
    bands = RasterExtension.ext(item.assets["model"]).bands
    assert [band.properties["name"] for band in bands] == series.bands
    assert item.properties["mlm:pretrained_source"] is None


def test_forest_in_the_words_of_the_mlm_extension(collection: pystac.Collection) -> None:
    found = MLMExtension.ext(collection.get_item("model_forest"))
    assert (found.framework, found.framework_version) == ("scikit-learn", "1.9.1")
    assert found.architecture == "Random Forest"
    assert found.total_parameters is None
    assert found.input[0].input.shape == [-1, 6]
    # Class 44 had no samples: the forest cannot give it.
    assert found.output[0].result.shape == [-1, 2]
    assert [c.value for c in found.output[0].classes] == [11, 222]
    asset = collection.get_item("model_forest").assets["model"]
    assert asset.roles == ["mlm:model"]
    assert asset.extra_fields["mlm:artifact_type"] == "skops.io.dump"


def test_another_classifier_goes_by_its_own_name(results: Path) -> None:
    parameters = {"classifier": "lightgbm.LGBMClassifier"}
    versions = {"lightgbm": "4.6.0.99"}
    found = MLMExtension.ext(
        describe_model(results, "forest", parameters=parameters, versions=versions)
    )
    assert (found.framework, found.architecture) == ("lightgbm", "LGBMClassifier")
    # The extension knows versions of three numbers alone.
    assert found.framework_version is None


def test_valid_by_the_core_schemas(collection: pystac.Collection) -> None:
    validator = JsonSchemaSTACValidator()
    for member in members(collection):
        kind, version = member.STAC_OBJECT_TYPE, pystac.get_stac_version()
        assert validator.validate_core(member.to_dict(), kind, version)
        broken = {**member.to_dict(), "links": None}
        with pytest.raises(pystac.STACValidationError):
            validator.validate_core(broken, kind, version)


def test_valid_by_the_schemas_of_the_extensions(collection: pystac.Collection) -> None:
    for uri in collection.stac_extensions:
        try:
            urllib.request.urlopen(uri, timeout=5).close()  # noqa: S310  an https address
        except OSError as error:
            pytest.skip(f"{uri} cannot be fetched: {error}")
    assert collection.validate_all() == 4


def test_extensions_are_named_where_they_are_used(collection: pystac.Collection) -> None:
    prefixes = {"proj": "projection", "mlm": "mlm", "raster": "raster", "file": "file",
                "processing": "processing", "classification": "classification"}  # fmt: skip
    for member in members(collection):
        named = {uri.split("/")[3] for uri in member.stac_extensions}
        used = {
            prefixes[found] for found in re.findall(r'"(\w+):\w+":', json.dumps(member.to_dict()))
        }
        assert named == used, member.id


def test_same_files_same_bytes(results: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    shutil.copytree(results, again, ignore=shutil.ignore_patterns("stac"))
    write_collection(describe_all(again), again / "stac")
    paths = sorted(results.glob("stac/**/*.json"))
    assert len(paths) == 5
    for path in paths:
        assert (again / path.relative_to(results)).read_bytes() == path.read_bytes()


def test_a_collection_that_exists_has_all_its_items(results: Path, tmp_path: Path) -> None:
    (tmp_path / "model_forest").write_text("a file where a folder must be")
    with pytest.raises(OSError, match="model_forest"):
        write_collection(describe_all(results), tmp_path)
    assert (tmp_path / "T30TYP" / "T30TYP.json").is_file()
    assert not (tmp_path / "collection.json").exists()


def test_maps_on_several_grids_are_refused(results: Path, tmp_path: Path) -> None:
    other = results / "maps/clear_count/T30TYP.tif"
    with pytest.raises(GridError, match="another grid"):
        tile_item(
            "T31TCJ",
            [MapFile.of(results / "maps/fgunet/T31TCJ_class.tif")],
            tmp_path,
            clear_count=other,
            sheet=results / "report.html",
            labels=LABELS,
            nomenclature=NOMENCLATURE,
            dates=DATES,
            version="0.2.0",
        )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda metadata: metadata.pop("bands"), "metadata.json lacks bands; train"),
        (lambda metadata: metadata.update(codes=[11, 12]), r"codes \[12\], which are not in"),
    ],
)
def test_metadata_that_do_not_fit_are_refused(
    results: Path, change: Callable[[dict[str, Any]], Any], message: str
) -> None:
    metadata = dict(METADATA["forest"])
    change(metadata)
    with pytest.raises(ModelError, match=message):
        model_item(
            metadata,
            results,
            model=results / "report.html",
            path_to_metadata=results / "models/forest/metadata.json",
            label="Random Forest",
            nomenclature=NOMENCLATURE,
            bbox=(0.0, 0.0, 1.0, 1.0),
        )


def test_a_collection_without_tiles_is_refused() -> None:
    with pytest.raises(CatalogueError, match="at least one tile"):
        make_collection("nothing", [], [], NOMENCLATURE)


def test_a_path_tells_method_place_and_product() -> None:
    file = MapFile.of("results/maps/fgunet/north_east_class.tif")
    assert (file.method, file.place, file.product) == ("fgunet", "north_east", "class")
    for path in ("maps/fgunet/T31TCJ_majority.tif", "maps/fgunet/class.tif"):
        with pytest.raises(CatalogueError, match=re.escape(path)):
            MapFile.of(path)


def test_bounds_of_items() -> None:
    boxes = ([0.0, 1.0, 2.0, 3.0], [-1.0, 2.0, 1.0, 4.0])
    items = [pystac.Item("x", None, box, None, {}, *interval(DATES)) for box in boxes]
    assert bbox_of(items) == (-1.0, 1.0, 2.0, 4.0)


@given(st.lists(st.text("aA1_ é雪", max_size=4), min_size=1, max_size=12))
def test_machine_names_are_plain_and_unique(names: list[str]) -> None:
    classes = tuple(
        LandCoverClass(code, name, (0, 0, 0), "") for code, name in enumerate(names, start=1)
    )
    found = classes_of(Nomenclature("any", classes))
    assert all(re.fullmatch(r"[0-9A-Za-z_-]+", c.name) for c in found)
    assert len({c.name for c in found}) == len(found)
    assert [c.value for c in found] == list(range(len(names) + 1))
    assert [c.title for c in found[1:]] == names


def test_slug() -> None:
    assert slug("Été 2016: eleven tiles!") == "ete_2016_eleven_tiles"
    assert slug("雪") == ""
