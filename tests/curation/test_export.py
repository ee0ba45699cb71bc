import csv
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.curation.export import export_snapshot
from pipelines.curation.export_formats import Inexpressible, alpaca_row, openai_row, sharegpt_row
from pipelines.curation.recipe import Recipe
from pipelines.curation.snapshot import build_snapshot, split_file
from pipelines.errors import WorkbenchError
from pipelines.records import Message, Record, canonical_json
from tests.conftest import chat

CALL = canonical_json([{"type": "function", "id": "c1", "function": {"name": "weather", "arguments": '{"city": "Köln"}'}}])
TOOLS = canonical_json([{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}])
PAIR = Record((Message("user", "why"),), kind="preference", chosen=(Message("assistant", "so"),), rejected=(Message("assistant", "no"),))
WANTED = Record((Message("user", "how"), Message("assistant", "thus")), kind="unpaired", label=True)
TOOL_USE = Record(
    (
        Message("system", "be kind"),
        Message("user", "rain?"),
        Message("assistant", "", tool_calls=CALL),
        Message("tool", '{"rain": false}', name="weather", tool_call_id="c1"),
        Message("assistant", "No rain in Köln."),
    ),
    tools=TOOLS,
)
LONG = chat("one", "two", "three", "four", system="short")
NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight")
THOUGHT = Record(
    (Message("user", "q"), Message("assistant", "no", weight=0), Message("user", "?"), Message("assistant", "a", reasoning_content="hm"))
)
EVERY_KIND = [chat("a question", "an answer"), LONG, PAIR, WANTED, TOOL_USE]
SNAPSHOT_RECORDS = [*EVERY_KIND, *(chat(f"number {word} please", f"it is {word}, {word}") for word in NUMBERS)]


def read_openai(row):
    def turns(found):
        return tuple(
            Message(
                t["role"],
                t["content"],
                t.get("name"),
                canonical_json(t["tool_calls"]) if "tool_calls" in t else None,
                t.get("tool_call_id"),
                t.get("reasoning_content"),
                t.get("weight"),
            )
            for t in found
        )

    tools = canonical_json(row["tools"]) if "tools" in row else None
    if "chosen" in row:
        return Record(turns(row["prompt"]), kind="preference", chosen=turns(row["chosen"]), rejected=turns(row["rejected"]), tools=tools)
    return Record(turns(row["messages"]), kind="unpaired" if "label" in row else "chat", label=row.get("label"), tools=tools)


def read_sharegpt(row):
    roles = {"system": "system", "human": "user", "gpt": "assistant", "observation": "tool", "function_call": "assistant"}

    def call(bare):
        arguments = bare["arguments"]
        inside = {"name": bare["name"], "arguments": arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)}
        return {"type": "function", "function": inside} | ({"id": bare["id"]} if "id" in bare else {})

    def turn(t):
        if t["from"] == "function_call":
            calls = json.loads(t["value"])
            return Message("assistant", "", tool_calls=canonical_json([call(c) for c in (calls if isinstance(calls, list) else [calls])]))
        return Message(
            roles[t["from"]], t["value"], t.get("name"), None, t.get("tool_call_id"), t.get("reasoning_content"), t.get("weight")
        )

    tools = canonical_json([{"type": "function", "function": tool} for tool in json.loads(row["tools"])]) if "tools" in row else None
    messages = tuple(map(turn, row["conversations"]))
    if "chosen" in row:
        return Record(messages, kind="preference", chosen=(turn(row["chosen"]),), rejected=(turn(row["rejected"]),), tools=tools)
    return Record(messages, kind="unpaired" if "label" in row else "chat", label=row.get("label"), tools=tools)


def read_alpaca(row):
    messages = [Message("system", row["system"])] if "system" in row else []
    for asked, said in row.get("history", []):
        messages += [Message("user", asked), Message("assistant", said)]
    messages.append(Message("user", row["instruction"]))
    if "chosen" in row:
        chosen, rejected = ((Message("assistant", row[side]),) for side in ("chosen", "rejected"))
        return Record(tuple(messages), kind="preference", chosen=chosen, rejected=rejected)
    kind = "unpaired" if "label" in row else "chat"
    return Record((*messages, Message("assistant", row["output"])), kind=kind, label=row.get("label"))


FORMATS = {"openai": (openai_row, read_openai), "sharegpt": (sharegpt_row, read_sharegpt), "alpaca": (alpaca_row, read_alpaca)}


@pytest.mark.parametrize("record", EVERY_KIND, ids=["plain", "long", "pair", "wanted", "tools"])
@pytest.mark.parametrize("format", FORMATS)
def test_a_row_read_back_is_the_same_record(format, record):
    write, read = FORMATS[format]
    if format == "alpaca" and record is TOOL_USE:
        with pytest.raises(Inexpressible, match="the row declares tools"):
            write(record)
        return
    assert read(json.loads(json.dumps(write(record)))).id == record.id


