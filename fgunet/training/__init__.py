"""Training of FG-UNET: the plan, the workers, the loop and its checkpoints.

``python -m fgunet.training PLAN OUTPUT_DIR`` trains; under ``horovodrun -np N`` on N workers.
"""
