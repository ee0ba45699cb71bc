"""Test sets on the page Report: uploaded, looked for in a job, listed and removed."""

import json

import pytest

from pipelines import jobs
from pipelines.duplicates.held_out import HELD_OUT_CHECK, held_out_sets
from pipelines.job_list import list_jobs
from pipelines.scan import scan
from pipelines.store.project import Project
from pipelines.worker import work_of
from tests.workbench.app_test import RECORDS, fill_small, open_page, text_of
from workbench.incoming import forget_read, incoming_folder


@pytest.fixture
def small(tmp_path, monkeypatch, fill):
    monkeypatch.setenv("WINNOW_HOME", str(tmp_path))
    monkeypatch.delenv("WINNOW_PROJECT", raising=False)
    project = Project.create(tmp_path / "small")
    fill_small(project, fill)
    scan(project, checks=["empty_turn"])
    return project


def test_a_test_set_is_uploaded_found_and_removed(small, monkeypatch):
    monkeypatch.setattr(jobs, "start", lambda folder: jobs.run(folder, work_of(json.loads((folder / "config.json").read_text())["kind"])))
    app = open_page("report", {"project": "small"})
    assert app.button(key="held-out-add").disabled
    question = json.dumps({"question": RECORDS[0].prompt, "answer": "?"})
    app = app.file_uploader[0].upload("our exam.jsonl", question.encode()).run()
    app = app.button(key="held-out-add").click().run()
    assert not app.exception
    assert [(one.name, one.questions) for one in held_out_sets(small)] == [("our exam.jsonl", 1)]
    assert list_jobs(small, kind="held_out")[0].state == "done"
    assert "Rows that repeat a test question" in text_of(app) and app.button(key="held-out-add").disabled
    forget_read(small)
    assert list(incoming_folder(small).iterdir()) == []
    app = app.button(key="held-out-remove-our exam.jsonl").click().run()
    assert held_out_sets(small) == [] and "our exam" not in text_of(app)
    assert not list(small.measurements_folder.glob(f"{HELD_OUT_CHECK}*"))


def test_a_file_that_holds_no_question_is_told_in_a_sentence(small, monkeypatch):
    monkeypatch.setattr("pipelines.job_list.jobs.start", lambda folder: None)
    app = open_page("report", {"project": "small"})
    app = app.file_uploader[0].upload("notes.txt", b"").run()
    app = app.button(key="held-out-add").click().run()
    job = list_jobs(small, kind="held_out")[0]
    with pytest.raises(Exception, match="notes.txt"):
        jobs.run(job.folder, work_of("held_out"))
    assert "is empty: it holds no rows" in text_of(open_page("report", {"project": "small"})).replace("\\", "")
