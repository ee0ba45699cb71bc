"""Generation: what the batches answer is what the model answers to each prompt alone."""

import random

import pytest

from pipelines.evaluation import decoding
from pipelines.evaluation import generate as generation
from pipelines.evaluation.decoding import Question, is_joinable, read_prefix
from pipelines.evaluation.generate import answer_limit, generate, rows_at_once
from pipelines.evaluation.language_model import LanguageModel

STOPS = (1, 2)


def tiny_model(kind: str) -> LanguageModel:
    import torch
    from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM

    torch.manual_seed(0)
    sizes = {"vocab_size": 60, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
             "num_key_value_heads": 2, "initializer_range": 0.5}  # fmt: skip
    model = LlamaForCausalLM(LlamaConfig(**sizes)) if kind == "llama" else MistralForCausalLM(MistralConfig(**sizes, sliding_window=8))
    model.generation_config = GenerationConfig(do_sample=False, pad_token_id=0, eos_token_id=list(STOPS))
    return LanguageModel(model.eval(), 0, STOPS)


def questions(count: int, shared: int, seed: int = 0) -> list[Question]:
    rng = random.Random(seed)

    def tokens(n):
        return tuple(rng.randint(3, 59) for _ in range(n))

    start = tokens(shared)
    return [Question(start + tokens(rng.randint(1, 30)), (*tokens(rng.randint(0, 20)), 2)) for _ in range(count)]


def alone(model: LanguageModel, question: Question, limit: int):
    """The plain way: one prompt, no cache of ours, the loss from one pass over prompt and answer."""
    import torch

    with torch.inference_mode():
        prompt = torch.tensor([question.prompt])
        written = model.model.generate(prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=limit)[
            0, len(question.prompt) :
        ].tolist()
        logits = model.model(torch.tensor([question.prompt + question.expected])).logits[0, len(question.prompt) - 1 : -1]
        loss = torch.nn.functional.cross_entropy(logits, torch.tensor(question.expected)).item()
    end = next((i for i, token in enumerate(written) if token in model.stop_ids), None)
    return tuple(written[:end]), end is not None, loss


@pytest.mark.parametrize("kind", ["llama", "mistral"])
@pytest.mark.parametrize("shared", [0, 12])
def test_a_batch_answers_as_each_prompt_alone(kind, shared, monkeypatch):
    """Llama's rows share a start, leave and join; Mistral's sliding window allows none of that, so it takes the longer way."""
    monkeypatch.setattr(generation, "CPU_ROWS", 8)
    monkeypatch.setattr(decoding, "LOGIT_BYTES", 4 * 16 * 60 * 7)  # answers of more than eight tokens are read in steps
    model, asked = tiny_model(kind), questions(24, shared)
    replies = dict(generate(model, asked, limit=8))
    assert sorted(replies) == list(range(24))
    ends = set()
    for index, question in enumerate(asked):
        tokens, stopped, loss = alone(model, question, 8)
        assert (replies[index].tokens, replies[index].stopped) == (tokens, stopped)
        assert replies[index].loss == pytest.approx(loss, abs=1e-4)
        ends.add(stopped)
    assert ends == {True, False}, "the model must end some answers and not others for this to show anything"


def test_what_all_prompts_share_is_read_once():
    model, asked = tiny_model("llama"), questions(6, 12)
    assert read_prefix(model, asked).length == 12
    assert read_prefix(model, [Question(asked[0].prompt[:12], (2,)), *asked]).length == 11, "the last token is read by itself"
    assert read_prefix(model, questions(6, 3)) is None
    assert read_prefix(model, asked[:1]) is None


def test_only_full_attention_can_share_and_join():
    assert is_joinable(tiny_model("llama")) and not is_joinable(tiny_model("mistral"))


def test_asking_nothing_answers_nothing():
    assert list(generate(tiny_model("llama"), [], limit=5)) == []


@pytest.mark.parametrize("kind", ["llama", "mistral"])
def test_what_is_told_grows_to_all_prompts_and_can_stop_the_model(kind, monkeypatch):
    monkeypatch.setattr(generation, "CPU_ROWS", 8)
    told = []
    list(generate(tiny_model(kind), questions(20, 0), limit=8, tick=told.append))
    assert told == sorted(told) and told[-1] == 20 and len(told) > 10

    def stop(rows):
        if rows > 17:
            raise KeyboardInterrupt

    answered = []
    with pytest.raises(KeyboardInterrupt):
        for index, _ in generate(tiny_model(kind), questions(20, 0), limit=8, tick=stop):
            answered.append(index)
    assert 8 <= len(answered) < 20, "what had ended was handed out before"


@pytest.mark.parametrize("kind", ["llama", "mistral"])
def test_what_is_too_much_for_the_card_is_asked_with_half_as_many_rows(kind, monkeypatch):
    import torch

    model, asked = tiny_model(kind), questions(16, 0)
    read, sizes = generation.read_prompts, []

    def on_a_small_card(model, part, *rest):
        sizes.append(len(part))
        if len(part) > 4:
            raise torch.OutOfMemoryError
        return read(model, part, *rest)

    expected = dict(generate(model, asked, limit=8))
    monkeypatch.setattr(generation, "read_prompts", on_a_small_card)
    monkeypatch.setattr(generation, "CPU_ROWS", 16)
    found = dict(generate(model, asked, limit=8))
    assert sizes[:3] == [16, 8, 4] and max(sizes[3:]) <= 4
    assert {i: reply.tokens for i, reply in found.items()} == {i: reply.tokens for i, reply in expected.items()}
    monkeypatch.setattr(generation, "CPU_ROWS", 1)
    monkeypatch.setattr(generation, "read_prompts", lambda *_: on_a_small_card(model, asked))
    with pytest.raises(torch.OutOfMemoryError):
        list(generate(model, asked, limit=8))


def test_longer_rows_are_answered_fewer_at_a_time():
    model = tiny_model("llama")
    assert [rows_at_once(model, tokens) for tokens in (10, 1000, 4096, 100_000)] == [24, 16, 4, 1]


@pytest.mark.parametrize(
    ("lengths", "limit"),
    [([10] * 100, 16), ([20] * 100, 32), ([80] * 99 + [5000], 120), ([80] * 97 + [200] * 3, 304), ([5000], 512), ([], 16)],
)
def test_answers_get_half_more_room_than_nearly_all_expected_ones_need(lengths, limit):
    assert answer_limit(lengths) == limit
