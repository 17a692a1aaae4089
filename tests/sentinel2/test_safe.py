"""Products of ESA (SAFE): recognising, describing and reading them."""

import os
import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio

from fgunet.errors import ProductError
from fgunet.grid import Window
from fgunet.sentinel2.acquisition import Acquisition, Request
from fgunet.sentinel2.masks import Masking
from fgunet.sentinel2.reading import read_block
from fgunet.sentinel2.safe import read_product, recognise
from fgunet.sentinel2.safe_format import BAND_IDS
from fgunet.sentinel2.safe_metadata import parse_metadata
from tests.sentinel2.safe_products import (
    GRANULE,
    NAME,
    SIZE,
    STEM,
    metadata_of,
    pack,
    write_jp2,
    write_safe,
)

REQUEST = Request(("B02", "B11"), ("cloud", "shadow", "nodata"))
WHOLE = Window(0, 0, SIZE, SIZE)
REAL = "S2B_MSIL2A_20210122T133229_N0214_R081_T22HBD_20210122T155500"


def read(acquisition: Acquisition, *reasons: str) -> tuple[np.ndarray, np.ndarray]:
    bands = tuple(acquisition.bands)
    return read_block(acquisition, bands, masking=Masking(reasons), window=WHOLE)


def image(product: Path, layer: str, resolution: int) -> Path:
    return next(product.glob(f"GRANULE/*/IMG_DATA/R{resolution}m/*_{layer}_{resolution}m.jp2"))


# Recognising


