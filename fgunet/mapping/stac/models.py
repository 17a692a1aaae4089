"""A trained model as a STAC item (machine learning model extension)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pystac
import shapely
from pystac.extensions.classification import ClassificationExtension
from pystac.extensions.mlm import (
    AcceleratorType,
    AssetGeneralMLMExtension,
    Hyperparameters,
    InputStructure,
    MLMExtension,
    ModelInput,
    ModelOutput,
    ProcessingExpression,
    ResultStructure,
    TaskType,
)
from pystac.extensions.raster import DataType, RasterBand, RasterExtension

from fgunet.errors import ModelError
from fgunet.mapping.stac.assets import PROCESSING, PathLike, add_file, classes_of
from fgunet.mapping.stac.extent import interval, located
from fgunet.nomenclature import Nomenclature

_KEYS = ("method", "dates", "bands", "codes", "versions")
_OF_NETWORK = (
    "width",
    "dates_per_group",
    "dropout",
    "precision",
    "seed",
    "epochs",
    "best_epoch",
    "patches",
    "halo",
    "stride",
)
_RELEASE = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")


def model_id(method: str) -> str:
    """Id of the item of a method's model."""
    return f"model_{method}"


def model_item(
    metadata: Mapping[str, Any],
    folder: PathLike,
    *,
    model: PathLike,
    path_to_metadata: PathLike,
    label: str,
    nomenclature: Nomenclature,
    bbox: tuple[float, float, float, float],
) -> pystac.Item:
    """Describe a trained model.

    Parameters
    ----------
    metadata : mapping
        What its training wrote beside it.
    folder : path
        Folder that the item's file will lie in.
    model, path_to_metadata : path
        The model (Keras or skops) and its metadata.
    label : str
        Name of the method, for readers.
    nomenclature : Nomenclature
        Holds the model's codes.
    bbox : tuple of 4 float
        Ground that the model was made for: west, south, east, north in degrees.

    Returns
    -------
    pystac.Item
        With the MLM, raster, classification, processing and file extensions.

    Raises
    ------
    ModelError
        If the metadata lack a key, or name a code that the nomenclature has not.
    """
    _require_whole(metadata, path_to_metadata, nomenclature)
    first, last = interval(metadata["dates"])
    item = pystac.Item(
        model_id(metadata["method"]),
        **located(shapely.box(*bbox)),
        datetime=None,
        properties={
            "title": f"{label}: model",
            "processing:software": dict(metadata["versions"]),
        },
        start_datetime=first,
        end_datetime=last,
        stac_extensions=[PROCESSING, ClassificationExtension.get_schema_uri()],
    )
    kind = (_network if metadata["method"] == "fgunet" else _classifier)(metadata)
    _describe(MLMExtension.ext(item, add_if_missing=True), kind, metadata, nomenclature)
    asset = add_file(item, "model", model, folder, title="Trained model", roles=["mlm:model"])
    AssetGeneralMLMExtension.ext(asset).artifact_type = kind.artifact_type
    RasterExtension.ext(asset, add_if_missing=True).bands = _bands(metadata)
    title = "Metadata of the training"
    add_file(item, "metadata", path_to_metadata, folder, title=title, roles=["metadata"])
    return item


def _bands(metadata: Mapping[str, Any]) -> list[RasterBand]:
    """Bands of the series, which the MLM extension looks for at the model's file."""
    bands = []
    for name in metadata["bands"]:
        band = RasterBand.create(data_type=DataType.UINT16, scale=0.0001, unit="1")
        band.properties["name"] = name
        bands.append(band)
    return bands


def _require_whole(metadata: Mapping[str, Any], path: PathLike, nomenclature: Nomenclature) -> None:
    missing = [key for key in _KEYS if key not in metadata]
    if missing:
        raise ModelError(f"{path} lacks {', '.join(missing)}; train the model again")
    unknown = sorted(set(metadata["codes"]) - set(nomenclature.codes))
    if unknown:
        raise ModelError(
            f"{path} names the codes {unknown}, which are not in the nomenclature "
            f"{nomenclature.name!r} {list(nomenclature.codes)}; use that of the training"
        )


