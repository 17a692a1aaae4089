"""Writing vector layers."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import geopandas as gpd
import pyogrio

from fgunet.files import atomic_path
from fgunet.vectors.gdal import gdal_options

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
    """Write several layers, by name, as one GeoPackage, atomically; same frames, same bytes.

    A layer of points stays one; of other kinds a layer is of multi-part geometries.

    Raises
    ------
    WriteError
        If the file cannot be written, as on a full disk.
    """
    with gdal_options(**_GPKG_TIME), atomic_path(path) as part:
        for layer, frame in frames.items():
            pyogrio.write_dataframe(
                frame,
                part,
                layer=layer,
                driver="GPKG",
                promote_to_multi=not (frame.geom_type == "Point").any(),
                append=part.exists(),
            )


def write_polygon_batches(path: str | os.PathLike[str], frames: Iterable[gpd.GeoDataFrame]) -> None:
    """Write frames of one schema as one layer of polygons, as they come, atomically.

    Parameters
    ----------
    path : path
        GeoPackage to write; the layer is named after it.
    frames : iterable of geopandas.GeoDataFrame
        One or more, with the same columns; their geometries are polygons. All may be empty.

    Raises
    ------
    OSError
        If the file cannot be written, as on a full disk.
    """
    count = 0
    with gdal_options(**_GPKG_TIME), atomic_path(path) as part:
        try:
            for frame in frames:
                if frame.empty and part.exists():
                    continue
                pyogrio.write_dataframe(
                    frame,
                    part,
                    layer=Path(path).stem,
                    driver="GPKG",
                    geometry_type="Polygon",
                    append=part.exists(),
                )
                count += len(frame)
            # GDAL tells nobody if the disk is full when it closes a file.
            found = pyogrio.read_info(part, force_feature_count=True)["features"]
        except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
            raise OSError(str(error)) from error
        if found != count:
            raise OSError(f"{found} of {count} polygons are in the file")
