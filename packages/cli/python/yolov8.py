"""YOLOv8 detection in PyTorch, written from the published tensor names and shapes, to be timed and exported.

`model.0 … model.9` are the backbone, `model.12 … model.21` the neck, `model.22` the head. In inference the output is
[N, 4 + classes, cells]: boxes (corners, in pixels) and class scores of the cells of strides 8, 16 and 32.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

BINS = 16
STRIDES = (8, 16, 32)
SCALES = {"n": (1 / 3, 0.25, 1024), "s": (1 / 3, 0.5, 1024), "m": (2 / 3, 0.75, 768), "l": (1, 1, 512), "x": (1, 1.25, 512)}


class Conv(nn.Module):
    """Convolution → batch norm → SiLU."""

    def __init__(self, cin, cout, k=1, stride=1):
        super().__init__()
        self.conv = nn.Conv2d(cin, cout, k, stride, k // 2, bias=False)
        self.bn = nn.BatchNorm2d(cout, eps=1e-3, momentum=0.03)

    def forward(self, x):
        return F.silu(self.bn(self.conv(x)))


class Bottleneck(nn.Module):
    def __init__(self, c, shortcut):
        super().__init__()
        self.cv1, self.cv2, self.shortcut = Conv(c, c, 3), Conv(c, c, 3), shortcut

    def forward(self, x):
        y = self.cv2(self.cv1(x))
        return x + y if self.shortcut else y


class C2f(nn.Module):
    """Half of the channels goes through n bottlenecks; all that they gave meets in the last convolution."""

    def __init__(self, cin, cout, n, shortcut):
        super().__init__()
        c = cout // 2
        self.cv1, self.cv2 = Conv(cin, 2 * c), Conv((2 + n) * c, cout)
        self.m = nn.ModuleList(Bottleneck(c, shortcut) for _ in range(n))

    def forward(self, x):
        parts = list(self.cv1(x).chunk(2, 1))
        for block in self.m:
            parts.append(block(parts[-1]))
        return self.cv2(torch.cat(parts, 1))


class SPPF(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.cv1, self.cv2 = Conv(c, c // 2), Conv(2 * c, c)

    def forward(self, x):
        parts = [self.cv1(x)]
        for _ in range(3):
            parts.append(F.max_pool2d(parts[-1], 5, 1, 2))
        return self.cv2(torch.cat(parts, 1))


class DFL(nn.Module):
    """The mean of a distribution over 16 distances: [N, 64, cells] → [N, 4, cells]."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(BINS, 1, 1, bias=False).requires_grad_(False)
        self.conv.weight.data = torch.arange(BINS, dtype=torch.float32).reshape(1, BINS, 1, 1)

    def forward(self, x):
        n, _, cells = x.shape
        return self.conv(x.reshape(n, 4, BINS, cells).transpose(1, 2).softmax(1)).reshape(n, 4, cells)


class Detect(nn.Module):
    def __init__(self, channels, classes):
        super().__init__()
        box, score = max(16, channels[0] // 4, 4 * BINS), max(channels[0], min(classes, 100))

        def branch(cin, c, cout):
            return nn.Sequential(Conv(cin, c, 3), Conv(c, c, 3), nn.Conv2d(c, cout, 1))

        self.cv2 = nn.ModuleList(branch(c, box, 4 * BINS) for c in channels)
        self.cv3 = nn.ModuleList(branch(c, score, classes) for c in channels)
        self.dfl = DFL()

    def forward(self, features):
        maps = [torch.cat((b(x), s(x)), 1) for b, s, x in zip(self.cv2, self.cv3, features)]
        if self.training:
            return maps
        grids, strides = [], []
        for m, stride in zip(maps, STRIDES):
            h, w = m.shape[2:]
            rows, columns = torch.meshgrid(torch.arange(h) + 0.5, torch.arange(w) + 0.5, indexing="ij")
            grids.append(torch.stack((columns, rows)).reshape(2, -1))
            strides.append(torch.full((1, h * w), float(stride)))
        centre, stride = torch.cat(grids, 1), torch.cat(strides, 1)
        y = torch.cat([m.flatten(2) for m in maps], 2)
        left_top, right_bottom = self.dfl(y[:, : 4 * BINS]).chunk(2, 1)
        boxes = torch.cat((centre - left_top, centre + right_bottom), 1) * stride
        return torch.cat((boxes, y[:, 4 * BINS :].sigmoid()), 1)


class YOLOv8(nn.Module):
    def __init__(self, depth, width, most, classes):
        super().__init__()

        def c(channels):
            return math.ceil(min(channels, most) * width / 8) * 8

        def n(repeats):
            return max(round(repeats * depth), 1)

        c1, c2, c3, c4, c5 = c(64), c(128), c(256), c(512), c(1024)
        idle = nn.Identity  # upsampling and concatenation have a number and no weights
        layers = [Conv(3, c1, 3, 2), Conv(c1, c2, 3, 2), C2f(c2, c2, n(3), True), Conv(c2, c3, 3, 2), C2f(c3, c3, n(6), True)]
        layers += [Conv(c3, c4, 3, 2), C2f(c4, c4, n(6), True), Conv(c4, c5, 3, 2), C2f(c5, c5, n(3), True), SPPF(c5)]
        layers += [idle(), idle(), C2f(c4 + c5, c4, n(3), False), idle(), idle(), C2f(c3 + c4, c3, n(3), False)]
        layers += [Conv(c3, c3, 3, 2), idle(), C2f(c3 + c4, c4, n(3), False)]
        layers += [Conv(c4, c4, 3, 2), idle(), C2f(c4 + c5, c5, n(3), False), Detect((c3, c4, c5), classes)]
        self.model = nn.ModuleList(layers)

    def forward(self, x):
        m = self.model
        p3 = m[4](m[3](m[2](m[1](m[0](x)))))
        p4 = m[6](m[5](p3))
        p5 = m[9](m[8](m[7](p4)))
        up4 = m[12](torch.cat((F.interpolate(p5, scale_factor=2.0), p4), 1))
        out3 = m[15](torch.cat((F.interpolate(up4, scale_factor=2.0), p3), 1))
        out4 = m[18](torch.cat((m[16](out3), up4), 1))
        out5 = m[21](torch.cat((m[19](out4), p5), 1))
        return m[22]((out3, out4, out5))


def yolov8(scale, classes=80):
    return YOLOv8(*SCALES[scale], classes)
