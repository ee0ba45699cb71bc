"""Checks of answers that decline, or that sound like a chatbot."""

import json

import pytest

from tests.checks.measuring import answer, flags, marked, measure, turns

REFUSALS = [
    "I'm sorry, but I can't assist with that request.",
    "I am sorry, but as an AI language model, I do not have access to current prices.",
    "Unfortunately, I cannot provide medical advice.",
    "As an AI, I don’t have personal experiences.",
    "I must respectfully decline.",
    "I'm unable to help with this.",
    "Thank you for asking! However, I am not able to generate images.",
    "I will not engage with content of this kind.",
    "It would not be appropriate for me to comment.",
    "I don't have enough information to answer.",
    "Es tut mir leid, aber ich kann diese Frage nicht beantworten.",
    "Als KI-Modell? Nein: Als KI kann ich Ihnen dazu keine Auskunft geben.",
    "Je suis désolé, mais je ne peux pas vous aider.",
    "En tant qu'IA, je n'ai pas d'opinion personnelle.",
    "Lo siento, pero no puedo ayudarte con eso.",
    "Mi dispiace, ma non posso rispondere.",
    "Het spijt me, maar ik kan u daar niet mee helpen.",
    "抱歉，我无法回答这个问题。",
    "Sorry, that is not something I can do.",
    "That isn't something I am able to look into.",
    "I won't be able to help with this one.",
    "I don't feel comfortable answering this question.",
    "作为一个人工智能语言模型，我没有个人经历。",
    "申し訳ありませんが、そのご質問にはお答えできません。",
    "К сожалению, я не могу помочь с этим.",
]
ANSWERS = [
    "We cannot restore backups older than 30 days. Open Backups and choose a newer one.",
    "Sorry about that. We are issuing the refund now.",
    "I'm sorry, but I can't find the button either; it moved to Settings.",
    "I can't help but smile when I think of that summer.",
    '"I cannot help you," said the old man, and closed the door.',
    "You cannot open the file because you are not allowed to read it.",
    "Unfortunately, I will not be able to attend your party on Friday.",
    "As an AI researcher, she did not stop there.",
    "This is something I can do for you right away.",
    "I don't feel comfortable in this chair, she said.",
    "Ich kann das nicht essen, sagte der Bär.",
    "无法登录时，请重置密码。",
    "No.",
]


@pytest.mark.parametrize("text", REFUSALS)
def test_refusal_sees_it_alone_and_inside_json(text):
    wrapped = json.dumps({"category": "billing", "reply": text}, ensure_ascii=False)
    assert flags("refusal", answer(text), answer(wrapped), answer(json.dumps({"reply": text}, ensure_ascii=False))) == [True] * 3


@pytest.mark.parametrize("text", ANSWERS)
def test_refusal_leaves_answers_alone(text):
    assert flags("refusal", answer(text), answer(json.dumps({"reply": text}, ensure_ascii=False))) == [False, False]


def test_refusal_looks_at_answers_only_and_at_their_beginning():
    asked = turns(("user", "I'm sorry, but I can't help with that."), ("assistant", "No problem."))
    late = answer("The story goes on for long. " * 20 + "I'm sorry, but I can't assist with that.")
    assert flags("refusal", asked, late) == [False, False]


def test_refusal_counts_turns():
    record = turns(
        ("user", "a"), ("assistant", REFUSALS[0]), ("user", "b"), ("assistant", "Yes."), ("user", "c"), ("assistant", REFUSALS[5])
    )
    assert measure("refusal", record).values == [2.0]


@pytest.mark.parametrize(
    ("prompt", "text", "found"),
    [
        ("Is it far?", "As an AI language model, I would walk.", ["As an AI language model"]),
        ("Is it far?", "It is a mile. I'm an AI assistant made by OpenAI.", ["I'm an AI assistant", "made by OpenAI"]),
        ("Is it far?", "As of my last update, it was a mile.", ["As of my last"]),
        ("Is it far?", "According to the document, it is a mile.", ["According to the document"]),
        ("Is it far?", "The passage states that it is a mile.", ["The passage states"]),
        ("远吗？", "参照文档，大约一英里。", ["参照文档"]),
        ("远吗？", "作为一个AI，我认为不远。", ["作为一个AI"]),
        ("Ist es weit?", "Laut dem Dokument? Nein, laut dem Dokument eine Meile.", ["laut dem Dokument"]),
        ("Is it far?", "It is a mile.\n\nRegenerate response", ["Regenerate response"]),
        ("What can an AI do?", "As an AI language model, I can write.", []),
        ("Read the passage and say how far it is.", "According to the passage, it is a mile.", []),
        ("Is it far?", "Being an AI, I never walk.", ["Being an AI"]),
        ("Is it far?", "According to the mayor, it is a mile.", []),
        ("Is it far?", "As an aid to walkers there is a map.", []),
        ("Is it far?", "", []),
    ],
)
def test_ai_boilerplate(prompt, text, found):
    assert marked("ai_boilerplate", answer(text, prompt)) == found


def test_ai_boilerplate_accepts_a_prompt_that_brings_its_text_along():
    assert flags("ai_boilerplate", answer("According to the document, yes.", "The road is long. " * 60)) == [False]
