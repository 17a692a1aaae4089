"""The ten land bands of Sentinel-2."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Band:
    """One band: its name ("B02"), pixel size, central wavelength and name in Theia files ("B2")."""

    name: str
    resolution_m: int
    wavelength_nm: int
    theia_name: str


BANDS: dict[str, Band] = {
    band.name: band
    for band in (
        Band("B02", 10, 490, "B2"),
        Band("B03", 10, 560, "B3"),
        Band("B04", 10, 665, "B4"),
        Band("B05", 20, 705, "B5"),
        Band("B06", 20, 740, "B6"),
        Band("B07", 20, 783, "B7"),
        Band("B08", 10, 842, "B8"),
        Band("B8A", 20, 865, "B8A"),
        Band("B11", 20, 1610, "B11"),
        Band("B12", 20, 2190, "B12"),
    )
}
"""Bands by name, by rising wavelength; the 60 m bands do not show the ground and are left out."""

RED, NEAR_INFRARED = "B04", ("B08", "B8A")
"""Bands of the vegetation index; of the near infrared, the first that there is."""

PICTURES: dict[str, tuple[str, str, str]] = {
    "true colour": ("B04", "B03", "B02"),
    "false colour (B08, B04, B03)": ("B08", "B04", "B03"),
}
"""Bands shown as red, green and blue, the picture most like the ground first."""
