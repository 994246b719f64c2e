"""The page of a data check: every finding with its picture and the next step; it asks nobody for anything.

Beside the library (training).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

STYLE = (
    "body{font:15px system-ui,sans-serif;margin:2em auto;max-width:60em;padding:0 1em;background:#fff;color:#15181b}"
    "img{max-width:100%}section{border-top:1px solid #c8ced3;padding:1em 0}h2{font-size:1.05em}"
    "@media(prefers-color-scheme:dark){body{background:#15181b;color:#eef1f3}section{border-color:#3a4249}}"
)


def check_page(name: str, studies: int, rows: Sequence[Mapping[str, str]]) -> str:
    """Give the page; ``rows`` have study, sentence, next_step and picture (a file beside the page)."""
    head = f"{len(rows)} findings in {studies} studies" if rows else f"Nothing found in {studies} studies"
    parts = [
        f"<section><h2>{escape(row['study'])} {escape(row['sentence'])}</h2><p>{escape(row['next_step'])}</p>"
        f'<img src="{escape(row["picture"])}" alt="{escape(row["study"])}: {escape(row["sentence"])}"></section>'
        for row in rows
    ]
    title = f"Data check of {escape(name)}"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{STYLE}</style></head>"
        f"<body><h1>{title}</h1><p>{head}. What is found is a suspicion until a person looked at the picture.</p>"
        f"{''.join(parts)}</body></html>\n"
    )
