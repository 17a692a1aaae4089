"""Products of all families, found in one place."""

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fgunet.errors import MissingAcquisitionError
from fgunet.sentinel2 import safe, stac, theia
from fgunet.sentinel2.acquisition import Product, Request
from fgunet.sentinel2.families import (
    FAMILIES,
    count_missing_masks,
    list_products,
    products_of_tile,
)
from tests.sentinel2 import safe_products
from tests.sentinel2.stac_products import plain_item, save_catalogue, save_item

WriteProduct = Callable[..., Path]
THEIA = "SENTINEL2A_20180105-105432-457_L2A_T31TCJ_C_V2-2"
THEIA_PACKED = "SENTINEL2B_20180110-105432-457_L2A_T31TCJ_C_V2-2"
THEIA_OTHER = "SENTINEL2A_20180105-105432-457_L2A_T31TDJ_C_V2-2"
SAFE = safe_products.NAME
SAFE_PACKED = "S2B_MSIL2A_20210710T105031_N0500_R051_T31TCJ_20230121T134503"
ITEM = "S2A_MSIL2A_20180804T105022_N0208_R051_T31UES_20180804T140000"
LATER_ITEM = "S2A_MSIL2A_20180814T105022_N0208_R051_T31UES_20180814T140000"
SEARCH = stac.Search(("T31TCJ",), "20180101", "20181231", ("sentinel-2-l2a",))


@pytest.fixture
def mixture(tmp_path: Path, write_product: WriteProduct) -> Path:
    """Folders and archives of both producers and a STAC catalogue, among other things."""
    top = tmp_path / "mixture"
    write_product(THEIA, folder="mixture/theia/2018")
    packed = write_product(THEIA_PACKED, folder="elsewhere")
    with zipfile.ZipFile(top / "theia" / f"{THEIA_PACKED}.zip", "w") as archive:
        for file in (path for path in packed.rglob("*") if path.is_file()):
            archive.write(file, Path(THEIA_PACKED, file.relative_to(packed)))
    write_product(THEIA_OTHER, folder="mixture/theia/2018")
    esa = safe_products.write_safe(top / "esa")
    renamed = safe_products.pack(esa).rename(top / "esa" / f"{SAFE_PACKED}.zip")
    assert renamed.is_file()
    items = []
    for item_id, time in ((ITEM, "2018-08-04T10:50:22Z"), (LATER_ITEM, "2018-08-14T10:50:22Z")):
        items.append(save_item(top / "stac", plain_item(top / "stac", item_id, time=time)))
    hrefs = [path.relative_to(top / "stac").as_posix() for path in items]
    save_catalogue(top / "stac" / "catalog.json", hrefs)
    (top / "notes.txt").write_text("nothing")
    (top / "settings.json").write_text('{"type": "Feature"}')
    (top / "empty").mkdir()
    with zipfile.ZipFile(top / "other.zip", "w") as archive:
        archive.writestr("x", "y")
    return top


def names(found: dict[str, list[Product]]) -> dict[str, list[tuple[str, str]]]:
    return {tile: [(p.family, p.name) for p in products] for tile, products in found.items()}


EVERYTHING = {
    "T31TCJ": [("theia", THEIA), ("theia", THEIA_PACKED), ("safe", SAFE), ("safe", SAFE_PACKED)],
    "T31TDJ": [("theia", THEIA_OTHER)],
    "T31UES": [("stac", ITEM), ("stac", LATER_ITEM)],
}


def test_each_product_is_recognised_at_any_depth(mixture: Path) -> None:
    found = list_products([str(mixture)])
    assert names(found) == EVERYTHING
    assert {p.date for p in found["T31UES"]} == {"20180804", "20180814"}
    assert [p.path for p in found["T31TCJ"]] == [
        f"{mixture}/theia/2018/{THEIA}",
        f"{mixture}/theia/{THEIA_PACKED}.zip",
        f"{mixture}/esa/{SAFE}.SAFE",
        f"{mixture}/esa/{SAFE_PACKED}.zip",
    ]


def test_what_is_found_can_be_opened(mixture: Path) -> None:
    request = Request(("B02", "B11"), ("cloud", "shadow"))
    found = list_products([str(mixture)])
    described = [
        product.describe(request)
        for products in found.values()
        for product in products
        if product.name != SAFE_PACKED  # which holds another product
    ]
    assert [one.family for one in described] == [*["theia"] * 2, "safe", "theia", *["stac"] * 2]
    assert [set(one.masks) for one in described] == [{"CLM"}] * 2 + [{"SCL"}, {"CLM"}] + [
        {"SCL"}
    ] * 2


@pytest.mark.parametrize("family", FAMILIES)
def test_one_family_may_be_chosen(mixture: Path, family: str) -> None:
    expected = {
        tile: [(of, name) for of, name in products if of == family]
        for tile, products in EVERYTHING.items()
    }
    found = list_products([str(mixture)], family=family)
    assert names(found) == {tile: products for tile, products in expected.items() if products}


