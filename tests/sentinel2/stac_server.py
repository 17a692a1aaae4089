"""A STAC service and a file server on this machine, enough for pystac-client and GDAL."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import shapely

QUERY = "https://api.stacspec.org/v1.0.0/item-search#query"
CONFORMS = (
    "https://api.stacspec.org/v1.0.0/core",
    "https://api.stacspec.org/v1.0.0/collections",
    "https://api.stacspec.org/v1.0.0/item-search",
)

_ROOT = Path(__file__).parents[2]


@dataclass
class Service:
    """What the server serves, and what it was asked."""

    address: str
    items: dict[str, list[dict[str, Any]]]
    folder: Path
    page: int
    conforms: Sequence[str]
    searches: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def serve(
    folder: Path,
    items: dict[str, list[dict[str, Any]]] | None = None,
    *,
    page: int = 2,
    query: bool = True,
) -> Iterator[Service]:
    """Serve items by collection, and the files of `folder` below /files/."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    address = f"http://127.0.0.1:{server.server_port}"
    conforms = (*CONFORMS, QUERY) if query else CONFORMS
    service = Service(address, items or {}, folder, page, conforms)
    server.service = service  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def serve_files(folder: Path) -> Iterator[str]:
    """Serve the files of `folder` below an address, from a process of its own.

    Rasterio may hold the interpreter's lock while GDAL waits for an answer, so a server in the
    same process could not give one.
    """
    command = [sys.executable, "-m", "tests.sentinel2.stac_server", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=_ROOT) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}/files"
        finally:
            process.terminate()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def service(self) -> Service:
        service: Service = self.server.service  # type: ignore[attr-defined]
        return service

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path in ("", "/"):
            self._json(self._landing())
        elif path == "/collections":
            self._json({"collections": [_collection(name) for name in self.service.items]})
        elif path.startswith("/files/"):
            self._file(self.service.folder / path.removeprefix("/files/"))
        else:
            self._send(404, b"there is no such page", "text/plain")

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.service.searches.append(asked)
        found = [
            {**item, "collection": name}
            for name in asked["collections"]
            for item in self.service.items.get(name, [])
            if _matches(item, asked)
        ]
        start = asked.get("token", 0)
        end = start + self.service.page
        links = [] if end >= len(found) else [self._next({**asked, "token": end})]
        self._json({"type": "FeatureCollection", "features": found[start:end], "links": links})

    def _next(self, body: dict[str, Any]) -> dict[str, Any]:
        href = f"{self.service.address}/search"
        return {"rel": "next", "href": href, "method": "POST", "body": body}

    def _landing(self) -> dict[str, Any]:
        address = self.service.address
        links = [
            {"rel": "self", "href": address},
            {"rel": "data", "href": f"{address}/collections"},
            {
                "rel": "search",
                "href": f"{address}/search",
                "type": "application/geo+json",
                "method": "POST",
            },
        ]
        return {
            "type": "Catalog",
            "stac_version": "1.0.0",
            "id": "tests",
            "description": "for tests",
            "conformsTo": list(self.service.conforms),
            "links": links,
        }

    def _json(self, content: dict[str, Any]) -> None:
        self._send(200, json.dumps(content).encode(), "application/json")

    def _file(self, path: Path) -> None:
        if not path.is_file():
            self._send(404, b"there is no such file", "text/plain")
            return
        data = path.read_bytes()
        asked = self.headers.get("Range")
        if asked is None:
            self._send(200, data, "application/octet-stream")
            return
        first, last = asked.removeprefix("bytes=").split("-")
        end = min(int(last or len(data)), len(data) - 1)
        where = f"bytes {first}-{end}/{len(data)}"
        self._send(206, data[int(first) : end + 1], "application/octet-stream", where)

    def _send(self, status: int, data: bytes, kind: str, where: str | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Accept-Ranges", "bytes")
        if where:
            self.send_header("Content-Range", where)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


def _matches(item: dict[str, Any], asked: dict[str, Any]) -> bool:
    first, last = (datetime.fromisoformat(time) for time in asked["datetime"].split("/"))
    if not first <= datetime.fromisoformat(item["properties"]["datetime"]) <= last:
        return False
    ground = shapely.geometry.shape(asked["intersects"])
    if not ground.intersects(shapely.geometry.shape(item["geometry"])):
        return False
    for name, condition in asked.get("query", {}).items():
        wanted = condition.get("in", [condition.get("eq")])
        if item["properties"].get(name) not in wanted:
            return False
    return True


def _collection(name: str) -> dict[str, Any]:
    extent = {"spatial": {"bbox": [[-180, -90, 180, 90]]}, "temporal": {"interval": [[None, None]]}}
    return {
        "type": "Collection",
        "stac_version": "1.0.0",
        "id": name,
        "description": "for tests",
        "license": "other",
        "extent": extent,
        "links": [],
    }


if __name__ == "__main__":
    with serve(Path(sys.argv[1])) as running:
        sys.stdout.write(f"{running.address.rpartition(':')[2]}\n")
        sys.stdout.flush()
        threading.Event().wait()
