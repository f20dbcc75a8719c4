"""Tests of the word lists of a weekly paper, from the challenge's words."""

from __future__ import annotations

import io
import sys

import pytest


def adapt(tier, code):
    """Take both tiers' programs as they are: the challenge names what is tested."""
    return code


def spell(record_property, text, words, found):
    """Say in ASCII what a test saw, where a reader could not tell the words apart."""
    record_property("input", f"words({ascii(text)})")
    record_property("got", ascii(words))
    record_property("expected", ascii(found))


@pytest.fixture
def listed(exercise, monkeypatch, tmp_path):
    """Return a function that prints the list of some texts as a computer does, and returns the bytes of its file."""

    def run(*texts, n=5, encoding="utf-8", newline="\n"):
        paths = []
        for number, text in enumerate(texts):
            path = tmp_path / f"{number}.txt"
            path.write_text(text, "utf-8")
            paths.append(str(path))
        saved = io.BytesIO()
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", io.TextIOWrapper(saved, encoding=encoding, newline=newline))
            assert exercise.main([str(n), *paths]) == 0
            sys.stdout.flush()
            return saved.getvalue()

    return run


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The lake, the Lake!", ["the", "lake", "the", "lake"]),
        ("Don't stop: a well-known art.", ["don't", "stop", "a", "well-known", "art"]),
        ("In 2024 he left", ["in", "2024", "he", "left"]),
        ("“Art?” he said…", ["art", "he", "said"]),
        ("« Bonjour », dit-elle", ["bonjour", "dit-elle"]),
        ("one\ttwo\n   three", ["one", "two", "three"]),
        ("ends\n\n* * *\n\nbegins\n---\n", ["ends", "begins"]),
        ("", []),
    ],
    ids=["sentence", "inside", "number", "speech", "french", "blanks", "sections", "nothing"],
)
def test_words_are_found_in_their_order_and_in_lower_case(exercise, text, found):
    assert exercise.words(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Eintritt 5 €", ["eintritt", "5"]),
        ("only 100€ today", ["only", "100", "today"]),
        ("§ 3 of the law", ["3", "of", "the", "law"]),
        ("▪ first ▪ second", ["first", "second"]),
        ("lake → town", ["lake", "town"]),
        ("at 20° outside", ["at", "20", "outside"]),
    ],
    ids=["euro", "price", "paragraph", "bullet", "arrow", "degrees"],
)
def test_signs_are_no_words_and_no_part_of_one(exercise, text, found):
    assert exercise.words(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "caf\u00e9 cafe\u0301", "don\u2019t don't", "ha\u00adfen hafen", "well\u2011known well-known",
        "\u0141\u00f3d\u017a \u0142o\u0301dz\u0301", "\u00c9cole e\u0301cole",
    ],
    ids=["accents", "apostrophes", "soft-hyphen", "hyphens", "polish", "capital-accents"],
)
def test_other_ways_to_write_the_same_word_count_as_one(exercise, text):
    assert len(set(exercise.words(text))) == 1


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("hafen\u200b hafen", ["hafen", "hafen"]),
        ("ha\u200dfen hafen", ["hafen", "hafen"]),
        ("\ufeffhafen hafen", ["hafen", "hafen"]),
        ("hafen\u200e hafen", ["hafen", "hafen"]),
        ("cafe\u200b\u0301 caf\u00e9", ["caf\u00e9", "caf\u00e9"]),
        ("\ufb01nd find", ["find", "find"]),
        ("a\ufb04ict afflict", ["afflict", "afflict"]),
        ("don\u02bct don't", ["don't", "don't"]),
    ],
    ids=[
        "zero-width-space", "joiner", "byte-order-mark", "direction-mark", "before-an-accent", "ligature-fi",
        "ligature-ffl", "letter-apostrophe",
    ],
)
def test_words_that_look_the_same_on_the_page_count_as_one(exercise, record_property, text, found):
    words = exercise.words(text)
    spell(record_property, text, words, found)
    assert words == found


def test_words_that_look_the_same_in_lower_case_count_as_one(exercise, record_property):
    text, found = "J\u030canis \u01f0anis", ["\u01f0anis", "\u01f0anis"]
    words = exercise.words(text)
    spell(record_property, text, words, found)
    assert words == found


@pytest.mark.parametrize(
    ("word", "times"), [("art", 2), ("Art", 2), (" ART! ", 2), ("he", 1), ("party", 1), ("missing", 0)]
)
def test_a_word_is_counted_as_a_whole(exercise, word, times):
    assert exercise.count_of("Art is art, he said. The party started.", word) == times


def test_a_word_is_counted_however_it_was_typed(exercise, record_property):
    record_property("input", r"count_of('hafen hafen\u200b Hafen', 'hafen')")
    assert exercise.count_of("hafen hafen\u200b Hafen", "hafen") == 3


def test_a_summary_takes_all_files_together(exercise, tmp_path):
    (tmp_path / "a").write_text("b a b", "utf-8")
    (tmp_path / "b").write_text("a c A", "utf-8")
    assert exercise.summary([str(tmp_path / "a"), str(tmp_path / "b")], 2) == {
        "words": 6,
        "distinct": 3,
        "top": [{"word": "a", "count": 3, "share": 50.0}, {"word": "b", "count": 2, "share": 33.3}],
    }


def test_words_with_the_same_count_stand_in_ascending_order(listed):
    assert listed("d b c a b", n=3) == b"words: 5\ndistinct: 4\n2\tb\t40.0\n1\ta\t20.0\n1\tc\t20.0\n"


def test_a_list_of_nothing(listed):
    assert listed("* * *") == b"words: 0\ndistinct: 0\n"


def test_a_file_that_cannot_be_read_ends_the_list(exercise, capsys):
    code = exercise.main(["5", "not/there.txt"])
    said = capsys.readouterr()
    assert (code, said.out, "not/there.txt" in said.err) == (1, "", True)


MAC = "words: 3\ndistinct: 2\n2\tcaf\u00e9\t66.7\n1\tart\t33.3\n".encode()


def test_a_mac_saves_the_list_in_utf_8(listed):
    assert listed("caf\u00e9 art caf\u00e9") == MAC


def test_windows_saves_the_same_bytes_as_a_mac(listed, record_property):
    record_property("input", "the list of 'caf\u00e9 art caf\u00e9', saved where standard output has cp1252 and \\r\\n")
    assert listed("caf\u00e9 art caf\u00e9", encoding="cp1252", newline="\r\n") == MAC


def test_windows_lists_a_polish_name(listed, record_property):
    record_property("input", "the list of '\u0141\u00f3d\u017a', saved where standard output has cp1252 and \\r\\n")
    record_property("expected", "a list with the name")
    wanted = "words: 1\ndistinct: 1\n1\t\u0142\u00f3d\u017a\t100.0\n".encode()
    assert listed("\u0141\u00f3d\u017a", encoding="cp1252", newline="\r\n") == wanted
