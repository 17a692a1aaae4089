# How rules share jobs of a cluster. No rules here.

from snakemake.dag import DAG
from snakemake.jobs import GroupJobFactory

# The profiles let all rules ask for the turn, of which a job has one. So those of a group run one
# after another, and the group asks for no more than the largest of them, for the time of all.
workflow.register_resource("turn", 1)


resource_scopes:
    turn="local",


def update_groups(dag, update=DAG.update_groups):
    """Make the groups anew: those that Snakemake keeps still hold jobs from before a checkpoint."""
    dag.group_job_factory = GroupJobFactory()
    update(dag)


DAG.update_groups = update_groups

# Snakemake looks whether a group waits for itself by a walk through all jobs before it from each of
# its jobs: hours for a thousand tiles. What holds for fifty holds for more.
if len(TILES) > 50:
    DAG.validate_group = DAG._check_groups = lambda *_: None
