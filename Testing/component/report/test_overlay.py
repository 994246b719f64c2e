"""The overlay picture: the right slice, the right way up, the right shape, whatever the axes of the file."""

from __future__ import annotations

from io import BytesIO
from itertools import permutations, product

import numpy as np
import pytest
from matplotlib.image import imread

from MedSegAILib.core.errors import UsageError
from MedSegAILib.core.labels import LabelScheme, Region
from MedSegAILib.core.result import Notice, Result
from MedSegAILib.core.volume import Grid, Volume
from MedSegAILib.report.overlay import overlay_png
from MedSegAILib.report.views import make_views
from Testing.makers.phantoms import aligned_grid, make_case, make_labels, oblique_grid
from Testing.makers.results import SCHEME, make_result

SHAPE_XYZ = (9, 11, 13)


def picture(result: Result, reference: Volume) -> np.ndarray:
    return imread(BytesIO(overlay_png(result, reference)))


def marked(axes: tuple[int, ...], signs: tuple[int, ...]) -> tuple[Result, Volume]:
    """Give a volume with any axis order; bright voxel right-anterior-superior, region voxel left-posterior-inferior."""
    spacing = np.array([3.0, 4.0, 5.0])  # along R, A, S
    matrix = np.zeros((4, 4))
    matrix[3, 3] = 1
    for index_axis, (patient_axis, sign) in enumerate(zip(axes, signs, strict=True)):
        matrix[patient_axis, index_axis] = sign * spacing[patient_axis]
    shape_xyz = [SHAPE_XYZ[axis] for axis in axes]
    grid = Grid((shape_xyz[2], shape_xyz[1], shape_xyz[0]), matrix)
    image, labels = np.full(grid.shape_zyx, 10.0), np.zeros(grid.shape_zyx, np.uint8)

    def index(high: bool) -> tuple[int, int, int]:
        ijk = [(size - 2 if (sign > 0) == high else 1) for size, sign in zip(shape_xyz, signs, strict=True)]
        return ijk[2], ijk[1], ijk[0]

    image[0, 0, 0] = 0.0
    image[index(high=True)] = 1000.0
    labels[index(high=False)] = 4
    return make_result(Volume(labels, grid)), Volume(image, grid, name="T1")


ORDERS = [(axes, signs) for axes in permutations(range(3)) for signs in product((1, -1), repeat=3)]


@pytest.mark.parametrize(("axes", "signs"), ORDERS)
def test_left_is_on_the_right_and_front_on_top_for_all_48_axis_orders(
    axes: tuple[int, ...], signs: tuple[int, ...]
) -> None:
    result, reference = marked(axes, signs)
    axial, coronal, sagittal = make_views(result, reference)
    # Each view: (rows, columns) and where the region voxel (left, posterior, inferior) must be.
    width, height, depth = SHAPE_XYZ
    expected = {
        "axial": ((height, width), (height - 2, width - 2)),
        "coronal": ((depth, width), (depth - 2, width - 2)),
        "sagittal": ((depth, height), (depth - 2, height - 2)),
    }
    for view in (axial, coronal, sagittal):
        shape, place = expected[view.name]
        assert view.image.shape == shape
        assert [tuple(int(i) for i in where) for where in np.argwhere(view.masks["ET"])] == [place]
    assert axial.size_mm == (height * 4.0, width * 3.0)
    assert coronal.size_mm == (depth * 5.0, width * 3.0)
    assert sagittal.size_mm == (depth * 5.0, height * 4.0)
    assert axial.letters == ("R", "L", "A", "P")
    assert sagittal.letters == ("A", "P", "S", "I")


def test_slice_is_the_one_where_the_regions_are_largest() -> None:
    grid = aligned_grid()
    labels = make_labels(grid)
    views = {view.name: view for view in make_views(make_result(labels), make_case(grid).volumes["T1"])}
    axis_of = {"axial": 0, "coronal": 1, "sagittal": 2}
    for name, axis in axis_of.items():
        others = tuple(other for other in range(3) if other != axis)
        assert views[name].masks["WT"].sum() == (labels.array > 0).sum(axis=others).max()
    # The tumor lies at R 12, P 8, S 6; slices lie at odd millimeters.
    assert [views[name].place for name in axis_of] == ["S 5 mm", "P 7 mm", "R 13 mm"]


@pytest.mark.parametrize("region", SCHEME.regions, ids=lambda region: region.name)
def test_border_has_the_color_of_its_region_and_an_empty_region_none(region: Region) -> None:
    grid = aligned_grid()
    reference = make_case(grid).volumes["T1ce"]
    labels = make_labels(grid)
    alone = LabelScheme(SCHEME.labels, (region,))

    def colored_pixels(shown: Volume) -> int:
        image = picture(make_result(shown, scheme=alone), reference)
        views = image[: int(image.shape[0] * 0.6), :, :3]  # without the legend
        return int((np.abs(views - region.color).max(axis=-1) < 0.03).sum())

    assert colored_pixels(labels) > 100
    assert colored_pixels(Volume(np.zeros_like(labels.array), grid)) == 0


def test_a_region_that_a_package_lists_after_its_parts_does_not_hide_them() -> None:
    grid = aligned_grid()
    reference = make_case(grid).volumes["T1ce"]
    turned = LabelScheme(SCHEME.labels, SCHEME.regions[::-1])
    pictures = [picture(make_result(make_labels(grid), scheme=one), reference) for one in (SCHEME, turned)]
    views = [image[: int(image.shape[0] * 0.6)] for image in pictures]  # without the legend, whose order is the table's
    np.testing.assert_array_equal(views[0], views[1])


@pytest.mark.parametrize("shape_zyx", [(1, 30, 30), (2, 3, 4), (200, 4, 4), (3, 300, 5)])
def test_odd_shapes_and_spacings_give_a_picture(shape_zyx: tuple[int, int, int]) -> None:
    grid = Grid(shape_zyx, np.diag([-0.5, -2.0, 6.0, 1.0]))
    labels = np.zeros(shape_zyx, np.uint8)
    labels[0, :2, :2] = 1
    result = make_result(Volume(labels, grid))
    image = picture(result, Volume(np.arange(labels.size, dtype=np.int16).reshape(shape_zyx), grid))
    assert image.shape[1] == 1440
    assert image.shape[0] < 1500


@pytest.mark.parametrize("value", [np.nan, 0.0, 7.0, np.inf])
def test_image_without_contrast_or_numbers_gives_a_picture(value: float) -> None:
    grid = aligned_grid(size=12)
    result = make_result(Volume(np.full(grid.shape_zyx, 4, np.uint8), grid))
    assert picture(result, Volume(np.full(grid.shape_zyx, value, np.float32), grid)).shape[1] == 1440


def test_long_and_many_notices_and_many_regions_stay_in_the_picture() -> None:
    regions = tuple(Region(f"R{n}", f"Region number {n} with $dollars$", (1,), (0.1, 0.2, 0.3)) for n in range(11))
    notices = [Notice(f"n.{n}", f"Notice {n} costs $5 and $6. " * 20) for n in range(9)]
    result = make_result(make_labels(oblique_grid()), *notices, scheme=LabelScheme(SCHEME.labels, regions))
    assert picture(result, make_case(oblique_grid()).volumes["T1"]).shape[1] == 1440


def test_image_on_another_grid_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        overlay_png(make_result(make_labels(aligned_grid())), make_case(oblique_grid()).volumes["T1"])
    assert caught.value.code == "overlay.grid"
