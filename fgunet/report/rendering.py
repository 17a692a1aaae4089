"""Templates become HTML."""

from typing import Any

import jinja2

from fgunet.report.wording import whole


def render(template: str, **content: Any) -> str:
    """Fill in a template of `fgunet/report/templates`.

    What is filled in is escaped; what the template asks for and is not given is an error.

    Parameters
    ----------
    template : str
        Name of the template.
    **content
        What it reads.

    Raises
    ------
    jinja2.UndefinedError
        If it reads what is not given.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("fgunet.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["whole"] = whole
    return environment.get_template(template).render(**content)
