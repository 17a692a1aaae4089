import jinja2
import pytest

from fgunet.calibration import Calibration
from fgunet.report.calibration import calibration_section

FITTED = Calibration(0.7532, 20_000, 0.46552, 0.44234, 0.0491, 0.0002).to_dict()
UNDEFINED = Calibration(remark="the model was chosen on the training split").to_dict()
METADATA = {"fgunet": {"calibration": UNDEFINED}, "forest": {"calibration": FITTED}}


def rendered(section) -> str:
    loader = jinja2.PackageLoader("fgunet.report")
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined
    )
    return environment.get_template("calibration.html.j2").render(calibration=section)


def test_rows_are_those_of_the_metadata():
    section = calibration_section(METADATA, ["fgunet", "forest"], calibrated=True)
    network, forest = section["rows"]
    assert forest == {
        "method": "Random Forest",
        "temperature": "0.75",
        "pixels": "20\u202f000",
        "loss": ["0.466", "0.442"],
        "error": ["4.9", "< 0.1"],
        "remark": "",
    }
    assert (network["temperature"], network["loss"], network["error"]) == (
        "–",
        ["–"] * 2,
        ["–"] * 2,
    )
    page = rendered(section)
    assert page.count('<th scope="row">') == 2
    assert "<small>the model was chosen on the training split</small>" in page
    assert "&lt; 0.1" in page


@pytest.mark.parametrize(
    ("calibrated", "words"), [(True, "are scaled by it"), (False, "mapping.calibrated: true")]
)
def test_it_says_whether_the_maps_are_scaled(calibrated, words):
    section = calibration_section(METADATA, ["forest"], calibrated=calibrated)
    assert words in rendered(section)
    assert [row["method"] for row in section["rows"]] == ["Random Forest"]


def test_models_that_tell_nothing_have_no_section():
    older = calibration_section({"fgunet": {}}, ["fgunet", "forest"], calibrated=False)
    assert older == {}
    assert rendered(older).strip() == ""
