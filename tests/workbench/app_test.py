"""The app under Streamlit's own test harness, and a small project whose every row a reader can judge."""

from collections.abc import Callable, Mapping
from pathlib import Path

from pipelines.store.project import Project
from tests.conftest import chat
from tests.curation.measured import measure, place

APP = Path(__file__).resolve().parents[2] / "workbench" / "app.py"
PAGES = ("data", "report", "explore", "review", "curate", "train", "evaluate", "rules")
RECORDS = [
    chat("How long may I return shoes?", "Thirty days."),
    chat("How long may I return shoes? Please.", "Thirty days from delivery."),
    chat("Who are you?", "As an AI language model I cannot say. As an AI language model I am sorry."),
    chat("Write to [Name] of <b>Acme</b>", "Dear [Name], ![logo](https://example.com/pixel.png)"),
    chat("Is the shop open?", "As an AI language model I do not know."),
    chat("What is 2 + 2?", ""),
]


def fill_small(project: Project, fill: Callable[[Project, list], list[str]]) -> list[str]:
    """Six rows, three kinds of findings, two topics, and a source of eight rows of which one was set aside and one merged."""
    import json

    import sqlalchemy as sa

    from pipelines.store import database as db

    ids = fill(project, RECORDS)
    span = [{"turn": 1, "start": 0, "end": 23, "note": "a stock phrase"}]
    measure(project, "ai_boilerplate", dict(zip(ids, [0.0, 0.0, 2.0, 0.0, 1.0, 0.0], strict=True)), {ids[2]: span, ids[4]: span})
    measure(project, "empty_turn", dict(zip(ids, [0.0, 0.0, 0.0, 0.0, 0.0, 1.0], strict=True)))
    measure(project, "placeholder", dict(zip(ids, [0.0, 0.0, 0.0, 1.0, 0.0, 0.0], strict=True)))
    place(project, dict(zip(ids, [0, 0, 1, 1, 1, 1], strict=True)), {0: "shoes, return", 1: "shop, <i>open</i>"})
    project.quarantine_folder.mkdir()
    rejected = {"file": "test.jsonl", "row": 7, "reason": "The answer is missing.", "raw": '{"q": "<script>alert(1)</script>"}'}
    (project.quarantine_folder / "0001.jsonl").write_text(json.dumps(rejected) + "\n", encoding="utf-8")
    source = {
        "sha256": "0" * 64, "name": "test.jsonl", "kept": "sources/0/test.jsonl", "format": "qa", "mapping": {}, "rows_read": 8, "records": 6,
        "duplicate_rows": 1, "rejected": 1, "quarantine": "quarantine/0001.jsonl", "at": db.now(),
    }  # fmt: skip
    with project.database.write() as connection:
        connection.execute(sa.insert(db.sources).values(**source))
    return ids


def open_page(page: str, query: Mapping[str, str] | None = None, *, run: bool = True):
    """A page of the app, drawn once."""
    from streamlit.testing.v1 import AppTest
    from streamlit.util import calc_hash

    app = AppTest.from_file(str(APP), default_timeout=60)
    app.query_params |= dict(query or {})
    app._page_hash = calc_hash(page)  # AppTest opens pages by file; ours are functions, told apart by this hash of their URL path
    return app.run() if run else app


def text_of(app) -> str:
    """All the words of a page that AppTest can see."""
    kinds = (app.title, app.header, app.subheader, app.markdown, app.caption, app.text, app.error, app.warning, app.html)
    return "\n".join(str(element.value) for elements in kinds for element in elements)
