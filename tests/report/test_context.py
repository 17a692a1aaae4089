"""From rasters to the figures and the section on accuracy in context."""

import re
from itertools import pairwise

import geopandas as gpd
import jinja2
import matplotlib.image
import numpy as np
import pandas as pd
import pytest
import shapely

from fgunet.accuracy.context import BORDER, EDGES, read_context
from fgunet.accuracy.context_tables import DIFFERENCE
from fgunet.errors import GridError
from fgunet.grid import Grid
from fgunet.rasters import write_raster
from fgunet.report.context import context
from fgunet.report.context_charts import accuracy_in_context, reliability
from fgunet.report.style import method_colour, save_figure
from fgunet.vectors import write_layer

TILES = ("T31TCJ", "T31TDJ")
METHODS = ("fgunet", "forest")
GRID = Grid("EPSG:32631", (10.0, 0.0, 600000.0, 0.0, -10.0, 4900000.0), 600, 560)
SIDE = 40
"""Pixels of a square polygon; windows of the script cut some."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Squares of three classes, half of them test; wrong near borders; one tile has no test."""
    top, random = tmp_path_factory.mktemp("context"), np.random.default_rng(2)
    rows, columns = np.indices(GRID.shape)
    cell = rows // SIDE * (GRID.width // SIDE) + columns // SIDE
    inside = np.minimum(rows % SIDE, columns % SIDE) >= 4
    polygon = np.where(inside, cell + 1, 0).astype(np.uint32)
    code = np.where(inside, cell % 3 + 1, 0).astype(np.uint8)
    split = np.where(inside, np.where(cell % 2, 1, 3), 0).astype(np.uint8)
    near = np.minimum.reduce([rows % SIDE, columns % SIDE]) < 8
    clear = np.where(columns < 200, 12, 31).astype(np.uint16)
    clear[:, 555:] = 0
    for tile in TILES:
        of_tile = split if tile == TILES[0] else np.where(split == 3, 0, split)
        rasters = {"code": code, "polygon": polygon, "split": of_tile, "clear": clear}
        for name, values in rasters.items():
            write_raster(top / f"{tile}_{name}.tif", values, GRID, None)
        for method, right in zip(METHODS, (0.9, 0.8), strict=True):
            lucky = random.random(GRID.shape) < right - 0.3 * near
            mapped = np.where(lucky, np.maximum(code, 1), code % 3 + 1)
            mapped = np.where(clear == 0, 0, mapped).astype(np.uint8)
            percent = np.where(clear == 0, 255, random.integers(55, 101, GRID.shape))
            write_raster(top / f"{method}_{tile}_class.tif", mapped, GRID, 0)
            write_raster(top / f"{method}_{tile}_sure.tif", percent.astype(np.uint8), GRID, 255)
    write_polygons(top, polygon, split)
    return top


def write_polygons(top, polygon, split):
    numbers, first = np.unique(polygon, return_index=True)
    places = first[numbers > 0]
    corner = 10.0 * np.column_stack(np.unravel_index(places, polygon.shape))
    names = {1: "training", 3: "test"}
    frame = gpd.GeoDataFrame(
        {
            "polygon_id": numbers[numbers > 0].astype(np.int64),
            "split": [names[one] for one in split.ravel()[places]],
        },
        geometry=[shapely.box(x, -y - 360, x + 360, -y) for y, x in corner],
        crs="EPSG:32631",
    )
    write_layer(top / "polygons.gpkg", frame, layer="polygons")


def count(script, folder, tile, **changed):
    by_method = {
        "paths_to_classes": "{}_{}_class.tif",
        "paths_to_confidences": "{}_{}_sure.tif",
        "paths_to_contexts": "{}_{}.parquet",
    }
    paths = {
        "path_to_clear_count": str(folder / f"{tile}_clear.tif"),
        "path_to_code": str(folder / f"{tile}_code.tif"),
        "path_to_polygon": str(folder / f"{tile}_polygon.tif"),
        "path_to_split": str(folder / f"{tile}_split.tif"),
        **{
            name: {method: str(folder / pattern.format(method, tile)) for method in METHODS}
            for name, pattern in by_method.items()
        },
    }
    script("context")(tile=tile, **{**paths, **changed})


@pytest.fixture(scope="module")
def counted(folder, script):
    for tile in TILES:
        count(script, folder, tile)
    script("training_distances")(
        path_to_polygons=str(folder / "polygons.gpkg"),
        path_to_distances=str(folder / "distances.parquet"),
    )
    return folder


def tables_of(script, folder, methods):
    names = ("table", "changes", "reliability", "calibration")
    paths = {name: folder / f"{len(methods)}_{name}.csv" for name in names}
    script("context_tables")(
        paths_to_contexts={m: [str(folder / f"{m}_{t}.parquet") for t in TILES] for m in methods},
        path_to_distances=str(folder / "distances.parquet"),
        bootstrap_samples=50,
        seed=1,
        **{f"path_to_{name}": str(path) for name, path in paths.items()},
    )
    return [pd.read_csv(path) for path in paths.values()]


