"""The classifier's file: skops, which runs no code when it is loaded."""

import io
import json
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import skops.io
from numpy.typing import NDArray
from skops.io.exceptions import UntrustedTypesFoundException

from fgunet.errors import ModelError
from fgunet.files import atomic_path, scratch_beside, write_json
from fgunet.forest.classifiers import is_forest_class, load_class
from fgunet.forest.model import Forest
from fgunet.metadata import read_metadata

# Beside the types of the classifier's own package.
_HARMLESS = {"collections.OrderedDict", "collections.defaultdict"}
_EPOCH = (1980, 1, 1, 0, 0, 0)
_SCHEMA = "schema.json"


def save_forest(
    forest: Forest, path: str | os.PathLike[str], path_to_metadata: str | os.PathLike[str]
) -> None:
    """Write a classifier (skops) and its metadata (JSON), each atomically.

    The skops file depends on the classifier alone: addresses, times and uninitialised padding
    that skops would write are taken out.
    """
    with atomic_path(path) as part, scratch_beside(path) as folder:
        raw = folder / "raw.skops"
        skops.io.dump(forest.classifier, raw)
        _write_canonical(raw, part)
    write_json(path_to_metadata, forest.metadata)


def load_forest(
    path: str | os.PathLike[str],
    path_to_metadata: str | os.PathLike[str],
    import_path: str = "sklearn.ensemble.RandomForestClassifier",
) -> Forest:
    """Read a classifier that `save_forest` wrote, without running code from the file.

    Parameters
    ----------
    path, path_to_metadata : path
        The two files.
    import_path : str
        Of the class that the file must hold. Types of its package are trusted, and no others:
        so it comes from the configuration, never from the files.

    Raises
    ------
    ModelError
        If the file is no skops file, holds another class or types that are not trusted, has
        broken trees, or does not fit its metadata.
    """
    expected = load_class(import_path)
    metadata = read_metadata(path_to_metadata)
    try:
        classifier = skops.io.load(path, trusted=_trusted(path, import_path))
    except UntrustedTypesFoundException as error:
        raise ModelError(
            f"{path} holds types that a {import_path} has not, and was not loaded: {error}. Train "
            "it again, or name the class that it was trained with under forest.classifier"
        ) from error
    except Exception as error:
        # A damaged archive makes zipfile, NumPy and skops raise nearly anything.
        raise ModelError(
            f"{path} is not a trained classifier ({type(error).__name__}: {error}); train it again"
        ) from error
    dates, bands = tuple(metadata["dates"]), tuple(metadata["bands"])
    codes = tuple(metadata["codes"])
    if type(classifier) is not expected:
        raise ModelError(
            f"{path} holds a {type(classifier).__name__}, not a {expected.__name__}; train it "
            "again, or set forest.classifier to what it is"
        )
    _require_sound(classifier, path, len(dates) * len(bands), codes)
    return Forest(classifier, dates, bands, codes, metadata)


def _trusted(path: str | os.PathLike[str], import_path: str) -> list[str]:
    package = import_path.partition(".")[0] + "."
    found = skops.io.get_untrusted_types(file=path)
    return [name for name in found if name.startswith(package) or name in _HARMLESS]


def _require_sound(
    classifier: Any, path: str | os.PathLike[str], channels: int, codes: tuple[int, ...]
) -> None:
    """Refuse what is not trained on these channels and codes, and trees that do not end."""
    found = tuple(int(code) for code in getattr(classifier, "classes_", ()))
    if found != codes or classifier.n_features_in_ != channels:
        raise ModelError(
            f"{path} has {classifier.n_features_in_} channels and the codes {list(found)}, its "
            f"metadata {channels} and {list(codes)}; the two files belong to different trainings"
        )
    if not is_forest_class(type(classifier)):
        return
    # The node tables of a tree are followed without bounds checks.
    for number, tree in enumerate(classifier.estimators_):
        if not _is_sound(tree.tree_, channels, len(codes)):
            raise ModelError(f"{path}: tree {number} is broken; train the forest again")


def _is_sound(tree: Any, channels: int, classes: int) -> bool:
    # Capacity first: the node tables are read up to node_count.
    if not 0 < tree.node_count <= tree.capacity or tree.n_features != channels:
        return False
    if tree.n_outputs != 1 or tree.max_n_classes != classes:
        return False
    left, right, feature = tree.children_left, tree.children_right, tree.feature
    inner = np.flatnonzero(left != -1)
    # Children come after their parent, so every path ends, and each node has one parent.
    children = np.stack([left[inner], right[inner]])
    return bool(
        (children > inner).all()
        and (np.sort(children, axis=None) == np.arange(1, tree.node_count)).all()
        and (feature[inner] >= 0).all()
        and (feature[inner] < channels).all()
        and np.isfinite(tree.threshold[inner]).all()
    )


def _write_canonical(raw: Path, target: Path) -> None:
    """The same skops archive with numbers for addresses, zeros for padding and no times."""
    numbers: dict[int, int] = {}
    with zipfile.ZipFile(raw) as source, zipfile.ZipFile(target, "w") as archive:
        schema = json.loads(source.read(_SCHEMA))
        for node in _nodes(schema):
            node["__id__"] = numbers.setdefault(node["__id__"], len(numbers))
            if "file" in node and node["file"].endswith(".npy"):
                name, node["file"] = node["file"], f"{node['__id__']}.npy"
                if node["file"] not in archive.NameToInfo:
                    _store(archive, node["file"], _without_padding(source.read(name)))
        _store(archive, _SCHEMA, json.dumps(schema).encode())


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if "__id__" in value:
            yield value
        for part in value.values():
            yield from _nodes(part)
    elif isinstance(value, list):
        for part in value:
            yield from _nodes(part)


def _store(target: zipfile.ZipFile, name: str, content: bytes) -> None:
    info = zipfile.ZipInfo(name, _EPOCH)
    target.writestr(info, content, compress_type=zipfile.ZIP_DEFLATED, compresslevel=1)


def _without_padding(content: bytes) -> bytes:
    """A .npy file whose structured values have zeros between their fields."""
    values: NDArray[Any] = np.load(io.BytesIO(content), allow_pickle=False)
    if values.dtype.names is None:
        return content
    clean = np.zeros_like(values)
    raw = clean.view(np.uint8)
    raw[:] = 0
    for name in values.dtype.names:
        clean[name] = values[name]
    out = io.BytesIO()
    np.save(out, clean)
    return out.getvalue()
