import sqlite3
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from pipelines.errors import WorkbenchError
from pipelines.store import database as db
from pipelines.store.project import Project


def test_a_database_of_every_released_schema_opens_with_its_decisions(tmp_path):
    """The file is what release 1 wrote, table by table; it must open unchanged in every later release."""
    file = tmp_path / "project.db"
    with sqlite3.connect(file) as connection:
        connection.executescript((Path(__file__).parent / "schema_1.sql").read_text())
    opened = db.Database(f"sqlite:///{file}")
    with opened.read() as connection:
        assert connection.execute(sa.select(db.decisions.c.verdict)).scalars().all() == ["drop"]
        assert connection.execute(sa.select(db.schema_version.c.version)).scalar() == db.VERSION


def test_a_fresh_database_has_the_columns_that_the_code_names(tmp_path):
    opened = db.Database(f"sqlite:///{tmp_path / 'project.db'}")
    inspected = sa.inspect(opened.engine)
    for table in db.metadata.sorted_tables:
        assert {c["name"] for c in inspected.get_columns(table.name)} == {c.name for c in table.columns}


def test_a_database_of_a_newer_release_is_refused_not_damaged(tmp_path):
    url = f"sqlite:///{tmp_path / 'project.db'}"
    with db.Database(url).write() as connection:
        connection.execute(sa.update(db.schema_version).values(version=99))
    with pytest.raises(WorkbenchError, match="newer version of Winnow"):
        db.Database(url)


def test_writers_on_many_threads_all_get_their_turn(tmp_path):
    opened = db.Database(f"sqlite:///{tmp_path / 'project.db'}")

    def write(number: int) -> None:
        with opened.write() as connection:
            connection.execute(sa.insert(db.settings).values(key=f"k{number}", value=number))

    threads = [threading.Thread(target=write, args=(n,)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with opened.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(db.settings)).scalar() == 20


def test_a_failed_transaction_leaves_nothing_behind(tmp_path):
    opened = db.Database(f"sqlite:///{tmp_path / 'project.db'}")
    with pytest.raises(RuntimeError), opened.write() as connection:
        connection.execute(sa.insert(db.settings).values(key="half", value=1))
        raise RuntimeError
    with opened.read() as connection:
        assert connection.execute(sa.select(db.settings)).all() == []


def test_a_folder_that_holds_other_things_is_not_made_a_project(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(WorkbenchError, match="is not empty and not a Winnow project"):
        Project.create(tmp_path)


def test_settings_come_back_as_they_were(project):
    project.set_setting("recipe", {"seed": 3})
    project.set_setting("recipe", {"seed": 4})
    assert Project.open(project.folder).setting("recipe") == {"seed": 4}
    assert project.setting("nothing", "default") == "default"


def test_a_migrated_database_has_the_columns_of_a_fresh_one(tmp_path):
    file = tmp_path / "project.db"
    with sqlite3.connect(file) as connection:
        connection.executescript((Path(__file__).parent / "schema_1.sql").read_text())
    inspected = sa.inspect(db.Database(f"sqlite:///{file}").engine)
    for table in db.metadata.sorted_tables:
        assert {c["name"] for c in inspected.get_columns(table.name)} == {c.name for c in table.columns}


def test_every_project_has_a_database_of_its_own_whatever_the_environment_says(tmp_path, monkeypatch):
    monkeypatch.setenv("WINNOW_DATABASE_URL", f"sqlite:///{tmp_path / 'shared.db'}")
    one, two = (Project.create(tmp_path / name) for name in ("one", "two"))
    one.set_setting("recipe", {"drop": []})
    assert two.setting("recipe") is None and Project.open(one.folder).setting("recipe") == {"drop": []}
