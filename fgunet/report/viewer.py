"""What the page's map viewer shows of a tile: small pictures, packed to fit into the page."""

import base64
import io
import math
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import to_hex
from matplotlib.image import imsave
from numpy.typing import NDArray

from fgunet.grid import Grid, Window
from fgunet.nomenclature import Nomenclature
from fgunet.report.overview import Picture, read_overview, read_overviews
from fgunet.report.style import method_label
from fgunet.report.wording import day

MOST_BYTES = 700_000
"""Bytes that the pictures of a tile take in the page, at most; a page shows some twelve tiles."""

_IMAGE_SHARE = 0.3
_QUALITY = 75
_SMALLEST = 32


@dataclass(frozen=True)
class Layer:
    """A picture that the viewer colours.

    Attributes
    ----------
    name : str
        As readers know it.
    kind : "class", "reference" or "confidence"
        What its values are.
    values : ndarray of uint8, (y, x)
        Class codes (0 is without class), or percent (255 is without class). They cover what is
        shown from edge to edge.
    """

    name: str
    kind: Literal["class", "reference", "confidence"]
    values: NDArray[np.uint8]


def overview_layers(
    maps: Mapping[str, str],
    regularised: Mapping[str, str],
    reference: str,
    confidences: Mapping[str, str],
    step: int,
    *,
    window: Window | None = None,
) -> list[Layer]:
    """The layers of a tile, small, in the order in which a reader chooses among them.

    Parameters
    ----------
    maps, regularised : mapping of str to path
        Class map of each method, as classified and after the filters; 0 is without class.
    reference : path
        Class codes of the reference polygons; 0 is without polygon.
    confidences : mapping of str to path
        Confidence of each method in percent; 255 is without class.
    step : int
        Pixels of the rasters to a pixel of a layer, along a side. A confidence that has to be
        small is half as sharp as the classes: it takes more bytes and tells of larger areas.
    window : Window or None
        What is read of the tile; None is all.
    """
    sure_step = step if step == 1 else 2 * step
    classes = [
        Layer(f"{method_label(method)}{what}", "class", values)
        for paths, what in ((maps, ""), (regularised, ", regularised"))
        for method, values in read_overviews(paths, step, mode=True, window=window).items()
    ]
    sure = [
        Layer(f"{method_label(method)}, confidence", "confidence", values)
        for method, values in read_overviews(confidences, sure_step, window=window).items()
    ]
    polygons = Layer(
        "Reference polygons", "reference", read_overview(reference, step, window=window)
    )
    return [*classes, polygons, *sure]


def tile_view(
    tile: str,
    grid: Grid,
    picture: Picture,
    read: Callable[[int], Sequence[Layer]],
    step: int,
    *,
    most: int = MOST_BYTES,
) -> dict[str, Any]:
    """All that the viewer needs to know of a tile, as JSON can say it.

    Parameters
    ----------
    tile : str
        Its name.
    grid : Grid
        Its grid.
    picture : Picture
        Its image: every `step`-th pixel.
    read : callable
        Gives the layers, so many times smaller. It is asked for smaller ones until they fit.
    step : int
        How many times smaller the layers are at first.
    most : int
        Bytes that all pictures take together at most, as text.

    Returns
    -------
    dict
        tile, grid, image (name, step, url), layers (name, kind, width, height, data: their
        values, row by row, compressed by zlib, in base64).
    """
    url, image_step = _image_url(picture.colours, step, int(most * _IMAGE_SHARE))
    layers = _fitting_layers(read, step, most - len(url))
    image = {"name": _image_name(picture), "step": image_step, "url": url}
    return _view(tile, grid, image, layers)


