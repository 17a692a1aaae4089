"""What was read from a source, what was left out, and why."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

M2_PER_HECTARE = 10_000.0


@dataclass
class Tally:
    """Counts of one source; reasons that never happened are not listed.

    Attributes
    ----------
    name : str
        Name of the source.
    read, mended : int
        Features read near the tiles, and those whose geometry was not valid.
    features_dropped : Counter
        Features left out, by reason.
    ignored_values : Counter
        Features left out on purpose, by source code.
    polygons_dropped : dict
        (polygons, m2) left out after multi-part features were taken apart, by reason.
    kept : dict
        (polygons, m2) by class code.
    """

    name: str
    read: int = 0
    mended: int = 0
    features_dropped: Counter[str] = field(default_factory=Counter)
    ignored_values: Counter[str] = field(default_factory=Counter)
    polygons_dropped: dict[str, tuple[int, float]] = field(default_factory=dict)
    kept: dict[int, tuple[int, float]] = field(default_factory=dict)

    def drop_features(self, reason: str, count: int) -> None:
        """Count features left out."""
        if count:
            self.features_dropped[reason] += count

    def ignore_values(self, values: Iterable[str]) -> None:
        """Count features ignored on purpose, given their source codes."""
        self.ignored_values.update(values)

    def drop_polygons(self, reason: str, area_m2: NDArray[np.float64]) -> None:
        """Count polygons left out, given their areas (n,) in m2 (0 where not known)."""
        if len(area_m2):
            count, area = self.polygons_dropped.get(reason, (0, 0.0))
            self.polygons_dropped[reason] = count + len(area_m2), area + float(area_m2.sum())

    def keep(self, code: NDArray[np.int64], area_m2: NDArray[np.float64]) -> None:
        """Count the polygons that are left, given codes and areas (n,)."""
        self.kept = {
            int(one): (int((code == one).sum()), float(area_m2[code == one].sum()))
            for one in np.unique(code)
        }

    def to_dict(self) -> dict[str, Any]:
        """A value that JSON can hold; areas in hectares."""
        return {
            "features_read": self.read,
            "features_mended": self.mended,
            "features_dropped": dict(self.features_dropped),
            "features_ignored_by_value": dict(self.ignored_values),
            "polygons_dropped": {k: as_counts(*v) for k, v in self.polygons_dropped.items()},
            "polygons_kept": {str(k): as_counts(*v) for k, v in self.kept.items()},
        }

    def __str__(self) -> str:
        parts = [f"{self.name}: {self.read} features read near the tiles"]
        if self.mended:
            parts.append(f"{self.mended} mended")
        if self.ignored_values:
            parts.append(f"{self.ignored_values.total()} ignored by their value")
        parts += [f"{n} dropped ({reason})" for reason, n in self.features_dropped.items()]
        parts += [
            f"{n} polygons dropped ({reason}, {area / M2_PER_HECTARE:.1f} ha)"
            for reason, (n, area) in self.polygons_dropped.items()
        ]
        parts.append(f"{sum(n for n, _ in self.kept.values())} polygons kept")
        return ", ".join(parts)


def as_counts(polygons: int, area_m2: float) -> dict[str, Any]:
    """Polygons and hectares, rounded to a square metre, as JSON holds them."""
    return {"polygons": int(polygons), "hectares": round(float(area_m2) / M2_PER_HECTARE, 4)}
