"""Results made by code: the phantom's true labels as if a run had found them."""

from __future__ import annotations

from MedSegAILib.core.labels import Code, Label, LabelScheme, Region, Terminology
from MedSegAILib.core.result import Notice, Passport, Result
from MedSegAILib.core.volume import Volume

_ALTERED = Code("SCT", "49755003", "Morphologically Altered Structure")
_BRAIN = Code("SCT", "12738006", "Brain")


def _coded(value: str, meaning: str) -> Terminology:
    return Terminology(_ALTERED, Code("SCT", value, meaning), _BRAIN)


SCHEME = LabelScheme(
    labels=(
        Label(1, "NCR", "Necrotic core", (0.9, 0.9, 0.2), _coded("6574001", "Necrosis")),
        Label(2, "ED", "Edema", (0.3, 0.7, 0.9), _coded("79654002", "Edema")),
        Label(4, "ET", "Enhancing tumor", (0.8, 0.4, 0.0), _coded("86049000", "Neoplasm, Primary")),
    ),
    regions=(
        Region("WT", "Whole tumor", (1, 2, 4), (0.3, 0.7, 0.9), _coded("4147007", "Mass")),
        Region("TC", "Tumor core", (1, 4), (0.9, 0.9, 0.2), _coded("108369006", "Neoplasm")),
        Region("ET", "Enhancing tumor", (4,), (0.8, 0.4, 0.0), _coded("86049000", "Neoplasm, Primary")),
    ),
)


def make_result(labels: Volume, *notices: Notice, scheme: LabelScheme = SCHEME) -> Result:
    """Give a result with a passport as a run writes it."""
    passport = Passport(
        task="brain-tumor",
        package={"title": "Brain tumor", "version": "0.1.0"},
        library="0.1.0",
        engine={"backend": "openvino", "device": "cpu"},
        options={"preset": "balanced"},
        inputs={"T1": {"sha256": "0" * 64}},
        repairs=("resampled Ü",),
        seconds={"predict": 1.5},
    )
    return Result(labels, scheme, passport, tuple(notices))
