"""Pixel samples as Parquet tables."""

import json
import os

import pyarrow as pa
import pyarrow.parquet as pq

from fgunet.errors import ModelError
from fgunet.files import atomic_path
from fgunet.forest.samples import Samples, channel_names

_KEY = b"fgunet"


def write_samples(path: str | os.PathLike[str], samples: Samples) -> None:
    """Write samples as a Parquet table, atomically; the bytes depend on the samples alone.

    Dates and bands lie in the table's metadata, so that an empty table has them too.
    """
    table = pa.Table.from_pandas(samples.frame, preserve_index=False)
    table = table.set_column(0, "tile", table["tile"].cast(pa.string()))
    about = json.dumps({"dates": samples.dates, "bands": samples.bands})
    table = table.replace_schema_metadata({_KEY: about.encode()})
    with atomic_path(path) as part:
        pq.write_table(table, part, compression="zstd")


def read_samples(path: str | os.PathLike[str]) -> Samples:
    """Read the samples of a table.

    Raises
    ------
    ModelError
        If the file is no table of pixel samples.
    """
    table = pq.read_table(path)
    about = (table.schema.metadata or {}).get(_KEY)
    if about is None:
        raise ModelError(f"{path} is not a table of pixel samples; run sample_pixels again")
    content = json.loads(about)
    dates, bands = tuple(content["dates"]), tuple(content["bands"])
    missing = set(channel_names(dates, bands)) - set(table.column_names)
    if missing:
        raise ModelError(f"{path} lacks the channels {sorted(missing)}; run sample_pixels again")
    return Samples(table.to_pandas(), dates, bands)
