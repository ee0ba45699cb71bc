"""Encoders: models that turn a text into a vector whose direction is its meaning."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines import models
from pipelines.errors import WorkbenchError

if TYPE_CHECKING:
    import numpy as np

TRANSFORMER_ROWS = 2_000
"""Largest set for which a computer without a GPU runs the transformer by default: from ten seconds to two minutes.

Measured on one core: 171 rows a second of 10 words, 104 of 15, 51 of 46, 12 of 190 or more (two cores: 234 of 10 words). The static
encoder does thousands, less exactly: on banking77 the nearest neighbour has the right one of 77 intents in 87 % of cases against 92 %."""
MAX_UNKNOWN_SHARE = 0.2
"""Share of words outside an encoder's vocabulary above which it is not asked for the meaning of a text."""


@dataclass(frozen=True, slots=True)
class Encoder:
    """A loaded model."""

    encode: Callable[[list[str]], np.ndarray]
    """float32 rows, not yet of length 1."""
    unknown_share: Callable[[list[str]], list[float]]
    """Of each text: the share of its words that the model has no entry for."""
    batch: int
    """Texts to hand over at once."""
    part: int
    """Texts after which the work done is worth keeping: some seconds of it."""


def choose_encoder(rows: int) -> str:
    """Name of the encoder for a set of that size: the transformer if it is small or there is a GPU, otherwise the static one."""
    return models.ENCODER if rows <= TRANSFORMER_ROWS or has_gpu() else models.STATIC_ENCODER


def has_gpu() -> bool:
    """Whether torch would find an accelerator. Asks the system, because importing torch takes seconds and the app must not."""
    if importlib.metadata.version("torch").endswith("+cpu"):
        return False
    if platform.system() == "Darwin":
        return platform.machine() == "arm64"
    return Path("/proc/driver/nvidia/gpus").is_dir() or Path("/dev/kfd").exists() or Path("/dev/dxg").exists()


def load_encoder(name: str) -> Encoder:
    """The encoder of that name, folder or hub id. Raises WorkbenchError when it cannot be had."""
    if name == models.STATIC_ENCODER:
        return _static(models.encoder(name))
    return _transformer(name, models.encoder(name))


def _static(folder: str) -> Encoder:
    from model2vec import StaticModel

    model = StaticModel.from_pretrained(folder)

    def unknown_share(texts: list[str]) -> list[float]:
        return [_share(words.ids, model.unk_token_id) for words in model.tokenizer.encode_batch_fast(texts, add_special_tokens=False)]

    return Encoder(lambda texts: model.encode(texts, use_multiprocessing=False), unknown_share, batch=1024, part=16_384)


def _transformer(name: str, source: str) -> Encoder:
    from sentence_transformers import SentenceTransformer

    try:
        model = SentenceTransformer(source, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise WorkbenchError(
            f"The encoder {name} could not be loaded: {str(error).splitlines()[0]} "
            f"Give a folder on this computer, a hub id that can be reached, or {models.ENCODER}."
        ) from error
    tokenizer = model.tokenizer
    unknown = getattr(tokenizer, "unk_token_id", None)
    on_cpu = model.device.type == "cpu"

    def encode(texts: list[str]) -> np.ndarray:
        return model.encode(texts, batch_size=16 if on_cpu else 128, show_progress_bar=False, convert_to_numpy=True)

    def unknown_share(texts: list[str]) -> list[float]:
        if unknown is None or not texts:
            return [0.0] * len(texts)
        words = tokenizer(texts, add_special_tokens=False, truncation=True, max_length=model.max_seq_length)["input_ids"]
        return [_share(ids, unknown) for ids in words]

    return Encoder(encode, unknown_share, batch=64 if on_cpu else 1024, part=1_024 if on_cpu else 16_384)


def _share(ids: list[int], unknown: int | None) -> float:
    return sum(number == unknown for number in ids) / len(ids) if ids and unknown is not None else 0.0


def spell(texts: list[str], dimensions: int) -> np.ndarray:
    """Vectors of the pairs of characters in each text: what is left to compare by when no encoder can read it.

    Texts that are written alike are near each other; to the vectors of an encoder these stand at a right angle, or nearly so.
    """
    import numpy as np
    import xxhash

    vectors = np.zeros((len(texts), dimensions), dtype=np.float32)
    for vector, text in zip(vectors, texts, strict=True):
        characters = "".join(text.casefold().split())[:4_000]
        for pair in {characters[i : i + 2] for i in range(max(1, len(characters) - 1))}:
            code = xxhash.xxh3_64_intdigest(pair.encode())
            vector[(code >> 1) % dimensions] += 1.0 if code & 1 else -1.0
        if not vector.any():
            vector[xxhash.xxh3_64_intdigest(characters.encode()) % dimensions] = 1.0
    return vectors
