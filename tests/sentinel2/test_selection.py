"""Which products a series is made of."""

import csv
import itertools
import os
import re
import shutil
import threading
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fgunet.errors import GridError, MissingAcquisitionError, MissingBandError, ProductError
from fgunet.sentinel2 import theia
from fgunet.sentinel2.acquisition import Acquisition, Product, Request
from fgunet.sentinel2.families import list_products
from fgunet.sentinel2.selection import (
    BROKEN,
    CLOUDY,
    EMPTY,
    OUTSIDE,
    SUPERSEDED,
    Criteria,
    Exclusion,
    Selection,
    select_acquisitions,
)
from tests.sentinel2.written_acquisitions import NODATA, flags

WriteProduct = Callable[..., Path]
REQUEST = Request(("B02", "B11"), ("cloud", "shadow", "nodata"))
JANUARY = Criteria("20180101", "20180131")


def name_of(
    day: str = "20180105",
    version: str = "C_V2-2",
    time: str = "105432-457",
    platform: str = "SENTINEL2A",
) -> str:
    return f"{platform}_{day}-{time}_L2A_T31TCJ_{version}"


def products_at(*paths: Path) -> list[Product]:
    return [product for path in paths for product in theia.recognise(path) or []]


def select(
    paths: Sequence[Path],
    criteria: Criteria = JANUARY,
    request: Request = REQUEST,
    threads: int = 1,
) -> Selection:
    products = products_at(*paths)
    assert len(products) == len(paths)
    return select_acquisitions(products, request, criteria, threads=threads)


def kept(selection: Selection) -> list[str]:
    return [acquisition.product for acquisition in selection.kept]


def excluded(selection: Selection) -> dict[str, str]:
    assert len({one.product for one in selection.excluded}) == len(selection.excluded)
    return {one.product: one.reason for one in selection.excluded}


def empty_bands() -> dict[str, np.ndarray]:
    return {"B02": np.full((12, 12), NODATA, np.int16), "B11": np.full((6, 6), NODATA, np.int16)}


def clouds(count: int, number: int = 2) -> dict[str, np.ndarray]:
    """A cloud mask that has a number in so many of 144 pixels."""
    return {"CLM_R1": flags(12, *[divmod(pixel, 12) for pixel in range(count)], number=number)}


def pack(folder: Path, archive: Path) -> Path:
    archive.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            packed.write(file, Path(folder.name, file.relative_to(folder)))
    return archive


# Reasons


def test_both_ends_of_the_period_are_in_it(write_product: WriteProduct) -> None:
    names = [name_of(day) for day in ("20171231", "20180101", "20180131", "20180201")]
    selection = select([write_product(name) for name in names])
    assert kept(selection) == names[1:3]
    assert selection.excluded == [
        Exclusion(names[0], "20171231", "theia", OUTSIDE),
        Exclusion(names[3], "20180201", "theia", OUTSIDE),
    ]


def test_what_lies_outside_of_the_period_is_not_looked_into(write_product: WriteProduct) -> None:
    outside = write_product(name_of("20190101"), names=())
    selection = select([outside, write_product()])
    assert excluded(selection) == {outside.name: OUTSIDE}


def test_a_product_without_common_data_is_empty(write_product: WriteProduct) -> None:
    bands = empty_bands()
    bands["B11"][5, 5] = bands["B02"][0, 0] = 7
    empty = write_product(name_of("20180106"), bands=bands)
    selection = select([write_product(), empty])
    assert kept(selection) == [name_of()]
    assert selection.excluded == [Exclusion(empty.name, "20180106", "theia", EMPTY)]
    assert selection.count_reasons() == {EMPTY: 1}


@pytest.mark.parametrize(
    ("older", "later"),
    [("D_V2-9", "C_V2-10"), ("C_V1-4", "D_V2-2"), ("D_V2-2", "C_V2-2"), ("C_V2-2", "C_V10-0")],
)
def test_the_latest_version_is_kept_by_number_then_by_letter(
    write_product: WriteProduct, older: str, later: str
) -> None:
    paths = [write_product(name_of(version=version)) for version in (older, later)]
    for order in (paths, paths[::-1]):
        selection = select(order)
        assert kept(selection) == [name_of(version=later)]
        [exclusion] = selection.excluded
        assert (exclusion.product, exclusion.reason) == (name_of(version=older), SUPERSEDED)
        assert exclusion.detail == f"{name_of(version=later)}, {paths[1]} is used"