@dataclass(frozen=True)
class _Kind:
    """How a model is called, what goes in and what comes out, and how its file was written."""

    name: str
    architecture: str
    framework: str
    package: str
    dimensions: list[str]
    input_type: DataType
    input_text: str
    output_type: DataType
    output_text: str
    hyperparameters: dict[str, Any]
    artifact_type: str
    pre_processing: ProcessingExpression | None = None


def _network(metadata: Mapping[str, Any]) -> _Kind:
    return _Kind(
        name="FG-UNET",
        architecture="FG-UNET",
        framework="Keras",
        package="keras",
        dimensions=["batch", "height", "width"],
        input_type=DataType.FLOAT32,
        input_text="Reflectance x 10000, each channel clipped to its bounds (low and high in the "
        "metadata) and scaled to 0..1; 0 where there are no data.",
        output_type=DataType.FLOAT32,
        output_text="Logits of the classes; their softmax is the probability.",
        hyperparameters={key: metadata[key] for key in _OF_NETWORK if key in metadata},
        artifact_type="tf.keras.Model.save",
        pre_processing=ProcessingExpression.create(
            "python", "fgunet.patches.normalisation:normalise"
        ),
    )


def _classifier(metadata: Mapping[str, Any]) -> _Kind:
    parameters = dict(metadata["parameters"])
    path = str(parameters["classifier"]).split(".")
    package = "scikit-learn" if path[0] == "sklearn" else path[0]
    return _Kind(
        name=path[-1],
        architecture="Random Forest" if path[-1] == "RandomForestClassifier" else path[-1],
        framework=package,
        package=package,
        dimensions=["batch"],
        input_type=DataType.UINT16,
        input_text="Reflectance x 10000 of single pixels.",
        output_type=DataType.FLOAT64,
        output_text="Probability of the classes.",
        hyperparameters=parameters,
        artifact_type="skops.io.dump",
    )


def _describe(
    item: MLMExtension[pystac.Item],
    kind: _Kind,
    metadata: Mapping[str, Any],
    nomenclature: Nomenclature,
) -> None:
    """Fill in the properties of the MLM extension."""
    version = str(metadata["versions"].get(kind.package, ""))
    parameters = metadata.get("n_parameters")
    item.apply(
        name=kind.name,
        architecture=kind.architecture,
        tasks=[TaskType.SEMANTIC_SEGMENTATION],
        input=[_input(kind, metadata)],
        output=[_output(kind, metadata, nomenclature)],
        framework=kind.framework,
        # The extension takes full releases alone.
        framework_version=version if _RELEASE.fullmatch(version) else None,
        # Weights are float32.
        memory_size=None if parameters is None else 4 * parameters,
        total_parameters=parameters,
        pretrained=False,
        accelerator=AcceleratorType.AMD64,
        accelerator_constrained=False,
        hyperparameters=Hyperparameters.create(**kind.hyperparameters),
    )


def _input(kind: _Kind, metadata: Mapping[str, Any]) -> ModelInput:
    bands, unknown = list(metadata["bands"]), [-1] * len(kind.dimensions)
    shape = [*unknown, len(metadata["dates"]) * len(bands)]
    return ModelInput.create(
        "series",
        bands,
        InputStructure.create(shape, [*kind.dimensions, "channel"], kind.input_type),
        f"{kind.input_text} Channels are all bands of the first date, then of the second, and so "
        "on.",
        pre_processing_function=kind.pre_processing,
    )


def _output(kind: _Kind, metadata: Mapping[str, Any], nomenclature: Nomenclature) -> ModelOutput:
    codes, unknown = list(metadata["codes"]), [-1] * len(kind.dimensions)
    of_code = {found.value: found for found in classes_of(nomenclature)}
    return ModelOutput.create(
        "classes",
        [TaskType.SEMANTIC_SEGMENTATION],
        ResultStructure.create(
            [*unknown, len(codes)], [*kind.dimensions, "class"], kind.output_type
        ),
        kind.output_text,
        [of_code[code] for code in codes],
    )
