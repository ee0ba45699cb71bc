"""Every page, drawn by the real app, on no project, an empty one, a small one and broken ones."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.store.project import Project
from tests.workbench.app_test import PAGES, fill_small, open_page, text_of

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def home(tmp_path, monkeypatch):
    home = tmp_path / "projects"
    home.mkdir()
    monkeypatch.setenv("WINNOW_HOME", str(home))
    monkeypatch.delenv("WINNOW_PROJECT", raising=False)
    monkeypatch.chdir(tmp_path)
    return home


@pytest.fixture
def small(home, fill):
    project = Project.create(home / "small")
    fill_small(project, fill)
    return project


@pytest.mark.parametrize("page", PAGES)
def test_without_a_project_every_page_says_where_to_begin(home, page):
    app = open_page(page)
    assert not app.exception
    assert "project" in text_of(app).lower()


@pytest.mark.parametrize("page", PAGES)
def test_an_empty_project_leads_to_adding_data(home, page):
    Project.create(home / "empty")
    app = open_page(page, {"project": "empty"})
    assert not app.exception
    assert "Add the file" in text_of(app) or "Bring in a file first" in text_of(app)


@pytest.mark.parametrize("page", PAGES)
def test_every_page_shows_a_small_project(small, page):
    app = open_page(page, {"project": "small"})
    assert not app.exception and not app.error
    assert "**6** rows" in text_of(app)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("broken", ["project.db", "records", "measurements", "features"])
def test_a_damaged_file_becomes_a_sentence_not_a_traceback(small, page, broken):
    target = small.folder / broken
    for file in [target] if target.is_file() else [f for f in target.rglob("*") if f.is_file()]:
        file.write_bytes(b"not what it was")
    app = open_page(page, {"project": "small"})
    assert not app.exception
    assert app.error or broken == "features" or page in ("train", "evaluate", "data", "rules")


def test_the_report_leads_to_the_rows_of_a_finding(small):
    app = open_page("report", {"project": "small"})
    assert "Serious" in text_of(app) and "**2** of 6 rows" in text_of(app)
    assert any(link.label == "Review these 2 rows" for link in app.get("page_link"))


def test_moving_the_line_changes_the_count_and_measures_nothing(small):
    measured = {f: f.stat().st_mtime_ns for f in small.measurements_folder.rglob("*.parquet")}
    app = open_page("report", {"project": "small"})
    app.session_state["details-ai_boilerplate"] = True
    app.run()
    app.slider(key="threshold-ai_boilerplate").set_value(1.0).run()
    assert not app.exception
    assert small.setting("recipe")["thresholds"] == {"ai_boilerplate": 1.0}
    assert "**1** of 6 rows" in text_of(app)
    app.button(key="usual-ai_boilerplate").click().run()
    assert small.setting("recipe")["thresholds"] == {} and "**2** of 6 rows" in text_of(app)
    assert {f: f.stat().st_mtime_ns for f in small.measurements_folder.rglob("*.parquet")} == measured


def test_a_check_switched_off_can_be_switched_on_again(small):
    app = open_page("report", {"project": "small"})
    app.session_state["details-placeholder"] = True
    app.run()
    app.button(key="off-placeholder").click().run()
    assert small.setting("recipe")["disabled"] == ["placeholder"]
    app.button(key="on-placeholder").click().run()
    assert small.setting("recipe")["disabled"] == []


def test_dropping_all_asks_first_and_is_taken_back_as_a_whole(small):
    from pipelines.curation.decisions import verdicts

    app = open_page("explore", {"project": "small", "search": "shoes"})
    app.button(key="filter-drop").click().run()
    assert verdicts(small).num_rows == 0, "asking decides nothing"
    app.button(key="bulk-confirm").click().run()
    assert verdicts(small).column("verdict").to_pylist() == ["drop", "drop"]
    app.run()
    undo = next(button for button in app.button if button.label == "Undo")
    undo.click().run()
    assert not app.exception and verdicts(small).num_rows == 0


def test_a_search_that_finds_nothing_says_what_to_do(small):
    assert "Take out a word" in text_of(open_page("explore", {"project": "small", "search": "zebra"}))


def test_a_damaged_link_shows_all_rows_and_says_so(small):
    app = open_page("explore", {"project": "small", "cluster": "first"})
    assert not app.exception and "damaged" in text_of(app) and "6 rows" in text_of(app)


def test_the_recipe_is_saved_as_it_is_changed_and_the_funnel_adds_up(small):
    app = open_page("curate", {"project": "small"})
    assert "Freeze snapshot of 5 rows" in [button.label for button in app.button]
    app.slider(key="recipe-split").set_value((60, 80)).run()
    app.radio(key="recipe-undecided").set_value("drop").run()
    assert not app.exception
    stored = small.setting("recipe")
    assert stored["split"] == pytest.approx([0.6, 0.2, 0.2]) and stored["undecided"] == "drop"
    assert "Nobody decided" in text_of(app) and "nothing to train on" in text_of(app)


def test_rows_set_aside_are_shown_with_their_reason(small):
    app = open_page("data", {"project": "small"})
    tables = [table.value for table in app.dataframe]
    assert any("The answer is missing." in table.to_string() for table in tables)
    counts = next(table for table in tables if "Rows read" in table)
    assert (counts["Rows read"] == counts["New"] + counts["Merged repeats"] + counts["Set aside"]).all()


def test_a_project_is_made_and_opened(home):
    app = open_page("data")
    app.text_input[-1].set_value("Leases 2026")
    next(b for b in app.get("button") if b.label == "Create project" and "welcome" in b.form_id).click()
    app.run()
    assert Project(home / "Leases 2026").exists


def test_the_server_process_never_loads_a_model_library(small):
    """All pages in a fresh process: an import here would make every start slow and hold memory for good."""
    script = """
import sys
from tests.workbench.app_test import PAGES, open_page
for page in PAGES:
    assert not open_page(page, {"project": "small"}).exception, page
print(sorted({"torch", "transformers", "trl", "peft", "sentence_transformers", "sklearn", "numba", "faiss"} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip().splitlines()[-1] == "[]"
