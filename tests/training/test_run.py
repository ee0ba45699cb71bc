import functools
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from pipelines import jobs
from pipelines.errors import Cancelled, WorkbenchError
from pipelines.records import Message, Record
from pipelines.store import database as db
from pipelines.store.project import Project
from pipelines.training.config import RunConfig
from pipelines.training.manifest import read_run
from pipelines.training.run import prepare_run, train_job
from pipelines.training.trl_config import write_trl_config
from tests.training.conftest import exchange, freeze_snapshot

ROWS = [exchange("q" * (1 + i % 7), f"answer {i}") for i in range(21)]
HELD_OUT = [exchange("v", f"answer {i}") for i in range(5)]


def run_config(base: str, **settings) -> RunConfig:
    return RunConfig(
        **{"snapshot": "snap-1", "base": base, "steps": 4, "precision": "float32", "eval_every": 2, "learning_rate": 1e-2} | settings
    )


def adapter_weights(folder: Path) -> dict[str, np.ndarray]:
    from safetensors.numpy import load_file

    return load_file(folder / "adapter" / "adapter_model.safetensors")


def train(project: Project, base: str, at_step=None, folder: Path | None = None, **settings) -> tuple[Path, dict]:
    """Trains in this process; `at_step` is called with the folder and the number of each step done."""
    if folder is None:
        freeze_snapshot(project, ROWS, HELD_OUT)
        folder = prepare_run(project, run_config(base, **settings))

    def listen(fraction=None, message=None, **numbers) -> None:
        if at_step and "loss" in numbers:
            at_step(folder, numbers["step"])

    return folder, jobs.run(folder, train_job, listen)


@pytest.fixture
def run(project, tiny_base):
    return functools.partial(train, project, tiny_base)


@pytest.fixture(scope="module")
def done(tmp_path_factory, tiny_base) -> Iterator[tuple[Path, dict]]:
    """Two times through the rows: 6 steps, looked at by several tests."""
    folder = tmp_path_factory.mktemp("done")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WINNOW_CACHE", str(folder / "cache"))
        yield train(Project.create(folder / "project"), tiny_base, steps=6)


def test_a_run_trains_and_accounts_for_every_row(done):
    folder, result = done
    assert result["status"] == "finished" and result["steps"] == 6 and result["run"] == folder.name
    assert result["ledger"] == {"rows_in": 21, "trained": 21, "dropped": 0, "truncated": 0}
    view = jobs.view(folder)
    assert view.state == "done" and view.result == result
    with Project.open(folder.parents[1]).database.read() as connection:
        (listed,) = connection.execute(db.jobs.select()).mappings()
    assert (listed["id"], listed["kind"], listed["folder"]) == (folder.name, "train", f"runs/{folder.name}")


def test_every_step_is_told_with_its_numbers(done):
    folder, _ = done
    told = list(jobs.events(folder))
    steps = [event for event in told if "loss" in event]
    assert [event["step"] for event in steps] == [1, 2, 3, 4, 5, 6]
    assert steps[1]["message"].startswith("step 2 of 6, loss ")
    for name in ("learning_rate", "grad_norm", "tokens_per_second", "eta_seconds", "fraction"):
        assert all(isinstance(event[name], float) for event in steps)
    assert [event["step"] for event in told if "eval_loss" in event] == [0, 2, 4, 6]
    fractions = [event["fraction"] for event in told if "fraction" in event]
    assert fractions == sorted(fractions)


def test_the_model_learns_its_rows(done):
    losses = [event["loss"] for event in jobs.events(done[0]) if "loss" in event]
    assert losses[-1] < losses[0] - 0.2


def test_the_loss_of_each_row_is_kept_for_each_epoch(done):
    folder, result = done
    rows = pq.read_table(folder / "rows.parquet").to_pylist()
    assert [row["row"] for row in rows] == [record.id for record in ROWS]
    assert all(len(row["losses"]) == 2 and None not in row["losses"] for row in rows)
    first_epoch = [event["loss"] for event in jobs.events(folder) if event.get("step", 9) <= 3 and "loss" in event]
    tokens = np.array([row["trained_tokens"] for row in rows])
    by_row = np.average([row["losses"][0] for row in rows], weights=tokens)
    assert min(first_epoch) <= by_row <= max(first_epoch)
    assert result["tokens"] == 2 * sum(row["tokens"] for row in rows)


def test_rows_not_reached_have_no_loss(run):
    folder, _ = run(steps=1)
    losses = pq.read_table(folder / "rows.parquet").column("losses").to_pylist()
    assert sum(loss != [None] for loss in losses) == 8


