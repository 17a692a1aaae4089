"""Reading and writing vector layers."""

from fgunet.vectors.layers import Layer, find_layer
from fgunet.vectors.reading import Features, read_features, read_layer
from fgunet.vectors.writing import write_layer, write_layers, write_polygon_batches

__all__ = [
    "Features",
    "Layer",
    "find_layer",
    "read_features",
    "read_layer",
    "write_layer",
    "write_layers",
    "write_polygon_batches",
]
