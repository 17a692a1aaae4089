"""Map a tile with the Random Forest."""

from fgunet.forest.archive import load_forest
from fgunet.logs import log_to
from fgunet.mapping.deliverables import create_map
from fgunet.mapping.forest_predictor import ForestPredictor
from fgunet.mapping.prediction import classify
from fgunet.nomenclature import read_nomenclature
from fgunet.series.store import SeriesStore


def main(
    *,
    tile: str,
    path_to_series: str,
    path_to_model: str,
    path_to_metadata: str,
    classifier: str,
    nomenclature: str,
    window: int,
    threads: int,
    path_to_class: str,
    path_to_confidence: str,
) -> None:
    series, known = SeriesStore(path_to_series), read_nomenclature(nomenclature)
    forest = load_forest(path_to_model, path_to_metadata, classifier)
    forest.require_nomenclature(known)
    predictor = ForestPredictor(
        forest, dates=series.dates, bands=series.bands, nodata=series.nodata, threads=threads
    )
    grid, nodata = series.grid, series.nodata
    with create_map(path_to_class, path_to_confidence, grid, known) as write:
        for part in classify(predictor, series.read, grid.shape, core=window, nodata=nodata):
            write(*part)


if __name__ == "__main__":
    log_to(snakemake.log[0], f"{snakemake.wildcards.tile} forest")
    main(
        tile=snakemake.wildcards.tile,
        path_to_series=snakemake.input.series,
        path_to_model=snakemake.input.model,
        path_to_metadata=snakemake.input.metadata,
        classifier=snakemake.params.classifier,
        nomenclature=snakemake.input.nomenclature,
        window=snakemake.params.window,
        threads=snakemake.threads,
        path_to_class=snakemake.output.map,
        path_to_confidence=snakemake.output.confidence,
    )
