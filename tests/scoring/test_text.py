"""Text of records: nothing of it is obeyed, by a terminal or by Markdown."""

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from scoring.text import markdown_text, printable

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
MARKUP = st.text(st.sampled_from("![]()<>*_`~|\\#+-=1.)&;:/ab \n\"'"), max_size=14)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a é 語 \\", "a é 語 \\"),
        ("a\nb\x1b[2J\x07", r"a\nb\x1b[2J\x07"),
        ("\ud800 \u202e \u2028", r"\ud800 \u202e \u2028"),
    ],
)
def test_what_cannot_be_seen_is_escaped(text, shown):
    assert printable(text) == shown
    assert printable(text).encode().decode() == shown


@pytest.mark.parametrize("text", ["10.4 s (met 2/3)", "50-60", "0.35-0.76", "sgd_2", "!", "<.001"])
def test_what_is_no_markup_stays_readable(text):
    assert markdown_text(text).replace("\\<", "<") == text


@pytest.mark.parametrize(
    "text",
    [
        "![](http://evil/p.png)",
        "<img src=x>",
        "[a](b) [a][b]",
        "_a_ __a__ a__b a_b",
        "&lt; &amp; &#60;",
        "# a",
        "- a",
        "1. a",
        "12) a",
        "---",
        "===",
        "~~a~~ `a` **a**",
        "a | b \\| c",
        "\\*a*",
    ],
)
def test_markup_is_text(text):
    assert MARKDOWN.render(f"- {markdown_text(text)}") == listed(text)
    assert f"<td>{html.escape(text)}</td>" in MARKDOWN.render(
        f"| a |\n|---|\n| {markdown_text(text)} |\n"
    )


@given(MARKUP)
def test_whatever_the_text_it_is_shown_as_it_is(text):
    assert MARKDOWN.render(f"- x {markdown_text(text)}") == listed(f"x {text}")
    if text.strip():
        assert MARKDOWN.render(f"- {markdown_text(text)}") == listed(text)


def listed(text):
    shown = html.escape(" ".join(text.split())).replace("&#x27;", "'")
    return f"<ul>\n<li>{shown}</li>\n</ul>\n"
