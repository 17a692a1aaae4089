rule areas:
    input:
        labelled=LABELLED,
        maps=expand("results/maps/{method}/mosaic_class.tif", method=METHODS),
        nomenclature=NOMENCLATURE,
    output:
        areas="results/accuracy/areas.csv",
        summary="results/accuracy/areas.json",
    log:
        "logs/areas.log",
    benchmark:
        "results/benchmarks/areas.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(450),
        runtime=minutes(10 + 0.05 * ALL_MPX),
    params:
        methods=METHODS,
        field=SAMPLE["field"],
        library=VERSION,
    message:
        "class areas and accuracy by area, from the sample"
    script:
        "../scripts/areas.py"


rule area_figure:
    input:
        areas="results/accuracy/areas.csv",
        nomenclature=NOMENCLATURE,
    output:
        charts(AREA_CHARTS, "Accuracy"),
    log:
        "logs/area_figure.log",
    benchmark:
        "results/benchmarks/area_figure.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(300),
        runtime=minutes(15),
    params:
        classifier=config["forest"]["classifier"],
        methods=METHODS,
        library=VERSION,
    message:
        "drawing the class areas"
    script:
        "../scripts/area_figure.py"
