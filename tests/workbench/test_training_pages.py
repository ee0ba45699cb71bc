"""Train and Evaluate: a run as its folder tells it, and what a comparison showed, without training anything."""

import hashlib
import json

import pyarrow as pa
import pytest

from pipelines import jobs
from pipelines.curation.snapshot import build_snapshot
from pipelines.evaluation.intervals import verdict
from pipelines.evaluation.metrics import Answer, estimate, estimate_difference, metrics_for
from pipelines.job_list import list_job
from pipelines.store.project import Project
from pipelines.store.tables import write_parquet
from pipelines.training.config import default_config
from tests.workbench.app_test import fill_small, open_page, text_of
from tests.workbench.test_jobs_on_pages import tell
from workbench.evaluation_panel import headline

EXPECTED = ['{"category": "billing"}', '{"category": "ssl"}', '{"category": "email"}'] * 6
BEFORE = ["I am sorry."] * 18
AFTER = [*EXPECTED[:17], '{"category": "sales"}']


@pytest.fixture
def trained(tmp_path, monkeypatch, fill):
    """A project with a snapshot, a finished run and its comparison."""
    monkeypatch.setenv("WINNOW_HOME", str(tmp_path))
    monkeypatch.delenv("WINNOW_PROJECT", raising=False)
    project = Project.create(tmp_path / "small")
    fill_small(project, fill)
    snapshot = build_snapshot(project)["id"]
    config = default_config(snapshot, 4).config.to_json()
    folder = jobs.prepare(project.runs_folder / "run-1", "train", {"project": str(project.folder)} | config, "Train on <b>it</b>")
    list_job(project, folder, "train", "Train on <b>it</b>")
    ledger = {"rows_in": 4, "trained": 3, "dropped": 1, "truncated": 0}
    result = {"run": "run-1", "status": "finished", "steps": 2, "tokens": 99, "seconds": 61.0, "ledger": ledger, "adapter": "adapter"}
    tell(folder, {"state": "running"}, {"step": 1, "loss": 2.0}, {"step": 2, "loss": 1.0}, {"step": 2, "eval_loss": 1.5})
    tell(folder, {"state": "done", "fraction": 1.0, "result": result})
    (folder / "run.json").write_text(json.dumps({"config": config, "snapshot": {"id": snapshot}, "result": result}))
    (folder / "adapter").mkdir()
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        (folder / "adapter" / name).write_text("")
    write_evaluation(folder / "evaluations" / "e1")
    return project


def write_evaluation(folder):
    metrics = metrics_for(EXPECTED)
    before, after = ([Answer(text, True, loss, 5) for text in texts] for texts, loss in ((BEFORE, 2.0), (AFTER, 1.0)))
    scores = {
        side: {m.name: [m.score(want, got) for want, got in zip(EXPECTED, answers, strict=True)] for m in metrics}
        for side, answers in (("before", before), ("after", after))
    }
    columns = {"id": [str(n) for n in range(18)], "prompt": [f"Question {n}" for n in range(18)], "expected": EXPECTED}
    columns |= {"before": BEFORE, "after": AFTER}
    columns |= {f"{side}.{name}": pa.array(values, pa.float64()) for side in scores for name, values in scores[side].items()}
    write_parquet(pa.table(columns), folder / "answers.parquet")
    differences = {m.name: estimate_difference(m, scores["before"][m.name], scores["after"][m.name], range(18)) for m in metrics}
    found = {
        "id": "e1", "run": "run-1", "adapter_sha256": hashlib.sha256(b"").hexdigest(), "on": None, "on_name": "test", "n": 18, "rows": 20, "excluded": {"seen in training": 2}, "not_drawn": 0,
        "notes": ["A note."], "created_at": "2026-01-01T00:00:00+00:00", "metrics": {m.name: m.to_json() for m in metrics},
        "before": {m.name: estimate(m, scores["before"][m.name], range(18)).to_json() for m in metrics},
        "after": {m.name: estimate(m, scores["after"][m.name], range(18)).to_json() for m in metrics},
        "difference": {name: value.to_json() for name, value in differences.items()},
        "verdicts": {m.name: verdict(differences[m.name], m.direction == "higher") for m in metrics},
    }  # fmt: skip
    (folder / "evaluation.json").write_text(json.dumps(found))


