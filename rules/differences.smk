# Where the methods differ, and what that goes with.


rule urban_share:
    input:
        audits=expand("results/reference/{tile}_audit.json", tile=TILES),
        summary="results/accuracy/summary.csv",
        differences="results/accuracy/comparison.csv",
        nomenclature=NOMENCLATURE,
    output:
        table="results/accuracy/urban_share.csv",
        slopes="results/accuracy/urban_slope.json",
    log:
        "logs/urban_share.log",
    benchmark:
        "results/benchmarks/urban_share.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(250),
        runtime=minutes(10),
    params:
        focus_group=FOCUS_GROUP,
        library=VERSION,
    message:
        f"kappa against the {FOCUS_GROUP} share of each tile"
    script:
        "../scripts/urban_share.py"


rule split_gap:
    input:
        unpack(files_of_block_run),
        summary="results/accuracy/summary.csv",
        classes="results/accuracy/classes.csv",
        audit="results/reference/audit.json",
    output:
        "results/accuracy/split_gap.csv",
    log:
        "logs/split_gap.log",
    benchmark:
        "results/benchmarks/split_gap.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(250),
        runtime=minutes(10),
    params:
        folder=BLOCK_RUN,
        library=VERSION,
    message:
        "the scores beside those of the run in {params.folder}"
    script:
        "../scripts/split_gap.py"


rule comparison_figures:
    input:
        **tables_of_accuracy("urban_share"),
        differences="results/accuracy/comparison.csv",
        nomenclature=NOMENCLATURE,
    output:
        charts(COMPARISON_CHARTS, "Comparison"),
    log:
        "logs/comparison_figures.log",
    benchmark:
        "results/benchmarks/comparison_figures.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(300),
        runtime=minutes(15),
    params:
        classifier=config["forest"]["classifier"],
        methods=METHODS,
        focus_group=FOCUS_GROUP,
        library=VERSION,
    message:
        "drawing where the methods differ"
    script:
        "../scripts/comparison_figures.py"
