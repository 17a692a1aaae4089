"""Country-scale land cover mapping from Sentinel-2 time series."""

__version__ = "0.2.0"
