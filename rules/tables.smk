# The tables of the report as files: numbers as CSV, and pages for Snakemake's own report, which
# shows those and only downloads a CSV.


rule tables:
    input:
        **tables_of_accuracy("labels"),
        acquisitions=expand("results/acquisitions/{tile}.json", tile=TILES),
        facts=expand("results/figures/tiles/{tile}.json", tile=TILES),
        audit="results/reference/audit.json",
        metadata=expand("results/models/{method}/metadata.json", method=METHODS),
        summary="results/accuracy/summary.csv",
        classes="results/accuracy/classes.csv",
        comparison="results/accuracy/comparison.json",
        learning_time="results/accuracy/learning_time.csv",
        truth=(
            expand("results/truth/{method}/{tile}.json", method=METHODS, tile=TILES)
            if SIMULATED
            else []
        ),
        nomenclature=NOMENCLATURE,
    output:
        **{name: TABLE_FILES[name] for name in RUN_TABLES},
    log:
        "logs/tables.log",
    benchmark:
        "results/benchmarks/tables.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(220 + len(TILES)),
        runtime=minutes(10 + 0.1 * len(TILES)),
    params:
        classifier=config["forest"]["classifier"],
        methods=METHODS,
        tiles=TILES,
        library=VERSION,
    message:
        "writing the tables of the report"
    script:
        "../scripts/tables.py"


rule provenance:
    input:
        # Made last: what is done before it has left a measurement.
        *(
            TABLE_FILES[name]
            for name in [*RUN_TABLES, *ACCURACY_TABLES, *OVERLAP_TABLES]
        ),
        *(f"results/figures/{name}.svg" for name in CHARTS),
        series=expand("results/series/{tile}.zarr", tile=TILES),
        polygons="results/reference/polygons.gpkg",
        models=[MODELS[method] for method in METHODS],
        metadata=expand("results/models/{method}/metadata.json", method=METHODS),
        nomenclature=NOMENCLATURE,
    output:
        made_with="results/tables/provenance.csv",
        costs="results/tables/rules.csv",
    log:
        "logs/provenance.log",
    benchmark:
        "results/benchmarks/provenance.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(200 + 0.1 * len(TILES)),
        runtime=minutes(10 + 0.5 * len(TILES)),
    params:
        benchmarks="results/benchmarks",
        configuration=config,
        methods=METHODS,
        rules=lambda wildcards: [rule.name for rule in workflow.rules],
        tiles=TILES,
        library=VERSION,
    message:
        "what the run was made with, and what its rules took"
    script:
        "../scripts/provenance.py"


rule table_pages:
    input:
        tables=list(TABLE_FILES.values()),
    output:
        [table_page(name) for name in TABLE_FILES],
    log:
        "logs/table_pages.log",
    benchmark:
        "results/benchmarks/table_pages.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(200),
        runtime=minutes(10),
    params:
        titles=[TABLE_TITLES[name][1] for name in TABLE_FILES],
        captions=[
            Path(workflow.basedir, "rules", caption_of(name)).read_text()
            for name in TABLE_FILES
        ],
        library=VERSION,
    message:
        "making pages of the tables"
    script:
        "../scripts/table_pages.py"
