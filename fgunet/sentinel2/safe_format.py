"""Constants of ESA's level 2A format (SAFE, made by sen2cor), shared by all that read or write it.

Format: Sentinel-2 Products Specification Document (S2-PDGS-TAS-DI-PSD), and
https://sentiwiki.copernicus.eu/web/s2-products
"""

import re

PRODUCT_NAME = re.compile(
    r"S2(?P<unit>[A-Z])_MSIL2A_(?P<date>\d{8})T\d{6}_N(?P<baseline>\d{4})_R\d{3}"
    r"_(?P<tile>T\d{2}[A-Z]{3})_(?P<made>\d{8}T\d{6})"
)
"""Name of a product, without ".SAFE"; its first time is the start of the datatake."""

FOLDER_ENDING = ".SAFE"
"""What a product's folder adds to the name."""

ARCHIVE_ENDINGS = (".SAFE.zip", ".zip")
"""What a packed product adds to the name."""

METADATA_FILE = "MTD_MSIL2A.xml"
"""Metadata of a product, in its folder."""

MANIFEST_FILE = "manifest.safe"
"""What a product consists of, with the size and a checksum of each file; beside the metadata."""

IMAGES_FOLDER = "GRANULE"
"""Folder beside both; an image in it is GRANULE/<granule>/IMG_DATA/R10m/<image>.jp2."""

GRANULE_NAME = re.compile(r"L2A_(?P<tile>T\d{2}[A-Z]{3})_A\d{6}_(?P<start>\d{8}T\d{6})")
"""Folder of the one granule; its time is the start of the datastrip."""

IMAGE_NAME = re.compile(
    r"(?:L2A_)?(?P<tile>T\d{2}[A-Z]{3})_(?P<date>\d{8})T(?P<time>\d{6})"
    r"_(?P<layer>[A-Z0-9]{3})_(?P<resolution>\d{2})m\.jp2"
)
"""Name of an image; products of 2017 begin it with "L2A_"."""

CLASSIFICATION, CLASSIFICATION_RESOLUTION = "SCL", 20
"""Layer that tells clouds, shadows, snow, ..., and its finest pixel size in metres."""

BAND_IDS = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B10", "B11",
            "B12")  # fmt: skip
"""Bands by the numbers that the metadata gives them."""

NODATA = 0
"""Stored number of a pixel without measurement."""

DTYPES = ("uint16",)
"""What bands are stored in."""

QUANTIFICATION = 10000
"""Stored numbers of reflectance 1, in all products."""

LEVELS = ("Level-2A", "Level-2Ap")
"""What the metadata calls the level; the pilot products of 2017 and 2018 have the "p"."""

FIRST_BASELINE_WITH_OFFSET = "04.00"
"""From this processing baseline on an offset, -1000 so far, is added to the stored numbers."""

TOOLBOX_BASELINE = "99.99"
"""What sen2cor writes where a user runs it; the offset, if any, is that of the level 1C product."""