def test_a_finished_run_says_what_became_of_every_row(trained):
    app = open_page("train", {"project": "small", "run": "run-1"})
    assert not app.exception
    assert "**4** rows in = **3** trained + **1** left out" in text_of(app)
    assert "Compare before and after" in [button.label for button in app.button]


def test_a_run_at_work_can_be_stopped_with_saving(trained):
    from filelock import FileLock

    folder = trained.runs_folder / "run-1"
    with FileLock(folder / "lock"):
        tell(folder, {"state": "starting"}, {"state": "running"}, {"fraction": 0.5, "message": "step 1 of 2", "eta_seconds": 90})
        app = open_page("train", {"project": "small"})
        assert not app.exception and "about 2 min left" in text_of(app), "it is shown without being asked for"
        app.button(key="stop-run-1").click().run()
        assert (folder / "stop").exists()


def test_nothing_can_be_trained_before_the_rows_were_accounted_for(trained):
    app = open_page("train", {"project": "small", "run": "new"})
    try:
        assert not app.exception
        assert app.button(key="train").disabled
        (preflight,) = trained.jobs_folder.glob("preflight-*")
        assert jobs.read_config(preflight)["snapshot"]
    finally:
        for folder in trained.jobs_folder.glob("preflight-*"):
            jobs.cancel(folder, wait_seconds=0)


def test_the_ledger_of_a_finished_preflight_is_shown_and_unlocks_training(trained):
    app = open_page("train", {"project": "small", "run": "new"})
    (folder,) = trained.jobs_folder.glob("preflight-*")
    jobs.cancel(folder, wait_seconds=0)
    ledger = {
        "rows_in": 4,
        "trained": 3,
        "dropped": {"too long": 1},
        "truncated": {"rows": 0, "tokens_lost": 0},
        "tokens": 90,
        "trained_tokens": 40,
    }
    span = {"low": 60.0, "high": 240.0}
    seen = {
        "train": ledger, "validation": None, "warnings": ["Few rows."], "steps": 20,
        "estimate": {
            "total_seconds": span, "peak_memory_bytes": {"low": 1e9, "high": 2e9}, "free_memory_bytes": 0, "fits": True, "basis": "A guess.",
        },
    }  # fmt: skip
    tell(folder, {"state": "done", "fraction": 1.0, "result": seen})
    app.run()
    assert not app.exception
    assert "left out: too long" in text_of(app) and "Between **1 min** and **4 min**" in text_of(app) and "Few rows" in text_of(app)
    assert not app.button(key="train").disabled


def test_a_comparison_shows_intervals_words_and_answers(trained):
    app = open_page("evaluate", {"project": "small", "run": "run-1"})
    assert not app.exception
    table = next(t.value for t in app.dataframe if "What it shows" in t.value)
    assert table["Rows"].tolist()[0] == 18 and "Better" in table["What it shows"].tolist()
    assert "On 18 test rows" in text_of(app) and "A note" in text_of(app) and "2 seen in training" in text_of(app)
    app.segmented_control(key="pairs-kind-e1").set_value("same").run()
    assert not app.exception


def test_a_comparison_of_a_run_that_was_trained_further_says_so(trained):
    words = "This run was trained further after this evaluation: evaluate again."
    page = {"project": "small", "run": "run-1"}
    assert words not in text_of(open_page("evaluate", page))
    (trained.runs_folder / "run-1" / "adapter" / "adapter_model.safetensors").write_text("trained further")
    assert words in [warning.value for warning in open_page("evaluate", page).warning]


def test_no_difference_is_not_called_the_same():
    found = {"n": 5, "on": None, "on_name": "test", "verdicts": {"a": "no difference shown", "b": "no difference shown"}}
    assert headline(found) == "On 5 test rows, **no difference is shown**."
    assert "**better on 1 and worse on 1** of 2" in headline(found | {"verdicts": {"a": "better", "b": "worse"}})


def test_a_damaged_run_address_shows_the_form(trained):
    app = open_page("evaluate", {"project": "small", "run": "../../etc"})
    assert not app.exception and not app.error
