"""The main job in the browser, as a newcomer does it: upload, scan, review, freeze, train, look at the chart, ask the model."""

import json
import re
import time
import zipfile
from pathlib import Path

import pytest

from pipelines import jobs
from pipelines.curation.decisions import log
from pipelines.curation.snapshot import list_snapshots
from pipelines.job_list import list_jobs
from pipelines.store.project import Project
from tests.workbench.browser import Server, chromium, open_card, type_keys, wait_until_saved

SAMPLE = Path(__file__).resolve().parents[2] / "data" / "sample" / "tickets.jsonl"
ROWS = 80

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(1500)]


def wait_for(what, seconds: float = 300):
    """The first true value of `what()`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := what():
            return found
        time.sleep(0.3)
    raise AssertionError(f"not within {seconds} s: {what}")


def finished(project: Project, kind: str):
    """The newest job of a kind once it has ended well."""

    def look():
        newest = next(iter(list_jobs(project, kind=kind, limit=1)), None)
        assert newest is None or newest.state not in ("failed", "lost", "cancelled"), newest
        return newest if newest and newest.state == "done" else None

    return look


def test_the_whole_job_from_an_uploaded_file_to_a_conversation(tmp_path):
    file = tmp_path / "export.jsonl"
    file.write_bytes(b"\n".join(SAMPLE.read_bytes().splitlines()[:ROWS]))
    home = tmp_path / "projects"
    project = Project.create(home / "tickets")
    server = Server(home)
    server.start()
    try:
        with chromium() as browser:
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.set_default_timeout(60_000)
            address = f"http://127.0.0.1:{server.port}"

            page.goto(f"{address}/?project=tickets")
            page.locator('input[type="file"]').set_input_files(file)
            page.locator(".st-key-import button").click()
            imported = wait_for(finished(project, "import")).result
            assert imported["rows_read"] == imported["records"] + imported["duplicate_rows"] + imported["rejected"] == ROWS

            page.locator(".st-key-scan button").click()
            assert wait_for(finished(project, "scan")).result["records"] == imported["records"]
            page.goto(f"{address}/report?project=tickets")
            page.get_by_role("heading", name="What to do next").wait_for()

            open_card(page, server.url(project, "&order=import"))
            type_keys(page, "kdkfkkdkkkdkkkk", per_second=10)
            server.kill()
            type_keys(page, "kkdkfkkdkkkdkkk", per_second=10)
            server.start()
            wait_until_saved(page, seconds=90)
            decided = [event for event in log(project) if event["verdict"] in ("keep", "drop", "flag")]
            assert len(decided) == 30 and len({event["record"] for event in decided}) == 30
            assert "".join(event["verdict"][0] for event in decided) == "kdkfkkdkkkdkkkk" + "kkdkfkkdkkkdkkk"

            page.goto(f"{address}/curate?project=tickets")
            page.locator(".st-key-freeze button").click()
            wait_for(finished(project, "snapshot"))
            (snapshot,) = list_snapshots(project)
            assert snapshot["groups_crossing"] == 0

            page.get_by_role("button", name="Export").first.click()
            with page.expect_download() as download:
                page.locator(f".st-key-export-{snapshot['id']}-csv button").click()
            with zipfile.ZipFile(download.value.path()) as archive:
                assert "train.csv" in archive.namelist() and len(archive.read("train.csv").splitlines()) > ROWS // 3

            page.goto(f"{address}/train?project=tickets&snapshot={snapshot['id']}")
            page.get_by_text("Settings", exact=True).click()
            steps = page.get_by_label("Steps", exact=True)
            steps.fill("5")
            steps.press("Enter")
            train = page.locator(".st-key-train button:not([disabled])")
            train.wait_for(timeout=180_000)
            train.click()
            page.locator('[data-testid="stVegaLiteChart"]').first.wait_for(timeout=400_000)
            run = wait_for(finished(project, "train"), seconds=900).result
            assert run["steps"] == 5 and (Path(run["adapter"]) / "adapter_model.safetensors").is_file()
            assert json.loads((Path(run["adapter"]).parent / "run.json").read_text())["result"]["ledger"] == run["ledger"]

            page.goto(f"{address}/evaluate?project=tickets&run={run['run']}")
            page.get_by_text("Ask both models something").click()
            page.get_by_label("Question", exact=True).fill("my site is down, please help")
            page.get_by_role("button", name=re.compile("Ask both")).click()
            page.get_by_text("You: my site is down, please help").wait_for()
            wait_for(
                lambda: page.locator('[data-testid="stText"]').count() >= 3 and not page.get_by_text("Loading the model").count(),
                seconds=300,
            )
            page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for(timeout=300_000)
            said = page.locator('[data-testid="stText"]').all_inner_texts()
            assert len([text for text in said if text.strip()]) >= 3, said
            assert page.locator('[data-testid="stException"]').count() == 0
    finally:
        server.kill()
        for job in list_jobs(project):
            if not job.is_finished:
                jobs.cancel(job.folder)
