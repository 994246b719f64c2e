"""Slicer's segmentation file (.seg.nrrd): written as 3D Slicer writes it, and read back.

Fields, their order and formats were compared with files that slicer-core 5.11 wrote
(Testing/slicer/test_segmentation_file.py does it again each time). Ring 1 (io).
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from MedSegAILib.core.errors import InputError
from MedSegAILib.core.labels import Code, Terminology
from MedSegAILib.core.result import Result
from MedSegAILib.core.volume import Array, Grid

from .atomic import write_file
from .headers import LPS_TO_RAS, damaged, three_axes
from .nrrd import NrrdHeader, can_read, read_grid, read_header, read_voxels

Mask = npt.NDArray[np.bool_]

CATEGORY_CONTEXT = "Segmentation category and type - DICOM master list"
REGION_CONTEXT = "Anatomic codes - DICOM master list"
# What Slicer gives a segment that nobody coded.
_UNCODED = (
    "Segmentation category and type - 3D Slicer General Anatomy list~SCT^85756007^Tissue~SCT^85756007^Tissue~^^"
    f"~{REGION_CONTEXT}~^^~^^"
)
# Slicer's defaults for making surfaces; each file carries them. Descriptions are left out, Slicer has its own.
_CONVERSION = (
    ("Decimation factor", "0.0"),
    ("Smoothing factor", "0.5"),
    ("Compute surface normals", "1"),
    ("Conversion method", "0"),
    ("SurfaceNets smoothing", "0"),
    ("Joint smoothing", "0"),
    ("Reference image geometry", ""),
    ("Oversampling factor", "1"),
    ("Crop to reference image geometry", "0"),
    ("Collapse labelmaps", "1"),
    ("Fractional labelmap oversampling factor", "1"),
    ("Threshold fraction", "0.5"),
)
COMPRESSION_LEVEL = 6


@dataclass(frozen=True, eq=False)
class Segment:
    """One named structure of a segmentation file.

    Args:
        id: stable name inside the file ("WT").
        name: for people.
        color: red, green, blue, 0 to 1.
        mask: ``[z, y, x]`` on the grid of the file.
        terminology: coded name, or None.
    """

    id: str
    name: str
    color: tuple[float, float, float]
    mask: Mask
    terminology: Terminology | None = None


def write_segmentation(result: Result, path: Path) -> Path:
    """Write the regions of a result as segments; overlapping ones lie in layers.

    Raises:
        ResourceError: "output.disk_full", "output.not_writable".
    """
    return write_file(path, segmentation_bytes(result))


def segmentation_bytes(result: Result) -> bytes:
    """Give the bytes of the ``.seg.nrrd`` of a result, the same bytes every time.

    Every region becomes a segment, also an empty one: named, coded and ready to paint.
    """
    segments = [
        Segment(region.name, region.title, region.color, result.region_mask(region.name), region.terminology)
        for region in result.scheme.regions
    ]
    return segments_bytes(segments, result.labels.grid)


def segments_bytes(segments: Sequence[Segment], grid: Grid) -> bytes:
    """Give the bytes of a ``.seg.nrrd`` of segments, masks ``[z, y, x]`` on the grid; the same bytes every time."""
    layers, places = _layers([segment.mask for segment in segments], grid)
    lines = _geometry_lines(grid, len(layers))
    extents = [_extent(layer) for layer in layers]
    for number, (segment, (layer, value)) in enumerate(zip(segments, places, strict=True)):
        lines += _segment_lines(number, segment, layer, value, extents[layer])
    lines += [
        "Segmentation_ContainedRepresentationNames:=Binary labelmap|",
        f"Segmentation_ConversionParameters:={_conversion_parameters(grid)}",
        "Segmentation_MasterRepresentation:=Binary labelmap",
        "Segmentation_ReferenceImageExtentOffset:=0 0 0",
    ]
    # The list of layers is the fastest axis, as "kinds" says.
    voxels = layers[0] if len(layers) == 1 else np.stack(layers, axis=-1)
    packer = zlib.compressobj(COMPRESSION_LEVEL, zlib.DEFLATED, 31)
    packed = packer.compress(np.ascontiguousarray(voxels).tobytes()) + packer.flush()
    return ("\n".join(lines) + "\n\n").encode() + packed


def read_segmentation(path: Path) -> tuple[list[Segment], Grid]:
    """Read the segments of a ``.seg.nrrd``, ours or Slicer's.

    Returns:
        The segments in the order of the file, and the grid of their masks (it may be a box of the image's grid).

    Raises:
        InputError: "segmentation.not_one" when the file is no segmentation; "file.*", "grid.*", "volume.*".
    """
    path = Path(path)
    with path.open("rb") as file:
        start = file.read(16)
    header = read_header(path) if can_read(path, start) else None
    if header is None or "Segment0_ID" not in header.values:
        raise InputError(
            "segmentation.not_one",
            f"{path.name} is no segmentation of 3D Slicer (.seg.nrrd).",
            "Save it in Slicer as a segmentation.",
        )
    has_layers = len(header.sizes) == 4
    if len(header.sizes) not in (3, 4) or (has_layers and header.kinds[0] in ("domain", "space")):
        raise damaged(path.name, f"a segmentation of {len(header.sizes)} axes is unknown")
    grid, _ = read_grid(header, three_axes(header.sizes[1:] if has_layers else header.sizes, path.name), path.name)
    array, _ = read_voxels(path, header)
    return _segments(header, array if has_layers else array[..., None], path.name), grid


def terminology_entry(terminology: Terminology | None) -> str:
    """Give a coded name as Slicer serializes it; Slicer's own default when there is none.

    Source: category context ~ category ~ type ~ type modifier ~ region context ~ region ~ region modifier, each
        code as scheme^value^meaning (vtkSlicerTerminologiesModuleLogic, SerializeTerminologyEntry).
    """
    if terminology is None:
        return _UNCODED
    parts = (
        CATEGORY_CONTEXT,
        _code_text(terminology.category),
        _code_text(terminology.type),
        "^^",
        REGION_CONTEXT,
        _code_text(terminology.region),
        "^^",
    )
    return "~".join(parts)


def read_terminology_entry(text: str) -> Terminology | None:
    """Read what :func:`terminology_entry` or Slicer wrote; None when category or type is missing."""
    parts = text.split("~")
    if len(parts) < 6:
        return None
    category, kind, region = _code(parts[1]), _code(parts[2]), _code(parts[5])
    return None if category is None or kind is None else Terminology(category, kind, region)


def _layers(masks: Sequence[Mask], grid: Grid) -> tuple[list[npt.NDArray[np.uint8]], list[tuple[int, int]]]:
    """Put each mask into the first layer where it touches no other; give the layers and (layer, value) of each."""
    layers: list[npt.NDArray[np.uint8]] = [np.zeros(grid.shape_zyx, np.uint8)]
    used = [0]
    places: list[tuple[int, int]] = []
    for mask in masks:
        free = (n for n, layer in enumerate(layers) if used[n] < np.iinfo(np.uint8).max and not layer[mask].any())
        place = next(free, len(layers))
        if place == len(layers):
            layers.append(np.zeros(mask.shape, np.uint8))
            used.append(0)
        used[place] += 1
        layers[place][mask] = used[place]
        places.append((place, used[place]))
    return layers, places


def _geometry_lines(grid: Grid, layer_count: int) -> list[str]:
    matrix = LPS_TO_RAS @ grid.ijk_to_ras  # its own inverse
    directions = " ".join(_vector(matrix[:3, axis]) for axis in range(3))
    sizes = " ".join(str(size) for size in grid.shape_zyx[::-1])
    is_list = layer_count > 1
    return [
        "NRRD0004",
        "# Complete NRRD file format specification at:",
        "# http://teem.sourceforge.net/nrrd/format.html",
        "type: unsigned char",
        f"dimension: {4 if is_list else 3}",
        "space: left-posterior-superior",
        f"sizes: {layer_count} {sizes}" if is_list else f"sizes: {sizes}",
        f"space directions: none {directions}" if is_list else f"space directions: {directions}",
        "kinds: list domain domain domain" if is_list else "kinds: domain domain domain",
        "encoding: gzip",
        f"space origin: {_vector(matrix[:3, 3])}",
    ]


def _segment_lines(number: int, segment: Segment, layer: int, value: int, extent: str) -> list[str]:
    fields = {
        "Color": " ".join(f"{part:g}" for part in segment.color),
        "ColorAutoGenerated": "0",
        "Extent": extent,
        "ID": segment.id,
        "LabelValue": str(value),
        "Layer": str(layer),
        "Name": segment.name,
        "NameAutoGenerated": "0",
        "Tags": f"TerminologyEntry:{terminology_entry(segment.terminology)}|",
    }
    return [f"Segment{number}_{name}:={_escaped(text)}" for name, text in fields.items()]


def _extent(layer: Array) -> str:
    """Give first and last index of the layer's voxels along i, j, k; "0 -1" thrice when it has none."""
    if not layer.any():
        return "0 -1 0 -1 0 -1"
    spans = [np.flatnonzero(layer.any(axis=axes))[[0, -1]] for axes in ((0, 1), (0, 2), (1, 2))]
    return " ".join(str(int(end)) for span in spans for end in span)


def _conversion_parameters(grid: Grid) -> str:
    matrix = ";".join(_shortest(value) for value in grid.ijk_to_ras.ravel())
    extent = ";".join(f"0;{size - 1}" for size in grid.shape_zyx[::-1])
    geometry = f"{matrix};{extent};"
    return "".join(
        f"{name}|{geometry if name == 'Reference image geometry' else value}|&" for name, value in _CONVERSION
    )


def _segments(header: NrrdHeader, layers: Array, name: str) -> list[Segment]:
    """Cut the segments out of ``[z, y, x, layer]``; files before Slicer 4.11 have one layer a segment, value 1."""
    values = header.values
    segments: list[Segment] = []
    number = 0
    while f"Segment{number}_ID" in values:
        field = f"Segment{number}_"
        try:
            layer = int(values.get(f"{field}Layer", number))
            label = int(values.get(f"{field}LabelValue", 1))
            red, green, blue = (float(part) for part in values.get(f"{field}Color", "0.5 0.5 0.5").split())
            mask = layers[..., layer] == label
        except (ValueError, IndexError) as error:
            raise damaged(name, f"its segment {number} has unreadable fields") from error
        segments.append(
            Segment(
                id=values[f"{field}ID"],
                name=values.get(f"{field}Name", values[f"{field}ID"]),
                color=(red, green, blue),
                mask=mask,
                terminology=read_terminology_entry(_tags(values, field).get("TerminologyEntry", "")),
            )
        )
        number += 1
    return segments


def _tags(values: Mapping[str, str], field: str) -> dict[str, str]:
    pairs = (tag.partition(":") for tag in values.get(f"{field}Tags", "").split("|"))
    return {name: text for name, _, text in pairs if name}


def _code_text(code: Code | None) -> str:
    if code is None:
        return "^^"
    return "^".join(part.translate(_SEPARATORS) for part in (code.scheme, code.value, code.meaning))


_SEPARATORS = {ord(character): " " for character in "~^|&"}  # they end a field in Slicer's own parser


def _code(text: str) -> Code | None:
    parts = text.split("^")
    return Code(parts[0], parts[1], parts[2]) if len(parts) == 3 and parts[1] else None


def _vector(values: Array) -> str:
    return "(" + ",".join(f"{float(value) + 0.0:.17g}" for value in values) + ")"  # + 0.0 makes -0 a plain 0


def _shortest(value: float) -> str:
    text = repr(float(value) + 0.0)
    return text[:-2] if text.endswith(".0") else text


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")
