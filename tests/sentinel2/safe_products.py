"""Small products of ESA (SAFE), written for tests: real JPEG 2000 files and metadata."""

import hashlib
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray

from fgunet.grid import Grid
from fgunet.sentinel2.bands import BANDS
from fgunet.sentinel2.safe_format import BAND_IDS

NAME = "S2A_MSIL2A_20210705T105031_N0500_R051_T31TCJ_20230121T134503"
GRANULE = "L2A_T31TCJ_A031522_20210705T105026"
STEM = "T31TCJ_20210705T105031"
SIZE = 12
"""Side of a product, in 10 m pixels."""

METADATA = """<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<n1:Level-2A_User_Product xmlns:n1="https://psd-{psd}.sentinel2.eo.esa.int/PSD/User_Product.xsd">
  <n1:General_Info>
    <Product_Info>
      <PRODUCT_START_TIME>2021-07-05T10:50:31.024Z</PRODUCT_START_TIME>
      <PRODUCT_URI>{name}.SAFE</PRODUCT_URI>
      <PROCESSING_LEVEL>Level-2A</PROCESSING_LEVEL>
      <PROCESSING_BASELINE>{baseline}</PROCESSING_BASELINE>
      <Datatake datatakeIdentifier="GS2A_20210705T105031_031522_N{baseline}">
        <SPACECRAFT_NAME>Sentinel-2{unit}</SPACECRAFT_NAME>
        <DATATAKE_SENSING_START>2021-07-05T10:50:31.024Z</DATATAKE_SENSING_START>
      </Datatake>
    </Product_Info>
    <Product_Image_Characteristics>
      <Special_Values>
        <SPECIAL_VALUE_TEXT>NODATA</SPECIAL_VALUE_TEXT>
        <SPECIAL_VALUE_INDEX>0</SPECIAL_VALUE_INDEX>
      </Special_Values>
      <Special_Values>
        <SPECIAL_VALUE_TEXT>SATURATED</SPECIAL_VALUE_TEXT>
        <SPECIAL_VALUE_INDEX>65535</SPECIAL_VALUE_INDEX>
      </Special_Values>
      <QUANTIFICATION_VALUES_LIST>
        <BOA_QUANTIFICATION_VALUE unit="none">10000</BOA_QUANTIFICATION_VALUE>
        <AOT_QUANTIFICATION_VALUE unit="none">1000.0</AOT_QUANTIFICATION_VALUE>
      </QUANTIFICATION_VALUES_LIST>
{offsets}
    </Product_Image_Characteristics>
  </n1:General_Info>
</n1:Level-2A_User_Product>
"""


def metadata_of(name: str = NAME, offset: int | None = -1000, psd: int = 14) -> str:
    """MTD_MSIL2A.xml of a product of this name, with one offset for all bands or none."""
    baseline = name.split("_")[3]
    rows = [
        f'        <BOA_ADD_OFFSET band_id="{number}">{offset}</BOA_ADD_OFFSET>'
        for number in range(len(BAND_IDS))
    ]
    block = ["      <BOA_ADD_OFFSET_VALUES_LIST>", *rows, "      </BOA_ADD_OFFSET_VALUES_LIST>"]
    return METADATA.format(
        name=name,
        baseline=f"{baseline[1:3]}.{baseline[3:]}",
        unit=name[2],
        psd=psd,
        offsets="" if offset is None else "\n".join(block),
    )


def write_jp2(path: Path, values: NDArray[Any], resolution: float, crs: str = "EPSG:32631") -> None:
    """Write a lossless JPEG 2000 file (y, x) with the corner of all products of these tests."""
    transform = (resolution, 0.0, 600000.0, 0.0, -resolution, 5e6)
    grid = Grid(crs, transform, *values.shape)
    path.parent.mkdir(parents=True, exist_ok=True)
    profile = {"driver": "JP2OpenJPEG", "QUALITY": 100, "REVERSIBLE": "YES", "count": 1,
               "dtype": values.dtype.name, "crs": grid.crs, "transform": grid.affine,
               "height": grid.height, "width": grid.width}  # fmt: skip
    with rasterio.open(path, "w", **profile) as dataset:
        dataset.write(values, 1)


def write_safe(
    folder: Path,
    name: str = NAME,
    *,
    names: tuple[str, ...] = ("B02", "B04", "B11"),
    bands: Mapping[str, NDArray[np.uint16]] | None = None,
    value: int = 3000,
    scl: NDArray[np.uint8] | None = None,
    offset: int | None = -1000,
    edit: Callable[[str], str] = lambda xml: xml,
    granule: str = GRANULE,
    stem: str = STEM,
) -> Path:
    """Write a product folder; `bands` and `scl` replace what stands in single files.

    `edit` changes the metadata before it is written.
    """
    product = folder / f"{name}.SAFE"
    images = product / "GRANULE" / granule / "IMG_DATA"
    for band in names:
        resolution = BANDS[band].resolution_m
        shape = (SIZE * 10 // resolution,) * 2
        values = (bands or {}).get(band, np.full(shape, value, np.uint16))
        write_jp2(
            images / f"R{resolution}m" / f"{stem}_{band}_{resolution}m.jp2", values, resolution
        )
    classes = np.full((SIZE // 2,) * 2, 4, np.uint8) if scl is None else scl
    write_jp2(images / "R20m" / f"{stem}_SCL_20m.jp2", classes, 20)
    (product / "MTD_MSIL2A.xml").write_text(edit(metadata_of(name, offset)), encoding="utf-8")
    return product


MANIFEST = """<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<xfdu:XFDU xmlns:xfdu="urn:ccsds:schema:xfdu:1" xmlns:gml="http://www.opengis.net/gml">
  <dataObjectSection>
{files}
  </dataObjectSection>
</xfdu:XFDU>
"""

LISTED = """    <dataObject ID="Data_{number}">
      <byteStream mimeType="application/octet-stream" size="{size}">
        <fileLocation href="./{place}" locatorType="URL"/>
        <checksum checksumName="{name}">{checksum}</checksum>
      </byteStream>
    </dataObject>"""


def write_manifest(product: Path, name: str = "MD5", algorithm: str = "md5") -> Path:
    """Write the manifest of a product's folder as it lies there, by one kind of checksum."""
    files = [
        LISTED.format(
            number=number,
            size=file.stat().st_size,
            place=file.relative_to(product).as_posix(),
            name=name,
            checksum=hashlib.new(algorithm, file.read_bytes()).hexdigest(),
        )
        for number, file in enumerate(sorted(product.rglob("*.jp2")))
    ]
    path = product / "manifest.safe"
    path.write_text(MANIFEST.format(files="\n".join(files)), encoding="utf-8")
    return path


def pack(product: Path, ending: str = ".zip", compression: int = zipfile.ZIP_DEFLATED) -> Path:
    """Pack a product's folder beside it, as ESA delivers it, and give the archive."""
    archive = product.with_name(product.name.removesuffix(".SAFE") + ending)
    with zipfile.ZipFile(archive, "w", compression) as packed:
        for file in sorted(path for path in product.rglob("*") if path.is_file()):
            packed.write(file, file.relative_to(product.parent))
    return archive
