import os
import sys
import time

import pyarrow.parquet as pq
import pytest

from pipelines import jobs
from pipelines.errors import Cancelled, WorkbenchError
from pipelines.training import distributed
from pipelines.training.config import RunConfig
from pipelines.training.manifest import read_run
from pipelines.training.run import prepare_run
from tests.training.conftest import exchange, freeze_snapshot

ROWS = [exchange("q" * (1 + i % 7), f"answer {i}") for i in range(20)]


def prepared(project, base, steps: int):
    freeze_snapshot(project, ROWS, ROWS[:4])
    config = RunConfig(snapshot="snap-1", base=base, steps=steps, precision="float32", device="cpu", batch_size=2, gradient_accumulation=1)
    return prepare_run(project, config)


def two_processes(config, folder, emit):
    """train_job as it is on a machine with two cards: here the two processes share the CPU."""
    return distributed.launch(folder, 2, emit)


def test_the_command_says_all_that_a_users_own_settings_could_change(tmp_path):
    command = distributed.launch_command(tmp_path, 4)
    assert command[:4] == [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu"]
    assert command[command.index("--num_processes") + 1] == "4"
    assert command[-3:] == ["-m", "pipelines.training.distributed", str(tmp_path)]


def test_one_process_is_the_rule_without_cards():
    assert distributed.processes_wanted(RunConfig(snapshot="s", steps=1, device="cpu")) == 1
    assert not distributed.is_child() and distributed.is_first() and distributed.process_count() == 1


@pytest.mark.slow
def test_two_processes_train_one_adapter_and_report_as_one(project, tiny_base):
    folder = prepared(project, tiny_base, steps=5)
    result = jobs.run(folder, two_processes)
    assert result["status"] == "finished" and result["steps"] == 5
    assert [event["step"] for event in jobs.events(folder) if "loss" in event] == [1, 2, 3, 4, 5]
    assert read_run(folder)["device"]["processes"] == 2
    losses = pq.read_table(folder / "rows.parquet").column("losses").to_pylist()
    assert all(each != [None] for each in losses)  # 5 steps of 2 rows in 2 processes


@pytest.mark.slow
def test_a_refusal_in_the_processes_reaches_the_user(project, tiny_base):
    folder = prepared(project, tiny_base, steps=1)
    freeze_snapshot(project, [exchange("q", "")])
    with pytest.raises(WorkbenchError, match="every answer is empty"):
        jobs.run(folder, two_processes)


@pytest.mark.slow
def test_a_cancel_ends_all_processes(project, tiny_base):
    folder = prepared(project, tiny_base, steps=10_000)
    began = time.time()

    def cancel_at_once(**event) -> None:
        (folder / "cancel").touch()

    with pytest.raises(Cancelled):
        jobs.run(folder, two_processes, cancel_at_once)
    assert time.time() - began < 120
    assert not _processes_of(str(folder))


def _processes_of(text: str) -> list[int]:
    import psutil

    own = os.getpid()
    return [
        each.pid
        for each in psutil.process_iter()
        if each.pid != own and each.status() != psutil.STATUS_ZOMBIE and text in " ".join(_command(each))
    ]


def _command(process) -> list[str]:
    import psutil

    try:
        return process.cmdline()
    except psutil.Error:
        return []
