"""What two training services refuse in a file is refused or flagged here too, row by row.

The rules are those of OpenAI's cookbook (Chat_finetuning_data_prep: seven counters and its warnings) and of Together's Python client
(utils/files.py), each with a row that breaks it. Both say how many rows are wrong or stop at the first; here each is named.
Rules about the number of rows and tokens are the services' own limits and not tested here.
"""

import json

import pyarrow.parquet as pq
import pytest

from pipelines.curation.export_formats import openai_row
from pipelines.curation.issues import issues
from pipelines.scan import scan
from pipelines.sources.ingest import import_source
from pipelines.sources.quarantine import read_quarantine
from pipelines.store.project import Project
from pipelines.store.tables import row_to_record

USER, ANSWER = {"role": "user", "content": "When do you open?"}, {"role": "assistant", "content": "We open at nine."}
PAIR = {
    "input": {"messages": [USER]},
    "preferred_output": [ANSWER],
    "non_preferred_output": [{"role": "assistant", "content": "No idea."}],
}
BAD_ROW = 4


def chat(*turns: object) -> dict:
    return {"messages": list(turns)}


OPENAI = {
    "data_type": ["not", "an", "object"],
    "missing_messages_list": chat(),
    "missing_messages_list, no column": {"id": 7},
    "message_missing_key, content": chat(USER, {"role": "assistant"}),
    "message_missing_key, role": chat({"content": "When do you open?"}, ANSWER),
    "unrecognized_role": chat(USER, {"role": "narrator", "content": "A pause."}, ANSWER),
    "missing_content, null": chat(USER, {"role": "assistant", "content": None}),
    "missing_content, a number": chat(USER, {"role": "assistant", "content": 5}),
    "missing_content, empty": chat({"role": "user", "content": ""}, ANSWER),
    "example_missing_assistant_message": chat(USER),
    "n_missing_user": chat({"role": "system", "content": "Be kind."}, ANSWER),
}
TOGETHER = {
    "not JSON": '{"messages": [',
    "not UTF-8": b'{"messages": [{"role": "user", "content": "caf\x81?"}, {"role": "assistant", "content": "\xe2\x80\x94"}]}',
    "line_type": "just a text",
    "messages is no list": {"messages": "When do you open?"},
    "messages is empty": chat(),
    "a message is no object": chat(USER, "We open at nine."),
    "role is missing": chat({"content": "x"}, ANSWER),
    "role is no text": chat({"role": 1, "content": "x"}, ANSWER),
    "content is no text": chat(USER, {"role": "assistant", "content": {"a": 1}}),
    "weight is no whole number": chat(USER, ANSWER | {"weight": 0.5}),
    "weight is neither 0 nor 1": chat(USER, ANSWER | {"weight": 2}),
    "unknown role": chat({"role": "boss", "content": "x"}, ANSWER),
    "roles do not alternate": chat(USER, ANSWER, ANSWER),
    "input has no messages": PAIR | {"input": {"turns": []}},
    "preferred_output is empty": PAIR | {"preferred_output": []},
    "an output has no role": PAIR | {"non_preferred_output": [{"content": "No idea."}]},
    "an output is no answer": PAIR | {"non_preferred_output": [{"role": "user", "content": "No idea."}]},
    "text is no text": {"text": 5},
    "completion is no text": {"prompt": "When?", "completion": None},
}


MENDED = {
    "OpenAI: message_unrecognized_key": chat(USER, ANSWER | {"mood": "kind"}),
    "Together: input is no object": PAIR | {"input": "When do you open?"},
    "Together: preferred_output is no list": PAIR | {"preferred_output": "We open at nine."},
    "Together: not UTF-8, but Windows-1252": b'{"prompt": "A caf\xe9?", "completion": "We open at nine."}',
    "Together: prompt is no text": {"prompt": 5, "completion": "We open at nine."},
}
"""What is understood all the same: it comes in, and what is exported breaks no rule any more."""


def found_in(tmp_path, bad: object, good: list[dict]) -> set[tuple[int, str]]:
    """Rows that are set aside or flagged, each with why."""
    lines = [json.dumps(row).encode() for row in good]
    lines.insert(BAD_ROW - 1, bad if isinstance(bad, bytes) else bad.encode() if isinstance(bad, str) else json.dumps(bad).encode())
    (tmp_path / "a.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    project = Project.create(tmp_path / "p")
    report = import_source(project, tmp_path / "a.jsonl")
    assert report.rows_read == len(lines)
    scan(project, without=["embeddings"])
    aside = {(one.row, one.reason) for one in read_quarantine(project.folder / "quarantine" / report.quarantine.split("/")[-1])}
    flagged = {(source["row"], issue["check"]) for issue in issues(project) for source in issue["sources"]}
    return aside | flagged


def good_rows(bad: object) -> list[dict]:
    """Rows with nothing wrong, in the shape of the bad one."""
    places = ("the shop", "the bank", "the library", "the museum", "the baths")
    if isinstance(bad, dict) and "input" in bad:
        return [PAIR | {"input": {"messages": [{"role": "user", "content": f"When does {place} open?"}]}} for place in places]
    if isinstance(bad, dict) and "text" in bad:
        return [{"text": f"USER: When does {place} open? ASSISTANT: At nine.</s>"} for place in places]
    if isinstance(bad, dict) and "prompt" in bad:
        return [{"prompt": f"When does {place} open?", "completion": f"{place.capitalize()} opens at nine."} for place in places]
    answer = "{} opens at nine in the morning."
    return [
        chat({"role": "user", "content": f"When does {place} open?"}, {"role": "assistant", "content": answer.format(place.capitalize())})
        for place in places
    ]


@pytest.mark.parametrize("rule", [f"OpenAI: {rule}" for rule in OPENAI] + [f"Together: {rule}" for rule in TOGETHER])
def test_the_row_that_breaks_a_published_rule_is_named(tmp_path, rule):
    service, _, name = rule.partition(": ")
    bad = (OPENAI if service == "OpenAI" else TOGETHER)[name]
    found = found_in(tmp_path, bad, good_rows(bad))
    assert {row for row, _ in found} == {BAD_ROW}, found


@pytest.mark.parametrize("rule", MENDED)
def test_what_is_understood_all_the_same_is_exported_as_it_should_be(tmp_path, rule):
    row = MENDED[rule]
    (tmp_path / "a.jsonl").write_bytes(row if isinstance(row, bytes) else json.dumps(row).encode())
    project = Project.create(tmp_path / "p")
    assert import_source(project, tmp_path / "a.jsonl").records == 1
    (path,) = project.record_parts
    (row,) = pq.read_table(path).to_pylist()
    turns = [turn for side in openai_row(row_to_record(row)).values() if isinstance(side, list) for turn in side]
    assert len(turns) >= 2
    assert all(turn.keys() == {"role", "content"} and isinstance(turn["content"], str) for turn in turns)


def test_two_formats_in_one_file_are_told_and_extra_columns_are_kept_apart(tmp_path):
    rows = [*good_rows(None), {"prompt": "When?", "completion": "At nine."}, {"question": "Where?", "answer": "Here.", "by": "Ann"}]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    report = import_source(Project.create(tmp_path / "p"), tmp_path / "a.jsonl")
    assert report.formats == {"openai": 5, "prompt_completion": 1, "qa": 1}
