"""A run that never was: small random maps and every document that a report reads."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest
import shapely
from scipy.ndimage import gaussian_filter

from fgunet.accuracy.comparison import compare
from fgunet.accuracy.confusion import Confusion, confuse, count_confusion, pool
from fgunet.accuracy.learning_time import learning_time
from fgunet.accuracy.regularisation import regularisation_table
from fgunet.accuracy.tables import tabulate
from fgunet.mapping.majority import majority
from fgunet.nomenclature import LandCoverClass, Nomenclature, read_nomenclature
from fgunet.report.gaps import measure_gaps
from fgunet.report.page import ReportInputs
from fgunet.report.sheets import Sheet
from fgunet.sentinel2.selection import BROKEN, CLOUDY, EMPTY, OUTSIDE, SUPERSEDED

TILES = {
    "T30TWT": (330, 6750), "T30TXQ": (370, 6430), "T30TYN": (450, 6250), "T30UXV": (460, 6900),
    "T31TDJ": (650, 6260), "T31TDN": (660, 6720), "T31TEL": (720, 6500), "T31TGK": (930, 6400),
    "T31UDQ": (650, 6870), "T31UDS": (660, 7040), "T32ULU": (1010, 6810),
}  # fmt: skip
SIDE = 96
RIGHT = {"fgunet": 0.86, "forest": 0.76}


@pytest.fixture(scope="session")
def nomenclature(root):
    return read_nomenclature(root / "tables" / "oso17.yaml")


@pytest.fixture(scope="session")
def few_classes():
    return Nomenclature(
        "two",
        (
            LandCoverClass(1, "land", (120, 160, 90), "land"),
            LandCoverClass(2, "sea", (20, 60, 160), "sea"),
        ),
    )


@dataclass
class World:
    """What the figures and the page of one run are made of."""

    nomenclature: Nomenclature
    methods: tuple[str, ...]
    truths: dict[str, np.ndarray] = field(default_factory=dict)
    maps: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)
    polygons: dict[str, np.ndarray] = field(default_factory=dict)
    splits: dict[str, np.ndarray] = field(default_factory=dict)
    confusions: list[Confusion] = field(default_factory=list)


def make_world(nomenclature, methods=("fgunet", "forest"), tiles=tuple(TILES), seed=0):
    random = np.random.default_rng(seed)
    world = World(nomenclature, tuple(methods))
    codes = np.array(nomenclature.codes, dtype=np.uint8)
    for place, tile in enumerate(tiles):
        fields = gaussian_filter(random.normal(size=(len(codes), SIDE, SIDE)), (0, 5, 5))
        truth = codes[fields.argmax(axis=0)]
        rows, columns = np.indices(truth.shape)
        cell = rows // 8 * (SIDE // 8) + columns // 8
        middle = codes[np.searchsorted(codes, truth[4::8, 4::8])].ravel()
        inner = (rows % 8 >= 1) & (rows % 8 < 7) & (columns % 8 >= 1) & (columns % 8 < 7)
        split_of = random.choice([1, 1, 1, 2, 3, 3], size=middle.size).astype(np.uint8)
        polygon = np.where(inner & (truth == middle[cell]), cell + 1 + 1000 * place, 0)
        world.truths[tile] = truth
        world.polygons[tile] = polygon
        world.splits[tile] = np.where(polygon > 0, split_of[cell], 0).astype(np.uint8)
        world.maps[tile] = {m: _mapped(truth, codes, RIGHT[m], random) for m in methods}
        for method in methods:
            reference = np.where(world.splits[tile] == 3, truth, 0)
            block = (polygon, reference, world.maps[tile][method])
            world.confusions.append(
                confuse([block], tile=tile, method=method, codes=codes.tolist())
            )
    return world


def _mapped(truth, codes, right, random):
    """The truth, wrong in patches, and a corner without class."""
    noise = gaussian_filter(random.normal(size=truth.shape), 1.5)
    wrong = noise > np.quantile(noise, right)
    mapped = np.where(wrong, np.roll(codes, 1)[np.searchsorted(codes, truth)], truth)
    mapped[:3, :3] = 0
    return mapped.astype(np.uint8)


def sheet_of(world, tile):
    truth = world.truths[tile]
    random = np.random.default_rng(1)
    base = np.stack(
        [gaussian_filter(truth.astype(float) * k % 90, 0.8) for k in (3, 7, 5)], axis=-1
    )
    image = np.clip(base / 90 + random.normal(size=base.shape) * 0.03, 0, 1)
    confidence = np.clip(gaussian_filter(random.normal(size=truth.shape), 3) * 160 + 70, 20, 100)
    confidence[:3, :3] = 255
    return Sheet(
        tile=tile,
        subtitle="EPSG:32630, 0.96 × 0.96 km",
        image=image,
        image_title="2016-06-18, true colour",
        reference=np.where(world.polygons[tile] > 0, truth, 0).astype(np.uint8),
        split=world.splits[tile],
        maps=world.maps[tile],
        confidences={m: confidence.astype(np.uint8) for m in world.methods},
        width_m=960.0,
    )


def footprints_of(world):
    return {
        tile: shapely.box(1000 * x, 1000 * y, 1000 * x + 2560, 1000 * y + 2560)
        for tile, (x, y) in TILES.items()
        if tile in world.truths
    }


MASKS = {
    "cloud": True, "shadow": True, "edge": True, "saturation": True, "nodata": True,
    "dark": True, "snow": False, "dilation_m": 40,
}  # fmt: skip
LEFT_OUT = [
    (BROKEN, "its file of the band B04 ends after 1048576 of 2097152 bytes; fetch it again"),
    (EMPTY, ""),
    (CLOUDY, "93% of its pixels"),
    (SUPERSEDED, "a later version is used"),
]


def kept_acquisition(tile, day):
    return {
        "product": f"SENTINEL2A_{day:%Y%m%d}-105500-000_L2A_{tile}_C_V1-0",
        "family": "theia",
        "tile": tile,
        "time": f"{day:%Y-%m-%d}T10:55:00.000",
        "platform": "SENTINEL2A",
        "version": "C_V1-0",
        "baseline": "",
    }


def acquisitions_of(world):
    """Listings of the tiles; a product of every fourth tile is broken."""
    random = np.random.default_rng(3)
    listings = []
    for place, tile in enumerate(world.truths):
        days = pd.date_range("2015-12-28", "2017-01-12", freq="10D") + pd.Timedelta(days=place % 5)
        out = dict(zip(random.permutation(len(days)), LEFT_OUT[place % 4 :], strict=False))
        excluded = [
            {
                "product": f"S2A_MSIL2A_{day:%Y%m%d}T105031_N0204_R051_{tile}_{day:%Y%m%d}T105355",
                "date": f"{day:%Y%m%d}",
                "family": "safe",
                "reason": out[number][0],
                "detail": out[number][1],
            }
            for number, day in enumerate(days)
            if number in out
        ]
        old = {"product": f"SENTINEL2A_20140101-105500-000_L2A_{tile}_C_V1-0", "date": "20140101"}
        excluded.append({**old, "family": "theia", "reason": OUTSIDE, "detail": ""})
        kept = [kept_acquisition(tile, d) for number, d in enumerate(days) if number not in out]
        listings.append(
            {
                "tile": tile,
                "kept": kept,
                "cloud_shares": (random.random(len(kept)) ** 2).round(4).tolist(),
                "excluded": excluded,
                "missing_masks": {"SAT_R1": 2} if place == 0 else {},
                "undeclared_nodata": 1 if place == 1 else 0,
                "masks": MASKS,
            }
        )
    return listings


def gaps_of(world):
    """How often the pixels were seen, with a corner that never was; limit of 60 days."""
    random = np.random.default_rng(5)
    gaps = {}
    for tile in world.truths:
        clouds = gaussian_filter(random.normal(size=(SIDE, SIDE)), 9)
        clouds /= clouds.std()
        clear = np.clip(19 - 4 * clouds, 3, 40).astype(np.uint16)
        clear[:6, :9] = 0
        longest = np.where(clear, np.clip(58 + 22 * clouds, 9, 240), 65535).astype(np.uint16)
        counts = {
            "clear_count": clear,
            "longest_gap": longest,
            "bridged_count": np.where((longest > 60) & (clear > 0), 4, 0).astype(np.uint16),
        }
        gaps[tile] = measure_gaps(_reader(counts), (SIDE, SIDE), 33, 1)
    return gaps


def _reader(counts):
    return lambda window: {name: values[window.slices] for name, values in counts.items()}


def audit_of(world):
    names = {1: "training", 2: "validation", 3: "test"}
    rows, pixels = [], []
    for code in world.nomenclature.codes:
        for number, split in names.items():
            chosen = [
                world.polygons[t][(world.truths[t] == code) & (world.splits[t] == number)]
                for t in world.truths
            ]
            row = {"source": "clc" if code % 2 else "rpg", "code": code, "split": split}
            polygons = sum(np.unique(one).size for one in chosen)
            rows.append(row | {"polygons": polygons, "hectares": polygons * 0.36})
            pixels.append(row | {"pixels": sum(one.size for one in chosen)})
    codes = world.nomenclature.codes
    of_class = {
        str(code): {"name": name, **_shares_of([row for row in rows if row["code"] == code])}
        for code, name in world.nomenclature.names.items()
    }
    return {
        "counts": {
            "rows": rows,
            "classes": of_class,
            "splits": _shares_of(rows),
            "tiles": dict.fromkeys(world.truths, _shares_of(rows)),
        },
        "pixels": {"rows": pixels},
        "split": {
            "options": {
                "mode": "polygons", "test_share": 0.34, "validation_share": 0.1,
                "square_m": 10_000.0, "min_distance": 0.0,
            },
            "merged": [],
            "rescued": [],
        },
        "left_out": [],
        "steps": steps_of(codes),
        "leakage": {
            "polygons_without_split": 0,
            "polygon_ids_repeated": 0,
            "features_in_several_splits": 0,
            "overlaps_between_splits": 0,
            "overlaps_between_splits_m2": 0.0,
            "pixels_on_two_sides": 0,
            "pixels_of_another_side": 0,
            "neighbours_between_splits": 41,
        },
        "distances": {
            "polygons": 400,
            "percentiles": {
                "0": 0.0, "5": 12.0, "25": 20.0, "50": 61.0, "75": 90.0, "95": 1400.0, "100": 4e3,
            },
            "histogram": {
                "edges_m": [0, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000],
                "counts": [10, 90, 90, 120, 50, 20, 0, 15, 5, 0, 0],
            },
        },
        "reach": {
            "patch_size": 64, "jitter": 21, "pixels": 9000, "in_reach": 8550, "share": 0.95,
            "classes": {str(codes[0]): {"pixels": 500, "in_reach": 490, "share": 0.98}},
        },
        "fusion": {
            "sources": [
                {
                    "name": name,
                    "year": year,
                    "precedence": place,
                    "features_read": 500,
                    "features_mended": 2,
                    "features_dropped": {"unknown value 999": 3},
                    "features_ignored_by_value": {"JAC": 12},
                    "polygons_dropped": {"too small": {"polygons": 40, "hectares": 0.9}},
                    "fusion_cut": {"polygons": 31, "hectares": 2.5},
                    "fusion_dropped": {"cut away": {"polygons": 9, "hectares": 1.2}},
                    "fusion_kept": {"polygons": 436, "hectares": 230.0},
                }
                for place, (name, year) in enumerate([("rpg", 2016), ("clc", None)], start=1)
            ],
            "overlaps": [
                {
                    "kept_source": "rpg",
                    "kept_code": codes[0],
                    "cut_source": "clc",
                    "cut_code": codes[1],
                    "pairs": 14,
                    "hectares": 3.25,
                    "contradiction": True,
                }
            ],
        },
    }  # fmt: skip


def _shares_of(rows):
    """Polygons and hectares by split, with the share of the test."""
    found = {
        split: {
            key: sum(row[key] for row in rows if row["split"] == split)
            for key in ("polygons", "hectares")
        }
        for split in ("training", "validation", "test")
    }
    area = {split: one["hectares"] for split, one in found.items()}
    rest = area["training"] + area["validation"]
    share = area["test"] / (area["test"] + rest) if area["test"] + rest else None
    of_rest = area["validation"] / rest if rest else None
    return {**found, "test_share": share, "validation_share": of_rest}


def steps_of(codes):
    """What was left of two sources after each step."""
    rows = []
    for source, read in (("rpg", 500), ("clc", 300)):
        rows.append({"source": source, "step": "read", "code": None, "features": read})
        for lost, step in enumerate(("prepared", "fused", "in_tiles", "split"), start=1):
            left = read - 30 * lost
            row = {"source": source, "step": step, "code": codes[0], "polygons": left}
            rows.append(row | {"hectares": 0.5 * left})
        rows[-1]["pixels"] = 36 * rows[-1]["polygons"]
    return rows


def history():
    epochs = np.arange(1, 13)
    return pd.DataFrame(
        {
            "epoch": epochs,
            "loss": 2.6 * np.exp(-epochs / 4) + 0.35,
            "validation_loss": 2.7 * np.exp(-epochs / 4) + 0.5,
            "validation_kappa": 0.85 - 0.7 * np.exp(-epochs / 3) - (epochs > 10) * 0.01,
            "learning_rate": np.where(epochs < 9, 2e-3, 6e-4),
            "wall_s": 60.0 * epochs,
        }
    )


def regularised(world, pooled, samples):
    """Scores and comparisons of the maps as they are, and after a majority filter of radius 1."""
    filtered = {method: [] for method in world.methods}
    for tile, maps in world.maps.items():
        reference = np.where(world.splits[tile] == 3, world.truths[tile], 0)
        for method, codes in maps.items():
            block = (world.polygons[tile], reference, majority(codes, 1))
            filtered[method].append(
                confuse([block], tile=tile, method=method, codes=world.nomenclature.codes)
            )
    kinds = {"none": [*pooled.values()], "majority": [pool(maps) for maps in filtered.values()]}
    options = {"samples": samples, "seed": 0}
    group = world.nomenclature.group("urban")
    return {
        "regularisation": regularisation_table(
            kinds, world.nomenclature, focus_group="urban", **options
        ),
        "regularisation_comparison": {
            "majority_radius": 1,
            "comparisons": {
                kind: compare(*maps, group=group, **options) for kind, maps in kinds.items()
            },
        },
    }


def inputs_of(world, samples=60, **changed):
    pooled = {m: pool([c for c in world.confusions if c.method == m]) for m in world.methods}
    summary, classes = tabulate(
        [*pooled.values(), *world.confusions],
        world.nomenclature,
        focus_group="urban",
        samples=samples,
        seed=0,
    )
    comparison = {"reason": "one method in this run"}
    if len(world.methods) > 1:
        group = world.nomenclature.group("urban")
        comparison = compare(*pooled.values(), group=group, samples=samples, seed=0)
        changed = {**regularised(world, pooled, samples), **changed}
    truth = [
        {
            "tile": tile,
            "method": method,
            "codes": list(world.nomenclature.codes),
            "confusion": count_confusion(
                world.truths[tile], world.maps[tile][method], world.nomenclature.codes
            ).tolist(),
        }
        for tile in world.truths
        for method in world.methods
    ]
    metadata = {
        "fgunet": {
            "method": "fgunet", "n_parameters": 143_201, "width": 16, "epochs": 12,
            "best_epoch": 10, "best_validation_kappa": 0.83, "patches": 2880, "workers": 2,
            "threads_per_worker": 1, "wall_s": 1780.0, "cpu_s": 3391.0,
        },
        "forest": {
            "method": "forest", "trees": 100, "samples": {"11": 10_000, "51": 6_832},
            "score": {"on": "validation", "kappa": 0.79, "pixels": 20_000},
            "workers": 1, "threads_per_worker": 2, "wall_s": 41.0, "cpu_s": 79.0,
            "dates": ["20160105", "20160706"], "bands": ["B02", "B03"],
            "feature_importances": [[0.1, 0.2], [0.3, 0.4]],
        },
    }  # fmt: skip
    values = {
        "title": "Eleven simulated tiles, 2016",
        "methods": world.methods,
        "nomenclature": world.nomenclature,
        "focus_group": "urban",
        "configuration": {
            "title": "Eleven simulated tiles, 2016",
            "tiles": list(world.truths),
            "series": {
                "first_date": "20160105",
                "n_dates": 33,
                "step_days": 11,
                "dates": None,
            },
            "fgunet": {"width": 16, "dropout": 0.2},
        },
        "summary": summary,
        "classes": classes,
        "comparison": comparison,
        "acquisitions": acquisitions_of(world),
        "facts": [
            {"tile": tile, "gaps": gaps.figures, "max_gap_days": 60}
            for tile, gaps in gaps_of(world).items()
        ],
        "metadata": {m: metadata[m] for m in world.methods},
        "learning_time": learning_time([metadata[m] for m in world.methods]),
        "audit": audit_of(world),
        "truth": truth,
    }
    return ReportInputs(**{**values, **changed})


@dataclass
class Run:
    """A world with everything that its figures and its page are drawn from."""

    world: World
    inputs: ReportInputs
    tile: str = "T30TWT"

    @property
    def matrices(self):
        own = self.world.confusions
        return {m: pool([c for c in own if c.method == m]).matrix for m in self.world.methods}

    @property
    def sheet(self):
        return sheet_of(self.world, self.tile)

    @property
    def gaps(self):
        return gaps_of(self.world)

    @property
    def footprints(self):
        return footprints_of(self.world)

    @property
    def thumbnails(self):
        return {tile: maps[self.world.methods[0]] for tile, maps in self.world.maps.items()}


@pytest.fixture(scope="session")
def run(nomenclature):
    world = make_world(nomenclature)
    return Run(world, inputs_of(world))


@pytest.fixture(scope="session")
def small_run(few_classes):
    """One method, one tile, two classes, no focus group."""
    world = make_world(few_classes, methods=("forest",), tiles=("T30TWT",))
    series = {"dates": ["20160105", "20160201"], "n_dates": None}
    configuration = {"title": "One tile", "tiles": ["T30TWT"], "series": series}
    return Run(world, inputs_of(world, focus_group=None, configuration=configuration))


@pytest.fixture(scope="session", name="history")
def history_fixture():
    return history()
