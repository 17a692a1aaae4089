"""The seal of a series that is finished: the checksum of its description, in a file beside it.

Pixels have checksums of their own, chunk by chunk. The file is one that ``sha256sum --check``
reads. A series without it was not written by this library, or not to its end.
"""

from pathlib import Path

from fgunet.files import file_sha256
from fgunet.series.chunks import damaged

_DESCRIPTION = "zarr.json"
_SEAL = "SHA256SUMS"


def seal(store: Path) -> None:
    """Seal a series whose files are all there."""
    (store / _SEAL).write_text(_content(store), encoding="ascii")


def is_sealed(store: Path) -> bool:
    """Whether `seal` was called for a series, and its files are still there."""
    return (store / _SEAL).exists()


def require_unbroken(store: Path) -> None:
    """Check the description of a sealed series; of another one, nothing.

    Raises
    ------
    DamagedSeriesError
        If it is not what was written.
    """
    if not is_sealed(store):
        return
    if not (store / _DESCRIPTION).exists():
        raise damaged(store / _DESCRIPTION, "it is missing")
    if (store / _SEAL).read_bytes() != _content(store).encode("ascii"):
        raise damaged(store / _DESCRIPTION, f"its checksum is not that in {_SEAL}")


def _content(store: Path) -> str:
    return f"{file_sha256(store / _DESCRIPTION)}  {_DESCRIPTION}\n"
