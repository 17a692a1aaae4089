"""When the satellite passes: irregular dates, orbit edges, reprocessed products."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np

from fgunet.errors import ConfigError
from fgunet.simulate.randomness import generator

REPEAT_DAYS = 10
"""Days after which one satellite sees the same ground from the same orbit again."""


@dataclass(frozen=True)
class Pass:
    """One look at a site.

    Attributes
    ----------
    time : datetime
        Time of the acquisition, UTC.
    cloudiness : float
        Share of the sky covered, 0..1.
    edge : float or None
        Place of the orbit's edge across the tile: the share of its width that lies outside the
        swath; None inside the swath.
    versions : tuple of str
        Versions in which the product was delivered, oldest first.
    """

    time: datetime
    cloudiness: float
    edge: float | None
    versions: tuple[str, ...]

    @property
    def day(self) -> float:
        """Day of its year, 1 on the first of January."""
        return float(self.time.timetuple().tm_yday)


def plan_passes(
    *,
    seed: int,
    site: str,
    tile: str,
    first_date: str,
    last_date: str,
    count: int,
    cloud_share: float,
    edge_share: float,
    reprocessed: int,
) -> tuple[Pass, ...]:
    """Draw the acquisitions of a tile.

    Two orbits see each site, each every ten days; a tile lies inside the swath of one and may
    be cut by the edge of the other. Tiles of a site share orbits, times and clouds, but not the
    choice of the dates that were delivered.

    Parameters
    ----------
    first_date, last_date : str
        First and last possible day (YYYYMMDD or YYYY-MM-DD).
    count : int
        Number of dates.
    cloud_share : float
        Mean share of cloud, 0..1.
    edge_share : float
        Share of the dates that are cut by the orbit's edge, or wholly outside, 0..1.
    reprocessed : int
        Number of dates that were delivered in two versions.

    Raises
    ------
    ConfigError
        If the period holds fewer passes than asked for.
    """
    start, end = date.fromisoformat(first_date), date.fromisoformat(last_date)
    orbits = generator(seed, "orbits", site)
    first = int(orbits.integers(0, 4))
    gap = int(orbits.choice([3, 7]))
    inside = _days(start, end, first)
    crossed = _days(start, end, (first + gap) % REPEAT_DAYS)
    rng = generator(seed, "passes", tile)
    n_crossed = min(len(crossed), max(round(edge_share * count), count - len(inside)))
    n_inside = count - n_crossed
    if n_inside > len(inside):
        raise ConfigError(
            f"{count} acquisitions do not fit between {first_date} and {last_date}: two orbits "
            f"pass {len(inside)} and {len(crossed)} times; ask for fewer, or a longer period"
        )
    edges = {day: _edge(rng) for day in sorted(_choose(rng, crossed, n_crossed, 0))}
    edges |= dict.fromkeys(_choose(rng, inside, n_inside, 2))
    days = sorted(edges)
    clear = [day for day in days if edges[day] is None]
    twice = _choose(rng, clear[1:-1], min(reprocessed, max(0, len(clear) - 2)), 0)
    return tuple(
        Pass(
            time=_time(seed, site, day),
            cloudiness=_cloudiness(generator(seed, "sky", site, day.isoformat()), cloud_share),
            edge=edges[day],
            versions=("V1-1", "V1-4") if day in twice else ("V1-4",),
        )
        for day in days
    )


def _days(start: date, end: date, offset: int) -> list[date]:
    count = ((end - start).days - offset) // REPEAT_DAYS + 1
    return [start + timedelta(days=offset + REPEAT_DAYS * i) for i in range(max(0, count))]


def _choose(rng: np.random.Generator, days: list[date], count: int, ends: int) -> list[date]:
    """Draw `count` of `days`; the first and the last `ends` of them always."""
    if count >= len(days):
        return days
    ends = min(ends, count // 2)
    middle = days[ends : len(days) - ends]
    drawn = rng.choice(len(middle), size=count - 2 * ends, replace=False)
    return days[:ends] + [middle[i] for i in sorted(drawn)] + days[len(days) - ends :]


def _edge(rng: np.random.Generator) -> float | None:
    """Share of the tile beyond the edge; above 1 the whole tile is."""
    return float(rng.choice([rng.uniform(0.1, 0.9), 2.0], p=[0.72, 0.28]))


def _time(seed: int, site: str, day: date) -> datetime:
    rng = generator(seed, "time", site, day.isoformat())
    seconds = int(rng.integers(0, 900))
    moment = datetime(day.year, day.month, day.day, 10, 40, tzinfo=UTC)
    return moment + timedelta(seconds=seconds, milliseconds=int(rng.integers(0, 1000)))


def _cloudiness(rng: np.random.Generator, mean: float) -> float:
    """Clear, broken or overcast; the three are mixed so that the mean is about `mean`."""
    overcast = 0.5 * mean
    clear = max(0.0, 1 - overcast - mean)
    kind = rng.random()
    if kind < overcast:
        return 1.0
    if kind < overcast + clear:
        return float(rng.uniform(0, 0.04))
    return float(rng.uniform(0.06, 0.90))
