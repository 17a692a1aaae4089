import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import skops.io
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from fgunet.errors import ModelError
from fgunet.forest.archive import load_forest, save_forest
from fgunet.forest.classifiers import ForestSettings
from fgunet.forest.model import Forest
from fgunet.forest.samples import Samples
from fgunet.forest.training import train_forest
from fgunet.nomenclature import Nomenclature

# SVC's own probabilities go in scikit-learn 1.11.
pytestmark = pytest.mark.filterwarnings("ignore:The `probability` parameter:FutureWarning")

SMALL = ForestSettings(trees=8, depth=6)


@pytest.fixture
def forest(samples: Samples, nomenclature: Nomenclature) -> Forest:
    return train_forest(samples, nomenclature, SMALL, seed=5)


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        ("sklearn.ensemble.RandomForestClassifier", {}),
        ("sklearn.ensemble.ExtraTreesClassifier", {}),
        ("sklearn.ensemble.HistGradientBoostingClassifier", {"max_iter": 5}),
        ("sklearn.svm.SVC", {"probability": True}),
        ("lightgbm.LGBMClassifier", {"n_estimators": 5, "verbose": -1}),
    ],
)
def test_round_trip(tmp_path, samples, nomenclature, path: str, parameters) -> None:
    settings = ForestSettings(path, parameters, trees=8, depth=6)
    forest = train_forest(samples, nomenclature, settings, seed=5)
    files = tmp_path / "forest.skops", tmp_path / "metadata.json"
    save_forest(forest, *files)
    loaded = load_forest(*files, path)
    assert (loaded.codes, loaded.dates, loaded.bands) == (forest.codes, forest.dates, forest.bands)
    assert loaded.metadata == forest.metadata
    asked = samples.reflectance.T
    np.testing.assert_array_equal(loaded.probabilities(asked), forest.probabilities(asked))


SAVED_ELSEWHERE = """
import sys
from tests.forest.conftest import NOMENCLATURE, make_samples
from fgunet.forest.archive import save_forest
from fgunet.forest.classifiers import ForestSettings
from fgunet.forest.training import train_forest
settings = ForestSettings(trees=8, depth=6)
save_forest(train_forest(make_samples(), NOMENCLATURE, settings, seed=5, threads=2), *sys.argv[1:])
"""


def test_same_bytes_in_another_process(tmp_path, root, forest: Forest) -> None:
    save_forest(forest, tmp_path / "a.skops", tmp_path / "a.json")
    other = [str(tmp_path / name) for name in ("b.skops", "b.json")]
    subprocess.run([sys.executable, "-c", SAVED_ELSEWHERE, *other], check=True, cwd=root)
    assert (tmp_path / "a.skops").read_bytes() == (tmp_path / "b.skops").read_bytes()


class Danger:
    """An object whose loading would run code."""

    def __reduce__(self):
        return (print, ("code was run",))


