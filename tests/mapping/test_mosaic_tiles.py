"""Maps that no mosaic can be made of."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio

from fgunet.errors import GridError, MapError, NomenclatureError
from fgunet.mapping.mosaic import mosaic_tiles
from fgunet.mapping.mosaic_tiles import TileMaps, common_tags
from tests.mapping.tile_maps import NOMENCLATURE, put, random_tile

ORIGIN = (500000.0, 4850000.0)


@pytest.fixture
def whole(tmp_path) -> TileMaps:
    return put(tmp_path, "T31TCJ", *random_tile(1), ORIGIN)


def refused(tmp_path, maps: list[TileMaps], kind: type[Exception]) -> str:
    target = tmp_path / "mosaic" / "mosaic_class.tif"
    with pytest.raises(kind) as told:
        mosaic_tiles(maps, NOMENCLATURE, target, crs="EPSG:2154", resolution=10)
    assert not target.parent.exists() or list(target.parent.iterdir()) == []
    return str(told.value)


def test_another_nomenclature(tmp_path, whole) -> None:
    other = put(tmp_path, "T31TDJ", *random_tile(2), ORIGIN, nomenclature="23 classes")
    told = refused(tmp_path, [whole, other], NomenclatureError)
    assert told.startswith(f"{other.path_to_class} is not a map of the nomenclature")
    assert "tag nomenclature is '23 classes', expected 'three classes'" in told
    assert "make the map of this tile again" in told


def test_other_classes_under_the_same_name(tmp_path, whole) -> None:
    other = put(
        tmp_path, "T31TDJ", *random_tile(2), ORIGIN, CLASS_44="rivers", CLASS_12="roads"
    )  # fmt: skip
    told = refused(tmp_path, [whole, other], NomenclatureError)
    assert "tag CLASS_12 is 'roads', expected None" in told
    assert "tag CLASS_44 is 'rivers', expected 'class 44'" in told


def test_no_nomenclature(tmp_path, whole) -> None:
    nothing = dict.fromkeys(("nomenclature", "CLASS_11", "CLASS_44", "CLASS_222"))
    other = put(tmp_path, "T31TDJ", *random_tile(2), ORIGIN, **nothing)
    told = refused(tmp_path, [whole, other], NomenclatureError)
    assert "tag nomenclature is None, expected 'three classes'" in told
    assert "1 further tags differ" in told


def test_a_code_that_is_not_in_the_nomenclature(tmp_path, whole) -> None:
    codes, confidence = random_tile(2)
    codes[5:8, 5:8] = 12
    other = put(tmp_path, "T31TDJ", codes, confidence, ORIGIN)
    told = refused(tmp_path, [whole, other], NomenclatureError)
    assert told.startswith(f"{other.path_to_class}: codes [12] are not in the nomenclature")
    assert "[11, 44, 222]" in told


@pytest.mark.parametrize("name", ["path_to_class", "path_to_confidence"])
def test_numbers_of_another_kind(tmp_path, whole, name) -> None:
    values = [each.astype(np.uint16) for each in random_tile(2)]
    other = put(tmp_path, "T31TDJ", *values, ORIGIN)
    mixed = replace(whole, **{name: getattr(other, name)})
    told = refused(tmp_path, [whole, mixed], GridError)
    assert told.startswith(f"{getattr(other, name)} has bands of uint16")


def test_a_confidence_of_another_tile(tmp_path, whole) -> None:
    other = put(tmp_path, "T31TDJ", *random_tile(2), (501000.0, 4850500.0))
    mixed = TileMaps("T31TCJ", whole.path_to_class, other.path_to_confidence)
    assert "lies on another grid" in refused(tmp_path, [mixed], GridError)


def test_a_map_cut_short(tmp_path, whole) -> None:
    other = put(tmp_path, "T31TDJ", *random_tile(2, (600, 600)), ORIGIN)
    with rasterio.open(other.path_to_class) as dataset:
        offset = int(dataset.get_tag_item("BLOCK_OFFSET_2_2", "TIFF", bidx=1))
    with Path(other.path_to_class).open("r+b") as file:
        file.seek(offset)
        file.write(b"\xff" * 500)
    told = refused(tmp_path, [whole, other], MapError)
    assert told.startswith(f"{other.path_to_class} cannot be read")


def test_a_map_that_is_none(tmp_path, whole) -> None:
    other = put(tmp_path, "T31TDJ", *random_tile(2), ORIGIN)
    Path(other.path_to_confidence).write_bytes(b"II*\0")
    told = refused(tmp_path, [whole, other], MapError)
    assert told.startswith(f"{other.path_to_confidence} cannot be read")


def test_common_tags(tmp_path) -> None:
    maps = [
        put(tmp_path, f"T31T{letter}J", *random_tile(1), ORIGIN, model="a", tile=letter)
        for letter in "CD"
    ]
    tags = common_tags([each.path_to_confidence for each in maps])
    assert tags == {"AREA_OR_POINT": "Area", "model": "a", "unit": "percent"}
    assert common_tags([maps[0].path_to_confidence])["tile"] == "C"