def test_an_older_version_stands_in_for_a_later_one_that_cannot_be_used(
    write_product: WriteProduct,
) -> None:
    old = write_product(name_of(version="C_V1-4"))
    empty = write_product(name_of(version="C_V2-2"), bands=empty_bands())
    broken = write_product(name_of(version="C_V3-0"), masks={})
    selection = select([old, empty, broken], replace(JANUARY, strict=False))
    assert kept(selection) == [old.name]
    assert excluded(selection) == {empty.name: EMPTY, broken.name: BROKEN}


def test_an_older_version_does_not_stand_in_for_a_cloudy_one(write_product: WriteProduct) -> None:
    """The later version knows clouds better."""
    old = write_product(name_of(version="C_V1-4"))
    cloudy = write_product(name_of(version="C_V2-2"), masks=clouds(100))
    clear = write_product(name_of("20180106"))
    selection = select([old, cloudy, clear], replace(JANUARY, maximum_cloud_share=0.5))
    assert kept(selection) == [clear.name]
    assert excluded(selection) == {old.name: SUPERSEDED, cloudy.name: CLOUDY}


def test_the_same_product_in_two_folders_and_packed_is_used_once(
    write_product: WriteProduct, tmp_path: Path
) -> None:
    one = write_product(folder="one")
    two = write_product(folder="two")
    packed = pack(one, tmp_path / "archives" / f"{NAME}.zip")
    for order in itertools.permutations([two, packed, one]):
        selection = select(order)
        assert kept(selection) == [NAME]
        assert selection.kept[0].bands["B02"].startswith(f"/vsizip/{packed}/")
        reasons = [(one.product, one.reason, one.detail) for one in selection.excluded]
        assert reasons == [(NAME, SUPERSEDED, f"{NAME}, {packed} is used")] * 2


NAME = name_of()


def test_a_broken_copy_gives_way_to_a_whole_one(write_product: WriteProduct) -> None:
    broken = write_product(folder="a", masks={})
    whole = write_product(folder="b")
    selection = select([broken, whole], replace(JANUARY, strict=False))
    assert selection.kept[0].bands["B02"].startswith(str(whole))
    assert excluded(selection) == {NAME: BROKEN}


def test_second_and_platform_tell_acquisitions_apart(write_product: WriteProduct) -> None:
    """Two parts of a tile on one day are both kept; milliseconds may differ between versions."""
    first = write_product(name_of(time="105432-457"))
    again = write_product(name_of(time="105432-999", version="C_V1-4"))
    second = write_product(name_of(time="105447-457"))
    twin = write_product(name_of(platform="SENTINEL2B"))
    selection = select([twin, second, again, first])
    assert kept(selection) == [first.name, twin.name, second.name]
    assert excluded(selection) == {again.name: SUPERSEDED}


@pytest.mark.parametrize(("maximum", "usable"), [(0.5, True), (0.4999, False), (1.0, True)])
def test_the_greatest_share_of_clouds_may_be_reached(
    write_product: WriteProduct, maximum: float, usable: bool
) -> None:
    cloudy = write_product(name_of("20180106"), masks=clouds(72))
    selection = select([write_product(), cloudy], replace(JANUARY, maximum_cloud_share=maximum))
    if usable:
        assert kept(selection) == [NAME, cloudy.name]
        assert selection.cloud_shares == [0, 0.5]
    else:
        assert kept(selection) == [NAME]
        assert selection.cloud_shares == [0]
        assert selection.excluded == [
            Exclusion(cloudy.name, "20180106", "theia", CLOUDY, "50% of its pixels")
        ]


def test_only_reasons_that_count_make_a_product_cloudy(write_product: WriteProduct) -> None:
    shadowy = write_product(masks=clouds(144, number=32))
    criteria = replace(JANUARY, maximum_cloud_share=0.1)
    assert kept(select([shadowy], criteria, Request(("B02",), ("cloud",)))) == [NAME]
    with pytest.raises(MissingAcquisitionError, match=f"1 {CLOUDY}"):
        select([shadowy], criteria)


# Broken products


def cut_short(product: Path) -> Path:
    path = next(product.glob("*_FRE_B2.tif"))
    os.truncate(path, path.stat().st_size - 5)
    return product


