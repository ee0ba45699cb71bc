"""What holds for any input: ids survive, and rows never get lost."""

import json
import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines.records import Message, Record, canonical_json
from pipelines.sources.convert import Converter
from pipelines.sources.formats import FORMATS
from pipelines.sources.ingest import import_source
from pipelines.sources.quarantine import read_quarantine
from pipelines.sources.recognise import recognise
from pipelines.sources.rows import RawRow, Rejection
from pipelines.store.project import Project
from pipelines.store.tables import row_to_record

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
calls = st.lists(
    st.fixed_dictionaries({"type": st.just("function"), "function": st.fixed_dictionaries({"name": texts, "arguments": texts})}),
    min_size=1,
    max_size=2,
)
turns = st.builds(
    Message,
    role=st.sampled_from(["system", "user", "assistant", "tool", "bot", "Narrator"]),
    content=texts,
    name=st.none() | texts,
    tool_calls=st.none() | calls.map(canonical_json),
    tool_call_id=st.none() | texts,
    reasoning_content=st.none() | texts.filter(bool),
)
tools = st.none() | st.lists(
    st.fixed_dictionaries({"type": st.just("function"), "function": st.fixed_dictionaries({"name": texts})}), min_size=1, max_size=2
).map(canonical_json)
unlearned = st.builds(Message, role=st.just("assistant"), content=texts, weight=st.just(0))
conversations = st.lists(turns | unlearned, min_size=1, max_size=5).map(tuple)
records = st.builds(Record, messages=conversations, tools=tools)


def openai_line(record: Record) -> str:
    """The record as OpenAI writes it: calls and tools as lists."""
    messages = [m.to_json() for m in record.messages]
    for message in messages:
        if "tool_calls" in message:
            message["tool_calls"] = json.loads(message["tool_calls"])
    return json.dumps({"messages": messages} | ({"tools": json.loads(record.tools)} if record.tools else {}))


def read_back(project: Project) -> list[Record]:
    import pyarrow.parquet as pq

    return [row_to_record(row) for path in project.record_parts for row in pq.read_table(path).to_pylist()]


@settings(max_examples=25)
@given(st.lists(records, min_size=1, max_size=5))
def test_any_openai_conversation_keeps_its_id_through_a_file_and_the_project(conversations):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.jsonl"
        path.write_text("".join(openai_line(record) + "\n" for record in conversations))
        project = Project.create(Path(folder) / "p")
        report = import_source(project, path)
        assert report.rejected == 0
        assert [record.id for record in read_back(project)] == list(dict.fromkeys(record.id for record in conversations))
        assert report.rows_read == len(conversations)


garbage = st.one_of(
    st.binary(max_size=40).map(lambda raw: raw.replace(b"\n", b"")),
    st.text(max_size=40).map(lambda text: text.encode("utf-8", "surrogatepass").replace(b"\n", b"")),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["messages", "role", "content", "question", "answer", "x"]), inner)
        ),
        max_leaves=8,
    ).map(lambda value: json.dumps(value).encode()),
    st.just(b'{"question": "Q", "answer": "A"}'),
    st.just(b'{"messages": [{"role": "user", "content": "Q"'),
)


@settings(max_examples=50)
@given(st.lists(garbage, max_size=12), st.sampled_from([b"\n", b"\r\n"]))
@example([b"\x80", b"\x85", b"\xc3\x8d"], b"\n")  # read as Latin-1, where 0x85 is a line feed of its own
def test_every_line_is_a_record_a_duplicate_or_rejected_whatever_it_holds(lines, end):
    good = b'{"question": "good", "answer": "row"}'
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.jsonl"
        path.write_bytes(end.join([good, *lines, good]) + end)
        project = Project.create(Path(folder) / "p")
        report = import_source(project, path)
        assert report.rows_read == report.records + report.duplicate_rows + report.rejected
        assert sum(report.formats.values()) == report.records + report.duplicate_rows
        blank = sum(not line.strip() for line in lines)
        assert report.rows_read == len(lines) + 2 - blank
        assert len(read_back(project)) == report.records
        rejected = list(read_quarantine(Path(report.quarantine)))
        assert len(rejected) == report.rejected
        assert all(one.reason.endswith(".") for one in rejected)


@settings(max_examples=50)
@given(st.lists(st.one_of(garbage, st.just(b'{"question": "Q", "answer": "A"}')), max_size=8), st.sampled_from([b",\n", b",", b" "]))
def test_a_json_array_of_anything_is_read_to_its_end(elements, comma):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.json"
        good = b'{"question": "good", "answer": "row"}'
        path.write_bytes(b"[\n" + comma.join([good, *elements]) + b"\n]")
        report = import_source(Project.create(Path(folder) / "p"), path)
        assert report.rows_read == report.records + report.duplicate_rows + report.rejected
        assert report.records >= 1, "the good row comes in, whatever stands behind it"


@settings(max_examples=25)
@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=6), st.sampled_from(",;\t|"))
def test_any_table_that_csv_writes_is_read_as_it_was(rows, separator):
    import csv

    rows = [row for row in rows if any(row)] or [("x", "y")]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, delimiter=separator, quoting=csv.QUOTE_ALL)
            writer.writerows([("question", "answer"), *rows])
        project = Project.create(Path(folder) / "p")
        report = import_source(project, path)
        read = [tuple(m.content for m in record.messages) for record in read_back(project)]
        assert read == list(dict.fromkeys(rows))
        assert Counter(rows).total() == report.rows_read


KNOWN_COLUMNS = sorted({name for form in FORMATS.values() for known in form.fields.values() for name in known})
keys = st.sampled_from(["role", "content", "from", "value", "text", "type", "tool_calls", "function_call", "name", "arguments", "weight", "replies",
                        "qas", "question", "answers", "context", "response", "score", "messages", "parts", "author", "input", "thinking"])  # fmt: skip
words = st.sampled_from(["", "x", "user", "assistant", "tool", "text", "tool_use", "tool_result", "thinking", "<|im_start|>user\nhi", "[INST] [/INST]",
                         "<tool_call>{}</tool_call>", '{"name": "f"}', "[]", "1", "tie", "USER: ASSISTANT:", "### Instruction: x", "null"])  # fmt: skip
values = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=400)
@given(st.dictionaries(st.sampled_from(KNOWN_COLUMNS), values, min_size=1, max_size=4), st.sampled_from(["auto", *FORMATS]))
def test_whatever_the_columns_hold_a_row_becomes_records_or_is_rejected_with_a_sentence(row, asked):
    seen = recognise([row], asked=asked)
    for one in Converter(seen.form, is_asked=asked != "auto").convert(RawRow("a.jsonl", 1, row)):
        if isinstance(one, Rejection):
            assert one.reason.endswith((".", "”", '"'))
        else:
            assert one[1].id
            assert all(json.loads(turn.tool_calls) for turn in one[1].conversation if turn.tool_calls)
