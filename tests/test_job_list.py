"""The list of a project's jobs, with real folders and processes."""

import shutil
import time
from pathlib import Path

import pytest

from pipelines import jobs
from pipelines.errors import WorkbenchError
from pipelines.job_list import add_job, find_job, list_job, list_jobs, start_job
from pipelines.store.project import Project


def wait(project, id, seconds=30):
    deadline = time.time() + seconds
    while not (seen := find_job(project, id)).is_finished and time.time() < deadline:
        time.sleep(0.1)
    return seen


def test_a_started_job_is_listed_and_tells_why_it_failed(project):
    folder = start_job(project, "scan", {}, "Scan")
    assert wait(project, folder.name).state == "failed"
    assert "no rows to scan" in find_job(project, folder.name).message
    assert [job.id for job in list_jobs(project)] == [folder.name]


def test_newest_job_comes_first_and_kinds_can_be_asked_for(project):
    first = add_job(project, "scan", {}, "Scan")
    second = add_job(project, "snapshot", {}, "Freeze")
    assert [job.id for job in list_jobs(project)] == [second.name, first.name]
    assert [job.title for job in list_jobs(project, kind="snapshot")] == ["Freeze"]


def test_a_job_with_a_place_of_its_own_is_listed_by_its_path_in_the_project(project):
    folder = add_job(project, "train", {}, "Train", folder=project.runs_folder / "run-1")
    assert find_job(project, "run-1").folder == folder
    list_job(project, folder, "train", "Train")
    assert len(list_jobs(project)) == 1


def test_a_job_whose_folder_is_gone_is_lost(project):
    folder = add_job(project, "scan", {}, "Scan")
    shutil.rmtree(folder)
    (seen,) = list_jobs(project)
    assert seen.state == "lost" and "deleted" in seen.message


def test_an_unknown_job_is_an_error_that_names_it(project):
    with pytest.raises(WorkbenchError, match="scan-nowhere"):
        find_job(project, "scan-nowhere")


def test_the_job_knows_its_project(project):
    assert jobs.read_config(add_job(project, "scan", {"checks": ["a"]}, "Scan")) == {"project": str(project.folder), "checks": ["a"]}


@pytest.mark.parametrize("place", ["jobs", "runs"])
def test_a_job_of_a_copied_project_works_in_the_copy(project, tmp_path, place):
    add_job(project, "scan", {"checks": ["a"]}, "Scan", folder=project.folder / place / "job-1")
    shutil.copytree(project.folder, tmp_path / "copy")
    copied = find_job(Project.open(tmp_path / "copy"), "job-1").folder
    asked = {}
    jobs.run(copied, lambda config, folder, emit: asked.update(config) or {})
    assert asked == {"project": str(tmp_path / "copy"), "checks": ["a"]}


def test_a_job_outside_any_project_works_in_the_one_it_names(project, tmp_path):
    folder = jobs.prepare(tmp_path / "elsewhere" / "job-1", "scan", {"project": str(project.folder)})
    assert Path(jobs.read_config(folder)["project"]) == project.folder
