"""Styles of the maps for QGIS (QML) and for map servers (SLD 1.0.0).

A style depends on the nomenclature and on constants alone. The continuous ones use cividis, whose
lightness rises evenly and which reads the same with red-green colour blindness (Nuñez, Anderton
and Renslow 2018, doi 10.1371/journal.pone.0199239).
"""

from dataclasses import dataclass
from xml.etree import ElementTree as ET

from fgunet.nomenclature import Nomenclature

CIVIDIS = (
    (0, 34, 78),
    (8, 51, 112),
    (53, 69, 108),
    (79, 87, 108),
    (102, 105, 112),
    (125, 124, 120),
    (148, 142, 119),
    (174, 163, 113),
    (200, 184, 102),
    (229, 207, 82),
    (254, 232, 56),
)
"""Colours (red, green, blue) of cividis at even steps, the first and the last included."""

_DOCTYPE = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'


@dataclass(frozen=True)
class Entry:
    """A value of a legend, its colour (red, green, blue) and its label."""

    value: int
    colour: tuple[int, int, int]
    label: str

    @property
    def hexadecimal(self) -> str:
        """The colour as #rrggbb."""
        return "#" + bytes(self.colour).hex()


@dataclass(frozen=True)
class Legend:
    """What a map's colours mean.

    Attributes
    ----------
    title : str
        What the map shows.
    entries : tuple of Entry
        Values, rising.
    continuous : bool
        Colours between two values are interpolated; otherwise only these values are drawn.
    """

    title: str
    entries: tuple[Entry, ...]
    continuous: bool


def _ramp(title: str, labels: dict[int, str]) -> Legend:
    entries = (
        Entry(value, colour, label)
        for (value, label), colour in zip(labels.items(), CIVIDIS, strict=True)
    )
    return Legend(title, tuple(entries), continuous=True)


CONFIDENCE = _ramp(
    "Probability of the mapped class", {value: f"{value} %" for value in range(0, 101, 10)}
)
"""Legend of a confidence map."""

CLEAR_COUNT = _ramp(
    "Days with a clear view",
    {0: "never", **{days: f"{days} days" for days in range(5, 50, 5)}, 50: "50 days or more"},
)
"""Legend of a map of clear days."""


def class_legend(nomenclature: Nomenclature) -> Legend:
    """Legend of a class map: codes, names and colours of the nomenclature."""
    entries = (Entry(each.code, each.colour, each.name) for each in nomenclature.classes)
    return Legend(nomenclature.name, tuple(entries), continuous=False)


def qml(legend: Legend) -> str:
    """The legend as a style of QGIS 3, for the first band of a raster (XML).

    QGIS takes a file of this content by itself where it lies beside a raster of the same stem.
    """
    root = ET.Element("qgis", version="3.28.0", styleCategories="Symbology")
    pipe = ET.SubElement(root, "pipe")
    kind = "singlebandpseudocolor" if legend.continuous else "paletted"
    renderer = ET.SubElement(
        pipe, "rasterrenderer", type=kind, band="1", opacity="1", alphaBand="-1"
    )
    ET.SubElement(renderer, "rasterTransparency")
    if legend.continuous:
        _add_shader(renderer, legend)
    else:
        palette = ET.SubElement(renderer, "colorPalette")
        _add_items(palette, "paletteEntry", legend)
    ET.SubElement(pipe, "rasterresampler", maxOversampling="2")
    ET.SubElement(root, "blendMode").text = "0"
    return _DOCTYPE + _text(root)


def _add_shader(renderer: ET.Element, legend: Legend) -> None:
    lowest, highest = (str(legend.entries[place].value) for place in (0, -1))
    renderer.set("classificationMin", lowest)
    renderer.set("classificationMax", highest)
    shader = ET.SubElement(
        ET.SubElement(renderer, "rastershader"),
        "colorrampshader",
        colorRampType="INTERPOLATED",
        classificationMode="1",
        clip="0",
        minimumValue=lowest,
        maximumValue=highest,
    )
    _add_items(shader, "item", legend)


def _add_items(parent: ET.Element, name: str, legend: Legend) -> None:
    for each in legend.entries:
        ET.SubElement(
            parent, name, value=str(each.value), color=each.hexadecimal, alpha="255",
            label=each.label,
        )  # fmt: skip


def sld(legend: Legend) -> str:
    """The legend as a Styled Layer Descriptor 1.0.0 (OGC 02-070) for a raster's first band (XML).

    ``type`` of the colour map is an extension that GeoServer and QGIS share; without
    it they would interpolate between codes.
    """
    root = ET.Element("StyledLayerDescriptor", xmlns="http://www.opengis.net/sld", version="1.0.0")
    layer = ET.SubElement(root, "NamedLayer")
    ET.SubElement(layer, "Name").text = legend.title
    style = ET.SubElement(layer, "UserStyle")
    ET.SubElement(style, "Title").text = legend.title
    rule = ET.SubElement(ET.SubElement(style, "FeatureTypeStyle"), "Rule")
    symbolizer = ET.SubElement(rule, "RasterSymbolizer")
    ET.SubElement(symbolizer, "Opacity").text = "1"
    channel = ET.SubElement(ET.SubElement(symbolizer, "ChannelSelection"), "GrayChannel")
    ET.SubElement(channel, "SourceChannelName").text = "1"
    kind = "ramp" if legend.continuous else "values"
    colours = ET.SubElement(symbolizer, "ColorMap", type=kind)
    for each in legend.entries:
        ET.SubElement(
            colours, "ColorMapEntry", color=each.hexadecimal, quantity=str(each.value),
            label=each.label,
        )  # fmt: skip
    return _DECLARATION + _text(root)


def _text(root: ET.Element) -> str:
    ET.indent(root)
    return ET.tostring(root, encoding="unicode") + "\n"
