"""Speaker: a model that answers one conversation at a time and hands out its words as they come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Literal

from jinja2.exceptions import TemplateError

from pipelines.errors import WorkbenchError
from pipelines.evaluation.cases import decode, pad_token, turn_ends
from pipelines.evaluation.language_model import LanguageModel, context_tokens, load_language_model
from pipelines.evaluation.tuned_run import find_run
from pipelines.records import Message, Record
from pipelines.store.project import Project
from pipelines.tokens.example import Example, tokenise_record
from pipelines.tokens.template import ChatFormat, load_chat_format


@dataclass(frozen=True, slots=True)
class Speaker:
    """A base model, and with it the adapter of a run that can be switched on and off."""

    language_model: LanguageModel
    chat: ChatFormat
    run: str | None
    """None when there is no adapter."""
    context_tokens: int | None

    def speak(
        self,
        messages: Sequence[Message],
        *,
        model: Literal["base", "tuned"],
        max_new_tokens: int,
        temperature: float,
        seed: int,
        write: Callable[[str], None],
        should_stop: Callable[[], bool],
    ) -> None:
        """Answers a conversation; `write` gets each new piece of text. Raises WorkbenchError when it cannot be answered."""
        import torch
        from transformers import GenerationConfig, StoppingCriteriaList

        prompt = self._prompt(messages)
        limit = self._limit(len(prompt), max_new_tokens)
        if model == "tuned" and self.run is None:
            raise WorkbenchError("There is no tuned model in this chat. Start it with a run, or ask the base model.")
        network: Any = self.language_model.model
        ids = torch.tensor([prompt], device=self.language_model.device)

        def stop(tokens: Any, _scores: Any, **_: Any) -> Any:
            return torch.full((len(tokens),), should_stop(), dtype=torch.bool, device=tokens.device)

        settings = GenerationConfig(
            max_new_tokens=limit, do_sample=temperature > 0, temperature=temperature if temperature > 0 else None,
            top_k=0 if temperature > 0 else None, pad_token_id=self.language_model.pad_id, eos_token_id=list(self.language_model.stop_ids),
        )  # fmt: skip
        torch.manual_seed(seed)
        pieces = _Pieces(self.chat, self.language_model.stop_ids, write)
        without_adapter = network.disable_adapter() if model == "base" and self.run is not None else nullcontext()
        try:
            with torch.inference_mode(), without_adapter:
                network.generate(
                    input_ids=ids, attention_mask=torch.ones_like(ids), generation_config=settings, streamer=pieces,
                    stopping_criteria=StoppingCriteriaList([stop]),
                )  # fmt: skip
        except torch.OutOfMemoryError as error:
            raise WorkbenchError("The graphics card has not enough memory for this conversation. Start a new, shorter one.") from error

    def _prompt(self, messages: Sequence[Message]) -> list[int]:
        if not messages or messages[-1].role == "assistant":
            raise WorkbenchError("There is nothing to answer: the last message must come from the user.")
        try:
            text = self.chat.render(messages, add_generation_prompt=True)
        except TemplateError as error:
            raise WorkbenchError(f"The model's chat template refuses this conversation: {error}.") from error
        return self.chat.tokenizer(text, add_special_tokens=False)["input_ids"]

    def _limit(self, prompt_tokens: int, wanted: int) -> int:
        room = wanted if self.context_tokens is None else self.context_tokens - prompt_tokens
        if room < 1:
            raise WorkbenchError(
                f"The conversation has {prompt_tokens:,} tokens, and the model reads at most {self.context_tokens:,}. Start a new one."
            )
        return max(1, min(wanted, room))


class _Pieces:
    """Turns tokens into text as they come. A character made of several tokens is held back until it is whole."""

    def __init__(self, chat: ChatFormat, stop_ids: Sequence[int], write: Callable[[str], None]) -> None:
        self.chat, self.stop_ids, self.write = chat, stop_ids, write
        self.tokens: list[int] = []
        self.written = ""
        self.has_prompt = False

    def put(self, tokens: Any) -> None:
        """What generate() calls with the prompt first and then with each token."""
        if not self.has_prompt:
            self.has_prompt = True
            return
        self.tokens += [token for token in tokens.flatten().tolist() if token not in self.stop_ids]
        text = decode(self.chat, self.tokens)
        if not text.endswith("\ufffd"):
            self._write(text)

    def end(self) -> None:
        """What generate() calls last."""
        self._write(decode(self.chat, self.tokens))

    def _write(self, text: str) -> None:
        if len(text) > len(self.written):
            self.write(text[len(self.written) :])
            self.written = text


def load_speaker(project: Project, run: str | None, base: str) -> Speaker:
    """The model of a run, with the base model under it; without a run, the base model alone."""
    found = find_run(project, run) if run is not None else None
    chat = load_chat_format(str(found.adapter) if found else base)
    greeting = tokenise_record(Record((Message("user", "Hello"), Message("assistant", "Hello"))), chat)
    ends = turn_ends(chat, [greeting.input_ids[greeting.labels >= 0].tolist()] if isinstance(greeting, Example) else [])
    base = found.base if found else base
    loaded = load_language_model(base, pad_id=pad_token(chat, ends), stop_ids=tuple(sorted(ends)))
    if found:
        from peft import PeftModel

        # Not merged, unlike for an evaluation: one question goes to the base model and the next to the tuned one.
        adapted: Any = PeftModel.from_pretrained(loaded.model, str(found.adapter)).eval()
        loaded = LanguageModel(adapted, loaded.pad_id, loaded.stop_ids)
    return Speaker(loaded, chat, run, context_tokens(base))
