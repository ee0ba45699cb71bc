import pytest

from pipelines.errors import WorkbenchError
from pipelines.training.config import RunConfig, default_config, steps_per_epoch


def test_a_config_survives_json():
    config = RunConfig(snapshot="s", steps=5, learning_rate=1e-3)
    assert RunConfig.from_json(config.to_json()) == config


def test_an_unknown_setting_is_an_error():
    with pytest.raises(WorkbenchError, match="no setting called lora_rank"):
        RunConfig.from_json({"snapshot": "s", "steps": 1, "lora_rank": 4})


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": None},
        {"epochs": 1.0},
        {"steps": 0},
        {"method": "full"},
        {"over_length": "keep"},
        {"batch_size": 0},
        {"warmup": 1.0},
        {"learning_rate": float("nan")},
        {"learning_rate": float("inf")},
        {"steps": None, "epochs": float("inf")},
        {"weight_decay": -0.1},
        {"max_grad_norm": float("nan")},
        {"seed": -1},
        {"seed": 2**32},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(WorkbenchError):
        RunConfig(**{"snapshot": "s", "steps": 5} | wrong)


def test_epochs_become_steps_as_the_trainer_counts_them():
    config = RunConfig(snapshot="s", epochs=2, batch_size=4, gradient_accumulation=2)
    assert steps_per_epoch(21, config) == 3  # 6 batches, 2 a step
    assert config.total_steps(21) == 6
    assert config.total_steps(21, processes=3) == 2


@pytest.mark.parametrize("rows", [1, 30, 100, 500, 100_000])
def test_a_default_run_on_a_cpu_is_short_and_has_enough_steps(rows):
    suggestion = default_config("s", rows, "cpu")
    assert 20 <= suggestion.config.total_steps(rows) <= 60
    assert suggestion.config.rows_per_step == 8
    assert all(reason.endswith(".") for reason in suggestion.reasons)


def test_a_default_run_on_a_card_repeats_small_sets_more():
    assert [default_config("s", rows, "cuda").config.epochs for rows in (500, 10_000, 100_000)] == [3.0, 2.0, 1.0]
