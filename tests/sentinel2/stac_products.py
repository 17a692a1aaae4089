"""Small STAC items with files, in the dialects of the services, written for tests."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rasterio

from fgunet.sentinel2.bands import BANDS

SIZE = 12
"""Side of an item's ground, in 10 m pixels."""
LEFT, TOP = 574680.0, 5622440.0
COG = "image/tiff; application=geotiff; profile=cloud-optimized"
EARTH_SEARCH_KEYS = {
    "B02": "blue",
    "B03": "green",
    "B04": "red",
    "B05": "rededge1",
    "B06": "rededge2",
    "B07": "rededge3",
    "B08": "nir",
    "B8A": "nir08",
    "B11": "swir16",
    "B12": "swir22",
}

Content = dict[str, Any]


def write_tif(
    path: Path, value: int, resolution: int = 10, *, nodata: int | None = None, epsg: int = 32631
) -> Path:
    """Write one value everywhere, uint16."""
    side = SIZE * 10 // resolution
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=side,
        height=side,
        count=1,
        dtype="uint16",
        crs=f"EPSG:{epsg}",
        transform=rasterio.Affine(resolution, 0, LEFT, 0, -resolution, TOP),
        nodata=nodata,
    ) as dataset:
        dataset.write(np.full((1, side, side), value, "uint16"))
    return path


def plain_item(
    folder: Path,
    item_id: str = "S2A_MSIL2A_20180804T105022_N0208_R051_T31UES_20180804T140000",
    *,
    time: str = "2018-08-04T10:50:22.457Z",
    bands: Sequence[str] = ("B02", "B11"),
    tile: str = "31UES",
    nodata: int | None = None,
) -> Content:
    """An item with keys like "B02", full raster:bands, and files in `folder`/<id>."""
    item = bare_item(item_id, time)
    item["properties"] |= {"platform": "sentinel-2a", "grid:code": f"MGRS-{tile}"}
    for number, band in enumerate(bands):
        metres = BANDS[band].resolution_m
        write_tif(folder / item_id / f"{band}.tif", 1000 + number, metres, nodata=nodata)
        item["assets"][band] = {
            "href": f"./{band}.tif",
            "type": COG,
            "gsd": metres,
            "raster:bands": [{"nodata": 0, "scale": 0.0001, "offset": 0}],
        }
    write_tif(folder / item_id / "SCL.tif", 4, 20)
    item["assets"]["SCL"] = {"href": "./SCL.tif", "type": COG, "gsd": 20}
    return item


def earth_search_item(folder: Path, *, applied: bool, offset: float = -0.1) -> Content:
    """As Earth Search v1 writes it: keys are common names, JPEG 2000 copies, offset applied."""
    item = bare_item("S2B_31UES_20220804_1_L2A", "2022-08-04T10:56:21.123000Z")
    item["properties"] |= {
        "platform": "sentinel-2b",
        "constellation": "sentinel-2",
        "grid:code": "MGRS-31UES",
        "mgrs:utm_zone": 31,
        "mgrs:latitude_band": "U",
        "mgrs:grid_square": "ES",
        "s2:processing_baseline": "04.00",
        "s2:generation_time": "2022-08-04T14:28:31.000000Z",
        "earthsearch:boa_offset_applied": applied,
        "proj:epsg": 32631,
    }
    for band, key in EARTH_SEARCH_KEYS.items():
        metres = BANDS[band].resolution_m
        about = {
            "eo:bands": [{"name": key, "common_name": key.rstrip("123") if "edge" in key else key}],
            "raster:bands": [
                {"nodata": 0, "spatial_resolution": metres, "scale": 0.0001, "offset": offset}
            ],
            "roles": ["data", "reflectance"],
        }
        item["assets"][f"{key}-jp2"] = {"href": f"./{band}.jp2", "type": "image/jp2", **about}
        item["assets"][key] = {"href": f"./{band}.tif", "type": COG, **about}
        write_tif(folder / item["id"] / f"{band}.tif", 1000, metres)
    names = [{"name": name} for name in ("red", "green", "blue")]
    item["assets"]["visual"] = {"href": "./TCI.tif", "type": COG, "eo:bands": names}
    item["assets"]["nir09"] = {"href": "./B09.tif", "type": COG, "eo:bands": [{"name": "nir09"}]}
    item["assets"]["scl"] = {"href": "./SCL.tif", "type": COG, "raster:bands": [{"nodata": 0}]}
    item["assets"]["scl-jp2"] = {"href": "./SCL.jp2", "type": "image/jp2"}
    write_tif(folder / item["id"] / "SCL.tif", 4, 20)
    return item


