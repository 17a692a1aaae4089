"""Asking for STAC files over the network."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from fgunet.errors import MissingAcquisitionError

if TYPE_CHECKING:
    from fgunet.sentinel2.stac_session import BoundedSession


@dataclass(frozen=True)
class Limits:
    """What reading STAC may take at most: far more than a source needs that means well.

    One item has 10 to 40 kB, a page of 100 items up to 4 MB. Ten years on the ground of a tile,
    with its neighbours, are some 15,000 items: 150 pages, 0.5 GB. One listing is a search for one
    tile in one collection, or a catalogue with all it links to.

    Attributes
    ----------
    file_bytes : int
        Bytes of one file or answer, unpacked. Decoded, JSON takes up to twenty times as many.
    silence_s : int
        Seconds that an address may stay silent.
    wait_s : int
        Seconds that an address may have one wait before the next trial (Retry-After).
    retries : int
        Trials after the first.
    answer_s : float
        Seconds to one whole answer, trials and waits included.
    listing_answers, listing_bytes, listing_s : int
        Answers of one listing, their characters, and the seconds to the last.
    listing_items : int
        Items of one listing, or files that its catalogues link to, on disk too: more than the
        170,000 that 1,100 tiles have in a year.
    """

    file_bytes: int = 1 << 26
    silence_s: int = 60
    wait_s: int = 60
    retries: int = 3
    answer_s: float = 600
    listing_answers: int = 100_000
    listing_bytes: int = 1 << 31
    listing_s: int = 2 * 3600
    listing_items: int = 1_000_000


LIMITS = Limits()


def open_session() -> "BoundedSession":
    """A session that neither an address that stays silent nor one without end can hold up."""
    from fgunet.sentinel2.stac_session import BoundedSession  # noqa: PLC0415  slow, seldom needed

    return BoundedSession(LIMITS)


class Listing:
    """Asks for the files of one listing, in one session, which counts them."""

    def fetch_text(self, address: str) -> str:
        """The text at an address. Raises MissingAcquisitionError if it does not answer."""
        with asking(address):
            return self._session.read_text(address)

    @cached_property
    def _session(self) -> "BoundedSession":
        return open_session()


@contextmanager
def asking(address: str) -> Iterator[None]:
    """Tell errors of the network and of the server as MissingAcquisitionError."""
    from pystac import STACError  # noqa: PLC0415  as above
    from pystac_client.exceptions import APIError  # noqa: PLC0415

    try:
        yield
    except (APIError, STACError) as error:
        # pystac tells what happened to a link that it follows as an error of its own.
        told = error if isinstance(error, APIError) else error.__cause__
        if not isinstance(told, APIError):
            raise
        status = getattr(told, "status_code", None)
        reason = f"HTTP status {status}: {str(told)[:200]}" if status else str(told)
        raise MissingAcquisitionError(
            f"{address} does not answer as a STAC service or file should ({reason}); check the "
            "address in products.folder and the network, and try again"
        ) from error
