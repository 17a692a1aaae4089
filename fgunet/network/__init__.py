"""FG-UNET, its loss and its reach. Keras only: no files, no geography.

Importing this package registers the layers of the network, so that
`keras.models.load_model` can read a saved model without further code.
"""

from fgunet.network.dropout import CounterDropout
from fgunet.network.layers import BatchToGroups, GroupsToBatch
from fgunet.network.loss import weighted_cross_entropy
from fgunet.network.model import build_fgunet, noise_layers, set_noise
from fgunet.network.partial import Path, partial_network, with_precision
from fgunet.network.reach import required_halo, required_stride

__all__ = [
    "BatchToGroups",
    "CounterDropout",
    "GroupsToBatch",
    "Path",
    "build_fgunet",
    "noise_layers",
    "partial_network",
    "required_halo",
    "required_stride",
    "set_noise",
    "weighted_cross_entropy",
    "with_precision",
]
