"""A language model small enough to answer in milliseconds, and a run that changed how it answers."""

import json
import os
import shutil
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # threads of several test runs would wait for each other

import pyarrow as pa
import pytest

from pipelines.store.project import Project
from pipelines.store.tables import records_to_table, write_parquet
from pipelines.tokens.template import chat_format
from tests.conftest import chat as conversation
from tests.tokens.tokenizers import byte_tokenizer

INTENTS = ("card", "loan")


def intent_record(n: int):
    """What customer n wants, as JSON."""
    intent = INTENTS[n % 2]
    return conversation(f"{n}: my {intent}", json.dumps({"intent": intent}), system="Answer in JSON.")


TRAIN = [intent_record(n) for n in range(10, 34)]
TEST = [intent_record(n) for n in range(60, 72)]


@pytest.fixture(scope="session")
def byte_chat():
    return chat_format(byte_tokenizer())


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory) -> str:
    """A folder with a random Llama of 120,000 weights and a byte tokenizer."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    folder = tmp_path_factory.mktemp("tiny-llama")
    tokenizer = byte_tokenizer()
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, initializer_range=0.2, max_position_embeddings=512,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="session")
def adapter(tiny_base, byte_chat, tmp_path_factory):
    """An adapter that was really trained: it writes the JSON of TRAIN."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    from pipelines.tokens.example import tokenise_record

    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_pretrained(tiny_base)
    model = get_peft_model(model, LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM"))
    examples = [tokenise_record(record, byte_chat) for record in TRAIN]
    ids = torch.zeros(len(examples), max(e.tokens for e in examples), dtype=torch.long)
    labels = torch.full_like(ids, -100)
    for row, example in enumerate(examples):
        ids[row, : example.tokens] = torch.from_numpy(example.input_ids).long()
        labels[row, : example.tokens] = torch.from_numpy(example.labels).long()
    optimiser = torch.optim.AdamW((p for p in model.parameters() if p.requires_grad), lr=5e-3)
    for _ in range(60):
        optimiser.zero_grad()
        model(input_ids=ids, labels=labels).loss.backward()
        optimiser.step()
    folder = tmp_path_factory.mktemp("adapter")
    model.save_pretrained(folder, save_embedding_layers=False)
    byte_chat.tokenizer.save_pretrained(folder)
    return folder


def put_run(project: Project, base: str, adapter: Path, run: str = "run-1") -> str:
    """Puts a finished run into the project, with the snapshot it learned from. Returns its id."""
    snapshot = project.snapshots_folder / "snap-1"
    for split, records in (("train", TRAIN), ("validation", []), ("test", TEST)):
        table = records_to_table(records)
        write_parquet(table.append_column("group", pa.array(range(table.num_rows), pa.int64())), snapshot / f"{split}.parquet")
    (snapshot / "manifest.json").write_text(json.dumps({"id": "snap-1"}))
    folder = project.runs_folder / run
    shutil.copytree(adapter, folder / "adapter")
    manifest = {"config": {"base": base}, "snapshot": {"id": "snap-1"}, "result": {"status": "finished"}}
    (folder / "run.json").write_text(json.dumps(manifest))
    return run


def train_further(project: Project, run: str) -> None:
    """Changes the run's adapter, as it is when a stopped run goes on."""
    from safetensors.torch import load_file, save_file

    path = project.runs_folder / run / "adapter" / "adapter_model.safetensors"
    save_file({name: tensor * 0.5 for name, tensor in load_file(path).items()}, path)


@pytest.fixture
def run(project, tiny_base, adapter) -> str:
    return put_run(project, tiny_base, adapter)
