"""Tables of samples: any tool reads them, and a damaged one is refused."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fgunet.errors import ModelError
from fgunet.forest import tables
from fgunet.forest.samples import Samples, channel_names
from fgunet.forest.tables import read_samples, write_samples


@pytest.fixture
def path(tmp_path: Path, samples: Samples) -> Path:
    write_samples(tmp_path / "a.parquet", samples)
    return tmp_path / "a.parquet"


def equal(found: Samples, expected: Samples) -> bool:
    pd.testing.assert_frame_equal(found.pixels, expected.pixels)
    np.testing.assert_array_equal(found.reflectance, expected.reflectance)
    return (found.dates, found.bands) == (expected.dates, expected.bands)


def test_round_trip(path: Path, samples: Samples) -> None:
    found = read_samples(path)
    assert equal(found, samples)
    assert found.reflectance.flags.c_contiguous


def test_several_row_groups(path: Path, samples: Samples, monkeypatch) -> None:
    monkeypatch.setattr(tables, "_ROWS", 7)
    write_samples(path, samples)
    assert pq.ParquetFile(path).num_row_groups == -(-len(samples) // 7)
    assert equal(read_samples(path), samples)


def test_a_tile_without_pixels(path: Path, samples: Samples) -> None:
    nothing = Samples(samples.pixels[:0], samples.reflectance[:0], samples.dates, samples.bands)
    write_samples(path, nothing)
    assert equal(read_samples(path), nothing)


def test_the_bytes_depend_on_the_samples_alone(tmp_path: Path, samples: Samples) -> None:
    fortran = np.asfortranarray(samples.reflectance)
    for name, values in (("a", samples.reflectance), ("b", fortran)):
        same = Samples(samples.pixels.copy(), values, samples.dates, samples.bands)
        write_samples(tmp_path / f"{name}.parquet", same)
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_other_tools_read_it(path: Path, samples: Samples) -> None:
    frame = pd.read_parquet(path)
    channels = channel_names(samples.dates, samples.bands)
    names = ["tile", "row", "column", "polygon_id", "code", "key", *channels]
    assert frame.columns.tolist() == names
    assert {str(kind) for kind in frame[channels].dtypes} == {"uint16"}
    np.testing.assert_array_equal(frame[channels].to_numpy(), samples.reflectance)
    about = json.loads(pq.read_schema(path).metadata[b"fgunet"])
    assert about["dates"] == list(samples.dates)
    assert (about["nodata"], about["format"]) == (65535, 1)


def changed(table: pa.Table, name: str, values: list[int]) -> pa.Table:
    """The table with the first values of a column changed; the metadata stay."""
    place = table.schema.get_field_index(name)
    field = table.schema.field(name)
    column = [*values, *table[name].to_pylist()[len(values) :]]
    return table.set_column(place, field, pa.array(column, field.type))


EDITS: dict[str, tuple[Callable[[pa.Table], pa.Table], str]] = {
    "value": (lambda t: changed(t, "20160115_B02", [1]), "was changed"),
    "code": (lambda t: changed(t, "code", [12]), "was changed"),
    "polygon": (lambda t: changed(t, "polygon_id", [77]), "was changed"),
    "tile": (lambda t: changed(t, "tile", ["T31TDJ"]), "was changed"),
    "rows": (lambda t: t.slice(1), "was changed"),
    "order": (lambda t: pa.concat_tables([t.slice(5), t.slice(0, 5)]), "was changed"),
    "empty code": (lambda t: changed(t, "code", [None]), "empty cells"),
    "empty value": (lambda t: changed(t, "20160115_B02", [None]), "empty cells"),
    "empty tile": (lambda t: changed(t, "tile", [None]), "empty cells"),
    "dropped": (lambda t: t.drop_columns(["20160105_B8A"]), "20160105_B8A is missing"),
    "added": (lambda t: t.append_column("more", t["code"]), "more is uint8, not there"),
    "moved": (lambda t: t.select(t.column_names[::-1]), "another order"),
    "type": (
        lambda t: t.set_column(4, "code", t["code"].cast(pa.int64())), "code is int64, not uint8"
    ),
    "metadata": (lambda t: t.replace_schema_metadata(None), "not a table of pixel samples"),
    "format": (
        lambda t: t.replace_schema_metadata({"fgunet": '{"format": 2}'}), "format 2, this .* 1"
    ),
    "broken metadata": (lambda t: t.replace_schema_metadata({"fgunet": "{"}), "not a readable"),
    "poor metadata": (
        lambda t: t.replace_schema_metadata({"fgunet": '{"format": 1}'}), "not a readable"
    ),
}  # fmt: skip


@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_table_is_refused(path: Path, edit: str) -> None:
    change, said = EDITS[edit]
    pq.write_table(change(pq.read_table(path)), path)
    with pytest.raises(ModelError, match=said) as caught:
        read_samples(path)
    assert str(path) in str(caught.value)
    assert "sample_pixels" in str(caught.value)


def test_rewritten_by_another_tool_with_the_same_content_it_is_read(
    path: Path, samples: Samples
) -> None:
    pq.write_table(pq.read_table(path), path, compression="snappy")
    assert equal(read_samples(path), samples)


def test_dates_or_bands_that_were_renamed_are_refused(path: Path) -> None:
    table = pq.read_table(path)
    about = json.loads(table.schema.metadata[b"fgunet"])
    about["dates"][0] = "20160106"
    names = [name.replace("20160105", "20160106") for name in table.column_names]
    renamed = table.rename_columns(names).replace_schema_metadata({"fgunet": json.dumps(about)})
    pq.write_table(renamed, path)
    with pytest.raises(ModelError, match="was changed"):
        read_samples(path)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"tile,row\n", None])
def test_other_files_are_refused(path: Path, content: bytes | None) -> None:
    if content is None:
        pd.DataFrame({"a": [1]}).to_parquet(path)
    else:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=r"table of pixel samples.*sample_pixels"):
        read_samples(path)
    path.unlink()
    with pytest.raises(ModelError, match="FileNotFoundError"):
        read_samples(path)


def test_a_truncated_table_is_refused(path: Path) -> None:
    whole = path.read_bytes()
    for length in range(0, len(whole), max(1, len(whole) // 50)):
        path.write_bytes(whole[:length])
        with pytest.raises(ModelError, match=r"a\.parquet.*sample_pixels"):
            read_samples(path)


@settings(max_examples=200)
@given(data=st.data())
def test_damaged_bytes_never_give_other_samples(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory, samples: Samples
) -> None:
    path = tmp_path_factory.mktemp("damaged") / "a.parquet"
    write_samples(path, samples)
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    try:
        found = read_samples(path)
    except ModelError as error:
        assert str(path) in str(error)  # noqa: PT017  no error is right too
    else:
        assert equal(found, samples)


@pytest.mark.parametrize("fault", ["code 0", "a pixel twice", "values without data"])
def test_samples_that_cannot_be_are_not_written(path: Path, samples: Samples, fault: str) -> None:
    pixels, values = samples.pixels.copy(), samples.reflectance.copy()
    if fault == "code 0":
        pixels.loc[3, "code"] = 0
    elif fault == "a pixel twice":
        pixels.loc[3, "row"] = pixels.loc[4, "row"]
    else:
        values[5, 2] = 65535
    before = path.read_bytes()
    with pytest.raises(ModelError, match=rf"a\.parquet have .*{fault}"):
        write_samples(path, Samples(pixels, values, samples.dates, samples.bands))
    assert path.read_bytes() == before


@pytest.mark.parametrize("fault", ["code 0", "a pixel twice"])
def test_nor_read_where_another_wrote_them(
    path: Path, samples: Samples, monkeypatch, fault: str
) -> None:
    pixels = samples.pixels.copy()
    pixels.loc[3, "code" if fault == "code 0" else "row"] = 0
    with monkeypatch.context() as patched:
        patched.setattr(tables, "_require_sound", lambda *_: None)
        write_samples(path, Samples(pixels, samples.reflectance, samples.dates, samples.bands))
    with pytest.raises(ModelError, match=fault):
        read_samples(path)
