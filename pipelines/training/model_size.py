"""Model size: what the config of a language model says about its weights, without loading it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines import models
from pipelines.errors import WorkbenchError


@dataclass(frozen=True, slots=True)
class ModelSize:
    """The shape of a decoder-only transformer."""

    layers: int
    hidden: int
    attention: int
    """Width of the queries: heads times their dimension."""
    keys: int
    """Width of the keys, and of the values."""
    inner: int
    """Width of the feed-forward part."""
    vocabulary: int
    tied: bool
    """Whether input and output embeddings are the same numbers."""

    @property
    def body(self) -> int:
        """Weights of the layers: what every token is multiplied with."""
        attention = 2 * self.hidden * self.attention + 2 * self.hidden * self.keys
        return self.layers * (attention + 3 * self.hidden * self.inner)

    @property
    def head(self) -> int:
        """Weights of the output: what every trained token is multiplied with."""
        return self.hidden * self.vocabulary

    @property
    def weights(self) -> int:
        """All weights."""
        return self.body + self.head * (1 if self.tied else 2)

    def adapter(self, rank: int) -> int:
        """Weights of a LoRA adapter of this rank on all linear layers."""
        attention = 2 * (self.hidden + self.attention) + 2 * (self.hidden + self.keys)
        return self.layers * rank * (attention + 3 * (self.hidden + self.inner))


def model_size(base: str) -> ModelSize:
    """The shape of a base model, from its config.json: no weights are read and torch is not imported."""
    try:
        return _from_config(_config(base))
    except KeyError as error:
        raise WorkbenchError(f"The config of {base} does not say its {error.args[0]}, so its size cannot be estimated.") from error


def _config(base: str) -> dict[str, Any]:
    path = Path(models.base_model(base))
    if not path.is_dir():
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

        try:
            return json.loads(Path(hf_hub_download(base, "config.json")).read_text(encoding="utf-8"))
        except (LocalEntryNotFoundError, HfHubHTTPError, OSError, ValueError) as error:
            raise WorkbenchError(f"Cannot read the config of {base}: {error} Give a folder, or a hub id that can be reached.") from error
    if not (path / "config.json").is_file():
        raise WorkbenchError(f"{path} holds no config.json, so it is not a model folder.")
    return json.loads((path / "config.json").read_text(encoding="utf-8"))


def _from_config(config: dict[str, Any]) -> ModelSize:
    config = config.get("text_config") or config
    heads = config["num_attention_heads"]
    head_dim = config.get("head_dim") or config["hidden_size"] // heads
    return ModelSize(
        layers=config["num_hidden_layers"],
        hidden=config["hidden_size"],
        attention=heads * head_dim,
        keys=(config.get("num_key_value_heads") or heads) * head_dim,
        inner=config["intermediate_size"],
        vocabulary=config["vocab_size"],
        tied=bool(config.get("tie_word_embeddings", False)),
    )
