# What Snakemake remembers of a job that failed. No rules here.

from snakemake.jobs import Job
from snakemake.persistence import PersistenceBase


def remember_success_alone(postprocess, finished):
    """Keep what is known of a job's last success when it fails.

    Snakemake 9.27 notes settings and inputs of a failed job as if it had succeeded. Where what was
    made of its former output still lies there, the next run would then see no reason to run it.
    """
    failed = set()

    async def after_job(job, *arguments, error=False, **options):
        (failed.add if error else failed.discard)(job)
        await postprocess(job, *arguments, error=error, **options)

    async def note(persistence, job):
        if job not in failed:
            await finished(persistence, job)

    Job.postprocess, PersistenceBase.finished = after_job, note


remember_success_alone(Job.postprocess, PersistenceBase.finished)