def planetary_item(folder: Path, baseline: object = "05.09") -> Content:
    """As the Planetary Computer writes it: keys are band names, nothing of the raster extension."""
    item = bare_item(
        "S2A_MSIL2A_20220804T105022_R051_T31UES_20240615T140000", "2022-08-04T10:50:22.457000Z"
    )
    item["properties"] |= {"platform": "Sentinel-2A", "s2:mgrs_tile": "31UES"}
    if baseline is not None:
        item["properties"]["s2:processing_baseline"] = baseline
    for band, about in BANDS.items():
        common = "rededge" if band in ("B05", "B06", "B07", "B8A") else "x"
        item["assets"][band] = {
            "href": f"./{band}.tif",
            "type": COG,
            "gsd": float(about.resolution_m),
            "eo:bands": [{"name": band, "common_name": common}],
        }
        write_tif(folder / item["id"] / f"{band}.tif", 2000, about.resolution_m)
    item["assets"]["preview"] = {"href": "./preview.png", "type": "image/png"}
    item["assets"]["SCL"] = {"href": "./SCL.tif", "type": COG, "gsd": 20.0}
    write_tif(folder / item["id"] / "SCL.tif", 4, 20)
    return item


def copernicus_item(folder: Path) -> Content:
    """As the Copernicus Data Space writes it: STAC 1.1, a copy of each band for each resolution."""
    item = bare_item(
        "S2A_MSIL2A_20220804T105022_N0510_R051_T31UES_20240615T140000",
        "2022-08-04T10:50:22.457000Z",
        version="1.1.0",
    )
    item["properties"] |= {
        "platform": "sentinel-2a",
        "grid:code": "MGRS-31UES",
        "product:type": "S2MSI2A",
        "processing:version": "05.10",
        "proj:code": "EPSG:32631",
    }
    for band, about in BANDS.items():
        for metres in (60, 20, 10):
            if metres >= about.resolution_m:
                key = f"{band}_{metres}m"
                item["assets"][key] = {
                    "href": f"./{key}.jp2",
                    "type": "image/jp2",
                    "gsd": about.resolution_m,
                    "bands": [{"name": band, "eo:common_name": "x"}],
                    "nodata": 0,
                    "raster:scale": 0.0001,
                    "raster:offset": -0.1,
                    "proj:shape": [SIZE * 10 // metres] * 2,
                    "proj:transform": [metres, 0, LEFT, 0, -metres, TOP, 0, 0, 1],
                }
                write_tif(folder / item["id"] / f"{key}.jp2", 2000 + metres, metres)
    names = [{"name": name} for name in ("B04", "B03", "B02")]
    item["assets"]["TCI_10m"] = {"href": "./TCI.jp2", "type": "image/jp2", "bands": names}
    for metres in (60, 20):
        key = f"SCL_{metres}m"
        item["assets"][key] = {"href": f"./{key}.jp2", "type": "image/jp2", "gsd": 20}
        write_tif(folder / item["id"] / f"{key}.jp2", 4, metres)
    return item


def bare_item(item_id: str, time: str, version: str = "1.0.0") -> Content:
    """An item without assets, on the ground of T31UES."""
    ring = [[4.05, 50.74], [4.07, 50.74], [4.07, 50.75], [4.05, 50.75], [4.05, 50.74]]
    return {
        "type": "Feature",
        "stac_version": version,
        "id": item_id,
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "bbox": [4.05, 50.74, 4.07, 50.75],
        "properties": {"datetime": time},
        "links": [],
        "assets": {},
    }


def save_item(folder: Path, item: Mapping[str, Any]) -> Path:
    """Write an item beside its files."""
    path = folder / item["id"] / f"{item['id']}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(item))
    return path


def save_catalogue(path: Path, items: Sequence[Path | str], children: Sequence[str] = ()) -> Path:
    """Write a catalogue that links to item files (as they stand) and to child catalogues."""
    links = [{"rel": "item", "href": str(item)} for item in items]
    links += [{"rel": "child", "href": child} for child in children]
    content = {
        "type": "Catalog",
        "stac_version": "1.0.0",
        "id": path.parent.name,
        "description": "for tests",
        "links": links,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path
