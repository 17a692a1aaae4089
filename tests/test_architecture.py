"""The rooms of the house and who may import whom."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = ROOT / "fgunet"

# A room may import rooms of lower floors, and itself; rooms of one floor do not know one another.
FLOORS = [
    {"errors"},
    {"files", "logs", "grid", "nomenclature", "config", "texts", "compiled", "calibration",
     "metadata"},
    {"rasters", "vectors", "whole", "leftovers", "slurm"},
    {"sentinel2", "series", "reference", "patches", "network"},
    {"training", "forest", "mapping", "accuracy"},
    {"comparison"},
    {"report"},
]  # fmt: skip
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
# On the lower floors a module may use its neighbours; only these are closed to one another.
CLOSED = {"sentinel2", "series", "reference", "patches", "network", "training", "forest",
          "mapping", "accuracy"}  # fmt: skip
# A map of the forest is made with the forest.
NEIGHBOURS = {("mapping", "forest")}
# The simulation writes what two rooms read, and shares only their format constants.
SIMULATE_MAY = {"errors", "files", "logs", "grid", "nomenclature", "rasters", "vectors"}
SIMULATE_CONSTANTS = {"fgunet.sentinel2.bands", "fgunet.sentinel2.theia_format"}

TENSORFLOW_IN = {"network", "training"}
TENSORFLOW_FILES = {"mapping/network_predictor.py"}


def modules() -> Iterator[Path]:
    yield from sorted(LIBRARY.rglob("*.py"))


def room_of(path: Path) -> str:
    return path.relative_to(LIBRARY).parts[0].removesuffix(".py")


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports_of(tree: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from ((f"{node.module}.{alias.name}", node) for alias in node.names)


def test_every_module_belongs_to_a_room() -> None:
    rooms = {room_of(path) for path in modules()} - {"__init__", "simulate"}
    assert rooms <= FLOOR_OF.keys()


@pytest.mark.parametrize("path", list(modules()), ids=lambda p: str(p.relative_to(LIBRARY)))
def test_imports_go_downwards(path: Path) -> None:
    room = room_of(path)
    for name, _ in imports_of(parsed(path)):
        parts = name.split(".")
        if parts[0] != "fgunet" or len(parts) < 2 or parts[1] in (room, "__version__"):
            continue
        other = parts[1]
        if room == "simulate":
            allowed = other in SIMULATE_MAY or ".".join(parts[:3]) in SIMULATE_CONSTANTS
        elif {room, other} <= CLOSED:
            allowed = FLOOR_OF[other] < FLOOR_OF[room] or (room, other) in NEIGHBOURS
        else:
            allowed = FLOOR_OF[other] <= FLOOR_OF[room]
        assert allowed, f"{room} may not import {name}"


@pytest.mark.parametrize("path", list(modules()), ids=lambda p: str(p.relative_to(LIBRARY)))
def test_heavy_packages_stay_in_their_rooms(path: Path) -> None:
    inside = str(path.relative_to(LIBRARY))
    packages = {name.split(".")[0] for name, _ in imports_of(parsed(path))}
    assert "snakemake" not in packages
    if room_of(path) not in TENSORFLOW_IN and inside not in TENSORFLOW_FILES:
        assert not packages & {"tensorflow", "keras"}
    if room_of(path) == "network":
        assert "tensorflow" not in packages, "the network is written in Keras alone"


def test_horovod_is_imported_in_one_function() -> None:
    places = []
    for path in modules():
        tree = parsed(path)
        inner = {
            id(node): function.name
            for function in ast.walk(tree)
            if isinstance(function, ast.FunctionDef)
            for node in ast.walk(function)
        }
        places += [
            (room_of(path), path.name, inner.get(id(node)))
            for name, node in imports_of(tree)
            if name.split(".")[0] == "horovod"
        ]
    assert len(set(places)) == 1, "one function of one module"
    assert places[0][0] == "training"
    assert places[0][2] is not None, "Horovod must be imported lazily"


def test_autograph_writes_no_files() -> None:
    # They lie in the folder of temporary files until the process ends by itself.
    for path in modules():
        nodes = list(ast.walk(parsed(path)))
        without = {
            id(part)
            for node in nodes
            if isinstance(node, ast.Call) and "autograph=False" in map(ast.unparse, node.keywords)
            for part in (node.func, *node.args)
        }
        for node in nodes:
            if isinstance(node, ast.Attribute) and ast.unparse(node) == "tf.function":
                assert id(node) in without, path


def test_no_assert_in_the_library() -> None:
    for path in modules():
        tree = parsed(path)
        assert not any(isinstance(node, ast.Assert) for node in ast.walk(tree)), path


def test_scripts_are_thin() -> None:
    for path in sorted((ROOT / "scripts").glob("*.py")):
        main = next(
            node
            for node in parsed(path).body
            if isinstance(node, ast.FunctionDef) and node.name == "main"
        )
        lines = (main.end_lineno or 0) - main.body[0].lineno + 1
        assert lines <= 45, f"main of {path.name} has {lines} lines; move logic into the library"
