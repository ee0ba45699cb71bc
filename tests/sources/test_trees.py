"""Messages that name the one they reply to become conversations; every message is in one, or is rejected with the reason."""

import json

import pytest

from pipelines.records import Message, Record
from pipelines.sources import trees
from pipelines.sources.ingest import import_source, preview
from pipelines.sources.quarantine import read_quarantine
from tests.sources.test_ingest import places, rows_of, write
from tests.sources.test_rendering import a, u


def message(id: str, parent: str | None, role: str, text: str, tree: str = "t", **more) -> dict:
    return {"message_id": id, "parent_id": parent, "role": role, "text": text, "message_tree_id": tree, **more}


TREE = [
    message("1", None, "prompter", "Q"),
    message("2", "1", "assistant", "A", rank=0),
    message("3", "1", "assistant", "B", rank=1),
    message("4", "2", "prompter", "more?"),
    message("5", "4", "assistant", "C", lang="de"),
    message("6", "3", "prompter", "thanks"),
]


def records(project) -> list[tuple]:
    return [
        tuple((t["role"], t["content"]) for t in turns) for (turns,) in rows_of(project, "SELECT messages FROM records ORDER BY position")
    ]


def test_each_way_to_a_last_answer_is_a_conversation(project, tmp_path):
    report = import_source(project, write(tmp_path / "a.jsonl", *TREE))
    assert (report.format, report.rows_read, report.records, report.rejected) == ("openai", 2, 2, 0)
    assert records(project) == [
        (("user", "Q"), ("assistant", "B")),
        (("user", "Q"), ("assistant", "A"), ("user", "more?"), ("assistant", "C")),
    ]
    assert [(file, row) for _, file, row in places(project)] == [("a.jsonl", 3), ("a.jsonl", 5)], "the row of the last message"
    (meta,) = rows_of(project, "SELECT meta FROM records WHERE position = 1")
    assert json.loads(meta[0]) == {"lang": "de", "message_id": "5", "message_tree_id": "t"}


def test_trees_whose_messages_are_mixed_or_come_in_any_order_are_put_together(project, tmp_path):
    other = [message(f"x{m['message_id']}", m["parent_id"] and f"x{m['parent_id']}", m["role"], m["text"] + "!", "u") for m in TREE]
    mixed = [one for pair in zip(reversed(TREE), other, strict=True) for one in pair]
    report = import_source(project, write(tmp_path / "a.jsonl", *mixed))
    assert (report.rows_read, report.records, report.rejected) == (4, 4, 0)


def test_a_question_that_nobody_answered_is_kept_and_strays_are_rejected(project, tmp_path):
    rows = [
        message("1", None, "prompter", "alone"),
        message("2", "gone", "assistant", "A", "s"),
        message("3", "4", "assistant", "A", "circle"),
        message("4", "3", "prompter", "Q", "circle"),
        message("5", None, "prompter", "Q", "twice"),
        message("5", None, "prompter", "Q", "twice"),
        message("6", None, "prompter", None, "empty"),
    ]
    report = import_source(project, write(tmp_path / "a.jsonl", *rows))
    assert records(project) == [(("user", "alone"),), (("user", "Q"),)]
    assert [(one.row, one.reason) for one in read_quarantine(project.folder / project.sources()[0]["quarantine"])] == [
        (2, 'It replies to the message "gone", which is not in the file.'),
        (3, "It stands deeper than 64 replies, or its replies lead in a circle."),
        (4, "It stands deeper than 64 replies, or its replies lead in a circle."),
        (6, 'The message_id "5" stands twice in its tree. Keep one of the two.'),
        (7, "The message in row 7 has no role or no text (it has message_id, parent_id, role, text, message_tree_id)."),
    ]
    assert report.rows_read == report.records + report.rejected


def test_a_preview_shows_conversations_and_leaves_out_the_tree_it_cuts(tmp_path, monkeypatch):
    path = write(tmp_path / "a.jsonl", *TREE, *(message(f"n{i}", None, "prompter", "Q", f"n{i}") for i in range(10)))
    seen = preview(path)
    assert (seen.format, seen.records[0].messages) == ("openai", (u("Q"), a("B")))
    monkeypatch.setattr(trees, "_HEAD_ROWS", 8)
    assert len(preview(path).records) == 2 + 1


