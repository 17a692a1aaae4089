"""Constants of the Theia format (MUSCATE), shared by all that read or write it."""

import re

REFLECTANCES = ("FRE", "SRE")
"""Reflectance corrected for slope effects (FRE), or not (SRE)."""

NODATA = -10000
"""Stored number of a pixel without measurement; the files often do not declare it."""

SCALE = 1e-4
"""Reflectance of one step of the stored numbers."""

DTYPES = ("int16", "uint16")
"""What bands are stored in: Theia's in int16, some of other makers in uint16."""

_IDENTITY = (
    r"(?P<identity>(?P<platform>SENTINEL2[A-Z])"
    r"_(?P<date>\d{8})-(?P<time>\d{6})-(?P<milliseconds>\d{3})_L2A_(?P<tile>T\d{2}[A-Z]{3}))"
)
_VERSION = r"_V(?P<version>\d+-\d+)"

PRODUCT_NAME = re.compile(rf"{_IDENTITY}_(?P<level>[A-Z]){_VERSION}", re.ASCII)
"""Name of a product's folder, and what the names of its files begin with."""

ARCHIVE_NAME = re.compile(rf"{_IDENTITY}_(?P<level>[A-Z])(?:{_VERSION})?", re.ASCII)
"""Name of a product's archive, less its ending; Theia's first archives lack the version."""

ARCHIVE_ENDING = ".zip"
"""Ending of an archive."""

METADATA = "MTD_ALL"
"""What the name of the metadata file ends with."""

FILE_NAME = re.compile(
    r"(?P<product>[^.].*)_(?:"
    r"(?P<image>(?:FRE|SRE)_B\d+A?|(?:CLM|EDG|SAT)_R[12])\.tif"
    rf"|(?P<metadata>{METADATA})\.xml)",
    re.ASCII,
)
"""Name of a file that is looked for: bands, masks of 10 m (R1) and 20 m (R2), metadata."""

MASK_FOLDER = "MASKS"
"""Folder of the masks, in the product's folder."""

OPTIONAL_MASKS = ("EDG", "SAT_R1", "SAT_R2")
"""Kinds of mask that a product may lack; clouds (CLM) it may not."""

# Checked against MASK_FILE/@bit_number (which counts from 1) in a product's MTD_ALL.xml.
SATURATION_BITS_10M = ("B02", "B03", "B04", "B08")
"""Bands of the bits of SAT_R1, lowest bit first."""

SATURATION_BITS_20M = ("B05", "B06", "B07", "B8A", "B11", "B12")
"""Bands of the bits of SAT_R2, lowest bit first."""
