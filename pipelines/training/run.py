"""Run: one training of one adapter on one snapshot. Its folder holds all that is known about it."""

from __future__ import annotations

import json
import os
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from pipelines import jobs, models
from pipelines.errors import WorkbenchError
from pipelines.store import database as db
from pipelines.store.project import Project
from pipelines.store.tables import write_parquet, write_text
from pipelines.training import distributed
from pipelines.training.adapter import save_adapter, write_card
from pipelines.training.checkpoints import Checkpoint, latest_checkpoint
from pipelines.training.config import RunConfig
from pipelines.training.device import Device, Precision, choose_precision, peak_memory_bytes, prepare_cpu, qlora_refusal, torch_device
from pipelines.training.estimate import remember
from pipelines.training.losses import RowLosses
from pipelines.training.manifest import FILE, describe_run, read_run
from pipelines.training.monitor import FIRST, LAST, Monitor, gathered
from pipelines.training.preflight import Preflight, preflight, snapshot_folder, store_preflight
from pipelines.training.trl_config import trl_settings, write_trl_config

CHECKPOINTS, ADAPTER, ROWS = "checkpoints", "adapter", "rows.parquet"


@dataclass(frozen=True, slots=True)
class Run:
    """A run at work in this process."""

    project: Project
    config: RunConfig
    folder: Path
    emit: jobs.Emit
    device: Device
    precision: Precision
    flight: Preflight
    began_at: float
    threads: int | None
    """Of a CPU."""


def prepare_run(project: Project, config: RunConfig, title: str = "") -> Path:
    """The folder of a new run, listed in the project and ready for `jobs.start`. Raises WorkbenchError for what can be seen to fail."""
    snapshot_folder(project, config.snapshot)
    models.base_model(config.base)
    if config.method == "qlora" and (refusal := qlora_refusal()):
        raise WorkbenchError(refusal)
    run = jobs.new_id("run")
    title = title or f"Train on {config.snapshot}"
    folder = jobs.prepare(project.runs_folder / run, "train", {"project": str(project.folder)} | config.to_json(), title)
    with project.database.write() as connection:
        listed = {"id": run, "kind": "train", "title": title, "folder": folder.relative_to(project.folder).as_posix(), "at": db.now()}
        connection.execute(sa.insert(db.jobs).values(**listed))
    return folder


def train_job(config: dict[str, Any], folder: Path, emit: jobs.Emit) -> dict[str, Any]:
    """Trains, and goes on from the last checkpoint when the folder holds one. On several cards it starts one process for each."""
    done = read_run(folder)
    if done and done["result"]["status"] == "finished":
        return done["result"]
    settings = RunConfig.from_json({key: value for key, value in config.items() if key != "project"})
    processes = distributed.processes_wanted(settings)
    if processes > 1 and not distributed.is_child():
        return distributed.launch(folder, processes, emit)
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    began_at = time.time()
    emit(fraction=0.0, message="Reading the rows")
    device = torch_device(settings.device)
    threads = prepare_cpu() if device.kind == "cpu" else None
    project = Project.open(config["project"])
    flight = preflight(project, settings, device=device, processes=distributed.process_count(), run_folder=folder)
    run = Run(project, settings, folder, emit, device, choose_precision(settings.precision, device.kind), flight, began_at, threads)
    if distributed.is_first():
        store_preflight(flight, folder)
        _write_trl_config(run)
    return _train(run)


def _train(run: Run) -> dict[str, Any]:
    from pipelines.training.trainer import Setup, build_trainer, load_base, restore_adapter

    config, flight, folder = run.config, run.flight, run.folder
    expected = asdict(flight.estimate.total_seconds)
    run.emit(fraction=FIRST / 2, message="Loading the model", predicted_seconds=expected, warnings=list(flight.warnings))
    checkpoint = latest_checkpoint(folder / CHECKPOINTS, flight.dataset_hash, distributed.process_count())
    losses = RowLosses(checkpoint.mark["row_losses"] if checkpoint else None)
    trainer = build_trainer(
        Setup(config, flight.work.steps, run.device.kind, run.precision, folder / CHECKPOINTS),
        model=load_base(config, run.device.kind, run.precision),
        tokenizer=flight.chat.tokenizer,
        train=flight.splits.train,
        validation=flight.splits.validation,
        losses=losses,
    )
    began_at = run.began_at - (checkpoint.mark["seconds"] if checkpoint else 0.0)
    monitor = Monitor(folder, run.emit, losses, flight.dataset_hash, eval_share=flight.work.eval_share, began_at=began_at)
    trainer.add_callback(monitor.callback())
    run.emit(fraction=FIRST, message=f"Going on from step {checkpoint.step}" if checkpoint else "Training")
    if checkpoint and checkpoint.step >= flight.work.steps:  # ended before it was saved; Trainer would do a step too many
        restore_adapter(trainer.model, checkpoint.folder)
        trainer.state.global_step = checkpoint.step
    else:
        trainer.train(resume_from_checkpoint=str(checkpoint.folder) if checkpoint else None)
    seen = gathered(losses)
    return _finish(run, trainer, monitor, seen, checkpoint) if distributed.is_first() else {}


def _finish(run: Run, trainer: Any, monitor: Monitor, losses: RowLosses, checkpoint: Checkpoint | None) -> dict[str, Any]:
    """Writes what the run leaves behind, run.json last."""
    run.emit(fraction=LAST, message="Saving the adapter")
    config, flight, folder = run.config, run.flight, run.folder
    train, ledger = flight.splits.train, flight.splits.train_ledger
    steps, was_stopped, processes = int(trainer.state.global_step), monitor.was_stopped, distributed.process_count()
    adapted = save_adapter(trainer.accelerator.unwrap_model(trainer.model), flight.chat, config, folder / ADAPTER)
    write_card(folder / ADAPTER, config, ledger, flight.chat, run=folder.name, steps=steps, was_stopped=was_stopped)
    write_parquet(losses.table(train), folder / ROWS)
    peak, step_seconds = peak_memory_bytes(run.device.kind), monitor.seconds_per_step
    if step_seconds and processes == 1:
        remember(config, run.device, flight.work, step_seconds, peak, flight.estimate)
    result = {
        "run": folder.name,
        "status": "stopped" if was_stopped else "finished",
        "steps": steps,
        "tokens": losses.tokens_seen(train.column("tokens").to_pylist()),
        "seconds": time.time() - monitor.began_at,
        "ledger": {
            "rows_in": ledger.rows_in,
            "trained": ledger.trained,
            "dropped": ledger.dropped_rows,
            "truncated": len(ledger.truncated),
        },
        "adapter": str(folder / ADAPTER),
    }
    manifest = describe_run(run.project, config, flight, adapted) | {
        "result": result,
        "actual": {"seconds": result["seconds"], "seconds_per_step": step_seconds, "peak_memory_bytes": peak},
        "device": asdict(run.device) | {"precision": run.precision, "processes": processes, "threads": run.threads},
        "resumed_from": checkpoint.step if checkpoint else None,
        "began_at": run.began_at,
        "ended_at": time.time(),
    }
    write_text(json.dumps(manifest, ensure_ascii=False, indent=1), folder / FILE)
    if not was_stopped:
        shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)  # what is finished cannot go on
    return result


def _write_trl_config(run: Run) -> None:
    evaluates = run.flight.splits.validation is not None
    settings = trl_settings(
        run.config, total_steps=run.flight.work.steps, device=run.device.kind, precision=run.precision, evaluates=evaluates
    )
    write_trl_config(settings, run.config.base, run.folder / "trl.yaml")