def test_a_nested_tree_gives_the_same_conversations(project, tmp_path):
    def nested(id):
        node = next(m for m in TREE if m["message_id"] == id)
        return {"text": node["text"], "role": node["role"], "replies": [nested(m["message_id"]) for m in TREE if m["parent_id"] == id]}

    report = import_source(project, write(tmp_path / "a.jsonl", {"message_tree_id": "t", "prompt": nested("1")}))
    assert (report.format, report.records) == ("message_tree", 2)
    assert records(project) == [
        (("user", "Q"), ("assistant", "A"), ("user", "more?"), ("assistant", "C")),
        (("user", "Q"), ("assistant", "B")),
    ]


@pytest.mark.parametrize("nested", [False, True])
def test_an_answer_with_a_misspelt_role_is_kept(project, tmp_path, nested):
    flat = [message("1", None, "prompter", "Q"), message("2", "1", "assistnat", "A")]
    tree = {"prompt": {"role": "prompter", "text": "Q", "replies": [{"role": "assistnat", "text": "A", "replies": []}]}}
    import_source(project, write(tmp_path / "a.jsonl", *([tree] if nested else flat)))
    assert records(project) == [(("user", "Q"), ("assistnat", "A"))]


@pytest.mark.parametrize("rows", [[{"question": "Q", "answer": "A"}], [{"message_id": 1, "text": "T", "label": "x"}], []])
def test_rows_that_are_no_messages_of_trees_are_let_be(rows):
    from pipelines.sources.rows import RawRow

    assert not trees.are_messages([RawRow("a", i, row) for i, row in enumerate(rows, 1)])


def test_a_file_in_the_layout_of_squad_is_read_question_by_question(project, tmp_path):
    qas = [{"id": str(i), "question": f"Q{i}", "answers": [{"text": f"A{i}", "answer_start": 0}, {"text": "other"}]} for i in range(2)]
    squad = {"version": "1.1", "data": [{"title": "T", "paragraphs": [{"context": "C", "qas": qas}, {"context": "D", "qas": qas[:1]}]}]}
    path = tmp_path / "a.json"
    path.write_text(json.dumps(squad))
    report = import_source(project, path)
    assert (report.format, report.rows_read, report.records) == ("nested_qa", 3, 3)
    assert records(project)[0] == (("user", "C\n\nQ0"), ("assistant", "A0"))


def test_a_task_of_super_natural_instructions_is_read_instance_by_instance(project, tmp_path):
    task = {
        "Contributors": ["x"], "Definition": ["Add."], "Positive Examples": [{"input": "1", "output": "2", "explanation": "e"}],
        "Negative Examples": [], "Instances": [{"id": "i", "input": "2 and 2", "output": ["4"]}, {"id": "j", "input": "1 and 1", "output": ["2"]}],
    }  # fmt: skip
    path = tmp_path / "task001.json"
    path.write_text(json.dumps(task, indent=1))
    report = import_source(project, path)
    assert (report.format, report.records, report.rejected) == ("self_instruct", 2, 0)
    assert records(project)[0] == (("user", "Add.\n\n2 and 2"), ("assistant", "4"))


def test_labels_that_are_bare_numbers_are_pointed_out(tmp_path):
    (tmp_path / "a.csv").write_text("text,label\nI lost my card,3\nWhere is it?,0\n")
    (note,) = preview(tmp_path / "a.csv").notes
    assert note.startswith(
        'The labels in "label" are numbers (2 different ones in the first rows), so the model learns to answer with a number.'
    )
    (tmp_path / "b.csv").write_text("text,label\nI lost my card,lost\nWhere is it?,0\n")
    assert preview(tmp_path / "b.csv").notes == []


def test_a_system_prompt_in_parts_and_messages_of_anthropic_are_read(project, tmp_path):
    row = {
        "system": [{"type": "text", "text": "Be brief."}],
        "messages": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}],
    }
    seen = preview(write(tmp_path / "a.jsonl", row))
    assert seen.records == [Record((Message("system", "Be brief."), u("Q"), a("A")))]
