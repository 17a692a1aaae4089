"""Clouds and their shadows, and the masks that a processor makes of them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from fgunet.grid import Grid
from fgunet.simulate.noise import smooth_noise
from fgunet.simulate.scene import ground_points

CLOUD_OR_SHADOW, ALL_CLOUDS, MONO_TEMPORAL, MULTI_TEMPORAL = 1, 2, 4, 8
THIN, SHADOW, SHADOW_FROM_OUTSIDE, HIGH = 16, 32, 64, 128
"""Bits of the CLM mask of Theia products (MAJA)."""

_SEEN, _HAZE = 0.16, 0.03
_STEP_M = 40.0
_REACH_M = 700.0


@dataclass(frozen=True)
class Sky:
    """The sky over a tile at one moment, (y, x) on its 10 m grid.

    Attributes
    ----------
    opacity : float32
        0 (clear) to 1 (nothing of the ground is seen).
    shade : float32
        Share of the direct light that clouds take from the ground, 0..1.
    from_outside : bool
        Shaded by a cloud that lies outside the tile.
    brightness : float
        Of its clouds, against those of the catalogue; the brightest saturate the sensor.
    """

    opacity: NDArray[np.float32]
    shade: NDArray[np.float32]
    from_outside: NDArray[np.bool_]
    brightness: float = 1.0


def make_sky(rng: np.random.Generator, ground: Grid, tile: Grid, cloudiness: float) -> Sky:
    """Draw the sky over a site and look at it through one of its tiles.

    Parameters
    ----------
    rng : numpy.random.Generator
        The same for all tiles of a site, so that they see the same clouds.
    ground : Grid
        Grid of the site.
    tile : Grid
        Grid of the tile.
    cloudiness : float
        Share of the sky that is covered, 0..1.
    """
    left, bottom, right, top = ground.bounds
    shape = (
        int((top - bottom + 2 * _REACH_M) / _STEP_M) + 2,
        int((right - left + 2 * _REACH_M) / _STEP_M) + 2,
    )
    field = smooth_noise(rng, shape, rng.uniform(500, 1500) / _STEP_M, 4)
    # The sun stands in the south-south-east: a cloud lies that way from its shadow.
    distance, azimuth = rng.uniform(120, 420), rng.uniform(2.7, 3.0)
    shift = distance * np.sin(azimuth), distance * np.cos(azimuth)
    if cloudiness >= 1:
        opacity = (0.75 + 0.08 * field).clip(0.5, 1)
    elif cloudiness < 0.02:
        opacity = np.zeros(shape)
    else:
        opacity = (field - np.quantile(field, 1 - cloudiness)).clip(0, 0.45) / 0.45
    origin = left - _REACH_M, top + _REACH_M
    above = _look(opacity, origin, ground.crs, tile, (0.0, 0.0))
    casting = _look(opacity, origin, ground.crs, tile, shift)
    brightness = float(rng.uniform(0.75, 1.7))
    return Sky(above, 0.65 * casting, _outside(tile, shift), brightness)


def _look(
    opacity: NDArray[np.floating[Any]],
    origin: tuple[float, float],
    crs: str,
    tile: Grid,
    shift: tuple[float, float],
) -> NDArray[np.float32]:
    """The field at the pixels of a tile, `shift` metres (east, north) away; float32 (y, x)."""
    x, y = ground_points(crs, tile)
    rows = (origin[1] - (y + shift[1])) / _STEP_M
    cols = ((x + shift[0]) - origin[0]) / _STEP_M
    values = ndimage.map_coordinates(
        opacity.astype(np.float32), [rows, cols], order=1, mode="nearest"
    )
    return np.asarray(values, dtype=np.float32)


def _outside(tile: Grid, shift: tuple[float, float]) -> NDArray[np.bool_]:
    """Pixels whose shading cloud would stand outside the tile."""
    rows, cols = np.indices(tile.shape)
    row = rows - shift[1] / tile.resolution[1]
    col = cols + shift[0] / tile.resolution[0]
    return np.asarray((row < 0) | (col < 0) | (row >= tile.height) | (col >= tile.width))


def through_sky(
    ground: NDArray[np.float32], sky: Sky, cloud: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Reflectance (band, y, x) as seen through the sky.

    Parameters
    ----------
    ground : float32 (band, y, x)
        Surface reflectance, 0..1.
    sky : Sky
        Clouds and shadows.
    cloud : float32 (band,)
        Reflectance of a thick cloud, 0..1.
    """
    lit = ground * (1 - sky.shade)
    bright = sky.brightness * cloud[:, None, None] * (0.75 + 0.45 * sky.opacity)
    return np.asarray(lit * (1 - sky.opacity) + bright * sky.opacity, dtype=np.float32)


def cloud_mask(sky: Sky, *, margin: int) -> NDArray[np.uint8]:
    """The CLM mask (y, x), uint8, that a processor makes of a sky.

    Detected clouds are grown by `margin` pixels; the thinnest clouds get their own bit alone,
    as in real products.
    """
    cloud = _grow(sky.opacity > _SEEN, margin)
    shadow = _grow(sky.shade > 0.65 * _SEEN, margin)
    haze = (sky.opacity > _HAZE) & ~cloud
    mask = np.zeros(sky.opacity.shape, dtype=np.uint8)
    mask[cloud | shadow] |= CLOUD_OR_SHADOW
    mask[cloud] |= ALL_CLOUDS | MULTI_TEMPORAL
    mask[cloud & (sky.opacity > 0.6)] |= MONO_TEMPORAL
    mask[shadow & ~sky.from_outside] |= SHADOW
    mask[shadow & sky.from_outside] |= SHADOW_FROM_OUTSIDE
    mask[haze] |= THIN
    return mask


def _grow(mask: NDArray[np.bool_], margin: int) -> NDArray[np.bool_]:
    if not margin or not mask.any():
        return mask
    grown: NDArray[np.bool_] = ndimage.binary_dilation(mask, np.ones((3, 3)), iterations=margin)
    return grown
