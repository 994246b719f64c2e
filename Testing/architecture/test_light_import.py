"""What must cost nothing costs nothing: measured in fresh processes against a deny list."""

import json
import os
import subprocess
import sys

import pytest

from Testing.makers.source_facts import CHECKOUT

HEAVY = {
    *("torch", "openvino", "monai", "SimpleITK", "pydicom", "highdicom", "scipy", "matplotlib"),
    *("slicer", "vtk", "qt", "ctk", "PySide6", "typer", "rich", "safetensors", "psutil"),
    *("distributed", "dask", "jinja2"),
}
PROBE = """
import json, sys, time
before = set(sys.modules)
start_s = time.process_time()
import {module}
seconds = time.process_time() - start_s
loaded = sorted({{name.split(".")[0] for name in set(sys.modules) - before}})
print(json.dumps([seconds, loaded]))
"""


def loaded_by(module):
    """Processor seconds and top-level names that an import brings into a fresh process."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE.format(module=module)],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([".", "MedSegAI"])},
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, names = json.loads(done.stdout)
    return seconds, set(names)


def test_library_costs_the_standard_library_only():
    _, names = loaded_by("MedSegAILib")
    assert names - set(sys.stdlib_module_names) == {"MedSegAILib"}


def test_library_is_there_in_under_a_fifth_of_a_second():
    # Processor time, and the best of three: other processes share the machine.
    assert min(loaded_by("MedSegAILib")[0] for _ in range(3)) < 0.2


@pytest.mark.parametrize(
    "module",
    [
        *("MedSegAILib.core.volume", "MedSegAILib.core.result", "MedSegAILib.core.run", "MedSegAILib.core.errors"),
        *("MedSegAILib.api", "MedSegAILib.tasks.store", "MedSegAILib.worker.client", "MedSegAILib.batch.options"),
    ],
)
def test_module_of_slicers_process_stays_light(module):
    _, names = loaded_by(module)
    assert not names & HEAVY


def test_networks_are_listed_without_torch():
    _, names = loaded_by("MedSegAILib.networks")
    assert not names & HEAVY


def test_help_of_the_command_line_loads_no_image_library():
    _, names = loaded_by("MedSegAILib.cli")
    assert not names & (HEAVY - {"typer", "rich"})
