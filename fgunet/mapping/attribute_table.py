"""Names and colours of the classes of a map, in the file beside it that GDAL and QGIS read."""

from xml.etree import ElementTree as ET

from fgunet.nomenclature import Nomenclature

# (name, type, usage) of the columns, as GDAL numbers them: GDALRATFieldType, GDALRATFieldUsage.
_INTEGER, _STRING = 0, 2
_COLUMNS = (
    ("Value", _INTEGER, 5),
    ("Class", _STRING, 2),
    ("Red", _INTEGER, 6),
    ("Green", _INTEGER, 7),
    ("Blue", _INTEGER, 8),
    ("Alpha", _INTEGER, 9),
)


def attribute_table(nomenclature: Nomenclature) -> str:
    """The raster attribute table of a class map, as GDAL keeps it beside the map (XML).

    One row a class: value, name, red, green, blue, alpha. There are no counts of pixels, so that
    the table depends on the nomenclature alone and is known before the map. The names stand there
    a second time as GDAL's category names, one for each value from 0, because QGIS labels its
    legend with these.
    """
    dataset = ET.Element("PAMDataset")
    band = ET.SubElement(dataset, "PAMRasterBand", band="1")
    categories = ET.SubElement(band, "CategoryNames")
    for value in range(max(nomenclature.codes) + 1):
        ET.SubElement(categories, "Category").text = nomenclature.names.get(value, "")
    _add_table(band, nomenclature)
    ET.indent(dataset)
    return ET.tostring(dataset, encoding="unicode") + "\n"


def _add_table(band: ET.Element, nomenclature: Nomenclature) -> None:
    table = ET.SubElement(band, "GDALRasterAttributeTable", tableType="thematic")
    for index, (name, kind, usage) in enumerate(_COLUMNS):
        column = ET.SubElement(table, "FieldDefn", index=str(index))
        for tag, value in ("Name", name), ("Type", kind), ("Usage", usage):
            ET.SubElement(column, tag).text = str(value)
    for index, each in enumerate(nomenclature.classes):
        row = ET.SubElement(table, "Row", index=str(index))
        for value in (each.code, each.name, *each.colour, 255):
            ET.SubElement(row, "F").text = str(value)
