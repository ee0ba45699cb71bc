"""Rows set aside are listed, mended and brought in later: nothing is lost, nothing comes in twice, and the counts add up."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.errors import WorkbenchError
from pipelines.records import Message, Record
from pipelines.sources import quarantine_index
from pipelines.sources.fault import find_fault
from pipelines.sources.ingest import import_source
from pipelines.sources.mending import mend, retry
from pipelines.sources.quarantine_index import QuarantineIndex, mended_rows, source_of
from pipelines.sources.rereading import TOO_LONG_TO_MEND, WHOLE_FILE, Reading, Rereader
from pipelines.sources.rows import MAX_RAW_CHARACTERS
from pipelines.store.project import Project
from tests.sources.test_ingest import A, B, files, places, prompts, write
from tests.sources.test_rendering import a, u

NO_ROLE = {"messages": [{"role": "user", "content": "Q"}, {"content": "A"}]}
NO_ROLE_LATER = {"messages": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}, {"content": "B"}]}
CHAT = {"messages": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "fine"}]}


def balance(project: Project) -> tuple[int, int, int, int, int]:
    """Rows read, new, merged, mended and waiting of the first import; they always add up."""
    source = project.sources()[0]
    waiting = source["rejected"] - source["mended"]
    assert len(list(QuarantineIndex(project, source).waiting())) == waiting
    standing = project.standing_sources()[0]
    assert standing["rows_read"] == standing["records"] + standing["duplicate_rows"] + standing["rejected"]
    assert sum(one["records"] for one in project.standing_sources()) == len(prompts(project))
    assert sum(group.rows for group in QuarantineIndex(project, source).groups()) == waiting
    counts = (source["rows_read"], source["records"], source["duplicate_rows"], source["mended"], waiting)
    assert counts[0] == sum(counts[1:])
    return counts


def index_of(project: Project) -> QuarantineIndex:
    return QuarantineIndex(project, source_of(project, 1))


def test_what_waits_is_counted_by_file_and_kind_of_reason(project, tmp_path):
    write(tmp_path / "in" / "a.jsonl", CHAT, NO_ROLE, NO_ROLE_LATER, NO_ROLE, "{broken")
    write(tmp_path / "in" / "b.jsonl", CHAT, NO_ROLE)
    import_source(project, tmp_path / "in")
    groups = index_of(project).groups()
    no_role = 'Turn … of "messages" has no role (it has content). Say who speaks: system, user, assistant or tool.'
    assert [(g.file, g.reason, g.rows) for g in groups] == [
        ("a.jsonl", no_role, 3),
        ("a.jsonl", "It is not valid JSON at character 2: a key in double quotes is missing (a comma too many, or single quotes).", 1),
        ("b.jsonl", no_role.replace("…", "2"), 1),
    ]
    page = index_of(project).page(groups[0], offset=1, limit=5)
    assert [(entry.line, entry.row, json.loads(entry.raw)) for entry in page] == [(1, 3, NO_ROLE_LATER), (2, 4, NO_ROLE)]


def test_a_mended_row_comes_in_at_its_place_and_waits_no_longer(project, tmp_path):
    path = write(tmp_path / "a.jsonl", A, '{"question": "Qx", "answer": "Ax"', B)
    kept = Path(import_source(project, path).quarantine).read_bytes()
    assert balance(project) == (3, 2, 0, 0, 1)
    entry = index_of(project).entry(0)
    attempt = Rereader(project, source_of(project, 1)).attempt(entry, entry.raw + "}")
    assert attempt.records == (("qa", Record((u("Qx"), a("Ax")))),)
    found = mend(project, 1, 0, entry.raw + "}", by="human:ann")
    assert (found["format"], found["new"]) == ("qa", 1)
    assert balance(project) == (3, 2, 0, 1, 0)
    assert prompts(project) == [(0, "Qa"), (1, "Qb"), (2, "Qx")]
    assert ("Qx", "a.jsonl", 2) in places(project)
    assert (project.quarantine_folder / project.sources()[0]["quarantine"].split("/")[1]).read_bytes() == kept, "the line is kept as it was"
    (row,) = mended_rows(project, 1)
    assert (row["line"], row["text"], row["records"], row["mended_by"]) == (0, entry.raw + "}", found["records"], "human:ann")
    with pytest.raises(WorkbenchError, match="does not wait in the quarantine"):
        mend(project, 1, 0, entry.raw + "}")


def test_a_text_that_cannot_be_read_changes_nothing(project, tmp_path):
    import_source(project, write(tmp_path / "a.jsonl", A, "broken"))
    index_of(project).groups()
    before = files(project)
    with pytest.raises(WorkbenchError, match=r"^It cannot be read yet\. It is cut off"):
        mend(project, 1, 0, '{"question": "Q"')
    assert (files(project), balance(project)) == (before, (2, 1, 0, 0, 1))


def test_a_row_mended_into_one_that_is_there_already_is_merged(project, tmp_path):
    import_source(project, write(tmp_path / "a.jsonl", A, "broken"))
    assert mend(project, 1, 0, json.dumps(A))["new"] == 0
    assert balance(project) == (2, 1, 0, 1, 0)
    assert places(project) == [("Qa", "a.jsonl", 1), ("Qa", "a.jsonl", 2)]
    import_source(project, write(tmp_path / "b.jsonl", B, "broken"))
    assert mend(project, project.sources()[1]["id"], 0, json.dumps(A))["new"] == 0
    assert len(places(project)) == 4, "a mending without new records gets a number of its own, so that no file is written over"


def test_a_row_of_a_table_is_mended_by_the_header_and_quotes_of_its_file(project, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('question;answer\nQ1;A1\nQ2;A2;too many\n"Q3";A3\n')
    import_source(project, path)
    entry = index_of(project).entry(0)
    assert entry.raw == "Q2;A2;too many"
    rereader = Rereader(project, source_of(project, 1))
    assert rereader.attempt(entry, 'Q2;"A2;all one"').records == (("qa", Record((u("Q2"), a("A2;all one")))),)
    assert rereader.attempt(entry, '{"question": "Q2", "answer": "as JSON"}').records == (("qa", Record((u("Q2"), a("as JSON")))),)
    assert rereader.attempt(entry, 'Q2;"A2').reason.startswith("A quote is opened and never closed")
    assert rereader.attempt(entry, "Q2;A2\nQ4;A4").reason.startswith("It reads as several rows.")
    assert rereader.attempt(entry, "").reason == "It is empty."
    mend(project, 1, 0, 'Q2;"A2;all one"')
    assert ("Q2", "a.csv", 2) in places(project)


def test_all_are_tried_again_after_a_mapping_or_the_roles_are_given(project, tmp_path):
    german = [{"frage": f"F{i}", "antwort": f"A{i}"} for i in range(3)]
    import_source(project, write(tmp_path / "a.jsonl", A, *german, "broken"))
    assert balance(project) == (5, 1, 0, 0, 4)
    assert retry(project) == {"tried": 4, "mended": 0, "records": 0, "duplicate_rows": 0, "waiting": 4}
    told = Reading(mapping={"question": "frage", "answer": "antwort"})
    assert retry(project, reading=told) == {"tried": 4, "mended": 3, "records": 3, "duplicate_rows": 0, "waiting": 1}
    assert balance(project) == (5, 1, 0, 3, 1)
    assert prompts(project) == [(0, "Qa"), (1, "F0"), (2, "F1"), (3, "F2")]
    assert [row["text"] for row in mended_rows(project, 1)] == [None] * 3
    assert [entry.raw for entry in index_of(project).waiting()] == ["broken"]


def test_a_row_too_long_for_the_quarantine_is_read_again_from_the_kept_original(project, tmp_path):
    long = {"frage": "F", "antwort": "x" * MAX_RAW_CHARACTERS}
    path = write(tmp_path / "a.jsonl", A, long)
    import_source(project, path)
    path.unlink()
    entry = index_of(project).entry(0)
    assert entry.is_cut
    assert Rereader(project, source_of(project, 1)).attempt(entry).reason == TOO_LONG_TO_MEND
    assert retry(project, reading=Reading(format="qa", mapping={"question": "frage", "answer": "antwort"}))["mended"] == 1
    assert balance(project) == (2, 1, 0, 1, 0)


def test_an_unknown_role_is_what_the_user_says_in_an_import_and_in_a_retry(project, tmp_path):
    row = {"messages": [{"role": "Customer", "content": "Q"}, {"role": "agent", "content": "A"}, {"content": "lost"}]}
    roles = {"customer": "user", "Agent": "assistant"}
    import_source(project, write(tmp_path / "a.jsonl", {"messages": row["messages"][:2]}, row), roles=roles)
    assert prompts(project) == [(0, "Q")]
    assert project.sources()[0]["roles"] == {"customer": "user", "agent": "assistant"}
    entry = index_of(project).entry(0)
    mended = json.loads(entry.raw)
    mended["messages"].pop()
    attempt = Rereader(project, source_of(project, 1)).attempt(entry, json.dumps(mended))
    assert attempt.records[0][1].messages == (Message("user", "Q"), Message("assistant", "A")), "as in the import"
    with pytest.raises(WorkbenchError, match='The role "bot" cannot be "robot"'):
        retry(project, reading=Reading(roles={"bot": "robot"}))


def test_a_file_that_could_not_be_read_at_all_says_that_it_cannot_be_mended(project, tmp_path):
    write(tmp_path / "in" / "a.jsonl", A)
    (tmp_path / "in" / "bad.parquet").write_bytes(b"PAR1 broken")
    import_source(project, tmp_path / "in")
    entry = index_of(project).entry(0)
    assert (entry.row, Rereader(project, source_of(project, 1)).attempt(entry, "{}").reason) == (0, WHOLE_FILE)


def test_each_instance_that_could_not_be_read_is_mended_by_itself(project, tmp_path):
    row = {"instruction": "I", "instances": [{"input": "1", "output": "A"}, {"input": "2"}, {"input": "3"}]}
    import_source(project, write(tmp_path / "a.jsonl", row))
    assert balance(project) == (3, 1, 0, 0, 2)
    value = json.loads(index_of(project).entry(1).raw)
    assert mend(project, 1, 1, json.dumps(value | {"output": "C"}))["new"] == 1
    assert balance(project) == (3, 1, 0, 1, 1)


KILLED = """
import os, sys
from pathlib import Path
from pipelines.sources.mending import mend
from pipelines.store.project import Project
moves, rename = int(sys.argv[2]), Path.rename
def die_after_some_moves(self, target):
    global moves
    if "importing" in str(self) and not str(self).endswith(".part"):
        moves -= 1
        if moves < 0:
            os._exit(9)
    return rename(self, target)