def break_three(write_product: WriteProduct) -> dict[str, tuple[Path, str]]:
    """Products, each broken in its own way, and what is said of them."""
    return {
        "mask": (write_product(name_of("20180110"), masks={}), "has no cloud mask"),
        "file": (cut_short(write_product(name_of("20180111"))), r"FRE_B2\.tif cannot be read"),
        "bands": (write_product(name_of("20180112"), names=()), "lacks FRE of B02, B11; .*none"),
    }


def test_all_broken_products_are_named_at_once(write_product: WriteProduct) -> None:
    broken = break_three(write_product)
    with pytest.raises(ProductError) as error:
        select([write_product(), *[path for path, _ in broken.values()]])
    lines = str(error.value).splitlines()
    assert lines[0] == "3 of 4 products are broken:"
    for line, (path, message) in zip(lines[1:4], broken.values(), strict=True):
        assert line.startswith(f"  - {path.name}: ")
        assert re.search(message, line)
    assert lines[4] == "Mend them, or set products.strict to false to go on without them"
    assert not isinstance(error.value, MissingBandError)


def test_broken_products_are_set_aside_where_that_is_allowed(write_product: WriteProduct) -> None:
    broken = break_three(write_product)
    paths = [write_product(), *[path for path, _ in broken.values()]]
    selection = select(paths, replace(JANUARY, strict=False))
    assert kept(selection) == [NAME]
    assert [one.product for one in selection.excluded] == [p.name for p, _ in broken.values()]
    for one, (_, message) in zip(selection.excluded, broken.values(), strict=True):
        assert (one.reason, one.family) == (BROKEN, "theia")
        assert re.search(message, one.detail)
    assert selection.count_reasons() == {BROKEN: 3}


def test_a_file_that_is_read_late_is_found_to_be_broken_early(write_product: WriteProduct) -> None:
    """Neither the search for data nor the count of clouds needs the mask of the orbit."""
    path = write_product(masks=clouds(0) | {"EDG_R1": flags(12)})
    mask = next(path.glob("MASKS/*_EDG_R1.tif"))
    os.truncate(mask, mask.stat().st_size - 5)
    with pytest.raises(ProductError, match=r"EDG_R1\.tif cannot be read"):
        select([path], request=Request(("B02",), ("cloud", "edge")))


def test_a_broken_product_outside_of_the_period_is_no_error(write_product: WriteProduct) -> None:
    outside = write_product(name_of("20190101"), masks={})
    assert excluded(select([write_product(), outside])) == {outside.name: OUTSIDE}


@pytest.mark.parametrize("strict", [True, False])
def test_a_missing_band_is_an_error_in_any_case(write_product: WriteProduct, strict: bool) -> None:
    """The configuration asks for it: setting products aside would leave none or change the map."""
    paths = [write_product(), write_product(name_of("20180106"), names=("B02",))]
    with pytest.raises(MissingBandError, match=r"20180106.* lacks FRE of B11; it has B02"):
        select(
            [*paths, write_product(name_of("20180107"), masks={})], replace(JANUARY, strict=strict)
        )


def test_other_errors_are_not_taken_for_broken_products(write_product: WriteProduct) -> None:
    [product] = products_at(write_product())

    def fail(request: Request) -> Acquisition:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        select_acquisitions(
            [replace(product, describe=fail)], REQUEST, replace(JANUARY, strict=False)
        )


# Too few, other grids


def test_too_few_say_how_many_and_why(write_product: WriteProduct) -> None:
    late = write_product(name_of("20180301"))
    empty = write_product(name_of("20180106"), bands=empty_bands())
    paths = [write_product(), late, empty]
    with pytest.raises(MissingAcquisitionError) as error:
        select(paths, replace(JANUARY, minimum=2))
    message = str(error.value)
    assert "1 acquisitions are left of 3 found, at least 2 are needed" in message
    assert "between 20180101 and 20180131" in message
    assert f"(excluded: 1 {EMPTY}, 1 {OUTSIDE})" in message
    assert "series.minimum_acquisitions" in message
    assert len(select(paths).kept) == 1
    with pytest.raises(MissingAcquisitionError, match=r"0 acquisitions .* at least 1 are needed"):
        select([late], replace(JANUARY, minimum=0))
    with pytest.raises(MissingAcquisitionError, match=r"0 found.*excluded: none"):
        select([])


