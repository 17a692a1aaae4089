"""The description of a source of reference polygons."""

from dataclasses import dataclass

from fgunet.errors import ConfigError
from fgunet.reference.translation import Translation

GREATEST_BUFFER_M = 1000.0
"""Polygons grow and shrink by no more than this on each side."""


@dataclass(frozen=True)
class Source:
    """One source of polygons or lines, and how it becomes class polygons.

    Attributes
    ----------
    name : str
        Name in the configuration; part of the polygons' numbers.
    path : str
        Any file that OGR reads.
    layer : str or None
        Its layer; the only one with geometry where None.
    field, expression, code : str, str, int or None
        Exactly one: the field of the source codes, an SQL expression over the fields that gives
        them, or the class code of all features.
    translation : mapping or None
        Class code (or None: ignored) of each source code; None where the field or expression
        gives class codes.
    table : str
        What the translation is called in messages.
    ignore_codes : tuple of int
        Codes left out on purpose, where there is no translation.
    where : str or None
        OGR SQL filter on the fields.
    id_field : str or None
        Field of a unique identifier that polygons are numbered by; by their outline where None.
    buffer_field : str or None
        Field of the full width in m; lines grow by half of it on each side.
    buffer_m : float or None
        Growth on each side, in m; 1000 at most.
    erosion_m : float
        Shrinking on each side after that, in m; 1000 at most.
    minimum_area_m2 : float or None
        Least area of a polygon and of each of its pieces; that of the run where None.
    explode : bool
        Whether each part of a feature is a polygon of its own.
    precedence : int
        Where sources overlap, the lower number keeps the ground.
    year : int or None
        The year that the source shows, for the report.
    optional : bool
        Whether the source may have nothing in the tiles.

    Raises
    ------
    ConfigError
        If not exactly one of `field`, `expression` and `code` is given, or others contradict one
        another; all faults are listed at once.
    """

    name: str
    path: str
    layer: str | None = None
    field: str | None = None
    expression: str | None = None
    code: int | None = None
    translation: Translation | None = None
    table: str = ""
    ignore_codes: tuple[int, ...] = ()
    where: str | None = None
    id_field: str | None = None
    buffer_field: str | None = None
    buffer_m: float | None = None
    erosion_m: float = 0.0
    minimum_area_m2: float | None = None
    explode: bool = True
    precedence: int = 0
    year: int | None = None
    optional: bool = False

    def __post_init__(self) -> None:
        faults = [*self._faults_of_class(), *self._faults_of_shape()]
        if faults:
            raise ConfigError(f"reference.sources: source {self.name!r}: {'; '.join(faults)}")

    @property
    def what(self) -> str:
        """What gives the source codes, in messages."""
        if self.expression is not None:
            return f"expression {self.expression!r}"
        return f"field {self.field}"

    def _faults_of_class(self) -> list[str]:
        faults = []
        ways = (self.field, self.expression, self.code)
        if sum(way is not None for way in ways) != 1:
            faults.append("give exactly one of field, expression and code")
        if self.code is not None and self.translation is not None:
            faults.append("a source with a code has no translation")
        if self.translation is not None and self.ignore_codes:
            faults.append("with a translation, ignore a code by a row with an empty code")
        return faults

    def _faults_of_shape(self) -> list[str]:
        faults = []
        if self.buffer_m is not None and self.buffer_field is not None:
            faults.append("give either buffer_m or buffer_field")
        if min(self.erosion_m, self.buffer_m or 0.0, self.minimum_area_m2 or 0.0) < 0:
            faults.append("buffer_m, erosion_m and minimum_area_m2 are not negative")
        if not all(m <= GREATEST_BUFFER_M for m in (self.erosion_m, self.buffer_m or 0.0)):
            faults.append(f"buffer_m and erosion_m are at most {GREATEST_BUFFER_M:g} m")
        return faults
