import filecmp
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import rasterio
import simulate_products
import simulate_world

from fgunet.errors import ConfigError
from fgunet.sentinel2.acquisition import Request
from fgunet.sentinel2.theia import read_product
from fgunet.simulate.calendar import plan_passes
from fgunet.simulate.sky import Sky, cloud_mask, through_sky
from fgunet.simulate.theia import coarsen, coarsen_bits, to_integers

PLAN = {
    "first_date": "2015-12-20",
    "last_date": "2017-01-10",
    "count": 40,
    "cloud_share": 0.35,
    "edge_share": 0.2,
    "reprocessed": 1,
}
TILE = {"crs": "EPSG:32631", "left": 400000, "top": 5000000, "landscape": "coast"}
BAND_NAMES = ("B2", "B3", "B4", "B8"), ("B5", "B6", "B7", "B8A", "B11", "B12")


def _make(folder: Path) -> Path:
    simulate_world.main(
        tiles={"T31TBB": TILE}, tile_size=64, seed=3, path_to_world=str(folder / "world")
    )
    simulate_products.main(
        tile="T31TBB",
        placement=TILE,
        tile_size=64,
        acquisitions=PLAN | {"last_date": "2016-06-30", "count": 16},
        seed=3,
        path_to_world=str(folder / "world"),
        path_to_products=str(folder / "products"),
        path_to_truth=str(folder / "truth.tif"),
    )
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _make(tmp_path_factory.mktemp("made"))


def test_layout_is_that_of_real_products(made: Path) -> None:
    products = sorted((made / "products").iterdir())
    assert len(products) == 17  # sixteen dates, one of them in two versions
    for product in products:
        name = product.name
        files = {f"{name}_FRE_{band}.tif" for group in BAND_NAMES for band in group}
        assert {p.name for p in product.iterdir()} == files | {"MASKS", f"{name}_MTD_ALL.xml"}
        masks = {f"{name}_{kind}_{r}.tif" for kind in ("CLM", "EDG", "SAT") for r in ("R1", "R2")}
        assert {p.name for p in (product / "MASKS").iterdir()} == masks
        for group, size, pixel in ((0, 64, 10.0), (1, 32, 20.0)):
            for band in BAND_NAMES[group]:
                with rasterio.open(product / f"{name}_FRE_{band}.tif") as dataset:
                    assert dataset.dtypes == ("int16",)
                    assert dataset.nodata is None
                    assert dataset.shape == (size, size)
                    assert dataset.transform[:6] == (pixel, 0, 400000, 0, -pixel, 5000000)
                    assert dataset.crs.to_epsg() == 32631


def test_the_chain_reads_them(made: Path) -> None:
    products = sorted((made / "products").iterdir())
    assert len(products) == 17
    acquisition = read_product(products[0], Request(("B02", "B8A", "B12"), ("cloud", "edge")))
    assert acquisition.tile == "T31TBB"
    assert acquisition.nodata == -10000
    assert {"CLM", "EDG"} <= {kind[:3] for kind in acquisition.masks}


def test_layout_agrees_with_a_real_product(made: Path, shared_data: Path) -> None:
    real = next(iter(sorted((shared_data / "theia_T31UFQ" / "products").iterdir())))
    ours = next(iter(sorted((made / "products").iterdir())))
    for relative in ("{0}_FRE_B2.tif", "{0}_FRE_B11.tif", "MASKS/{0}_CLM_R2.tif"):
        with (
            rasterio.open(real / relative.format(real.name)) as one,
            rasterio.open(ours / relative.format(ours.name)) as two,
        ):
            assert one.dtypes == two.dtypes
            assert one.nodata == two.nodata
            assert one.res == two.res


def test_same_seed_same_bytes(made: Path, tmp_path: Path) -> None:
    again = _make(tmp_path)
    files = sorted(p.relative_to(made) for p in made.rglob("*") if p.is_file())
    assert files == sorted(p.relative_to(again) for p in again.rglob("*") if p.is_file())
    _, differing, failed = filecmp.cmpfiles(made, again, [str(f) for f in files], shallow=False)
    assert (differing, failed) == ([], [])


def test_outside_the_swath_is_nodata_and_edge(made: Path) -> None:
    shares = []
    for product in (made / "products").iterdir():
        with rasterio.open(product / "MASKS" / f"{product.name}_EDG_R1.tif") as dataset:
            edge = dataset.read(1) == 1
        for band in BAND_NAMES[0]:
            with rasterio.open(product / f"{product.name}_FRE_{band}.tif") as dataset:
                np.testing.assert_array_equal(dataset.read(1) == -10000, edge)
        shares.append(edge.mean())
    assert min(shares) == 0
    assert max(shares) > 0


def test_the_older_version_differs_a_little(made: Path) -> None:
    names = sorted(p.name for p in (made / "products").iterdir())
    (old,) = [name for name in names if name.endswith("V1-1")]
    new = old.removesuffix("V1-1") + "V1-4"
    assert new in names
    pixels = []
    for name in (old, new):
        with rasterio.open(made / "products" / name / f"{name}_FRE_B8.tif") as dataset:
            pixels.append(dataset.read(1).astype(float))
    ratio = np.median(pixels[0] / np.maximum(pixels[1], 1))
    assert 1.0 < ratio < 1.05


