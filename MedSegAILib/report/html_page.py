"""What all pages share: the templates, their filters, pictures inside the page. Ring 5 (report).

A page asks nobody for anything: styles and pictures are in it, links lead to files beside it. Whatever comes from a
study is escaped.
"""

from __future__ import annotations

import base64
from functools import lru_cache

from jinja2 import Environment, PackageLoader, StrictUndefined

LOOK_FIRST_FROM, LOOK_FROM = 0.5, 0.1  # attention, 0 to 1


@lru_cache(maxsize=1)
def templates() -> Environment:
    """Give the templates of the pages."""
    environment = Environment(
        loader=PackageLoader("MedSegAILib.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(ml=ml_words, css_color=css_color, spacing=spacing_words, voxels=voxel_words)
    return environment


def picture_address(content: bytes, kind: str) -> str:
    """Give a picture as an address that holds it ("png" or "jpeg")."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def ml_words(volume_ml: float) -> str:
    """Give a volume for people: one decimal, two below 1 mL, so that a speck does not read as none.

    >>> ml_words(12.345), ml_words(0.123), ml_words(0.001), ml_words(0.0)
    ('12.3', '0.12', '<0.01', '0')
    """
    if volume_ml == 0.0:
        return "0"
    if volume_ml < 0.01:
        return "<0.01"
    return f"{volume_ml:.2f}" if volume_ml < 1.0 else f"{volume_ml:.1f}"


def css_color(color: list[float]) -> str:
    """Give red, green, blue, each 0 to 1, as CSS has it."""
    return "rgb({} {} {})".format(*(round(255 * value) for value in color))


def spacing_words(spacing_zyx_mm: list[float]) -> str:
    """Give the edges of a voxel for people, x first."""
    return " × ".join(f"{size:.3g}" for size in reversed(spacing_zyx_mm))


def voxel_words(shape_zyx: list[int]) -> str:
    """Give the size of a grid for people, x first."""
    return " × ".join(str(count) for count in reversed(shape_zyx))


def verdict(attention: float) -> tuple[str, str]:
    """Give class and words of how much a result asks to be looked at."""
    if attention >= LOOK_FIRST_FROM:
        return "first", "look at this first"
    if attention >= LOOK_FROM:
        return "look", "have a look"
    return "calm", "nothing stands out"
