# Apart from the products that are used, so that one that comes or goes leaves the reference alone.
rule tile_grid:
    input:
        products=products_of,
    output:
        "results/grids/{tile}.json",
    log:
        "logs/tile_grid/{tile}.log",
    benchmark:
        "results/benchmarks/tile_grid/{tile}.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(250),
        runtime=minutes(20),
    params:
        search=search_for_grid,
        library=VERSION,
    message:
        "{wildcards.tile}: finding its grid"
    script:
        "../scripts/tile_grid.py"


rule list_acquisitions:
    input:
        products=products_of,
        grid="results/grids/{tile}.json",
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
        mem_mb=memory(250),
        runtime=minutes(15, shared=7 * TILE_MPX),
    params:
        locations=locations_of_products,
        found=lambda wildcards: products_found(wildcards.tile),
        products={k: v for k, v in config["products"].items() if k != "folder"},
        dates=DATES,
        margin_days=config["series"]["margin_days"],
        minimum_acquisitions=config["series"]["minimum_acquisitions"],
        library=VERSION,
    message:
        "{wildcards.tile}: looking for usable acquisitions"
    script:
        "../scripts/list_acquisitions.py"


# A checkpoint, for Snakemake sees no other reason to run a job again while one above it, however
# far, is to be run: when the checks are done it looks anew.
checkpoint check_inputs:
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
        mem_mb=memory(200),
        runtime=minutes(10 + 0.1 * len(TILES)),
    params:
        tiles=TILES,
        library=VERSION,
    message:
        "all inputs are there: the work can start"
    script:
        "../scripts/check_inputs.py"


# A Snakemake that may run some rules only, as that of a single job, plans those alone, which it
# cannot with a checkpoint.
workflow.get_rule("check_inputs").is_checkpoint = ALL_RULES


rule stack_series:
    input:
        acquisitions="results/acquisitions/{tile}.json",
        products=products_of,
        checked=CHECKED,
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
        mem_mb=memory(min(1800, 600 + 900 * TILE_MPX), 200),
        runtime=minutes(20, shared=9 * TILE_MPX),
    params:
        bands=config["products"]["bands"],
        dates=DATES,
        max_gap_days=config["series"]["max_gap_days"],
        memory_mb=own_memory,
        library=VERSION,
    message:
        "{wildcards.tile}: stacking the regular dates"
    script:
        "../scripts/stack_series.py"
