import dataclasses
import json

import pytest

from pipelines.errors import WorkbenchError
from pipelines.training.config import RunConfig
from pipelines.training.device import Device
from pipelines.training.estimate import calibration_file, estimate, remember, work_of
from pipelines.training.model_size import ModelSize, model_size

SMOLLM = ModelSize(layers=30, hidden=576, attention=576, keys=192, inner=1536, vocabulary=49152, tied=True)
CONFIG = RunConfig(snapshot="s", steps=60, lora_dropout=0.0, precision="float32")
CPU = Device("cpu", "a processor", 16 * 2**30, 2)
WORK = work_of([180] * 500, [40] * 500, [180] * 32, CONFIG, SMOLLM)


def test_the_size_of_the_shipped_model_is_that_of_its_weights():
    assert SMOLLM.weights == pytest.approx(134_515_008, rel=0.001)  # counted when loaded; the difference is the norms
    assert SMOLLM.adapter(16) == 4_884_480  # trainable parameters of LoRA with rank 16 on all linear layers


def test_a_model_folder_tells_its_size(tiny_base):
    from transformers import AutoModelForCausalLM

    counted = sum(each.numel() for each in AutoModelForCausalLM.from_pretrained(tiny_base).parameters())
    assert model_size(tiny_base).weights == pytest.approx(counted, rel=0.02)


def test_a_folder_without_a_config_is_refused(tmp_path):
    with pytest.raises(WorkbenchError, match="holds no config"):
        model_size(str(tmp_path))


def test_the_work_counts_steps_padding_and_evaluations():
    assert WORK.steps == 60 and WORK.tokens_per_step == 8 * 180 and WORK.longest_batch == 4 * 180
    assert WORK.padded_share == 0.0 and 0.05 < WORK.eval_share < 0.3
    mixed = work_of([10, 500] * 64, [5] * 128, [], CONFIG, SMOLLM)
    assert 0 < mixed.padded_share < 0.1 and mixed.eval_share == 0.0
    # twice through every layer (no gradients for frozen weights), and the output layer for answers only
    assert WORK.operations_per_step == pytest.approx(4 * SMOLLM.body * 1440 + 6 * SMOLLM.adapter(16) * 1440 + 6 * SMOLLM.head * 320)


def test_computing_activations_twice_costs_time_and_saves_memory():
    config = dataclasses.replace(CONFIG, activation_checkpointing=True)
    again = work_of([180] * 500, [40] * 500, [], config, SMOLLM)
    assert again.operations_per_step > 1.3 * WORK.operations_per_step
    assert estimate(again, config, SMOLLM, CPU).peak_memory_bytes.high < 0.6 * estimate(WORK, CONFIG, SMOLLM, CPU).peak_memory_bytes.high


def test_without_measurements_the_estimate_is_a_wide_range_with_its_basis():
    found = estimate(WORK, CONFIG, SMOLLM, CPU)
    assert 0 < found.seconds_per_step.low < found.seconds_per_step.high
    assert 60 * found.seconds_per_step.high < found.total_seconds.high
    assert "no training has been timed" in found.basis and found.fits
    assert json.loads(json.dumps(found.to_json()))["fits"] is True


def test_a_card_is_estimated_from_its_data_sheet():
    card = Device("cuda", "NVIDIA A100-SXM4-80GB", 80 * 2**30, 1)
    found = estimate(WORK, CONFIG, SMOLLM, card)
    assert found.seconds_per_step.high < 0.1 and "data sheet of NVIDIA A100" in found.basis


def test_a_measured_run_narrows_the_next_estimate_to_what_it_measured():
    before = estimate(WORK, CONFIG, SMOLLM, CPU)
    remember(CONFIG, CPU, WORK, 7.0, 3_000_000_000, before)
    after = estimate(WORK, CONFIG, SMOLLM, CPU)
    assert after.seconds_per_step.low < 7.0 < after.seconds_per_step.high < 7.0 * 1.5
    assert after.basis == "Measured on this machine in 1 earlier run with this model."
    other = estimate(WORK, dataclasses.replace(CONFIG, base="other/model"), SMOLLM, CPU)
    assert other.seconds_per_step.high > after.seconds_per_step.high and "other models" in other.basis
    elsewhere = estimate(WORK, CONFIG, SMOLLM, dataclasses.replace(CPU, name="another processor"))
    assert "no training has been timed" in elsewhere.basis


def test_a_torn_line_of_measurements_is_passed_over():
    remember(CONFIG, CPU, WORK, 7.0, 1, estimate(WORK, CONFIG, SMOLLM, CPU))
    with calibration_file().open("a") as file:
        file.write('{"device": "a proc')
    assert "1 earlier run" in estimate(WORK, CONFIG, SMOLLM, CPU).basis


def test_more_memory_than_is_free_is_said():
    small = dataclasses.replace(CPU, memory_bytes=2**30)
    assert not estimate(WORK, CONFIG, SMOLLM, small).fits
