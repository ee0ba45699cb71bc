"""AI boilerplate: stock phrases of a chatbot, and leftovers of how the answers were generated."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

from pipelines.checks import Batch, Evidence, Measurements, check, fix
from pipelines.checks._mending import replaced
from pipelines.checks._turns import Findings, records_with, turns_with
from pipelines.records import Message

_MODEL = r"(?:(?:large |AI )?language model|AI\b(?:[ -](?:language model|assistant|chatbot|model))?|artificial intelligence|chatbot|LLM\b)"
_SELF = (
    rf"\b(?:[Aa]s|[Bb]eing) an? {_MODEL}|\bI(?: am|['’]m) (?:just |only |simply |merely )?an? {_MODEL}"
    r"|\b(?:I am|I['’]m|as) ChatGPT\b|(?:developed|created|trained|made) by (?:OpenAI|Anthropic|Google DeepMind|DeepSeek|Alibaba Cloud)"
    r"|作(?:为|為)(?:一个|一名|一款|一個)?(?:AI|人工智能|人工智慧|(?:大型)?语言模型|聊天机器人)|我(?:只)?是(?:一个|一名|一款)?(?:AI|人工智能|(?:大型)?语言模型)"
    r"|\bAls (?:eine? )?(?:KI|künstliche Intelligenz|(?:großes )?(?:KI-)?Sprachmodell|AI|taalmodel)\b"
    r"|\bEn tant qu(?:e |['’])(?:IA|AI|intelligence artificielle|modèle de lang\w+|assistant virtuel)"
    r"|\bComo (?:un |una |um |uma )?(?:modelo de (?:lenguaje|linguagem)|IA|inteligencia artificial|inteligência artificial)\b"
    r"|\b(?:In quanto|Come) (?:IA|intelligenza artificiale|modello linguistico)\b|AI(?:言語モデル)?として"
)
_CUTOFF = (
    r"(?i:\b(?:as of|at the time of|up to|until) my (?:last|latest|most recent|knowledge|training)\b|\b(?:my )?knowledge cut-?off\b"
    r"|\bmy (?:last|latest|most recent) (?:knowledge |training )?update|\bmy training data\b|\bmy knowledge (?:was last updated|only))"
    r"|截至我(?:的|最后|最近)|我的(?:知识|训练数据)(?:截止|更新)|\bmeines (?:letzten )?Wissensstand|\bma dernière mise à jour"
)
_SOURCE = (
    r"(?i:\b(?:according to|based on|as (?:stated|mentioned|described|outlined|noted) in|per) the "
    r"(?:provided |given |above |supplied |reference )?"
    r"(?:document|passage|context|reference (?:text|material)|source text|knowledge base)s?(?: (?:provided|given|above))?\b)"
    r"|\b[Tt]he (?:provided |given )?(?:document|passage|context|source text) (?:states|mentions|says|does not|doesn['’]t|provides)\b"
    r"|参照文档|参考文档|根据(?:文档|文件|上述文档|所?提供的(?:文档|资料|文本|上下文))|文档中(?:提到|指出|没有)|思维链"
    r"|\b(?:laut|gemäß) (?:dem )?(?:Dokument|Text|Kontext)\b|\b[Ss]elon le (?:document|texte|contexte)\b"
    r"|\b[Ss]egún el (?:documento|texto|contexto)\b"
    r"|\b[Vv]olgens het document\b|\b[Ss]econdo il documento\b"
)
_BUTTONS = r"\bRegenerate response\b|Is this conversation helpful so far\?|ChatGPT can make mistakes|\bCopy code\b"
_PATTERN = rf"{_SELF}|{_CUTOFF}|{_SOURCE}|{_BUTTONS}"
_ASKED = (
    r"(?i)\bAI\b|artificial intelligence|language model|chat ?bot|chatgpt|assistant|人工智能|机器人|助手|语言模型|\bKI\b|\bIA\b"
    r"|document|passage|context|paragraph|article|\btext\b|excerpt|文档|文章|段落|文本|资料"
)
_LONG_PROMPT = 600


@functools.cache
def _phrases() -> re.Pattern[str]:
    return re.compile(_PATTERN)


@check(
    title="Chatbot phrases",
    unit="phrases",
    group="content",
    flag_above=0,
    languages=("en", "de", "fr", "es", "it", "nl", "pt", "zh", "ja"),
    version=2,
)
def ai_boilerplate(batch: Batch) -> Measurements:
    """Number of stock phrases in the answers: "As an AI language model", "as of my last update", "according to the document", 参照文档.

    They say how the answer was made, not what was asked, and a tuned model repeats them. Delete the phrase, or drop the row. Not
    counted where the prompt speaks of an AI, or of a text or document, or brings 600 characters or more along.
    """
    turns = list(turns_with(batch, _PATTERN, roles=["assistant"]))
    records = {turn.record for turn in turns}
    prompt = batch.column("prompt")
    asked = {record for record in records if len(prompt[record].as_py()) >= _LONG_PROMPT}
    asked |= records_with(batch, "prompt", _ASKED, records - asked) | records_with(batch, "system", _ASKED, records - asked)
    found = Findings(len(batch))
    for turn in turns:
        if turn.record not in asked:
            for match in _phrases().finditer(turn.content):
                found.add(turn.record, Evidence(turn.turn, *match.span(), note="a chatbot's phrase"))
    return found.measurements()


_SENTENCE_START = re.compile(r"(?:\A|[.!?。！？:]|\n|[.!?][\"”’)])[ \t]*[*_\"“(]?\Z")
_CLAUSE_END = re.compile(r"[^.,，;:!?。！？\n]{0,30}[,，]\s*")
_ASIDE = re.compile(r"(?P<subject>\bI)?(?P<comma>[,，]\s*)\Z")
_CARRIES = re.compile(r"(?:I(?: am|['’]m)|我(?:只)?是)", re.IGNORECASE)
"""How a phrase begins that is the sentence itself: "I am an AI, and …"."""
_BUTTON = re.compile(_BUTTONS)


@fix(ai_boilerplate, title="Take the phrase out")
def _without_phrase(turns: Sequence[Message], evidence: Sequence[Evidence]) -> list[Message] | None:
    """Takes out an opening clause ("As an AI language model, …"), an aside between commas, and the words of buttons.

    A phrase that carries its sentence ("I am an AI and cannot …") is left to a person.
    """
    spans = []
    for found in evidence:
        if found.turn is None or found.start is None or found.end is None:
            continue
        content = turns[found.turn].content
        before, clause = content[: found.start], _CLAUSE_END.match(content, found.end)
        if _BUTTON.fullmatch(content[found.start : found.end]):
            spans.append((found.turn, found.start, found.end, ""))
        elif not clause or _CARRIES.match(content, found.start):
            return None
        elif _SENTENCE_START.search(before):
            next_letter = content[clause.end() : clause.end() + 1]
            spans.append((found.turn, found.start, clause.end() + len(next_letter), next_letter.upper()))
        elif aside := _ASIDE.search(before):
            spans.append((found.turn, aside.start("comma"), clause.end(), " " if aside["subject"] else aside["comma"]))
        else:
            return None
    return replaced(turns, spans)
