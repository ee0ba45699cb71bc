"""Which project is shown, and that no input from outside leads out of the projects folder."""

import pytest

from pipelines.errors import WorkbenchError
from pipelines.store.project import Project
from tests.workbench.app_test import open_page, text_of
from workbench import context
from workbench.incoming import forget, keep_upload


@pytest.fixture
def home(tmp_path, monkeypatch):
    home = tmp_path / "projects"
    home.mkdir()
    monkeypatch.setenv("WINNOW_HOME", str(home))
    monkeypatch.delenv("WINNOW_PROJECT", raising=False)
    return home


@pytest.mark.parametrize("name", ["../outside", "a/b", "", " ", ".hidden", "..", "a\\b", "x" * 65, "name.", "\x00"])
def test_a_name_that_is_no_plain_name_makes_no_project(home, name):
    with pytest.raises(WorkbenchError):
        context.create_project(name)
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("name", ["contracts-2026", "Mietverträge", "契約", "a b.c_d"])
def test_names_of_all_scripts_make_projects(home, name):
    assert context.create_project(name).folder == home / name
    assert context.project_names() == [name]


def test_a_name_is_taken_once(home):
    context.create_project("a")
    with pytest.raises(WorkbenchError, match="already"):
        context.create_project("a")


@pytest.mark.parametrize("wish", ["../outside", "/etc", "small/../../outside"])
def test_a_url_cannot_name_a_folder_outside(home, tmp_path, wish):
    Project.create(tmp_path / "outside")
    Project.create(home / "a")
    Project.create(home / "b")
    assert context.project_named(wish) is None
    app = open_page("data", {"project": wish})
    assert not app.exception and "Welcome" in text_of(app)


def test_a_link_out_of_the_projects_folder_is_not_followed(home, tmp_path):
    Project.create(tmp_path / "outside")
    (home / "linked").symlink_to(tmp_path / "outside")
    assert context.project_names() == []


def test_one_served_project_is_the_only_one(tmp_path, monkeypatch):
    monkeypatch.delenv("WINNOW_HOME", raising=False)
    Project.create(tmp_path / "one")
    Project.create(tmp_path / "two")
    monkeypatch.setenv("WINNOW_PROJECT", str(tmp_path / "one"))
    assert context.project_names() == ["one"]
    with pytest.raises(WorkbenchError, match="one project only"):
        context.create_project("three")


def test_the_served_project_comes_first_among_those_beside_it(home, monkeypatch):
    for name in "ab":
        Project.create(home / name)
    monkeypatch.setenv("WINNOW_PROJECT", str(home / "b"))
    app = open_page("data")
    assert app.query_params["project"] in ("b", ["b"])


def test_paths_are_typed_at_this_machine_only():
    assert not context.is_local(), "outside a server on the loopback address nobody is known to sit here"


@pytest.mark.parametrize("name", ["../../evil.jsonl", "/etc/passwd", "C:\\x\\y.csv", "..", "a\x00b.csv", ""])
def test_an_upload_lands_inside_the_project_whatever_its_name(project, tmp_path, name):
    import io

    kept = keep_upload(project, name, io.BytesIO(b"rows"))
    assert kept.resolve().is_relative_to(project.folder / "incoming") and kept.read_bytes() == b"rows"
    forget(project, kept)
    assert not kept.exists() and list((project.folder / "incoming").iterdir()) == []


def test_forgetting_touches_nothing_outside_the_incoming_folder(project):
    kept = project.folder / "sources" / "x" / "original.jsonl"
    kept.parent.mkdir(parents=True)
    kept.write_text("rows")
    forget(project, kept)
    assert kept.exists()
