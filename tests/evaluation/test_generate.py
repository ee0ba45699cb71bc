"""Generation: what the batches answer is what the model answers to each prompt alone."""

import random

import pytest

from pipelines.evaluation import generate as generation
from pipelines.evaluation.generate import Question, answer_limit, generate, plan_batches
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
    """Llama's cache is shared and cut; Mistral's sliding window cannot be, so it takes the longer way."""
    monkeypatch.setattr(generation, "LOGIT_BYTES", 4 * 16 * 60 * 7)  # answers of more than eight tokens are read in steps
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
    assert generation._read_prefix(model, asked).length == 12
    assert generation._read_prefix(model, [Question(asked[0].prompt[:12], (2,)), *asked]).length == 11, (
        "the last token of each is kept apart"
    )
    assert generation._read_prefix(model, questions(6, 3)) is None
    assert generation._read_prefix(model, asked[:1]) is None
    assert generation._read_prefix(tiny_model("mistral"), asked) is None


def test_asking_nothing_answers_nothing():
    assert list(generate(tiny_model("llama"), [], limit=5)) == []


def test_what_is_told_grows_to_all_prompts_and_can_stop_the_model():
    told = []
    list(generate(tiny_model("llama"), questions(20, 0), limit=8, tick=told.append))
    assert told == sorted(told) and told[-1] == 20 and len(told) > 10

    def stop(rows):
        if rows > 17:
            raise KeyboardInterrupt

    answered = []
    with pytest.raises(KeyboardInterrupt):
        for index, _ in generate(tiny_model("llama"), questions(20, 0), limit=8, tick=stop):
            answered.append(index)
    assert len(answered) == 16, "the first batch was handed out before"


def test_a_batch_too_large_for_the_card_is_halved(monkeypatch):
    import torch

    model, asked = tiny_model("llama"), questions(16, 0)
    whole, sizes = generation._answer_batch, []

    def on_a_small_card(model, part, *rest):
        sizes.append(len(part))
        if len(part) > 4:
            raise torch.OutOfMemoryError
        return whole(model, part, *rest)

    expected = dict(generate(model, asked, limit=8))
    monkeypatch.setattr(generation, "_answer_batch", on_a_small_card)
    found = dict(generate(model, asked, limit=8))
    assert sizes == [16, 8, 4, 4, 8, 4, 4]
    assert {i: reply.tokens for i, reply in found.items()} == {i: reply.tokens for i, reply in expected.items()}


def test_batches_hold_every_prompt_once_and_keep_to_their_bounds():
    asked = questions(100, 0)
    batches = plan_batches(asked, limit=20, rows=8, tokens=200)
    assert sorted(i for batch in batches for i in batch) == list(range(100))
    for batch in batches:
        assert 1 <= len(batch) <= 8
        assert len(batch) * max(len(asked[i].prompt) + max(20, len(asked[i].expected)) for i in batch) <= 200
    assert plan_batches([Question((1,) * 500, (2,))], limit=20, rows=8, tokens=200) == [[0]], (
        "a prompt larger than the bound is asked alone"
    )


@pytest.mark.parametrize(
    ("lengths", "limit"),
    [([10] * 100, 16), ([20] * 100, 32), ([80] * 99 + [5000], 120), ([80] * 97 + [200] * 3, 304), ([5000], 512), ([], 16)],
)
def test_answers_get_half_more_room_than_nearly_all_expected_ones_need(lengths, limit):
    assert answer_limit(lengths) == limit
