"""Which acquisitions of a tile are used, and why the others are not."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fgunet.errors import MissingAcquisitionError
from fgunet.rasters import require_same_grid
from fgunet.sentinel2.acquisition import Acquisition
from fgunet.sentinel2.reading import holds_data

OUTSIDE = "outside of the period"
EMPTY = "entirely without data"
SUPERSEDED = "an equal or later version of the same acquisition is used"


@dataclass(frozen=True)
class Selection:
    """The acquisitions kept, by time, and (product, reason) of each one excluded, by name."""

    kept: list[Acquisition]
    excluded: list[tuple[str, str]]

    def count_reasons(self) -> dict[str, int]:
        """How many acquisitions were excluded for each reason."""
        return dict(sorted(Counter(reason for _, reason in self.excluded).items()))


def select_acquisitions(
    acquisitions: Sequence[Acquisition],
    *,
    first_date: str,
    last_date: str,
    minimum: int,
    holds_data: Callable[[Acquisition], bool] = holds_data,
) -> Selection:
    """Choose the acquisitions of one tile that a series is made of.

    Excluded are acquisitions outside of the period; those without any pixel that has data in all
    bands; and, where products share tile, platform and second, all but the one of the latest
    version that holds data (level letters break ties, C before D; then the name and path).
    Products of the same day and other orbits or datastrips are all kept.

    Parameters
    ----------
    acquisitions : sequence of Acquisition
        All acquisitions of one tile, in any order.
    first_date, last_date : str
        First and last day of the period (YYYYMMDD), both within it.
    minimum : int
        Least number of acquisitions that must remain.
    holds_data : callable
        Says whether an acquisition has data; by default its files are read.

    Raises
    ------
    MissingAcquisitionError
        If fewer than `minimum` remain.
    GridError
        If two of those kept lie on different grids.
    """
    excluded: list[tuple[str, str]] = []
    filled: list[Acquisition] = []
    for acquisition in acquisitions:
        if not first_date <= acquisition.date <= last_date:
            excluded.append((acquisition.product, OUTSIDE))
        elif not holds_data(acquisition):
            excluded.append((acquisition.product, EMPTY))
        else:
            filled.append(acquisition)
    latest: dict[tuple[str, str, str], Acquisition] = {}
    for acquisition in sorted(filled, key=_preference):
        key = acquisition.tile, acquisition.platform, acquisition.time[:19]
        if key in latest:
            excluded.append((acquisition.product, SUPERSEDED))
        else:
            latest[key] = acquisition
    kept = sorted(latest.values(), key=lambda a: (a.time, a.product))
    selection = Selection(kept, sorted(excluded))
    _require_enough(selection, first_date, last_date, minimum)
    require_same_grid((a.product, a.grid) for a in kept)
    return selection


def _preference(acquisition: Acquisition) -> tuple[tuple[int, ...], str, str, str]:
    """Sorts the version to be used first."""
    negated = tuple(-number for number in acquisition.version_key)
    first_file = next(iter(acquisition.bands.values()), "")
    return negated, acquisition.version, acquisition.product, first_file


def _require_enough(selection: Selection, first_date: str, last_date: str, minimum: int) -> None:
    kept, excluded = len(selection.kept), len(selection.excluded)
    if kept >= max(minimum, 1):
        return
    reasons = ", ".join(f"{count} {reason}" for reason, count in selection.count_reasons().items())
    raise MissingAcquisitionError(
        f"{kept} acquisitions are left of {kept + excluded} found, "
        f"at least {max(minimum, 1)} are needed "
        f"between {first_date} and {last_date} (excluded: {reasons or 'none'}). Add products, move "
        "the period (series.first_date, n_dates, step_days, margin_days), or lower "
        "series.minimum_acquisitions"
    )
