"""Images of ESA's products are held against the checksums of their manifests."""

import logging
import os
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from fgunet.errors import ProductError
from fgunet.files import write_json
from fgunet.grid import Window
from fgunet.sentinel2.acquisition import Acquisition, Request
from fgunet.sentinel2.integrity import require_checksums, require_whole
from fgunet.sentinel2.manifest import listed_images
from fgunet.sentinel2.masks import REASONS, Masking
from fgunet.sentinel2.reading import read_block
from fgunet.sentinel2.safe import read_product
from tests.sentinel2.safe_products import MANIFEST, NAME, pack, write_manifest, write_safe

SIDE = 256
NOISE = np.random.default_rng(0).integers(1500, 5000, (SIDE, SIDE)).astype(np.uint16)
REQUEST = Request(("B02",), ("cloud", "nodata"))
MASKING = Masking(("cloud", "nodata"))
WHOLE = Window(0, 0, SIDE, SIDE)


@pytest.fixture
def product(tmp_path: Path) -> Path:
    """One band and the classification, without a manifest."""
    scl = np.full((SIDE // 2,) * 2, 4, np.uint8)
    return write_safe(tmp_path / "in", names=("B02",), bands={"B02": NOISE}, scl=scl)


def band(product: Path) -> Path:
    [path] = product.rglob("*_B02_10m.jp2")
    return path


def damage(file: Path, start: int = 0, size: int | None = None) -> None:
    """Write zeros over 2 % of a file or of a part of it, as a hole in a copy leaves them."""
    size = size or file.stat().st_size
    with file.open("r+b") as image:
        image.seek(start + size // 2)
        image.write(bytes(size // 50))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "algorithm"),
    [
        ("MD5", "md5"),
        ("md5", "md5"),
        ("SHA-1", "sha1"),
        ("SHA-256", "sha256"),
        ("SHA3-256", "sha3_256"),
        ("sha3_256", "sha3_256"),
    ],
)
def test_what_no_decoder_notices_is_found(product: Path, name: str, algorithm: str) -> None:
    manifest = write_manifest(product, name, algorithm)
    found = read_product(product, REQUEST)
    require_whole(found)
    require_checksums([found])
    before, _ = read_block(found, ("B02",), MASKING, WHOLE)
    damage(band(product))
    require_whole(found)
    after, valid = read_block(found, ("B02",), MASKING, WHOLE)
    assert (before != after)[0, valid].mean() > 0.01
    kind = algorithm.upper().replace("_", "-")
    message = (
        rf"^{band(product)} has the {kind} checksum [0-9a-f]{{12}}\.\.\., but {manifest} states "
        r"'[0-9a-f]{12}'\.\.\.: it was damaged or changed. Download the product again"
    )
    with pytest.raises(ProductError, match=message):
        require_checksums([found])


def test_capitals_are_the_same_checksum(product: Path) -> None:
    manifest = write_manifest(product)
    digests = re.findall(r">([0-9a-f]{32})<", manifest.read_text("utf-8"))
    assert len(digests) == 2
    for digest in digests:
        edit(manifest, digest, f"\n {digest.upper()} ")
    require_checksums([read_product(product, REQUEST)])


def test_masks_are_held_against_theirs(product: Path) -> None:
    write_manifest(product)
    found = read_product(product, REQUEST)
    with Path(found.masks["SCL"]).open("r+b") as image:
        image.seek(-3, os.SEEK_END)
        image.write(b"\1")
    with pytest.raises(ProductError, match=r"SCL_20m\.jp2 has the MD5 checksum"):
        require_checksums([found])


def test_another_size_is_found_before_any_work(product: Path) -> None:
    manifest = write_manifest(product)
    size = band(product).stat().st_size
    with band(product).open("ab") as image:
        image.write(b"\0")
    found = read_product(product, REQUEST)
    message = rf"B02_10m\.jp2 has {size + 1} bytes, but {manifest} states {size}: it was cut short"
    with pytest.raises(ProductError, match=message):
        require_whole(found)
    with pytest.raises(ProductError, match=message):
        require_checksums([found])


def unknown(path: Path) -> None:
    edit(path, 'checksumName="MD5"', 'checksumName="BLAKE3"')


def unlisted(path: Path) -> None:
    edit(path, "./GRANULE/", "/dpc/app/exec/GRANULE/")


def empty(path: Path) -> None:
    path.write_text(MANIFEST.format(files=""), encoding="utf-8")


def without_values(path: Path) -> None:
    text = re.sub(r"<checksum.*?</checksum>", "<checksum/>", path.read_text("utf-8"))
    path.write_text(re.sub(r'size="\d+"', 'size="many"', text), encoding="utf-8")


@pytest.mark.parametrize("change", [unknown, unlisted, empty, without_values, Path.unlink])
def test_a_manifest_that_says_nothing_of_an_image_is_no_error(
    product: Path, caplog: pytest.LogCaptureFixture, change: Callable[[Path], None]
) -> None:
    change(write_manifest(product))
    damage(band(product))
    found = read_product(product, REQUEST)
    require_whole(found)
    with caplog.at_level(logging.INFO):
        require_checksums([found, found])
    [line] = caplog.messages
    assert line.startswith("0 of 4 images outside of archives have the checksum")


def no_xml(path: Path) -> None:
    path.write_text(path.read_text("utf-8")[:300], encoding="utf-8")


def with_entities(path: Path) -> None:
    edit(path, "<xfdu:XFDU", '<!DOCTYPE x [<!ENTITY e "e">]><xfdu:XFDU')


def too_large(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b" " * (1 << 23))


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (no_xml, r"manifest\.safe is not XML"),
        (with_entities, r"manifest\.safe is not XML \(it has a document type declaration"),
        (too_large, r"manifest\.safe in .* has more than 8388608 bytes"),
        (folder, r"manifest\.safe in .* cannot be read"),
    ],
)
def test_a_manifest_that_cannot_be_read_is_named(
    product: Path, change: Callable[[Path], None], message: str
) -> None:
    change(write_manifest(product))
    found = read_product(product, REQUEST)
    for check in (require_whole, lambda one: require_checksums([one])):
        with pytest.raises(ProductError, match=rf"{message}.*download the product again"):
            check(found)


def test_a_pipe_in_the_place_of_an_image_is_not_waited_for(product: Path) -> None:
    manifest = write_manifest(product)
    found = read_product(product, REQUEST)
    edit(manifest, f'size="{band(product).stat().st_size}"', "")
    path = band(product)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(ProductError, match=r"B02_10m\.jp2 cannot be read \(it is no plain file"):
        require_checksums([found])


def test_images_that_are_gone_are_named(product: Path) -> None:
    write_manifest(product)
    found = read_product(product, REQUEST)
    band(product).unlink()
    with pytest.raises(ProductError, match=r"B02_10m\.jp2 cannot be read .*No such file"):
        require_checksums([found])


def test_archives_need_no_manifest(product: Path) -> None:
    """Their own checksums are enough, even where the manifest would say otherwise."""
    edit(write_manifest(product), 'size="', 'size="1')
    found = read_product(pack(product), REQUEST)
    require_whole(found)
    assert listed_images(found) == {}
    require_checksums([found])


def test_a_real_manifest(shared_data: Path) -> None:
    """Its images are smaller than those of which it tells."""
    [top] = (shared_data / "safe_T22HBD").glob("*.SAFE")
    images = top / "GRANULE/L2A_T22HBD_A020270_20210122T133224/IMG_DATA"
    names = {"B02": "R10m/T22HBD_20210122T133229_B02_10m.jp2",
             "SCL": "R20m/T22HBD_20210122T133229_SCL_20m.jp2"}  # fmt: skip
    found = acquisition_of({name: str(images / place) for name, place in names.items()})
    listed = listed_images(found)
    about = [(one.size, one.algorithm, one.checksum) for one in listed.values()]
    assert about == [
        (122450216, "md5", "b93492859514eaba279c5de8c43291af"),
        (206337, "md5", "32eba16197ddbae2dfc4a3219bfcabbe"),
    ]
    with pytest.raises(ProductError, match=r"B02_10m\.jp2 has 7290 bytes, but .* states 122450216"):
        require_checksums([found])


def acquisition_of(bands: dict[str, str]) -> Acquisition:
    """Images that lie where they lie; nothing else of it is looked at."""
    grid = {"crs": "EPSG:32722", "transform": [10, 0, 0, 0, -10, 0], "height": 1, "width": 1}
    about = {"product": NAME, "family": "safe", "tile": "T22HBD", "time": "2021-01-22T13:32:24"}
    return Acquisition.from_dict(
        {**about, "platform": "SENTINEL2B", "version": "", "baseline": "", "grid": grid,
         "bands": bands, "masks": {}, "scale": 1e-4, "offset": 0.0, "nodata": 0,
         "nodata_declared": True}
    )  # fmt: skip


# The job that makes a series


def stack(script: ModuleType, folder: Path, acquisition: Acquisition) -> Path:
    listing = {
        "tile": "T31TCJ",
        "grid": acquisition.grid.to_dict(),
        "kept": [acquisition.to_dict()],
        "masks": {reason: reason in MASKING.reasons for reason in REASONS} | {"dilation_m": 0},
    }
    write_json(folder / "acquisitions.json", listing)
    series = folder / "T31TCJ.zarr"
    script.main(
        tile="T31TCJ",
        path_to_acquisitions=str(folder / "acquisitions.json"),
        bands=("B02",),
        dates=("20210705", "20210715"),
        max_gap_days=60,
        threads=1,
        memory_mb=2000,
        path_to_series=str(series),
    )
    return series


@pytest.mark.parametrize("packed", [False, True])
def test_a_series_is_not_made_of_damaged_images(
    product: Path, tmp_path: Path, load_script: Callable[[str], ModuleType], packed: bool
) -> None:
    write_manifest(product)
    path = pack(product, compression=zipfile.ZIP_STORED) if packed else product
    found = read_product(path, REQUEST)
    script = load_script("stack_series")
    assert stack(script, tmp_path, found).is_dir()
    if packed:
        with zipfile.ZipFile(path) as archive:
            [member] = [one for one in archive.infolist() if "_B02_" in one.filename]
        damage(path, member.header_offset + 30 + len(member.filename), member.file_size)
    else:
        damage(band(product))
    require_whole(found)
    (tmp_path / "again").mkdir()
    cause = r"Bad CRC-32" if packed else r"has the MD5 checksum"
    with pytest.raises(ProductError, match=rf"B02_10m\.jp2.*{cause}"):
        stack(script, tmp_path / "again", found)
    assert not (tmp_path / "again" / "T31TCJ.zarr").exists()
