"""The main job through the command line, on the sample data, with the real models: the contract that scripts rely on."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.models import STATIC_ENCODER

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "sample"

pytestmark = pytest.mark.slow


FREEZE = ("snapshot", "--seed", "3", "--split", "0.88,0.02,0.1")  # few rows to validate on: each is looked at three times


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    project = tmp_path_factory.mktemp("main") / "project"

    def winnow(*words: str, status: int = 0) -> dict:
        ran = subprocess.run(
            [sys.executable, "-m", "pipelines.cli", "--project", str(project), *words, "--json"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == status, ran.stderr
        return json.loads(ran.stdout)

    winnow.project = project
    return winnow


@pytest.fixture(scope="module")
def truth():
    with (SAMPLE / "truth.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def imported(run):
    return run("import", str(SAMPLE / "tickets.jsonl"))


@pytest.fixture(scope="module")
def scanned(run, imported):
    return run("scan", "--encoder", STATIC_ENCODER)  # seconds; the encoder for small sets reads the rows in the test that drives a browser


@pytest.fixture(scope="module")
def snapshot(run, scanned):
    return run(*FREEZE)


@pytest.fixture(scope="module")
def trained(run, snapshot):
    return run("train", snapshot["id"], "--steps", "2", "--batch-size", "2")


def test_import_counts_add_up_and_what_was_set_aside_is_kept(imported, truth):
    assert set(imported) >= {"format", "rows_read", "records", "duplicate_rows", "rejected", "quarantine"}
    assert imported["format"] == "openai"
    assert imported["rows_read"] == imported["records"] + imported["duplicate_rows"] + imported["rejected"] == 815
    lines = [json.loads(line) for line in Path(imported["quarantine"]).read_text(encoding="utf-8").splitlines()]
    assert {line["row"] for line in lines} == {int(t["row"]) for t in truth if t["defect"] == "unreadable_row"}
    assert all(line["file"] == "tickets.jsonl" and line["reason"] and line["raw"] for line in lines)


def test_scan_measures_every_record_with_every_check(run, imported, scanned):
    from pipelines.checks import all_checks

    assert scanned["records"] == imported["records"]
    assert set(scanned["checks"]) == set(all_checks())
    assert all({"flagged", "seconds"} <= set(c) for c in scanned["checks"].values())
    assert scanned["clusters"] > 1


def test_issues_name_file_and_row(run, scanned, truth):
    found = run("issues", "--check", "mojibake")["issues"]
    assert {s["row"] for i in found for s in i["sources"]} >= {int(t["row"]) for t in truth if t["defect"] == "mojibake"}
    assert set(found[0]) == {"record", "sources", "check", "score", "evidence"}


@pytest.mark.parametrize("format", ["html", "md", "json"])
def test_the_report_is_one_file(run, scanned, tmp_path, format):
    file = tmp_path / f"report.{format}"
    assert run("report", "--format", format, "-o", str(file)) == {"file": str(file)}
    assert "refus" in file.read_text(encoding="utf-8").lower()


def test_a_persons_keep_outranks_the_recipe(run, snapshot):
    dropped = run("issues", "--check", "secret")["issues"][0]["record"]
    assert run("decide", dropped, "keep", "--reason", "fine as it is")["verdict"] == "keep"
    again = run(*FREEZE)
    assert again["id"] != snapshot["id"]
    assert sum(again["dropped"].values()) == sum(snapshot["dropped"].values()) - 1
    run("undo", str(run("decisions")["decisions"][-1]["seq"]))
    assert run(*FREEZE)["id"] == snapshot["id"], "undo restores the snapshot, byte for byte"


def test_a_snapshot_balances_and_no_group_crosses(imported, snapshot):
    kept = snapshot["train"] + snapshot["validation"] + snapshot["test"]
    assert kept + sum(snapshot["dropped"].values()) == imported["records"]
    assert snapshot["groups_crossing"] == 0


@pytest.mark.parametrize("format", ["openai", "sharegpt", "alpaca", "parquet", "datasets"])
def test_a_snapshot_is_exported(run, snapshot, tmp_path, format):
    out = tmp_path / "out"
    found = run("export", snapshot["id"], "--to", format, "-o", str(out))
    assert found["rows"] + found["left_out"] == snapshot["train"] + snapshot["validation"] + snapshot["test"]
    assert out.is_dir() and any(out.iterdir())


def test_training_has_a_ledger_that_balances_and_an_adapter_that_plain_peft_loads(run, snapshot, trained):
    ledger = trained["ledger"]
    assert ledger["rows_in"] == snapshot["train"]
    assert ledger["rows_in"] == ledger["trained"] + (
        ledger["dropped"] if isinstance(ledger["dropped"], int) else sum(ledger["dropped"].values())
    )
    assert trained["steps"] == 2 and trained["tokens"] > 0
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    from pipelines.models import base_model

    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base_model()), trained["adapter"])
    assert any("lora_A" in name for name, _ in model.named_parameters())


def test_evaluation_states_n_and_intervals_before_and_after(run, trained):
    found = run("evaluate", trained["run"], "--on", str(SAMPLE / "holdout.jsonl"), "--limit", "4")
    assert found["n"] == 4
    assert {"json_valid", "field_accuracy"} <= set(found["before"]) & set(found["after"]) & set(found["difference"])
    for part in ("before", "after", "difference"):
        assert all(e["low"] <= e["mean"] <= e["high"] for e in found[part].values() if e["mean"] is not None)


def test_jobs_lists_what_was_done(run, trained):
    assert {j["kind"] for j in run("jobs")["jobs"] if j["state"] == "done"} >= {"import", "scan", "snapshot", "train"}


def test_importing_the_same_file_again_adds_no_record(run, imported, scanned, trained):
    again = run("import", str(SAMPLE / "tickets.jsonl"))
    assert (again["records"], again["rejected"]) == (0, imported["rejected"])
    assert again["duplicate_rows"] == imported["records"] + imported["duplicate_rows"]
