"""A trained network as a predictor; the one place of mapping that imports TensorFlow."""

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from fgunet.errors import ModelError
from fgunet.mapping.prediction import Memory
from fgunet.metadata import read_metadata
from fgunet.network import Path, partial_network, required_halo, required_stride, with_precision
from fgunet.nomenclature import Nomenclature
from fgunet.patches.normalisation import normalise
from fgunet.patches.wording import differences

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
    nodata : int
        Value of pixels without data in it.
    precision : {"float32", "bfloat16"}
        Numbers that convolutions are computed in, whatever they were trained in. In bfloat16 maps
        of layers are rounded to 8 bits, and the order of sums, which depends on the shape of the
        window, decides which way; so probabilities of a window and of the whole image differ by up
        to a few percent.

    Raises
    ------
    ModelError
        If the metadata lack a key or do not fit the model, or the model was trained on other
        dates, bands or nodata.
    """

    def __init__(
        self,
        model: keras.Model,
        metadata: dict[str, Any],
        *,
        dates: Sequence[str],
        bands: Sequence[str],
        nodata: int,
        precision: str = "float32",
    ) -> None:
        _require_fit(model, metadata, dates=dates, bands=bands, nodata=nodata)
        self.codes = tuple(int(code) for code in metadata["codes"])
        self.halo, self.stride = required_halo(model), required_stride(model)
        self.exact = precision == "float32"
        self._nodata = nodata
        shape = len(dates), len(bands)
        self._low, self._high = (
            np.asarray(metadata[key], dtype=np.float32).reshape(shape) for key in ("low", "high")
        )
        paths, bias = partial_network(with_precision(model, precision))
        self._groups, self._bias = len(paths[0].kernels), tf.constant(bias, tf.float32)
        self._paths = [(_adding(path), tf.constant(path.kernels, tf.float32)) for path in paths]
        self.memory = _memory(paths, channels=len(dates) * len(bands), classes=len(self.codes))

    def predict(self, series: NDArray[np.uint16]) -> NDArray[np.float32]:
        """Probabilities (class, y, x) of a series (time, band, y, x) uint16.

        A side that is not a multiple of the stride is filled up at the bottom or the right with
        the last row or column, and the result cut again.
        """
        height, width = series.shape[2:]
        shape = [side + -side % self.stride for side in (height, width)]
        logits = tf.broadcast_to(self._bias, (1, *shape, len(self.codes)))
        # The network has all threads; preparing one group's image while it works on another
        # keeps them busy.
        with ThreadPoolExecutor(1) as thread:
            ahead = thread.submit(self._image, series, 0, shape)
            for group in range(self._groups):
                image = ahead.result()
                if group + 1 < self._groups:
                    ahead = thread.submit(self._image, series, group + 1, shape)
                for add, kernels in self._paths:
                    logits = add(logits, image, kernels[group])
        probabilities: NDArray[np.float32] = tf.nn.softmax(logits)[0, :height, :width].numpy()
        return np.moveaxis(probabilities, -1, 0)

    def _image(self, series: NDArray[np.uint16], group: int, shape: Sequence[int]) -> tf.Tensor:
        """What the network is given of a group of dates (1, y, x, channel), filled up."""
        dates = len(series) // self._groups
        part = slice(group * dates, (group + 1) * dates)
        image = normalise(series[part], self._low[part], self._high[part], self._nodata)
        if image.shape[:2] != tuple(shape):
            fill = [(0, whole - side) for whole, side in zip(shape, image.shape, strict=False)]
            image = np.pad(image, [*fill, (0, 0)], mode="edge")
        return tf.constant(image[np.newaxis])


def _adding(path: Path) -> Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor]:
    """A function that adds to logits what a path makes of an image."""

    def add(logits: tf.Tensor, image: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        maps = tf.cast(path.maps_of(image, training=False), tf.float32)
        return logits + tf.tensordot(maps, kernel, 1)

    # Autograph leaves files where the process is killed.
    compiled: Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor] = tf.function(
        add, reduce_retracing=True, autograph=False
    )
    return compiled


_FIXED_MB = 850
"""Memory of a process with TensorFlow and the network, before it sees a pixel."""


def _memory(paths: Sequence[Path], *, channels: int, classes: int) -> Memory:
    """Two series of uint16, two images of a group, four of the classes, and activations.

    One of the four is of scaled probabilities. The activations are those of two layers of a path;
    measured, up to 1.7 times as much.
    """
    image = 4 * paths[0].maps_of.input_shape[-1]
    most = max(sum(sorted(_bytes_of_layers(path.maps_of))[-2:]) for path in paths)
    return Memory(_FIXED_MB, 2 * 2 * channels + 2 * image + 4 * 4 * classes + 1.7 * most)


def _bytes_of_layers(model: keras.Model) -> Iterator[int]:
    """What the output of each layer takes for each of its pixels."""
    for layer in model.layers:
        yield layer.output.shape[-1] * tf.as_dtype(layer.compute_dtype).size


def load_network(
    path: str | os.PathLike[str],
    path_to_metadata: str | os.PathLike[str],
    *,
    dates: Sequence[str],
    bands: Sequence[str],
    nodata: int,
    nomenclature: Nomenclature | None = None,
    precision: str = "float32",
    threads: int = 1,
) -> NetworkPredictor:
    """Read a trained network (.keras) and its metadata (JSON).

    Parameters
    ----------
    path, path_to_metadata : path
        What the training wrote.
    dates, bands : sequence of str
        Those of the series that it will be given.
    nodata : int
        Value of pixels without data in it.
    nomenclature : Nomenclature, optional
        The one of the map; must be that of the training.
    precision : {"float32", "bfloat16"}
        Numbers that convolutions are computed in.
    threads : int
        Processors to use. Their number changes probabilities by rounding alone (below 1e-5).

    Raises
    ------
    ModelError
        As `NetworkPredictor`, or if the file is not a Keras model.
    """
    _use_threads(threads)
    metadata = read_metadata(path_to_metadata)
    if nomenclature is not None:
        _require_nomenclature(metadata, nomenclature)
    try:
        model = keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:
        # A damaged file makes zipfile, h5py and Keras raise nearly anything.
        raise ModelError(
            f"{path} is not a model of this library ({type(error).__name__}: {error}); train it "
            "again"
        ) from error
    return NetworkPredictor(
        model, metadata, dates=dates, bands=bands, nodata=nodata, precision=precision
    )


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
    model: keras.Model,
    metadata: dict[str, Any],
    *,
    dates: Sequence[str],
    bands: Sequence[str],
    nodata: int,
) -> None:
    missing = [key for key in _KEYS if key not in metadata]
    if missing:
        raise ModelError(f"the model's metadata lack {', '.join(missing)}; train it again")
    given = {"dates": dates, "bands": bands, "nodata": [str(nodata)]}
    learned = {key: metadata[key] for key in ("dates", "bands")}
    different = differences(given, {**learned, "nodata": [str(metadata["nodata"])]})
    if different:
        raise ModelError(
            f"the series is not like those that the network was trained on ({different}); train "
            "it again, or stack the series as they were"
        )
    channels = len(dates) * len(bands)
    sizes = {key: int(np.size(metadata[key])) for key in ("low", "high")}
    # Of a model without layers there is none.
    shapes = (getattr(model, name, (None,)) for name in ("input_shape", "output_shape"))
    found_shape = tuple(shape[-1] for shape in shapes)
    if found_shape != (channels, len(metadata["codes"])) or set(sizes.values()) != {channels}:
        raise ModelError(
            f"the model has (channels, classes) {found_shape}, its metadata "
            f"{(channels, len(metadata['codes']))} and bounds of {sizes} channels; "
            "the files belong to different trainings"
        )