def test_other_grids_are_refused_with_both_names(write_product: WriteProduct) -> None:
    other = write_product(name_of("20180109"), left=600020.0)
    with pytest.raises(GridError, match=r"_20180109-.*_20180105-"):
        select([write_product(), other])


def test_grids_of_what_is_not_used_do_not_matter(write_product: WriteProduct) -> None:
    other = write_product(name_of("20180109"), left=600020.0, bands=empty_bands())
    assert kept(select([write_product(), other])) == [NAME]


# Order


def a_mixture(write_product: WriteProduct) -> list[Path]:
    return [
        write_product(),
        write_product(name_of(version="C_V1-4")),
        write_product(name_of(time="105447-457")),
        write_product(name_of("20180106"), bands=empty_bands()),
        write_product(name_of("20180107"), masks=clouds(100)),
        write_product(name_of("20180108"), masks=clouds(10)),
        write_product(name_of("20180109"), masks={}),
        write_product(name_of("20180109", version="C_V1-4")),
        write_product(name_of("20180203")),
        write_product(name_of("20180201")),
        write_product(name_of("20171201")),
        write_product(name_of("20180108"), folder="copies", masks=clouds(10)),
    ]


def test_the_result_depends_neither_on_order_nor_on_threads(write_product: WriteProduct) -> None:
    paths = a_mixture(write_product)
    criteria = replace(JANUARY, strict=False, maximum_cloud_share=0.5)
    expected = select(paths, criteria)
    assert len(expected.kept) == 4
    assert expected.count_reasons() == {BROKEN: 1, CLOUDY: 1, EMPTY: 1, OUTSIDE: 3, SUPERSEDED: 2}
    assert [one.date for one in expected.excluded] == sorted(one.date for one in expected.excluded)
    random = np.random.default_rng(0)
    for threads in (1, 4, 4):
        order = [paths[k] for k in random.permutation(len(paths))]
        assert select(order, criteria, threads=threads) == expected


def test_several_products_are_looked_into_at_once(write_product: WriteProduct) -> None:
    """Two that wait for each other end only if they are."""
    both = threading.Barrier(2, timeout=20)
    products = products_at(write_product(), write_product(name_of("20180106")))

    def waiting(product: Product) -> Product:
        def describe(request: Request) -> Acquisition:
            both.wait()
            return product.describe(request)

        return replace(product, describe=describe)

    selection = select_acquisitions([waiting(p) for p in products], REQUEST, JANUARY, threads=2)
    assert len(selection.kept) == 2


# Real products


def test_real_products_without_data_are_excluded(shared_data: Path) -> None:
    folder = shared_data / "theia_T31UFQ"
    with (folder / "products.csv").open() as file:
        rows = list(csv.DictReader(file))
    empty = {row["product"] for row in rows if float(row["nodata_frac"]) == 1}
    assert (len(rows), len(empty)) == (55, 26)
    found = list_products([str(folder / "products")])["T31UFQ"]
    request = Request(("B02", "B03", "B04", "B8A", "B11", "B12"), REQUEST.reasons)
    selection = select_acquisitions(found, request, Criteria("20150101", "20181231"), threads=2)
    assert excluded(selection) == dict.fromkeys(empty, EMPTY)
    assert set(kept(selection)) == {row["product"] for row in rows} - empty
    assert kept(selection) == sorted(kept(selection), key=lambda name: name.split("_")[1])
    flagged = {row["product"]: float(row["clm_flagged_frac"]) for row in rows}
    expected = [flagged[name] for name in kept(selection)]
    np.testing.assert_allclose(selection.cloud_shares, expected, atol=5.1e-4)


def test_a_real_product_that_is_there_twice_is_used_once(shared_data: Path, tmp_path: Path) -> None:
    name = "SENTINEL2A_20160508-104027-456_L2A_T31UFQ_D_V1-1"
    original = shared_data / "theia_T31UFQ" / "products" / name
    shutil.copytree(original, tmp_path / "copy" / name)
    archive = pack(original, tmp_path / f"{name}.zip")
    criteria = Criteria("20160501", "20160531")
    selection = select([original, tmp_path / "copy" / name, archive], criteria)
    assert kept(selection) == [name]
    assert selection.count_reasons() == {SUPERSEDED: 2}