@pytest.mark.parametrize("ending", [".SAFE", ".zip", ".SAFE.zip"])
def test_folders_and_archives_are_recognised_by_name(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"{NAME}{ending}"
    path.mkdir() if ending == ".SAFE" else path.touch()
    found = recognise(path)
    assert found is not None
    [product] = found
    assert (product.name, product.family, product.tile, product.date, product.path) == (
        NAME, "safe", "T31TCJ", "20210705", str(path),
    )  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        NAME.replace("MSIL2A", "MSIL1C") + ".SAFE",
        "S2A_USER_PRD_MSIL2A_PDMC_20160914T174612_R135_V20160914T074612.SAFE",
        NAME,
        f"{NAME}.SAFE.tar",
        f"{NAME}.zip.part",
        f"{NAME}.SAFE.SAFE",
        "SENTINEL2A_20180105-105432-457_L2A_T31TCJ_C_V2-2",
    ],
)
def test_other_folders_are_not_of_the_family(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    assert recognise(tmp_path / name) is None


def test_a_folder_named_like_an_archive_is_none(tmp_path: Path) -> None:
    (tmp_path / f"{NAME}.zip").mkdir()
    assert recognise(tmp_path / f"{NAME}.zip") is None


def test_a_product_is_described_by_what_was_recognised(tmp_path: Path) -> None:
    path = write_safe(tmp_path)
    found = recognise(path)
    assert found is not None
    assert found[0].describe(REQUEST) == read_product(path, REQUEST)


# Describing


def test_what_a_product_says(tmp_path: Path) -> None:
    path = write_safe(tmp_path)
    acquisition = read_product(path, Request(("B11", "B02"), ("cloud",)))
    images = path / "GRANULE" / GRANULE / "IMG_DATA"
    assert acquisition.product == NAME
    assert acquisition.family == "safe"
    assert acquisition.tile == "T31TCJ"
    assert acquisition.time == "2021-07-05T10:50:26"
    assert acquisition.date == "20210705"
    assert acquisition.platform == "SENTINEL2A"
    assert acquisition.version == "N0500_20230121T134503"
    assert acquisition.baseline == "05.00"
    assert list(acquisition.bands.items()) == [
        ("B11", str(images / "R20m" / f"{STEM}_B11_20m.jp2")),
        ("B02", str(images / "R10m" / f"{STEM}_B02_10m.jp2")),
    ]
    assert acquisition.masks == {"SCL": str(images / "R20m" / f"{STEM}_SCL_20m.jp2")}
    assert (acquisition.scale, acquisition.offset) == (0.0001, -0.1)
    assert (acquisition.nodata, acquisition.nodata_declared) == (0, True)
    assert acquisition.grid.crs == "EPSG:32631"
    assert acquisition.grid.transform == (10.0, 0.0, 600000.0, 0.0, -10.0, 5e6)
    assert acquisition.grid.shape == (SIZE, SIZE)


def test_later_processing_is_a_later_version(tmp_path: Path) -> None:
    ordered = [
        "S2A_MSIL2A_20210705T105031_N0301_R051_T31TCJ_20230705T134503",
        "S2A_MSIL2A_20210705T105031_N0500_R051_T31TCJ_20230120T134503",
        "S2A_MSIL2A_20210705T105031_N0500_R051_T31TCJ_20230120T140000",
        "S2A_MSIL2A_20210705T105031_N0510_R051_T31TCJ_20230119T010101",
    ]
    read = [
        read_product(write_safe(tmp_path, name, offset=None if "_N03" in name else -1000), REQUEST)
        for name in reversed(ordered)
    ]
    assert [a.product for a in sorted(read, key=lambda a: a.version_key)] == ordered
    assert len({acquisition.time for acquisition in read}) == 1


def test_two_parts_of_a_tile_in_one_datatake_have_different_times(tmp_path: Path) -> None:
    other = NAME.replace("134503", "150000")
    first = read_product(write_safe(tmp_path), REQUEST)
    second = read_product(
        write_safe(tmp_path, other, granule=GRANULE.replace("105026", "105322")), REQUEST
    )
    assert (first.time, second.time) == ("2021-07-05T10:50:26", "2021-07-05T10:53:22")
    assert first.date == second.date


@pytest.mark.parametrize(
    ("reasons", "kinds"),
    [(("edge",), []), ((), []), (("snow",), ["SCL"]), (("edge", "dark"), ["SCL"])],
)
def test_the_classification_is_taken_only_where_it_tells_something_asked_for(
    tmp_path: Path, reasons: tuple[str, ...], kinds: list[str]
) -> None:
    acquisition = read_product(write_safe(tmp_path), Request(("B02",), reasons))
    assert list(acquisition.masks) == kinds


def test_without_masks_the_classification_may_be_missing(tmp_path: Path) -> None:
    path = write_safe(tmp_path)
    image(path, "SCL", 20).unlink()
    assert read_product(path, Request(("B02",), ("edge",))).masks == {}


def test_images_of_2017_begin_with_l2a(tmp_path: Path) -> None:
    path = write_safe(tmp_path, stem=f"L2A_{STEM}")
    assert f"/L2A_{STEM}_B11_20m.jp2" in read_product(path, REQUEST).bands["B11"]


def test_10_m_bands_are_not_taken_at_20_m(tmp_path: Path) -> None:
    path = write_safe(tmp_path)
    coarse = image(path, "B11", 20).with_name(f"{STEM}_B02_20m.jp2")
    write_jp2(coarse, np.full((SIZE // 2,) * 2, 7, np.uint16), 20)
    assert read_product(path, REQUEST).bands["B02"].endswith("/R10m/" + f"{STEM}_B02_10m.jp2")
    image(path, "B02", 10).unlink()
    with pytest.raises(ProductError, match=r"lacks B02; it has B04, B11"):
        read_product(path, REQUEST)


def test_hidden_files_of_other_systems_are_passed_over(tmp_path: Path) -> None:
    path = write_safe(tmp_path)
    real = image(path, "B02", 10)
    (real.parent / f"._{real.name}").write_bytes(b"Mac OS X")
    (path / "GRANULE" / ".DS_Store").write_bytes(b"Mac OS X")
    assert read_product(path, REQUEST).bands["B02"] == str(real)


def test_a_folder_unpacked_into_a_folder_of_its_name(tmp_path: Path) -> None:
    inner = write_safe(tmp_path / f"{NAME}.SAFE")
    acquisition = read_product(inner.parent, REQUEST)
    assert acquisition.bands["B02"] == str(image(inner, "B02", 10))


# Metadata


@pytest.mark.parametrize("psd", [13, 14, 15])
def test_the_namespace_does_not_matter(psd: int) -> None:
    told = parse_metadata(metadata_of(psd=psd).encode(), "x.xml")
    assert (told.product, told.baseline, told.quantification) == (NAME, "05.00", 10000.0)


def test_element_names_of_2017() -> None:
    xml = metadata_of(offset=None).replace("N0500", "N0205").replace("05.00", "02.05")
    xml = xml.replace("PRODUCT_URI>", "PRODUCT_URI_2A>")
    xml = xml.replace("BOA_QUANTIFICATION_VALUE", "L2A_BOA_QUANTIFICATION_VALUE")
    told = parse_metadata(xml.encode(), "x.xml")
    assert told.product == NAME.replace("N0500", "N0205")
    assert told.quantification == 10000.0
    assert told.offset_of(("B02",)) == 0.0


def test_offsets_go_by_the_number_of_the_band() -> None:
    xml = metadata_of().replace('"8">-1000<', '"8">-900<').replace('"11">-1000<', '"11">-800<')
    told = parse_metadata(xml.encode(), "x.xml")
    assert told.offset_of(("B8A",)) == -900
    assert told.offset_of(("B11",)) == -800
    assert told.offset_of(("B02", "B08", "B12")) == -1000


def test_without_a_nodata_value_it_is_zero_and_not_declared(tmp_path: Path) -> None:
    path = write_safe(tmp_path, edit=lambda xml: xml.replace(">NODATA<", ">OTHER<"))
    acquisition = read_product(path, REQUEST)
    assert (acquisition.nodata, acquisition.nodata_declared) == (0, False)


def replacing(old: str, new: str) -> Callable[[str], str]:
    def edit(xml: str) -> str:
        assert old in xml
        return xml.replace(old, new)

    return edit


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda _: "", r"MTD_MSIL2A.xml is not XML \(no element found"),
        (lambda xml: xml[:900], r"MTD_MSIL2A.xml is not XML"),
        (replacing("UTF-8", "nonsense"), r"MTD_MSIL2A.xml is not XML \(unknown encoding"),
        (replacing("PRODUCT_URI", "URI"), r"has no PRODUCT_URI"),
        (replacing("PROCESSING_BASELINE", "X"), r"has no PROCESSING_BASELINE"),
        (replacing(">05.00<", ">5.0<"), r"PROCESSING_BASELINE is '5.0'; expected two digits"),
        (replacing(">10000<", "><"), r"has no BOA_QUANTIFICATION_VALUE"),
        (replacing(">10000<", ">0<"), r"BOA_QUANTIFICATION_VALUE is '0'; expected 10000, as all"),
        (replacing(">10000<", ">nan<"), r"BOA_QUANTIFICATION_VALUE is 'nan'"),
        (replacing(">0</SPECIAL", ">none</SPECIAL"), r"value NODATA is 'none'; expected a whole"),
        (replacing("SENSING_START>2021-07-05T", "SENSING_START>2021-77-05T"),
         r"DATATAKE_SENSING_START is '2021-77-05T10:50:31.024Z'; expected a time"),
        (replacing("<AOT", '<BOA_QUANTIFICATION_VALUE>2</BOA_QUANTIFICATION_VALUE><AOT'),
         r"BOA_QUANTIFICATION_VALUE is 10000, and again that it is 2; expected one value"),
        (replacing("<AOT", '<BOA_ADD_OFFSET band_id="3">0</BOA_ADD_OFFSET><AOT'),
         r"BOA_ADD_OFFSET of band_id 3 is 0, and again that it is -1000; expected one value"),
        (replacing("<AOT", "<PROCESSING_BASELINE>02.14</PROCESSING_BASELINE><AOT"),
         r"PROCESSING_BASELINE is 05.00, and again that it is 02.14"),
        (replacing(">SATURATED<", ">NODATA<"), r"value NODATA is 0, and again that it is 65535"),
        (replacing("Level-2A</", "Level-1C</"), r"PROCESSING_LEVEL is 'Level-1C'; expected Level"),
        (replacing("Level-2A</", "</"), r"has no PROCESSING_LEVEL"),
        (replacing(">-1000<", ">0<"), r"OFFSET of 0, but .* is 05.00; expected one below 0, l"),
        (replacing(">-1000<", ">1000<"), r"OFFSET of 1000, but .* is 05.00; expected one below 0"),
        (replacing('"3">-1000', '"3">low'), r"BOA_ADD_OFFSET of band_id 3 is 'low'; expected a nu"),
        (replacing('"3">-1000', '"13">-1000'), r"is '13'; expected a number from 0 to 12"),
        (replacing('band_id="11"', 'band_id="3"'), r"no BOA_ADD_OFFSET of B11, only of B01"),
    ],
)  # fmt: skip
def test_malformed_metadata_is_refused(
    tmp_path: Path, edit: Callable[[str], str], message: str
) -> None:
    path = write_safe(tmp_path, edit=edit)
    with pytest.raises(ProductError, match=message) as caught:
        read_product(path, REQUEST)
    assert str(path / "MTD_MSIL2A.xml") in str(caught.value)
    assert "take it away" in str(caught.value)


def test_a_baseline_that_has_offsets_needs_them(tmp_path: Path) -> None:
    path = write_safe(tmp_path, NAME.replace("N0500", "N0400"), offset=None)
    with pytest.raises(ProductError, match=r"no BOA_ADD_OFFSET, but .* 04\.00.*0\.1 too bright"):
        read_product(path, REQUEST)


@pytest.mark.parametrize("offset", [-1000, 1000])
def test_a_baseline_before_the_offsets_has_none(tmp_path: Path, offset: int) -> None:
    name = NAME.replace("N0500", "N0301")
    path = write_safe(tmp_path, name, offset=offset)
    with pytest.raises(
        ProductError, match=rf"BOA_ADD_OFFSET of {offset}, but .* 03\.01; expected none, or 0, bef"
    ):
        read_product(path, REQUEST)
    assert read_product(write_safe(tmp_path, name, offset=0), REQUEST).offset == 0


def test_products_of_the_toolbox_have_the_offset_of_what_they_were_made_of(tmp_path: Path) -> None:
    name = NAME.replace("N0500", "N9999")
    assert read_product(write_safe(tmp_path, name, offset=0), REQUEST).offset == 0
    assert read_product(write_safe(tmp_path, name), REQUEST).offset == -0.1
    with pytest.raises(ProductError, match=r"OFFSET of 1000, but .* is 99\.99"):
        read_product(write_safe(tmp_path, name, offset=1000), REQUEST)


def test_what_is_said_again_alike_is_no_contradiction(tmp_path: Path) -> None:
    again = '<BOA_ADD_OFFSET band_id="3">-1000.0</BOA_ADD_OFFSET>'
    again += "<BOA_QUANTIFICATION_VALUE>10000</BOA_QUANTIFICATION_VALUE><AOT"
    path = write_safe(tmp_path, edit=replacing("<AOT", again))
    assert read_product(path, Request(("B02", "B04"), ())).offset == -0.1


def test_the_offset_of_a_band_that_is_not_read_does_not_matter(tmp_path: Path) -> None:
    path = write_safe(tmp_path, edit=replacing('"10">-1000', '"10">0'))
    assert read_product(path, REQUEST).offset == -0.1


def test_the_level_of_pilot_products(tmp_path: Path) -> None:
    path = write_safe(tmp_path, edit=replacing("Level-2A</", "Level-2Ap</"))
    assert read_product(path, REQUEST).product == NAME


def test_bands_with_different_offsets_are_refused(tmp_path: Path) -> None:
    path = write_safe(tmp_path, edit=replacing('"11">-1000', '"11">-800'))
    with pytest.raises(ProductError, match=r"several BOA_ADD_OFFSET \(-1000 of B02, -800 of B11\)"):
        read_product(path, REQUEST)
    assert read_product(path, Request(("B02", "B04"), ())).offset == -0.1


# Contradictions


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (replacing("T31TCJ", "T31TDJ"),
         rf"the product is {NAME} by its name, but {NAME.replace('TCJ', 'TDJ')} by .*MTD_MSIL2A"),
        (replacing("Sentinel-2A", "Sentinel-2B"), r"is SENTINEL2A by its name, but SENTINEL2B by"),
        (replacing(">05.00<", ">05.09<"), r"baseline is 05\.00 by its name, but 05\.09 by"),
        (replacing("SENSING_START>2021-07-05", "SENSING_START>2021-07-08"),
         r"datatake started on 20210705 by its name, but 20210708 by"),
    ],
)  # fmt: skip
def test_metadata_that_contradict_the_name_are_refused(
    tmp_path: Path, edit: Callable[[str], str], message: str
) -> None:
    with pytest.raises(ProductError, match=message):
        read_product(write_safe(tmp_path, edit=edit), REQUEST)


