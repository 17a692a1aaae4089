"""A session of pystac-client whose memory and time are bounded, whatever an address answers."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from threading import Thread
from typing import Any

from pystac import Link
from pystac.link import HREF
from pystac_client.exceptions import APIError
from pystac_client.stac_api_io import StacApiIO
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from urllib3 import Retry

from fgunet.sentinel2.stac_network import Limits

_CHUNK = 1 << 16
_BYTES_OF_AN_ERROR = 1000


class BoundedSession(StacApiIO):
    """Asks as StacApiIO does, within limits; what is beyond them raises APIError.

    Parameters
    ----------
    limits : Limits
        The limits. Those of a listing count from the start of the session, or of its last search.
    """

    def __init__(self, limits: Limits):
        super().__init__(max_retries=None)
        self._limits = limits
        for scheme in ("http://", "https://"):
            self.session.mount(scheme, _BoundedAdapter(limits))
        self._begin()

    def read_text(self, source: HREF, *args: Any, **kwargs: Any) -> str:
        """The text at an http(s) address; StacApiIO would open anything else as a file."""
        if not isinstance(source, Link) and not str(source).lower().startswith(
            ("http://", "https://")
        ):
            raise APIError(
                f"it links to {source}, and an address of the network may not name files here; "
                "expected an http(s) address"
            )
        return super().read_text(source, *args, **kwargs)

    def request(
        self,
        href: str,
        method: str | None = None,
        headers: dict[str, str] | None = None,
        parameters: dict[str, Any] | None = None,
    ) -> str:
        """The whole answer of an address."""
        ask = partial(super().request, href, method, headers, parameters)
        text = _within(self._limits.answer_s, ask, href)
        self._count(href, len(text))
        return text

    def get_pages(
        self, url: str, method: str | None = None, parameters: dict[str, Any] | None = None
    ) -> Iterator[dict[str, Any]]:
        """The pages of one search, each followed by another one."""
        self._begin()
        found, followed = 0, set()
        for page in super().get_pages(url, method, parameters):
            found += len(page.get("features") or page["collections"])
            if found > self._limits.listing_items:
                raise _too_much(f"{self._limits.listing_items} items", url)
            yield page
            following = _next_request(page)
            if following in followed:
                raise APIError(
                    f"after {found} items, its next page is one that was already asked for: "
                    f"{following[:200]}; expected a list that ends"
                )
            followed.add(following)

    def _begin(self) -> None:
        """Count from here: a listing begins."""
        self._start = time.monotonic()
        self._answers = self._size = 0

    def _count(self, href: str, size: int) -> None:
        self._answers += 1
        self._size += size
        for taken, most, what in (
            (self._answers, self._limits.listing_answers, "answers"),
            (self._size, self._limits.listing_bytes, "bytes"),
            (time.monotonic() - self._start, self._limits.listing_s, "seconds"),
        ):
            if taken > most:
                raise _too_much(f"{most} {what}", href)


class _BoundedAdapter(HTTPAdapter):
    """Reads each answer here, those that only lead elsewhere too."""

    def __init__(self, limits: Limits):
        super().__init__(max_retries=Retry(limits.retries, retry_after_max=limits.wait_s))
        self._limits = limits

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        deadline = time.monotonic() + self._limits.answer_s
        # pystac-client forgets the timeout of a session that it is given.
        response = super().send(request, *args, **{**kwargs, "timeout": self._limits.silence_s})
        try:
            response._content = self._read(response, deadline)
        except BaseException:
            response.close()
            raise
        return response

    def _read(self, response: Response, deadline: float) -> bytes:
        """The answer, unpacked; of an error the beginning."""
        content = bytearray()
        # read1 gives what is there; read and stream wait for a whole chunk.
        while chunk := response.raw.read1(_CHUNK, decode_content=True):
            content += chunk
            if not response.ok and len(content) > _BYTES_OF_AN_ERROR:
                response.close()
                return bytes(content[:_BYTES_OF_AN_ERROR])
            if len(content) > self._limits.file_bytes:
                raise APIError(
                    f"{response.url} has more than {self._limits.file_bytes} bytes, the most that "
                    "are read; split it, if it is an item collection"
                )
            if time.monotonic() > deadline:
                raise _too_slow(response.url, self._limits.answer_s)
        return bytes(content)


def _within(seconds: float, ask: Callable[[], str], href: str) -> str:
    """What `ask` returns, or APIError after some seconds.

    A timeout of a socket is one of each byte, in headers too. So another thread waits; it ends by
    itself, unless it is the headers that have no end, and does not keep the process from ending.
    """
    answer: Future[str] = Future()

    def run() -> None:
        try:
            answer.set_result(ask())
        except BaseException as error:
            answer.set_exception(error)

    Thread(target=run, daemon=True).start()
    try:
        return answer.result(seconds)
    except TimeoutError as error:
        raise _too_slow(href, seconds) from error


def _next_request(page: dict[str, Any]) -> str:
    """What the link to the next page asks for; "[]" on the last."""
    links = [link for link in page.get("links", []) if link["rel"] == "next"]
    return json.dumps([[link.get(key) for key in ("href", "method", "body")] for link in links[:1]])


def _too_much(what: str, href: str) -> APIError:
    return APIError(
        f"one listing takes more than {what}, as far as {href}, and may have no end; if it has "
        "one, list fewer days, or a smaller catalogue"
    )


def _too_slow(href: str, seconds: float) -> APIError:
    return APIError(f"{href} has not answered whole within {seconds:g} s")
