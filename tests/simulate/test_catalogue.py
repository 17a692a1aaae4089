import numpy as np
import pytest

from fgunet.errors import ConfigError
from fgunet.nomenclature import read_nomenclature
from fgunet.sentinel2.bands import BANDS
from fgunet.simulate.catalogue import Catalogue


def test_names_in_the_data_files_exist(catalogue: Catalogue) -> None:
    for material in catalogue.materials:
        assert {material.base, material.green, material.dry} - {None} <= set(catalogue.spectra)
    for cover in catalogue.covers:
        assert set(cover.materials) <= set(catalogue.material_numbers)
    for recipe in catalogue.landscapes.values():
        for layer in recipe["layers"]:
            assert set(layer["covers"]) <= set(catalogue.cover_numbers)
    for kind in ("dense", "diffuse", "industrial"):
        style = catalogue.towns[kind]
        for mix in ("roofs", "open", "garden", "yard"):
            assert set(style.get(mix, {})) <= set(catalogue.material_numbers)


def test_spectra_are_reflectances_of_the_ten_bands(catalogue: Catalogue) -> None:
    assert catalogue.bands == tuple(BANDS)
    for spectrum in catalogue.spectra.values():
        assert spectrum.shape == (len(BANDS),)
        assert (spectrum > 0).all()
        assert (spectrum < 1).all()


def test_covers_hold_every_class_of_the_shipped_nomenclature(catalogue: Catalogue, root) -> None:
    nomenclature = read_nomenclature(root / "tables" / "oso17.yaml")
    assert set(catalogue.codes.tolist()) == set(nomenclature.codes)


def test_urban_covers_share_their_materials(catalogue: Catalogue) -> None:
    roofs = [set(catalogue.towns[kind]["roofs"]) for kind in ("dense", "diffuse", "industrial")]
    assert roofs[0] == roofs[1] == roofs[2]
    lanes = {catalogue.towns[kind]["lane"] for kind in ("dense", "diffuse", "industrial")}
    road = catalogue.covers[catalogue.cover_numbers["road"]]
    assert lanes == set(road.materials)


def test_unknown_landscape_is_refused(catalogue: Catalogue) -> None:
    with pytest.raises(ConfigError, match=r"no landscape 'moon'.*plain"):
        catalogue.landscape("moon")


def test_class_codes_fit_a_byte(catalogue: Catalogue) -> None:
    assert catalogue.codes.dtype == np.uint8
    assert catalogue.codes.min() > 0
