"""Refusals: the phrases with which an assistant declines, in ten languages."""

from __future__ import annotations

import functools
import re

OPENING = 400
"""Characters in which a refusal stands; later such words are a caveat, or somebody's speech in a story."""
CUES = (
    r"(?i)not |n(?:['’‘`´]|\\u2019)t |unable|prohibited|forbidden|decline|refuse|withheld|blocked|flagged|removed|filtered"
    r"|against|violat|polic|beyond my|sorry|apolog"
    r"|nicht|kein|leid|désolé|je n|lo siento|no puedo|não|no |non |niet|geen|无法|無法|不能|没有|沒有|不具备|不清楚|不支持|不会|ません|не "
)
"""RE2: one of these stands in every refusal."""

_A = r"(?:['’‘`´]|\\u2019)"
_AM = rf"(?: am|{_A}m)"
_MODEL = (
    r"(?:an? )?(?:AI\b|A\.I\.|artificial intelligence|(?:large |AI )?language model|LLM\b|chatbot|machine learning model|virtual assistant)"
)
_BARRED = (
    r"(?:unable|not able|not allowed|not permitted|not authori[sz]ed|not in a position|not capable|not equipped|not programmed|not designed"
    r"|not comfortable|prohibited from|forbidden)"
)
_DECLINE = r"(?:must|have to) (?:respectfully |politely )?(?:decline|refuse)"
_UNABLE = (
    rf"(?:(?:am|{_A}m) (?:(?:sorry|afraid)[^.!?\n]{{0,20}} )?(?:just )?{_BARRED}|can ?not|can{_A}t|could not|couldn{_A}t"
    rf"|(?:won{_A}t|will not)(?: be able to)?|{_DECLINE})"
)
_LACK = (
    rf"(?:do not|don{_A}t) (?:actually |currently )?have "
    r"(?:(?:enough|sufficient|any|the) (?:context|information|details|ability|capability)|(?:the )?(?:direct |real[- ]time )?access to"
    r"|(?:the )?ability|personal|real[- ]time|feelings|emotions|opinions|preferences)"
)
_TASK = (
    r"(?: to)? (?!help (?:but|feeling|thinking|wondering))"
    r"(?:assist|help|provide|fulfil{1,2}|comply|answer|respond|generate|create|write|produce|complete|continue|proceed|engage|discuss"
    r"|comment|offer|give|share|support|participate|take part|recommend|browse|predict|process|perform|execute|promote|condone|encourage"
    r"|do (?:that|this)|say which|make predictions|fetch|retrieve|display|open (?:links|files))\b"
)
_SMALL_TALK = (
    r"(?:find|locate|seem|reach|recall|remember|believe|agree|accept|attend|make it|come|join|wait|stay|hear|stop|go|talk"
    r"|be (?:able|there))"
)
_SORRY = (
    rf"(?:(?:I{_AM}|We are) (?:really |very |so )?(?:sorry|afraid)|I (?:do )?(?:apologi[sz]e|regret)"
    r"|My apologies|Sorry|Apologies)[^.!?\n]{0,80}?"
)
_LEAD = r"(?:(?:Unfortunately|However|Regrettably|As such|Therefore|Hence),? ?)?"
_BY_LANGUAGE = {
    "en": (
        rf"{_SORRY}\bI ?(?:{_UNABLE}(?! (?:to )?{_SMALL_TALK}\b)|{_LACK}|(?:am|{_A}m) (?:just |only |simply )?{_MODEL})",
        rf"{_LEAD}I ?{_UNABLE}{_TASK}",
        rf"{_LEAD}I {_DECLINE}\b",
        rf"I {_LACK}",
        rf"[^.!?\n\"]{{0,60}}\b[Aa]s {_MODEL}[^.!?\n]{{0,90}}?\bI ?(?:{_UNABLE}|{_LACK}|(?:do not|don{_A}t|am not|{_A}m not) )",
        rf"{_LEAD}I{_AM} (?:just |only |simply )?{_MODEL}[^.!?\n]{{0,60}}?"
        rf"(?:cannot|can{_A}t|unable|not able|not have|don{_A}t|beyond my|not capable)",
        r"It (?:would|is) not (?:be )?(?:appropriate|possible|ethical) for me to",
        rf"(?:{_SORRY}|Sorry, (?:but )?)?\b[Tt]h(?:at|is)(?:(?:{_A}s| is) not| isn{_A}t) something (?:that )?I (?:can|could|am able to)\b",
        rf"{_LEAD}I (?:do not|don{_A}t) feel comfortable (?:answering|helping|discussing|providing|writing|sharing|with)\b",
        r"[^.!?\n\"]{0,60}(?:go(?:es)? against|violates?) (?:my|our|OpenAI)\S* (?:guidelines|programming|polic|content|principles|ethic)",
        r"[^.!?\n\"]{0,30}OpenAI\S* (?:usage|content|use)[- ]?\w* polic",
        r"\W?This (?:response|content|request|prompt) (?:was|has been|is) (?:withheld|blocked|flagged|removed|filtered)",
        r"My (?:knowledge|training data)[^.!?\n]{0,60}(?:cut-?off|last updated|only (?:goes|extends)|up to 20)[^.!?\n]{0,60}"
        rf"(?:not able|unable|cannot|can{_A}t)",
    ),
    "de": (
        r"(?:Es )?[Tt]ut mir (?:sehr )?leid,? (?:aber )?(?:ich kann|dabei kann|das kann|als|ich bin nicht)",
        r"Leider kann ich (?:Ihnen |dir )?(?:dabei|damit|hier)",
        r"Ich kann (?:Ihnen|dir|dabei|damit|diese[rsnm]?|Ihre)[^.!?\n]{0,60} nicht "
        r"(?:helfen|weiterhelfen|beantworten|erfüllen|unterstützen)",
        r"Als (?:eine? )?(?:KI|künstliche Intelligenz|(?:großes )?Sprachmodell|AI)\b"
        r"[^.!?\n]{0,60}(?:kann|habe|bin|darf) ich[^.!?\n]{0,80}\b(?:nicht|kein)",
    ),
    "fr": (
        r"(?:Je suis |Nous sommes )?(?:[Vv]raiment )?[Dd]ésolée?s?,? (?:mais )?(?:je|en tant)",
        r"Je ne (?:peux|suis) pas (?:en mesure|vous aider|t['’]aider|répondre|fournir|accéder)",
        r"En tant qu(?:e|['’])\s?(?:IA|AI|intelligence artificielle|assistant|modèle)[^.!?\n]{0,60}je (?:ne|n['’])",
    ),
    "es": (
        r"Lo siento,? (?:pero )?(?:no puedo|como|no tengo|no me es)",
        r"No puedo (?:ayudar|proporcionar|responder|cumplir)",
        r"Como (?:un |una )?(?:modelo de lenguaje|IA|inteligencia artificial|asistente de IA)[^.!?\n]{0,60}no (?:puedo|tengo)",
    ),
    "pt": (
        r"(?:Desculpe|Sinto muito|Lamento),? (?:mas )?não posso",
        r"Como (?:um |uma )?(?:modelo de linguagem|IA|inteligência artificial)[^.!?\n]{0,60}não (?:posso|tenho)",
    ),
    "it": (
        r"Mi dispiace,? (?:ma )?(?:non posso|come|non sono)",
        r"Non posso (?:aiutar|fornire|rispondere)",
        r"(?:In quanto|Come) (?:IA|intelligenza artificiale|modello linguistico|assistente)[^.!?\n]{0,60}non (?:posso|ho)",
    ),
    "nl": (
        r"(?:Het spijt me|Sorry),? (?:maar )?(?:ik kan|als)[^.!?\n]{0,60}(?:niet|geen)",
        r"Ik kan (?:u|je) (?:hier|daar)?(?:mee|bij)? ?niet helpen",
        r"Als (?:een )?(?:AI|taalmodel|kunstmatige intelligentie)[^.!?\n]{0,60}(?:kan|heb) ik[^.!?\n]{0,40}(?:niet|geen)",
    ),
    "zh": (
        r"(?:很|非常|十分)?(?:抱歉|对不起|對不起|不好意思)[，,。! ！]{0,2}(?:但是?|作为[^，。\n]{0,20}[，,])?(?:我|本人)?"
        r"(?:无法|不能|無法|没有|沒有|不具备|不清楚|不支持)",
        r"[^，。！？\n你您]{0,12}作(?:为|為)(?:一个|一名|一個|一款)?(?:AI|ＡＩ|人工智能|人工智慧|(?:大型)?语言模型|聊天机器人|机器人|虚拟助手)"
        r"[^。！？\n]{0,30}我?(?:无法|不能|没有|不具备|不会|無法|沒有)",
        r"我(?:无法|不能|無法)(?:提供|回答|满足|完成|帮助|协助|执行|查看|访问|预测|生成)",
    ),
    "ja": (
        r"申し訳(?:ありません|ございません)が、[^。\n]{0,40}(?:できません|お答え|いたしかねます)",
        r"AI(?:言語モデル)?として[^。\n]{0,40}(?:できません|ありません)",
    ),
    "ru": (
        r"К сожалению,? я не могу|(?:Извините|Простите),? (?:но )?я не могу",
        r"Как (?:языковая модель|ИИ|искусственный интеллект)[^.!?\n]{0,60}не (?:могу|имею)",
    ),
}
LANGUAGES = tuple(_BY_LANGUAGE)
_SENTENCE_START = r"(?:\A[\s*_>#(-]{0,4}|[.!?。！？…:][\"')\]]*\s+|\n\s*|\"\s*:\s*\"\W?|[。！？，])"
"""Also the beginning of a text inside JSON."""


@functools.cache
def _refusals() -> re.Pattern[str]:
    return re.compile(rf"{_SENTENCE_START}({'|'.join(phrase for phrases in _BY_LANGUAGE.values() for phrase in phrases)})")


def find_refusal(answer: str) -> tuple[int, int] | None:
    """Where an answer declines, in its first 400 characters, or None."""
    match = _refusals().search(answer, 0, OPENING)
    return match.span(1) if match else None
