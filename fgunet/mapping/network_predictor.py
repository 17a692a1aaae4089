"""A trained network as a predictor; the one place of mapping that imports TensorFlow."""

import logging
import os
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from fgunet.errors import ModelError
from fgunet.files import read_json
from fgunet.network import partial_network, required_halo, required_stride
from fgunet.nomenclature import Nomenclature
from fgunet.patches.normalisation import normalise

_KEYS = ("dates", "bands", "codes", "low", "high", "nodata")
_log = logging.getLogger(__name__)


class NetworkPredictor:
    """Predict windows with FG-UNET, one group of dates at a time.

    The network's head is linear, so its logits are a sum over the groups; adding them one by
    one takes the memory of one group's activations.

    Parameters
    ----------
    model : keras.Model
        From `fgunet.network.build_fgunet`, trained.
    metadata : dict
        What the training wrote beside it: dates, bands, codes, nodata, and for each date and
        band the values that become 0 and 1 (low, high).
    dates, bands : sequence of str
        Those of the series that it will be given.

    Raises
    ------
    ModelError
        If the metadata lack a key or do not fit the model, or the model was trained on other
        dates or bands.
    """

    def __init__(
        self,
        model: keras.Model,
        metadata: dict[str, Any],
        *,
        dates: Sequence[str],
        bands: Sequence[str],
    ) -> None:
        _require_fit(model, metadata, dates, bands)
        self.codes = tuple(int(code) for code in metadata["codes"])
        self.halo, self.stride = required_halo(model), required_stride(model)
        self._nodata = int(metadata["nodata"])
        shape = len(dates), len(bands)
        self._low, self._high = (
            np.asarray(metadata[key], dtype=np.float32).reshape(shape) for key in ("low", "high")
        )
        maps_of, kernels, bias = partial_network(model)
        self._kernels = [tf.constant(kernel, tf.float32) for kernel in kernels]
        self._bias = tf.constant(bias, tf.float32)
        self._add = tf.function(
            lambda logits, image, kernel: (
                logits
                + tf.tensordot(tf.cast(maps_of(image, training=False), tf.float32), kernel, 1)
            ),
            reduce_retracing=True,
        )

    def predict(self, series: NDArray[np.uint16]) -> NDArray[np.float32]:
        """Probabilities (class, y, x) of a series (time, band, y, x) uint16.

        A side that is not a multiple of the stride is filled up at the bottom or the right with
        the last row or column, and the result cut again.
        """
        height, width = series.shape[2:]
        filled = [(0, -side % self.stride) for side in (height, width)]
        shape = [side + sum(fill) for side, fill in zip((height, width), filled, strict=True)]
        logits = tf.broadcast_to(self._bias, (1, *shape, len(self.codes)))
        dates = len(series) // len(self._kernels)
        for group, kernel in enumerate(self._kernels):
            part = slice(group * dates, (group + 1) * dates)
            image = normalise(series[part], self._low[part], self._high[part], self._nodata)
            if shape != [height, width]:
                image = np.pad(image, [*filled, (0, 0)], mode="edge")
            logits = self._add(logits, tf.constant(image[np.newaxis]), kernel)
        probabilities: NDArray[np.float32] = tf.nn.softmax(logits)[0, :height, :width].numpy()
        return np.moveaxis(probabilities, -1, 0)


def load_network(
    path: str | os.PathLike[str],
    path_to_metadata: str | os.PathLike[str],
    *,
    dates: Sequence[str],
    bands: Sequence[str],
    nomenclature: Nomenclature | None = None,
    threads: int = 1,
) -> NetworkPredictor:
    """Read a trained network (.keras) and its metadata (JSON).

    Parameters
    ----------
    path, path_to_metadata : path
        What the training wrote.
    dates, bands : sequence of str
        Those of the series that it will be given.
    nomenclature : Nomenclature, optional
        The one of the map; must be that of the training.
    threads : int
        Processors to use.

    Raises
    ------
    ModelError
        As `NetworkPredictor`, or if the file is not a Keras model.
    """
    _use_threads(threads)
    metadata = read_json(path_to_metadata)
    if nomenclature is not None:
        _require_nomenclature(metadata, nomenclature)
    try:
        model = keras.models.load_model(path, compile=False, safe_mode=True)
    except (OSError, TypeError, ValueError) as error:
        raise ModelError(f"{path} is not a model of this library: {error}") from error
    return NetworkPredictor(model, metadata, dates=dates, bands=bands)


def _require_nomenclature(metadata: dict[str, Any], nomenclature: Nomenclature) -> None:
    trained, codes = metadata.get("nomenclature"), list(metadata.get("codes", []))
    if trained != nomenclature.name or set(codes) - set(nomenclature.codes):
        raise ModelError(
            f"the network gives the codes {codes} of {trained!r}, the nomenclature is "
            f"{nomenclature.name!r} {list(nomenclature.codes)}; use that of the training"
        )


def _use_threads(threads: int) -> None:
    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError:  # TensorFlow has started; it keeps the threads it has
        _log.info("TensorFlow runs already; its threads stay as they are")


def _require_fit(
    model: keras.Model, metadata: dict[str, Any], dates: Sequence[str], bands: Sequence[str]
) -> None:
    missing = [key for key in _KEYS if key not in metadata]
    if missing:
        raise ModelError(f"the model's metadata lack {', '.join(missing)}; train it again")
    for what, found in (("dates", dates), ("bands", bands)):
        if list(found) != list(metadata[what]):
            raise ModelError(
                f"the series has the {what} {list(found)}, the network was trained on "
                f"{list(metadata[what])}; train it again or stack the series with its {what}"
            )
    channels = len(dates) * len(bands)
    sizes = {key: int(np.size(metadata[key])) for key in ("low", "high")}
    found_shape = model.input_shape[-1], model.output_shape[-1]
    if found_shape != (channels, len(metadata["codes"])) or set(sizes.values()) != {channels}:
        raise ModelError(
            f"the model has (channels, classes) {found_shape}, its metadata "
            f"{(channels, len(metadata['codes']))} and bounds of {sizes} channels; "
            "the files belong to different trainings"
        )