def test_metadata_says_what_the_files_say(made: Path) -> None:
    for product in (made / "products").iterdir():
        tree = ET.parse(product / f"{product.name}_MTD_ALL.xml")  # noqa: S314
        assert tree.findtext(".//PRODUCT_ID") == product.name
        listed = {e.text for tag in ("IMAGE_FILE", "MASK_FILE") for e in tree.iter(tag)}
        there = {str(p.relative_to(product)) for p in product.rglob("*.tif")}
        assert listed == there
        assert tree.findtext(".//SPECIAL_VALUE[@name='nodata']") == "-10000"
        assert tree.findtext(".//HORIZONTAL_CS_CODE") == "32631"
        assert tree.findtext(".//Group_Geopositioning[@group_id='R2']/NROWS") == "32"


def test_truth_is_a_class_everywhere(made: Path) -> None:
    with rasterio.open(made / "truth.tif") as dataset:
        truth = dataset.read(1)
        assert dataset.transform[:6] == (10, 0, 400000, 0, -10, 5000000)
    assert truth.dtype == np.uint8
    assert (truth > 0).all()
    assert len(np.unique(truth)) > 6


def test_20_m_is_the_mean_of_10_m() -> None:
    fine = np.random.default_rng(0).random((2, 6, 8), dtype=np.float32)
    coarse = coarsen(fine)
    corners = fine[:, ::2, ::2] + fine[:, 1::2, ::2] + fine[:, ::2, 1::2] + fine[:, 1::2, 1::2]
    np.testing.assert_allclose(coarse, corners / 4, rtol=1e-6)


def test_coarse_bits_are_all_bits_of_the_four_pixels() -> None:
    mask = np.array([[1, 2, 0, 0], [4, 0, 0, 32]], dtype=np.uint8)
    np.testing.assert_array_equal(coarsen_bits(mask), [[7, 32]])


def test_stored_values_by_hand() -> None:
    values = np.array([[[0.12344, -0.01, 0.5]]], dtype=np.float32)
    stored = to_integers(values, np.array([[False, False, True]]))
    np.testing.assert_array_equal(stored, [[[1234, 0, -10000]]])


def test_mask_bits_agree_with_the_sky() -> None:
    opacity = np.array([[0.0, 0.1, 0.5, 0.9, 0.0, 0.0]], dtype=np.float32)
    shade = np.array([[0.0, 0.0, 0.0, 0.0, 0.5, 0.5]], dtype=np.float32)
    outside = np.array([[False] * 5 + [True]])
    mask = cloud_mask(Sky(opacity, shade, outside), margin=0)
    np.testing.assert_array_equal(mask, [[0, 16, 1 | 2 | 8, 1 | 2 | 4 | 8, 1 | 32, 1 | 64]])


def test_clouds_brighten_and_shadows_darken() -> None:
    ground = np.full((1, 1, 3), 0.2, dtype=np.float32)
    sky = Sky(
        np.array([[0, 1, 0]], dtype=np.float32),
        np.array([[0, 0, 0.5]], dtype=np.float32),
        np.zeros((1, 3), dtype=bool),
    )
    seen = through_sky(ground, sky, np.array([0.6], dtype=np.float32))
    np.testing.assert_allclose(seen[0, 0], [0.2, 0.72, 0.1], rtol=1e-5)


def test_clear_pixels_of_the_mask_are_clear(made: Path) -> None:
    """Water is dark: nothing bright there goes unflagged."""
    with rasterio.open(made / "truth.tif") as dataset:
        water = dataset.read(1) == 51
    for product in (made / "products").iterdir():
        with rasterio.open(product / "MASKS" / f"{product.name}_CLM_R1.tif") as dataset:
            clear = dataset.read(1) == 0
        with rasterio.open(product / f"{product.name}_FRE_B2.tif") as dataset:
            blue = dataset.read(1)[water & clear]
        assert np.mean(blue > 2500) < 0.02 if blue.size else True


def test_passes_are_irregular_cloudy_and_cut() -> None:
    clouds, gaps = [], set()
    for number in range(12):
        tile = f"T31T{number:02d}"
        passes = plan_passes(seed=1, site=tile, tile=tile, **PLAN)
        days = [look.time.date() for look in passes]
        assert len(set(days)) == 40
        assert days == sorted(days)
        assert days[0].isoformat() < "2016-01-05"
        assert days[-1].isoformat() > "2016-12-22"
        gaps |= {(b - a).days for a, b in pairwise(days)}
        clouds += [look.cloudiness for look in passes]
        assert sum(len(look.versions) for look in passes) == 41
        assert sum(look.edge is not None for look in passes) == 8
    assert len(gaps) > 3
    assert np.mean(clouds) == pytest.approx(0.35, abs=0.06)


def test_tiles_of_a_site_see_the_same_sky() -> None:
    one, two = (plan_passes(seed=1, site="S", tile=tile, **PLAN) for tile in ("A", "B"))
    sky = {look.time: look.cloudiness for look in one}
    shared = [look for look in two if look.time in sky]
    assert len(shared) > 20
    assert all(sky[look.time] == look.cloudiness for look in shared)
    assert {look.time for look in one} != {look.time for look in two}


def test_too_many_passes_are_refused() -> None:
    with pytest.raises(ConfigError, match="do not fit"):
        plan_passes(seed=1, site="S", tile="A", **(PLAN | {"count": 90}))
