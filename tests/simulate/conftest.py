"""One small simulated world for all tests of the simulator."""

import sys
from pathlib import Path

import pytest

from fgunet.simulate.catalogue import Catalogue, read_catalogue
from fgunet.simulate.landscape import Landscape, build_landscape
from fgunet.simulate.sites import Placement, Site, group_sites, place_tile

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

# Two tiles that overlap in one zone, and one of the next zone over the same ground.
TILES = {
    "T30TAA": {"crs": "EPSG:32630", "left": 792600, "top": 4778800, "landscape": "alpine"},
    "T30TAB": {"crs": "EPSG:32630", "left": 793100, "top": 4778800, "landscape": "alpine"},
    "T31TAA": {"crs": "EPSG:32631", "left": 304500, "top": 4775400, "landscape": "alpine"},
    "T31TBB": {"crs": "EPSG:32631", "left": 400000, "top": 5000000, "landscape": "coast"},
}
SIZE = 96
SEED = 11


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return read_catalogue()


@pytest.fixture(scope="session")
def placements() -> dict[str, Placement]:
    return {name: place_tile(name, size=SIZE, **where) for name, where in TILES.items()}


@pytest.fixture(scope="session")
def sites(placements: dict[str, Placement]) -> tuple[Site, ...]:
    return group_sites(list(placements.values()))


@pytest.fixture(scope="session")
def grounds(sites: tuple[Site, ...], catalogue: Catalogue) -> dict[str, Landscape]:
    return {site.name: build_landscape(site, catalogue, seed=SEED) for site in sites}
