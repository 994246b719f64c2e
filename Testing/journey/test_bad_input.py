"""Wrong input, one row each, through the real command line: exit code, one sentence, one next step, nothing left.

Long lists of rows go through the door of the command line in this process, the rest through a child process.
The last rows are input that looks wrong and is not: it must work.
"""

import gzip
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import SimpleITK

from MedSegAILib.core.volume import Volume
from Testing.makers.phantoms import make_case, make_labels, write_nifti, write_study
from Testing.makers.shell import in_process, medsegai

ROLES = ("T1", "T1ce", "T2", "FLAIR")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Four good files by role."""
    return write_study(make_case(), tmp_path_factory.mktemp("study"))


# --- makers of one bad file each: (path of a good one, path to write) ---------------------------------------------


def _missing(good, path):
    pass


def _not_an_image(good, path):
    path.write_text("Dear reader, this is a letter.\n", encoding="utf-8")


def _truncated(good, path):
    path.write_bytes(good.read_bytes()[: good.stat().st_size // 2])


def _empty(good, path):
    path.write_bytes(b"")


def _gzip_of_text(good, path):
    path.write_bytes(gzip.compress(b"not an image"))


def _flat(good, path):
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(np.ones((40, 40), np.float32)), str(path))


def _slab(good, path):
    SimpleITK.WriteImage(SimpleITK.ReadImage(str(good))[:, :, 10:12], str(path))


def _over_time(good, path):
    image = SimpleITK.ReadImage(str(good))
    SimpleITK.WriteImage(SimpleITK.JoinSeries([image, image, image]), str(path))


def _color(good, path):
    image = SimpleITK.Cast(SimpleITK.ReadImage(str(good)), SimpleITK.sitkUInt8)
    SimpleITK.WriteImage(SimpleITK.Compose(image, image, image), str(path))


def _filled(value):
    def make(good, path):
        image = SimpleITK.ReadImage(str(good))
        filled = SimpleITK.GetImageFromArray(np.full(image.GetSize()[::-1], value, np.float32))
        filled.CopyInformation(image)
        SimpleITK.WriteImage(filled, str(path))

    return make


def _other_grid(good, path):
    image = SimpleITK.ReadImage(str(good))
    image.SetOrigin([place + 4.0 for place in image.GetOrigin()])
    SimpleITK.WriteImage(image, str(path))


def _other_size(good, path):
    SimpleITK.WriteImage(SimpleITK.ReadImage(str(good))[2:, :, :], str(path))


def _copy(good, path):
    shutil.copy(good.parent / "T1ce.nii.gz", path)


def _folder(good, path):
    path.mkdir()


BAD_FILES = [
    pytest.param(_missing, 3, "file.missing", id="missing file"),
    pytest.param(_not_an_image, 3, "file.not_an_image", id="not an image"),
    pytest.param(_gzip_of_text, 3, "file.not_an_image", id="compressed text"),
    pytest.param(_truncated, 3, "file.", id="truncated"),
    pytest.param(_empty, 3, "file.empty", id="empty"),
    pytest.param(_folder, 3, "series.", id="an empty folder"),
    pytest.param(_flat, 3, "volume.not_3d", id="2D"),
    pytest.param(_slab, 3, "volume.too_thin", id="two slices"),
    pytest.param(_over_time, 3, "volume.", id="4D"),
    pytest.param(_color, 3, "volume.", id="RGB"),
    pytest.param(_filled(np.nan), 3, "volume.not_finite", id="NaN only"),
    pytest.param(_filled(7.0), 3, "volume.constant", id="constant"),
    pytest.param(_copy, 3, "case.same_volume", id="a copy of another input"),
]


def inputs_of(paths):
    """The --input options of files by role."""
    return [part for role, path in paths.items() for part in ("--input", f"{role}={path}")]


def assert_refused(done, output, exit_code, code, *, as_json=True):
    """One refusal: its exit code, its code, a sentence, a next step, no trace and no output."""
    assert done.returncode == exit_code, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    if as_json:
        error = json.loads(done.stdout)["error"]
        assert error["code"].startswith(code), error
        message, hint = error["message"], error["hint"]
    else:
        first, second = [line for line in done.stderr.splitlines() if line.strip()]
        assert (first[:7], second[:6]) == ("error: ", "next: ")
        message, hint = first[7:], second[6:]
    for sentence in (message, hint):
        assert len(sentence) > 10, sentence
        assert sentence[-1] in ".!", sentence
        assert "\n" not in sentence
    assert not output.exists() or not any(output.iterdir())


@pytest.mark.parametrize(("make", "exit_code", "code"), BAD_FILES)
def test_bad_file_is_refused_in_one_sentence(make, exit_code, code, study, tmp_path, tiny_package):
    bad = tmp_path / "bad.nii.gz"
    make(study["FLAIR"], bad)
    output = tmp_path / "out"
    given = inputs_of({**study, "FLAIR": bad})
    done = in_process("segment", "--task", "brain-tumor", *given, "--output", output, "--json", packages=tiny_package)
    assert_refused(done, output, exit_code, code)
    assert str(tmp_path) not in done.stdout.replace(str(bad), "")


@pytest.mark.parametrize("make", [_other_grid, _other_size], ids=["same shape at another place", "another size"])
def test_other_grid_is_refused_when_repairs_are(make, study, tmp_path, tiny_package):
    bad = tmp_path / "bad.nii.gz"
    make(study["FLAIR"], bad)
    output = tmp_path / "out"
    given = [*inputs_of({**study, "FLAIR": bad}), "--no-repair", "all", "--output", output, "--json"]
    done = in_process("segment", "--task", "brain-tumor", *given, packages=tiny_package)
    assert_refused(done, output, 3, "case.grids_differ")


@pytest.mark.parametrize(
    ("options", "exit_code", "code"),
    [
        pytest.param(lambda study: [*inputs_of(study), "--no-repair", "x"], 2, "options.repair", id="unknown repair"),
        pytest.param(lambda study: inputs_of({"T2": study["T2"]}), 3, "case.missing_role", id="missing sequence"),
        pytest.param(
            lambda study: inputs_of({**study, "T2": study["T1"]}), 3, "case.same_file", id="the same file twice"
        ),
        pytest.param(lambda study: inputs_of({**study, "CT": study["T1"]}), 3, "case.same_file", id="twice, as CT"),
        pytest.param(lambda study: inputs_of({"CT": study["T1"]}), 2, "case.role", id="unknown role"),
        pytest.param(lambda study: ["--input", str(study["T1"])], 2, "cli.input", id="no role"),
        pytest.param(lambda study: [*inputs_of(study), *inputs_of(study)], 2, "cli.input", id="a role twice"),
        pytest.param(lambda study: [], 2, "cli.inputs", id="no input"),
        pytest.param(lambda study: ["--study", "nowhere"], 3, "study.missing", id="no study folder"),
        pytest.param(lambda study: [*inputs_of(study), "--preset", "good"], 2, "options.preset", id="unknown preset"),
        pytest.param(lambda study: [*inputs_of(study), "--device", "tpu"], 2, "options.device", id="unknown device"),
        pytest.param(lambda study: [*inputs_of(study), "--backend", "x"], 2, "options.backend", id="unknown backend"),
        pytest.param(lambda study: [*inputs_of(study), "--threads", "-1"], 2, "options.threads", id="threads below 0"),
        pytest.param(lambda study: [*inputs_of(study), "--reference", "CT"], 2, "case.reference", id="no reference"),
    ],
)
def test_bad_call_is_refused_in_one_sentence(options, exit_code, code, study, tmp_path, tiny_package):
    output = tmp_path / "out"
    done = in_process(
        "segment", "--task", "brain-tumor", *options(study), "--output", output, "--json", packages=tiny_package
    )
    assert_refused(done, output, exit_code, code)


def test_refusal_is_two_plain_lines_for_people(study, tmp_path, tiny_package):
    output = tmp_path / "out"
    given = inputs_of({**study, "FLAIR": tmp_path / "nothing.nii.gz"})
    done = medsegai("segment", "--task", "brain-tumor", *given, "--output", output, packages=tiny_package)
    assert_refused(done, output, 3, "", as_json=False)
    assert done.stdout == ""


def test_unknown_task_is_refused(study, tmp_path):
    output = tmp_path / "out"
    done = medsegai("segment", "--task", "liver-tumor", *inputs_of(study), "--output", output, "--json")
    assert_refused(done, output, 4, "package.unknown")


def test_package_with_one_byte_changed_is_refused_by_the_name_of_the_file(study, tmp_path, tiny_package):
    altered = tmp_path / "brain-tumor"
    shutil.copytree(tiny_package, altered)
    content = bytearray((altered / "a0.safetensors").read_bytes())
    content[-1] ^= 1
    (altered / "a0.safetensors").write_bytes(content)
    output = tmp_path / "out"
    done = medsegai(
        "segment", "--task", "brain-tumor", *inputs_of(study), "--output", output, "--json", packages=altered
    )
    assert_refused(done, output, 4, "package.checksum")
    assert "a0.safetensors" in json.loads(done.stdout)["error"]["message"]


# --- the output folder --------------------------------------------------------------------------------------------


def test_filled_output_folder_is_not_touched(study, tmp_path, tiny_package):
    output = tmp_path / "out"
    output.mkdir()
    (output / "mine.txt").write_text("keep", encoding="utf-8")
    given = ("segment", "--task", "brain-tumor", *inputs_of(study), "--output", output, "--json")
    done = medsegai(*given, packages=tiny_package)
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["code"] == "output.exists"
    assert [path.name for path in output.iterdir()] == ["mine.txt"]


def test_output_that_is_a_file_is_refused_and_kept(study, tmp_path, tiny_package):
    output = tmp_path / "out"
    output.write_text("keep", encoding="utf-8")
    done = medsegai(
        "segment", "--task", "brain-tumor", *inputs_of(study), "--output", output, "--json", packages=tiny_package
    )
    assert (done.returncode, json.loads(done.stdout)["error"]["code"]) == (2, "output.not_a_folder")
    assert output.read_text(encoding="utf-8") == "keep"


def test_unwritable_folder_is_refused_before_anything_is_read(tmp_path, tiny_package):
    # Below a file nothing can be made, for no user; a folder without permission stops everyone but root.
    blocker = tmp_path / "file"
    blocker.write_text("", encoding="utf-8")
    output = blocker / "out"
    given = inputs_of({"FLAIR": tmp_path / "not even there.nii.gz"})
    done = medsegai("segment", "--task", "brain-tumor", *given, "--output", output, "--json", packages=tiny_package)
    assert (done.returncode, json.loads(done.stdout)["error"]["code"]) == (5, "output.not_writable")


def small_disk(folder, kilobytes):
    """The command that runs another one with a small disk mounted on a folder, or None where that is not allowed."""
    before = [
        *("unshare", "--user", "--map-root-user", "--mount", "sh", "-c"),
        f'mount -t tmpfs -o size={kilobytes}k none "{folder}" && "$@"; code=$?; ls -A "{folder}" >&2; exit $code',
        "sh",
    ]
    if sys.platform != "linux" or not shutil.which("unshare"):
        return None
    return before if subprocess.run([*before, "true"], capture_output=True, check=False).returncode == 0 else None


def test_full_disk_leaves_nothing_behind(study, tmp_path, tiny_package):
    disk = tmp_path / "disk"
    disk.mkdir()
    before = small_disk(disk, 16)
    if before is None:
        pytest.skip("test_full_disk_leaves_nothing_behind: a small disk cannot be mounted here")
    done = medsegai(
        *("segment", "--task", "brain-tumor", *inputs_of(study), "--output", disk / "out"),
        packages=tiny_package,
        before=before,
    )
    assert done.returncode == 5, done.stdout + done.stderr
    error, hint, *left = done.stderr.splitlines()
    assert error.startswith("error: ")
    assert hint.startswith("next: ")
    assert left in ([], ["out"])
    assert "Traceback" not in done.stderr


# --- evaluate -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def labels(tmp_path_factory):
    """The true label map as a file."""
    return write_nifti(make_labels(make_case().reference_grid()), tmp_path_factory.mktemp("labels") / "labels.nii.gz")


def _text_as_mask(labels, path):
    path.write_text("tumor, left, frontal\n", encoding="utf-8")


def _image_as_mask(labels, path):
    write_nifti(make_case().volumes["T1"], path)


def _other_convention(labels, path):
    image = SimpleITK.ReadImage(str(labels))
    SimpleITK.WriteImage(SimpleITK.ChangeLabel(image, {4: 3}), str(path))


def _shifted_mask(labels, path):
    _other_grid(labels, path)


@pytest.mark.parametrize(
    ("make", "code"),
    [
        pytest.param(_missing, "file.missing", id="missing"),
        pytest.param(_text_as_mask, "file.not_an_image", id="text in place of a mask"),
        pytest.param(_image_as_mask, "labels.not_whole", id="image in place of a mask"),
        pytest.param(_other_convention, "evaluate.labels", id="labels of another convention"),
        pytest.param(_shifted_mask, "evaluate.grids_differ", id="another grid"),
    ],
)
def test_bad_reference_is_refused_in_one_sentence(make, code, labels, tmp_path, tiny_package):
    bad = tmp_path / "bad.nii.gz"
    make(labels, bad)
    done = in_process("evaluate", labels, bad, "--task", "brain-tumor", "--json", packages=tiny_package)
    assert_refused(done, tmp_path / "out", 3, code)


# --- input that looks wrong and is not ----------------------------------------------------------------------------


def test_accents_and_spaces_in_paths_work(study, tmp_path, tiny_package):
    folder = tmp_path / "Étude n° 3 (über 標本)"
    folder.mkdir()
    moved = {role: folder / f"{role} séquence.nii.gz" for role in study}
    for role, path in study.items():
        shutil.copy(path, moved[role])
    output = folder / "résultat final"
    done = medsegai(
        "segment", "--task", "brain-tumor", *inputs_of(moved), "--output", output, "--json", packages=tiny_package
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (output / "labels.nii.gz").is_file()
    assert json.loads(done.stdout)["files"]["labels.nii.gz"] == str(output / "labels.nii.gz")


def test_some_nan_voxels_become_a_notice(study, tmp_path, tiny_package):
    case = make_case()
    array = case.volumes["FLAIR"].array.copy()
    array[0, 0, :3] = np.nan
    holed = write_nifti(Volume(array, case.volumes["FLAIR"].grid), tmp_path / "holed.nii.gz")
    given = inputs_of({**study, "FLAIR": holed})
    done = medsegai(
        "segment", "--task", "brain-tumor", *given, "--output", tmp_path / "out", "--json", packages=tiny_package
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "volume.not_finite" in [notice["code"] for notice in json.loads(done.stdout)["notices"]]


@pytest.mark.shared
def test_no_odd_file_leads_to_a_defect_or_a_partial_output(shared_dir, tmp_path, tiny_package):
    files = sorted((shared_dir / "data" / "odd_files").glob("[gr]e[na]*"))
    assert len(files) > 50
    for odd in files:
        output = tmp_path / "out"
        given = ("segment", "--task", "brain-tumor", "--input", f"FLAIR={odd}", "--output", output, "--json")
        done = in_process(*given, packages=tiny_package)
        answer = json.loads(done.stdout)
        if done.returncode == 0:
            assert (output / "labels.nii.gz").is_file(), odd.name
            shutil.rmtree(output)
        else:
            assert done.returncode in (3, 5), (odd.name, answer)
            assert answer["error"]["hint"], odd.name
            assert not output.exists(), odd.name
