"""What each medium makes of a shape and of a line."""

from __future__ import annotations

WOBBLE = {"flat": 0.0, "watercolour": 0.55, "ink": 0.5, "paper": 0.0, "crayon": 0.45}
"""How far a hand strays from a true outline, in percent of the frame."""

REACH = 2.0
"""How far beyond its path a shape's outline and shadow may reach, in percent of the frame."""

_INK = "#2e2836"
_SMALL = 1.6
"""Shapes below this size, in percent of the frame, are details: they get no outline and no shadow."""

_LARGE = 30.0


def shape(medium: str, d: str, again: str, fill: str, dark: str, size: float, far: float) -> str:
    """SVG of a filled path `d`. `again` is the same path by another stroke of the hand, `fill` a paint, `dark` its
    colour in the shade, `size` its extent in percent of the frame, `far` in [0, 1] how hazy it is. A "~" marks the
    width of a pen."""
    plain = f'<path d="{d}" fill="{fill}"/>'
    if size < _SMALL:
        return plain
    near = 1 - far
    if medium == "watercolour":
        # Pigment gathers where the wash dries last: at its edge.
        return (
            f'{plain}<path d="{again}" fill="none" stroke="{dark}" stroke-opacity="{0.42 * near + 0.1:.2f}" '
            f'stroke-width="~{min(0.3 + size / 60, 0.75):.2f}"/>'
        )
    if medium == "ink":
        width = min(0.26 + size / 110, 0.62) * (0.45 + 0.55 * near)
        # The wash does not quite meet the line.
        moved = f'<path d="{d}" fill="{fill}" transform="translate(.35 .3)"/>' if size < 18 else ""
        pens = ((d, width, 0.3 + 0.6 * near), (again, width * 0.6, 0.15 + 0.4 * near))
        lines = (f'<path d="{line}" stroke-width="~{w:.2f}" stroke-opacity="{a:.2f}"/>' for line, w, a in pens)
        return f'{plain}{moved}<g fill="none" stroke="{_INK}" stroke-linejoin="round">{"".join(lines)}</g>'
    if medium == "paper":
        return (
            f"{_shadow(d, size)}{plain}"
            f'<path d="{d}" fill="none" stroke="#fff" stroke-opacity=".22" stroke-width="~.22"/>'
        )
    if medium == "crayon":
        return (
            f'{plain}<path d="{again}" fill="none" stroke="{dark}" stroke-opacity="{0.35 + 0.45 * near:.2f}" '
            f'stroke-width="~{min(0.45 + size / 80, 0.95):.2f}" stroke-linejoin="round"/>'
        )
    return plain


def _shadow(d: str, size: float) -> str:
    """What a piece of paper casts on the one below it."""
    drop = min(0.35 + size / 45, 1.3)
    x, y = drop * 0.35, drop * 0.55
    if size > _LARGE:
        # Of a large piece only the rim shows: to fill all of it costs more than to draw around it.
        return (
            f'<g fill="none" stroke="#1a1020" transform="translate({x / 2:.2f} {y / 2:.2f})">'
            f'<path d="{d}" stroke-opacity=".16" stroke-width="{drop * 0.65:.2f}"/>'
            f'<path d="{d}" stroke-opacity=".1" stroke-width="{drop * 1.4:.2f}"/></g>'
        )
    return (
        f'<g fill="#1a1020"><path d="{d}" fill-opacity=".12" transform="translate({x * 1.6:.2f} {y * 1.6:.2f})"/>'
        f'<path d="{d}" fill-opacity=".16" transform="translate({x:.2f} {y:.2f})"/></g>'
    )


def stroke(medium: str, d: str, colour: str, dark: str, width: float, far: float) -> str:
    """SVG of a line along `d`."""
    line = (
        f'<path d="{d}" fill="none" stroke="{colour}" stroke-width="{width:.2f}" stroke-linecap="round" '
        'stroke-linejoin="round"/>'
    )
    if medium == "ink" and width > 0.7:
        return line.replace(colour, _INK).replace(f'"{width:.2f}"', f'"{width + 0.5:.2f}"') + line
    if medium == "paper" and width > 0.5:
        return (
            f'<path d="{d}" fill="none" stroke="#1a1020" stroke-opacity=".2" stroke-width="{width:.2f}" '
            f'stroke-linecap="round" stroke-linejoin="round" transform="translate(.3 .5)"/>{line}'
        )
    if medium in ("watercolour", "crayon") and width > 1.2:
        return line.replace(colour, dark).replace(f'"{width:.2f}"', f'"{width + 0.4:.2f}"') + line
    return line
