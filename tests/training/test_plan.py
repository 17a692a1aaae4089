import dataclasses

import pytest
import yaml

from fgunet.errors import TrainingError
from fgunet.files import write_json
from fgunet.training.plan import TilePaths, TrainingPlan, differences, read_plan, write_plan


def test_a_plan_survives_its_file(make_plan, tmp_path):
    plan = make_plan()
    write_plan(tmp_path / "plan.json", plan)
    assert read_plan(tmp_path / "plan.json") == plan
    assert read_plan(tmp_path / "plan.json").hash == plan.hash
    assert (plan.n_groups, plan.steps_per_epoch) == (2, 2)


def test_the_hash_changes_with_every_value(make_plan):
    changes = [{}, {"seed": 8}, {"width": 3}, {"dropout": 0.0}, {"class_weights": (1.0, 1.0, 1.0)}]
    assert len({make_plan(**change).hash for change in changes}) == len(changes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dates_per_group": 3}, "4 dates cannot be cut into groups of 3"),
        ({"dates_per_group": 0}, "dates_per_group: 0 is less than the minimum"),
        ({"patches_per_epoch": 13}, r"patches_per_epoch \(13\) is not a multiple"),
        ({"batch_size": 0}, "batch_size: 0 is less"),
        ({"batch_size": 2.5}, "batch_size: 2.5 is not of type 'integer'"),
        ({"width": True}, "width: True is not of type 'integer'"),
        ({"class_weights": (1.0, 2.0)}, "3 classes have 2 weights"),
        ({"class_weights": (0.0, 0.0, 3.0)}, "fewer than two classes have training pixels"),
        ({"class_weights": (-1.0, 2.0, 2.0)}, r"class_weights\[0\]: -1.0 is less"),
        ({"low": ((0.0, 0.0),) * 3}, "low is no table of 4 dates x 2 bands"),
        ({"low": ((0.0, 0.0),) * 3 + ((0.0,),)}, "low is no table"),
        ({"low": ((2000.0, 0.0),) * 4}, "a low percentile is above its high one"),
        ({"high": ((float("nan"), 1.0),) * 4}, "or one of them is no number"),
        ({"dropout": 1.0}, "dropout: 1.0 is greater than or equal to"),
        ({"precision": "float16"}, "precision: 'float16' is not one of"),
        ({"minimum_learning_rate": 1.0}, r"minimum_learning_rate \(1.0\) is above"),
        ({"plateau_factor": 1.0}, "plateau_factor: 1.0"),
        ({"tiles": ()}, "tiles: "),
        ({"tiles": (TilePaths("T31TCJ", "a", "b", "c"),) * 2}, "a tile stands twice"),
        ({"codes": (11,), "class_weights": (1.0,)}, "codes: "),
        ({"codes": (11, 31, 300)}, r"codes\[2\]: 300 is greater"),
        ({"dates": ("20180111", "20180101", "20180121", "20180131")}, "dates do not rise"),
        ({"dates": ("2018-01-01",) * 4}, "dates"),
        ({"patch_size": 10}, "patch_size: 10 is not a multiple of 4"),
        ({"jitter": 4}, r"jitter \(4\) must be less than half of patch_size \(8\)"),
        ({"seed": -1}, "seed: -1 is less"),
        ({"warmup_epochs": -1}, "warmup_epochs: -1"),
        ({"select_on": "test"}, "select_on: 'test' is not one of"),
    ],
)
def test_a_plan_that_cannot_be_carried_out(make_plan, change, message):
    with pytest.raises(TrainingError, match=message):
        make_plan(**change)


def test_all_faults_are_told_at_once(make_plan):
    with pytest.raises(TrainingError, match=r"dropout: 2.*; width: 0"):
        make_plan(width=0, dropout=2)


def test_files_that_are_not_plans(make_plan, tmp_path):
    path = tmp_path / "plan.json"
    plan = make_plan().to_dict()
    for content, message in (
        ([], "is not of type 'object'"),
        ({**plan, "colour": 1}, "'colour' was unexpected"),
        ({**plan, "width": "wide"}, "width: 'wide' is not of type 'integer'"),
        ({**plan, "tiles": [{"tile": "T31TCJ"}]}, r"tiles\[0\]: 'series' is a required"),
        ({"width": 2}, "'bands' is a required property"),
    ):
        write_json(path, content)
        with pytest.raises(TrainingError, match=f"(?s){path}: .*malformed.*{message}"):
            read_plan(path)
    with pytest.raises(TrainingError, match="not a training plan"):
        read_plan(tmp_path / "missing.json")
    path.write_text("{")
    with pytest.raises(TrainingError, match="not a training plan"):
        read_plan(path)


def test_what_does_not_change_the_result_is_not_in_the_hash(make_plan):
    changes = [{}, {"portion": 3}, {"checkpoint_every": 9}, {"tensorboard": True}]
    assert len({make_plan(**change).hash for change in changes}) == 1


def test_the_schema_has_the_fields_of_the_plan(make_plan, root):
    schema = yaml.safe_load((root / "fgunet/schemas/plan.yaml").read_text(encoding="utf-8"))
    fields = {field.name for field in dataclasses.fields(TrainingPlan)}
    assert set(schema["required"]) == set(schema["properties"]) == fields


def test_differences_are_short_and_complete():
    one = {"a": 1, "b": list(range(100)), "c": "same"}
    other = {"a": 2, "b": list(range(1, 101)), "c": "same", "d": None}
    found = differences(one, {**other, "e": True})
    assert [text.split(":")[0] for text in found] == ["a", "b", "e"]
    assert found[0] == "a: 1, now 2"
    assert "…" in found[1]
    assert len(found[1]) < 140