def test_reasoning_and_answers_not_to_be_learned_are_written_or_the_row_is_left_out():
    assert openai_row(THOUGHT)["messages"][1] == {"role": "assistant", "content": "no", "weight": 0}
    for write, read in (FORMATS["openai"], FORMATS["sharegpt"]):
        assert read(json.loads(json.dumps(write(THOUGHT)))).id == THOUGHT.id
    with pytest.raises(Inexpressible, match="an answer is marked as not to be learned"):
        alpaca_row(THOUGHT)


texts = st.text(max_size=8)
turns = st.lists(st.builds(Message, st.sampled_from(["system", "user", "assistant"]), texts), min_size=1, max_size=5).map(tuple)
records = st.one_of(
    st.builds(Record, turns),
    st.builds(Record, turns, kind=st.just("unpaired"), label=st.booleans()),
    st.builds(Record, turns, kind=st.just("preference"), chosen=turns, rejected=turns),
)


@given(records, st.sampled_from(sorted(FORMATS)))
def test_whatever_can_be_written_reads_back_the_same(record, format):
    write, read = FORMATS[format]
    try:
        row = write(record)
    except Inexpressible:
        assert format != "openai"
        return
    assert read(row).id == record.id


def test_arguments_that_would_change_when_written_again_stay_text():
    odd = canonical_json([{"type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}])
    record = Record((Message("user", "x"), Message("assistant", "", tool_calls=odd)))
    assert read_sharegpt(sharegpt_row(record)).id == record.id
    assert json.loads(sharegpt_row(TOOL_USE)["conversations"][2]["value"])["arguments"] == {"city": "Köln"}


@pytest.fixture
def snapshot(project, fill):
    fill(project, SNAPSHOT_RECORDS)
    return build_snapshot(project, Recipe(drop=(), split=(0.6, 0.2, 0.2)))


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_folder_gets_one_file_per_split_with_card_and_manifest(project, snapshot, tmp_path):
    out = tmp_path / "out"
    report = export_snapshot(project, snapshot["id"], "openai", out)
    assert sorted(p.name for p in out.iterdir()) == ["README.md", "manifest.json", "test.jsonl", "train.jsonl", "validation.jsonl"]
    assert report["rows_by_split"] == {name: snapshot[name] for name in ("train", "validation", "test")}
    written = {read_openai(row).id for name in report["files"] for row in lines(out / f"{name}.jsonl")}
    import pyarrow.parquet as pq

    frozen = {id for name in report["files"] for id in pq.read_table(split_file(project, snapshot["id"], name)).column("id").to_pylist()}
    assert written == frozen
    assert 'path: "train.jsonl"' in (out / "README.md").read_text(encoding="utf-8")


def test_nothing_of_an_earlier_export_is_left_beside_a_new_one(project, snapshot, tmp_path):
    export_snapshot(project, snapshot["id"], "openai", tmp_path / "out")
    everything = build_snapshot(project, Recipe(drop=(), split=(1, 0, 0)))
    export_snapshot(project, everything["id"], "openai", tmp_path / "out")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["README.md", "manifest.json", "train.jsonl"]
    export_snapshot(project, snapshot["id"], "datasets", tmp_path / "out")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["dataset_dict.json", "manifest.json", "test", "train", "validation"]


@pytest.mark.parametrize("name", ["README.md", "manifest.json", "train.jsonl"])
def test_a_file_that_no_export_wrote_is_never_replaced(project, snapshot, tmp_path, name):
    (tmp_path / name).write_text("[1]", encoding="utf-8")
    with pytest.raises(WorkbenchError, match=f"holds {name}, which no export of a snapshot wrote"):
        export_snapshot(project, snapshot["id"], "openai", tmp_path)
    assert (tmp_path / name).read_text(encoding="utf-8") == "[1]"


def test_a_column_of_the_source_named_like_ours_is_in_the_table_too(project, fill, tmp_path):
    fill(project, [chat("What is it?", "A lamp.", prompt="as it was asked", gold="lamp")])
    id = build_snapshot(project, Recipe(drop=(), split=(1, 0, 0)))["id"]
    export_snapshot(project, id, "csv", tmp_path / "out.csv")
    header, row = csv.reader((tmp_path / "out.csv").open(encoding="utf-8", newline=""))
    assert dict(zip(header, row, strict=True)) == {
        "system": "", "prompt": "What is it?", "answer": "A lamp.", "prompt (2)": "as it was asked", "gold": "lamp",
    }  # fmt: skip


def test_one_file_holds_one_split(project, snapshot, tmp_path):
    report = export_snapshot(project, snapshot["id"], "sharegpt", tmp_path / "x.json", split="test")
    assert len(json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))) == report["rows"] == snapshot["test"]
    export_snapshot(project, snapshot["id"], "openai", tmp_path / "y.jsonl")
    assert len(lines(tmp_path / "y.jsonl")) == snapshot["train"]
    assert sorted(p.name for p in tmp_path.glob("*.*")) == ["x.json", "y.jsonl"]


def test_rows_a_format_cannot_express_are_counted_and_listed(project, snapshot, tmp_path):
    report = export_snapshot(project, snapshot["id"], "alpaca", tmp_path / "out")
    assert report["left_out"] == 1
    assert report["reasons"] == {"the row declares tools": 1}
    assert report["rows"] + report["left_out"] == snapshot["kept"]
    (listed,) = lines(tmp_path / "out" / "not_exported.jsonl")
    assert (listed["id"], listed["reason"]) == (TOOL_USE.id, "the row declares tools")


def test_a_csv_cell_cannot_run_as_a_formula(project, fill, tmp_path):
    fill(project, [chat('=HYPERLINK("http://x")', "a\nb"), chat("plain, with comma", "@sum")])
    report = export_snapshot(project, build_snapshot(project, Recipe(drop=(), split=(1, 0, 0)))["id"], "csv", tmp_path / "x.csv")
    with (tmp_path / "x.csv").open(newline="", encoding="utf-8") as file:
        rows = sorted(csv.reader(file))
    assert rows == [["", '\'=HYPERLINK("http://x")', "a\nb"], ["", "plain, with comma", "'@sum"], ["system", "prompt", "answer"]]
    assert report["escaped_cells"] == 2


def test_parquet_is_the_frozen_file_itself(project, snapshot, tmp_path):
    export_snapshot(project, snapshot["id"], "parquet", tmp_path / "out")
    assert (tmp_path / "out" / "train.parquet").read_bytes() == split_file(project, snapshot["id"], "train").read_bytes()


def test_a_data_set_on_disk_loads_again(project, snapshot, tmp_path):
    from datasets import load_from_disk

    report = export_snapshot(project, snapshot["id"], "datasets", tmp_path / "out")
    loaded = load_from_disk(str(tmp_path / "out"))
    assert {name: split.num_rows for name, split in loaded.items()} == report["rows_by_split"]


def test_an_export_that_makes_no_sense_says_what_to_do(project, snapshot, tmp_path):
    with pytest.raises(WorkbenchError, match='There is no export format "word"'):
        export_snapshot(project, snapshot["id"], "word", tmp_path / "out")
    with pytest.raises(
        WorkbenchError, match=r"x\.csv does not go with the format openai\. Name a folder, or a file ending in \.jsonl or \.json\."
    ):
        export_snapshot(project, snapshot["id"], "openai", tmp_path / "x.csv")
    with pytest.raises(WorkbenchError, match='There is no split "dev"'):
        export_snapshot(project, snapshot["id"], "openai", tmp_path / "out", split="dev")
    path = split_file(project, snapshot["id"], "train")
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(WorkbenchError, match=r"train\.parquet was changed after it was frozen"):
        export_snapshot(project, snapshot["id"], "openai", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("format", ["openai", "sharegpt", "alpaca"])
def test_our_own_import_reads_an_export_as_the_same_records(project, snapshot, tmp_path, format):
    from pipelines.sources.ingest import import_source
    from pipelines.store.project import Project

    report = export_snapshot(project, snapshot["id"], format, tmp_path / "out")
    again = Project.create(tmp_path / "again")
    chats = tmp_path / "chats.jsonl"  # one file has one format: pairs and judged answers are read in the tests above
    rows = [row for file in report["files"].values() for row in lines(Path(file)) if not {"chosen", "label"} & row.keys()]
    chats.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert import_source(again, chats).rejected == 0
    import pyarrow.parquet as pq

    read = {id for part in again.record_parts for id in pq.read_table(part).column("id").to_pylist()}
    expected = {r.id for r in SNAPSHOT_RECORDS if r.kind == "chat" and not (format == "alpaca" and r.tools)}
    assert read == expected


def test_a_table_holds_the_other_columns_of_every_row(project, fill, tmp_path):
    fill(project, [chat("one", "two", case="C-1", by={"name": "Voss"}), chat("three", "four", case="C-2", note="=late")])
    snapshot = build_snapshot(project, Recipe(drop=(), split=(1, 0, 0)))
    export_snapshot(project, snapshot["id"], "csv", tmp_path / "out")
    with (tmp_path / "out" / "train.csv").open(newline="", encoding="utf-8") as file:
        rows = {row["case"]: row for row in csv.DictReader(file)}
    assert rows["C-1"] == {"system": "", "prompt": "one", "answer": "two", "by": '{"name": "Voss"}', "case": "C-1", "note": ""}
    assert rows["C-2"]["note"] == "'=late"
    card = (tmp_path / "out" / "README.md").read_text("utf-8")
    assert "Columns: `system`, `prompt` and `answer`, then the source's other columns." in card and "`edited_from`" not in card
