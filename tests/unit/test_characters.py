"""What cannot be seen in a name or text, and names that are easy to take for others."""

import time

import pytest

from pattern_sync.domain.characters import look_alikes, name_signs, shown_name, shown_text, strange_letters


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("sdlc:full:all", "sdlc:full:all"),
        ("größe:日本語", "größe:日本語"),
        ("a b", "a b"),
        (" a  b ", "␣a ␣b␣"),
        ("a\u00a0b\u3000", "a[U+00A0]b[U+3000]"),
        ("a\x1b[31mb", "a[U+001B][31mb"),
        ("a\nb\tc\rd", "a↵b⇥c[U+000D]d"),
        ("a\u200bb\u200dc\u2060", "a[U+200B]b[U+200D]c[U+2060]"),
        ("\u202eabc\u2069", "[U+202E]abc[U+2069]"),
        ("a\U000e0041\U000e007f", "a[U+E0041][U+E007F]"),
        ("a\ufe0f\U000e0101\u3164\u115f\u034f", "a[U+FE0F][U+E0101][U+3164][U+115F][U+034F]"),
        ("a\u2028b\ue000\U0010fffe\ud800", "a[U+2028]b[U+E000][U+10FFFE][U+D800]"),
        ("e\u0301\u0302\u0303\u0304", "e\u0301\u0302[U+0303][U+0304]"),
    ],
)
def test_everything_in_a_name_can_be_seen(name: str, shown: str) -> None:
    assert shown_name(name) == shown


def test_running_text_keeps_its_lines_and_what_its_scripts_and_emoji_need() -> None:
    text = "one\r\n\ttwo  \U0001f468\u200d\U0001f469 \u2764\ufe0f \u0646\u200c\u0645"
    assert shown_text(text) == text.replace("\r\n", "\n")
    assert shown_text("a\u200db \x1b]0;x\x07\u202e") == "a[U+200D]b [U+001B]]0;x[U+0007][U+202E]"


@pytest.mark.parametrize(
    ("name", "strange"),
    [
        ("sdlc:full", ()),
        ("\u0441\u0431\u043e\u0440\u043a\u0430:full", ()),  # a word of its own
        ("sdl\u0441:full", ("\u0441 (U+0441)",)),
        ("\u03b1lpha:\u0430nd", ("\u03b1 (U+03B1)", "\u0430 (U+0430)")),
        ("\ufb01le\u212a\uff41", ()),
        ("\U0001d41alpha", ("\U0001d41a (U+1D41A)",)),
        ("日本:test", ()),
    ],
)
def test_letters_of_another_alphabet_in_one_word_are_named(name: str, strange: tuple[str, ...]) -> None:
    assert strange_letters(name) == strange


def test_names_that_look_alike_are_found() -> None:
    found = look_alikes(["sdlc:full", "sdl\u0441:full", "SDLC:full", "sdlc:\u200bfull", "sdlc:fall", "other"])
    assert set(found) == {"sdlc:full", "sdl\u0441:full", "SDLC:full", "sdlc:\u200bfull"}
    assert len(found["sdlc:full"]) == 3
    assert look_alikes(["test:a", "test:b", "\u0441\u0431\u043e\u0440\u043a\u0430"]) == {}
    assert look_alikes(["\u0430", "\u0431"]) == {}, "two of one alphabet"


def test_signs_are_short_for_a_row_and_in_words() -> None:
    signs = name_signs("sdl\u0441:\u200bfull", ["sdlc:full"])
    assert [sign.short for sign in signs] == ["mixed letters", "unseen characters", "look-alike"]
    assert [sign.words for sign in signs] == [
        "mixes alphabets: \u0441 (U+0441)",
        "holds unseen characters",
        "looks like “sdlc:full”",
    ]
    assert name_signs("größe") == ()


def test_a_long_list_is_looked_through_quickly() -> None:
    names = [f"test:{number:06}:backend" for number in range(20_000)]
    began = time.process_time()
    assert look_alikes(names) == {}
    assert time.process_time() - began < 5
