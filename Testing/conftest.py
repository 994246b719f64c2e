"""What every test runs under: markers by folder, closed sockets, an empty home, few threads; and the shared fixtures.

Real studies lie in ``shared`` beside the checkout (or where MEDSEGAI_SHARED points); the tests that need them skip by
name elsewhere. Everything else is made by code in ``Testing/makers``.
"""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# Before any heavy import: thread pools read these once. Two cores are shared by everything that runs here; where
# pytest-xdist runs several processes, each has one thread.
_IS_ONE_OF_SEVERAL = "PYTEST_XDIST_WORKER" in os.environ
_THREADS = str(1 if _IS_ONE_OF_SEVERAL else min(2, os.cpu_count() or 1))
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"):
    if _IS_ONE_OF_SEVERAL or _name not in os.environ:  # the first process has set its own before it started the others
        os.environ[_name] = _THREADS

CHECKOUT = Path(__file__).resolve().parent.parent
# The variable is taken away below; under another name the processes of pytest-xdist still find it.
_KEPT = "SHARED_OF_THE_TESTS"
_shared_before = os.environ.get("MEDSEGAI_SHARED", "") or os.environ.get(_KEPT, "")
SHARED = Path(_shared_before) if _shared_before else CHECKOUT.parent / "shared"
os.environ[_KEPT] = str(SHARED)

# No test may see or change what the user has at home; the font list of matplotlib is kept, it takes seconds to make.
_HOME = tempfile.mkdtemp(prefix="medsegai-test-home-")
atexit.register(shutil.rmtree, _HOME, ignore_errors=True)
os.environ["HOME"] = _HOME
os.environ["MPLCONFIGDIR"] = str(CHECKOUT / ".cache" / "matplotlib")
os.environ["MPLBACKEND"] = "Agg"
os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ["VTK_DEFAULT_OPENGL_WINDOW"] = "vtkEGLRenderWindow"
for _name in [name for name in os.environ if name.startswith("MEDSEGAI_")]:
    del os.environ[_name]

import hypothesis  # noqa: E402 - after the environment is set
import pytest  # noqa: E402

# Laws are tried on the same cases in every run: a run that is repeated says the same, on every machine.
hypothesis.settings.register_profile("same cases", derandomize=True, deadline=None)
hypothesis.settings.load_profile("same cases")

FOLDER_MARKERS = ("unit", "property", "component", "journey", "slicer", "panel", "browser", "architecture")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark each test by its folder; skip by name what this machine cannot run."""
    reasons = {"slicer": _no_slicer, "panel": _no_panel, "browser": _no_browser, "gpu": _no_gpu, "shared": _no_shared}
    known: dict[str, str] = {}
    for item in items:
        parts = item.path.relative_to(CHECKOUT).parts
        if parts[0] == "Testing" and parts[1] in FOLDER_MARKERS:
            item.add_marker(getattr(pytest.mark, parts[1]))
        for marker, why in reasons.items():
            if item.get_closest_marker(marker):
                if marker not in known:
                    known[marker] = why()
                if known[marker]:
                    item.add_marker(pytest.mark.skip(reason=f"{item.name}: {known[marker]}"))


def _no_slicer() -> str:
    from importlib.util import find_spec

    return "" if find_spec("slicer") else "slicer-core is not installed"


def _no_panel() -> str:
    import subprocess

    if _no_slicer():
        return _no_slicer()
    trial = "from PySide6 import QtWidgets; QtWidgets.QApplication([])"
    done = subprocess.run([sys.executable, "-c", trial], capture_output=True, text=True, check=False, timeout=120)
    return "" if done.returncode == 0 else f"PySide6 does not start ({done.stderr.strip().splitlines()[-1:]})"


def _no_browser() -> str:
    from Testing.harness.viewer import whyNot

    return whyNot()


def _no_gpu() -> str:
    if not Path("/proc/driver/nvidia").exists():
        return "there is no NVIDIA driver"
    import torch

    return "" if torch.cuda.is_available() else "torch sees no GPU"


def _no_shared() -> str:
    return "" if (SHARED / "data").is_dir() else "the real studies are not beside this checkout"


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The root of the checkout."""
    return CHECKOUT


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The folder of the real studies; use it with ``@pytest.mark.shared``."""
    if _no_shared():
        pytest.skip(_no_shared())
    return SHARED


@pytest.fixture(autouse=True, scope="session")
def _closed_sockets() -> Iterator[None]:
    """Refuse every connection but to this machine: the product never calls out, and no test may."""
    real_connect, real_connect_ex = socket.socket.connect, socket.socket.connect_ex

    def guarded(real: Callable[..., Any]) -> Callable[..., Any]:
        def connect(self: socket.socket, address: Any) -> Any:
            is_local = self.family == getattr(socket, "AF_UNIX", None) or (
                isinstance(address, tuple) and str(address[0]) in {"127.0.0.1", "::1", "localhost"}
            )
            if not is_local:
                raise RuntimeError(f"A test tried to reach {address!r}; only this machine may be reached.")
            return real(self, address)

        return connect

    socket.socket.connect = guarded(real_connect)  # type: ignore[method-assign]
    socket.socket.connect_ex = guarded(real_connect_ex)  # type: ignore[method-assign]
    yield
    socket.socket.connect = real_connect  # type: ignore[method-assign]
    socket.socket.connect_ex = real_connect_ex  # type: ignore[method-assign]


@pytest.fixture(scope="session")
def tiny_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a real package of a few kB (random weights): network, graph, weights, card, checksums."""
    from Testing.makers.tiny_package import make_tiny_package

    return make_tiny_package(tmp_path_factory.mktemp("packages") / "brain-tumor")


@pytest.fixture(scope="session")
def tiny_case() -> Any:
    """A small four-sequence case: a head with a tumor of three nested spheres, axis-aligned grid of 2 mm."""
    from Testing.makers.phantoms import make_case

    return make_case()


@pytest.fixture(scope="session")
def tiny_oblique_case() -> Any:
    """The same head on a grid that is turned by 20 degrees, left-handed and anisotropic."""
    from Testing.makers.phantoms import make_case, oblique_grid

    return make_case(oblique_grid())
