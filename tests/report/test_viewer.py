import base64
import io
import json
import zlib
from functools import partial

import numpy as np
import pytest
from matplotlib.image import imread

from fgunet.grid import Grid
from fgunet.rasters import write_raster
from fgunet.report.overview import Picture
from fgunet.report.viewer import Layer, overview_layers, tile_view, viewer_legend

GRID = Grid("EPSG:32631", (10.0, 0.0, 600000.0, 0.0, -10.0, 4900000.0), 37, 50)
LARGE = Grid("EPSG:32631", (10.0, 0.0, 600000.0, 0.0, -10.0, 4900000.0), 10980, 10980)


def unpacked(layer):
    values = np.frombuffer(zlib.decompress(base64.b64decode(layer["data"])), dtype=np.uint8)
    return values.reshape(layer["height"], layer["width"])


def image_of(view):
    kind, _, content = view["image"]["url"].partition(",")
    assert kind == "data:image/webp;base64"
    return imread(io.BytesIO(base64.b64decode(content)), format="webp")


def picture_of(random, shape):
    return Picture(random.random((*shape, 3)), "20160618", "true colour", ())


@pytest.fixture
def random():
    return np.random.default_rng(0)


def test_a_view_holds_every_value_of_every_layer(random):
    layers = [
        Layer("Map", "class", random.integers(0, 256, GRID.shape).astype(np.uint8)),
        # A picture that is cut out of a larger one is not contiguous.
        Layer("Sure", "confidence", random.integers(0, 256, (74, 100)).astype(np.uint8)[::2, ::2]),
    ]
    view = tile_view("T31TCJ", GRID, picture_of(random, GRID.shape), lambda _: layers, 1)
    assert view == json.loads(json.dumps(view, allow_nan=False))
    assert Grid.from_dict(view["grid"]) == GRID
    assert view["image"]["name"] == "True colour, 2016-06-18"
    assert view["image"]["step"] == 1
    for layer, packed in zip(layers, view["layers"], strict=True):
        assert (packed["name"], packed["kind"]) == (layer.name, layer.kind)
        np.testing.assert_array_equal(unpacked(packed), layer.values)


def test_an_image_keeps_its_colours(random):
    colours = np.full((40, 60, 3), (0.2, 0.5, 0.8))
    colours[:, 30:] = (1, 1, 1)
    flat = Layer("Map", "class", np.ones((40, 60), dtype=np.uint8))
    view = tile_view(
        "T", GRID, Picture(colours, "20160618", "true colour", ()), lambda _: [flat], 1
    )
    found = image_of(view)[..., :3] / 255
    assert found.shape == (40, 60, 3)
    np.testing.assert_allclose(found[5:-5, 5:25], colours[5:-5, 5:25], atol=0.03)
    np.testing.assert_allclose(found[5:-5, 35:55], 1, atol=0.03)


def noise(random, step):
    """Layers of a full tile that no compression makes smaller; five of them."""
    side = -(-LARGE.height // step)
    codes = random.integers(1, 18, (3, side, side)).astype(np.uint8)
    percent = random.integers(0, 101, (2, side, side)).astype(np.uint8)
    classes = [Layer(f"map {place}", "class", one) for place, one in enumerate(codes)]
    return classes + [Layer(f"sure {n}", "confidence", one) for n, one in enumerate(percent)]


def test_twelve_tiles_of_noise_fit_into_a_page(random):
    view = tile_view("T", LARGE, picture_of(random, (785, 785)), partial(noise, random), 14)
    size = len(json.dumps(view))
    assert 12 * size < 8_500_000
    # It is no smaller than it has to be.
    assert size > 400_000
    assert image_of(view).shape[0] * view["image"]["step"] >= LARGE.height
    for layer in view["layers"]:
        assert unpacked(layer).shape == (layer["height"], layer["width"])
        assert layer["width"] > 200


def test_what_cannot_be_smaller_is_kept(random):
    one = Layer("Map", "class", np.ones((3, 2), dtype=np.uint8))
    asked = []

    def read(step):
        asked.append(step)
        return [one]

    view = tile_view("T", GRID, picture_of(random, (3, 2)), read, 1, most=10)
    assert asked == [1]
    assert unpacked(view["layers"][0]).tolist() == one.values.tolist()


def test_same_arrays_same_bytes(random):
    picture = picture_of(random, GRID.shape)
    layers = [Layer("Map", "class", random.integers(0, 9, GRID.shape).astype(np.uint8))]
    views = [tile_view("T", GRID, picture, lambda _: layers, 1) for _ in range(2)]
    assert json.dumps(views[0]) == json.dumps(views[1])


def test_layers_come_from_the_rasters_in_the_order_of_the_choice(tmp_path, random):
    paths = {}
    for name in ("a", "b", "smooth", "reference", "sure"):
        values = random.integers(1, 9, GRID.shape).astype(np.uint8)
        write_raster(tmp_path / f"{name}.tif", values, GRID, 0)
        paths[name] = str(tmp_path / f"{name}.tif")
    maps = {"fgunet": paths["a"], "forest": paths["b"]}
    smooth, sure = {"forest": paths["smooth"]}, {"fgunet": paths["sure"]}
    layers = overview_layers(maps, smooth, paths["reference"], sure, 1)
    assert [(layer.name, layer.kind) for layer in layers] == [
        ("FG-UNET", "class"),
        ("Random Forest", "class"),
        ("Random Forest, regularised", "class"),
        ("Reference polygons", "reference"),
        ("FG-UNET, confidence", "confidence"),
    ]
    assert {layer.values.shape for layer in layers} == {GRID.shape}
    small = overview_layers(maps, {}, paths["reference"], sure, 5)
    assert [layer.values.shape for layer in small] == [(8, 10)] * 3 + [(4, 5)]


def test_the_legend_has_every_class_and_every_percent(few_classes):
    legend = viewer_legend(few_classes)
    assert legend["classes"]["2"] == {"name": "sea", "colour": [20, 60, 160]}
    assert len(legend["ramp"]) == 101
    assert len(set(legend["ramp"])) > 90