@pytest.fixture(scope="module")
def both(counted, script):
    return tables_of(script, counted, METHODS)


@pytest.fixture(scope="module")
def alone(counted, script):
    return tables_of(script, counted, ["forest"])


def test_the_script_counts_each_test_pixel_by_its_distance_to_the_border(counted):
    table = read_context([counted / f"fgunet_{TILES[0]}.parquet"], BORDER)
    rows, columns = np.indices(GRID.shape)
    cell = rows // SIDE * (GRID.width // SIDE) + columns // SIDE
    test = (np.minimum(rows % SIDE, columns % SIDE) >= 4) & (cell % 2 == 0)
    # A square's upper and left border lie 4 pixels inside its cell; beyond the image nothing does.
    up, left = rows % SIDE - 4, columns % SIDE - 4
    down = np.where(rows // SIDE == GRID.height // SIDE - 1, 10**6, SIDE - 1 - rows % SIDE)
    right = np.where(columns // SIDE == GRID.width // SIDE - 1, 10**6, SIDE - 1 - columns % SIDE)
    metres = 10 * np.minimum.reduce([up, left, down, right]) + 5
    places = np.digitize(metres[test], EDGES[BORDER]) - 1
    expected = np.bincount(places, minlength=5)
    counts = table.groupby("bin")[["pixels", "unmapped"]].sum().sum(axis=1)
    assert counts.tolist() == expected.tolist()
    assert table["unmapped"].sum() == np.count_nonzero(test[:, 555:])


def test_distances_are_those_of_the_test_polygons(counted):
    distances = pd.read_parquet(counted / "distances.parquet")
    assert distances["polygon_id"].is_monotonic_increasing
    assert distances["polygon_id"].isin(np.arange(1, 211, 2)).all()
    # Squares of 36 pixels, 40 pixels apart.
    assert set(distances["distance_m"]) == {40.0}


def test_rasters_of_two_grids_are_refused(folder, script, tmp_path):
    moved = Grid(GRID.crs, (10.0, 0.0, 600010.0, 0.0, -10.0, 4900000.0), *GRID.shape)
    write_raster(tmp_path / "moved.tif", np.zeros(GRID.shape, np.uint16), moved, None)
    with pytest.raises(GridError, match=r"moved\.tif lies on another grid"):
        count(
            script,
            folder,
            TILES[0],
            path_to_clear_count=str(tmp_path / "moved.tif"),
            paths_to_contexts={method: str(tmp_path / f"{method}.parquet") for method in METHODS},
        )
    assert not list(tmp_path.glob("*.parquet"))


def test_tables_hold_what_the_maps_were_made_to_show(both):
    table, changes, bins, calibration = both
    accuracy = table.set_index(["covariate", "lower", "method"])["accuracy"]
    assert accuracy[BORDER, 0, "fgunet"] == pytest.approx(0.75, abs=0.05)
    assert accuracy[BORDER, 50, "fgunet"] == pytest.approx(0.9, abs=0.01)
    assert accuracy[BORDER, 50, DIFFERENCE] == pytest.approx(0.1, abs=0.01)
    pixels = table.groupby(["covariate", "method"])["pixels"].sum()
    assert (pixels == bins.groupby("method")["pixels"].sum().iloc[0]).all()
    assert set(changes["method"]) == {*METHODS, DIFFERENCE}
    assert set(bins["method"]) == set(calibration["method"]) == set(METHODS)


def drawn(figure, path):
    save_figure(figure, path, dpi=50)
    assert matplotlib.image.imread(path)[..., :3].std() > 0.01


@pytest.mark.usefixtures("both", "alone")
@pytest.mark.parametrize("methods", [METHODS, ("forest",)])
def test_the_script_draws_both_figures(counted, script, tmp_path, methods):
    names = "accuracy_in_context", "reliability"
    script("context_figures")(
        methods=methods,
        path_to_table=str(counted / f"{len(methods)}_table.csv"),
        path_to_reliability=str(counted / f"{len(methods)}_reliability.csv"),
        path_to_calibration=str(counted / f"{len(methods)}_calibration.csv"),
        paths_to_figures=[tmp_path / f"{name}.{kind}" for name in names for kind in ("svg", "png")],
    )
    for name in names:
        assert matplotlib.image.imread(tmp_path / f"{name}.png")[..., :3].std() > 0.01
        assert (tmp_path / f"{name}.svg").read_text().startswith("<?xml")


def test_dots_of_the_chart_are_the_accuracies_of_the_table(both):
    table = both[0]
    border = accuracy_in_context(table, METHODS).axes[0]
    for place, method in enumerate(METHODS):
        rows = table[(table["covariate"] == BORDER) & (table["method"] == method)]
        dots = [line for line in border.lines if line.get_color() == method_colour(place)]
        found = np.concatenate([line.get_ydata() for line in dots])
        np.testing.assert_allclose(np.sort(found), np.sort(100 * rows["accuracy"]))


def test_few_polygons_are_drawn_hollow(both):
    table = both[0].assign(polygons=lambda t: np.where(t["lower"] == 50, 29, 30))
    border = accuracy_in_context(table, METHODS).axes[0]
    hollow = [line for line in border.lines if line.get_markerfacecolor() == "white"]
    assert [line.get_xdata().size for line in hollow] == [1, 1]


def test_all_bins_of_a_country_are_drawn(both, tmp_path):
    rows = [
        {
            "covariate": name, "lower": lower, "upper": upper, "method": method,
            "polygons": 100, "pixels": 1000, "unmapped": 0,
            "accuracy": 0.8, "accuracy_lower": 0.7, "accuracy_upper": 0.9,
        }
        for name, edges in EDGES.items()
        for lower, upper in pairwise(edges)
        for method in METHODS
    ]  # fmt: skip
    figure = accuracy_in_context(pd.DataFrame(rows), METHODS)
    drawn(figure, tmp_path / "all.png")
    labels = [label.get_text() for label in figure.axes[5].get_xticklabels()]
    assert labels == ["0", "10", "50", "100", "250", "500", "1000", "2000", "more"]


def test_an_undefined_calibration_error_is_told_as_undefined(both):
    *_, bins, calibration = both
    undefined = calibration.assign(ece_lower=np.nan, ece_upper=np.nan)
    texts = [text.get_text() for text in reliability(bins, undefined, METHODS).axes[0].texts]
    assert any(text.startswith("calibration error") and "nan" not in text for text in texts)


def test_the_section_says_what_changes_and_by_how_much(both):
    section = context(*both, METHODS)
    assert section["methods"] == ["FG-UNET", "Random Forest"]
    border, clear, training = section["covariates"]
    numbers = both[0].set_index(["covariate", "lower", "method"])["accuracy"]
    near, far = (f"{100 * numbers[BORDER, lower, 'fgunet']:.1f} %" for lower in (0, 50))
    assert border["sentence"].startswith(
        f"Of the test pixels less than 10 m from the border of their polygon, {near} (FG-UNET) and "
    )
    assert f"50 m or more, {far} (FG-UNET) and" in border["sentence"]
    assert re.search(r"the change is \+\d+\.\d points \(.+ to .+\) for FG-UNET", border["sentence"])
    assert clear["sentence"].startswith("Of the test pixels with 10 to 14 clear days, ")
    assert training["sentence"].startswith("No two bins have 30 test polygons each")
    assert "associations, not causes" in section["note"]
    assert [row["bin"] for row in border["rows"]][-1] == "50 m or more"
    assert border["rows"][0]["difference"]["value"].startswith("+")
    first, second = section["reliability"]["sentences"]
    assert first.startswith("On the whole, FG-UNET is right ")
    assert "Random Forest" in second


@pytest.mark.parametrize(
    ("bounds", "how"),
    [((-0.1, 0.1), "as often as"), ((0.1, 0.2), "less often than"), ((-2, -1), "more often than")],
)
def test_how_sure_a_map_may_be(both, bounds, how):
    *tables, calibration = both
    changed = calibration.assign(over_confidence_lower=bounds[0], over_confidence_upper=bounds[1])
    sentences = context(*tables, changed, METHODS)["reliability"]["sentences"]
    assert all(f"is right {how} its confidence says" in sentence for sentence in sentences)


def test_without_test_pixels_there_is_no_section(both):
    assert context(*(table.iloc[:0] for table in both), METHODS) == {}


@pytest.fixture
def partial(root):
    loader = jinja2.FileSystemLoader(root / "fgunet" / "report" / "templates")
    return jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)


def test_the_partial_shows_figures_sentences_and_tables(partial, both, alone):
    template = partial.get_template("context.html.j2")
    figures = {"accuracy_in_context": "a.svg", "reliability": "b.svg"}
    for tables, methods in ((both, METHODS), (alone, ["forest"])):
        section = context(*tables, methods)
        page = template.render(context=section, figures=figures)
        assert page.count("<figure>") == page.count("</details>") == 2
        assert ("difference" in page) == (len(methods) == 2)
        for covariate in section["covariates"]:
            assert covariate["sentence"] in page
        assert len(re.findall("<caption>", page)) == 3 + len(methods)
    assert not template.render(context={}, figures=figures).strip()


def test_without_test_pixels_the_figures_are_empty_frames(both, tmp_path):
    table, _, bins, calibration = both
    drawn(accuracy_in_context(table.iloc[:0], METHODS), tmp_path / "context.png")
    undefined = calibration.assign(**dict.fromkeys(["ece", "over_confidence"], np.nan))
    drawn(reliability(bins.iloc[:0], undefined, METHODS), tmp_path / "reliability.png")
