"""What was read from a source, what was left out, and why."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

M2_PER_HECTARE = 10_000.0

Classes = dict[int, tuple[int, float]]
"""(polygons, m2) by class code."""


@dataclass
class Tally:
    """Counts of one source; reasons that never happened are not listed.

    Attributes
    ----------
    name : str
        Name of the source.
    precedence : int
        Rank of the source; the lower keeps the ground.
    year : int or None
        Year that the source shows.
    read, mended : int
        Features read near the tiles, and those whose geometry was not valid.
    linearised, flattened : int
        Features read whose arcs became chords, and those that lost a height.
    hollow : dict
        Features of the whole layer that no spatial filter finds, by reason.
    features_dropped : Counter
        Features left out, by reason.
    ignored_values : Counter
        Features left out on purpose, by source code.
    polygons_dropped : dict
        (polygons, m2) left out after multi-part features were taken apart, by reason.
    translated : dict
        Polygons of a known class, mended and in metres, by class code: before buffer, erosion
        and least area. Lines have no area yet.
    kept : dict
        Polygons that are left, by class code.
    """

    name: str
    precedence: int = 0
    year: int | None = None
    read: int = 0
    mended: int = 0
    linearised: int = 0
    flattened: int = 0
    hollow: dict[str, int] = field(default_factory=dict)
    features_dropped: Counter[str] = field(default_factory=Counter)
    ignored_values: Counter[str] = field(default_factory=Counter)
    polygons_dropped: dict[str, tuple[int, float]] = field(default_factory=dict)
    translated: Classes = field(default_factory=dict)
    kept: Classes = field(default_factory=dict)

    def drop_features(self, reason: str, count: int) -> None:
        """Count features left out."""
        if count:
            self.features_dropped[reason] += count

    def ignore_values(self, values: NDArray[np.object_]) -> None:
        """Count features ignored on purpose, given their source codes (n,)."""
        counts = pd.Series(values, dtype=object).value_counts(sort=False)
        self.ignored_values.update({str(value): int(n) for value, n in counts.items()})

    def drop_polygons(self, reason: str, area_m2: NDArray[np.float64]) -> None:
        """Count polygons left out, given their areas (n,) in m2 (0 where not known)."""
        if len(area_m2):
            count, area = self.polygons_dropped.get(reason, (0, 0.0))
            self.polygons_dropped[reason] = count + len(area_m2), area + float(area_m2.sum())

    def translate(self, code: NDArray[np.int64], area_m2: NDArray[np.float64]) -> None:
        """Count the polygons of a known class, given codes and areas (n,)."""
        self.translated = _by_class(code, area_m2)

    def keep(self, code: NDArray[np.int64], area_m2: NDArray[np.float64]) -> None:
        """Count the polygons that are left, given codes and areas (n,)."""
        self.kept = _by_class(code, area_m2)

    def to_dict(self) -> dict[str, Any]:
        """A value that JSON can hold; areas in hectares.

        `steps` lists what each step left: "read" (`features`; a class is not yet known),
        "translated" and "prepared" (`classes`, with polygons and hectares).
        """
        return {
            "precedence": self.precedence,
            "year": self.year,
            "features_read": self.read,
            "features_mended": self.mended,
            "features_linearised": self.linearised,
            "features_flattened": self.flattened,
            "features_of_the_layer_without_geometry": dict(self.hollow),
            "features_dropped": dict(self.features_dropped),
            "features_ignored_by_value": dict(self.ignored_values),
            "polygons_dropped": {k: as_counts(*v) for k, v in self.polygons_dropped.items()},
            "polygons_kept": _counts(self.kept),
            "steps": [
                {"step": "read", "features": self.read, "classes": {}},
                {"step": "translated", "classes": _counts(self.translated)},
                {"step": "prepared", "classes": _counts(self.kept)},
            ],
        }

    def __str__(self) -> str:
        parts = [f"{self.name}: {self.read} features read near the tiles"]
        altered = {"mended": self.mended, "linearised": self.linearised} | {
            "flattened": self.flattened,
            "ignored by their value": self.ignored_values.total(),
        }
        parts += [f"{count} {how}" for how, count in altered.items() if count]
        parts += [f"{n} in the whole layer have {what}" for what, n in self.hollow.items()]
        parts += [f"{n} dropped ({reason})" for reason, n in self.features_dropped.items()]
        parts += [
            f"{n} polygons dropped ({reason}, {area / M2_PER_HECTARE:.1f} ha)"
            for reason, (n, area) in self.polygons_dropped.items()
        ]
        parts.append(f"{sum(n for n, _ in self.kept.values())} polygons kept")
        return ", ".join(parts)


def counts_by_class(code: NDArray[np.int64], area_m2: NDArray[np.float64]) -> dict[str, Any]:
    """Polygons and hectares by class, as JSON holds them, given codes and areas (n,)."""
    return _counts(_by_class(code, area_m2))


def _by_class(code: NDArray[np.int64], area_m2: NDArray[np.float64]) -> Classes:
    found, place = np.unique(code, return_inverse=True)
    polygons = np.bincount(place, minlength=len(found))
    area = np.bincount(place, weights=area_m2, minlength=len(found))
    rows = zip(found.tolist(), polygons.tolist(), area.tolist(), strict=True)
    return {one: (n, m2) for one, n, m2 in rows}


def _counts(classes: Classes) -> dict[str, Any]:
    return {str(code): as_counts(*counted) for code, counted in classes.items()}


def as_counts(polygons: int, area_m2: float) -> dict[str, Any]:
    """Polygons and hectares, rounded to a square metre, as JSON holds them."""
    return {"polygons": int(polygons), "hectares": round(float(area_m2) / M2_PER_HECTARE, 4)}
