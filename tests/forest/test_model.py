import json
import subprocess
import sys
import zipfile

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score

from fgunet.errors import ModelError, NomenclatureError
from fgunet.forest import archive
from fgunet.forest.archive import load_forest, save_forest
from fgunet.forest.model import Forest, predict_probabilities, train_forest
from fgunet.forest.samples import Samples, channel_names
from fgunet.nomenclature import LandCoverClass, Nomenclature

DATES, BANDS = ("20160105", "20160115"), ("B02", "B8A")
NOMENCLATURE = Nomenclature(
    "three classes",
    tuple(LandCoverClass(code, f"class {code}", (code, 0, 0), "") for code in (11, 44, 222)),
)


def make_samples(count: int = 300, codes: tuple[int, ...] = (11, 44, 222)) -> Samples:
    random = np.random.default_rng(3)
    code = random.choice(np.array(codes, np.uint8), count)
    # Only the second date's first band tells the classes apart.
    values = random.integers(0, 9000, (count, 4)).astype(np.uint16)
    values[:, 2] = code.astype(np.uint16) * 30 + random.integers(0, 500, count)
    frame = pd.DataFrame(
        {
            "tile": "T31TCJ",
            "row": np.arange(count, dtype=np.uint32),
            "column": np.uint32(0),
            "polygon_id": np.uint32(1),
            "code": code,
            "key": random.permutation(count).astype(np.uint64),
        }
    )
    channels = pd.DataFrame(values, columns=channel_names(DATES, BANDS))
    return Samples(pd.concat([frame, channels], axis=1), DATES, BANDS)


def train(samples: Samples, threads: int = 1, **changes: int) -> Forest:
    parameters = {"trees": 8, "depth": 6, "samples_per_class": 1000, "seed": 5, **changes}
    return train_forest(samples, NOMENCLATURE, threads=threads, **parameters)


def test_learns_and_agrees_with_scikit_learn() -> None:
    samples = make_samples()
    forest = train(samples)
    probabilities = predict_probabilities(forest, samples.reflectance)
    predicted = np.array(forest.codes)[probabilities.argmax(axis=1)]
    assert accuracy_score(samples.frame["code"], predicted) > 0.9
    expected = forest.classifier.predict_proba(samples.reflectance)
    np.testing.assert_allclose(probabilities, expected, atol=1e-6)


def test_trees_grown_in_parts_are_those_of_one_fit() -> None:
    samples = make_samples()
    samples = Samples(samples.frame.sort_values("key"), DATES, BANDS)
    once = RandomForestClassifier(23, max_depth=6, max_features="sqrt", random_state=5)
    once.fit(samples.reflectance, samples.frame["code"].to_numpy())
    forest = train(samples, trees=23)
    np.testing.assert_array_equal(
        forest.classifier.predict_proba(samples.reflectance),
        once.predict_proba(samples.reflectance),
    )


def test_rows_threads_and_chunks_do_not_matter(monkeypatch) -> None:
    samples = make_samples()
    shuffled = Samples(samples.frame.sample(frac=1, random_state=1), DATES, BANDS)
    values = samples.reflectance
    expected = predict_probabilities(train(samples), values)
    other = train(shuffled, threads=2)
    np.testing.assert_array_equal(predict_probabilities(other, values, threads=2), expected)
    monkeypatch.setattr("fgunet.forest.model._CHUNK", 7)
    np.testing.assert_array_equal(predict_probabilities(other, values, threads=2), expected)


def test_metadata() -> None:
    found = train(make_samples(codes=(11, 222)), samples_per_class=40).metadata
    assert found["codes"] == [11, 222]
    assert found["absent_codes"] == [44]
    assert found["samples"] == {"11": 40, "222": 40}
    importances = np.array(found["feature_importances"])
    assert importances.shape == (2, 2)
    assert importances.sum() == pytest.approx(1)
    assert importances.argmax() == 2
    assert found["wall_s"] >= 0
    assert (found["method"], found["workers"], found["threads_per_worker"]) == ("forest", 1, 1)
    other = train(make_samples(codes=(11, 222)), samples_per_class=40, seed=6).metadata
    assert other["configuration_hash"] != found["configuration_hash"]
    json.dumps(found, allow_nan=False)


def test_threads_change_nothing_but_what_it_took() -> None:
    samples = make_samples()
    found = [train(samples, threads=threads).metadata for threads in (1, 2)]
    assert [one.pop("threads_per_worker") for one in found] == [1, 2]
    for one in found:
        assert one.pop("wall_s") >= 0
        assert one.pop("cpu_s") >= 0
    assert found[0] == found[1]


