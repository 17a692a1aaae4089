"""Which products of a tile a series is made of, and why the others are not."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from fgunet.errors import MissingAcquisitionError, MissingBandError, ProductError
from fgunet.rasters import require_same_grid
from fgunet.sentinel2.acquisition import Acquisition, Product, Request
from fgunet.sentinel2.coverage import cloud_share, holds_data
from fgunet.sentinel2.integrity import require_whole

OUTSIDE = "outside of the period"
BROKEN = "broken"
EMPTY = "entirely without data"
SUPERSEDED = "an equal or later version of the same acquisition is used"
CLOUDY = "too cloudy"


@dataclass(frozen=True)
class Criteria:
    """What an acquisition must be like to be used.

    Attributes
    ----------
    first_date, last_date : str
        First and last day of the period (YYYYMMDD), both within it.
    maximum_cloud_share : float
        Greatest share of the pixels with data that clouds and their shadows may cover.
    minimum : int
        Least number of acquisitions that must remain.
    strict : bool
        Whether a broken product is an error; else it is set aside.
    """

    first_date: str
    last_date: str
    maximum_cloud_share: float = 1.0
    minimum: int = 1
    strict: bool = True


@dataclass(frozen=True)
class Exclusion:
    """A product that is not used: its name, day (YYYYMMDD), family, the reason and the details."""

    product: str
    date: str
    family: str
    reason: str
    detail: str = ""


@dataclass
class Selection:
    """What a series is made of.

    Attributes
    ----------
    kept : list of Acquisition
        By time.
    cloud_shares : list of float
        Share of clouds and shadows in each of `kept`, of its pixels with data.
    excluded : list of Exclusion
        By day and name.
    """

    kept: list[Acquisition] = field(default_factory=list)
    cloud_shares: list[float] = field(default_factory=list)
    excluded: list[Exclusion] = field(default_factory=list)

    def count_reasons(self) -> dict[str, int]:
        """How many products were excluded for each reason."""
        return dict(sorted(Counter(exclusion.reason for exclusion in self.excluded).items()))


@dataclass(frozen=True)
class _Examined:
    """What looking into a product gave: an acquisition, or the reason why there is none."""

    product: Product
    acquisition: Acquisition | None = None
    cloud_share: float = 0.0
    reason: str = ""
    detail: str = ""


def select_acquisitions(
    products: Sequence[Product], request: Request, criteria: Criteria, *, threads: int = 1
) -> Selection:
    """Choose the acquisitions of one tile that a series is made of.

    Excluded are products outside of the period; broken ones, unless `criteria` is strict; those
    without any pixel that has data in all bands; those that are too cloudy; and, where products
    share platform and second, all but the one of the latest version (level letters break ties, C
    before D; then the name and path). Products of the same day and other orbits or datastrips are
    all kept.

    Parameters
    ----------
    products : sequence of Product
        All products of one tile, in any order.
    request : Request
        Bands and masks.
    criteria : Criteria
        What is asked of an acquisition.
    threads : int
        How many products are looked into at once; the result does not depend on it.

    Raises
    ------
    MissingBandError
        If a product lacks a band.
    ProductError
        If a product is broken and `criteria` is strict; all broken ones are named.
    MissingAcquisitionError
        If too few remain.
    GridError
        If two of those kept lie on different grids.
    """
    inside: list[Product] = []
    outside: list[Product] = []
    for product in products:
        fits = criteria.first_date <= product.date <= criteria.last_date
        (inside if fits else outside).append(product)
    with ThreadPoolExecutor(threads) as pool:
        examined = list(pool.map(lambda product: _examine(product, request), inside))
    broken = [one for one in examined if one.reason == BROKEN]
    if broken and criteria.strict:
        raise ProductError(_broken_message(broken, len(inside)))
    selection = Selection()
    selection.excluded += [Exclusion(p.name, p.date, p.family, OUTSIDE) for p in outside]
    _choose(examined, criteria, selection)
    selection.excluded.sort(key=lambda one: (one.date, one.product, one.reason))
    _require_enough(selection, criteria)
    require_same_grid((a.product, a.grid) for a in selection.kept)
    return selection


def _examine(product: Product, request: Request) -> _Examined:
    try:
        acquisition = product.describe(request)
        require_whole(acquisition)
        if not holds_data(acquisition):
            return _Examined(product, reason=EMPTY)
        return _Examined(product, acquisition, cloud_share(acquisition, request.reasons))
    except MissingBandError:
        raise
    except ProductError as error:
        return _Examined(product, reason=BROKEN, detail=str(error))


def _choose(examined: Sequence[_Examined], criteria: Criteria, selection: Selection) -> None:
    """Sort what was looked into into kept and excluded."""
    used: dict[tuple[str, str], str] = {}
    kept: list[tuple[Acquisition, float]] = []
    for one in sorted(examined, key=_preference):
        product, acquisition, reason, detail = one.product, one.acquisition, one.reason, one.detail
        if acquisition is not None:
            key = acquisition.platform, acquisition.time[:19]
            if key in used:
                reason, detail = SUPERSEDED, f"{used[key]} is used"
            else:
                used[key] = f"{acquisition.product}, {product.path}"
                if one.cloud_share > criteria.maximum_cloud_share:
                    reason, detail = CLOUDY, f"{one.cloud_share:.0%} of its pixels"
        if acquisition is None or reason:
            selection.excluded.append(
                Exclusion(product.name, product.date, product.family, reason, detail)
            )
        else:
            kept.append((acquisition, one.cloud_share))
    kept.sort(key=lambda pair: (pair[0].time, pair[0].product))
    selection.kept += [acquisition for acquisition, _ in kept]
    selection.cloud_shares += [share for _, share in kept]


def _preference(one: _Examined) -> tuple[tuple[int, ...], str, str, str]:
    """Sorts the version to be used first."""
    if one.acquisition is None:
        return (), "", one.product.name, one.product.path
    negated = tuple(-number for number in one.acquisition.version_key)
    return negated, one.acquisition.version, one.product.name, one.product.path


def _broken_message(broken: Sequence[_Examined], count: int) -> str:
    listed = "\n".join(f"  - {one.product.name}: {one.detail}" for one in broken)
    return (
        f"{len(broken)} of {count} products are broken:\n{listed}\n"
        "Mend them, or set products.strict to false to go on without them"
    )


def _require_enough(selection: Selection, criteria: Criteria) -> None:
    kept, excluded = len(selection.kept), len(selection.excluded)
    if kept >= max(criteria.minimum, 1):
        return
    reasons = ", ".join(f"{count} {reason}" for reason, count in selection.count_reasons().items())
    raise MissingAcquisitionError(
        f"{kept} acquisitions are left of {kept + excluded} found, "
        f"at least {max(criteria.minimum, 1)} are needed "
        f"between {criteria.first_date} and {criteria.last_date} (excluded: {reasons or 'none'}). "
        "Add products, move the period (series.first_date, n_dates, step_days, margin_days), "
        "raise products.maximum_cloud_share, or lower series.minimum_acquisitions"
    )
