"""The library of drawings: what a sketch shows that is neither place nor cast, by concept.

    library = Library(own=folder)      # a story's own SVG and PNG files are found first
    drawing = library.find("a blue umbrella")
    pixels = render(drawing, 256, "blue")

`find` gives nothing rather than a wrong thing; `candidates` gives several beings for a described character. The table
is assets/things/index.tsv, the drawings lie beside it; `python -m anystory.sketch.things` builds and shows them.
"""

from anystory.sketch.things.colours import COLOURS
from anystory.sketch.things.drawing import LibraryDrawing, all_drawings
from anystory.sketch.things.library import Library, own_library
from anystory.sketch.things.render import render

__all__ = ["COLOURS", "Library", "LibraryDrawing", "all_drawings", "own_library", "render"]
