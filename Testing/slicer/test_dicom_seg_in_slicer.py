"""A DICOM SEG beside its series as Slicer's own reader loads it: the pixels are the right voxels."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from MedSegAILib.io.dicom_seg import Algorithm, dicom_seg
from MedSegAILib.io.dicom_source import read_source
from MedSegAILib.io.read import read_volume
from MedSegAILib.io.segmentation_nrrd import Segment
from Testing.makers.dicom_files import SLICES, voxels, write_series
from Testing.makers.dicom_seg_reader import read_seg

UIDS = {"StudyInstanceUID": "1.2.3.1", "FrameOfReferenceUID": "1.2.3.2"}
SHARES = (60, 90)


def loadSeries(paths):
    names = vtk.vtkStringArray()
    for path in paths:
        names.InsertNextValue(str(path))
    node = slicer.modules.volumes.logic().AddArchetypeVolume(str(paths[0]), "series", 0, names)
    assert node
    return node


def voxelsOf(node):
    image = node.GetImageData()
    return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(image.GetDimensions()[::-1])


def checkInSlicer(folder):
    volume = read_volume(folder)
    segments = [
        Segment(f"S{share}", f"S{share}", (1.0, 0.0, 0.0), volume.array > np.percentile(volume.array, share))
        for share in SHARES
    ]
    source = read_source(folder)
    made = dicom_seg(segments, volume.grid, source, Algorithm("test", "1"))
    # Slicer's DICOM browser hands the files over in the order of their positions.
    node = loadSeries([frame.path for frame in source.series.frames])
    array = voxelsOf(node)
    inverse = vtk.vtkMatrix4x4()
    node.GetRASToIJKMatrix(inverse)
    matrix = np.array([[inverse.GetElement(row, column) for column in range(4)] for row in range(4)])
    for share, places in zip(SHARES, read_seg(BytesIO(made.content)).values(), strict=True):
        ijk = np.array(sorted(places)) @ matrix[:3, :3].T + matrix[:3, 3]
        assert np.abs(ijk - np.rint(ijk)).max() < 0.02
        back = np.zeros(array.shape, bool)
        back[tuple(np.rint(ijk).astype(int).T[::-1])] = True
        np.testing.assert_array_equal(back, array > np.percentile(array, share))


@pytest.mark.shared
@pytest.mark.parametrize("name", ["ct_head_64", "mr_hippocampus_crop"])
def test_object_of_a_real_series_lies_on_the_right_voxels_in_slicer(scene, complaints, shared_dir, name):
    checkInSlicer(shared_dir / "data" / "dicom_samples" / name)
    complaints()  # its reader of diffusion images is asked first and refuses several files


def test_object_of_a_made_series_lies_on_the_right_voxels_in_slicer(scene, complaints, tmp_path):
    oblique = (0.8, 0.6, 0.0, -0.36, 0.48, 0.8)
    normal = np.cross(oblique[:3], oblique[3:])
    positions = [tuple((np.array((-5.0, 4.0, 10.0)) + 3.0 * k * normal).round(6)) for k in range(SLICES)]
    write_series(tmp_path / "series", positions=positions, directions=oblique, array=voxels(), **UIDS)
    checkInSlicer(tmp_path / "series")
    complaints()
