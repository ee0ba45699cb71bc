"""Document reference: an answer that speaks of a text which its question does not hold."""

from __future__ import annotations

from pipelines.checks import Batch, Evidence, Measurements, check
from pipelines.checks._turns import Findings, records_with, spans, turns_with

_THING = r"(?:document|passage|text|context|article|excerpt|paragraph|transcript|image|figure|chart|graph|snippet|attachment)"
_GIVEN = r"(?:provided|given|above|attached|supplied|uploaded|retrieved)"
_GIVEN_THING = r"(?:report|file|source|source material|study)"
_SAYS = r"(?:says|(?:does not|doesn't) (?:mention|say|state|specify|provide|contain)|states|mentions)"
_REFERENCE = (
    r"(?i)\b(?:(?:according to|based on|as (?:stated|mentioned|described|shown|noted|outlined|explained) in|from|per)"
    rf" the (?:{_GIVEN} |following )*{_THING}|(?:the|this) {_GIVEN} (?:{_THING}|{_GIVEN_THING})|(?:per|from|in) the source material"
    rf"|the {_THING} (?:{_GIVEN}|{_SAYS}))\b"
    r"|\b(?:laut|gemäß|nach) (?:dem|der|den) (?:(?:vorliegenden|obigen|gegebenen|bereitgestellten) )?"
    r"(?:Dokument|Text|Textabschnitt|Kontext|Quelle|Artikel|Abschnitt)"
    r"|\b(?:selon|d['’]après) (?:le|la|l['’]) ?(?:document|texte|passage|article|extrait|contexte)"
    r"|\bsegún (?:el|la) (?:documento|texto|pasaje|artículo|contexto)"
    r"|根据(?:提供的|上述|所给|给定的|以上)?(?:文档|文章|文本|上下文|资料|段落|材料)|文中(?:提到|指出)|如上文所述"
)
_HOLDS_ONE = (
    r"(?is)^.{700,}|\n.{200,}|\b(?:document|passage|text|context|article|excerpt|paragraph|source|information|data|transcript|report|table|image|figure"
    r"|chart|graph|snippet|attach|file|following|below|above|given|dokument|texte?|kontext|artikel|abschnitt|quelle|passages?|extrait|documento|texto"
    r"|artículo|contexto|summar\w+|rewrite|translate)|文|资料|段落|材料|表|图|[\"“«][^\"”»]{60,}|https?://"
)


@check(title="Answers about a text that is not there", unit="places", group="content", flag_above=0, version=2)
def document_reference(batch: Batch) -> Measurements:
    """Number of places where an answer speaks of "the document", "the provided context" and the like, and its question holds none.

    The text was lost when the rows were made, and the model would learn to appeal to a text that nobody gave it. Put the text back into
    the question, reword the answer, or drop the row.

    Not counted where the question or the system prompt is long, quotes something, or speaks of a text itself. Knows English, German,
    French, Spanish and Chinese wordings.
    """
    turns = list(turns_with(batch, _REFERENCE, roles=["assistant"]))
    records = [turn.record for turn in turns]
    holds_one = records_with(batch, "prompt", _HOLDS_ONE, records) | records_with(batch, "system", _HOLDS_ONE, records)
    found = Findings(len(batch))
    for turn in turns:
        if turn.record not in holds_one and turn.turn > 0:
            for start, end in spans(_REFERENCE, turn.content):
                found.add(turn.record, Evidence(turn.turn, start, end, note="no such text is in the question"))
    return found.measurements()
