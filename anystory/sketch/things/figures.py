"""Whole figures for drawings of which Noto Emoji has only a head or a bust: bodies of our own are drawn beneath them.

A figure is written in the index as `ICON/BODY/COLOURS`, "fox/sitting/#ff6d00,#ffffff,#5d4037,bushy,#ffffff": the icon,
one of `BODIES`, and what that body takes, in its order; "" leaves a value as it is. Used when the pack is built.
"""

from __future__ import annotations

from collections.abc import Callable

SKIN = "#fbc02d"
"""Of the hands: the yellow of Noto's people in their own shade."""

Box = tuple[float, float, float, float]
"""x, y, width and height of what an SVG shows."""


def figure(icon: str, body: str, values: list[str]) -> tuple[str, Box]:
    """SVG marks of the figure whose head or bust is `icon` (marks within 128 × 128), and the box they lie in. Raises
    ValueError for a body that is not one of `BODIES` or values it does not take."""
    if body not in BODIES:
        raise ValueError(f"There is no body {body!r}; the bodies are {', '.join(BODIES)}.")
    draw, least, defaults = BODIES[body]
    if not least <= len(values) <= len(defaults):
        raise ValueError(f"The body {body!r} takes {least} to {len(defaults)} values, not {len(values)}.")
    given = [value or default for value, default in zip(values, defaults, strict=False)]
    return draw(icon, *given, *defaults[len(given) :])


def darker(colour: str, share: float) -> str:
    """`colour` ("#rrggbb") with its channels times `share`."""
    return "#" + "".join(f"{round(int(colour[i : i + 2], 16) * share):02x}" for i in (1, 3, 5))


def mirrored(marks: str, width: int = 128) -> str:
    """Marks of a right-hand side, and the same on the left."""
    return f'<g>{marks}</g><g transform="translate({width} 0) scale(-1 1)">{marks}</g>'


def placed(icon: str, scale: float, y: float = 0, middle: float = 64) -> str:
    return f'<g transform="translate({middle - 64 * scale:.4g} {y:.4g}) scale({scale})">{icon}</g>'


# A bust and, from its shoulders down, the rest.


def suit(icon: str, coat: str, trousers: str, shoes: str, shirt: str, belt: str, hands: str) -> tuple[str, Box]:
    marks = (
        f'<path fill="{trousers}" d="M34 148h60v48q0 4-4 4H70q-3 0-3-4l-3-24l-3 24q0 4-3 4H38q-4 0-4-4z"/>'
        f'<path fill="{darker(trousers, 0.8)}" d="M62 160h4l-2 14z"/>'
        f'<path fill="{shoes}" d="M30 208q-2-12 10-13h16q6 1 6 8v3q0 2-3 2z"/>'
        f'<path fill="{shoes}" d="M98 208q2-12-10-13H72q-6 1-6 8v3q0 2 3 2z"/>'
        f'<path fill="{coat}" d="M31 112h66v44q0 6-6 6H37q-6 0-6-6z"/>'
    )
    if shirt:
        marks += f'<path fill="{shirt}" d="M50 116h28v46H50z"/>'
    if belt:
        marks += f'<path fill="{belt}" d="M31 150h66v7H31z"/>'
    return marks + arms(coat, hands) + icon, (0, 0, 128, 210)


def robe(icon: str, coat: str, skirt: str, front: str, hands: str) -> tuple[str, Box]:
    marks = (
        f'<path fill="{skirt}" d="M34 116h60c2 30 12 58 20 84c1 4-2 6-6 6H20c-4 0-7-2-6-6c8-26 18-54 20-84z"/>'
        f'<path fill="none" stroke="{darker(skirt, 0.85)}" stroke-width="3" stroke-linecap="round" '
        'd="M48 162l-8 40M64 166v38M80 162l8 40"/>'
        f'<path fill="{coat}" d="M32 112h64l-3 40q-29 8-58 0z"/>'
    )
    if front:
        marks += f'<path fill="{front}" d="M54 116h20l6 90H48z"/>'
    return marks + arms(coat, hands) + icon, (0, 0, 128, 208)


def arms(sleeves: str, hands: str) -> str:
    return mirrored(
        f'<circle cx="22" cy="164" r="9.5" fill="{hands}"/>'
        f'<path fill="{sleeves}" d="M12 112h22v44q0 3-3 4q-9 3-18 0q-3-1-3-4q0-24 2-44z"/>'
        f'<path fill="none" stroke="{darker(sleeves, 0.8)}" stroke-width="2.5" stroke-linecap="round" d="M34 126v30"/>'
    )


