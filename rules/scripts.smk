# What a rule's script says counts, not its time, which each copy of the project has anew. No rules
# here.

from snakemake.jobs import Job

from fgunet.files import file_sha256


async def outputs_older_than_script(job):
    """None: the script is among the parameters of its rule."""
    return
    yield


def note_scripts():
    """Let a rule's parameters tell what its script says."""
    for each in workflow.rules:
        if each.script:
            source = each.basedir.join(each.script)
            each.set_params(
                script_sha256=file_sha256(source.get_path_or_uri(secret_free=True))
            )


Job.outputs_older_than_script_or_notebook = outputs_older_than_script
note_scripts()
