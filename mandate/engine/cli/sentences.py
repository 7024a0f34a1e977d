"""Sentences with a mark before them."""

from __future__ import annotations

import click

_WIDTH = 98


def point(mark: str, colour: str, sentence: str) -> None:
    """Print the sentence, in as many lines as it takes."""
    click.echo(f"{click.style(mark, fg=colour)} {wrapped(sentence)}")


def wrapped(sentence: str) -> str:
    """The sentence in lines that stand below each other."""
    return click.wrap_text(sentence, width=_WIDTH, subsequent_indent="  ")