# A head on a body of its own.


def trousers(icon: str, shirt: str, legs: str, shoes: str, hands: str) -> tuple[str, Box]:
    marks = (
        neck(hands)
        + f'<path fill="{legs}" d="M46 128h36v36H67l-3-22l-3 22H46z"/>'
        + f'<path fill="{shoes}" d="M42 172q-1-9 8-9h12v9zM86 172q1-9-8-9H66v9z"/>'
        + f'<path fill="{shirt}" d="M45 98q19-6 38 0v34q0 3-3 3H48q-3 0-3-3z"/>'
    )
    return marks + small_arms(shirt, hands, "38 128") + placed(icon, 0.74), (0, 0, 128, 174)


def frock(icon: str, dress: str, shoes: str, hands: str) -> tuple[str, Box]:
    marks = (
        neck(hands)
        + f'<path fill="{hands}" d="M52 140h9v26h-9zM67 140h9v26h-9z"/>'
        + f'<path fill="{shoes}" d="M46 172q-1-8 7-8h8v8zM82 172q1-8-7-8h-8v8z"/>'
        + f'<path fill="{dress}" d="M46 98q18-6 36 0l8 46q0 3-3 3H41q-3 0-3-3z"/>'
    )
    return marks + small_arms(dress, hands, "43 112") + placed(icon, 0.74), (0, 0, 128, 174)


def gown(icon: str, bodice: str, skirt: str, hands: str) -> tuple[str, Box]:
    marks = (
        neck(hands)
        + f'<path fill="{skirt}" d="M48 96h32c2 30 12 50 20 70c1 4-2 6-6 6H34c-4 0-7-2-6-6c8-20 18-40 20-70z"/>'
        + f'<path fill="none" stroke="{darker(skirt, 0.85)}" stroke-width="2.5" stroke-linecap="round" '
        + 'd="M54 140l-6 28M64 142v28M74 140l6 28"/>'
        + f'<path fill="{bodice}" d="M46 98q18-6 36 0l-2 30q-16 5-32 0z"/>'
    )
    return marks + small_arms(bodice, hands, "38 128") + placed(icon, 0.74), (0, 0, 128, 174)


HATS = {
    "crown": (
        '<path fill="#ffc107" d="M36 24l-5-24l15 11L64-8l18 19L97 0l-5 24q-28 8-56 0z"/>'
        '<path fill="#ff9800" d="M36 20q28 8 56 0v7q-28 8-56 0z"/>'
        '<circle cx="64" cy="13" r="4.5" fill="#e53935"/><circle cx="46" cy="15" r="3" fill="#1e88e5"/>'
        '<circle cx="82" cy="15" r="3" fill="#1e88e5"/>'
    ),
    "pirate": (
        '<path fill="#212121" d="M18 24Q22-12 64-14q42 2 46 38q-46-18-92 0z"/>'
        '<path fill="#fafafa" d="M57-5q7-5 14 0q4 7-3 10v3h-8V5q-7-3-3-10z"/>'
        '<path fill="none" stroke="#fafafa" stroke-width="3" stroke-linecap="round" d="M52 12l24 5M76 12l-24 5"/>'
        '<path fill="none" stroke="#212121" stroke-width="3" d="M28 34l62 8"/>'
        '<path fill="#212121" d="M70 36h20q0 18-10 18t-10-18z"/>'
    ),
    "cowboy": (
        '<path fill="#8d5524" d="M40 16Q42-16 54-14q10 6 20 0q12-2 14 30z"/>'
        '<path fill="#4e342e" d="M39 10q25 8 50 0v8q-25 8-50 0z"/>'
        '<path fill="#a0672f" d="M4 8q18 14 60 12q42 2 60-12q-4 24-60 22Q8 32 4 8z"/>'
    ),
    "pointed": (
        '<path fill="#e53935" d="M30 26Q40-8 72-26Q92-6 98 26q-34-12-68 0z"/>'
        '<path fill="#c62828" d="M28 22q36-12 72 0v8q-36-12-72 0z"/>'
    ),
    "sailor": (
        '<path fill="#eceff1" d="M26 14Q26-8 64-8t38 22q-38 12-76 0z"/>'
        '<path fill="#1e3a8a" d="M32 14q32 10 64 0v9q-32 10-64 0z"/>'
    ),
    "feather": (
        '<path fill="#2e7d32" d="M18 24Q40-10 74-8q24 6 24 30q-38-6-80 2z"/>'
        '<path fill="#1b5e20" d="M12 26q46-14 90-6v6q-46-4-90 0z"/>'
        '<path fill="#e53935" d="M80 6q8-26 34-30q0 24-28 34z"/>'
    ),
    "cap": (
        '<path fill="#1565c0" d="M28 20Q30-10 64-10t36 30q-36-8-72 0z"/>'
        '<path fill="#0d47a1" d="M26 18q38-12 76 0l4 8q-42-10-84 0z"/>'
    ),
}