def test_a_renamed_product_is_refused(tmp_path: Path) -> None:
    renamed = NAME.replace("20210705T105031", "20210708T105031")
    path = write_safe(tmp_path).rename(tmp_path / f"{renamed}.SAFE")
    with pytest.raises(ProductError, match=f"{renamed} by its name, but {NAME} by"):
        read_product(path, REQUEST)


@pytest.mark.parametrize(
    ("granule", "message"),
    [
        (GRANULE.replace("T31TCJ", "T31TDJ"),
         r"of tile T31TCJ by its name, but its granule L2A_T31TDJ_\w+ of T31TDJ"),
        (GRANULE.replace("20210705", "20210708"),
         r"started at 2021-07-05 10:50:31.* granule's name L2A_\w+ says 20210708T105026"),
        (GRANULE.replace("20210705", "20210799"), r"says 20210799T105026"),
        ("somewhere", r"has the granules somewhere in GRANULE; expected one, named like"),
    ],
)  # fmt: skip
def test_a_granule_that_contradicts_the_name_is_refused(
    tmp_path: Path, granule: str, message: str
) -> None:
    with pytest.raises(ProductError, match=message):
        read_product(write_safe(tmp_path, granule=granule), REQUEST)


@pytest.mark.parametrize(
    ("stem", "message"),
    [
        ("T31TDJ_20210705T105031", r"is of tile T31TDJ by its name, but the product .* of T31TCJ"),
        ("T31TCJ_20210708T105031", r"of date 20210708 by its name, but the product .* of 20210705"),
        (
            "T31TCJ_20210705T123031",
            r"is of 20210705T123031 by its name, but .* at 2021-07-05 10:50",
        ),
        (
            "T31TCJ_20210705T995031",
            r"is of 20210705T995031 by its name, but .* at 2021-07-05 10:50",
        ),
    ],
)
def test_images_that_contradict_the_name_are_refused(
    tmp_path: Path, stem: str, message: str
) -> None:
    with pytest.raises(ProductError, match=message):
        read_product(write_safe(tmp_path, stem=stem), REQUEST)


