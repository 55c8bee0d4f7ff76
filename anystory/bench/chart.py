"""A chart of a report, as SVG: how many times faster than plain each mode is."""

from __future__ import annotations

from html import escape
from typing import Any

WIDTH, ROW, LEFT = 720, 44, 190


def chart(report: dict[str, Any]) -> str:
    """Bars for every mode: measured time, and operations, bytes and launches as counted, plain / mode."""
    modes = report["modes"]
    bars = []
    for name, result in modes.items():
        ratios = {"time": _ratio(modes["plain"]["seconds"], result["seconds"])}
        costs, base = result["costs"], modes["plain"]["costs"]
        ratios |= {key: _ratio(base[key], costs[key]) for key in ("flops", "bytes", "launches") if costs}
        bars.append((name, {key: value for key, value in ratios.items() if value}))
    largest = max((value for _, ratios in bars for value in ratios.values()), default=1.0)
    colours = {"time": "#1f6feb", "flops": "#8a8f98", "bytes": "#b0b6bf", "launches": "#d0d5dc"}
    height = 56 + (ROW + 10) * len(bars) + 30
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-family="sans-serif" '
        f'font-size="13"><rect width="100%" height="100%" fill="white"/>',
        f'<text x="12" y="22" font-size="15">Times faster than plain; {escape(report["device"])}</text>',
        f'<text x="12" y="42" fill="#555">time: {escape(report["scale"])}; the rest: counted at full size</text>',
    ]
    for number, (name, ratios) in enumerate(bars):
        top = 56 + (ROW + 10) * number
        lines.append(f'<text x="{LEFT - 8}" y="{top + 26}" text-anchor="end">{escape(name)}</text>')
        if error := modes[name]["error"]:
            lines.append(
                f'<text x="{LEFT + 5}" y="{top - 3}" font-size="10" fill="#c62828">{escape(error[:80])}</text>'
            )
        for k, (key, value) in enumerate(ratios.items()):
            width = (WIDTH - LEFT - 120) * value / largest
            y = top + k * 11
            lines.append(f'<rect x="{LEFT}" y="{y}" width="{width:.1f}" height="10" fill="{colours[key]}"/>')
            label = f"{value:.2f}× {key}"
            lines.append(f'<text x="{LEFT + width + 5:.1f}" y="{y + 9}" font-size="10">{label}</text>')
    return "\n".join([*lines, "</svg>\n"])


def _ratio(base: float | None, value: float | None) -> float | None:
    return base / value if base and value else None
