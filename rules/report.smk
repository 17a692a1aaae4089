rule tile_sheet:
    message:
        "{wildcards.tile}: drawing its sheet"
    input:
        series="results/series/{tile}.zarr",
        code="results/reference/{tile}_code.tif",
        split="results/reference/{tile}_split.tif",
        maps=expand("results/maps/{method}/{{tile}}_class.tif", method=METHODS),
        confidences=expand("results/maps/{method}/{{tile}}_confidence.tif", method=METHODS),
        nomenclature=NOMENCLATURE,
    output:
        report(
            "results/figures/tiles/{tile}.png",
            caption="captions/tile_sheet.rst",
            category="Maps",
            labels={"tile": "{tile}"},
        ),
    log:
        "logs/tile_sheet/{tile}.log",
    benchmark:
        "results/benchmarks/tile_sheet/{tile}.tsv"
    params:
        methods=METHODS,
        library=VERSION,
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=30,
    conda:
        "../envs/fgunet.yaml"
    script:
        "../scripts/tile_sheet.py"