def test_two_images_of_one_band_are_refused(tmp_path: Path) -> None:
    path = write_safe(tmp_path)
    first = image(path, "B02", 10)
    shutil.copy(first, first.with_name(f"L2A_{first.name}"))
    with pytest.raises(ProductError, match=r"B02_10m.jp2 and .*B02_10m.jp2 are both B02"):
        read_product(path, REQUEST)


# Incomplete products


def test_a_missing_band_is_named(tmp_path: Path) -> None:
    path = write_safe(tmp_path)
    with pytest.raises(ProductError, match=r"lacks B08, B12; it has B02, B04, B11\. Take the pro"):
        read_product(path, Request(("B02", "B08", "B12"), ()))


@pytest.mark.parametrize(
    ("reasons", "message"),
    [
        (("edge", "cloud", "shadow"), r"its clouds would pass .*switch products\.masks\.cloud, "
                                      r"products\.masks\.shadow off"),
        (("snow",), r"its snow would pass for ground.*switch products\.masks\.snow off"),
    ],
)  # fmt: skip
def test_a_missing_classification_is_refused(
    tmp_path: Path, reasons: tuple[str, ...], message: str
) -> None:
    path = write_safe(tmp_path)
    image(path, "SCL", 20).unlink()
    with pytest.raises(ProductError, match=message):
        read_product(path, Request(("B02",), reasons))


