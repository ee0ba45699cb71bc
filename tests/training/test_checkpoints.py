import json
import struct
from pathlib import Path

import pytest

from pipelines.training.checkpoints import MARK, latest_checkpoint, mark_complete

HASH = "a" * 32


def checkpoint(folder: Path, step: int, *, dataset_hash: str = HASH) -> Path:
    """A checkpoint folder as Trainer leaves it, with an adapter of one number."""
    made = folder / f"checkpoint-{step}"
    made.mkdir(parents=True)
    for name in ("adapter_config.json", "optimizer.pt", "scheduler.pt", "rng_state.pth"):
        (made / name).write_text("x")
    header = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    (made / "adapter_model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + b"\0" * 4)
    (made / "trainer_state.json").write_text(json.dumps({"global_step": step}))
    mark_complete(made, step, dataset_hash, {"0": {"1": 0.5}})
    return made


def test_the_furthest_complete_checkpoint_is_chosen(tmp_path):
    for step in (2, 10, 9):
        checkpoint(tmp_path, step)
    found = latest_checkpoint(tmp_path, HASH)
    assert found.step == 10 and found.mark["row_losses"] == {"0": {"1": 0.5}}


@pytest.mark.parametrize(
    "missing", ["optimizer.pt", "scheduler.pt", "rng_state.pth", "trainer_state.json", "adapter_model.safetensors", MARK]
)
def test_an_incomplete_checkpoint_falls_back_to_the_one_before(tmp_path, missing):
    checkpoint(tmp_path, 5)
    (checkpoint(tmp_path, 10) / missing).unlink()
    assert latest_checkpoint(tmp_path, HASH).step == 5


@pytest.mark.parametrize(("name", "content"), [("trainer_state.json", "{"), (MARK, "{"), ("trainer_state.json", '{"global_step": 9}')])
def test_a_torn_or_renamed_checkpoint_is_passed_over(tmp_path, name, content):
    checkpoint(tmp_path, 5)
    (checkpoint(tmp_path, 10) / name).write_text(content)
    assert latest_checkpoint(tmp_path, HASH).step == 5


@pytest.mark.parametrize("kept", [0, 4, 20, -1])
def test_an_adapter_file_cut_short_is_noticed(tmp_path, kept):
    path = checkpoint(tmp_path, 10) / "adapter_model.safetensors"
    path.write_bytes(path.read_bytes()[:kept])
    assert latest_checkpoint(tmp_path, HASH) is None


def test_other_rows_or_another_number_of_processes_start_again(tmp_path):
    checkpoint(tmp_path, 10)
    assert latest_checkpoint(tmp_path, "b" * 32) is None
    assert latest_checkpoint(tmp_path, HASH, processes=2) is None


def test_no_folder_means_no_checkpoint(tmp_path):
    assert latest_checkpoint(tmp_path / "nowhere", HASH) is None