def hatted(icon: str, hat: str, shirt: str, legs: str, shoes: str, hands: str) -> tuple[str, Box]:
    """In trousers, with a hat on its head. `hat` is one of `HATS`."""
    marks, (x, y, width, height) = trousers(icon, shirt, legs, shoes, hands)
    return marks + HATS[hat], (x, y - 28, width, height + 28)


def king(icon: str, coat: str, breeches: str, hands: str) -> tuple[str, Box]:
    """With a crown, in a cloak with a border of ermine."""
    cloak = (
        f'<path fill="{darker(coat, 0.75)}" '
        'd="M46 96h36c10 20 18 46 20 68c0 4-2 6-6 6H32c-4 0-6-2-6-6c2-22 10-48 20-68z"/>'
        '<path fill="#fafafa" d="M26 160h76l1 6q0 6-6 6H31q-6 0-6-6z"/>'
        '<path fill="#424242" d="M36 164h4v5h-4zM52 164h4v5h-4zM72 164h4v5h-4zM88 164h4v5h-4z"/>'
    )
    marks, box = hatted(icon, "crown", coat, breeches, "#3e2723", hands)
    return cloak + marks + '<path fill="#ffd54f" d="M45 126h38v6H45z"/>', box


def bones(icon: str) -> tuple[str, Box]:
    """A skeleton beneath a skull."""
    spine = "".join(f'<circle cx="64" cy="{y}" r="4" fill="#cfd8dc"/>' for y in range(88, 136, 9))
    ribs = (
        '<path fill="none" stroke="#eceff1" stroke-width="5" stroke-linecap="round" d="M64 94h18M64 104h17M64 114h13"/>'
    )
    limbs = (
        '<path fill="none" stroke="#eceff1" stroke-width="6" stroke-linecap="round" '
        'd="M82 93l14 18l4 20M72 138l4 16v18h9"/>'
        '<circle cx="96" cy="111" r="5" fill="#eceff1"/><circle cx="100" cy="133" r="6" fill="#eceff1"/>'
        '<circle cx="76" cy="154" r="5" fill="#eceff1"/>'
    )
    hips = '<path fill="#eceff1" d="M48 132q16-8 32 0q0 10-16 11q-16-1-16-11z"/>'
    return mirrored(ribs + limbs) + spine + hips + placed(icon, 0.66), (0, 0, 128, 178)


def neck(skin: str) -> str:
    return f'<path fill="{skin}" d="M56 80h16v20H56z"/>'


def small_arms(sleeves: str, hands: str, elbow: str) -> str:
    return mirrored(
        f'<path stroke="{hands}" stroke-width="10" stroke-linecap="round" d="M42 106L33 136"/>'
        f'<path stroke="{sleeves}" stroke-width="12.5" stroke-linecap="round" d="M47 104L{elbow}"/>'
        f'<path fill="none" stroke="{darker(sleeves, 0.8)}" stroke-width="2" stroke-linecap="round" '
        'd="M50.5 110L48 126"/>'
    )


def robot(icon: str) -> tuple[str, Box]:
    marks = (
        '<path fill="#546e7a" d="M50 134h10v24H50zM68 134h10v24H68z"/>'
        '<path fill="#37474f" d="M44 170q0-14 10-14h7v14zM84 170q0-14-10-14h-7v14z"/>'
        '<path fill="#78909c" d="M54 84h20v12H54z"/>'
        '<rect x="38" y="92" width="52" height="46" rx="8" fill="#90a4ae"/>'
        '<rect x="47" y="101" width="34" height="20" rx="4" fill="#455a64"/>'
        '<circle cx="56" cy="111" r="4" fill="#ef5350"/><circle cx="70" cy="111" r="4" fill="#ffca28"/>'
        '<path fill="#cfd8dc" d="M47 126h34v5H47z"/>'
    )
    limbs = mirrored(
        '<path fill="none" stroke="#546e7a" stroke-width="8" d="M36 102L26 132"/>'
        '<circle cx="36" cy="102" r="7" fill="#78909c"/>'
        '<path fill="none" stroke="#37474f" stroke-width="5" stroke-linecap="round" d="M20 144q-2-11 6-12q8 2 5 13"/>'
    )
    return limbs + marks + placed(icon, 0.7), (0, 0, 128, 172)


