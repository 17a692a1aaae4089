"""What the report says about the temperatures of the models."""

from collections.abc import Mapping, Sequence
from typing import Any

from fgunet.report.style import method_label
from fgunet.report.wording import decimals, percent, whole

_SCALED = (
    "Confidence, margin and probabilities of the maps are scaled by it; the classes are those "
    "without it."
)
_UNSCALED = (
    "The maps of this run tell confidence as the models give it; mapping.calibrated: true would "
    "scale it, and the classes would stay."
)


def calibration_section(
    metadata: Mapping[str, Mapping[str, Any]], methods: Sequence[str], *, calibrated: bool
) -> dict[str, Any]:
    """The temperature of each model, and what it is worth on validation pixels.

    Parameters
    ----------
    metadata : mapping
        Metadata of each method's model; `calibration` is what
        `fgunet.calibration.Calibration.to_dict` gives.
    methods : sequence of str
        Methods of the run.
    calibrated : bool
        Whether the maps are scaled (mapping.calibrated).

    Returns
    -------
    dict
        Empty where no model tells of a temperature. Else used (a sentence) and rows of str:
        method, temperature, pixels, loss and error (pairs: before, after), remark.
    """
    told = {method: metadata.get(method, {}).get("calibration") for method in methods}
    if not any(told.values()):
        return {}
    return {
        "used": _SCALED if calibrated else _UNSCALED,
        "rows": [_row(method, found) for method, found in told.items() if found],
    }


def _row(method: str, found: Mapping[str, Any]) -> dict[str, Any]:
    moments = "before", "after"
    return {
        "method": method_label(method),
        "temperature": decimals(found["temperature"], 2),
        "pixels": whole(found["pixels"]),
        "loss": [decimals(found[f"log_loss_{moment}"]) for moment in moments],
        "error": [percent(found[f"calibration_error_{moment}"]) for moment in moments],
        "remark": found["remark"],
    }