def test_missing_metadata_are_refused(tmp_path: Path) -> None:
    path = write_safe(tmp_path)
    (path / "MTD_MSIL2A.xml").unlink()
    with pytest.raises(ProductError, match=r"has 0 files MTD_MSIL2A.xml; expected one"):
        read_product(path, REQUEST)


def test_two_products_in_a_folder_are_refused(tmp_path: Path) -> None:
    path = write_safe(tmp_path)
    write_safe(path)
    with pytest.raises(ProductError, match=rf"2 files MTD_MSIL2A.xml .*top folder.*{NAME}.SAFE/"):
        read_product(path, REQUEST)


def test_several_granules_are_refused(tmp_path: Path) -> None:
    write_safe(tmp_path, granule=GRANULE.replace("T31TCJ", "T31TDJ"))
    path = write_safe(tmp_path)
    with pytest.raises(ProductError, match=r"granules L2A_T31TCJ_\w+, L2A_T31TDJ_\w+ in GRANULE"):
        read_product(path, REQUEST)


def test_no_granule_is_refused(tmp_path: Path) -> None:
    path = write_safe(tmp_path)
    shutil.rmtree(path / "GRANULE")
    with pytest.raises(ProductError, match=r"has the granules \(none\) in GRANULE; expected one"):
        read_product(path, REQUEST)