def test_file_with_other_types_is_refused(tmp_path, capfd, forest: Forest) -> None:
    save_forest(forest, tmp_path / "a.skops", tmp_path / "a.json")
    hostile = RandomForestClassifier()
    hostile.danger = Danger()
    skops.io.dump(hostile, tmp_path / "b.skops")
    with pytest.raises(ModelError, match="types"):
        load_forest(tmp_path / "b.skops", tmp_path / "a.json")
    assert "code was run" not in capfd.readouterr().out
    skops.io.dump(LogisticRegression(), tmp_path / "c.skops")
    with pytest.raises(ModelError, match=r"LogisticRegression.*forest\.classifier"):
        load_forest(tmp_path / "c.skops", tmp_path / "a.json")
    (tmp_path / "d.skops").write_bytes(b"nothing")
    with pytest.raises(ModelError, match="not a trained classifier"):
        load_forest(tmp_path / "d.skops", tmp_path / "a.json")
    cut = (tmp_path / "a.skops").read_bytes()
    (tmp_path / "e.skops").write_bytes(cut[: len(cut) // 2])
    with pytest.raises(ModelError, match="not a trained classifier"):
        load_forest(tmp_path / "e.skops", tmp_path / "a.json")


def test_types_of_a_package_that_was_not_configured_are_refused(
    tmp_path, samples, nomenclature
) -> None:
    settings = ForestSettings("lightgbm.LGBMClassifier", {"n_estimators": 3, "verbose": -1})
    forest = train_forest(samples, nomenclature, settings, seed=5)
    save_forest(forest, tmp_path / "a.skops", tmp_path / "a.json")
    with pytest.raises(ModelError, match="lightgbm"):
        load_forest(tmp_path / "a.skops", tmp_path / "a.json")


@pytest.mark.parametrize(
    ("table", "node", "value"),
    [
        ("children_left", 0, 10**6),
        ("children_right", 0, 1),
        ("children_left", 1, 0),
        ("feature", 0, 4),
        ("feature", 0, -3),
        ("threshold", 0, np.nan),
    ],
)
def test_trees_that_do_not_end_or_leave_their_tables_are_refused(
    tmp_path, forest: Forest, table: str, node: int, value: float
) -> None:
    save_forest(forest, tmp_path / "a.skops", tmp_path / "a.json")
    tree = forest.classifier.estimators_[3].tree_
    getattr(tree, table)[node] = value
    skops.io.dump(forest.classifier, tmp_path / "b.skops")
    with pytest.raises(ModelError, match="tree 3 is broken"):
        load_forest(tmp_path / "b.skops", tmp_path / "a.json")


def test_forest_with_the_metadata_of_another_is_refused(
    tmp_path, forest: Forest, sampled, nomenclature
) -> None:
    other = train_forest(sampled(codes=(11, 44)), nomenclature, SMALL, seed=5)
    save_forest(forest, tmp_path / "a.skops", tmp_path / "a.json")
    save_forest(other, tmp_path / "b.skops", tmp_path / "b.json")
    with pytest.raises(ModelError, match="different trainings"):
        load_forest(tmp_path / "a.skops", tmp_path / "b.json")


def test_archive_has_no_times_or_addresses(tmp_path, forest: Forest) -> None:
    save_forest(forest, tmp_path / "a.zip", tmp_path / "a.json")
    with zipfile.ZipFile(tmp_path / "a.zip") as zipped:
        assert {info.date_time[0] for info in zipped.infolist()} == {1980}
        assert max(len(info.filename) for info in zipped.infolist()) <= len("schema.json")


def members(change: Callable[[str, bytes], bytes]) -> Callable[[Path], None]:
    """What rewrites an archive with other contents of its members."""

    def rewrite(path: Path) -> None:
        with zipfile.ZipFile(path) as zipped:
            contents = {name: change(name, zipped.read(name)) for name in zipped.namelist()}
        with zipfile.ZipFile(path, "w") as zipped:
            for name, content in contents.items():
                zipped.writestr(name, content)

    return rewrite


def array(content: bytes) -> Callable[[Path], None]:
    return members(lambda name, old: content if name.endswith(".npy") else old)


def directory(offset: int, value: int) -> Callable[[Path], None]:
    """What changes a byte of each entry of the archive's directory."""

    def rewrite(path: Path) -> None:
        content = bytearray(path.read_bytes())
        place = content.find(b"PK\1\2")
        while place >= 0:
            content[place + offset] = value
            place = content.find(b"PK\1\2", place + 1)
        path.write_bytes(content)

    return rewrite


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[200:400] = bytes(255 - one for one in content[200:400])
    path.write_bytes(content)


def replaced_by_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def huge_array() -> bytes:
    held = io.BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": (10**15,)}
    np.lib.format.write_array_header_1_0(held, header)
    return held.getvalue()


@pytest.mark.parametrize(
    "damage",
    [
        members(lambda name, old: b"[" * 100_000 if name == "schema.json" else old),
        members(lambda name, old: b"[]" if name == "schema.json" else old),
        array(b""),
        array(huge_array()),
        directory(8, 1),  # encrypted
        directory(10, 99),  # packed in an unknown way
        flipped,
        replaced_by_a_folder,
        Path.unlink,
    ],
)
def test_damaged_archive_is_one_error(tmp_path, forest: Forest, damage) -> None:
    files = tmp_path / "a.skops", tmp_path / "a.json"
    save_forest(forest, *files)
    damage(files[0])
    with pytest.raises(ModelError, match=r"a\.skops is not a trained classifier.*train it again"):
        load_forest(*files)


def test_metadata_that_are_none_are_one_error(tmp_path, forest: Forest) -> None:
    files = tmp_path / "a.skops", tmp_path / "a.json"
    save_forest(forest, *files)
    texts = json.dumps(forest.metadata | {"codes": ["x"]})
    for text in ("", "[", "[" * 100_000, "[]", "null", "{}", texts):
        files[1].write_text(text)
        with pytest.raises(ModelError, match=r"a\.json (lists no|cannot be read).*train the model"):
            load_forest(*files)
