"""Writes packages/core/src/image/__fixtures__/resize.json: a small photo-like image and what PIL makes of it.

    python3 tooling/reference/resize_fixture.py

The image is computed, so that the fixture carries no photo. Needs Pillow.
"""

import base64
import hashlib
import json
import pathlib
import zlib

import PIL
from PIL import Image

WIDTH, HEIGHT = 97, 61
FILTERS = {"bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC}
SIZES = [(32, 32), (224, 24), (48, 30), (97, 20), (13, 61), (5, 3), (200, 131), (96, 60)]


def pixel(x, y):
    """Edges, gradients and fine stripes: where rounding and overshoot show. Integers only, so that any language can redo it."""
    red = 255 if (x // 7 + y // 5) % 2 else 0
    green = (x * 3 + y * y) % 256
    blue = 250 if (x - 48) ** 2 + (y - 30) ** 2 < 500 else (x * y) % 61
    return red, green, blue


def packed(data):
    return base64.b64encode(zlib.compress(data, 9)).decode()


source = bytes(v for y in range(HEIGHT) for x in range(WIDTH) for v in pixel(x, y))
image = Image.frombytes("RGB", (WIDTH, HEIGHT), source)
cases = []
for name, resample in FILTERS.items():
    for size in SIZES:
        data = image.resize(size, resample).tobytes()
        case = {"interpolation": name, "size": size, "sha256": hashlib.sha256(data).hexdigest()}
        if len(data) <= 4000:
            case["pixels"] = packed(data)
        cases.append(case)
out = pathlib.Path(__file__).parents[2] / "packages/core/src/image/__fixtures__/resize.json"
out.write_text(
    json.dumps({"made_by": "tooling/reference/resize_fixture.py", "pillow": PIL.__version__, "width": WIDTH, "height": HEIGHT, "cases": cases}, indent=1)
    + "\n"
)
print(out, out.stat().st_size, "bytes")
