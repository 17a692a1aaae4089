import pytest

from fgunet.errors import TrainingError
from fgunet.files import write_json
from fgunet.training.plan import TrainingPlan, read_plan, write_plan


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
        ({"dates_per_group": 0}, "groups of 0"),
        ({"patches_per_epoch": 13}, r"patches_per_epoch \(13\) is not a multiple"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"class_weights": (1.0, 2.0)}, "3 classes have the weights"),
        ({"class_weights": (0.0, 0.0, 0.0)}, "3 classes have the weights"),
        ({"low": ((0.0, 0.0),) * 3}, "percentiles have the shapes"),
        ({"low": ((0.0, 0.0),) * 3 + ((0.0,),)}, "percentiles have the shapes"),
        ({"dropout": 1.0}, "dropout is 1.0"),
        ({"minimum_learning_rate": 1.0}, "minimum_learning_rate"),
        ({"plateau_factor": 1.0}, "plateau_factor"),
        ({"tiles": ()}, "no tile"),
        ({"codes": (11,), "class_weights": (1.0,)}, "at least 2"),
        ({"seed": -1}, "seed is -1"),
        ({"warmup_epochs": -1}, "warmup_epochs"),
    ],
)
def test_a_plan_that_cannot_be_carried_out(make_plan, change, message):
    with pytest.raises(TrainingError, match=message):
        make_plan(**change)


def test_all_faults_are_told_at_once(make_plan):
    with pytest.raises(TrainingError, match=r"width is 0.*dropout is 2"):
        make_plan(width=0, dropout=2)


def test_files_that_are_not_plans(make_plan, tmp_path):
    path = tmp_path / "plan.json"
    for content, message in (
        ([], "holds no keys"),
        ({**make_plan().to_dict(), "colour": 1}, "unknown.*colour"),
        ({**make_plan().to_dict(), "width": "wide"}, "malformed"),
        ({**make_plan().to_dict(), "tiles": [{"tile": "T31TCJ"}]}, "malformed"),
    ):
        write_json(path, content)
        with pytest.raises(TrainingError, match=message):
            read_plan(path)
    with pytest.raises(TrainingError, match="not a training plan"):
        read_plan(tmp_path / "missing.json")


def test_from_dict_names_missing_keys():
    with pytest.raises(TrainingError, match=r"lacks.*bands"):
        TrainingPlan.from_dict({})
