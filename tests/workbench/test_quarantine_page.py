"""The Data page lists what was set aside, mends a row, tries all again, and takes mappings and roles from the visitor."""

import json

import pytest

from pipelines.records import content_hash
from pipelines.sources.ingest import import_source
from pipelines.sources.mappings import SavedMapping, save_mapping, saved_mappings
from pipelines.sources.quarantine_index import QuarantineIndex
from pipelines.store.project import Project
from tests.sources.test_ingest import A, B, prompts, write
from tests.workbench.app_test import open_page, text_of
from tests.workbench.browser import Server, chromium

GERMAN = [{"frage": f"F{i}", "antwort": f"W{i}"} for i in range(3)]
BROKEN = '{"question": "Qx", "answer": "the "best" one"}'


@pytest.fixture
def home(tmp_path, monkeypatch):
    home = tmp_path / "projects"
    home.mkdir()
    monkeypatch.setenv("WINNOW_HOME", str(home))
    monkeypatch.delenv("WINNOW_PROJECT", raising=False)
    return home


@pytest.fixture
def mixed(home, tmp_path):
    project = Project.create(home / "mixed")
    import_source(project, write(tmp_path / "a.jsonl", A, *GERMAN, BROKEN))
    return project


def frames(app) -> list:
    return [element.value for element in app.dataframe]


def open_reason(app, project: Project, place: int, row: int | None = None):
    """Ticks a reason, and a row of it, as a click does. Streamlit keeps ticks under keys that hold what is shown."""
    source = project.sources()[0]
    index = QuarantineIndex(project, source)
    groups = sorted(index.groups(), key=lambda group: -group.rows)
    ticked = {"selection": {"rows": [place], "columns": [], "cells": []}}
    app.session_state[f"reasons-{content_hash([[source['id'], group.file, group.kind] for group in groups])}"] = ticked
    if row is not None:
        key = content_hash([source["id"], groups[place].file, groups[place].kind])[:12]
        entries = index.page(groups[place], limit=50)
        app.session_state[f"rows-{key}-{content_hash([entry.line for entry in entries])}"] = {
            "selection": ticked["selection"] | {"rows": [row]}
        }
    return app.run()


def test_reasons_are_listed_with_counts_that_add_up(mixed):
    app = open_page("data", {"project": "mixed"})
    assert not app.exception
    sources, reasons = frames(app)[:2]
    assert sources[["Rows read", "New", "Set aside"]].to_numpy().tolist() == [[5, 1, 4]]
    assert reasons["Rows"].tolist() == [3, 1]
    assert "4 rows could not be read" in text_of(app)


def test_a_row_shows_the_place_of_its_fault_and_what_it_would_be_read_as_and_comes_in(mixed):
    app = open_reason(open_page("data", {"project": "mixed"}), mixed, 1, 0)
    assert not app.exception
    assert '<pre class="fault">' in text_of(app) and "<mark>b</mark>est" in text_of(app)
    (area,) = app.text_area
    assert area.value == BROKEN
    area.set_value(BROKEN.replace('"best"', "best")).run()
    assert "It would be read as: **Question and answer**" in text_of(app)
    next(button for button in app.button if button.label == "Bring it in").click().run()
    assert not app.exception
    assert prompts(mixed) == [(0, "Qa"), (1, "Qx")]
    app = open_page("data", {"project": "mixed"})
    assert frames(app)[0][["Rows read", "New", "Mended", "Set aside"]].to_numpy().tolist() == [[5, 1, 1, 3]]
    mended = next(frame for frame in frames(app) if "As it came" in frame)
    assert mended["As it came"].tolist() == [BROKEN]


def test_a_text_that_cannot_be_read_cannot_be_brought_in(mixed):
    app = open_reason(open_page("data", {"project": "mixed"}), mixed, 1, 0)
    assert next(button for button in app.button if button.label == "Bring it in").disabled
    app.text_area[0].set_value("<script>alert(1)</script>").run()
    assert "<script>" not in text_of(app).replace("&lt;script&gt;", "")
    assert next(button for button in app.button if button.label == "Bring it in").disabled


def test_the_retry_form_says_how_many_of_the_first_rows_could_be_read(mixed):
    save_mapping(mixed, SavedMapping("german", "qa", {"question": "frage", "answer": "antwort"}, {}, ("frage", "antwort")))
    app = open_page("data", {"project": "mixed"})
    assert not app.exception
    assert next(box for box in app.selectbox if box.label == "Saved mapping").value == "german"
    assert "**3 of the first 4 rows** that wait could then be read." in text_of(app)


def test_unknown_roles_are_asked_for_and_saved_with_the_mapping(home, tmp_path):
    project = Project.create(home / "empty")
    row = {"messages": [{"role": "Customer", "content": "Q"}, {"role": "agent", "content": "A"}]}
    path = write(tmp_path / "a.jsonl", row)
    app = open_page("data", {"project": "empty"}, run=False)
    app.session_state[f"source-{project.folder}"] = str(path)
    app.run()
    assert not app.exception
    roles = {box.label: box for box in app.selectbox if box.label in ("Customer", "agent")}
    roles["Customer"].set_value("user").run()
    next(box for box in app.selectbox if box.label == "agent").set_value("assistant").run()
    assert frames(app)[0][["Question", "Answer"]].to_numpy().tolist() == [["Q", "A"]]
    next(field for field in app.text_input if field.label == "Name").set_value("support").run()
    next(button for button in app.button if button.label == "Save").click().run()
    assert not app.exception
    assert saved_mappings(project) == [SavedMapping("support", "auto", {}, {"customer": "user", "agent": "assistant"}, ("messages",))]
    again = open_page("data", {"project": "empty"}, run=False)
    again.session_state[f"source-{project.folder}"] = str(path)
    again.run()
    assert next(box for box in again.selectbox if box.label == "Saved mapping").value == "support", "offered for a file with its columns"
    assert frames(again)[0][["Question", "Answer"]].to_numpy().tolist() == [["Q", "A"]]


def test_a_project_without_rows_set_aside_shows_no_list(home, tmp_path):
    project = Project.create(home / "clean")
    import_source(project, write(tmp_path / "a.jsonl", A, B))
    app = open_page("data", {"project": "clean"})
    assert "Set aside" not in [heading.value for heading in app.subheader]


@pytest.mark.browser
def test_a_row_is_mended_in_the_browser(mixed, home):
    with chromium() as browser:
        server = Server(home)
        server.start()
        try:
            page = browser.new_page(viewport={"width": 1280, "height": 2400})
            page.goto(f"http://127.0.0.1:{server.port}/?project=mixed")
            for table, row in ((1, 1), (2, 0)):
                box = page.locator('[data-testid="stDataFrame"]').nth(table)
                box.wait_for(timeout=60_000)
                page.wait_for_timeout(1500)
                place = box.bounding_box()
                page.mouse.click(place["x"] + 16, place["y"] + 35 * (row + 1) + 17)
            field = page.locator(".st-key-mend textarea")
            field.wait_for(timeout=60_000)
            field.fill(json.dumps({"question": "typed", "answer": "in the browser"}))
            field.press("Control+Enter")
            page.get_by_text("It would be read as").wait_for(timeout=60_000)
            page.get_by_role("button", name="Bring it in").click()
            page.get_by_text("1 row of “a.jsonl” mended").wait_for(timeout=60_000)
        finally:
            server.kill()
    assert prompts(mixed) == [(0, "Qa"), (1, "typed")]
