#!/usr/bin/env bash
# Run by Snakemake once fgunet.yaml is installed: Horovod compiles against that TensorFlow.
set -euo pipefail
HOROVOD_WITH_TENSORFLOW=1 HOROVOD_WITHOUT_PYTORCH=1 HOROVOD_WITHOUT_MXNET=1 \
HOROVOD_WITH_GLOO=1 HOROVOD_WITHOUT_MPI=1 \
    python -m pip install --no-deps --no-build-isolation --no-binary horovod horovod==0.28.1
