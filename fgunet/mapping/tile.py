"""The map of a tile, from its series to finished files."""

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict, dataclass, field
from typing import Any

from numpy.typing import NDArray

from fgunet import __version__
from fgunet.grid import Grid, Window
from fgunet.mapping.decision import TIE, Layers
from fgunet.mapping.deliverables import create_class_map, create_percent, create_probabilities
from fgunet.mapping.journal import Journal, journal_beside
from fgunet.mapping.prediction import Predictor, classify
from fgunet.mapping.tags import map_tags
from fgunet.mapping.windows import MappingWindow, core_within, plan_windows
from fgunet.nomenclature import NODATA_CODE, Nomenclature
from fgunet.series.store import SeriesStore

LARGEST_CORE = 2048
"""Side of a core at most, in pixels: larger ones save little, and are long to do again."""

STUDY_WINDOW = 512
"""Side of the windows of Stoian et al. (2019), with what is seen around them, in pixels."""

SAME_PIXELS = 840 * 840
"""Pixels that are read at a time at most for a predictor whose rounding depends on the window."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Windowing:
    """How large windows are.

    Attributes
    ----------
    memory_mb : float
        Memory of the process, in megabytes.
    core : int, optional
        Side of the cores in pixels. Without it, as large as the memory allows; where the predictor
        is not exact, such that at most `SAME_PIXELS` are read, whatever the memory.
    overlap : int, optional
        Instead of the predictor's halo: what is seen around a core of windows of `STUDY_WINDOW`.
        Where it is below the halo, the map is not that of the whole image.
    """

    memory_mb: float
    core: int | None = None
    overlap: int | None = None


@dataclass(frozen=True)
class MapPaths:
    """Where the maps of a tile go; the last two where they are asked for."""

    classes: str | os.PathLike[str]
    confidence: str | os.PathLike[str]
    margin: str | os.PathLike[str] | None = None
    probabilities: str | os.PathLike[str] | None = None


@dataclass(frozen=True)
class Making:
    """What the maps of a tile are made with, besides its series.

    Attributes
    ----------
    method : str
        "fgunet" or "forest".
    model, metadata : str
        SHA-256 of the model file and of its metadata, hexadecimal.
    settings : mapping
        Whatever else the pixels depend on, as JSON can hold it.
    """

    method: str
    model: str
    metadata: str
    settings: Mapping[str, Any] = field(default_factory=dict)


def map_tile(
    predictor: Predictor,
    series: SeriesStore,
    nomenclature: Nomenclature,
    paths: MapPaths,
    *,
    making: Making,
    windowing: Windowing,
    layers: Layers,
) -> dict[str, Any]:
    """Map a tile window by window, and write its maps, atomically.

    A process that is killed leaves the windows that are done beside `paths.classes`; the next one
    with the same series and `making` maps only the others. The bytes written do not depend on
    that. With an exact predictor they do not depend on the windows either, but for rounding: a
    pixel whose two best classes are nearer than 1e-5, which is counted, may have the other one, and
    a percentage that lies so near to a half may be 1 more or less.

    Parameters
    ----------
    predictor : Predictor
        The model.
    series : SeriesStore
        What it is given.
    nomenclature : Nomenclature
        Of the classes.
    paths : MapPaths
        Files to write.
    making : Making
        What the maps are made with; their tags tell it.
    windowing : Windowing
        How large windows are.
    layers : Layers
        What is made besides class and confidence; `paths` names the files.

    Returns
    -------
    dict
        tile; method; mapped, pixels with a class; ties, those whose two best classes are nearer
        than tie_tolerance; halo and needed_halo, pixels that were seen around a window and that the
        result depends on; temperature, of confidence, margin and probabilities, or None.

    Raises
    ------
    MapError
        If no space is left.
    """
    shape = series.grid.shape
    halo, core = _halo_and_core(predictor, shape, windowing)
    tags = map_tags(
        tile=series.tile,
        method=making.method,
        model=making.model,
        dates=series.dates,
        bands=series.bands,
        version=__version__,
    )
    made_of = {
        "series": series.identity,
        "making": asdict(making),
        "version": __version__,
        "halo": halo,
        "layers": asdict(layers),
        # Windows of other cores would not be the same.
        "core": None if predictor.exact else core,
    }
    with journal_beside(paths.classes, made_of, core=core) as journal:
        windows = plan_windows(shape, core=journal.core, halo=halo, stride=predictor.stride)
        left = [window for window in windows if not journal.has(window.core)]
        _log.info(
            "%d windows of %d pixels, %d of them to do", len(windows), journal.core, len(left)
        )
        classify(predictor, series.read, left, journal.put, nodata=series.nodata, layers=layers)
        files = _files(
            series.grid, nomenclature, predictor.codes, paths=paths, layers=layers, tags=tags
        )
        found = _assemble(journal, windows, files)
    return {
        "tile": series.tile,
        "method": making.method,
        **found,
        "tie_tolerance": TIE,
        "halo": halo,
        "needed_halo": predictor.halo,
        "temperature": layers.temperature,
    }


def _halo_and_core(
    predictor: Predictor, shape: tuple[int, int], windowing: Windowing
) -> tuple[int, int]:
    if windowing.overlap is not None:
        return windowing.overlap, STUDY_WINDOW - 2 * windowing.overlap
    if windowing.core is not None:
        return predictor.halo, windowing.core
    halo = predictor.halo
    pixels: float = SAME_PIXELS
    if predictor.exact:
        largest = (LARGEST_CORE + 2 * halo) ** 2
        pixels = min(predictor.memory.pixels(windowing.memory_mb), largest)
    return halo, core_within(shape, pixels=pixels, halo=halo, stride=predictor.stride)


File = AbstractContextManager[Callable[[Window, NDArray[Any]], None]]
"""A file that is opened to be written window by window, and gets its name when it is closed."""


def _files(
    grid: Grid,
    nomenclature: Nomenclature,
    codes: Sequence[int],
    *,
    paths: MapPaths,
    layers: Layers,
    tags: Mapping[str, str],
) -> dict[str, File]:
    """The file of each field of `Decided` that is asked for."""
    files: dict[str, File] = {"codes": create_class_map(paths.classes, grid, nomenclature, tags)}
    if layers.temperature is not None:
        tags = {**tags, "temperature": str(layers.temperature)}  # it changes no class
    files["confidence"] = create_percent(paths.confidence, grid, tags)
    if layers.margin and paths.margin:
        files["margin"] = create_percent(paths.margin, grid, tags)
    if layers.probabilities and paths.probabilities:
        files["probabilities"] = create_probabilities(
            paths.probabilities, grid, nomenclature, codes, layers.probabilities, tags=tags
        )
    return files


def _assemble(
    journal: Journal, windows: Sequence[MappingWindow], files: Mapping[str, File]
) -> dict[str, int]:
    mapped = ties = 0
    with ExitStack() as stack:
        writers = {name: stack.enter_context(file) for name, file in files.items()}
        for window in windows:
            decided = journal.get(window.core)
            for name, write in writers.items():
                write(window.core, getattr(decided, name))
            mapped += int((decided.codes != NODATA_CODE).sum())
            ties += decided.ties
    return {"mapped": mapped, "ties": ties}
