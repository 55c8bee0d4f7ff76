"""ICC profiles written by hand, to test conversions against numbers that are known without any colour engine."""

from __future__ import annotations

import struct

import numpy as np

D50 = (0.9642, 1.0, 0.8249)

ADOBE = ((0.6097, 0.3111, 0.0195), (0.2053, 0.6257, 0.0609), (0.1492, 0.0632, 0.7446))
"""XYZ of Adobe RGB's primaries under D50, red, green, blue."""

SRGB = ((0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141))
"""The same of sRGB."""


def rgb_profile(primaries, gamma: float) -> bytes:
    """A profile of three primaries and one gamma."""
    tags = {b"wtpt": _xyz(D50)}
    for channel, primary in zip("rgb", primaries, strict=True):
        tags |= {f"{channel}XYZ".encode(): _xyz(primary), f"{channel}TRC".encode(): _curve(gamma)}
    return _profile(b"RGB ", b"XYZ ", tags)


def grey_profile(gamma: float) -> bytes:
    return _profile(b"GRAY", b"XYZ ", {b"wtpt": _xyz(D50), b"kTRC": _curve(gamma)})


def cmyk_profile(lightness) -> bytes:
    """A profile of inks that are all grey: `lightness(c, m, y, k)`, each 0 or 1, in 0 to 100, linear between."""
    corners = [lightness(*(index >> bit & 1 for bit in (3, 2, 1, 0))) for index in range(16)]
    table = bytes(value for light in corners for value in (round(light * 2.55), 128, 128))
    identity = np.arange(256, dtype=np.uint8).tobytes()
    lut = struct.pack(">4s4xBBBx9i", b"mft1", 4, 3, 2, *(65536 * (n % 4 == 0) for n in range(9)))
    return _profile(b"CMYK", b"Lab ", {b"wtpt": _xyz(D50), b"A2B0": lut + identity * 4 + table + identity * 3})


def _xyz(value) -> bytes:
    return struct.pack(">4s4x3i", b"XYZ ", *(round(part * 65536) for part in value))


def _curve(gamma: float) -> bytes:
    return struct.pack(">4s4xIHxx", b"curv", 1, round(gamma * 256))


def _profile(space: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    text = b"hand"
    tags = tags | {
        b"desc": struct.pack(">4s4xI", b"desc", len(text) + 1) + text + bytes(1 + 79),
        b"cprt": b"text" + bytes(5),
    }
    table, data, at = b"", b"", 128 + 4 + 12 * len(tags)
    for name, body in tags.items():
        table += name + struct.pack(">II", at + len(data), len(body))
        data += body + bytes(-len(body) % 4)
    kind = b"prtr" if space == b"CMYK" else b"mntr"
    head = struct.pack(">I4s4s4s4s4s", at + len(data), bytes(4), b"\x02\x40\0\0", kind, space, connection)
    head += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", *(round(part * 65536) for part in D50))
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + data