def test_a_path_that_is_no_product_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProductError, match=r"is no folder or archive of a Sentinel-2 level 2A"):
        read_product(tmp_path, REQUEST)


def test_a_product_of_another_zone_than_its_tile_is_refused(tmp_path: Path) -> None:
    name, granule, stem = (text.replace("T31TCJ", "T30TWT") for text in (NAME, GRANULE, STEM))
    path = write_safe(tmp_path, name, granule=granule, stem=stem)
    with pytest.raises(ProductError, match=r"of tile T30TWT, .* EPSG:32630; its files lie in"):
        read_product(path, REQUEST)


# Reading


@pytest.mark.parametrize(
    ("baseline", "offset", "stored"), [("N0509", -1000, 3456), ("N0301", None, 2456)]
)
def test_one_reflectance_with_offset_and_without(
    tmp_path: Path, baseline: str, offset: int | None, stored: int
) -> None:
    b02 = np.full((SIZE, SIZE), 0, np.uint16)
    b02[5, 7] = stored
    path = write_safe(
        tmp_path, NAME.replace("N0500", baseline), names=("B02",), bands={"B02": b02}, offset=offset
    )
    acquisition = read_product(path, Request(("B02",), ("nodata",)))
    reflectance, valid = read(acquisition, "nodata")
    assert reflectance[0, 5, 7] == 2456
    assert acquisition.scale * stored + acquisition.offset == pytest.approx(0.2456, abs=1e-12)
    assert np.argwhere(valid).tolist() == [[5, 7]]


def test_stored_numbers_below_the_offset_are_data_of_reflectance_0(tmp_path: Path) -> None:
    b02 = np.full((SIZE, SIZE), 1000, np.uint16)
    b02[0, :3] = 0, 1, 1001
    path = write_safe(tmp_path, names=("B02",), bands={"B02": b02})
    reflectance, valid = read(read_product(path, Request(("B02",), ("nodata",))), "nodata")
    assert reflectance[0, 0, :4].tolist() == [0, 0, 1, 0]
    assert valid[0, :4].tolist() == [False, True, True, True]


