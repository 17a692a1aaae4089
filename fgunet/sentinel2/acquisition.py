"""An acquisition: one product of one tile and time."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from fgunet.errors import ProductError
from fgunet.grid import Grid

_SCALES = 1e-6, 1e-2
_OFFSETS = -1.0, 1.0
_NODATA = -32768, 65535
"""Least and greatest that reflectance in 8 or 16 bits can have: all products known have a scale of
1e-4, and an offset of -0.1 or none. Beyond, every pixel would be 0 or the greatest reflectance."""


@dataclass(frozen=True)
class Acquisition:
    """Where the files of one product lie, and how their numbers are to be read.

    Attributes
    ----------
    product : str
        Name of the product, as its producer gave it.
    family : str
        Product family, a key of `fgunet.sentinel2.families.FAMILIES`.
    tile : str
        Name of the tile ("T31TCJ").
    time : str
        Start of sensing, UTC, ISO 8601 ("2017-07-07T10:40:22.457").
    platform : str
        Satellite ("SENTINEL2B").
    version : str
        Version of the product; a later one compares greater by `version_key`.
    baseline : str
        Processing baseline or processor version as the producer states it ("04.00"), or "".
    grid : Grid
        The 10 m grid.
    bands : dict
        File of each band by band name, in the order asked for, as GDAL opens it (a path, or
        "/vsizip/...", "/vsicurl/...", "/vsis3/..."). A file lies on `grid`, or on the grid with
        the same upper left corner and pixels twice as large.
    masks : dict
        File of each mask by kind, a key of `fgunet.sentinel2.masks.MASK_KINDS`; same grids.
    scale, offset : float
        Reflectance = stored number * scale + offset.
    nodata : int
        Stored number of a pixel without measurement.
    nodata_declared : bool
        Whether the product says so itself; else it is the number that its family uses.

    Raises
    ------
    ProductError
        If scale, offset or nodata are none that reflectance can have.
    """

    product: str
    family: str
    tile: str
    time: str
    platform: str
    version: str
    baseline: str
    grid: Grid
    bands: dict[str, str]
    masks: dict[str, str]
    scale: float
    offset: float
    nodata: int
    nodata_declared: bool

    def __post_init__(self) -> None:
        told = (self.scale, _SCALES), (self.offset, _OFFSETS), (self.nodata, _NODATA)
        if not all(least <= number <= greatest for number, (least, greatest) in told):
            file = next(iter(self.bands.values()), "no file")
            raise ProductError(
                f"{self.product} ({file}, ...) states scale {self.scale:g}, offset "
                f"{self.offset:g} and nodata {self.nodata}; expected a scale of {_SCALES[0]:g} to "
                f"{_SCALES[1]:g} (reflectance = stored number * scale + offset), an offset of "
                f"{_OFFSETS[0]:g} to {_OFFSETS[1]:g} and nodata of {_NODATA[0]} to {_NODATA[1]}. "
                "Correct its metadata, download the product again, or take it away"
            )

    @property
    def date(self) -> str:
        """Day of sensing, YYYYMMDD."""
        return self.time[:10].replace("-", "")

    @property
    def version_key(self) -> tuple[int, ...]:
        """The numbers in the version, to compare versions by: "V2-10" is later than "V2-9"."""
        digits = "".join(c if c.isdigit() else " " for c in self.version)
        return tuple(int(number) for number in digits.split())

    def to_dict(self) -> dict[str, Any]:
        """A value that JSON can hold; `from_dict` reads it."""
        return {**asdict(self), "grid": self.grid.to_dict()}

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> "Acquisition":
        """The acquisition that `to_dict` wrote."""
        return cls(**{**value, "grid": Grid.from_dict(value["grid"])})


@dataclass(frozen=True)
class Request:
    """What is asked of a product.

    Attributes
    ----------
    bands : tuple of str
        Names of the bands, keys of `fgunet.sentinel2.bands.BANDS`, in the order wanted.
    reasons : tuple of str
        What makes a pixel unusable, members of `fgunet.sentinel2.masks.REASONS`. A product that
        has no mask for clouds cannot serve a request that names them.
    reflectance : str
        "FRE" (corrected for slopes) or "SRE", where a family offers both.
    """

    bands: tuple[str, ...]
    reasons: tuple[str, ...]
    reflectance: str = "FRE"


@dataclass(frozen=True)
class Product:
    """A product that was found but not yet looked into.

    Attributes
    ----------
    name : str
        Name of the product.
    family, tile : str
        As in `Acquisition`.
    date : str
        Day of sensing, YYYYMMDD.
    path : str
        Where it was found: folder, archive or address, for messages.
    describe : callable
        Opens the product and gives its acquisition. Raises ProductError where it is malformed.
    """

    name: str
    family: str
    tile: str
    date: str
    path: str
    describe: Callable[[Request], Acquisition]
