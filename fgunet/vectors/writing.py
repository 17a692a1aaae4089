"""Writing vector layers."""

import os
from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd
import pyogrio

from fgunet.files import atomic_path

# GeoPackage stamps each layer with the time of writing; same inputs must give same bytes.
_GPKG_TIME = {"OGR_CURRENT_DATE": "1970-01-01T00:00:00.000Z"}


def write_layer(
    path: str | os.PathLike[str], frame: gpd.GeoDataFrame, layer: str | None = None
) -> None:
    """Write `frame` as the only layer of a GeoPackage, atomically.

    The layer is named after the file where `layer` is left out. The bytes depend on the frame
    alone.
    """
    write_layers(path, {layer or Path(path).stem: frame})


def write_layers(path: str | os.PathLike[str], frames: Mapping[str, gpd.GeoDataFrame]) -> None:
    """Write several layers, by name, as one GeoPackage, atomically; same frames, same bytes."""
    previous = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options(_GPKG_TIME)
    try:
        with atomic_path(path) as part:
            for layer, frame in frames.items():
                pyogrio.write_dataframe(
                    frame,
                    part,
                    layer=layer,
                    driver="GPKG",
                    promote_to_multi=True,
                    append=part.exists(),
                )
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": previous})
