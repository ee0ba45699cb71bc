"""Jobs as the pages show them: at work, failed, stopped, lost, finished; with real folders, locks and processes."""

import json
import time

import pytest
from filelock import FileLock

from pipelines import jobs
from pipelines.job_list import add_job, list_jobs
from pipelines.store.project import Project
from tests.workbench.app_test import fill_small, open_page, text_of
from workbench.job_progress import log_tail
from workbench.run_panel import DRAWN_STEPS, latest_numbers, loss_points


@pytest.fixture
def small(tmp_path, monkeypatch, fill):
    monkeypatch.setenv("WINNOW_HOME", str(tmp_path))
    monkeypatch.delenv("WINNOW_PROJECT", raising=False)
    project = Project.create(tmp_path / "small")
    fill_small(project, fill)
    return project


def tell(folder, *events):
    with (folder / "events.jsonl").open("a") as file:
        for event in events:
            file.write(json.dumps({"at": time.time()} | event) + "\n")


def test_a_running_job_is_shown_with_its_progress_and_can_be_cancelled(small):
    folder = add_job(small, "scan", {}, "Scan")
    with FileLock(folder / "lock"):
        tell(folder, {"state": "running"}, {"fraction": 0.42, "message": "Comparing rows: near duplicates"})
        app = open_page("data", {"project": "small"})
        assert not app.exception
        assert "42 %" in text_of(app) and "near duplicates" in text_of(app)
        assert any(button.label == "Cancel" for button in app.button)
        assert "Scan" not in [button.label for button in app.button], "a second scan cannot be begun"


@pytest.mark.parametrize(
    ("event", "words", "button"),
    [
        ({"state": "failed", "message": "No space is left on the disk."}, "did not finish", "Try again"),
        ({"state": "cancelled", "message": "Stopped by the user."}, "was stopped", "Go on"),
        ({"state": "running"}, "was interrupted", "Go on"),
    ],
)
def test_a_job_that_ended_badly_says_why_and_offers_a_way_on(small, event, words, button):
    folder = add_job(small, "scan", {}, "Scan")
    tell(folder, {"state": "running"}, event)
    app = open_page("data", {"project": "small"})
    assert not app.exception
    assert words in text_of(app) and button in [b.label for b in app.button]


def test_freezing_starts_a_job_that_ends_in_a_snapshot_on_the_page(small):
    app = open_page("curate", {"project": "small"})
    app.button(key="freeze").click().run()
    assert not app.exception
    deadline = time.time() + 120
    while not (job := list_jobs(small, kind="snapshot")[0]).is_finished and time.time() < deadline:
        time.sleep(0.2)
    assert job.state == "done", job
    app.run()
    assert not app.exception and "rows to train" in text_of(app)
    app.session_state[f"certificate-{job.result['id']}"] = True
    app.run()
    assert not app.exception and "Copies, near copies and answers to one question" in text_of(app)


def test_the_loss_of_a_step_done_twice_is_the_later_one(tmp_path):
    tell(tmp_path, {"step": 1, "loss": 3.0}, {"step": 2, "loss": 2.0}, {"state": "starting"}, {"step": 2, "loss": 1.0, "eta_seconds": 4})
    points, every = loss_points(tmp_path)
    assert points["loss"].tolist() == [3.0, 1.0] and every == 1
    assert latest_numbers(tmp_path) == {"step": 2, "loss": 1.0, "eta_seconds": 4}


def test_a_long_run_is_drawn_with_means_that_lose_no_step(tmp_path):
    steps = 3 * DRAWN_STEPS
    tell(tmp_path, *({"step": step, "loss": float(step)} for step in range(1, steps + 1)), {"step": steps, "eval_loss": 1.0})
    points, every = loss_points(tmp_path)
    assert every == 3 and len(points) == DRAWN_STEPS + 1
    assert points["loss"].iloc[0] == 2.0 and points["step"].iloc[-2] == steps


def test_the_tail_of_a_log_is_its_last_lines(tmp_path):
    assert log_tail(tmp_path) == ""
    (tmp_path / "log.txt").write_text("\n".join(f"line {n}" for n in range(10_000)), encoding="utf-8")
    assert log_tail(tmp_path, lines=2) == "line 9998\nline 9999"


def test_a_job_of_each_state_has_a_word_for_people(small):
    from workbench.words import STATE_WORDS

    assert set(STATE_WORDS) == {"starting", "running", *jobs.FINISHED}
