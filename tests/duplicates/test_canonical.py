import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.duplicates.canonical import TextRows, canonical


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Reset my CARD", "reset my card"),
        ("STRASSE", "straße"),
        ("Caf\u00e9", "cafe\u0301"),  # composed and decomposed
        ("\u0130stanbul", "i\u0307stanbul"),  # capital I with dot
        ("\u039f\u03a3", "\u03bf\u03c2"),  # final sigma
        ("\u03b1\u0345\u0301", "\u03b1\u0301\u0345"),  # Greek marks in either order, one of which folds into a letter
        ("50\u00a0000 €", "50 000 €"),  # no-break space
        ("a\u3000b", "a b"),
        ("  two\t\nlines ", "two lines"),
        ("in\u00advoice", "invoice"),  # soft hyphen
        ("\ufeffname", "name"),
        ("\u212a", "k"),  # the Kelvin sign
        ("a\x1cb", "a b"),
    ],
)
def test_writing_habits_make_no_difference(one, other):
    assert canonical(one) == canonical(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("10²", "102"), ("résumé", "resume"), ("1/2", "½"), ("a b", "ab"), ("no.", "no"), ("", "a"), ("👨‍👩‍👧", "👨👩👧"), ("a\x00 b", "a b")],
)
def test_what_a_reader_can_tell_apart_stays_apart(one, other):
    assert canonical(one) != canonical(other)


@given(st.text())
def test_the_canonical_form_of_a_canonical_form_is_itself(text):
    assert canonical(canonical(text)) == canonical(text)


@given(st.text(st.one_of(st.characters(), st.sampled_from("\u0345\u0301\u0323\u1fb4ᾳᾼΆΣς\u00dfİıǅﬁ가\u00ad\u200b e"))))
def test_the_canonical_form_is_the_canonical_caseless_form_of_unicode(text):
    for invisible in "\u00ad\u200b\u2060\ufeff":
        text = text.replace(invisible, "")
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())  # The Unicode Standard 3.13, D145
    assert canonical(text) == " ".join(folded.split())


@given(st.text(alphabet=st.characters(max_codepoint=127)))
def test_ascii_and_other_texts_follow_the_same_rule(text):
    assert canonical(text + " é") == (canonical(text) + " é").strip()


@given(st.lists(st.text(max_size=12)), st.integers(1, 30), st.randoms(use_true_random=False))
def test_pieces_hold_every_row_once_whatever_the_chunks(texts, byte_limit, random):
    cuts = sorted(random.randint(0, len(texts)) for _ in range(3))
    chunks = [texts[a:b] for a, b in zip([0, *cuts], [*cuts, len(texts)], strict=True)]
    rows = TextRows(pa.chunked_array(chunks, type=pa.string()))
    seen = {}
    for block in rows.blocks(byte_limit):
        for piece in rows.pieces(block):
            for row, start, stop in zip(piece.rows, piece.starts, piece.stops, strict=True):
                assert row not in seen
                seen[row] = bytes(piece.buffer[start:stop]).decode()
                assert seen[row] == (texts[row] if piece.is_ascii else canonical(texts[row]))
    assert sorted(seen) == list(range(len(texts)))


def test_a_slice_and_missing_texts_are_read_right():
    column = pa.array(["left out", "a", None, "é", "left out"]).slice(1, 3)
    rows = TextRows(column)
    (block,) = rows.blocks(1000)
    texts = {int(r): bytes(p.buffer[a:b]).decode() for p in rows.pieces(block) for r, a, b in zip(p.rows, p.starts, p.stops, strict=True)}
    assert texts == {0: "a", 1: "", 2: "é"}
