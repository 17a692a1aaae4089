"""The layers of vector files."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyogrio

from fgunet.errors import ReferenceDataError
from fgunet.vectors.gdal import as_file, offline
from fgunet.vectors.intact import check_intact

_REFERRING = {"OGR_VRT", "GDALG", "WFS", "OAPIF", "OGCAPI", "CSW", "HTTP", "PLSCENES", "NGW"}
"""GDAL's names of formats by which a file can make it read other files, or ask a service."""


@dataclass(frozen=True)
class Layer:
    """A layer with geometry and a coordinate system.

    Attributes
    ----------
    path, name : str
        File and layer.
    driver : str
        GDAL's name of the format.
    crs : str
        Coordinate system.
    fields : tuple of str
        Names of the fields.
    identifier, geometry_name : str
        What SQL calls the feature's identifier and geometry; empty where the format has no name
        for it.
    geometry_type : str
        GDAL's name of the geometry type; "Unknown" where it is mixed.
    features : int
        Number of features, as the file says; -1 where counting takes a reading.
    indexed : bool
        Whether a spatial filter is quick.
    """

    path: str
    name: str
    driver: str
    crs: str
    fields: tuple[str, ...]
    identifier: str
    geometry_name: str
    geometry_type: str
    features: int
    indexed: bool

    def __str__(self) -> str:
        return f"{self.path} (layer {self.name})"

    def require_fields(self, names: Sequence[str]) -> None:
        """Check that fields exist.

        Raises
        ------
        ReferenceDataError
            If fields are missing; all of them are listed.
        """
        missing = [name for name in names if name not in self.fields]
        if missing:
            raise ReferenceDataError(
                f"{self} has no field {', '.join(missing)}; its fields are {', '.join(self.fields)}"
            )


def find_layer(path: str | os.PathLike[str], name: str | None = None) -> Layer:
    """Look for a layer of a file.

    Parameters
    ----------
    path : path
        Any file or folder that OGR reads.
    name : str, optional
        The layer; the only one with geometry where left out.

    Raises
    ------
    ReferenceDataError
        If the file is missing, damaged, locked or of no known format, if it has no such layer,
        or several and none is named, if the layer has no geometry or coordinate system, if the
        file refers to other files or to a service, or if a pipe or device is beside it.
    """
    file = as_file(path)
    try:
        check_intact(Path(path))
        with offline():
            kinds = {str(row[0]): row[1] for row in pyogrio.list_layers(file)}
            name = _chosen(path, kinds, name)
            info = pyogrio.read_info(file, layer=name)
    except ReferenceDataError:
        raise
    except (OSError, RuntimeError, ValueError) as error:
        raise ReferenceDataError(
            f"{path} cannot be opened: {error}; give a vector file that GDAL reads, and if it is "
            "one, copy or download it again"
        ) from error
    if info["driver"] in _REFERRING:
        raise ReferenceDataError(
            f"{path} is of the format {info['driver']}: it says where data are, and holds none; "
            "give the file that holds them"
        )
    if info["crs"] is None:
        raise ReferenceDataError(
            f"{path} (layer {name}) has no coordinate system; set one with ogr2ogr -a_srs"
        )
    return _described(path, name, info)


def _chosen(path: str | os.PathLike[str], kinds: dict[str, Any], name: str | None) -> str:
    with_geometry = [one for one, kind in kinds.items() if kind is not None]
    if name is None and len(with_geometry) == 1:
        return with_geometry[0]
    if not with_geometry or (name in kinds and name not in with_geometry):
        raise ReferenceDataError(
            f"{path} has no geometry in {f'layer {name!r}' if name else 'any layer'}; "
            f"its layers with geometry are {with_geometry}, its tables "
            f"{sorted(set(kinds) - set(with_geometry))}; name a layer of polygons or lines"
        )
    if name is None:
        raise ReferenceDataError(
            f"{path} has {len(with_geometry)} layers: {with_geometry}; name one under 'layer'"
        )
    if name not in kinds:
        raise ReferenceDataError(
            f"{path} has no layer {name!r}; its layers are {with_geometry}; correct 'layer'"
        )
    return name


def _described(path: str | os.PathLike[str], name: str, info: dict[str, Any]) -> Layer:
    return Layer(
        path=str(path),
        name=name,
        driver=info["driver"],
        crs=info["crs"],
        fields=tuple(map(str, info["fields"])),
        identifier=info["fid_column"],
        geometry_name=info["geometry_name"],
        geometry_type=info["geometry_type"],
        features=info["features"],
        indexed=bool(info["capabilities"]["fast_spatial_filter"]),
    )
