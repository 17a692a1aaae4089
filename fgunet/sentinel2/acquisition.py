"""An acquisition: one product of one tile and time."""

from dataclasses import asdict, dataclass
from typing import Any

from fgunet.grid import Grid


@dataclass(frozen=True)
class Acquisition:
    """Where the files of one product lie, and how their numbers are to be read.

    Attributes
    ----------
    product : str
        Name of the product, as its producer gave it.
    family : str
        Product family ("theia"), a key of `fgunet.sentinel2.families.FAMILIES`.
    tile : str
        Name of the tile ("T31TCJ").
    time : str
        Start of sensing, UTC, ISO 8601 ("2017-07-07T10:40:22.457").
    platform : str
        Satellite ("SENTINEL2B").
    version : str
        Version of the processing; a later one compares greater by `version_key`.
    grid : Grid
        The 10 m grid.
    bands : dict
        Path of each band's file by band name, in the order asked for. A file lies on `grid`, or
        on the grid with the same upper left corner and pixels twice as large.
    masks : dict
        Path of each mask's file by kind, a key of `fgunet.sentinel2.masks.MASK_RULES`.
    scale, offset : float
        Reflectance = stored number * scale + offset.
    nodata : int
        Stored number of a pixel without measurement.
    """

    product: str
    family: str
    tile: str
    time: str
    platform: str
    version: str
    grid: Grid
    bands: dict[str, str]
    masks: dict[str, str]
    scale: float
    offset: float
    nodata: int

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
