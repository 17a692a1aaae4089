"""Addresses and files of STAC that have no end, or keep one waiting."""

import contextlib
import gzip
import itertools
import json
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from fgunet.errors import FgunetError, MissingAcquisitionError, ProductError
from fgunet.sentinel2 import stac
from fgunet.sentinel2.stac_catalogues import read_items
from fgunet.sentinel2.stac_network import Limits
from tests.sentinel2.stac_server import CONFORMS

MIB = 1 << 20
YEAR = stac.Search(("T31UES",), "20180101", "20181231", ("c",))


class Server(ThreadingHTTPServer):
    """Answers each path with what `answers` names for it, and counts what it was asked."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.address = f"http://127.0.0.1:{self.server_port}"
        self.answers: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {}
        self.asked: list[str] = []
        self.over = threading.Event()

    def send(self, path: str, content: object) -> None:
        self.answers[path] = lambda handler: send(handler, json.dumps(content).encode())


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        answer = self.server.answers.get(self.path) or self.server.answers["*"]
        with contextlib.suppress(OSError):  # whoever asked went away
            answer(self)


def send(handler: BaseHTTPRequestHandler, body: bytes, status: int = 200, **headers: str) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def send_endless(handler: Any, piece: bytes, every_s: float, status: int = 200) -> None:
    """A body without end; also where it leads on, or is of an error."""
    handler.send_response(status)
    handler.send_header("Location", "/end.json")
    handler.end_headers()
    repeat(handler, piece, every_s)


def repeat(handler: Any, piece: bytes, every_s: float) -> None:
    while not handler.server.over.wait(every_s):
        handler.wfile.write(piece)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield server
        server.over.set()
        server.shutdown()


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def set_limits(**limits: float) -> None:
        for module in ("stac_network", "stac_catalogues"):
            monkeypatch.setattr(f"fgunet.sentinel2.{module}.LIMITS", Limits(**limits))  # type: ignore[arg-type]

    return set_limits


def refusal(place: str, kind: type[FgunetError] = MissingAcquisitionError) -> str:
    with pytest.raises(kind) as caught:
        stac.find_remote(place, YEAR)
    assert place in str(caught.value)
    return str(caught.value)


def catalogue(*links: str) -> dict[str, Any]:
    return {
        "type": "Catalog", "stac_version": "1.0.0", "id": "c", "description": "c",
        "links": [{"rel": "child", "href": link} for link in links],
    }  # fmt: skip


def landing(server: Server, *children: str) -> dict[str, Any]:
    search = {"rel": "search", "href": f"{server.address}/search", "method": "POST"}
    return catalogue(*children) | {
        "conformsTo": list(CONFORMS),
        "links": [search | {"type": "application/geo+json"}, *catalogue(*children)["links"]],
    }


def page(number: int, *links: dict[str, Any]) -> dict[str, Any]:
    item = {
        "type": "Feature", "stac_version": "1.0.0", "id": f"S2A_{number}", "geometry": None,
        "properties": {"datetime": "2018-08-10T10:50:31Z"}, "links": [], "assets": {},
    }  # fmt: skip
    return {"type": "FeatureCollection", "features": [item], "links": list(links)}


def require_refusal_in_little_memory(server: Server) -> None:
    tracemalloc.start()
    message = refusal(f"{server.address}/a.json")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "has more than 1048576 bytes" in message
    assert peak < 10 * MIB


@pytest.mark.parametrize("status", [200, 302])
def test_a_body_without_end_is_refused(
    server: Server, limit: Callable[..., None], status: int
) -> None:
    limit(file_bytes=MIB)
    server.answers["/a.json"] = lambda handler: send_endless(handler, bytes(1 << 16), 0, status)
    require_refusal_in_little_memory(server)


def test_the_bytes_are_those_after_unpacking(server: Server, limit: Callable[..., None]) -> None:
    limit(file_bytes=MIB)
    bomb = gzip.compress(bytes(100 * MIB))
    assert len(bomb) < MIB
    server.answers["/a.json"] = lambda handler: send(handler, bomb, Content_Encoding="gzip")
    require_refusal_in_little_memory(server)


def test_as_many_bytes_as_may_be_are_read(server: Server, limit: Callable[..., None]) -> None:
    limit(file_bytes=1000)
    body = json.dumps(page(1)).encode().ljust(1000)
    server.answers["/a.json"] = lambda handler: send(
        handler, gzip.compress(body), Content_Encoding="gzip"
    )
    assert [item.id for item in read_items(f"{server.address}/a.json")] == ["S2A_1"]


def test_of_an_error_without_end_the_beginning_is_told(server: Server) -> None:
    server.answers["/a.json"] = lambda handler: send_endless(handler, b"no! " * 999, 0, 404)
    assert "HTTP status 404: no! no!" in refusal(f"{server.address}/a.json")


def drip_headers(handler: Any) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
    repeat(handler, b"x", 0.05)


@pytest.mark.parametrize(
    "answer", [lambda handler: send_endless(handler, b" ", 0.05), drip_headers]
)
def test_an_answer_that_comes_byte_by_byte_is_not_waited_for(
    server: Server, limit: Callable[..., None], answer: Callable[[Any], None]
) -> None:
    limit(answer_s=0.5)
    server.answers["*"] = answer
    start = time.monotonic()
    assert "has not answered whole within 0.5 s" in refusal(f"{server.address}/a.json")
    assert time.monotonic() - start < 15


def test_a_service_that_stays_silent_is_not_waited_for(
    server: Server, limit: Callable[..., None]
) -> None:
    limit(silence_s=1, retries=0)
    server.answers["*"] = lambda handler: server.over.wait(20) and None
    assert "timed out" in refusal(server.address)


def test_an_address_is_not_given_all_the_time_it_asks_for(
    server: Server, limit: Callable[..., None]
) -> None:
    limit(wait_s=1, retries=1)
    server.answers["/a.json"] = lambda handler: send(handler, b"", 429, Retry_After="100000")
    start = time.monotonic()
    refusal(f"{server.address}/a.json")
    assert 1 <= time.monotonic() - start < 60
    assert server.asked == ["/a.json"] * 2


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_next_page_that_was_asked_for_is_not_asked_again(server: Server, method: str) -> None:
    following = {"rel": "next", "href": f"{server.address}/search", "method": method}
    server.send("/", landing(server))
    server.send("/search", page(1, following))
    message = refusal(server.address)
    assert "after 2 items, its next page is one that was already asked for" in message
    assert server.asked == ["/", "/search", "/search"]


@pytest.mark.parametrize(
    ("name", "most", "told"),
    [
        ("listing_answers", 20, "more than 20 answers"),
        ("listing_items", 20, "more than 20 items"),
        ("listing_bytes", 6000, "more than 6000 bytes"),
        ("listing_s", 0.1, "more than 0.1 seconds"),
    ],
)
def test_ever_more_pages_are_not_followed(
    server: Server, limit: Callable[..., None], name: str, most: float, told: str
) -> None:
    numbers = itertools.count()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        number = next(numbers)
        following = {"rel": "next", "href": f"{server.address}/search?page={number}"}
        send(handler, json.dumps(page(number, following)).encode())

    server.send("/", landing(server))
    server.answers["*"] = answer
    limit(**{name: most})
    assert told in refusal(server.address)
    if name in ("listing_answers", "listing_items"):
        assert len(server.asked) == 1 + 21


def test_the_searches_of_a_service_are_counted_one_by_one(
    server: Server, limit: Callable[..., None]
) -> None:
    limit(listing_answers=2, listing_items=2)
    server.send("/", landing(server))
    server.send("/search", page(1, {"rel": "next", "href": f"{server.address}/last"}))
    server.send("/last", page(2))
    search = stac.Search(("T31UES", "T31UFS"), *("20180101", "20181231"), ("c", "d"))
    assert stac.find_remote(server.address, search) == []
    assert len(server.asked) == 9


def test_ever_more_catalogues_are_not_followed(server: Server, limit: Callable[..., None]) -> None:
    numbers = itertools.count(1)
    server.answers["*"] = lambda handler: send(
        handler, json.dumps(catalogue(f"{next(numbers)}.json")).encode()
    )
    limit(listing_answers=20)
    with pytest.raises(MissingAcquisitionError, match=r"more than 20 answers, as far as .*20.json"):
        stac.find_remote(f"{server.address}/0.json", YEAR)
    assert len(server.asked) == 21


@pytest.mark.filterwarnings("ignore:Falling back to pystac", "ignore:Server does not conform")
def test_a_service_may_not_name_files_here(server: Server, tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text(json.dumps(catalogue()))
    first = landing(server, f"file://{tmp_path}/c.json")
    first["conformsTo"] = [name for name in CONFORMS if "collections" not in name]
    server.send("/", first)
    server.send("/search", {"type": "FeatureCollection", "features": []})
    message = refusal(server.address)
    assert "c.json, and an address of the network may not name files here" in message


@pytest.mark.parametrize("linked", [False, True])
def test_a_file_that_would_fill_the_memory_is_not_read(tmp_path: Path, linked: bool) -> None:
    path = tmp_path / "large.json"
    path.write_text('{"type": "Feature", "stac_version": "1.0.0"')
    with path.open("r+b") as file:
        file.truncate(3 << 30)
    top = tmp_path / "catalog.json"
    top.write_text(json.dumps(catalogue("large.json")))
    with pytest.raises(ProductError, match=r"large.json has 3221225472 bytes; .* at most 67108864"):
        stac.recognise(top if linked else path)


def test_links_that_lead_to_ever_more_names_are_not_followed(
    tmp_path: Path, limit: Callable[..., None]
) -> None:
    limit(listing_items=50)
    for name in ("a", "b"):
        (tmp_path / name).symlink_to(tmp_path)
    (tmp_path / "catalog.json").write_text(
        json.dumps(catalogue("a/catalog.json", "b/catalog.json"))
    )
    with pytest.raises(ProductError, match=r"leads to more than 50 items and catalogues"):
        stac.recognise(tmp_path)


def test_a_link_here_may_have_no_other_scheme(tmp_path: Path) -> None:
    (tmp_path / "catalog.json").write_text(json.dumps(catalogue((tmp_path / "c.json").as_uri())))
    with pytest.raises(ProductError, match=r"links to file://.*expected a path or an http\(s\)"):
        stac.recognise(tmp_path)