Path.rename = die_after_some_moves
mend(Project.open(sys.argv[1]), 1, 0, '{"question": "Qx", "answer": "Ax"}')
"""


@pytest.mark.parametrize("moves", [0, 1])
def test_a_mending_killed_while_it_moves_its_files_in_is_undone_by_the_next(project, tmp_path, moves):
    import_source(project, write(tmp_path / "a.jsonl", A, "broken"))
    assert subprocess.run([sys.executable, "-c", KILLED, str(project.folder), str(moves)], check=False).returncode == 9
    assert balance(project) == (2, 1, 0, 0, 1)
    mend(project, 1, 0, json.dumps(B))
    assert (balance(project), prompts(project)) == ((2, 1, 0, 1, 0), [(0, "Qa"), (1, "Qb")])
    assert not (project.folder / "importing").exists()


def test_a_long_list_is_indexed_in_parts_and_paged(project, tmp_path, monkeypatch):
    monkeypatch.setattr(quarantine_index, "_ROWS_AT_ONCE", 7)
    import_source(project, write(tmp_path / "a.jsonl", A, *(f"broken {i} é" for i in range(40))))
    (group,) = index_of(project).groups()
    assert group.rows == 40
    assert [entry.raw for entry in index_of(project).page(group, offset=20, limit=3)] == ["broken 20 é", "broken 21 é", "broken 22 é"]
    assert index_of(project).entry(39).raw == "broken 39 é"


@pytest.mark.parametrize(
    ("text", "reason", "shown"),
    [
        ('{"a": 1,, "b": 2}', "It is not valid JSON at character 9: a key in double quotes is missing.", ","),
        ('{"a": "x"', "It is cut off: the JSON is not closed. Complete it or take it out.", ""),
        ('{"messages": [{"role": "user"}, {"content": "é"}]}', 'Turn 2 of "messages" has no role (it has content).', '{"content": "é"}'),
        ('{"q": "x", "output": ["O"]}', 'The column "output" holds a list, not a text.', '["O"]'),
        ('{"a": 1, "a": 2}', 'The key "a" stands twice in one object. Keep one of the two.', '"a"'),
        ('{"q": "\\ud800"}', "It holds half a character (the lone surrogate U+D800). Write the whole character or take it out.", "\\ud800"),
        (
            '{"text": "[INST] hi [INST] you"}',
            "It is a conversation written in the [INST] form, and its markers do not match: [INST] is opened and not closed.",
            "[INST]",
        ),
    ],
)
def test_the_place_of_the_fault_is_found(text, reason, shown):
    fault = find_fault(text, reason)
    assert fault is not None
    assert text[fault.start : fault.end] == shown


@pytest.mark.parametrize("text", ["", "{", '{"a"', '{"a": [', "[1, 2", '{"messages": 7}', "\x00", "中" * 5])
@pytest.mark.parametrize(
    "reason", ['Turn 3 of "messages" has no role.', 'The column "a" is null.', "At character 99: x.", "It has 2 cells."]
)
def test_no_text_and_reason_make_the_search_for_the_fault_fail(text, reason):
    fault = find_fault(text, reason)
    assert fault is None or 0 <= fault.start <= fault.end <= len(text)


def test_a_row_that_nests_several_is_mended_as_all_of_them(project, tmp_path):
    import_source(project, write(tmp_path / "a.jsonl", A, '{"instruction": "I", "instances": [}'))
    rows = {"instruction": "I", "instances": [{"input": "1", "output": "A"}, {"input": "2", "output": "B"}]}
    assert mend(project, 1, 0, json.dumps(rows))["new"] == 2
    assert balance(project) == (2, 1, 0, 1, 0)
