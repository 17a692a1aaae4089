"""Styles: well-formed, of the shape that QGIS and map servers read, true to the nomenclature."""

from xml.etree import ElementTree as ET

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgunet.mapping.styles import CIVIDIS, CLEAR_COUNT, CONFIDENCE, Legend, class_legend, qml, sld
from fgunet.nomenclature import LandCoverClass, Nomenclature, read_nomenclature

SLD = "{http://www.opengis.net/sld}"
NOMENCLATURE = Nomenclature(
    'maïs & "forêts" <2>',
    (
        LandCoverClass(11, "maïs & blé", (255, 85, 0), ""),
        LandCoverClass(222, '<vignes> "hautes"', (0, 10, 255), ""),
    ),
)
RAMPS = pytest.mark.parametrize("legend", [CONFIDENCE, CLEAR_COUNT])


def parsed(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314  what was written a line before


def renderer(text: str) -> ET.Element:
    root = parsed(text)
    assert root.tag == "qgis"
    found = root.find("pipe/rasterrenderer")
    assert found is not None
    assert found.attrib["band"] == "1"
    return found


def symbolizer(text: str) -> ET.Element:
    root = parsed(text)
    assert (root.tag, root.attrib["version"]) == (f"{SLD}StyledLayerDescriptor", "1.0.0")
    path = ("NamedLayer", "UserStyle", "FeatureTypeStyle", "Rule", "RasterSymbolizer")
    found = root.find("/".join(f"{SLD}{tag}" for tag in path))
    assert found is not None
    # In the order that the schema of SLD 1.0.0 asks for.
    order = [child.tag.removeprefix(SLD) for child in found]
    assert order == ["Opacity", "ChannelSelection", "ColorMap"]
    return found


def test_qml_of_classes_by_hand() -> None:
    text = qml(class_legend(NOMENCLATURE))
    assert text.startswith("<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n<qgis ")
    found = renderer(text)
    assert found.attrib["type"] == "paletted"
    assert [entry.attrib for entry in found.findall("colorPalette/paletteEntry")] == [
        {"value": "11", "color": "#ff5500", "alpha": "255", "label": "maïs & blé"},
        {"value": "222", "color": "#000aff", "alpha": "255", "label": '<vignes> "hautes"'},
    ]


def test_sld_of_classes_by_hand() -> None:
    text = sld(class_legend(NOMENCLATURE))
    colours = symbolizer(text).find(f"{SLD}ColorMap")
    assert colours is not None
    assert colours.attrib == {"type": "values"}
    assert [entry.attrib for entry in colours] == [
        {"color": "#ff5500", "quantity": "11", "label": "maïs & blé"},
        {"color": "#000aff", "quantity": "222", "label": '<vignes> "hautes"'},
    ]
    title = parsed(text).find(f".//{SLD}Title")
    assert title is not None
    assert title.text == 'maïs & "forêts" <2>'


@RAMPS
def test_qml_of_numbers(legend: Legend) -> None:
    found = renderer(qml(legend))
    shader = found.find("rastershader/colorrampshader")
    assert found.attrib["type"] == "singlebandpseudocolor"
    assert shader is not None
    assert shader.attrib["colorRampType"] == "INTERPOLATED"
    assert shader.attrib["clip"] == "0"  # larger values take the last colour
    values = [int(item.attrib["value"]) for item in shader.findall("item")]
    assert [float(found.attrib[f"classification{end}"]) for end in ("Min", "Max")] == [
        values[0], values[-1]
    ]  # fmt: skip
    assert values == [entry.value for entry in legend.entries] == sorted(set(values))
    assert values[0] == 0


@RAMPS
def test_sld_of_numbers(legend: Legend) -> None:
    colours = symbolizer(sld(legend)).find(f"{SLD}ColorMap")
    assert colours is not None
    assert colours.attrib == {"type": "ramp"}
    shown = [(int(each.attrib["quantity"]), each.attrib["color"]) for each in colours]
    items = renderer(qml(legend)).findall("rastershader/colorrampshader/item")
    assert shown == [(int(item.attrib["value"]), item.attrib["color"]) for item in items]


def test_a_full_scale_of_percent() -> None:
    assert [entry.value for entry in CONFIDENCE.entries][:: len(CONFIDENCE.entries) - 1] == [0, 100]


def test_the_ramp_is_cividis_also_between_its_colours() -> None:
    steps = np.linspace(0, 1, 256)
    true = 255 * mpl.colormaps["cividis"](steps)[:, :3]
    places = np.linspace(0, 1, len(CIVIDIS))
    ours = np.column_stack([np.interp(steps, places, channel) for channel in np.transpose(CIVIDIS)])
    assert np.abs(ours - true).max() < 8


def test_styles_of_the_shipped_nomenclatures(root) -> None:
    for path in sorted((root / "tables").glob("*.yaml")):
        known = read_nomenclature(path)
        entries = renderer(qml(class_legend(known))).findall("colorPalette/paletteEntry")
        shown = {
            int(entry.attrib["value"]): (entry.attrib["label"], entry.attrib["color"])
            for entry in entries
        }
        assert shown == {
            each.code: (each.name, "#{:02x}{:02x}{:02x}".format(*each.colour))
            for each in known.classes
        }


@given(
    st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), min_size=1),
    st.tuples(*[st.integers(0, 255)] * 3),
)
def test_any_name_comes_back_as_it_is(name: str, colour: tuple[int, int, int]) -> None:
    legend = class_legend(Nomenclature(name, (LandCoverClass(7, name, colour, ""),)))
    entry = renderer(qml(legend)).find("colorPalette/paletteEntry")
    rule = symbolizer(sld(legend)).find(f"{SLD}ColorMap/{SLD}ColorMapEntry")
    assert entry is not None
    assert rule is not None
    assert entry.attrib["label"] == rule.attrib["label"] == name
    assert bytes.fromhex(entry.attrib["color"][1:]) == bytes(colour)
