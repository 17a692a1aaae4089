"""How GDAL is asked to open vector files: as files of this machine, and without the network."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyogrio

_NO_PROXY = "none://"
"""A proxy of no known kind: a request fails before any address is looked up."""

_EXCEPTIONS = ("no_proxy", "NO_PROXY")
"""Variables by which the environment exempts addresses from a proxy."""


def as_file(path: str | os.PathLike[str]) -> str:
    """A path that GDAL takes for nothing else: neither an address nor the name of a format."""
    return str(path) if Path(path).is_absolute() else f"./{path}"


@contextmanager
def gdal_options(**options: str) -> Iterator[None]:
    """Set configuration options of GDAL, and put back what was there."""
    previous = {name: pyogrio.get_gdal_config_option(name) for name in options}
    pyogrio.set_gdal_config_options(options)
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options(previous)


@contextmanager
def offline() -> Iterator[None]:
    """Let GDAL ask no address, such as that of the coordinate system of a GeoJSON file."""
    exceptions = {name: os.environ.pop(name) for name in _EXCEPTIONS if name in os.environ}
    try:
        with gdal_options(GDAL_HTTP_PROXY=_NO_PROXY, GDAL_HTTPS_PROXY=_NO_PROXY):
            yield
    finally:
        os.environ.update(exceptions)
