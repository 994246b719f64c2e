"""What one run takes: volumes by role, one of them the reference.

Whether they fit a task (roles, grids, contents) is checked in ``tasks.check``. Ring 0 (nouns).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .errors import UsageError
from .volume import Grid, Volume


@dataclass(frozen=True, eq=False)
class Case:
    """Input volumes of one patient at one time.

    Args:
        volumes: by role ("T1", "FLAIR", "CT"); at least one.
        reference: role whose grid the result lies on; empty lets the package choose.
        name: what messages and files call the case; never a patient's name.

    Raises:
        UsageError: "case.empty" without a volume; "case.reference" when the reference role is not given.
    """

    volumes: Mapping[str, Volume]
    reference: str = field(default="", kw_only=True)
    name: str = field(default="case", kw_only=True)

    def __post_init__(self) -> None:
        if not self.volumes:
            raise UsageError("case.empty", "The case has no volume.", "Give at least one input.")
        if self.reference and self.reference not in self.volumes:
            raise UsageError(
                "case.reference",
                f"The reference {self.reference!r} is not among the inputs {', '.join(self.volumes)}.",
                "Name one of the inputs.",
            )

    def reference_grid(self) -> Grid:
        """Give the grid that the result will lie on: that of the reference, or of the first volume."""
        role = self.reference or next(iter(self.volumes))
        return self.volumes[role].grid
