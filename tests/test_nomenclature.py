from pathlib import Path

import numpy as np
import pytest

from fgunet.errors import NomenclatureError
from fgunet.nomenclature import LandCoverClass, Nomenclature, read_nomenclature

SPARSE = Nomenclature(
    "three sparse codes",
    tuple(LandCoverClass(code, f"class {code}", (code, 0, 0), "") for code in (7, 11, 211)),
)


def test_labels_and_codes_are_inverse() -> None:
    codes = np.array([[0, 7], [211, 11]], dtype=np.uint8)
    labels = SPARSE.labels(codes)
    assert labels.tolist() == [[255, 0], [2, 1]]
    assert SPARSE.codes_of(labels).tolist() == codes.tolist()


def test_unknown_code_is_named() -> None:
    with pytest.raises(NomenclatureError, match=r"codes \[12\] are not in the nomenclature"):
        SPARSE.labels(np.array([7, 12], dtype=np.uint8))


@pytest.mark.parametrize("codes", [(), (7, 7), (11, 7), (0, 7), (7, 256)])
def test_codes_must_rise_within_a_byte(codes: tuple[int, ...]) -> None:
    with pytest.raises(NomenclatureError, match="between 1 and 255"):
        Nomenclature("bad", tuple(LandCoverClass(c, "", (0, 0, 0), "") for c in codes))


def test_shipped_file_is_the_published_list(root: Path) -> None:
    oso = read_nomenclature(root / "tables" / "oso17.yaml")
    assert len(oso.codes) == 17
    assert oso.group("urban") == (41, 42, 43, 44)
    assert oso.names[53] == "glaciers and permanent snow"
    assert oso.colours[46] == (255, 184, 2)


def test_malformed_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "classes.yaml"
    path.write_text("name: x\nclasses: [{code: 1, name: water, colour: [0, 0]}]")
    with pytest.raises(NomenclatureError, match=r"classes\.yaml is not a nomenclature"):
        read_nomenclature(path)
    with pytest.raises(NomenclatureError, match="no nomenclature file"):
        read_nomenclature(tmp_path / "absent.yaml")
