"""Saved selections: many records under a short name."""

import pytest

from pipelines.curation.queue import Queue, queue_ids, queue_size
from pipelines.curation.saved_selection import load_selection, save_selection
from pipelines.errors import WorkbenchError
from tests.conftest import chat


def test_a_queue_of_a_saved_selection_holds_those_records_only(project, fill):
    ids = fill(project, [chat(f"Question {i}", f"Answer {i}") for i in range(5)])
    name = save_selection(project, [ids[3], ids[1]])
    assert queue_ids(project, Queue(selection=name)) == [ids[1], ids[3]]
    assert queue_size(project, Queue(selection=name, search="question 3")) == 1
    assert Queue.from_query(Queue(selection=name).to_query()) == Queue(selection=name)


def test_the_name_depends_on_the_records_alone(project):
    assert save_selection(project, ["a", "b"]) == save_selection(project, ["b", "a", "b"])
    assert load_selection(project, save_selection(project, ["b", "a"])) == ["a", "b"]


def test_an_empty_selection_holds_nothing(project, fill):
    fill(project, [chat("Question", "Answer")])
    assert queue_ids(project, Queue(selection=save_selection(project, []))) == []


def test_an_unknown_selection_is_an_error_with_a_next_step(project):
    with pytest.raises(WorkbenchError, match="Make the selection again"):
        queue_ids(project, Queue(selection="nowhere"))
