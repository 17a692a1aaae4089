"""Write the styles of the maps, and beside each mosaic the one that QGIS takes by itself."""

from fgunet.files import write_text
from fgunet.logs import log_to
from fgunet.mapping.styles import CLEAR_COUNT, CONFIDENCE, class_legend, qml, sld
from fgunet.nomenclature import read_nomenclature


def main(
    *,
    nomenclature: str,
    paths_to_class: list[str],
    paths_to_confidence: list[str],
    paths_to_clear_count: list[str],
) -> None:
    legends = {
        class_legend(read_nomenclature(nomenclature)): paths_to_class,
        CONFIDENCE: paths_to_confidence,
        CLEAR_COUNT: paths_to_clear_count,
    }
    for legend, paths in legends.items():
        for path in paths:
            write_text(path, qml(legend) if path.endswith(".qml") else sld(legend))


if __name__ == "__main__":
    log_to(snakemake.log[0])
    main(
        nomenclature=snakemake.input.nomenclature,
        paths_to_class=snakemake.output.map,
        paths_to_confidence=snakemake.output.confidence,
        paths_to_clear_count=snakemake.output.clear_count,
    )
