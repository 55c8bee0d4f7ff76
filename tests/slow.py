"""The method's arithmetic once more, in plain loops over rows of numbers: slow, and sharing nothing with the model."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor, nn

Row = list[float]


def numbers(x: Tensor) -> list:
    """A tensor as nested lists of doubles."""
    return x.detach().double().tolist()


def dot(a: Sequence[float], b: Sequence[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


def add(a: Sequence[float], b: Sequence[float]) -> Row:
    return [x + y for x, y in zip(a, b, strict=True)]


def softmax(scores: Sequence[float]) -> Row:
    top = max(scores)
    powers = [math.exp(s - top) for s in scores]
    return [p / sum(powers) for p in powers]


def one_hot(scores: Sequence[float]) -> list[int]:
    """1 where the first of the largest scores is."""
    return [int(i == scores.index(max(scores))) for i in range(len(scores))]


def linear(layer: nn.Linear, row: Sequence[float]) -> Row:
    bias = numbers(layer.bias) if layer.bias is not None else [0.0] * layer.out_features
    return [dot(weights, row) + b for weights, b in zip(numbers(layer.weight), bias, strict=True)]


def linears(layer: nn.Linear, rows: Sequence[Sequence[float]]) -> list[Row]:
    weight = numbers(layer.weight)
    bias = numbers(layer.bias) if layer.bias is not None else [0.0] * layer.out_features
    return [[dot(w, row) + b for w, b in zip(weight, bias, strict=True)] for row in rows]


def layer_norm(norm: nn.LayerNorm, row: Sequence[float]) -> Row:
    mean = sum(row) / len(row)
    variance = sum((x - mean) ** 2 for x in row) / len(row)
    scale = 1 / math.sqrt(variance + norm.eps)
    return [(x - mean) * scale * w + b for x, w, b in zip(row, numbers(norm.weight), numbers(norm.bias), strict=True)]


def gelu(row: Sequence[float]) -> Row:
    return [x * (1 + math.erf(x / math.sqrt(2))) / 2 for x in row]


def attention(
    query: Row, keys: Sequence[Row], values: Sequence[Row], heads: int = 1, bias: Sequence[float] | None = None
) -> Row:
    """What one query row reads from the rows of keys and values, head by head."""
    size = len(query) // heads
    out: Row = []
    for head in range(heads):
        part = slice(head * size, (head + 1) * size)
        scores = [dot(query[part], key[part]) / math.sqrt(size) for key in keys]
        weights = softmax(scores if bias is None else add(scores, bias))
        out += [
            sum(w * value[i] for w, value in zip(weights, values, strict=True)) for i in range(part.start, part.stop)
        ]
    return out


def bilinear(grid: Sequence[Sequence[float]], height: int, width: int) -> list[Row]:
    """A grid of numbers at another size, pixel centres aligned and edges repeated."""
    rows, columns = len(grid), len(grid[0])

    def source(i: int, size: int, of: int) -> tuple[int, int, float]:
        at = min(max((i + 0.5) * of / size - 0.5, 0), of - 1)
        low = int(at)
        return low, min(low + 1, of - 1), at - low

    out = []
    for y in range(height):
        top, bottom, down = source(y, height, rows)
        out.append([])
        for x in range(width):
            left, right, over = source(x, width, columns)
            upper = grid[top][left] * (1 - over) + grid[top][right] * over
            lower = grid[bottom][left] * (1 - over) + grid[bottom][right] * over
            out[-1].append(upper * (1 - down) + lower * down)
    return out


def shares(mask: Sequence[Sequence[float]], height: int, width: int) -> list[Row]:
    """The mean of a grid over each of height x width equal cells; the sides must divide."""
    down, over = len(mask) // height, len(mask[0]) // width
    return [
        [
            sum(mask[y * down + i][x * over + j] for i in range(down) for j in range(over)) / (down * over)
            for x in range(width)
        ]
        for y in range(height)
    ]