def test_a_location_may_be_a_product_an_archive_or_a_catalogue(mixture: Path) -> None:
    locations = [
        f"{mixture}/theia/2018/{THEIA}/",
        f"{mixture}/esa/{SAFE_PACKED}.zip",
        f"{mixture}/stac/{ITEM}/{ITEM}.json",
    ]
    assert names(list_products(locations)) == {
        "T31TCJ": [("theia", THEIA), ("safe", SAFE_PACKED)],
        "T31UES": [("stac", ITEM)],
    }
    assert names(list_products([f"{mixture}/stac/catalog.json"])) == {
        "T31UES": EVERYTHING["T31UES"]
    }
    assert list_products([]) == {}
    assert list_products([f"{mixture}/notes.txt"]) == {}


def test_a_product_that_is_found_twice_at_one_place_is_one(mixture: Path) -> None:
    locations = [str(mixture), f"{mixture}/esa", f"{mixture}/stac/{ITEM}/{ITEM}.json"]
    assert names(list_products(locations)) == EVERYTHING


def test_copies_at_two_places_are_two(mixture: Path) -> None:
    shutil.copytree(mixture / "theia", mixture / "copy")
    found = list_products([str(mixture)])["T31TCJ"]
    assert [p.name for p in found] == [THEIA] * 2 + [THEIA_PACKED] * 2 + [SAFE, SAFE_PACKED]


def test_links_are_followed_and_may_loop(mixture: Path, tmp_path: Path) -> None:
    (mixture / "theia" / "up").symlink_to("..")
    (mixture / "self").symlink_to("self")
    (mixture / "broken").symlink_to("nowhere")
    assert names(list_products([str(mixture)])) == EVERYTHING
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "esa").symlink_to(mixture / "esa")
    (tmp_path / "links" / THEIA).symlink_to(mixture / "theia" / "2018" / THEIA)
    assert names(list_products([str(tmp_path / "links")])) == {
        "T31TCJ": [("theia", THEIA), ("safe", SAFE), ("safe", SAFE_PACKED)]
    }


def test_two_links_to_one_folder_are_entered_once(mixture: Path) -> None:
    (mixture / "again").symlink_to(mixture / "esa")
    assert names(list_products([str(mixture)])) == EVERYTHING


@pytest.mark.parametrize(
    "ending",
    [".tar", ".SAFE.tar.gz", ".SAFE.ZIP", ".safe", "(1).zip", ".SAFE (1).zip", ".zip.part"],
)
def test_a_product_of_another_ending_is_passed_over_with_a_warning(
    mixture: Path, caplog: pytest.LogCaptureFixture, ending: str
) -> None:
    other = mixture / "esa" / f"{SAFE.replace('20210705T', '20210815T')}{ending}"
    other.write_bytes(b"x")
    assert names(list_products([str(mixture)])) == EVERYTHING
    [message] = caplog.messages
    assert message.startswith("passed over, because a product's name is followed by another")
    assert f"(.zip): {other}; unpack, download or name anew" in message
    caplog.clear()
    assert list_products([str(other)]) == {}
    assert str(other) in caplog.text


@pytest.mark.parametrize(
    ("name", "inside"),
    [
        (SAFE, "MTD_MSIL2A.xml"),
        (f"{SAFE}.safe", "MTD_MSIL2A.xml"),
        (f"{SAFE}.SAFE.SAFE", "anything"),
        (f"{THEIA} (1)", f"{THEIA}_FRE_B2.tif"),
        (THEIA.removesuffix("_V2-2"), f"{THEIA}_MTD_ALL.xml"),
        (f"{THEIA}.zip", "anything"),
    ],
)
def test_a_folder_of_another_ending_too(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, inside: str
) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / inside).touch()
    assert list_products([str(tmp_path)]) == {}
    assert [f"(.zip): {tmp_path / name}; unpack" in message for message in caplog.messages] == [
        True
    ]


def test_many_of_another_ending_are_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for day in range(10, 15):
        (tmp_path / f"{THEIA.replace('20180105', f'201801{day}')}.tar").touch()
    list_products([str(tmp_path), str(tmp_path)])
    [message] = caplog.messages
    assert "20180112" in message
    assert "20180113" not in message
    assert "_V2-2.tar and 2 more; unpack" in message
    caplog.clear()
    list_products([str(tmp_path)], family="safe")
    assert not caplog.messages


