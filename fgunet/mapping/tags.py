"""What a map says of itself in its tags."""

from collections.abc import Sequence

from fgunet.nomenclature import Nomenclature


def class_tags(nomenclature: Nomenclature) -> dict[str, str]:
    """Name of the nomenclature and of each class, as tags of a raster.

    GDAL keeps the attribute table in a file beside the raster, which gets lost; tags lie inside.
    """
    names = {f"CLASS_{code}": name for code, name in nomenclature.names.items()}
    return {"nomenclature": nomenclature.name, **names}


def map_tags(
    *,
    tile: str,
    method: str,
    model: str,
    dates: Sequence[str],
    bands: Sequence[str],
    version: str,
) -> dict[str, str]:
    """Where a map comes from, as tags of a raster. The same values give the same tags.

    Parameters
    ----------
    tile : str
        Name of the tile.
    method : str
        "fgunet" or "forest".
    model : str
        SHA-256 of the model file, hexadecimal.
    dates : sequence of str
        Dates of the series, YYYYMMDD, rising.
    bands : sequence of str
        Names of its bands.
    version : str
        Version of this library.
    """
    return {
        **_tags("Land cover", tile, dates, version),
        "method": method,
        "model_sha256": model,
        "dates": ",".join(dates),
        "bands": ",".join(bands),
    }


def clear_count_tags(*, tile: str, dates: Sequence[str], version: str) -> dict[str, str]:
    """Where a map of clear days comes from, as tags of a raster; parameters as in `map_tags`."""
    return _tags("Days with a clear view", tile, dates, version)


def _tags(what: str, tile: str, dates: Sequence[str], version: str) -> dict[str, str]:
    return {
        "TIFFTAG_SOFTWARE": f"fgunet {version}",
        "TIFFTAG_IMAGEDESCRIPTION": f"{what}, tile {tile}, {dates[0]} to {dates[-1]}",
        "tile": tile,
        "first_date": dates[0],
        "last_date": dates[-1],
        "version": version,
    }
