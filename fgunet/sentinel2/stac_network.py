"""Asking for STAC files over the network."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fgunet.errors import MissingAcquisitionError

if TYPE_CHECKING:
    from pystac_client.stac_api_io import StacApiIO

_TIMEOUT_S = 60
_RETRIES = 3


def open_session() -> "StacApiIO":
    """A session that gives up on an address that stays silent, after a few trials."""
    from pystac_client.stac_api_io import StacApiIO  # noqa: PLC0415  slow, and seldom needed

    return StacApiIO(timeout=_TIMEOUT_S, max_retries=_RETRIES)


def fetch_text(address: str) -> str:
    """The text at an address. Raises MissingAcquisitionError if it does not answer."""
    with asking(address):
        return open_session().read_text(address)


@contextmanager
def asking(address: str) -> Iterator[None]:
    """Tell errors of the network and of the server as MissingAcquisitionError."""
    from pystac_client.exceptions import APIError  # noqa: PLC0415  as above

    try:
        yield
    except APIError as error:
        status = getattr(error, "status_code", None)
        reason = f"HTTP status {status}: {str(error)[:200]}" if status else str(error)
        raise MissingAcquisitionError(
            f"{address} does not answer as a STAC service or file should ({reason}); check the "
            "address in products.folder and the network, and try again"
        ) from error
