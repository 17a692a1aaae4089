rule learnable_labels:
    input:
        series="results/series/{tile}.zarr",
        code="results/reference/{tile}_code.tif",
        polygon="results/reference/{tile}_polygon.tif",
        split="results/reference/{tile}_split.tif",
        # Not read: it follows the size of patches, and hides that from nobody (see check_inputs).
        audit="results/reference/{tile}_audit.json",
        checked=CHECKED,
    output:
        "results/comparison/labels/{tile}.parquet",
    log:
        "logs/learnable_labels/{tile}.log",
    benchmark:
        "results/benchmarks/learnable_labels/{tile}.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(220 + 2 * TILE_MPX),
        runtime=minutes(10 + 0.1 * TILE_MPX),
    params:
        **{
            key: config["fgunet"][key]
            for key in ("patch_size", "jitter", "avoid_test_context")
        },
        library=VERSION,
    message:
        "{wildcards.tile}: counting the training pixels that both methods can use"
    script:
        "../scripts/learnable_labels.py"


rule learnable_polygons:
    input:
        layer="results/reference/polygons.gpkg",
        labels=expand("results/comparison/labels/{tile}.parquet", tile=TILES),
    output:
        "results/comparison/polygons.parquet",
    log:
        "logs/learnable_polygons.log",
    benchmark:
        "results/benchmarks/learnable_polygons.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(260 + ALL_MPX),
        runtime=minutes(10 + 0.02 * ALL_MPX),
    params:
        equal_labels=EQUAL_LABELS,
        seed=config["seed"],
        library=VERSION,
    message:
        "choosing the polygons that the methods may learn from"
    script:
        "../scripts/learnable_polygons.py"


rule learning_split:
    input:
        polygons="results/comparison/polygons.parquet",
        polygon="results/reference/{tile}_polygon.tif",
        split="results/reference/{tile}_split.tif",
    output:
        "results/comparison/{budget}/{tile}_split.tif",
    log:
        "logs/learning_split/{budget}_{tile}.log",
    benchmark:
        "results/benchmarks/learning_split/{budget}_{tile}.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(240 + 1.5 * TILE_MPX + 0.1 * ALL_MPX),
        runtime=minutes(10 + 0.1 * TILE_MPX),
    params:
        share=lambda wildcards: (
            1.0 if wildcards.budget == "all" else float(wildcards.budget)
        ),
        library=VERSION,
    message:
        "{wildcards.tile}: the split that is learned from, budget {wildcards.budget}"
    script:
        "../scripts/learning_split.py"


rule labels_seen_fgunet:
    input:
        plan="results/models/fgunet/plan.json",
        metadata="results/models/fgunet/metadata.json",
        codes=expand("results/reference/{tile}_code.tif", tile=TILES),
        polygons=expand("results/reference/{tile}_polygon.tif", tile=TILES),
        splits=expand(LEARNING_SPLIT, tile=TILES),
    output:
        "results/comparison/seen/fgunet.parquet",
    log:
        "logs/labels_seen_fgunet.log",
    benchmark:
        "results/benchmarks/labels_seen_fgunet.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(450),
        runtime=minutes(30 + len(TILES)),
    params:
        library=VERSION,
    message:
        "counting the training pixels that FG-UNET saw"
    script:
        "../scripts/labels_seen_fgunet.py"


rule labels_seen_forest:
    input:
        samples=expand("results/samples/{tile}.parquet", tile=TILES),
    output:
        "results/comparison/seen/forest.parquet",
    log:
        "logs/labels_seen_forest.log",
    benchmark:
        "results/benchmarks/labels_seen_forest.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(260 + 4 * megabytes_of_samples(SAMPLING)),
        runtime=minutes(10 + len(TILES)),
    params:
        sampling=SAMPLING,
        library=VERSION,
    message:
        "counting the training pixels that the forest saw"
    script:
        "../scripts/labels_seen_forest.py"


rule labels:
    input:
        polygons="results/comparison/polygons.parquet",
        seen=expand("results/comparison/seen/{method}.parquet", method=METHODS),
        nomenclature=NOMENCLATURE,
    output:
        "results/accuracy/labels.csv",
    log:
        "logs/labels.log",
    benchmark:
        "results/benchmarks/labels.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(200 + 0.1 * ALL_MPX),
        runtime=minutes(10),
    params:
        methods=METHODS,
        library=VERSION,
    message:
        "what each method learned from"
    script:
        "../scripts/labels.py"
