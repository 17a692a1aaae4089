"""Errors of the land cover chain.

Each says in one message what is wrong, what was found and expected, in which file,
and how to mend it. Each also is the builtin error a Python user would expect.
"""


class FgunetError(Exception):
    """Base of every error that this library raises on purpose."""


class ConfigError(FgunetError, ValueError):
    """The configuration breaks its schema or contradicts itself."""


class WriteError(FgunetError, OSError):
    """A file cannot be written: the disk is full, or may not be written to."""


class NomenclatureError(FgunetError, ValueError):
    """A nomenclature is malformed, or a code does not belong to it."""


class GridError(FgunetError, ValueError):
    """Two rasters that must share a grid do not, or a window leaves its grid."""


class MissingAcquisitionError(FgunetError, FileNotFoundError):
    """A tile has no product, or fewer acquisitions than the configuration asks for."""


class ProductError(FgunetError, ValueError):
    """A Sentinel-2 product is malformed, or lacks a band or a mask."""


class MissingBandError(ProductError):
    """A Sentinel-2 product lacks a band that the configuration lists."""


class SeriesError(FgunetError, ValueError):
    """A series does not hold the dates, bands or values it is asked for."""


class DamagedSeriesError(SeriesError):
    """A file of a series does not hold what was written to it."""


class ReferenceDataError(FgunetError, ValueError):
    """A reference source lacks a field, a layer, a geometry or a known code."""


class SplitError(FgunetError, ValueError):
    """A class has too few polygons to be split."""


class PatchError(FgunetError, ValueError):
    """Patches cannot be drawn from the labels given."""


class ModelError(FgunetError, ValueError):
    """A model cannot be built as asked, or does not fit the data it is given."""


class TrainingError(FgunetError, RuntimeError):
    """Training cannot start, or cannot go on."""


class WorkerLostError(TrainingError):
    """A worker that others train with was killed, failed, or cannot be reached."""


class TrainingStoppedError(TrainingError):
    """A training was asked to stop, and can go on from its checkpoint."""


class ResultError(FgunetError, ValueError):
    """A result that a rule reads is damaged, or is that of another tile or method."""


class MapError(FgunetError, OSError):
    """A map cannot be written whole, or read."""


class CatalogueError(FgunetError, ValueError):
    """A catalogue of the maps cannot be made of what was given."""


class AccuracyError(FgunetError, ValueError):
    """A map and its reference cannot be compared."""


class ComparisonError(FgunetError, ValueError):
    """Methods cannot be compared fairly, or one learned from what it should not."""