def test_classes_rule_out_pixels(tmp_path: Path) -> None:
    scl = np.full((SIZE // 2,) * 2, 4, np.uint8)
    scl[0] = 4, 8, 9, 10, 3, 11
    path = write_safe(tmp_path, names=("B02",), scl=scl)
    acquisition = read_product(path, Request(("B02",), ("cloud", "shadow")))
    _, valid = read(acquisition, "cloud", "shadow")
    assert valid[1, ::2].tolist() == [True, False, False, False, False, True]
    assert valid[2:].all()


@pytest.mark.parametrize("ending", [".zip", ".SAFE.zip"])
@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_an_archive_is_read_where_it_lies(tmp_path: Path, ending: str, compression: int) -> None:
    rng = np.random.default_rng(1)
    bands = {
        "B02": rng.integers(1001, 9000, (SIZE, SIZE), np.uint16),
        "B11": rng.integers(1001, 9000, (SIZE // 2,) * 2, np.uint16),
    }
    folder = write_safe(tmp_path, bands=bands)
    expected = read(read_product(folder, REQUEST), *REQUEST.reasons)
    archive = pack(folder, ending, compression)
    shutil.rmtree(folder)
    acquisition = read_product(archive, REQUEST)
    inside = f"{NAME}.SAFE/GRANULE/{GRANULE}/IMG_DATA/R10m/{STEM}_B02_10m.jp2"
    assert acquisition.bands["B02"] == f"/vsizip/{archive}/{inside}"
    assert acquisition.product == NAME
    found = read(acquisition, *REQUEST.reasons)
    assert found[1].all()
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_array_equal(found[0][0], bands["B02"] - 1000)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_truncated_archive_is_refused(tmp_path: Path, share: float) -> None:
    archive = pack(write_safe(tmp_path))
    os.truncate(archive, int(archive.stat().st_size * share))
    with pytest.raises(ProductError, match=r"archive .*\.zip cannot be read .*download"):
        read_product(archive, REQUEST)


def test_an_archive_of_another_product_is_refused(tmp_path: Path) -> None:
    other = NAME.replace("T31TCJ", "T31TDJ")
    archive = pack(write_safe(tmp_path)).rename(tmp_path / f"{other}.zip")
    with pytest.raises(ProductError, match=rf"{other}.zip holds {NAME}.SAFE/, not {other}.SAFE"):
        read_product(archive, REQUEST)


def test_an_image_without_codestream_is_refused_at_once(tmp_path: Path) -> None:
    path = write_safe(tmp_path)
    b11 = image(path, "B11", 20)
    os.truncate(b11, 100)
    with pytest.raises(ProductError, match=r"B11_20m\.jp2 cannot be read"):
        read_product(path, REQUEST)


@pytest.mark.parametrize("kept", [0.9, -10, -2])
def test_a_truncated_image_is_not_read_as_if_it_were_whole(tmp_path: Path, kept: float) -> None:
    noise = np.random.default_rng(1).integers(1001, 9000, (SIZE, SIZE), np.uint16)
    path = write_safe(tmp_path, bands={"B02": noise})
    b02 = image(path, "B02", 10)
    size = b02.stat().st_size
    codestream = b02.read_bytes().index(b"\xff\x4f\xff\x51")
    end = size + kept if kept < 0 else codestream + (size - codestream) * kept
    os.truncate(b02, int(end))
    acquisition = read_product(path, REQUEST)
    with pytest.raises(ProductError, match=r"B02_10m\.jp2 cannot be read"):
        read(acquisition)


# Real data


def test_a_real_product_of_another_pixel_size_is_refused(shared_data: Path) -> None:
    path = shared_data / "safe_T22HBD" / f"{REAL}.SAFE"
    message = (
        r"R10m/T22HBD_20210122T133229_B02_10m\.jp2 has pixels of 1098 m x 1098 m; "
        r"band B02 has pixels of 10 m"
    )
    with pytest.raises(ProductError, match=message):
        read_product(path, Request(("B02", "B11"), ("cloud",)))


def test_a_real_products_metadata(shared_data: Path) -> None:
    source = shared_data / "safe_T22HBD" / f"{REAL}.SAFE" / "MTD_MSIL2A.xml"
    told = parse_metadata(source.read_bytes(), str(source))
    assert told.product == REAL
    assert told.platform == "SENTINEL2B"
    assert told.baseline == "02.14"
    assert told.datatake_start.isoformat() == "2021-01-22T13:32:29.024000"
    assert told.quantification == 10000.0
    assert told.offsets == {}
    assert told.offset_of(("B02", "B8A", "B12")) == 0.0
    assert told.nodata == 0


def test_the_numbers_of_bands_are_those_of_a_real_product(shared_data: Path) -> None:
    source = shared_data / "safe_T22HBD" / f"{REAL}.SAFE" / "MTD_MSIL2A.xml"
    pairs = re.findall(r'bandId="(\d+)" physicalBand="B(\w+)"', source.read_text("utf-8"))
    assert tuple(f"B{band:0>2}" for _, band in pairs) == BAND_IDS
    assert [int(number) for number, _ in pairs] == list(range(13))


def test_a_real_product_with_images_of_the_right_size(shared_data: Path, tmp_path: Path) -> None:
    path = tmp_path / f"{REAL}.SAFE"
    shutil.copytree(shared_data / "safe_T22HBD" / path.name, path, copy_function=shutil.copyfile)
    for layer, resolution in (("B02", 10), ("B8A", 20), ("SCL", 20)):
        file = image(path, layer, resolution)
        with rasterio.open(file) as dataset:
            values = dataset.read(1)
        size = 100 if resolution == 10 else 50
        file.parent.chmod(0o755)
        file.unlink()
        write_jp2(file, values[:size, :size], resolution, crs="EPSG:32722")
    found = recognise(path)
    assert found is not None
    acquisition = found[0].describe(Request(("B02", "B8A"), ("cloud", "nodata")))
    assert acquisition.time == "2021-01-22T13:32:24"
    assert acquisition.version == "N0214_20210122T155500"
    assert (acquisition.scale, acquisition.offset) == (0.0001, 0.0)
    assert acquisition.grid.shape == (100, 100)
    assert set(acquisition.masks) == {"SCL"}
    assert re.search(r"R20m/T22HBD_20210122T133229_B8A_20m\.jp2$", acquisition.bands["B8A"])
