"""What the code does not do: checked by reading it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = [*sorted(ROOT.glob("fgunet/**/*.py")), *sorted(ROOT.glob("scripts/*.py"))]
RULES = [ROOT / "Snakefile", *sorted(ROOT.glob("rules/*.smk"))]

PACKAGES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "code"}
CALLS = {
    "eval", "exec", "compile", "__import__", "os.system", "os.popen",
    "yaml.unsafe_load", "yaml.full_load", "yaml.load_all", "pd.eval", "pd.read_pickle",
    "np.loadtxt", "zipfile.ZipFile.extractall", "ET.parse", "ET.XML", "ET.iterparse",
}  # fmt: skip
METHODS = {"extract", "extractall", "read_pickle", "to_pickle", "load_extension"}
ONLY_IN = {
    "ET.fromstring": {"fgunet/sentinel2/metadata_xml.py"},
    "importlib.import_module": {"fgunet/forest/classifiers.py"},
    "skops.io.load": {"fgunet/forest/archive.py"},
    "yaml.load": {"fgunet/texts.py"},
    "keras.models.load_model": {"fgunet/mapping/network_predictor.py"},
}
"""Calls that are right in one place: those that keep the others safe."""


def name_of(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{name_of(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def faults(text: str, inside: str) -> Iterator[str]:
    """What a program of this text, in this place, should not do."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names]
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            yield from (f"imports {one}" for one in names if one.split(".")[0] in PACKAGES)
        if isinstance(node, ast.Call):
            name = name_of(node.func)
            if name in CALLS or name.rpartition(".")[2] in METHODS:
                yield f"calls {name}"
            if inside not in ONLY_IN.get(name, {inside}):
                yield f"calls {name} outside of {ONLY_IN[name]}"
            for keyword in node.keywords:
                told = keyword.arg, getattr(keyword.value, "value", None)
                if told in {("shell", True), ("allow_pickle", True), ("safe_mode", False)}:
                    yield f"calls {name} with {told[0]}={told[1]}"


def test_nothing_is_unpickled_or_evaluated() -> None:
    found = []
    for path in PROGRAMS:
        inside = str(path.relative_to(ROOT))
        found += [f"{inside} {fault}" for fault in faults(path.read_text(encoding="utf-8"), inside)]
    assert found == []


@pytest.mark.parametrize(
    "text",
    ["import pickle", "from joblib import load", "eval('1')", "yaml.load(x)", "a.extractall()",
     "run('x', shell=True)", "np.load('x', allow_pickle=True)", "ET.fromstring(x)"],
)  # fmt: skip
def test_the_reading_finds_what_it_is_to_find(text: str) -> None:
    assert len(list(faults(text, "fgunet/errors.py"))) == 1


def test_images_of_products_are_opened_in_one_place() -> None:
    callers = [
        path.name
        for path in sorted((ROOT / "fgunet" / "sentinel2").glob("*.py"))
        if "rasterio.open(" in path.read_text(encoding="utf-8")
    ]
    assert callers == ["images.py"]


def shell_commands(text: str) -> list[str]:
    """The texts of the shell directives of a file of rules."""
    block = re.compile(r"^( +)shell:(.*(?:\n\1 +.*)*)", re.MULTILINE)
    return [match[2] for match in block.finditer(text)]


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.name)
def test_shell_directives_quote(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for command in shell_commands(text):
        places = re.findall(r"(?<!\{)\{([^{}]+)\}(?!\})", command)
        assert [place for place in places if not place.endswith(":q")] == [], command
    assert not re.search(r"\bshell\(|os\.system|subprocess|^ +run:", text, re.MULTILINE)


def test_shell_directives_are_found() -> None:
    assert sum(len(shell_commands(path.read_text(encoding="utf-8"))) for path in RULES) >= 1
    rule = 'rule a:\n    output: "x"\n    shell:\n        "touch {output}"\n        " {input:q}"\n'
    [command] = shell_commands(rule)
    assert "{output}" in command
    assert "{input:q}" in command
