"""Say which system libraries the panel and picture tests miss, and install them where that is ours to do.

Tries the real things in child processes: PySide6's widgets offscreen, and one offscreen frame of VTK. Only as root on
Debian or Ubuntu does it call apt-get; elsewhere one line names the packages and those tests are skipped by name.
Standard library only; run with the Python of .venv by ``make test``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

PACKAGES = (
    *("libegl1", "libgl1", "libegl-mesa0", "libgl1-mesa-dri"),  # pictures
    *("libxkbcommon0", "libfontconfig1", "libglib2.0-0", "libx11-6", "libdbus-1-3"),  # widgets
)
TRIALS = {
    "PySide6 widgets": (
        "import os; os.environ['QT_QPA_PLATFORM'] = 'offscreen'\n"
        "from PySide6 import QtWidgets; QtWidgets.QApplication([])"
    ),
    "VTK offscreen picture": (
        "import vtk\n"
        "window = vtk.vtkRenderWindow(); window.SetOffScreenRendering(1); window.SetSize(8, 8)\n"
        "window.AddRenderer(vtk.vtkRenderer()); window.Render()\n"
        "picture = vtk.vtkWindowToImageFilter(); picture.SetInput(window); picture.Update()\n"
        "raise SystemExit(picture.GetOutput().GetDimensions()[0] != 8)"
    ),
}
TRIAL_LIMIT_S = 120


def failing() -> list[str]:
    """Give the names of the trials that do not run here."""
    environment = {**os.environ, "VTK_DEFAULT_OPENGL_WINDOW": "vtkEGLRenderWindow"}
    failed = []
    for name, code in TRIALS.items():
        try:
            subprocess.run(
                [sys.executable, "-c", code], capture_output=True, env=environment, timeout=TRIAL_LIMIT_S, check=True
            )
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            failed.append(name)
    return failed


def main() -> int:
    """Try, install when allowed, try again; never an error, because the tests say by name what they skip."""
    failed = failing()
    if failed and os.name == "posix" and os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"== apt-get: system libraries for {', '.join(failed)}")
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], env=environment, check=False)
        subprocess.run(["apt-get", "install", "-y", "-qq", *PACKAGES], env=environment, check=False)
        failed = failing()
    if failed:
        cure = f"sudo apt-get install {' '.join(PACKAGES)}"
        print(f"== not running here: {', '.join(failed)}; their tests are skipped. {cure}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
