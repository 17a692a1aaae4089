"""The products of a tile: what the satellite delivers of a scene."""

import logging
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from fgunet.grid import Grid
from fgunet.simulate.calendar import Pass
from fgunet.simulate.catalogue import Catalogue
from fgunet.simulate.randomness import generator
from fgunet.simulate.scene import Scene, snow_cover
from fgunet.simulate.sky import cloud_mask, make_sky, through_sky
from fgunet.simulate.theia import GROUPS, PLATFORM, Product, coarsen

_LOG = logging.getLogger(__name__)

_OLD_GAIN = 1.025
_SWATH_SLOPE = 0.2


def make_products(
    scene: Scene,
    passes: Sequence[Pass],
    catalogue: Catalogue,
    *,
    tile: str,
    site: str,
    ground: Grid,
    kind: str,
    seed: int,
) -> Iterator[Product]:
    """Make the products of a tile, one at a time, by rising time and version.

    Parameters
    ----------
    scene : Scene
        The tile's view of the ground.
    passes : sequence of Pass
        When it was looked at.
    tile, site : str
        Names; tiles of one site see the same clouds.
    ground : Grid
        Grid of the site.
    kind : str
        Kind of landscape; it says where snow lies.
    seed : int
        Seed of the run.
    """
    snow = catalogue.landscape(kind).get("snow")
    for look in passes:
        moment = look.time.isoformat()
        day = look.day
        surface = scene.reflectance(day)
        if snow is not None:
            share = snow_cover(scene.height, day, **snow)
            white = catalogue.spectra["snow"][:, None, None]
            surface = surface * (1 - share) + white * share
        sky = make_sky(generator(seed, "clouds", site, moment), ground, scene.grid, look.cloudiness)
        seen = through_sky(surface, sky, catalogue.spectra["cloud"])
        edge = swath_edge(generator(seed, "edge", tile, moment), scene.grid.shape, look.edge)
        _LOG.debug(
            "%s: cloudiness %.2f, %.0f %% outside the swath, versions %s",
            moment,
            look.cloudiness,
            100 * edge.mean(),
            ", ".join(look.versions),
        )
        for version in look.versions:
            rng = generator(seed, "noise", tile, moment, version)
            old = version != look.versions[-1]
            air = through_air(seen, generator(seed, "air", tile, moment))
            fine, coarse = to_groups(air * np.float32(_OLD_GAIN if old else 1), catalogue.bands)
            yield Product(
                tile=tile,
                platform=PLATFORM,
                version=version,
                time=look.time,
                grid=scene.grid,
                fine=add_noise(fine, rng),
                coarse=add_noise(coarse, rng),
                clouds=cloud_mask(sky, margin=1 if old else 2),
                edge=edge,
            )


def through_air(reflectance: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """What an imperfect correction leaves of the atmosphere: a gain, and haze in the blue."""
    bands = reflectance.shape[0]
    gain = 1 + rng.normal(0, 0.02) + rng.normal(0, 0.008, bands)
    haze = rng.normal(0, 0.004) * np.exp(-np.arange(bands) / 2.0)
    result = reflectance * gain[:, None, None] + haze[:, None, None]
    return np.asarray(result, dtype=np.float32)


def to_groups(
    reflectance: NDArray[np.float32], bands: Sequence[str]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Split bands (band, y, x) into those of 10 m and those of 20 m, which are averaged."""
    fine: NDArray[np.float32] = reflectance[[bands.index(band) for band in GROUPS["R1"]]]
    coarse: NDArray[np.float32] = reflectance[[bands.index(band) for band in GROUPS["R2"]]]
    return fine, coarsen(coarse)


def add_noise(reflectance: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Noise of the instrument: 0.0025 and 1.2 % of the reflectance (standard deviations)."""
    noise = rng.standard_normal(reflectance.shape, dtype=np.float32)
    return reflectance + noise * (np.float32(0.0025) + np.float32(0.012) * reflectance)


def swath_edge(
    rng: np.random.Generator, shape: tuple[int, int], share: float | None
) -> NDArray[np.bool_]:
    """True outside the swath (y, x); its edge runs from north to south, a little aslant.

    Parameters
    ----------
    share : float or None
        Share of the width outside; 1.5 or more: all of it; None: nothing.
    """
    if share is None:
        return np.zeros(shape, dtype=bool)
    rows, cols = np.indices(shape)
    across = (cols + 0.5) / shape[1] + _SWATH_SLOPE * ((rows + 0.5) / shape[0] - 0.5)
    if rng.random() < 0.5:
        across = 1 - across
    return np.asarray(across < share)
