"""Polygons, their masks, areas, boxes and overlaps by pycocotools 2.0.11, as one line of JSON on standard output.

python tooling/reference/coco_masks_fixture.py 1 25 > packages/core/src/detection/__fixtures__/rle.json
"""

import json
import sys

import numpy as np
from pycocotools import mask


def polygon(rng: np.random.Generator, height: int, width: int) -> list[float]:
    """Simple, crossing itself, on whole pixels, with a point twice, or out of the image."""
    n = int(rng.integers(3, 9))
    centre, radius = rng.uniform(0, 1, 2) * [width, height], rng.uniform(0.5, max(width, height))
    angles = rng.uniform(0, 2 * np.pi, n)
    if rng.random() < 0.7:
        angles = np.sort(angles)
    points = centre + radius * np.stack([np.cos(angles), np.sin(angles)], 1) * rng.uniform(0.3, 1, (n, 2))
    if rng.random() < 0.3:
        points = np.round(points)
    if rng.random() < 0.2:
        points[1] = points[0]
    if rng.random() < 0.2:
        points[-1] = points[0]
    if rng.random() < 0.3:
        points = np.clip(points, 0, [width, height])
    return [round(float(value), 2) for value in points.ravel()]


def case(rng: np.random.Generator) -> dict:
    height, width = (int(side) for side in rng.integers(3, 60, 2))
    objects, masks, crowd = [], [], [0, 1, 0]
    for _ in crowd:
        polygons = [polygon(rng, height, width) for _ in range(rng.integers(1, 3))]
        rle = mask.merge(mask.frPyObjects(polygons, height, width))
        masks.append(rle)
        objects.append(
            {"polygons": polygons, "counts": rle["counts"].decode(), "area": int(mask.area(rle)), "bbox": mask.toBbox(rle).tolist()}
        )
    return {
        "size": [height, width],
        "objects": objects,
        "crowd": crowd,
        "iou": np.round(mask.iou(masks, masks, crowd), 12).tolist(),
        "union": mask.merge(masks)["counts"].decode(),
        "intersection": mask.merge(masks, intersect=True)["counts"].decode(),
    }


rng = np.random.default_rng(int(sys.argv[1]))
json.dump([case(rng) for _ in range(int(sys.argv[2]))], sys.stdout, separators=(",", ":"))
