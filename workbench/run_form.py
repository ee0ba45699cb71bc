"""Run form: what a run is made of, with settings that suit the data and the reason for each."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import streamlit as st

from pipelines.errors import WorkbenchError
from pipelines.training.config import RunConfig, Suggestion, default_config
from pipelines.training.device import best_device
from workbench.base_form import LENGTHS
from workbench.words import count, escaped, percent

_RATES = [1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3]
_RANKS = [4, 8, 16, 32, 64, 128]
_BATCHES = [1, 2, 4, 8, 16, 32]
_OVER_LENGTH = {"drop": "Leave it out", "truncate": "Cut it (the model may not learn where to stop)"}


@st.cache_data(show_spinner=False, ttl="10m")
def _device() -> Any:
    return best_device()


def run_form(manifest: dict[str, Any], base: str) -> RunConfig | None:
    """Draws the settings for a snapshot and a model, the usual ones filled in. Returns them, or None when they make no sense."""
    device = _device()
    suggestion = default_config(manifest["id"], max(manifest["train"], 1), device.kind, base=base)
    st.caption(f"It will be trained on this machine's {'graphics card' if device.kind == 'cuda' else 'processor'}: {escaped(device.name)}.")
    with st.expander("Settings", icon=":material/tune:"):
        try:
            return _settings(manifest, suggestion)
        except WorkbenchError as error:
            st.error(escaped(error))
            return None


def _settings(manifest: dict[str, Any], suggestion: Suggestion) -> RunConfig:
    usual = suggestion.config
    rows = max(manifest["train"], 1)

    def key(name: str) -> str:  # other data or another model has other usual values
        return f"run-{name}-{manifest['id']}-{usual.base}"

    left, right = st.columns(2, gap="large")
    with left:
        by_steps = st.segmented_control(
            "How long", ["steps", "epochs"], default="steps" if usual.steps else "epochs", required=True, key=key("by"),
            format_func=lambda by: {"steps": "A number of steps", "epochs": "Times through the rows"}[by],
        )  # fmt: skip
        if by_steps == "steps":
            steps_each = usual.steps or usual.total_steps(rows)
            steps, epochs = int(st.number_input("Steps", 1, 1_000_000, steps_each, key=key("steps"))), None
        else:
            steps, epochs = None, float(st.number_input("Times through the rows", 0.1, 100.0, usual.epochs or 3.0, 0.5, key=key("epochs")))
        rate = st.select_slider(
            "Learning rate", sorted({*_RATES, usual.learning_rate}), usual.learning_rate, key=key("rate"), format_func=lambda r: f"{r:g}",
            help="How far each step moves the model. Too high and it forgets, too low and it learns nothing.",
        )  # fmt: skip
        rank = st.select_slider(
            "Size of the adapter (rank)", _RANKS, usual.lora_r, key=key("rank"), help="More rank can learn more, and memorise more."
        )
    with right:
        batch = st.select_slider(
            "Rows at a time", _BATCHES, usual.batch_size, key=key("batch"), help="More is faster and needs more memory."
        )
        times = st.select_slider(
            "Rounds before a step", _BATCHES, usual.gradient_accumulation, key=key("times"),
            help="So many lots of rows are read before the model is changed once. More rounds need no more memory.",
        )  # fmt: skip
        st.caption(f"One step learns from {batch * times} rows; {rows:,} rows are {count(math.ceil(rows / (batch * times)), 'step')}.")
        length = st.select_slider(
            "Longest row, in tokens", sorted({*LENGTHS, usual.max_length}), usual.max_length, key=key("length"),
            help="A token is a piece of a word; 100 English words are about 130 tokens.",
        )  # fmt: skip
        over = st.radio("A longer row", list(_OVER_LENGTH), format_func=lambda o: _OVER_LENGTH[o], key=key("over"))
        seed = st.number_input("Seed", 0, 2**31 - 1, usual.seed, key=key("seed"), help="The same seed, rows and settings repeat the run.")
    st.markdown("**Why these are the usual settings**")
    st.markdown("\n".join(f"- {escaped(reason)}" for reason in suggestion.reasons))
    return replace(
        usual, steps=steps, epochs=epochs, learning_rate=float(rate), lora_r=rank, lora_alpha=2 * rank, batch_size=batch,
        gradient_accumulation=times, max_length=length, over_length="truncate" if over == "truncate" else "drop", seed=int(seed),
    )  # fmt: skip


def config_words(config: dict[str, Any]) -> str:
    """A run's settings in one line."""
    long = f"{config['steps']:,} steps" if config.get("steps") else f"{config['epochs']:g} times through the rows"
    return (
        f"{long}, {config['batch_size'] * config['gradient_accumulation']} rows a step, learning rate {config['learning_rate']:g}, "
        f"rank {config['lora_r']}, rows up to {config['max_length']:,} tokens, warm-up {percent(config['warmup'])}"
    )