def detail_view(
    name: str, grid: Grid, picture: Picture, layers: Sequence[Layer], *, most: int
) -> dict[str, Any]:
    """As `tile_view`, of a piece of a tile at full resolution; its middle where it does not fit.

    Parameters
    ----------
    name : str
        What readers choose it by.
    grid : Grid
        Grid of the piece.
    picture : Picture
        Image of the piece, every pixel.
    layers : sequence of Layer
        Layers of the piece, every pixel.
    most : int
        Bytes that all pictures take together at most, as text.
    """
    while True:
        image = {"name": _image_name(picture), "step": 1, "url": _data_url(picture.colours)}
        view = _view(name, grid, image, [_packed(layer) for layer in layers])
        if picture_bytes(view) <= most or max(grid.shape) <= _SMALLEST:
            return view
        middle = _middle(grid.shape)
        grid = grid.cut(middle)
        picture = replace(picture, colours=picture.colours[middle.slices])
        layers = [replace(layer, values=layer.values[middle.slices]) for layer in layers]


def picture_bytes(view: Mapping[str, Any]) -> int:
    """Bytes that all pictures of a view take together, as text."""
    return len(view["image"]["url"]) + sum(len(layer["data"]) for layer in view["layers"])


def viewer_legend(nomenclature: Nomenclature) -> dict[str, Any]:
    """Names and colours of the classes by code, and the colour of each percent of confidence."""
    cividis = colormaps["cividis"]
    return {
        "classes": {
            str(one.code): {"name": one.name, "colour": list(one.colour)}
            for one in nomenclature.classes
        },
        "ramp": [to_hex(cividis(percent / 100)) for percent in range(101)],
    }


def _view(
    name: str, grid: Grid, image: Mapping[str, Any], layers: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    return {"tile": name, "grid": grid.to_dict(), "image": image, "layers": layers}


def _image_name(picture: Picture) -> str:
    return f"{picture.bands[:1].upper()}{picture.bands[1:]}, {day(picture.date)}"


def _middle(shape: tuple[int, int]) -> Window:
    """What is left of a shape without an eighth at each edge: 256 pixels, 192, 144, ..."""
    (row, height), (col, width) = ((side // 8, side - 2 * (side // 8)) for side in shape)
    return Window(row, col, height, width)


def _fitting_layers(
    read: Callable[[int], Sequence[Layer]], step: int, most: int
) -> list[dict[str, Any]]:
    """Layers that take at most so many bytes; smaller ones are asked for until they do."""
    while True:
        layers = read(step)
        packed = [_packed(layer) for layer in layers]
        size = sum(len(layer["data"]) for layer in packed)
        if size <= most or max(layers[0].values.shape) <= _SMALLEST:
            return packed
        # Bytes go with the number of pixels, that is with the square of the side.
        step = max(step + 1, math.floor(step * math.sqrt(size / most)))


def _packed(layer: Layer) -> dict[str, Any]:
    height, width = layer.values.shape
    data = zlib.compress(np.ascontiguousarray(layer.values).tobytes(), 9)
    return {
        "name": layer.name,
        "kind": layer.kind,
        "width": width,
        "height": height,
        "data": base64.b64encode(data).decode("ascii"),
    }


def _image_url(colours: NDArray[np.float64], step: int, most: int) -> tuple[str, int]:
    """An image as a data URI of at most so many bytes, and every how many-th pixel it has."""
    url = _data_url(colours)
    while len(url) > most and max(colours.shape[:2]) > _SMALLEST:
        colours, step = colours[::2, ::2], 2 * step
        url = _data_url(colours)
    return url, step


def _data_url(colours: NDArray[np.float64]) -> str:
    content = base64.b64encode(encode_webp(colours)).decode("ascii")
    return f"data:image/webp;base64,{content}"


def encode_webp(colours: NDArray[np.float64]) -> bytes:
    """An image as WebP.

    Parameters
    ----------
    colours : ndarray of float, (y, x, 3)
        0 to 1.
    """
    content = io.BytesIO()
    imsave(content, colours, format="webp", pil_kwargs={"quality": _QUALITY})
    return content.getvalue()
