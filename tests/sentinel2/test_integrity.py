"""Files that are not whole are found before any work is done with them."""

import os
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio

from fgunet.errors import ProductError
from fgunet.sentinel2.acquisition import Acquisition
from fgunet.sentinel2.integrity import require_whole
from tests.sentinel2.written_acquisitions import flags, write_acquisition

pytestmark = pytest.mark.filterwarnings("ignore:Dataset has no geotransform")

SIDE = 256
LAYOUTS = {
    "tiled deflate": {"driver": "GTiff", "tiled": True, "blockxsize": 64, "blockysize": 64,
                      "compress": "deflate"},
    "striped LZW": {"driver": "GTiff", "blockysize": 16, "compress": "lzw"},
    "one strip, not packed": {"driver": "GTiff", "blockysize": SIDE},
    "strips, not packed": {"driver": "GTiff"},
    "tiled, not packed": {"driver": "GTiff", "tiled": True, "blockxsize": 64, "blockysize": 64},
    "cloud optimized": {"driver": "COG", "blocksize": 128},
    "tiled JPEG 2000": {"driver": "JP2OpenJPEG", "blockxsize": 64, "blockysize": 64,
                        "QUALITY": 100, "REVERSIBLE": "YES"},
    "JPEG 2000 of one tile": {"driver": "JP2OpenJPEG", "QUALITY": 100, "REVERSIBLE": "YES"},
}  # fmt: skip
CUTS = [0.02, 0.3, 0.6, 0.9, 0.99, -20, -5]
"""Where a file ends: a share of it, or so many bytes before its end (a block of a cloud optimized
GeoTIFF is followed by four bytes that say nothing new)."""


def write_image(path: Path, layout: str) -> None:
    """Noise, so that each block has as much to pack as any other."""
    values = np.random.default_rng(0).integers(0, 9000, (1, SIDE, SIDE)).astype(np.uint16)
    with rasterio.open(
        path,
        "w",
        width=SIDE,
        height=SIDE,
        count=1,
        dtype="uint16",
        crs="EPSG:32631",
        transform=rasterio.Affine(10, 0, 600000, 0, -10, 5e6),
        **LAYOUTS[layout],
    ) as dataset:
        dataset.write(values)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("images")
    for layout in LAYOUTS:
        write_image(folder / layout, layout)
    return folder


def acquisition_with(folder: Path, band: str) -> Acquisition:
    """One whole band and mask, and B03 from the path given."""
    whole = write_acquisition(folder, {"B02": np.ones((4, 4), np.int16)}, {"CLM": flags(4)})
    return replace(whole, bands={**whole.bands, "B03": band})


def cut(path: Path, where: float) -> None:
    size = path.stat().st_size
    os.truncate(path, int(size * where if where > 0 else size + where))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_whole_files_pass(tmp_path: Path, images: Path, layout: str) -> None:
    require_whole(acquisition_with(tmp_path, str(images / layout)))


@pytest.mark.parametrize("where", CUTS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_file_that_was_cut_short_is_named(
    tmp_path: Path, images: Path, layout: str, where: float
) -> None:
    path = tmp_path / "cut"
    shutil.copy(images / layout, path)
    cut(path, where)
    with pytest.raises(ProductError, match=rf"^{path} cannot be read \(.*download the product"):
        require_whole(acquisition_with(tmp_path, str(path)))


def test_masks_are_looked_at_too(tmp_path: Path) -> None:
    found = acquisition_with(tmp_path, str(tmp_path / "product/B02.tif"))
    require_whole(found)
    cut(Path(found.masks["CLM"]), -2)
    with pytest.raises(ProductError, match=r"CLM\.tif cannot be read"):
        require_whole(found)


@pytest.mark.parametrize("size", [(4, 4), (4, 300), (300, 4), (129, 257)])
def test_the_last_block_may_be_cut_at_the_edge(tmp_path: Path, size: tuple[int, int]) -> None:
    require_whole(write_acquisition(tmp_path, {"B02": np.ones(size, np.int16)}))


@pytest.mark.parametrize("where", [0.5, 0.9, -30])
@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("layout", ["tiled deflate", "one strip, not packed", "tiled JPEG 2000"])
def test_files_in_archives(
    tmp_path: Path, images: Path, layout: str, compression: int, where: float
) -> None:
    archive = tmp_path / "product.zip"
    with zipfile.ZipFile(archive, "w", compression) as packed:
        packed.write(images / layout, "image.tif")
    shutil.copy(archive, tmp_path / "cut.zip")
    require_whole(acquisition_with(tmp_path, f"/vsizip/{archive}/image.tif"))
    cut(tmp_path / "cut.zip", where)
    with pytest.raises(ProductError, match=r"cut\.zip/image\.tif cannot be read"):
        require_whole(acquisition_with(tmp_path, f"/vsizip/{tmp_path}/cut.zip/image.tif"))


# GDAL gives noise for what lies beyond the end of this one; it fails where it is unpacked.
@pytest.mark.parametrize("layout", [name for name in LAYOUTS if name != "one strip, not packed"])
def test_a_file_cut_before_it_was_packed(tmp_path: Path, images: Path, layout: str) -> None:
    """The archive is whole, the file in it is not."""
    path, archive = tmp_path / "cut", tmp_path / "product.zip"
    shutil.copy(images / layout, path)
    cut(path, 0.7)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.write(path, "image")
    with pytest.raises(ProductError, match=r"product\.zip/image cannot be read"):
        require_whole(acquisition_with(tmp_path, f"/vsizip/{archive}/image"))


# Files that are whole, and would fail when their blocks are read


@pytest.mark.parametrize(
    "dtype", ["float32", "float64", "complex64", "int8", "int32", "uint32", "int64"]
)
def test_numbers_of_another_type_are_no_reflectance(tmp_path: Path, dtype: str) -> None:
    found = write_acquisition(tmp_path, {"B02": np.ones((4, 4), dtype)})
    with pytest.raises(ProductError, match=rf"B02\.tif holds numbers of type {dtype}; reflectance"):
        require_whole(found)


@pytest.mark.parametrize("what", ["B02", "CLM"])
def test_a_file_of_several_bands_is_refused(tmp_path: Path, what: str) -> None:
    found = acquisition_with(tmp_path, str(tmp_path / "product/B02.tif"))
    path = found.bands.get(what) or found.masks[what]
    with rasterio.open(path) as dataset:
        profile, values = dataset.profile, dataset.read(1)
    with rasterio.open(path, "w", **profile | {"count": 2}) as dataset:
        dataset.write(np.stack([values, values]))
    with pytest.raises(
        ProductError, match=rf"{what}\.tif has 2 bands; a file of a product has one"
    ):
        require_whole(found)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_what_could_not_be_unpacked_is_refused(
    tmp_path: Path, images: Path, compression: int
) -> None:
    """GDAL reads it all the same."""
    archive = tmp_path / "product.zip"
    with zipfile.ZipFile(archive, "w", compression) as packed:
        packed.write(images / "tiled deflate", "image.tif")
    found = acquisition_with(tmp_path, f"/vsizip/{archive}/image.tif")
    require_whole(replace(found, grid=replace(found.grid, height=SIDE, width=SIDE)))
    content = bytearray(archive.read_bytes())
    content[content.find(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(content)
    with pytest.raises(ProductError, match=r"image\.tif in .*product\.zip is encrypted; unpack"):
        require_whole(found)