def test_the_adapter_is_plain_peft_and_changes_the_model(done, tiny_base):
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    adapter = done[0] / "adapter"
    assert not list(adapter.glob("*.bin")) and not list(adapter.glob("checkpoint*"))
    base = AutoModelForCausalLM.from_pretrained(tiny_base)
    tokens = AutoTokenizer.from_pretrained(adapter).apply_chat_template([{"role": "user", "content": "q"}], return_tensors="pt")
    with torch.no_grad():
        before = base(**tokens).logits
        after = PeftModel.from_pretrained(base, adapter)(**tokens).logits
    assert (before - after).abs().max() > 1e-4
    described = json.loads((adapter / "adapter_config.json").read_text())
    assert described["target_modules"] == sorted(described["target_modules"]) and len(described["target_modules"]) == 14
    card = (adapter / "README.md").read_text()
    assert 'base_model_relation: "adapter"' in card and "trained on: 21 rows" in card


def test_the_manifest_says_what_was_trained_with_what(done):
    folder, result = done
    manifest = read_run(folder)
    assert manifest["snapshot"]["id"] == "snap-1" and manifest["config"]["learning_rate"] == 1e-2
    assert manifest["result"] == result
    assert manifest["packages"]["trl"] and manifest["template"]["origin"] == "model"
    assert len(manifest["dataset_hash"]) == len(manifest["row_ids_hash"]) == 32
    assert manifest["actual"]["seconds_per_step"] > 0 and manifest["predicted"]["total_seconds"]["low"] > 0
    assert manifest["ledger"]["train"]["rows_in"] == 21
    assert json.loads((folder / "preflight.json").read_text())["dataset_hash"] == manifest["dataset_hash"]


def test_two_runs_of_the_same_settings_are_the_same(run):
    first, second = adapter_weights(run(steps=3)[0]), adapter_weights(run(steps=3)[0])
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_a_stopped_run_goes_on_and_ends_where_an_unbroken_one_does(run):
    whole, _ = run(steps=5)

    def stop_at_2(folder: Path, step: int) -> None:
        if step == 2:
            (folder / "stop").touch()

    folder, stopped = run(stop_at_2, steps=5)
    assert stopped["status"] == "stopped" and stopped["steps"] == 3
    assert (folder / "adapter" / "adapter_model.safetensors").is_file()
    _, resumed = run(folder=folder)
    assert resumed["status"] == "finished" and resumed["steps"] == 5
    assert read_run(folder)["resumed_from"] == 3
    assert resumed["seconds"] > stopped["seconds"] * 0.9  # the time before the stop counts too, up to the checkpoint
    assert pq.read_table(folder / "rows.parquet").equals(pq.read_table(whole / "rows.parquet"))
    unbroken, broken = adapter_weights(whole), adapter_weights(folder)
    assert all(np.array_equal(unbroken[name], broken[name]) for name in unbroken)
    assert [event["step"] for event in jobs.events(folder) if "loss" in event] == [1, 2, 3, 4, 5]


def test_a_cancelled_run_goes_on_from_its_last_checkpoint(run, project):
    def cancel_at_3(folder: Path, step: int) -> None:
        if step == 3:
            (folder / "cancel").touch()

    with pytest.raises(Cancelled):
        run(cancel_at_3)
    (folder,) = project.runs_folder.iterdir()
    assert jobs.view(folder).state == "cancelled" and not (folder / "adapter").exists()
    _, result = run(folder=folder)
    assert result["status"] == "finished" and result["steps"] == 4 and read_run(folder)["resumed_from"] == 2


def test_a_run_that_ended_before_it_was_saved_is_saved_without_another_step(run, project):
    def cancel_while_saving(message=None, **_) -> None:
        if message == "Saving the adapter":
            (folder / "cancel").touch()

    whole, _ = run(steps=5)
    folder = prepare_run(project, RunConfig.from_json(read_run(whole)["config"]))
    with pytest.raises(Cancelled):
        jobs.run(folder, train_job, cancel_while_saving)
    result = jobs.run(folder, train_job)
    assert (result["status"], result["steps"]) == ("finished", 5)
    saved, unbroken = adapter_weights(folder), adapter_weights(whole)
    assert all(np.array_equal(saved[name], unbroken[name]) for name in unbroken)


def test_computing_activations_twice_changes_nothing(run):
    kept, again = (adapter_weights(run(steps=2, activation_checkpointing=twice, lora_dropout=0.0)[0]) for twice in (False, True))
    assert all(np.allclose(kept[name], again[name], atol=1e-5) for name in kept)


def test_a_loss_that_is_no_number_ends_the_run_with_advice(run):
    with pytest.raises(WorkbenchError, match="learning rate is too high"):
        run(steps=8, learning_rate=1e30, max_grad_norm=1e30, warmup=0.0)


def test_a_finished_run_is_not_trained_again(done):
    folder, result = done
    before = (folder / "run.json").read_bytes()
    assert jobs.run(folder, train_job) == result
    assert (folder / "run.json").read_bytes() == before
    assert not (folder / "checkpoints").exists()


