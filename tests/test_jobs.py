import json
import os
import signal
import time
from pathlib import Path

import pytest

from pipelines import jobs
from pipelines.errors import Cancelled, WorkbenchError


def counting(config, folder, emit):
    """Real work of three steps, told one by one."""
    for step in range(1, 4):
        emit(fraction=step / 3, message=f"step {step} of 3", loss=1 / step)
    return {"steps": 3, "greeting": config["greeting"]}


def prepared(tmp_path: Path, kind: str = "scan", **config: object) -> Path:
    return jobs.prepare(tmp_path / "job", kind, config, "A job")


def wait_for(folder: Path, *states: str, seconds: float = 40) -> jobs.JobView:
    deadline = time.time() + seconds
    while time.time() < deadline:
        view = jobs.view(folder)
        if view.state in states:
            return view
        time.sleep(0.05)
    raise AssertionError(f"still {jobs.view(folder)} after {seconds} s")


def test_a_job_done_here_tells_its_story_and_returns_its_result(tmp_path):
    folder = prepared(tmp_path, greeting="hello")
    heard = []
    assert jobs.run(folder, counting, lambda **event: heard.append(event["message"])) == {"steps": 3, "greeting": "hello"}
    view = jobs.view(folder)
    assert (view.state, view.fraction, view.result["steps"]) == ("done", 1.0, 3)
    assert heard == ["step 1 of 3", "step 2 of 3", "step 3 of 3"]
    assert [e["loss"] for e in jobs.events(folder) if "loss" in e] == [1, 1 / 2, 1 / 3]


def test_a_user_error_becomes_the_sentence_shown(tmp_path):
    def fails(config, folder, emit):
        raise WorkbenchError("train.jsonl is empty. Choose another file.")

    folder = prepared(tmp_path)
    with pytest.raises(WorkbenchError):
        jobs.run(folder, fails)
    assert (jobs.view(folder).state, jobs.view(folder).message) == ("failed", "train.jsonl is empty. Choose another file.")


def test_a_bug_becomes_a_failed_job_with_a_traceback_in_the_log(tmp_path):
    folder = prepared(tmp_path)
    with pytest.raises(ZeroDivisionError):
        jobs.run(folder, lambda config, folder, emit: 1 / 0)
    assert jobs.view(folder).state == "failed"
    assert "ZeroDivisionError" in (folder / "log.txt").read_text()


def test_a_cancel_ends_the_work_at_its_next_word(tmp_path):
    folder = prepared(tmp_path)

    def asks_for_its_own_end(config, folder, emit):
        emit(fraction=0.5)
        (folder / "cancel").touch()
        emit(fraction=0.6)
        raise AssertionError("went on after a cancel")

    with pytest.raises(Cancelled):
        jobs.run(folder, asks_for_its_own_end)
    assert jobs.view(folder).state == "cancelled"


@pytest.mark.parametrize("asked", ["cancel", "stop"])
def test_a_job_resumed_here_does_not_end_by_what_was_asked_of_it_before(tmp_path, asked):
    folder = prepared(tmp_path, greeting="again")
    (folder / asked).touch()
    assert jobs.run(folder, counting)["steps"] == 3
    assert jobs.view(folder).state == "done" and not (folder / asked).exists()


def test_a_cancel_between_the_start_and_the_first_word_of_the_process_counts(tmp_path):
    folder = prepared(tmp_path, greeting="too late")
    (folder / "cancel").touch()  # since `start` began it
    with pytest.raises(Cancelled):
        jobs.run_started(folder, counting)


def test_a_second_worker_on_the_same_job_is_refused(tmp_path):
    folder = prepared(tmp_path)

    def tries_again(config, folder, emit):
        with pytest.raises(WorkbenchError, match="running already"):
            jobs.start(folder)
        return {}

    jobs.run(folder, tries_again)


def test_a_torn_last_line_is_left_out(tmp_path):
    folder = prepared(tmp_path)
    (folder / "events.jsonl").write_text('{"at": 1, "state": "running"}\n{"at": 2, "frac')
    assert list(jobs.events(folder)) == [{"at": 1, "state": "running"}]


def test_a_process_that_fails_on_its_own_says_why(tmp_path):
    folder = prepared(tmp_path, "scan", project=str(tmp_path / "nowhere"))
    jobs.start(folder)
    view = wait_for(folder, "failed", "done", "lost")
    assert view.state == "failed" and "No Winnow project" in view.message


def test_a_killed_process_is_lost_and_never_running_and_can_be_resumed(tmp_path):
    from pipelines.store.project import Project

    project = Project.create(tmp_path / "project")
    folder = prepared(tmp_path, "scan", project=str(project.folder))
    (tmp_path / "hold.fifo").unlink(missing_ok=True)
    os.mkfifo(tmp_path / "hold.fifo")
    (project.records_folder).mkdir()
    # A scan that opens this part waits for ever on the pipe, as real work would on a slow disk.
    os.rename(tmp_path / "hold.fifo", project.records_folder / "0001-test-00000.parquet")
    jobs.start(folder)
    wait_for(folder, "running")
    while not (folder / "pid").exists():
        time.sleep(0.02)
    os.kill(int((folder / "pid").read_text()), signal.SIGKILL)
    assert wait_for(folder, "lost").message == jobs.LOST
    (project.records_folder / "0001-test-00000.parquet").unlink()
    jobs.start(folder)
    assert "no rows to scan" in wait_for(folder, "failed", "done").message


def test_cancel_of_a_process_that_does_not_listen_ends_its_group(tmp_path):
    from pipelines.store.project import Project

    project = Project.create(tmp_path / "project")
    folder = prepared(tmp_path, "scan", project=str(project.folder))
    project.records_folder.mkdir()
    os.mkfifo(project.records_folder / "0001-test-00000.parquet")
    jobs.start(folder)
    wait_for(folder, "running")
    jobs.cancel(folder, wait_seconds=0.5)
    assert wait_for(folder, "cancelled").state == "cancelled"
    deadline = time.time() + 10
    while jobs.is_running(folder) and time.time() < deadline:
        time.sleep(0.05)
    assert not jobs.is_running(folder)


def test_the_config_is_kept_as_given(tmp_path):
    folder = prepared(tmp_path, "scan", checks=["mojibake"], note="Grüße")
    assert jobs.read_config(folder) == {"checks": ["mojibake"], "note": "Grüße"}
    assert json.loads((folder / "config.json").read_text())["title"] == "A job"
