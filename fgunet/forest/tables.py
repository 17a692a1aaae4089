"""Pixel samples as Parquet tables, which any tool can read and only this module writes.

Format: https://parquet.apache.org/docs/file-format/
"""

import hashlib
import json
import os
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from fgunet.errors import ModelError
from fgunet.files import atomic_path
from fgunet.forest.samples import PIXEL_TYPES, Samples, channel_names
from fgunet.series.interpolation import NODATA

_KEY = b"fgunet"
_FORMAT = 1
_ROWS = 8192  # of a row group: what is written or read at a time
_REMEDY = "remove it and make it anew with the rule sample_pixels"


def write_samples(path: str | os.PathLike[str], samples: Samples) -> None:
    """Write samples as a Parquet table, atomically; the bytes depend on the samples alone.

    Columns: tile (text), row, column, polygon_id (uint32), code (uint8), key (uint64), and a
    uint16 column a channel, reflectance x 10000. The file's metadata, JSON under the key
    "fgunet", give format, dates, bands, nodata and the SHA-256 of the content.

    Raises
    ------
    ModelError
        If a code is 0, a pixel comes twice or a value is nodata.
    """
    _require_sound(path, samples)
    about = {**_described(samples.dates, samples.bands), "sha256": _digest(samples)}
    schema = _schema(samples.dates, samples.bands).with_metadata({_KEY: json.dumps(about)})
    with atomic_path(path) as part, pq.ParquetWriter(part, schema, **_packing(schema)) as writer:
        for start in range(0, len(samples), _ROWS):
            rows = slice(start, start + _ROWS)
            columns = [samples.pixels[name].iloc[rows] for name in PIXEL_TYPES]
            channels = np.ascontiguousarray(samples.reflectance[rows].T)
            arrays = [
                pa.array(values, field.type)
                for values, field in zip([*columns, *channels], schema, strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))


def read_samples(path: str | os.PathLike[str]) -> Samples:
    """Read the samples of a table.

    Parameters
    ----------
    path : path
        Table that `write_samples` wrote.

    Returns
    -------
    Samples
        Memory holds less than twice as much while they are read.

    Raises
    ------
    ModelError
        If the file is no such table, or was changed since it was written.
    """
    try:
        with pq.ParquetFile(path, pre_buffer=False) as file:
            about = _about(path, file.schema_arrow)
            samples = _content(file, tuple(about["dates"]), tuple(about["bands"]))
        unchanged = _digest(samples) == about["sha256"]
    except ModelError:
        raise
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f"{path} is not a readable table of pixel samples ({type(error).__name__}: {error}); "
            f"{_REMEDY}"
        ) from error
    if not unchanged:
        raise ModelError(f"{path} was changed since it was written; {_REMEDY}")
    _require_sound(path, samples)
    return samples


def _schema(dates: tuple[str, ...], bands: tuple[str, ...]) -> Any:
    types = {"tile": pa.string()} | {
        name: pa.from_numpy_dtype(kind) for name, kind in PIXEL_TYPES.items() if name != "tile"
    }
    return pa.schema({**types, **dict.fromkeys(channel_names(dates, bands), pa.uint16())})


def _packing(schema: Any) -> dict[str, Any]:
    """How a table is packed: a dictionary of reflectances would be as long as they are."""
    deltas = dict.fromkeys(schema.names[len(PIXEL_TYPES) :], "DELTA_BINARY_PACKED")
    return {"compression": "zstd", "use_dictionary": ["tile"], "column_encoding": deltas}


def _described(dates: tuple[str, ...], bands: tuple[str, ...]) -> dict[str, Any]:
    return {"format": _FORMAT, "dates": dates, "bands": bands, "nodata": NODATA}


def _about(path: str | os.PathLike[str], schema: Any) -> dict[str, Any]:
    """The metadata of a table, whose columns are what they say."""
    content = (schema.metadata or {}).get(_KEY)
    if content is None:
        raise ModelError(f"{path} is not a table of pixel samples; {_REMEDY}")
    about: dict[str, Any] = json.loads(content)
    if about["format"] != _FORMAT:
        raise ModelError(
            f"{path} has the format {about['format']}, this release reads {_FORMAT}; {_REMEDY}"
        )
    expected = _schema(tuple(about["dates"]), tuple(about["bands"]))
    found = {field.name: str(field.type) for field in schema}
    wanted = {field.name: str(field.type) for field in expected}
    faults = [
        f"{name} is {found.get(name, 'missing')}, not {wanted.get(name, 'there')}"
        for name in [*wanted, *(found.keys() - wanted.keys())]
        if found.get(name) != wanted.get(name)
    ]
    if schema.names != expected.names and not faults:
        faults = ["they stand in another order"]
    if faults:
        raise ModelError(f"{path} has other columns: {'; '.join(faults[:5])}; {_REMEDY}")
    return about


def _content(file: pq.ParquetFile, dates: tuple[str, ...], bands: tuple[str, ...]) -> Samples:
    """The samples of an open table, read some rows at a time."""
    names, count = channel_names(dates, bands), file.metadata.num_rows
    groups = (file.metadata.row_group(place).num_rows for place in range(file.num_row_groups))
    if sum(groups) != count:
        raise ValueError(f"its groups do not hold its {count} rows")
    reflectance = np.empty((count, len(names)), np.uint16)
    pixels = [_schema(dates, bands).empty_table().select(list(PIXEL_TYPES)).to_pandas()]
    start = 0
    for batch in file.iter_batches(batch_size=_ROWS, use_threads=False):
        if any(column.null_count for column in batch.columns):
            raise ValueError("it has empty cells")
        rows = reflectance[start : start + batch.num_rows]
        for place, name in enumerate(names):
            rows[:, place] = batch.column(name).to_numpy()
        pixels.append(batch.select(list(PIXEL_TYPES)).to_pandas())
        start += batch.num_rows
    if start != count:
        raise ValueError(f"{start} of {count} rows were found")
    return Samples(pd.concat(pixels, ignore_index=True), reflectance, dates, bands)


def _digest(samples: Samples) -> str:
    """SHA-256 of the content of samples, whatever the file that holds them."""
    about = json.dumps(_described(samples.dates, samples.bands), sort_keys=True)
    digest = hashlib.sha256(about.encode())
    for name, kind in PIXEL_TYPES.items():
        column = samples.pixels[name]
        values = "\n".join(column).encode() if name == "tile" else column.to_numpy(kind).tobytes()
        digest.update(values)
    digest.update(np.ascontiguousarray(samples.reflectance).data)
    return digest.hexdigest()


def _require_sound(path: str | os.PathLike[str], samples: Samples) -> None:
    pixels = samples.pixels
    faults = {
        "pixels of code 0": (pixels["code"] == 0).any(),
        "a pixel twice": pixels.duplicated(["tile", "row", "column"]).any(),
        "values without data": samples.reflectance.max(initial=0) == NODATA,
    }
    told = [what for what, found in faults.items() if found]
    if told:
        raise ModelError(f"the pixel samples of {path} have {' and '.join(told)}; {_REMEDY}")
