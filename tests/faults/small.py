"""A run that holds every rule and is over in a minute or two."""

from typing import Any


def small(config: dict[str, Any]) -> dict[str, Any]:
    """The shipped configuration on a tile of 96 pixels and nine dates, with all options."""
    config["tiles"] = ["T31TGK"]
    config["simulation"]["tile_size"] = 96
    config["simulation"]["acquisitions"]["count"] = 20
    config["series"].update(n_dates=9, step_days=44, minimum_acquisitions=3)
    config["split"]["leave_out_scarce"] = True
    config["fgunet"].update(
        patch_size=32, jitter=8, epochs=2, patches_per_epoch=48, validation_patches=8,
        checkpoint_every=10,
    )  # fmt: skip
    config["forest"].update(trees=10, samples_per_class=100)
    config["comparison"]["learning_curve"] = [0.5]
    config["mapping"].update(
        window=64, overlap=16, margin=True, probabilities="uint8", polygon_minimum_m2=2500,
        calibrated=True,
    )  # fmt: skip
    config["accuracy"]["bootstrap_samples"] = 100
    config["accuracy"]["sample"].update(size=100, minimum_per_class=5)
    return config
