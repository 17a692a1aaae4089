"""Reflectance of materials through the year."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from fgunet.simulate.catalogue import Catalogue, Material
from fgunet.simulate.randomness import generator, hashed_normals

_YEAR = 365.25
_BRIGHTNESS, _TIMING, _COVER, _TINT = range(1, 5)


def pulse_cover(day: NDArray[np.float32], pulses: Sequence[Sequence[float]]) -> NDArray[np.float32]:
    """Share of the ground that a canopy covers: a sum of double logistics, every year anew.

    Parameters
    ----------
    day : float32, any shape
        Day of the year, 1 on the first of January; may leave 1..365.
    pulses : sequence of (rise day, fall day, days of the rise, days of the fall, top)
        The logistic curve passes half its height on the rise and fall days.

    Notes
    -----
    The form is that of Beck et al. 2006, doi 10.1016/j.rse.2005.10.021.
    """
    cover = np.zeros_like(day)
    for rise, fall, rise_days, fall_days, top in pulses:
        for year in (-1, 0, 1):
            t = day + np.float32(year * _YEAR)
            up, down = (t - rise) / rise_days * 2, (t - fall) / fall_days * 2
            cover += np.float32(top) * (expit(up) - expit(down))
    return cover


class Surfaces:
    """The things of a landscape as surfaces: reflectance of each on any day.

    Parameters
    ----------
    catalogue : Catalogue
        Materials and their spectra.
    materials : uint8 (n,)
        Number of the material of each surface.
    things : uint32 (n,)
        Identifier of the thing it belongs to.
    seed : int
        Seed of the run.
    region : str
        Name of the site; its seasons, soils and crops differ a little from those of others.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        materials: NDArray[np.uint8],
        things: NDArray[np.uint32],
        *,
        seed: int,
        region: str,
    ) -> None:
        self._catalogue = catalogue
        self._members = [np.flatnonzero(materials == i) for i in range(len(catalogue.materials))]
        self._count = len(materials)
        rng = generator(seed, "region", region)
        salt = int(rng.integers(2**31))
        self._normals = {
            kind: hashed_normals(things.astype(np.uint64) * 64 + materials, salt + kind)
            for kind in (_BRIGHTNESS, _TIMING, _COVER, _TINT)
        }
        season = rng.normal(0, 5)
        self._delay = season + rng.normal(0, 3, len(catalogue.materials))
        self._soil = float(np.exp(rng.normal(0, 0.07)))

    def reflectance(self, day: float) -> NDArray[np.float32]:
        """Surface reflectance (n, band), float32, 0..1, on a day of the year (1 = January 1)."""
        result = np.empty((self._count, len(self._catalogue.bands)), dtype=np.float32)
        for number, members in enumerate(self._members):
            if members.size:
                result[members] = self._of_material(number, members, day)
        return result

    def _of_material(
        self, number: int, members: NDArray[np.int64], day: float
    ) -> NDArray[np.float32]:
        material: Material = self._catalogue.materials[number]
        spectra = self._catalogue.spectra
        normals = {kind: values[members] for kind, values in self._normals.items()}
        bright = np.exp(material.brightness_spread * normals[_BRIGHTNESS])[:, None]
        base = spectra[material.base][None, :] * bright
        if material.green is None:
            return np.asarray(base, dtype=np.float32)
        base = base * np.float32(self._soil)
        t = np.float32(day - self._delay[number]) - material.timing_spread * normals[_TIMING]
        top = 1 + material.cover_spread * normals[_COVER]
        green = (material.floor + pulse_cover(t, material.green_pulses)) * top
        green = np.clip(green, 0, 0.97)[:, None]
        tint = np.exp(0.06 * normals[_TINT])[:, None]
        result = green * spectra[material.green][None, :] * tint
        left = 1 - green
        if material.dry is not None:
            dry = np.clip(pulse_cover(t, material.dry_pulses) * top, 0, 0.97)[:, None] * left
            # Flowers show above the leaves, so the dry or flowering cover takes from the green.
            result = result * (1 - 0.5 * dry) + dry * spectra[material.dry][None, :] * tint
            left = left - dry
        return np.asarray(result + np.maximum(left, 0) * base, dtype=np.float32)
