"""The metadata file of a Theia product: the parts of its schema that are true here."""

from collections.abc import Mapping
from datetime import datetime
from xml.etree import ElementTree as ET

import pyproj

from fgunet.grid import Grid

_NATURES = {"CLM": "Detailed_Cloud", "EDG": "Edge", "SAT": "Saturation"}


def metadata_xml(
    *,
    name: str,
    tile: str,
    platform: str,
    version: str,
    time: datetime,
    grids: Mapping[str, Grid],
    groups: Mapping[str, tuple[str, ...]],
    nodata: int,
    steps: int,
    cloud_percent: int,
) -> str:
    """The text of `<name>_MTD_ALL.xml`.

    Parameters
    ----------
    name, tile, platform, version : str
        Names of the product.
    time : datetime
        Acquisition, UTC.
    grids : mapping of str to Grid
        Grid of each resolution group.
    groups : mapping of str to tuple of str
        Bands of each resolution group, by their names in Theia's files.
    nodata, steps : int
        Special value and stored value of a reflectance of 1.
    cloud_percent : int
        Share of the seen pixels that is cloudy.
    """
    root = ET.Element("Muscate_Metadata_Document")
    _text(root, "Metadata_Identification/METADATA_FORMAT", "METADATA_MUSCATE", version="1.16")
    _text(root, "Metadata_Identification/METADATA_PROFILE", "USER")
    _text(root, "Dataset_Identification/IDENTIFIER", name.rsplit("_", 1)[0])
    _text(root, "Dataset_Identification/AUTHORITY", "SIMULATED")
    _text(root, "Dataset_Identification/GEOGRAPHICAL_ZONE", tile, type="Tile")
    stamp = f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03d}Z"
    traits = "Product_Characteristics/"
    _text(root, traits + "PRODUCT_ID", name)
    _text(root, traits + "ACQUISITION_DATE", stamp)
    _text(root, traits + "PRODUCT_VERSION", version.removeprefix("V").replace("-", "."))
    _text(root, traits + "PRODUCT_LEVEL", "L2A")
    _text(root, traits + "PLATFORM", platform)
    _bands(root.find("Product_Characteristics"), groups)
    _files(root, name, groups)
    _place(root, grids)
    quality = "Radiometric_Informations/"
    _text(root, quality + "REFLECTANCE_QUANTIFICATION_VALUE", str(steps))
    _text(root, quality + "Special_Values_List/SPECIAL_VALUE", str(nodata), name="nodata")
    path = "Quality_Informations/Current_Product/Product_Quality_List/Product_Quality/"
    indices = path + "Global_Index_List/QUALITY_INDEX"
    _text(root, indices, str(cloud_percent), name="CloudPercent")
    ET.indent(root, "  ")
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, "unicode") + "\n"


def _node(parent: ET.Element, tag: str) -> ET.Element:
    found = parent.find(tag)
    return ET.SubElement(parent, tag) if found is None else found


def _text(parent: ET.Element, path: str, text: str, **attributes: str) -> None:
    """Add one element at the end of `path`; the elements above it are made once."""
    *above, tag = path.split("/")
    for step in above:
        parent = _node(parent, step)
    ET.SubElement(parent, tag, attributes).text = text


def _bands(traits: ET.Element | None, groups: Mapping[str, tuple[str, ...]]) -> None:
    if traits is None:
        return
    total = sum(map(len, groups.values()))
    every = ET.SubElement(traits, "Band_Global_List", count=str(total))
    by_group = ET.SubElement(traits, "Band_Group_List")
    for group, bands in groups.items():
        holder = ET.SubElement(by_group, "Group", group_id=group)
        listed = ET.SubElement(holder, "Band_List", count=str(len(bands)))
        for band in bands:
            ET.SubElement(every, "BAND_ID").text = band
            ET.SubElement(listed, "BAND_ID").text = band


def _files(root: ET.Element, name: str, groups: Mapping[str, tuple[str, ...]]) -> None:
    product = _node(_node(root, "Product_Organisation"), "Muscate_Product")
    image = ET.SubElement(ET.SubElement(product, "Image_List"), "Image")
    _text(image, "Image_Properties/NATURE", "Flat_Reflectance")
    _text(image, "Image_Properties/ENCODING", "int16")
    for bands in groups.values():
        for band in bands:
            file = f"{name}_FRE_{band}.tif"
            _text(image, "Image_File_List/IMAGE_FILE", file, band_id=band)
    masks = ET.SubElement(product, "Mask_List")
    for kind, nature in _NATURES.items():
        mask = ET.SubElement(masks, "Mask")
        _text(mask, "Mask_Properties/NATURE", nature)
        for group, bands in groups.items():
            file = f"MASKS/{name}_{kind}_{group}.tif"
            if kind != "SAT":
                _text(mask, "Mask_File_List/MASK_FILE", file, group_id=group)
                continue
            for bit, band in enumerate(bands, start=1):
                _text(mask, "Mask_File_List/MASK_FILE", file, band_id=band, bit_number=str(bit))


def _place(root: ET.Element, grids: Mapping[str, Grid]) -> None:
    first = next(iter(grids.values()))
    crs = pyproj.CRS.from_user_input(first.crs)
    system = "Geoposition_Informations/Coordinate_Reference_System/"
    flat = system + "Horizontal_Coordinate_System/"
    _text(root, system + "GEO_TABLES", "EPSG")
    _text(root, flat + "HORIZONTAL_CS_TYPE", "PROJECTED")
    _text(root, flat + "HORIZONTAL_CS_NAME", crs.name)
    _text(root, flat + "HORIZONTAL_CS_CODE", str(crs.to_epsg()))
    holder = _node(_node(root, "Geoposition_Informations"), "Geopositioning")
    groups = ET.SubElement(holder, "Group_Geopositioning_List")
    for group, grid in grids.items():
        place = ET.SubElement(groups, "Group_Geopositioning", group_id=group)
        left, _, _, top = grid.bounds
        values = {
            "ULX": left,
            "ULY": top,
            "XDIM": grid.resolution[0],
            "YDIM": -grid.resolution[1],
            "NROWS": grid.height,
            "NCOLS": grid.width,
        }
        for tag, value in values.items():
            ET.SubElement(place, tag).text = f"{value:.0f}"
