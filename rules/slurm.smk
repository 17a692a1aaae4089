# What Snakemake does while the controller of a Slurm does not answer. No rules here.

import sys

from fgunet.slurm import wait_for_slurm


def outlast_slurm(plugin):
    """Let Snakemake's plugin go on when Slurm has been away.

    Where a question is not answered, the plugin forgets all jobs that it asked for, and waits for
    them for ever: an answer that names no job lets it ask again. A job that cannot be submitted
    counts as one that failed.
    """
    query, submit = plugin.query_job_status, plugin.Executor.run_job

    async def asked(command, logger):
        found, seconds = await query(command, logger)
        return ({}, 0.0) if found is None else (found, seconds)

    def submit_when_slurm_answers(executor, job):
        wait_for_slurm(lambda: executor.wait)
        if executor.wait:
            submit(executor, job)

    plugin.query_job_status = asked
    plugin.Executor.run_job = submit_when_slurm_answers


if "snakemake_executor_plugin_slurm" in sys.modules:
    outlast_slurm(sys.modules["snakemake_executor_plugin_slurm"])
