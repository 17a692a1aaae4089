"""STAC items: finding them in catalogues and services, and describing them."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import shapely

from fgunet.errors import MissingAcquisitionError, MissingBandError, ProductError
from fgunet.grid import Grid, Window
from fgunet.sentinel2.acquisition import Acquisition, Product, Request
from fgunet.sentinel2.bands import BANDS
from fgunet.sentinel2.masks import Masking
from fgunet.sentinel2.reading import read_block
from fgunet.sentinel2.stac import Search, find_remote, is_address, recognise
from fgunet.sentinel2.stac_catalogues import read_items
from fgunet.sentinel2.stac_network import Limits
from fgunet.sentinel2.stac_tiles import tile_ground, tile_name
from tests.sentinel2.stac_products import (
    LEFT,
    SIZE,
    TOP,
    Content,
    copernicus_item,
    earth_search_item,
    plain_item,
    planetary_item,
    save_catalogue,
    save_item,
    write_tif,
)
from tests.sentinel2.stac_server import Service, serve, serve_files

TWO_BANDS = Request(("B02", "B11"), ("cloud", "shadow"))
ALL_BANDS = Request(tuple(BANDS), ("cloud",))
YEAR = Search(("T31UES",), "20180101", "20181231", ("sentinel-2-l2a",))


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def only(path: Path) -> Product:
    products = recognise(path)
    assert products is not None
    (product,) = products
    return product


def described(folder: Path, item: Content, request: Request = TWO_BANDS) -> Acquisition:
    return only(save_item(folder, item)).describe(request)


def describe_changed(
    folder: Path, change: Callable[[Content], Any], request: Request = TWO_BANDS
) -> Acquisition:
    item = plain_item(folder)
    change(item)
    return described(folder, item, request)


class TestRealCatalogue:
    @pytest.fixture
    def folder(self, shared_data: Path) -> Path:
        return shared_data / "stac_flanders_T31UES"

    def test_every_item_is_found_and_described(self, folder: Path) -> None:
        products = recognise(folder)
        assert products is not None
        assert len(products) == 72
        assert {product.tile for product in products} == {"T31UES"}
        assert (products[0].date, products[-1].date) == ("20180804", "20191127")
        expected = Grid("EPSG:32631", (10.0, 0.0, 574680.0, 0.0, -10.0, 5622440.0), 64, 64)
        for product in products:
            acquisition = product.describe(ALL_BANDS)
            assert acquisition.grid == expected
            assert acquisition.date == product.date
            assert (acquisition.scale, acquisition.offset) == (1e-4, 0.0)
            assert (acquisition.nodata, acquisition.nodata_declared) == (0, True)
            assert list(acquisition.bands) == list(BANDS)
            assert list(acquisition.masks) == ["SCL"]

    def test_reflectance_is_the_number_in_the_file(self, folder: Path) -> None:
        products = recognise(folder)
        assert products is not None
        acquisition = products[0].describe(Request(("B04",), ()))
        name = "S2_MSIL2A_20180804_T31UES"
        assert acquisition.product == name
        assert acquisition.time == "2018-08-04T10:50:22.000"
        assert acquisition.platform == "SENTINEL2"
        with rasterio.open(folder / name / "B04.tif") as dataset:
            stored = dataset.read(1)[5, 7]
        found, valid = read_block(acquisition, ("B04",), Masking(()), Window(5, 7, 1, 1))
        assert valid.all()
        assert found[0, 0, 0] == stored > 0


class TestFinding:
    def test_the_folder_of_a_catalogue_gives_the_items_at_any_depth(self, tmp_path: Path) -> None:
        late = plain_item(tmp_path / "2018" / "x", time="2018-08-05T23:59:59+00:00")
        early = plain_item(tmp_path, "early", time="2018-01-02T11:00:00Z", tile="5QKB")
        save_item(tmp_path / "2018" / "x", late)
        save_item(tmp_path, early)
        save_catalogue(tmp_path / "2018" / "catalog.json", [f"x/{late['id']}/{late['id']}.json"])
        # A child that links back to its parent must not be walked for ever.
        save_catalogue(tmp_path / "loop.json", [], ["catalog.json"])
        save_catalogue(
            tmp_path / "catalog.json",
            ["./early/early.json"],
            ["./2018/catalog.json", "./loop.json"],
        )
        products = recognise(tmp_path)
        assert products is not None
        assert [(product.tile, product.date) for product in products] == [
            ("T05QKB", "20180102"),
            ("T31UES", "20180805"),
        ]

    def test_a_collection_file_of_any_name_is_a_catalogue(self, tmp_path: Path) -> None:
        item = save_item(tmp_path, plain_item(tmp_path))
        assert only(save_catalogue(tmp_path / "mine.json", [item])).tile == "T31UES"

    @pytest.mark.parametrize("suffix", ["json", "geojson"])
    def test_hrefs_of_an_item_collection_start_from_its_place(
        self, tmp_path: Path, suffix: str
    ) -> None:
        item = plain_item(tmp_path)
        for asset in item["assets"].values():
            asset["href"] = f"{item['id']}/{asset['href']}"
        path = tmp_path / f"found.{suffix}"
        path.write_text(json.dumps({"type": "FeatureCollection", "features": [item]}))
        acquisition = only(path).describe(TWO_BANDS)
        assert acquisition.bands["B02"] == str(tmp_path / item["id"] / "B02.tif")

    def test_hrefs_of_an_item_with_an_address_start_there(self, tmp_path: Path) -> None:
        item = plain_item(tmp_path)
        item["links"] = [{"rel": "self", "href": "s3://bucket/2018/x/item.json"}]
        item["assets"]["B02"]["href"] = "../y/B02.tif"
        path = tmp_path / "found.json"
        path.write_text(json.dumps({"type": "FeatureCollection", "features": [item]}))
        (found,) = read_items(str(path))
        assert found.assets["B02"]["href"] == "s3://bucket/2018/y/B02.tif"

    @pytest.mark.parametrize(
        "content",
        [
            '{"type": "FeatureCollection", "features": []}',
            '{"type": "Topology", "arcs": {"stac_version": "1.0.0"}}',
            '{"id": "of STAC 0.9, which had no type", "stac_version": "0.9.0"}',
            '["stac_version"]',
            "[",
            "",
        ],
    )
    def test_other_json_is_nothing_of_ours(self, tmp_path: Path, content: str) -> None:
        path = tmp_path / "collection.json"
        path.write_text(content)
        assert recognise(path) is None
        assert recognise(tmp_path) is None

    def test_other_paths_are_nothing_of_ours(self, tmp_path: Path) -> None:
        (tmp_path / "item.txt").write_text('{"stac_version": "1.0.0"}')
        assert recognise(tmp_path) is None
        assert recognise(tmp_path / "item.txt") is None
        assert recognise(tmp_path / "absent.json") is None

    def test_items_of_other_satellites_are_left_out_and_counted(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        ours, other = plain_item(tmp_path), plain_item(tmp_path, "LC08_31UES")
        other["properties"]["platform"] = "landsat-8"
        nameless = plain_item(tmp_path, "T31UES_class")
        nameless["properties"].pop("platform")
        nameless["assets"] = {"map": {"href": "map.tif"}}
        items = [save_item(tmp_path, item) for item in (ours, other, nameless)]
        assert only(save_catalogue(tmp_path / "catalog.json", items)).name == ours["id"]
        assert "2 STAC items are not of Sentinel-2: LC08_31UES" in caplog.text

    def test_broken_json_of_stac(self, tmp_path: Path) -> None:
        path = tmp_path / "catalog.json"
        path.write_text('{"stac_version": "1.0.0", "type"')
        with pytest.raises(ProductError, match=r"catalog.json is not valid STAC .*download it"):
            recognise(tmp_path)

    def test_linked_item_that_is_missing(self, tmp_path: Path) -> None:
        save_catalogue(tmp_path / "catalog.json", ["gone.json"])
        with pytest.raises(ProductError, match=r"there is no .*gone.json.*take its link out"):
            recognise(tmp_path)

    def test_linked_file_that_is_not_stac(self, tmp_path: Path) -> None:
        (tmp_path / "x.json").write_text('{"type": "Point"}')
        save_catalogue(tmp_path / "catalog.json", ["x.json"])
        with pytest.raises(ProductError, match=r"x.json is not STAC: its type is 'Point'"):
            recognise(tmp_path)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda item: item["properties"].pop("datetime"), "datetime is None"),
            (lambda item: item["properties"].update(datetime="soon"), "ValueError"),
            (lambda item: item.pop("properties"), "not valid STAC"),
            (lambda item: item["assets"]["B02"].pop("href"), "KeyError: 'href'"),
            (lambda item: item["assets"].update(B02=3), "not valid STAC"),
        ],
    )
    def test_malformed_item(
        self, tmp_path: Path, change: Callable[[Content], Any], message: str
    ) -> None:
        item = plain_item(tmp_path)
        change(item)
        with pytest.raises(ProductError, match=message):
            recognise(save_item(tmp_path, item))

    def test_item_without_tile(self, tmp_path: Path) -> None:
        item = plain_item(tmp_path, "nameless")
        item["properties"].pop("grid:code")
        with pytest.raises(ProductError, match=r"nameless .* names no tile; expected grid:code"):
            recognise(save_item(tmp_path, item))


class TestDescribing:
    def test_plain(self, tmp_path: Path) -> None:
        item = plain_item(tmp_path)
        acquisition = described(tmp_path, item)
        folder = tmp_path / item["id"]
        assert acquisition == Acquisition(
            product=item["id"],
            family="stac",
            tile="T31UES",
            time="2018-08-04T10:50:22.457",
            platform="SENTINEL2A",
            version="02.08_0",
            baseline="02.08",
            grid=Grid("EPSG:32631", (10.0, 0.0, LEFT, 0.0, -10.0, TOP), SIZE, SIZE),
            bands={"B02": str(folder / "B02.tif"), "B11": str(folder / "B11.tif")},
            masks={"SCL": str(folder / "SCL.tif")},
            scale=1e-4,
            offset=0.0,
            nodata=0,
            nodata_declared=True,
        )

    @pytest.mark.parametrize(("applied", "offset"), [(True, 0.0), (False, -0.1)])
    def test_earth_search(self, tmp_path: Path, applied: bool, offset: float) -> None:
        item = earth_search_item(tmp_path, applied=applied)
        acquisition = described(tmp_path, item, ALL_BANDS)
        assert {band: Path(path).name for band, path in acquisition.bands.items()} == {
            band: f"{band}.tif" for band in BANDS
        }
        assert Path(acquisition.masks["SCL"]).name == "SCL.tif"
        assert acquisition.offset == offset
        assert acquisition.tile == "T31UES"
        assert acquisition.platform == "SENTINEL2B"
        assert acquisition.baseline == "04.00"
        assert acquisition.version_key == (4, 0, 20220804, 142831)

    @pytest.mark.parametrize(
        ("baseline", "offset"),
        [("02.14", 0.0), ("03.01", 0.0), ("04.00", -0.1), ("05.09", -0.1), ("5.11", -0.1)],
    )
    def test_planetary_computer(self, tmp_path: Path, baseline: str, offset: float) -> None:
        acquisition = described(tmp_path, planetary_item(tmp_path, baseline), ALL_BANDS)
        assert (acquisition.scale, acquisition.offset) == (1e-4, offset)
        assert (acquisition.nodata, acquisition.nodata_declared) == (0, False)
        assert list(acquisition.bands) == list(BANDS)
        assert acquisition.baseline == baseline
        found, valid = read_block(acquisition, ("B02",), Masking(()), Window(0, 0, 1, 1))
        assert valid.all()
        assert found[0, 0, 0] == (1000 if offset else 2000)

    def test_copernicus(self, tmp_path: Path) -> None:
        acquisition = described(tmp_path, copernicus_item(tmp_path), ALL_BANDS)
        assert {band: Path(path).stem for band, path in acquisition.bands.items()} == {
            band: f"{band}_{about.resolution_m}m" for band, about in BANDS.items()
        }
        assert Path(acquisition.masks["SCL"]).stem == "SCL_20m"
        assert (acquisition.scale, acquisition.offset) == (1e-4, -0.1)
        assert (acquisition.nodata, acquisition.nodata_declared) == (0, True)
        assert acquisition.baseline == "05.10"

    def test_bands_come_in_the_order_asked_for(self, tmp_path: Path) -> None:
        acquisition = described(tmp_path, plain_item(tmp_path), Request(("B11", "B02"), ()))
        assert list(acquisition.bands) == ["B11", "B02"]
        assert acquisition.masks == {}

    @pytest.mark.parametrize(
        ("common_name", "band"), [("nir", "B08"), ("nir08", "B8A"), ("swir22", "B12")]
    )
    def test_common_name_where_no_other_tells(
        self, tmp_path: Path, common_name: str, band: str
    ) -> None:
        item = plain_item(tmp_path, bands=(band,))
        asset = item["assets"].pop(band)
        item["assets"]["image"] = {**asset, "eo:bands": [{"common_name": common_name}]}
        assert list(described(tmp_path, item, Request((band,), ())).bands) == [band]

    def test_later_processing_has_the_later_version(self, tmp_path: Path) -> None:
        def version(**properties: str) -> tuple[int, ...]:
            return describe_changed(
                tmp_path, lambda item: item["properties"].update(properties)
            ).version_key

        old = version(**{"s2:processing_baseline": "02.08"})
        first = version(**{"s2:processing_baseline": "05.00", "created": "2022-01-01T00:00:00Z"})
        later = version(
            **{
                "s2:processing_baseline": "05.00",
                "s2:generation_time": "2023-01-01T00:00:00.5Z",
                "created": "2021-01-01T00:00:00Z",
            }
        )
        assert old < first < later < version(**{"s2:processing_baseline": "05.10"})

    def test_sequence_number_counts_where_no_time_tells(self, tmp_path: Path) -> None:
        versions = [
            described(tmp_path, plain_item(tmp_path, f"S2A_31UES_20180804_{n}_L2A")).version_key
            for n in (2, 10)
        ]
        assert versions[0] < versions[1]

    def test_times_of_other_zones_are_told_in_utc(self, tmp_path: Path) -> None:
        item = plain_item(tmp_path, time="2018-08-05T01:30:00+02:00")
        product = only(save_item(tmp_path, item))
        assert product.date == "20180804"
        assert product.describe(TWO_BANDS).time == "2018-08-04T23:30:00.000"

    def test_start_of_a_span_without_datetime(self, tmp_path: Path) -> None:
        span = {
            "datetime": None,
            "start_datetime": "2018-08-04T10:00:00Z",
            "end_datetime": "2018-08-04T11:00:00Z",
        }
        acquisition = describe_changed(tmp_path, lambda item: item["properties"].update(span))
        assert acquisition.time == "2018-08-04T10:00:00.000"

    def test_nodata_of_the_files_where_the_item_tells_none(self, tmp_path: Path) -> None:
        item = plain_item(tmp_path, nodata=65535)
        for band in ("B02", "B11"):
            item["assets"][band]["raster:bands"][0].pop("nodata")
        acquisition = described(tmp_path, item)
        assert (acquisition.nodata, acquisition.nodata_declared) == (65535, True)

    @pytest.mark.parametrize(
        ("href", "path"),
        [
            (
                "https://host/a/B02.tif?sig=a%2Fb&x=1",
                "/vsicurl/https://host/a/B02.tif?sig=a%2Fb&x=1",
            ),
            ("s3://bucket/a/B02.jp2", "/vsis3/bucket/a/B02.jp2"),
            ("gs://bucket/a/B02.tif", "/vsigs/bucket/a/B02.tif"),
        ],
    )
    def test_addresses_that_gdal_opens(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, href: str, path: str
    ) -> None:
        asked = []

        def note(_: str, bands: dict[str, str], __: object) -> Grid:
            asked.append(bands["B02"])
            return Grid("EPSG:32631", (10.0, 0.0, LEFT, 0.0, -10.0, TOP), SIZE, SIZE)

        monkeypatch.setattr("fgunet.sentinel2.stac_items.ten_metre_grid", note)
        acquisition = describe_changed(
            tmp_path, lambda item: item["assets"]["B02"].update(href=href), Request(("B02",), ())
        )
        assert asked == [acquisition.bands["B02"]] == [path]

    def test_file_address(self, tmp_path: Path) -> None:
        path = write_tif(tmp_path / "with space.tif", 7)
        href = path.as_uri()
        acquisition = describe_changed(
            tmp_path, lambda item: item["assets"]["B02"].update(href=href), Request(("B02",), ())
        )
        assert acquisition.bands["B02"] == str(path)

    def test_folders_of_any_name(self, tmp_path: Path) -> None:
        folder = tmp_path / "a b#c%20?é"
        item = plain_item(folder)
        save_catalogue(folder / "catalog.json", [f"{item['id']}/{item['id']}.json"])
        save_item(folder, item)
        acquisition = only(folder).describe(TWO_BANDS)
        assert acquisition.bands["B02"] == str(folder / item["id"] / "B02.tif")


class TestRefusing:
    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda item: item["assets"].pop("B11"), r"no asset for B11 .*it has B02 .*bands"),
            (lambda item: item["assets"]["B11"].update(gsd=60), r"no asset for B11"),
            (lambda item: item["assets"].pop("SCL"), r"no scene classification .*cloud off"),
            (
                lambda item: item["assets"]["B02"].update(href="gone.tif"),
                r"asset B02 of item .* points to .*gone.tif, where there is no file; download",
            ),
            (
                lambda item: item["assets"]["B02"].update(href="ftp://host/B02.tif"),
                r"asset B02 .* lies at ftp://host.*can be read start with",
            ),
            (
                lambda item: item["assets"]["B02"].update({"eo:bands": [{"name": "B03"}]}),
                r"asset B02 .* describes its band as B03",
            ),
            (
                lambda item: item["assets"]["B02"].update(href="B11.tif"),
                r"asset B02, B11 of item .*B11.tif has pixels of 20 m",
            ),
            (
                lambda item: item["assets"]["B11"]["raster:bands"][0].update(scale=0.001),
                r"differ in scale and offset: \(0.0001, 0.0\) of B02; \(0.001, 0.0\) of B11",
            ),
            (
                lambda item: item["assets"]["B11"]["raster:bands"][0].update(offset=-0.1),
                r"differ in scale and offset",
            ),
            (
                lambda item: item["assets"]["B11"]["raster:bands"][0].update(nodata=1),
                r"differ in nodata: 0.0 of B02; 1.0 of B11",
            ),
            (
                lambda item: item["assets"]["B02"]["raster:bands"][0].update(scale="big"),
                r"asset B02 .* states scale 'big'; expected a number",
            ),
            (
                lambda item: item["assets"]["B02"]["raster:bands"][0].update(scale=0),
                r"differ in scale and offset: \(0.0, 0.0\) of B02",
            ),
            (
                lambda item: item["assets"]["B02"]["raster:bands"][0].pop("scale"),
                r"asset B02 .* states no scale with its offset 0.0; expected one",
            ),
            (
                lambda item: item["properties"].update({"s2:mgrs_tile": "31UFS"}),
                r"several tiles: T31UES \(grid:code\), T31UFS \(s2:mgrs_tile\)",
            ),
            (
                lambda item: item["properties"].update({"grid:code": "MGRS-31UFS"}),
                r"several tiles: T31UFS \(grid:code\), T31UES \(id\)",
            ),
            (
                lambda item: item["properties"].update(datetime="2018-08-14T10:50:22Z"),
                r"of 20180804 by its id and of 20180814 by its datetime",
            ),
            (
                lambda item: item["properties"].update({"product:type": "S2MSI1C"}),
                r"is of Level-1C",
            ),
            (
                lambda item: item["assets"]["B11"].update({"proj:shape": [12, 12]}),
                r"asset B11 .*proj:shape is \[12, 12\], the file .*B11.tif has \[6, 6\]",
            ),
            (
                lambda item: item["assets"]["B02"].update(
                    {"proj:transform": [10, 0, LEFT + 10, 0, -10, TOP]}
                ),
                r"asset B02 .*proj:transform is",
            ),
            (
                lambda item: item["properties"].update({"proj:epsg": 32632}),
                r"proj:code is EPSG:32632, the file .* has EPSG:32631",
            ),
        ],
    )
    def test_message(self, tmp_path: Path, change: Callable[[Content], Any], message: str) -> None:
        with pytest.raises(ProductError, match=message):
            describe_changed(tmp_path, change)

    def test_lack_of_some_bands_is_told_from_that_of_all(self, tmp_path: Path) -> None:
        with pytest.raises(MissingBandError):
            describe_changed(tmp_path, lambda item: item["assets"].pop("B11"))
        with pytest.raises(ProductError, match="it has none among the assets none") as caught:
            describe_changed(tmp_path, lambda item: item["assets"].clear())
        assert not isinstance(caught.value, MissingBandError)

    def test_tile_in_another_zone_than_the_files(self, tmp_path: Path) -> None:
        item = plain_item(tmp_path, "a", tile="32UES")
        with pytest.raises(ProductError, match=r"of tile T32UES.*EPSG:32632; .*EPSG:32631"):
            described(tmp_path, item)

    @pytest.mark.parametrize("baseline", [None, "", "unknown"])
    def test_numbers_that_nothing_explains(self, tmp_path: Path, baseline: object) -> None:
        with pytest.raises(ProductError, match=r"neither scale and offset of asset B02 .*baseline"):
            described(tmp_path, planetary_item(tmp_path, baseline), TWO_BANDS)

    def test_file_cut_short(self, tmp_path: Path) -> None:
        item = plain_item(tmp_path)
        path = tmp_path / item["id"] / "B02.tif"
        path.write_bytes(path.read_bytes()[:50])
        with pytest.raises(ProductError, match=r"asset B02 of item .*B02.tif cannot be read"):
            described(tmp_path, item)


class TestTiles:
    @pytest.mark.parametrize(
        ("text", "name"),
        [
            ("MGRS-31UES", "T31UES"),
            ("T31UES", "T31UES"),
            ("5QKB", "T05QKB"),
            ("MGRS-05QKB", "T05QKB"),
            ("61UES", None),
            ("31IES", None),
            ("31UEW", None),
            ("WRS2-198025", None),
            (None, None),
            (31, None),
        ],
    )
    def test_names(self, text: object, name: str | None) -> None:
        assert tile_name(text) == name

    def test_ground_is_that_of_a_whole_product(self) -> None:
        # Corner and side from MTD_TL.xml of the product in shared/data/safe_T22HBD.
        grid = Grid("EPSG:32722", (10.0, 0.0, 199980.0, 0.0, -10.0, 5900020.0), 10980, 10980)
        expected = grid.footprint("EPSG:4326")
        found = shapely.geometry.shape(tile_ground("T22HBD"))
        assert found.symmetric_difference(expected).area < 0.002 * expected.area

    @pytest.mark.parametrize(
        ("tile", "place"),
        [
            ("T31TCJ", (1.44, 43.60)),  # Toulouse
            ("T32ULU", (7.75, 48.58)),  # Strasbourg
            ("T48NUG", (103.82, 1.35)),  # Singapore
            ("T56HLH", (151.21, -33.87)),  # Sydney
            ("T31UES", (4.063, 50.746)),  # shared/data/stac_flanders_T31UES
            ("T38KPD", (46.70, -19.05)),  # shared/data/theia_mtd_T38KPD
        ],
    )
    def test_ground_holds_the_places_on_it(self, tile: str, place: tuple[float, float]) -> None:
        ground = shapely.geometry.shape(tile_ground(tile))
        assert ground.contains(shapely.Point(place))

    def test_ground_across_the_antimeridian_is_cut_there(self) -> None:
        ground = shapely.geometry.shape(tile_ground("T01KAB"))
        west, east = sorted(ground.geoms, key=lambda part: part.bounds[0])
        assert west.bounds[0] == -180
        assert west.bounds[2] < -178
        assert east.bounds[0] > 178
        assert east.bounds[2] == 180


def test_addresses() -> None:
    assert is_address("https://host/v1")
    assert is_address("s3://bucket/collection.json")
    assert not is_address("/data/http/catalog.json")
    assert not is_address("products")


class TestService:
    @pytest.fixture
    def items(self, tmp_path: Path) -> list[Content]:
        """Five items of T31UES, one of a neighbour on the same ground, one of another year."""
        days = [("31UES", f"2018-08-0{day}T10:50:22Z") for day in range(1, 6)]
        days += [("31UFS", "2018-08-01T10:50:22Z"), ("31UES", "2019-01-01T10:50:22Z")]
        return [
            plain_item(
                tmp_path, f"S2A_{tile}_{time[:10].replace('-', '')}_0_L2A", time=time, tile=tile
            )
            for tile, time in days
        ]

    @pytest.fixture
    def service(self, tmp_path: Path, items: list[Content]) -> Iterator[Service]:
        collections = {"sentinel-2-l2a": items, "sentinel-2-l1c": [], "dem": []}
        with serve(tmp_path, collections) as service:
            yield service

    def test_all_pages_of_the_tile_and_days(self, service: Service) -> None:
        products = find_remote(service.address, YEAR)
        assert [(product.tile, product.date) for product in products] == [
            ("T31UES", f"2018080{day}") for day in range(1, 6)
        ]
        assert len(service.searches) == 3
        asked = service.searches[0]
        assert asked["query"] == {"grid:code": {"eq": "MGRS-31UES"}}
        assert asked["datetime"] == "2018-01-01T00:00:00Z/2018-12-31T23:59:59Z"

    def test_service_that_names_tiles_otherwise(
        self, service: Service, items: list[Content]
    ) -> None:
        for item in items:
            item["properties"]["s2:mgrs_tile"] = item["properties"].pop("grid:code")[5:]
        assert len(find_remote(service.address, YEAR)) == 5
        assert [list(asked["query"]) for asked in service.searches[:2]] == [
            ["grid:code"],
            ["s2:mgrs_tile"],
        ]

    def test_ground_alone_where_no_property_helps(
        self, service: Service, items: list[Content]
    ) -> None:
        for item in items:
            tile = item["properties"].pop("grid:code")
            item["properties"] |= {
                "mgrs:utm_zone": int(tile[5:7]),
                "mgrs:latitude_band": tile[7],
                "mgrs:grid_square": tile[8:],
            }
        assert len(find_remote(service.address, YEAR)) == 5
        assert "query" not in service.searches[-1]

    def test_service_without_the_query_extension(
        self, tmp_path: Path, items: list[Content]
    ) -> None:
        with serve(tmp_path, {"sentinel-2-l2a": items}, query=False) as service:
            assert len(find_remote(service.address, YEAR)) == 5
            assert not any("query" in asked for asked in service.searches)

    def test_files_are_read_from_the_network(
        self, tmp_path: Path, service: Service, items: list[Content]
    ) -> None:
        with serve_files(tmp_path) as files:
            for asset in items[0]["assets"].values():
                asset["href"] = f"{files}/{items[0]['id']}/{asset['href'][2:]}"
            items[1]["assets"]["B02"]["href"] = f"{files}/gone.tif"
            whole, broken, *_ = find_remote(service.address, YEAR)
            acquisition = whole.describe(TWO_BANDS)
            assert acquisition.bands["B02"] == f"/vsicurl/{files}/{items[0]['id']}/B02.tif"
            found, valid = read_block(acquisition, ("B02",), Masking(()), Window(0, 0, 2, 2))
            assert valid.all()
            np.testing.assert_array_equal(found, 1000)
            with pytest.raises(ProductError, match=r"asset B02 of item .*gone.tif.*AWS_ACCESS_KEY"):
                broken.describe(Request(("B02",), ()))

    def test_nothing_found_is_no_error(self, service: Service) -> None:
        search = Search(("T31UES",), "20200101", "20201231", ("sentinel-2-l2a",))
        assert find_remote(service.address, search) == []

    def test_planning_leaves_the_network_alone(self, service: Service) -> None:
        assert find_remote(service.address, None) == []
        assert find_remote(f"{service.address}/files/catalog.json", None) == []
        assert find_remote("https://nowhere.invalid/catalog.json", None) == []
        assert service.searches == []

    def test_collection_that_the_service_lacks(self, service: Service) -> None:
        search = Search(("T31UES",), "20180101", "20181231", ("sentinel-2",))
        message = r"no collection sentinel-2; it has sentinel-2-l1c, sentinel-2-l2a. Correct"
        with pytest.raises(MissingAcquisitionError, match=message):
            find_remote(service.address, search)

    def test_no_collection_asked_for(self, service: Service) -> None:
        with pytest.raises(MissingAcquisitionError, match=r"products.collections"):
            find_remote(service.address, Search(("T31UES",), "20180101", "20181231", ()))

    def test_malformed_item_of_an_answer(self, service: Service, items: list[Content]) -> None:
        items[0]["assets"]["B02"].pop("href")
        with pytest.raises(ProductError, match=r"answer of http://127.*KeyError: 'href'"):
            find_remote(service.address, YEAR)

    def test_address_without_service(self, service: Service) -> None:
        with pytest.raises(MissingAcquisitionError, match=r"/nothing does not answer.*status 404"):
            find_remote(f"{service.address}/nothing", YEAR)

    def test_silent_address(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("fgunet.sentinel2.stac_network.LIMITS", Limits(retries=0))
        with serve(tmp_path) as service:
            address = service.address
        with pytest.raises(MissingAcquisitionError, match=r"does not answer.*check the address"):
            find_remote(address, YEAR)

    @pytest.mark.filterwarnings("ignore:Server does not advertise")
    def test_catalogue_without_search(self, service: Service, tmp_path: Path) -> None:
        save_catalogue(tmp_path / "static", [])
        with pytest.raises(MissingAcquisitionError, match=r"offers no item search.*ends in .json"):
            find_remote(f"{service.address}/files/static", YEAR)


class TestStaticOnTheWeb:
    def test_items_of_the_tile_and_days_are_taken(self, tmp_path: Path) -> None:
        items = [
            plain_item(tmp_path),
            plain_item(tmp_path, "neighbour", tile="31UFS"),
            plain_item(tmp_path, "late", time="2019-01-01T00:00:00Z"),
        ]
        places = [save_item(tmp_path, item).relative_to(tmp_path) for item in items]
        save_catalogue(tmp_path / "catalog.json", places)
        with serve_files(tmp_path) as files:
            (product,) = find_remote(f"{files}/catalog.json", YEAR)
            acquisition = product.describe(TWO_BANDS)
        name = items[0]["id"]
        assert product.path == f"{files}/{name}/{name}.json"
        assert acquisition.bands["B11"] == f"/vsicurl/{files}/{name}/B11.tif"

    def test_missing_file(self, tmp_path: Path) -> None:
        with serve(tmp_path) as service:
            address = f"{service.address}/files/catalog.json"
            with pytest.raises(MissingAcquisitionError, match=r"catalog.json does not .*404"):
                find_remote(address, YEAR)

    def test_bucket(self) -> None:
        with pytest.raises(MissingAcquisitionError, match=r"s3://.*https address"):
            find_remote("s3://bucket/collection.json", YEAR)
