"""JSON documents: every shape gives its rows, in small memory, and a broken row does not take the others along."""

import io
import json

import pytest

from pipelines.sources import json_cursor
from pipelines.sources.encoding import Encoding
from pipelines.sources.json_document import read_json_document
from pipelines.sources.rows import RawRow


def read(text: str) -> tuple[list, list, list]:
    notes: list[str] = []
    stream = io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8", newline="")
    found = list(read_json_document(stream, "a.json", Encoding("utf-8"), notes))
    values = [(one.row, one.value) for one in found if isinstance(one, RawRow)]
    return values, [(one.row, one.reason, one.raw) for one in found if not isinstance(one, RawRow)], notes


TURNS = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yo"}]


@pytest.mark.parametrize(
    ("document", "rows"),
    [
        ([{"a": 1}, {"a": 2}], [{"a": 1}, {"a": 2}]),
        ([], []),
        ({"x": {"a": 1}, "y": {"a": 2}}, [{"a": 1, "id": "x"}, {"a": 2, "id": "y"}]),
        ({"x": {"a": 1, "id": 7}}, [{"a": 1, "id": 7, "key": "x"}]),
        ({"data": [{"a": 1}], "version": 2}, [{"a": 1}]),
        ({"version": 2, "info": {"by": "me"}, "rows": [{"a": 1}, {"a": 2}]}, [{"a": 1}, {"a": 2}]),
        ({"info": {"by": "me"}, "rows": [{"a": 1}]}, [{"a": 1}]),
        ({"train": [{"a": 1}], "test": [{"a": 2}]}, [{"a": 1, "split": "train"}, {"a": 2, "split": "test"}]),
        ({"data": {"x": {"a": 1}, "y": {"a": 2}}}, [{"a": 1, "id": "x"}, {"a": 2, "id": "y"}]),
        ({"messages": TURNS}, [{"messages": TURNS}]),
        ({"messages": TURNS, "tools": [{"name": "f"}]}, [{"messages": TURNS, "tools": [{"name": "f"}]}]),
        ({"messages": TURNS, "documents": [{"title": "T"}]}, [{"messages": TURNS, "documents": [{"title": "T"}]}]),
        ({"tools": [{"name": "f"}], "messages": TURNS}, [{"tools": [{"name": "f"}], "messages": TURNS}]),
        ({"conversations": [{"messages": TURNS}]}, [{"messages": TURNS}]),
        ({"question": "Q", "answer": "A", "tags": ["x"]}, [{"question": "Q", "answer": "A", "tags": ["x"]}]),
        (
            {"instruction": "I", "instances": [{"input": "", "output": "O"}]},
            [{"instruction": "I", "instances": [{"input": "", "output": "O"}]}],
        ),
    ],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_every_shape_gives_its_rows(document, rows, indent):
    values, rejected, notes = read(json.dumps(document, indent=indent))
    assert (values, rejected) == (list(enumerate(rows, 1)), [])
    assert notes == (["not read as rows: “info”, beside the lists of rows"] if "info" in document else [])


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 64])
def test_where_the_text_is_cut_into_chunks_makes_no_difference(monkeypatch, chunk):
    document = {"version": "1.0", "data": [{"a": 'quote " \\ é', "b": [1, -2.5e3, {"c": None}]}, {"a": ""}, "text", 12, {"d": {}}]}
    keyed = {"k1": {"a": 1}, 'k"2': {"a": [True]}}
    whole = [read(json.dumps(one, indent=indent)) for one in (document, keyed) for indent in (None, 1)]
    monkeypatch.setattr(json_cursor, "_CHUNK_CHARACTERS", chunk)
    assert [read(json.dumps(one, indent=indent)) for one in (document, keyed) for indent in (None, 1)] == whole


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("{'a': 2}", "It is not valid JSON at character 2: a key in double quotes is missing (a comma too many, or single quotes)."),
        ('{"a": 2,}', "It is not valid JSON at character 9: a key in double quotes is missing (a comma too many, or single quotes)."),
        ('{"a": NaN}', "NaN is not JSON. Write null or a number."),
        ('{"a": 1, "a": 2}', 'The key "a" stands twice in one object. Keep one of the two.'),
        ('{"a": "\\ud800"}', "It holds half a character (the lone surrogate U+D800). Write the whole character or take it out."),
        ('"x" {"a": 2}', "It is not valid JSON at character 5: there is more text after the end of the value."),
        ("[1]", 'It is a list, not an object in braces. Write each row as {"column": value}.'),
        ("null", 'It is null, not an object in braces. Write each row as {"column": value}.'),
        ("page 2", "It is not JSON: a row begins with an opening brace."),
        ('{"a": "no closing quote}', "It is cut off: the JSON is not closed. Complete it or take it out."),
        ('{"a": [1, {"b": 2}', "It is cut off: the JSON is not closed. Complete it or take it out."),
    ],
)
@pytest.mark.parametrize("layout", ["[\n  {good},\n  {bad},\n  {good}\n]", "[{good},\n{bad},\n{good}]"])
def test_a_broken_element_costs_itself_only(bad, reason, layout):
    values, reasons, notes = read(layout.replace("{good}", '{"a": {"b": "x"}}').replace("{bad}", bad))
    assert values == [(1, {"a": {"b": "x"}}), (3, {"a": {"b": "x"}})]
    assert [one[0] for one in reasons] == [2]
    assert reasons[0][1] == reason
    assert reasons[0][2].rstrip(",") == bad
    assert notes == []


