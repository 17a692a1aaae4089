rule training_statistics:
    input:
        series="results/series/{tile}.zarr",
        code="results/reference/{tile}_code.tif",
        split=LEARNING_SPLIT,
    output:
        "results/statistics/{tile}.npz",
    log:
        "logs/training_statistics/{tile}.log",
    benchmark:
        "results/benchmarks/training_statistics/{tile}.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(1500),
        runtime=120,
    params:
        library=VERSION,
    message:
        "{wildcards.tile}: statistics of the training split"
    script:
        "../scripts/training_statistics.py"


rule training_plan:
    input:
        series=expand("results/series/{tile}.zarr", tile=TILES),
        codes=expand("results/reference/{tile}_code.tif", tile=TILES),
        splits=expand(LEARNING_SPLIT, tile=TILES),
        statistics=expand("results/statistics/{tile}.npz", tile=TILES),
        nomenclature=NOMENCLATURE,
    output:
        "results/models/fgunet/plan.json",
    log:
        "logs/training_plan.log",
    benchmark:
        "results/benchmarks/training_plan.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(1500),
        runtime=60,
    params:
        settings={k: v for k, v in config["fgunet"].items() if k != "preset"},
        tiles=TILES,
        seed=config["seed"],
        library=VERSION,
    message:
        "planning the training of FG-UNET"
    script:
        "../scripts/training_plan.py"


# One Horovod worker a thread, as far as they can share a batch evenly. A killed training goes on from its last checkpoint, which lies in
# the same folder and is no output, so that Snakemake leaves it there.
rule train_fgunet:
    input:
        plan="results/models/fgunet/plan.json",
        series=expand("results/series/{tile}.zarr", tile=TILES),
        codes=expand("results/reference/{tile}_code.tif", tile=TILES),
        splits=expand(LEARNING_SPLIT, tile=TILES),
    output:
        model="results/models/fgunet/model.keras",
        history="results/models/fgunet/history.csv",
        metadata="results/models/fgunet/metadata.json",
    log:
        "logs/train_fgunet.log",
    benchmark:
        "results/benchmarks/train_fgunet.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 2
    resources:
        mem_mb=memory(1000, 2500),
        workers=workers,
        runtime=2880,
    params:
        folder=subpath(output.model, parent=True),
        library=VERSION,
    message:
        "training FG-UNET on {resources.workers} workers"
    shell:
        "horovodrun -np {resources.workers} -H localhost:{resources.workers} --gloo"
        " python -m fgunet.training {input.plan} {params.folder} 2>&1 | tee {log}"


rule sample_pixels:
    input:
        series="results/series/{tile}.zarr",
        code="results/reference/{tile}_code.tif",
        polygon="results/reference/{tile}_polygon.tif",
        split=LEARNING_SPLIT,
        nomenclature=NOMENCLATURE,
    output:
        samples="results/samples/{tile}.parquet",
        validation="results/samples/{tile}_validation.parquet",
    log:
        "logs/sample_pixels/{tile}.log",
    benchmark:
        "results/benchmarks/sample_pixels/{tile}.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 2
    resources:
        mem_mb=memory(700 + 3 * megabytes_of_samples(SAMPLING, VALIDATION_SAMPLING)),
        runtime=120,
    params:
        sampling=SAMPLING,
        validation_sampling=VALIDATION_SAMPLING,
        seed=config["seed"],
        library=VERSION,
    message:
        "{wildcards.tile}: drawing pixels for the forest"
    script:
        "../scripts/sample_pixels.py"


rule train_forest:
    input:
        samples=expand("results/samples/{tile}.parquet", tile=TILES),
        validation=expand("results/samples/{tile}_validation.parquet", tile=TILES),
        nomenclature=NOMENCLATURE,
    output:
        forest="results/models/forest/forest.skops",
        metadata="results/models/forest/metadata.json",
    log:
        "logs/train_forest.log",
    benchmark:
        "results/benchmarks/train_forest.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 2
    resources:
        mem_mb=memory(900 + 7 * megabytes_of_samples(SAMPLING, VALIDATION_SAMPLING)),
        runtime=240,
    params:
        sampling=SAMPLING,
        validation_sampling=VALIDATION_SAMPLING,
        settings=CLASSIFIER,
        seed=config["seed"],
        library=VERSION,
    message:
        "training the Random Forest"
    script:
        "../scripts/train_forest.py"
