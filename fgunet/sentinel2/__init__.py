"""Sentinel-2 level 2A products: listing, choosing and reading them."""
