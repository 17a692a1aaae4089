"""The maps as a STAC collection: an item a tile, and one a model."""