@pytest.mark.parametrize("family", ["auto", *FAMILIES])
def test_what_lies_beside_products_is_passed_over_in_silence(
    mixture: Path, caplog: pytest.LogCaptureFixture, family: str
) -> None:
    for name in (f"{SAFE}.jpg", f"{SAFE}.zip.md5", f"{THEIA}.json", f"{THEIA}_QKL_ALL.jpg"):
        (mixture / name).touch()
    unpacked = mixture / THEIA.removesuffix("_V2-2")
    shutil.move(mixture / "theia" / "2018" / THEIA, unpacked / THEIA)
    list_products([str(mixture)], family=family)
    assert not caplog.messages


def test_a_location_that_does_not_exist_is_refused(mixture: Path) -> None:
    gone = f"{mixture}/gone"
    with pytest.raises(MissingAcquisitionError, match=rf"there is no {gone} .*products\.folder"):
        list_products([str(mixture), gone])


@pytest.mark.parametrize(("family", "asked"), [("auto", 1), ("stac", 1), ("theia", 0), ("safe", 0)])
def test_addresses_are_asked_for_stac_alone(
    mixture: Path, monkeypatch: pytest.MonkeyPatch, family: str, asked: int
) -> None:
    questions = []

    def find_remote(location: str, search: stac.Search | None) -> list[Product]:
        questions.append((location, search))
        return []

    monkeypatch.setattr(stac, "find_remote", find_remote)
    address = "https://somewhere.org/stac/v1"
    list_products([address, str(mixture)], family=family, search=SEARCH)
    assert questions == [(address, SEARCH)] * asked


def test_products_of_a_tile(mixture: Path) -> None:
    found = products_of_tile("T31TCJ", [str(mixture)], family="auto", search=SEARCH)
    assert [(p.family, p.name) for p in found] == EVERYTHING["T31TCJ"]


def test_a_tile_without_products_says_which_there_are(mixture: Path) -> None:
    with pytest.raises(MissingAcquisitionError) as error:
        products_of_tile("T32TLR", [str(mixture)], family="auto", search=SEARCH)
    message = str(error.value)
    assert message.startswith(
        f"{mixture} holds no product of tile T32TLR; there are products of T31TCJ, T31TDJ, T31UES."
    )
    for name in ("SENTINEL2A_20180101-105432-457_L2A_T32TLR_C_V2-2",
                 "S2A_MSIL2A_20180101T105432_N0206_R051_T32TLR_20180101T130910.SAFE"):  # fmt: skip
        assert name in message
    with pytest.raises(
        MissingAcquisitionError, match="T31UES of the family safe; there are products of T31TCJ"
    ):
        products_of_tile("T31UES", [str(mixture)], family="safe", search=SEARCH)
    with pytest.raises(MissingAcquisitionError, match="there are products of no tile"):
        products_of_tile("T31UES", [str(mixture / "empty")], family="auto", search=SEARCH)


def test_the_names_that_are_expected_are_recognised(tmp_path: Path) -> None:
    """A message with a wrong example would be worse than none."""
    with pytest.raises(MissingAcquisitionError) as error:
        products_of_tile("T31TCJ", [str(tmp_path)], family="auto", search=SEARCH)
    examples = [word for word in str(error.value).split() if "_T31TCJ_" in word]
    for example, recognise in zip(examples, (theia.recognise, safe.recognise), strict=True):
        path = tmp_path / example.strip(",")
        path.mkdir()
        assert recognise(path)


def test_real_products_are_found(shared_data: Path) -> None:
    found = list_products([str(shared_data)])
    counts = {
        (tile, p.family): sum(q.family == p.family for q in products)
        for tile, products in found.items()
        for p in products
    }
    assert counts["T31UFQ", "theia"] == 55
    assert counts["T22HBD", "safe"] == 1
    assert counts["T31UES", "stac"] == 72


def test_missing_masks_are_counted_where_they_would_have_told_something(
    write_product: WriteProduct,
) -> None:
    masks = {"CLM_R1": None, "EDG_R1": None, "SAT_R1": None, "SAT_R2": None}
    paths = []
    for day, absent in (("05", ()), ("06", ("EDG_R1",)), ("07", ("EDG_R1", "SAT_R2"))):
        present = {
            kind: np.zeros((6 if kind.endswith("R2") else 12,) * 2, "uint8")
            for kind in masks
            if kind not in absent
        }
        paths.append(write_product(THEIA.replace("20180105", f"201801{day}"), masks=present))

    def count(bands: tuple[str, ...], *reasons: str) -> dict[str, int]:
        request = Request(bands, reasons)
        found = [theia.read_product(path, request) for path in paths]
        return count_missing_masks(found, request)

    assert count(("B02", "B11"), "cloud", "edge", "saturation") == {"EDG": 2, "SAT_R2": 1}
    assert count(("B02",), "cloud", "edge", "saturation") == {"EDG": 2}
    assert count(("B02", "B11"), "cloud", "nodata") == {}
    assert count_missing_masks([], Request(("B02",), ("edge",))) == {}
