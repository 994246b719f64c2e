"""Files and DICOM to nouns and back.

``read_volume`` finds the reader by content in the table ``READERS``; the formats are one file each. Nothing here
checks whether an image suits a task (``tasks.check``) or changes its axes (``image.geometry``). Ring 1 (io).
"""

from .case_files import read_case, read_study
from .read import READERS, read_label_map, read_label_map_with_notices, read_volume, read_volume_with_notices

__all__ = [
    "READERS",
    "read_case",
    "read_label_map",
    "read_label_map_with_notices",
    "read_study",
    "read_volume",
    "read_volume_with_notices",
]
