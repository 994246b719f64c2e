"""The page of one study: picture, volumes, where to look, warnings, how it was made. Ring 5 (report)."""

from __future__ import annotations

from .batch_tables import ResultLine
from .file_names import DOUBT_FILE, LABELS_FILE, PASSPORT_FILE, SEGMENTATION_FILE, VOLUMES_FILE
from .html_page import picture_address, templates, verdict
from .study_row import attention, reasons

_FILES = (
    (SEGMENTATION_FILE, "segmentation for 3D Slicer"),
    (LABELS_FILE, "label map"),
    (VOLUMES_FILE, "volumes"),
    (DOUBT_FILE, "places in doubt"),
    (PASSPORT_FILE, "passport"),
)


def study_page(line: ResultLine, picture: bytes, batch_page: str = "../../report.html") -> bytes:
    """Give the page as bytes, UTF-8; the same row and picture give the same bytes.

    Args:
        line: of the study.
        picture: overlay as PNG; empty leaves it out.
        batch_page: address of the page of the batch, seen from the study's folder.
    """
    share = attention(line.row)
    text = (
        templates()
        .get_template("study.html")
        .render(
            study=line.study,
            row=line.row,
            picture=picture_address(picture, "png") if picture else "",
            attention=share,
            verdict=verdict(share),
            reasons=reasons(line.row),
            files=_FILES,
            batch_page=batch_page,
        )
    )
    return text.encode()
