# A result that is missing is made again. No rules here.

from itertools import chain

from snakemake.dag import DAG


def make_what_is_missing(update_needrun):
    """Let a job run where a lasting output of it is missing.

    Snakemake asks only whether the last results of a run are there. A model or a map that was
    removed, or lost with a job that failed or was stopped, would be missing in a run that says
    that there is nothing to be done.
    """

    async def missing_outputs(job):
        return [
            file
            for file in job.output
            if file not in job.temp_output and not await file.exists()
        ]

    async def update(dag, **options):
        forced = set(dag.forcefiles)
        missing = {
            job: files
            for job in list(dag.jobs)
            if not dag.finished(job) and (files := await missing_outputs(job))
        }
        dag.forcefiles = forced.union(chain(*missing.values()))
        await update_needrun(dag, **options)
        dag.forcefiles = forced
        for job in filter(dag.needrun, missing):
            reason = dag.reason(job)
            reason.missing_output.update(missing[job])
            by_hand = not forced.isdisjoint(job.output)
            reason.forced = by_hand or job.rule in dag.forcerules

    DAG.update_needrun = update


# A job of a cluster plans itself alone.
if workflow.is_main_process:
    make_what_is_missing(DAG.update_needrun)
