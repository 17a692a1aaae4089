"""Map a tile with the Random Forest."""

from collections.abc import Mapping
from typing import Any

from fgunet.calibration import read_temperature
from fgunet.files import file_sha256, write_json
from fgunet.forest.archive import load_forest
from fgunet.logs import log_to
from fgunet.mapping.decision import Layers
from fgunet.mapping.forest_predictor import ForestPredictor
from fgunet.mapping.tile import Making, MapPaths, Windowing, map_tile
from fgunet.nomenclature import read_nomenclature
from fgunet.series.store import SeriesStore


def main(
    *,
    path_to_series: str,
    path_to_model: str,
    path_to_metadata: str,
    classifier: str,
    nomenclature: str,
    windows: Mapping[str, Any],
    layers: Mapping[str, Any],
    calibrated: bool,
    memory_mb: float,
    threads: int,
    path_to_class: str,
    path_to_confidence: str,
    path_to_margin: str | None,
    path_to_probabilities: str | None,
    path_to_facts: str,
) -> None:
    series, known = SeriesStore(path_to_series), read_nomenclature(nomenclature)
    axes = {"dates": series.dates, "bands": series.bands}
    files = path_to_model, path_to_metadata
    temperature = read_temperature(path_to_metadata) if calibrated else None
    forest = load_forest(*files, classifier)
    forest.require_nomenclature(known)
    predictor = ForestPredictor(forest, nodata=series.nodata, threads=threads, **axes)
    facts = map_tile(
        predictor,
        series,
        known,
        MapPaths(path_to_class, path_to_confidence, path_to_margin, path_to_probabilities),
        making=Making("forest", *map(file_sha256, files)),
        windowing=Windowing(memory_mb, **windows),
        layers=Layers(**layers, temperature=temperature),
    )
    write_json(path_to_facts, facts)


if __name__ == "__main__":
    log_to(snakemake.log[0], f"{snakemake.wildcards.tile} forest")
    output = snakemake.output
    main(
        path_to_series=snakemake.input.series,
        path_to_model=snakemake.input.model,
        path_to_metadata=snakemake.input.metadata,
        classifier=snakemake.params.classifier,
        nomenclature=snakemake.input.nomenclature,
        windows=snakemake.params.windows,
        layers=snakemake.params.layers,
        calibrated=snakemake.params.calibrated,
        memory_mb=snakemake.params.memory_mb,
        threads=snakemake.threads,
        path_to_class=output.map,
        path_to_confidence=output.confidence,
        path_to_margin=output.get("margin"),
        path_to_probabilities=output.get("probabilities"),
        path_to_facts=output.facts,
    )
