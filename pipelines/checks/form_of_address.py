"""Form of address: du or Sie, tu or vous; how an answer addresses its reader."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.checks import Evidence, Measurements, SetFeatures, check
from pipelines.checks._majority import NOT_MEASURED
from pipelines.checks._styles import answer_texts, deviations, style_counts

_B, _E = r"(?:^|[^\pL\pN_'’-])", r"(?:$|[^\pL\pN_'’-])"
_FORMS = {
    "de": (
        "German",
        rf"(?i){_B}(du|dich|dir|dein(?:e[mnrs]?)?){_E}",
        rf"[\pL,;)] (Sie|Ihnen|Ihr(?:e[mnrs]?)?){_E}|{_B}(Ihnen){_E}",
        "du",
        "Sie",
    ),
    "fr": ("French", rf"(?i){_B}(tu|toi|ton|tes){_E}", rf"(?i){_B}(vous|votre|vos){_E}", "tu", "vous"),
    "es": ("Spanish", rf"(?i){_B}(tú|contigo|tienes|puedes|tuyo|tus){_E}", rf"(?i){_B}(ustedes|usted){_E}", "tú", "usted"),
    "it": ("Italian", rf"(?i){_B}(tu|puoi|hai|tuo|tua|tuoi){_E}", rf"[\pL,;)] (Lei|Suo|Sua|Suoi|La prego|Le){_E}", "tu", "Lei"),
    "nl": ("Dutch", rf"(?i){_B}(je|jij|jouw){_E}", rf"(?i){_B}(uw|u){_E}", "je", "u"),
}
"""By language code: its name, patterns and names of the familiar and of the formal address. Only words that are
hardly ever anything else."""


@check(
    title="Readers addressed in another way", unit="certainty", group="format", flag_above=0.85, scope="set",
    languages=tuple(_FORMS), needs=("prompt_languages",),
)  # fmt: skip
def form_of_address(features: SetFeatures) -> Measurements:
    """How surely an answer addresses its reader as "du" where the set says "Sie" (tu and vous, tú and usted, je and u), or the reverse.

    A customer who is addressed formally in one sentence and familiarly in the next notices at once. Rewrite the answer in the usual form.

    From 0 to 1. The usual form is that of most answers in the same language to the same system prompt, where 20 answers or more address
    the reader, or else of all in the language. The value is the lower end of the 95 % interval of its share, 0 for answers that keep to it.
    Not measured for answers that address nobody, and in other languages.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    answers = answer_texts(features)
    codes = np.asarray(pc.fill_null(features.prompt_languages.column("code"), "").to_pylist(), dtype=object)
    values: list[float | None] = [None] * len(codes)
    evidence: list[Sequence[Evidence]] = [()] * len(codes)
    for code, (language, familiar, formal, *names) in _FORMS.items():
        is_spoken = codes == code
        if not is_spoken.any():
            continue
        counts = style_counts(pc.if_else(pa.array(is_spoken), answers, ""), [familiar, formal])
        forms = np.where(counts.any(axis=1), counts.argmax(axis=1), NOT_MEASURED)
        quoted = [f"“{name}”" for name in names]
        found = deviations(features, counts, forms, names=quoted, patterns=[familiar, formal], thing=f"an address in {language}")
        for row in np.flatnonzero(forms != NOT_MEASURED).tolist():
            values[row], evidence[row] = found.values[row], (found.evidence or ())[row]
    return Measurements(values, evidence)