def test_a_broken_member_of_an_object_of_rows_costs_itself_only():
    text = '{\n "x": {\n  "a": "one"\n },\n "y": {\n  "a": "no closing quote\n },\n "z": {\n  "a": "three"\n }\n}'
    values, reasons, _ = read(text)
    assert values == [(1, {"a": "one", "id": "x"}), (3, {"a": "three", "id": "z"})]
    assert [(row, raw) for row, _, raw in reasons] == [(2, '{\n  "a": "no closing quote\n },')]


def test_a_list_that_is_cut_off_gives_the_rows_before_and_a_note():
    assert read('[{"a": 1}, {"a": 2}') == ([(1, {"a": 1}), (2, {"a": 2})], [], ["its list is not closed: the file may have been cut off"])
    values, reasons, notes = read('[{"a": 1}, {"a": "so')
    assert values == [(1, {"a": 1})]
    assert reasons == [(2, "It is cut off: the JSON is not closed. Complete it or take it out.", '{"a": "so')]
    assert notes == ["its list is not closed: the file may have been cut off"]


def test_commas_too_many_do_no_harm():
    assert read('[,{"a": 1},,{"a": 2},]') == ([(1, {"a": 1}), (2, {"a": 2})], [], [])


@pytest.mark.parametrize("chunk", [1, 5, 64])
def test_a_missing_comma_or_a_stray_bracket_costs_no_row_beside_it(monkeypatch, chunk):
    monkeypatch.setattr(json_cursor, "_CHUNK_CHARACTERS", chunk)
    assert read('[{"a": 1} {"a": 2}\n{"a": 3}]') == ([(1, {"a": 1}), (2, {"a": 2}), (3, {"a": 3})], [], [])
    values, reasons, _ = read('[{"a": 1} 0} {"a": 2}]')
    assert values == [(1, {"a": 1}), (4, {"a": 2})]
    assert [(row, raw) for row, _, raw in reasons] == [(2, "0"), (3, "}")]


def test_text_behind_the_document_is_one_rejected_row():
    values, reasons, _ = read('[{"a": 1}] trailing')
    assert values == [(1, {"a": 1})]
    assert reasons == [(2, "It is not JSON: a row begins with an opening brace.", "trailing")]


def test_a_key_that_stands_twice_in_a_single_row_is_named():
    assert read('{"a": 1, "a": 2}')[1][0][1] == 'The key "a" stands twice in one object. Keep one of the two.'
