"""The report asks what an unknown role is, and mends the rows as the visitor says."""

import pytest

from pipelines.records import Message, Record
from pipelines.scan import scan
from pipelines.store.project import Project
from tests.workbench.app_test import open_page, text_of


def talk(*said: str) -> Record:
    return Record(tuple(Message(*one.split(":", 1)) for one in said))


@pytest.fixture
def app(tmp_path, fill, monkeypatch):
    monkeypatch.setenv("WINNOW_HOME", str(tmp_path))
    project = Project.create(tmp_path / "desk")
    fill(
        project,
        [
            talk("customer:Is it open?", "agent_*bot*:Yes."),
            talk("customer:Is it far?", "agent_*bot*:No."),
            talk("user:Hello", "assistant:Hi."),
        ],
    )
    scan(project, checks=["unknown_role", "role_order"])
    return open_page("report", {"project": "desk"})


def test_the_visitor_says_who_speaks_and_sees_how_many_rows_that_mends(app):
    app.button(key="fix-unknown_role").click().run()
    assert not app.exception
    labels = {box.label: box.value for box in app.selectbox if "in 2 rows" in box.label}
    assert labels == {r"agent\_\*bot\*, in 2 rows": "", "customer, in 2 rows": "user"}
    assert "It mends no row yet: say above what each of its roles is." in text_of(app)
    app.selectbox(key="fix-role-agent_*bot*").select("assistant")
    app.button(key="fix-unknown_role").click().run()  # the whole page runs again here; in a browser, the dialog alone does
    assert not app.exception
    assert "It mends **2** of 2 undecided rows." in text_of(app)
