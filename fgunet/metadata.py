"""What a training tells beside its model."""

import os
from typing import Any

from fgunet.errors import ModelError
from fgunet.files import read_json

_LISTS = {"dates": str, "bands": str, "codes": int}


def read_metadata(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read the metadata of a model (JSON).

    Raises
    ------
    ModelError
        If the file is no JSON, or does not list dates, bands and codes.
    """
    try:
        told = read_json(path)
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(
            f"{path} cannot be read as a model's metadata ({type(error).__name__}: {error}); train "
            "the model again"
        ) from error
    listed = told if isinstance(told, dict) else {}
    missing = [key for key, kind in _LISTS.items() if not _is_list(listed.get(key), kind)]
    if missing:
        raise ModelError(f"{path} lists no {', '.join(missing)}; train the model again")
    return listed


def _is_list(value: Any, kind: type) -> bool:
    return isinstance(value, list) and all(type(one) is kind for one in value)
