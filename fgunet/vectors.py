"""Reading and writing vector layers."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import geopandas as gpd
import pyogrio
import shapely

from fgunet.errors import ReferenceDataError
from fgunet.files import atomic_path

# GeoPackage stamps each layer with the time of writing; same inputs must give same bytes.
_GPKG_TIME = {"OGR_CURRENT_DATE": "1970-01-01T00:00:00.000Z"}


def read_layer(
    path: str | os.PathLike[str],
    *,
    layer: str | None = None,
    columns: Sequence[str],
    where: str | None = None,
    area: shapely.Geometry | None = None,
    area_crs: str | None = None,
) -> gpd.GeoDataFrame:
    """Read the features of one layer, only the columns and the area asked for.

    Parameters
    ----------
    path : path
        Any file that OGR reads.
    layer : str, optional
        Layer name; the only layer, or the first, where left out.
    columns : sequence of str
        Fields to read; each must exist.
    where : str, optional
        OGR SQL filter on the fields.
    area : shapely.Geometry, optional
        Only features that intersect it are read.
    area_crs : str, optional
        Coordinate system of `area`; the layer's own where left out.

    Returns
    -------
    geopandas.GeoDataFrame
        The columns, the geometry, and `feature_id`, the feature's identifier in the file.

    Raises
    ------
    ReferenceDataError
        If the file, the layer or a field does not exist, or the layer has no coordinate system.
    """
    if not Path(path).exists():
        raise ReferenceDataError(f"there is no file {path}; correct its path in the configuration")
    names = [str(name) for name in pyogrio.list_layers(path)[:, 0]]
    if layer is not None and layer not in names:
        raise ReferenceDataError(f"{path} has no layer {layer!r}; its layers are {names}")
    info = pyogrio.read_info(path, layer=layer or names[0])
    missing = [name for name in columns if name not in info["fields"]]
    if missing:
        raise ReferenceDataError(
            f"{path} (layer {layer or names[0]}) has no field {', '.join(missing)}; "
            f"its fields are {', '.join(info['fields'])}"
        )
    if info["crs"] is None:
        raise ReferenceDataError(f"{path} has no coordinate system; set one with ogr2ogr -a_srs")
    mask = area
    if area is not None and area_crs is not None:
        mask = gpd.GeoSeries([area], crs=area_crs).to_crs(info["crs"]).iloc[0]
    frame = pyogrio.read_dataframe(
        path,
        layer=layer or names[0],
        columns=list(columns),
        where=where,
        mask=mask,
        fid_as_index=True,
    )
    return frame.rename_axis("feature_id").reset_index()


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
