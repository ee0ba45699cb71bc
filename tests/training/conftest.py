"""A language model small enough to train in a second, and snapshots small enough to judge by eye."""

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # threads of several test runs would wait for each other

import pytest

from pipelines.records import Message, Record
from pipelines.store.project import Project
from pipelines.store.tables import records_to_table, write_parquet
from pipelines.tokens.template import ChatFormat, chat_format
from tests.tokens.tokenizers import byte_tokenizer


@pytest.fixture(scope="session")
def chat() -> ChatFormat:
    return chat_format(byte_tokenizer())


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory) -> str:
    """A folder with a random Llama of 30,000 weights and a byte tokenizer."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    folder = tmp_path_factory.mktemp("tiny-llama")
    tokenizer = byte_tokenizer()
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


@pytest.fixture(autouse=True)
def own_calibration(tmp_path, monkeypatch, request) -> None:
    """Speeds of tiny models must not reach the estimates of this machine's user."""
    if "slow" not in request.keywords:
        monkeypatch.setenv("WINNOW_CACHE", str(tmp_path / "cache"))


def freeze_snapshot(project: Project, train: Iterable[Record], validation: Iterable[Record] = (), snapshot: str = "snap-1") -> str:
    """Writes a snapshot the way the builder does; returns its id."""
    folder: Path = project.snapshots_folder / snapshot
    for split, records in (("train", train), ("validation", validation)):
        write_parquet(records_to_table(records), folder / f"{split}.parquet")
    (folder / "manifest.json").write_text(json.dumps({"id": snapshot}))
    return snapshot


@pytest.fixture
def freeze() -> Callable[..., str]:
    return freeze_snapshot


def exchange(question: str, answer: str) -> Record:
    return Record((Message("user", question), Message("assistant", answer)))
