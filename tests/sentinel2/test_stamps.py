"""Whether files are still what they were."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from fgunet.sentinel2.stamps import stamps
from tests.sentinel2.written_acquisitions import flags, write_acquisition


def test_local_files_have_size_and_time(tmp_path: Path) -> None:
    found = write_acquisition(tmp_path, {"B02": np.ones((4, 4), np.int16)}, {"CLM": flags(4)})
    band, mask = Path(found.bands["B02"]), Path(found.masks["CLM"])
    os.utime(band, ns=(1, 1234567890123456789))
    os.utime(mask, ns=(1, 42))
    assert stamps(found) == {
        str(band): [band.stat().st_size, 1234567890123456789],
        str(mask): [mask.stat().st_size, 42],
    }
    before = stamps(found)
    band.write_bytes(band.read_bytes() + b"\0")
    os.utime(band, ns=(1, 1234567890123456789))
    assert stamps(found) != before


def test_an_archive_stands_for_its_files_and_what_is_far_has_no_stamp(tmp_path: Path) -> None:
    archive = tmp_path / "product.zip"
    archive.write_bytes(b"12345")
    os.utime(archive, ns=(1, 7))
    found = write_acquisition(tmp_path, {"B02": np.ones((4, 4), np.int16)})
    bands = {
        "B02": f"/vsizip/{archive}/B2.tif",
        "B03": f"/vsizip/{archive}/B3.tif",
        "B04": "/vsicurl/https://somewhere.org/B4.tif",
        "B08": str(tmp_path / "gone.tif"),
    }
    assert stamps(replace(found, bands=bands)) == {str(archive): [5, 7]}