def test_a_run_without_validation_rows_trains(run, project, freeze, tiny_base):
    freeze(project, ROWS, snapshot="snap-2")
    folder = prepare_run(project, run_config(tiny_base, snapshot="snap-2", steps=1))
    assert jobs.run(folder, train_job)["status"] == "finished"
    assert not [event for event in jobs.events(folder) if "eval_loss" in event]


def test_nothing_to_train_fails_with_the_reason(project, freeze, tiny_base):
    freeze(project, [Record((Message("user", "q"),))])
    folder = prepare_run(project, run_config(tiny_base))
    with pytest.raises(WorkbenchError, match="1 no answer to train on"):
        jobs.run(folder, train_job)
    assert jobs.view(folder).state == "failed"


def test_an_unknown_snapshot_or_4_bit_on_a_cpu_is_refused_at_once(project, freeze, tiny_base, monkeypatch):
    freeze(project, ROWS)
    with pytest.raises(WorkbenchError, match=r"no finished snapshot other\. There are: snap-1"):
        prepare_run(project, run_config(tiny_base, snapshot="other"))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(WorkbenchError, match="4-bit"):
        prepare_run(project, run_config(tiny_base, method="qlora"))


def test_a_run_in_a_process_of_its_own_reports_and_ends(project, freeze, tiny_base):
    freeze(project, ROWS, HELD_OUT)
    folder = prepare_run(project, run_config(tiny_base, steps=2))
    jobs.start(folder)
    deadline = time.time() + 240
    while not (view := jobs.view(folder)).is_finished and time.time() < deadline:
        time.sleep(0.5)
    assert view.state == "done", (view.message, (folder / "log.txt").read_text()[-2000:])
    assert view.result["steps"] == 2 and view.fraction == 1.0


def test_trls_own_command_line_trains_the_same_tokens(done, tmp_path):
    import yaml

    shutil.copytree(done[0], tmp_path / "run")
    path = tmp_path / "run" / "trl.yaml"
    settings = yaml.safe_load(path.read_text()) | {"max_steps": 1}
    path.write_text(yaml.safe_dump(settings))
    command = [sys.executable, "-m", "trl.scripts.sft", "--config", "trl.yaml"]
    environment = os.environ | {"HF_DATASETS_CACHE": str(tmp_path / "cache"), "CUDA_VISIBLE_DEVICES": ""}
    said = subprocess.run(command, cwd=path.parent, env=environment, capture_output=True, text=True, timeout=300)
    assert said.returncode == 0, said.stderr[-2000:]
    assert (path.parent / "trl" / "adapter_model.safetensors").is_file()
    assert said.stdout.count("'loss'") == 1


def test_a_setting_trl_does_not_know_is_refused(tmp_path):
    with pytest.raises(WorkbenchError, match="warmup_ratio"):
        write_trl_config({"warmup_ratio": 0.1, "learning_rate": 1e-4}, "base", tmp_path / "trl.yaml")


def test_scoring_only_trained_tokens_changes_no_loss(done, run, monkeypatch):
    from pipelines.training import trainer

    monkeypatch.setattr(trainer, "_score_only_trained_tokens", lambda: None)
    from trl.kernels.chunked_logprob import _use_triton
    from trl.trainer import utils

    monkeypatch.setattr(utils, "_use_triton", _use_triton)
    folder, _ = run(steps=2, scheduler="constant_with_warmup")
    skipped, _ = done
    first = [[event["loss"] for event in jobs.events(each) if event.get("step") == 1 and "loss" in event] for each in (folder, skipped)]
    assert first[0] == pytest.approx(first[1], abs=1e-5)


@pytest.mark.slow
def test_the_shipped_model_trains_and_its_adapter_names_the_hub(project):
    from pipelines.models import BASE_MODEL

    freeze_snapshot(project, ROWS, HELD_OUT)
    folder = prepare_run(project, RunConfig(snapshot="snap-1", steps=3, batch_size=2, gradient_accumulation=1, learning_rate=1e-3))
    result = jobs.run(folder, train_job)
    assert result["status"] == "finished" and result["ledger"]["trained"] == 21
    described = json.loads((folder / "adapter" / "adapter_config.json").read_text())
    assert described["base_model_name_or_path"] == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert described["target_modules"] == ["down_proj", "gate_proj", "k_proj", "o_proj", "q_proj", "up_proj", "v_proj"]
    manifest = read_run(folder)
    assert manifest["base"]["name"] == BASE_MODEL and manifest["base"]["path"].endswith(BASE_MODEL)
    losses = [event["eval_loss"] for event in jobs.events(folder) if "eval_loss" in event]
    assert losses[-1] < losses[0]
