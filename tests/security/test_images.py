"""Files that are called images, and are something else to GDAL."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import rasterio

from fgunet.errors import ProductError
from fgunet.grid import Grid
from fgunet.rasters import write_raster
from fgunet.sentinel2.acquisition import Request
from fgunet.sentinel2.images import open_image
from fgunet.sentinel2.theia import read_product

NAME = "SENTINEL2A_20180105-105432-457_L2A_T31TCJ_C_V2-2"
GRID = Grid("EPSG:32631", (10.0, 0.0, 600000.0, 0.0, -10.0, 5e6), 12, 12)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A port of this machine, to see whether anyone asks for something there."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


def disguises(secret: Path, address: str) -> dict[str, str]:
    band = f"<SimpleSource><SourceFilename>{secret}</SourceFilename></SimpleSource>"
    function = (
        "<PixelFunctionType>f</PixelFunctionType><PixelFunctionLanguage>Python"
        "</PixelFunctionLanguage><PixelFunctionCode>def f(*a): open('pwned', 'w')"
        "</PixelFunctionCode>"
    )

    def vrt(inner: str, kind: str = "") -> str:
        return (
            '<VRTDataset rasterXSize="12" rasterYSize="12"><SRS>EPSG:32631</SRS><GeoTransform>'
            f'600000, 10, 0, 5000000, 0, -10</GeoTransform><VRTRasterBand dataType="Int16" '
            f'band="1"{kind}>{inner}</VRTRasterBand></VRTDataset>'
        )

    return {
        "another file": vrt(band),
        "an address": vrt(band.replace(str(secret), f"/vsicurl/{address}/x.tif")),
        "a program": vrt(function + band, ' subClass="VRTDerivedRasterBand"'),
        "a map server": f'<GDAL_WMS><Service name="TMS"><ServerUrl>{address}/${{z}}</ServerUrl>'
        "</Service></GDAL_WMS>",
        "a tiled service": json.dumps({"capabilities": "Map", "tilejson": "2.0", "url": address}),
    }


@pytest.mark.parametrize("kind", list(disguises(Path(), "")))
def test_a_band_that_stands_for_something_else_is_refused(
    tmp_path: Path, listener: socket.socket, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GDAL_VRT_ENABLE_PYTHON", "YES")
    monkeypatch.setenv("GDAL_HTTP_TIMEOUT", "2")
    secret = tmp_path / "secret.tif"
    write_raster(secret, np.full((12, 12), 77, np.int16), GRID, None)
    address = "http://{}:{}".format(*listener.getsockname())
    product = tmp_path / NAME
    product.mkdir()
    band = product / f"{NAME}_FRE_B2.tif"
    band.write_text(disguises(secret, address)[kind])
    with pytest.raises(ProductError, match=r"FRE_B2\.tif cannot be read .*take it away"):
        read_product(product, Request(("B02",), ()))
    with pytest.raises(BlockingIOError):
        listener.accept()
    assert not (tmp_path / "pwned").exists()


def test_gdal_itself_would_follow(tmp_path: Path) -> None:
    """What is refused above is real: GDAL left alone shows the other file's pixels."""
    secret = tmp_path / "secret.tif"
    write_raster(secret, np.full((12, 12), 77, np.int16), GRID, None)
    band = tmp_path / "B2.tif"
    band.write_text(disguises(secret, "")["another file"])
    with rasterio.open(band) as dataset:
        assert (dataset.read(1) == 77).all()
    with pytest.raises(rasterio.errors.RasterioIOError):
        open_image(str(band))
