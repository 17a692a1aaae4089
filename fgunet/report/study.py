"""What the study reported of its two methods: Phi-week 2018; Stoian et al. (2019) [1]_.

References
----------
.. [1] Stoian, A. et al. (2019). Land Cover Maps Production with High Resolution Satellite Image
   Time Series and Convolutional Neural Networks: Adaptations and Limits for Operational Systems.
   Remote Sensing 11(17), 1986. https://doi.org/10.3390/rs11171986
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """One method of the study; None where it tells nothing.

    Attributes
    ----------
    name : str
        As the study calls it.
    parameters, trees : int or None
        What the model consists of.
    samples : int or None
        What it learned from, in `sample_unit`.
    sample_unit : str or None
        "patches" of 64 x 64 pixels.
    wall_h : float or None
        Hours on the clock, on the study's cluster.
    one_cpu_h : float
        Hours of one CPU.
    """

    name: str
    one_cpu_h: float
    parameters: int | None = None
    trees: int | None = None
    samples: int | None = None
    sample_unit: str | None = None
    wall_h: float | None = None


PUBLISHED_PATCHES = 500_000
"""Patches that the published network learned from: 50 epochs of 10,000."""

PUBLISHED = {
    "fgunet": Published(
        name="FG-UNET",
        parameters=525_997,
        samples=PUBLISHED_PATCHES,
        sample_unit="patches",
        wall_h=13,
        one_cpu_h=3300,
    ),
    "forest": Published(name="Random Forest", trees=100, one_cpu_h=25),
}
"""The study's methods, by the name of the method that stands for each here."""
