"""What a header tells in milliseconds is what the full reader says; what only voxels tell is left to it."""

import gzip

import numpy as np
import pytest

from MedSegAILib.core.errors import InputError
from MedSegAILib.io.peek import peek_grid
from MedSegAILib.io.read import read_volume
from Testing.makers.nifti_files import FAULTY_NIFTI, nifti2_raw, nifti_raw, packed, write
from Testing.makers.phantoms import make_case, oblique_grid

# Damage that shows in the voxels or the checksum only.
SEEN_BY_THE_FULL_READER = {"wrong_checksum.nii.gz"}


@pytest.mark.parametrize("name", sorted(set(FAULTY_NIFTI) - SEEN_BY_THE_FULL_READER))
def test_faulty_file_gets_the_sentence_of_the_full_reader(tmp_path, name):
    make, code = FAULTY_NIFTI[name]
    path = write(tmp_path / name, make())
    with pytest.raises(InputError) as caught:
        peek_grid(path)
    assert caught.value.code == code
    with pytest.raises(InputError) as full:
        read_volume(path)
    assert caught.value.message == full.value.message


@pytest.mark.parametrize("suffix", ["nii", "nii.gz", "nrrd", "mha"])
def test_grid_is_that_of_the_full_reader(tmp_path, suffix):
    import SimpleITK

    volume = make_case(oblique_grid()).volumes["T1"]
    path = tmp_path / f"T1.{suffix}"
    from Testing.makers.phantoms import write_nifti

    SimpleITK.WriteImage(SimpleITK.ReadImage(str(write_nifti(volume, tmp_path / "x.nii.gz"))), str(path))
    grid = peek_grid(path)
    assert grid is not None
    assert grid.is_same_as(read_volume(path).grid)


def test_nifti_2_and_gzip_in_two_members_are_seen_through(tmp_path):
    assert peek_grid(write(tmp_path / "two.nii", nifti2_raw())) is not None
    raw = nifti_raw()
    half = len(raw) // 2
    path = write(tmp_path / "members.nii.gz", gzip.compress(raw[:half]) + gzip.compress(raw[half:]))
    assert peek_grid(path) is not None


def test_voxels_are_not_unpacked(tmp_path, monkeypatch):
    path = write(tmp_path / "large.nii.gz", packed(nifti_raw(np.zeros((100, 100, 100), "f4"))))

    def refuse(*args):
        raise AssertionError("the full reader was asked")

    monkeypatch.setattr("MedSegAILib.io.peek.read_volume", refuse)
    assert peek_grid(path).shape_zyx == (100, 100, 100)
