"""Lines of two encodings in one file are each read as what they are, and older encodings are recognised by their text."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.sources.legacy_encoding import legacy_encoding
from pipelines.sources.locate import locate
from pipelines.sources.mixed_encoding import as_utf_8, kind_of_line, mended
from pipelines.sources.read import FileRows
from pipelines.sources.rows import RawRow, Rejection

WESTERN = st.text(st.sampled_from("abc \"'éèüßñÀÉçøœ€“”’–…"), max_size=30)


def values(path) -> tuple[list, list[str], list[str]]:
    rows = FileRows(locate(path).files[0])
    found = list(rows)
    read = [row.value["q"] for row in found if isinstance(row, RawRow)]
    return read, [row.reason for row in found if isinstance(row, Rejection)], rows.notes


TEXTS = ["Où est-ce ?", "Größe “42”", "plain", "naïve café", "日本 and é"]
WRITTEN = ["utf-8", "cp1252", "ascii", "utf-8", "utf-8"]


def jsonl(q: str, encoding: str) -> bytes:
    return json.dumps({"q": q, "a": "1"}, ensure_ascii=False).encode(encoding)


WAYS = {
    "a.jsonl": lambda lines: b"\n".join(lines),
    "a.json": lambda lines: b"[" + b",\n".join(lines) + b"]",
    "a.csv": lambda lines: (
        b"q,a\n"
        + b"\n".join(b'"' + json.loads(line.decode("latin-1"))["q"].encode("latin-1").replace(b'"', b'""') + b'",1' for line in lines)
    ),
}


@pytest.mark.parametrize("name", WAYS)
def test_each_line_is_read_as_what_it_is(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(WAYS[name]([jsonl(q, encoding) for q, encoding in zip(TEXTS, WRITTEN, strict=True)]))
    assert values(path) == (TEXTS, [], ["1 line holds bytes that are not UTF-8: read as Windows-1252 where they can be"])


@pytest.mark.parametrize("name", WAYS)
def test_a_few_lines_of_utf_8_in_a_file_of_windows_1252(tmp_path, name):
    path = tmp_path / name
    texts = ["Größe", "Öl", "Où ?", "Spaß“", "“é”"]
    path.write_bytes(
        WAYS[name]([jsonl(q, encoding) for q, encoding in zip(texts, ["cp1252", "cp1252", "utf-8", "cp1252", "cp1252"], strict=True)])
    )
    note = "read as Windows-1252, because it is not UTF-8, but for 1 line that is"
    assert values(path) == (texts, [], [note])


@pytest.mark.parametrize("word", ["Да", "Как оформить возврат?", "Ναι", "نعم", "כן"])
def test_one_bad_byte_does_not_cost_a_file_its_alphabet(tmp_path, word):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"".join(line + b"\n" for line in [jsonl(word, "utf-8")] * 3 + [jsonl("caf\xe9", "cp1252")]))
    assert values(path)[:2] == ([word, word, word, "café"], [])


def test_one_line_may_hold_both(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes('{"q": "é — “quoted” '.encode() + 'then “pasted”"}'.encode("cp1252") + b"\n" + '{"q": "ü"}'.encode())
    assert values(path)[:2] == (["é — “quoted” then “pasted”", "ü"], [])


def test_bytes_of_no_encoding_and_characters_cut_off_stay_aside(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes('{"q": "éé"}\n'.encode() + b'{"q": "\x81"}\n{"q": "cut \xe2\x82"}\n' + '{"q": "üü"}'.encode())
    read, reasons, _ = values(path)
    assert read == ["éé", "üü"]
    assert [reason.split(" (")[0] for reason in reasons] == ["It holds bytes that are not UTF-8"] * 2


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b"plain", "ascii"),
        ("über".encode(), "utf-8"),
        ("日本".encode(), "utf-8"),
        ("CAFÉ’".encode("cp1252"), "doubtful"),
        ("über".encode("cp1252"), "other"),
        ("über Straße".encode() + b" \xfc", "broken"),
    ],
)
def test_what_a_line_is_written_in(line, kind):
    assert kind_of_line(line) == kind


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_utf_8_is_never_changed(text):
    assert mended(io.BytesIO(text.encode()), mostly="utf-8").read() == text.encode()


@given(WESTERN)
def test_windows_1252_is_read_as_it_was_meant_or_left_as_it_is(text):
    line = text.encode("cp1252")
    if kind_of_line(line) == "other":
        assert as_utf_8(line, mostly="cp1252").decode() == text
        assert as_utf_8(line, mostly="utf-8") in (text.encode(), line)  # it may look like a character of UTF-8 that was cut off


@pytest.mark.parametrize(
    ("codec", "text", "title"),
    [
        ("gb18030", "怎样学习一门新的语言？每天练习，多听多说。", "GB 18030 (simplified Chinese)"),
        ("big5", "請問如何申請退款？我們會在三天內處理。", "Big5 (traditional Chinese)"),
        ("cp932", "返品するにはどうすればよいですか。三日以内に手続きします。", "Shift JIS (Japanese)"),
        ("euc_jp", "返品するにはどうすればよいですか。三日以内に手続きします。", "EUC-JP (Japanese)"),
        ("cp949", "환불은 어떻게 신청하나요? 사흘 안에 처리해 드립니다.", "EUC-KR (Korean)"),
        ("cp1251", "Как оформить возврат? Мы рассмотрим заявку за три дня.", "Windows-1251 (Cyrillic)"),
        ("koi8_r", "Как оформить возврат? Мы рассмотрим заявку за три дня.", "KOI8-R (Cyrillic)"),
        ("cp1250", "Jak mogę zwrócić towar? Proszę złożyć wniosek, rozpatrzymy go w ciągu trzech dni.", "Windows-1250 (Central European)"),
        ("cp1253", "Πώς μπορώ να ζητήσω επιστροφή; Θα απαντήσουμε σε τρεις ημέρες.", "Windows-1253 (Greek)"),
        ("cp1254", "İade için nasıl başvurabilirim? Başvurunuzu üç gün içinde değerlendiririz, teşekkür ederiz.", "Windows-1254 (Turkish)"),
        ("cp1255", "כיצד אפשר לבקש החזר כספי? נטפל בבקשה בתוך שלושה ימים.", "Windows-1255 (Hebrew)"),
        ("cp1256", "كيف يمكنني طلب استرداد المبلغ؟ سنعالج الطلب خلال ثلاثة أيام.", "Windows-1256 (Arabic)"),
    ],
)
def test_older_encodings_are_recognised_by_their_text(tmp_path, codec, text, title):
    path = tmp_path / "a.jsonl"
    path.write_bytes(jsonl(text, codec) + b"\n" + jsonl(text[::-1], codec))
    assert values(path) == ([text, text[::-1]], [], [f"read as {title}, because it is not UTF-8"])


@pytest.mark.parametrize(
    "text", ["It costs £20.", "½ cup, ¼ cup, ©2024", "“Hi” – it’s €5", "¿Qué? 10 °C", "größer £5 €", "São Paulo", "Ça va déjà"]
)
def test_signs_and_a_few_letters_are_windows_1252(text):
    assert legacy_encoding([text.encode("cp1252")]) is None


def test_a_line_of_several_mebibytes_is_not_cut_within_a_character():
    line = "x" + "日本語" * 500_000 + "é"
    assert mended(io.BytesIO(line.encode()), mostly="utf-8").read().decode() == line
    western = "naïve “é” " * 300_000
    assert mended(io.BytesIO(western.encode("cp1252")), mostly="utf-8").read().decode() == western