# Animals.

TAILS = {
    "": "",
    "short": '<circle cx="102" cy="132" r="11" fill="{tip}"/>',
    "tuft": (
        '<path fill="none" stroke="{fur}" stroke-width="7" stroke-linecap="round" d="M90 140c24 2 22-18 22-34"/>'
        '<path fill="{tip}" d="M112 84c9 8 11 18 4 25c-4 3-8 2-10-1c-4-8 0-16 6-24z"/>'
    ),
    "bushy": (
        '<path fill="{fur}" d="M88 140c30 4 38-22 28-50c-4-10-12-8-14 2c-3 18-8 26-20 30z"/>'
        '<path fill="{tip}" d="M116 90c3 8 4 16 4 22l-19-8c2-6 2-8 3-14c2-10 9-9 12 0z"/>'
    ),
}


def sitting(icon: str, fur: str, belly: str, paws: str, tail: str, tip: str, limbs: str) -> tuple[str, Box]:
    """Seen from the front, on its haunches. `tail` is one of `TAILS`."""
    limbs = limbs or fur
    side = (
        f'<path fill="{limbs}" d="M34 118c-14 0-20 12-18 22c1 8 6 12 14 12h16c8 0 8-10 2-12c2-12-4-22-14-22z"/>'
        f'<path fill="{paws}" d="M30 152c-8 0-10-12 0-13h14c10 0 11 13 2 13z"/>'
        f'<path fill="none" stroke="{darker(paws, 0.8)}" stroke-width="2" stroke-linecap="round" '
        'd="M36 146v4M43 146v4"/>'
        f'<path fill="{limbs}" d="M40 84c-12 14-14 30-8 40c4 6 14 5 16-2c3-10 4-20 5-30z"/>'
        f'<path fill="{paws}" d="M31 118c-2 14 16 16 18 2z"/>'
    )
    marks = (
        TAILS[tail].format(fur=fur, tip=tip or fur)
        + f'<path fill="{fur}" d="M64 66c24 0 36 30 38 58c1 18-14 26-38 26s-39-8-38-26c2-28 14-58 38-58z"/>'
        + f'<path fill="{belly}" d="M64 78c13 0 20 20 20 42c0 18-8 26-20 26s-20-8-20-26c0-22 7-42 20-42z"/>'
        + mirrored(side)
    )
    return marks + placed(icon, 0.66), (0, 0, 128, 154)


def hoofed(icon: str, hide: str, hooves: str, tail: str) -> tuple[str, Box]:
    """Standing, seen from its left side, under a head that looks left."""
    far = darker(hide, 0.86)
    legs = "".join(
        f'<path fill="{colour}" d="M{x} 100h17l-2 48h-13z"/><path fill="{hooves}" d="M{x + 2} 142h13l1 10h-15z"/>'
        for x, colour in ((62, far), (118, far), (48, hide), (106, hide))
    )
    marks = (
        f'<path fill="{tail}" d="M136 74c18 4 20 26 12 52c-4 8-12 4-11-4c2-16 0-28-8-32z"/>{legs}'
        f'<path fill="{hide}" '
        'd="M46 78c0-14 14-18 40-16c30-4 54-2 56 18c2 20-4 36-20 38c-24 4-44 4-62-2c-10-4-14-20-14-38z"/>'
        f'<path fill="{hide}" d="M44 30l34 34l-10 40c-14 2-24-10-26-30z"/>'
    )
    return marks + placed(icon, 0.6, 4, 38.4), (-4, 0, 164, 156)


BODIES: dict[str, tuple[Callable[..., tuple[str, Box]], int, tuple[str, ...]]] = {
    "suit": (suit, 2, ("", "", "#4e342e", "", "", SKIN)),
    "robe": (robe, 2, ("", "", "", SKIN)),
    "trousers": (trousers, 2, ("", "", "#4e342e", SKIN)),
    "frock": (frock, 1, ("", "#4e342e", SKIN)),
    "gown": (gown, 2, ("", "", SKIN)),
    "hatted": (hatted, 3, ("", "", "", "#4e342e", SKIN)),
    "bones": (bones, 0, ()),
    "king": (king, 2, ("", "", SKIN)),
    "robot": (robot, 0, ()),
    "sitting": (sitting, 3, ("", "", "", "", "", "")),
    "hoofed": (hoofed, 3, ("", "", "")),
}
"""What each body is drawn by, how many values it needs at least, and those it takes when they are not given."""
