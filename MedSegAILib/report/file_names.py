"""What the files of a result are called; apart from the writers, which load drawing libraries. Ring 5 (report)."""

from __future__ import annotations

LABELS_FILE = "labels.nii.gz"
SEGMENTATION_FILE = "segmentation.seg.nrrd"
PASSPORT_FILE = "passport.json"
VOLUMES_FILE = "volumes.csv"
DOUBT_FILE = "doubt.csv"
OVERLAY_FILE = "overlay.png"