def test_round_trip(tmp_path) -> None:
    samples = make_samples()
    forest = train(samples)
    paths = tmp_path / "forest.skops", tmp_path / "metadata.json"
    save_forest(forest, *paths)
    loaded = load_forest(*paths)
    assert (loaded.codes, loaded.dates, loaded.bands) == ((11, 44, 222), DATES, BANDS)
    assert loaded.metadata == forest.metadata
    np.testing.assert_array_equal(
        predict_probabilities(loaded, samples.reflectance),
        predict_probabilities(forest, samples.reflectance),
    )


def test_same_bytes_in_another_process(tmp_path, root) -> None:
    save_forest(train(make_samples()), tmp_path / "a.skops", tmp_path / "a.json")
    code = (
        "import runpy, sys; m = runpy.run_path(sys.argv[1]);"
        "m['save_forest'](m['train'](m['make_samples'](), threads=2), *sys.argv[2:])"
    )
    other = [str(tmp_path / name) for name in ("b.skops", "b.json")]
    subprocess.run([sys.executable, "-c", code, __file__, *other], check=True, cwd=root)
    assert (tmp_path / "a.skops").read_bytes() == (tmp_path / "b.skops").read_bytes()


def test_wrong_input_is_refused(tmp_path) -> None:
    forest = train(make_samples())
    forest.require_channels(list(DATES), list(BANDS))
    with pytest.raises(ModelError, match="dates"):
        forest.require_channels(DATES[::-1], BANDS)
    with pytest.raises(ModelError, match="bands"):
        forest.require_channels(DATES, ("B02", "B03"))
    with pytest.raises(ModelError, match="4 channels"):
        predict_probabilities(forest, np.zeros((2, 3), np.uint16))
    with pytest.raises(ModelError, match="two classes"):
        train(make_samples(codes=(11,)))
    with pytest.raises(NomenclatureError):
        train(make_samples(codes=(11, 12)))
    other = Nomenclature("another", NOMENCLATURE.classes)
    forest.require_nomenclature(NOMENCLATURE)
    with pytest.raises(ModelError, match="another"):
        forest.require_nomenclature(other)


class Danger:
    """An object whose loading would run code."""

    def __reduce__(self):
        return (print, ("code was run",))


def test_file_with_other_types_is_refused(tmp_path) -> None:
    save_forest(train(make_samples()), tmp_path / "a.skops", tmp_path / "a.json")
    hostile = RandomForestClassifier()
    hostile.danger = Danger()
    skops.io.dump(hostile, tmp_path / "b.skops")
    with pytest.raises(ModelError, match="types"):
        load_forest(tmp_path / "b.skops", tmp_path / "a.json")
    skops.io.dump(LogisticRegression(), tmp_path / "c.skops")
    with pytest.raises(ModelError, match="LogisticRegression"):
        load_forest(tmp_path / "c.skops", tmp_path / "a.json")
    (tmp_path / "d.skops").write_bytes(b"nothing")
    with pytest.raises(ModelError, match="not a forest"):
        load_forest(tmp_path / "d.skops", tmp_path / "a.json")


def test_trees_that_would_read_beyond_their_tables_are_refused(tmp_path) -> None:
    forest = train(make_samples())
    save_forest(forest, tmp_path / "a.skops", tmp_path / "a.json")
    tree = forest.classifier.estimators_[0].tree_
    tree.children_left[0] = 10**6
    skops.io.dump(forest.classifier, tmp_path / "b.skops")
    with pytest.raises(ModelError, match="tree 0 is broken"):
        load_forest(tmp_path / "b.skops", tmp_path / "a.json")


def test_forest_with_the_metadata_of_another_is_refused(tmp_path) -> None:
    save_forest(train(make_samples()), tmp_path / "a.skops", tmp_path / "a.json")
    save_forest(train(make_samples(codes=(11, 44))), tmp_path / "b.skops", tmp_path / "b.json")
    with pytest.raises(ModelError, match="different trainings"):
        load_forest(tmp_path / "a.skops", tmp_path / "b.json")


def test_archive_has_no_times_or_addresses(tmp_path) -> None:
    content = archive._canonical(skops.io.dumps(train(make_samples()).classifier))
    (tmp_path / "a.zip").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "a.zip") as zipped:
        assert {info.date_time[0] for info in zipped.infolist()} == {1980}
        assert max(len(info.filename) for info in zipped.infolist()) <= len("schema.json")
