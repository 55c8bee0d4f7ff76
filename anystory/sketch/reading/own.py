"""Which of a story's own places a line is at, while the story is read."""

from __future__ import annotations

from collections.abc import Sequence

from anystory.sketch.own_places import OwnPlace
from anystory.sketch.reading.places import Spot


class OwnPlaces:
    """A story's own places, and at which of each kind it was last. `kinds`: {every name of one: the place that it is
    like}."""

    def __init__(self, places: Sequence[OwnPlace]) -> None:
        self._named = {name: place for place in reversed(places) for name in place.names}
        self._plain = {place.called: place for place in reversed(places) if place.told}
        self._latest: dict[str, OwnPlace] = {}
        self.kinds = {name: place.kind for name, place in self._named.items()}

    def meant(self, spot: Spot, said: bool) -> OwnPlace | None:
        """The own place that a spot is, None where it is painted: the one that is named; where none is, the one where
        the story was last on such a spot. A word for such a place, if one was `said`, means it only where its name is
        such a word as well: "the village" is our old village; a plain meadow is not what is only like one."""
        own = self._named.get(spot.word)
        if own is None and not spot.owner and spot.which != "other":
            own = self._latest.get(spot.place)
            if said and (own is None or own.called != spot.place):
                own = self._plain.get(spot.place)
        if own is None:
            self._latest.pop(spot.place, None)
        else:
            self._latest[spot.place] = own
        return own
