"""What a client holds of the system: its process and the folders of its jobs. Ring 7 (worker)."""

from __future__ import annotations

from .private_folder import PrivateFolder
from .process import WorkerProcess

CLOSE_PATIENCE_S = 2.0


class Held:
    """What must not outlive the client: released when it is closed, collected, or when Python ends."""

    def __init__(self) -> None:
        self.process: WorkerProcess | None = None
        self.folders: dict[int, PrivateFolder] = {}  # by number of the job

    def release(self) -> None:
        """End the process and remove all folders."""
        process, self.process = self.process, None
        if process is not None:
            process.close(CLOSE_PATIENCE_S)
        for number in list(self.folders):
            self.remove_folder(number)

    def remove_folder(self, number: int) -> None:
        """Remove the folder of a job; nothing when it is gone."""
        folder = self.folders.pop(number, None)
        if folder is not None:
            folder.remove()
