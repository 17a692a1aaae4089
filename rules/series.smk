rule list_acquisitions:
    input:
        products=products_of,
    output:
        "results/acquisitions/{tile}.json",
    log:
        "logs/list_acquisitions/{tile}.log",
    benchmark:
        "results/benchmarks/list_acquisitions/{tile}.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: THREADS_OF_A_TILE
    resources:
        mem_mb=memory(600),
        runtime=30,
    params:
        locations=lambda wildcards, input: [input.products] if SIMULATED else LOCATIONS,
        names=lambda wildcards: product_names(wildcards.tile),
        products={k: v for k, v in config["products"].items() if k != "folder"},
        dates=DATES,
        margin_days=config["series"]["margin_days"],
        minimum_acquisitions=config["series"]["minimum_acquisitions"],
        library=VERSION,
    message:
        "{wildcards.tile}: looking for usable acquisitions"
    script:
        "../scripts/list_acquisitions.py"


rule check_inputs:
    input:
        acquisitions=expand("results/acquisitions/{tile}.json", tile=TILES),
        audit="results/reference/audit.json",
    output:
        "results/inputs_checked.json",
    log:
        "logs/check_inputs.log",
    benchmark:
        "results/benchmarks/check_inputs.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(600),
        runtime=10,
    params:
        library=VERSION,
    message:
        "all inputs are there: the work can start"
    script:
        "../scripts/check_inputs.py"


rule stack_series:
    input:
        acquisitions="results/acquisitions/{tile}.json",
        products=products_of,
        checked=ancient("results/inputs_checked.json"),
    output:
        directory("results/series/{tile}.zarr"),
    log:
        "logs/stack_series/{tile}.log",
    benchmark:
        "results/benchmarks/stack_series/{tile}.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: THREADS_OF_A_TILE
    resources:
        mem_mb=memory(1800, 200),
        runtime=240,
    params:
        bands=config["products"]["bands"],
        dates=DATES,
        max_gap_days=config["series"]["max_gap_days"],
        library=VERSION,
    message:
        "{wildcards.tile}: stacking the regular dates"
    script:
        "../scripts/stack_series.py"
