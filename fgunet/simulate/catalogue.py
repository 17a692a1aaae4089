"""The data files of the simulator: materials, land covers, landscapes and towns."""

from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from fgunet.errors import ConfigError

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Material:
    """A surface material; see the comments in materials.yaml."""

    name: str
    base: str
    green: str | None = None
    dry: str | None = None
    floor: float = 0.0
    green_pulses: tuple[tuple[float, ...], ...] = ()
    dry_pulses: tuple[tuple[float, ...], ...] = ()
    brightness_spread: float = 0.0
    timing_spread: float = 0.0
    cover_spread: float = 0.0
    roof: bool = False


@dataclass(frozen=True)
class Cover:
    """A land cover and its names in the databases; see the comments in covers.yaml."""

    name: str
    code: int
    materials: dict[str, float]
    grain_m: float = 0.0
    rows_m: float = 0.0
    open: bool = True
    clc: str | None = None
    urban_atlas: tuple[tuple[str, str], ...] = ()
    rpg: tuple[tuple[str, str], ...] = ()
    bdtopo: str | None = None
    buildings: tuple[str, str] | None = None
    rgi: bool = False


@dataclass(frozen=True)
class Catalogue:
    """Everything the data files say. Materials and covers are known by name and by number.

    Attributes
    ----------
    bands : tuple of str
        Band names, in the order of the spectra.
    spectra : dict of str to float32 (band,)
        Surface reflectance, 0..1.
    materials, covers : tuple
        Their place is their number in the rasters of a landscape.
    landscapes, towns : dict
        The content of landscapes.yaml and towns.yaml.
    """

    bands: tuple[str, ...]
    spectra: dict[str, NDArray[np.float32]]
    materials: tuple[Material, ...]
    covers: tuple[Cover, ...]
    landscapes: dict[str, Any]
    towns: dict[str, Any]

    @cached_property
    def material_numbers(self) -> dict[str, int]:
        """Number of each material."""
        return {material.name: i for i, material in enumerate(self.materials)}

    @cached_property
    def cover_numbers(self) -> dict[str, int]:
        """Number of each cover."""
        return {cover.name: i for i, cover in enumerate(self.covers)}

    @cached_property
    def codes(self) -> NDArray[np.uint8]:
        """Class code of each cover, uint8 (cover,)."""
        return np.array([cover.code for cover in self.covers], dtype=np.uint8)

    def landscape(self, kind: str) -> dict[str, Any]:
        """The recipe of a kind of landscape.

        Raises
        ------
        ConfigError
            If there is no such kind.
        """
        if kind not in self.landscapes:
            raise ConfigError(
                f"there is no landscape {kind!r}; choose one of {', '.join(self.landscapes)}"
            )
        recipe: dict[str, Any] = self.landscapes[kind]
        return recipe


@cache
def read_catalogue() -> Catalogue:
    """Read the data files that come with the simulator."""
    surface = _read("materials.yaml")
    spectra = {
        name: np.array(values, dtype=np.float32) for name, values in surface["spectra"].items()
    }
    return Catalogue(
        bands=tuple(surface["bands"]),
        spectra=spectra,
        materials=tuple(_material(name, row) for name, row in surface["materials"].items()),
        covers=tuple(_cover(name, row) for name, row in _read("covers.yaml").items()),
        landscapes=_read("landscapes.yaml"),
        towns=_read("towns.yaml"),
    )


def _read(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((_FOLDER / name).read_text(encoding="utf-8"))
    return content


def _material(name: str, row: dict[str, Any]) -> Material:
    pulses: dict[str, Any] = {
        key: tuple(tuple(float(v) for v in pulse) for pulse in row[key])
        for key in ("green_pulses", "dry_pulses")
        if key in row
    }
    return Material(name=name, **(row | pulses))


def _cover(name: str, row: dict[str, Any]) -> Cover:
    pairs: dict[str, Any] = {
        key: tuple((str(a), str(b)) for a, b in row[key])
        for key in ("urban_atlas", "rpg")
        if key in row
    }
    if "buildings" in row:
        pairs["buildings"] = tuple(row["buildings"])
    return Cover(name=name, **(row | pairs))
