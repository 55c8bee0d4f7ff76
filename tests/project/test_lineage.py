"""Laws of what belongs to a panel: it stays with it through every edit, and comes to nobody else."""

import hashlib
import random
from dataclasses import dataclass, replace

import numpy as np
import pytest
from PIL import Image

from anystory.project.folder import KEPT, Project
from anystory.project.lineage import lineage, renamed, renames
from anystory.story.model import BACKGROUND, CastMember, Frame, Panel, RoutingMaps, Script, Settings, Story
from anystory.story.model import Line as Said
from anystory.story.steering import Layout, Place, Steering
from tests import stories

SETTINGS = Settings(size=64)


def panels(*prompts):
    return [Panel(prompt) for prompt in prompts]


@pytest.mark.parametrize(
    ("before", "now", "found"),
    [
        ("abc", "abc", [0, 1, 2]),
        ("abc", "bc", [1, 2]),
        ("abc", "xabc", [None, 0, 1, 2]),
        ("abc", "cab", [2, 0, 1]),
        ("aab", "ab", [1, 2]),
        ("abcdef", "fedcba", [5, 4, 3, 2, 1, 0]),
        ("", "a", [None]),
        ("a", "", []),
    ],
)
def test_panels_that_are_alike_are_found_wherever_they_went(before, now, found):
    said = {letter: f"{letter * 3} {letter * 4} {letter * 5}" for letter in "abcdefx"}
    place = lineage(panels(*(said[c] for c in before)), panels(*(said[c] for c in now)))
    assert place == found or (before, now, place) == ("aab", "ab", [0, 2])


def test_an_edited_panel_is_found_between_those_that_stayed():
    before = panels("Mia wakes up early", "Mia eats an apple", "Mia walks to school", "小狐在花园里散步")
    now = panels("Mia wakes up late", "Tom is not here", "Mia walks home from school", "小狐在花园里跑步")
    assert lineage(before, now) == [0, None, 2, 3]
    assert lineage(before, [now[3], *before[:3]]) == [3, 0, 1, 2]
    assert lineage(before, [replace(before[1], caption="Breakfast", seed=3), before[0]]) == [1, 0]


def test_a_panel_of_other_words_is_another_one():
    assert lineage(panels("Mia walks in the forest"), panels("Tom sits on the beach")) == [None]


def test_renamed_characters_are_known_by_their_looks_or_their_places():
    assert renames({"Mia": "1", "Tom": "2"}, {"Tom": "2", "Anna": "1"}) == {"Mia": "Anna"}
    assert renames({"Mia": "", "Tom": "2"}, {"Anna": "", "Tom": "2"}) == {"Mia": "Anna"}
    assert renames({"Mia": "1", "Tom": "2"}, {"Zoe": "3", "Tom": "2"}) == {}
    was, now = [Panel("Mia naps", ("Mia",))], [Panel("Anna naps", ("Anna",))]
    assert lineage(was, now, {"Mia": "Anna"}) == [0]
    both = renamed(Panel("Tomorrow Mia and Tom nap", ("Mia", "Tom")), {"Mia": "Tom Lee", "Tom": "Ben"})
    assert (both.prompt, both.cast) == ("Tomorrow Tom Lee and Ben nap", ("Tom Lee", "Ben"))
    place = Layout((Place("Mia", (0, 0, 0.5, 1)),))
    told = Panel("Mia naps", ("Mia",), dialogue=(Said("Mia", "Tom?"),), steering=Steering(place, (("Mia", 2),)))
    called = Panel("Ann naps", ("Ann",), "", (Said("Ann", "Tom?"),))
    called = replace(called, steering=Steering(Layout((replace(place.places[0], name="Ann"),)), (("Ann", 2),)))
    assert renamed(told, {"Mia": "Ann"}) == called
    assert renamed(Panel("小明走路", ("小明",)), {"小明": "小红"}).prompt == "小红走路"


# Random edits, against a model of what belongs to whom.


@dataclass(frozen=True)
class Line:
    """A line of the model's script: whose it is, which no edit changes, and what stands in it by the first names."""

    whose: int
    said: tuple[str, ...]
    cast: tuple[str, ...]

    @property
    def key(self):
        return hashlib.sha256(" ".join((*self.said, *self.cast)).encode()).hexdigest()


class Model:
    """A script that is edited, and who was shown what: written for the truth, with identities that no file has."""

    def __init__(self, folder, rng):
        self.folder, self.rng = folder, rng
        self.names = {name: name for name in ("Fox", "Owl")}  # as they are called by now
        self.lines, self.undone = [], []  # as they are, and as they were before each edit
        self.made: dict[int, tuple[int, str]] = {}  # a frame's seed: whose it is, and for which key
        self.pinned: dict[int, int] = {}  # whose panel: the frame
        self.count = 0
        for _ in range(4):
            self.insert()

    def word(self):
        return "".join(self.rng.choices("bdfgklmnprst", k=7))

    def insert(self):
        self.count += 1
        cast = tuple(name for name in ("Fox", "Owl") if self.rng.random() < 0.5)
        line = Line(self.count, tuple(self.word() for _ in range(6)), cast)
        self.lines.insert(self.rng.randint(0, len(self.lines)), line)

    def delete(self):
        if len(self.lines) > 1:
            self.lines.pop(self.rng.randrange(len(self.lines)))

    def move(self):
        line = self.lines.pop(self.rng.randrange(len(self.lines)))
        self.lines.insert(self.rng.randint(0, len(self.lines)), line)

    def edit(self):
        place = self.rng.randrange(len(self.lines))
        said = list(self.lines[place].said)
        said[self.rng.randrange(len(said))] = self.word()
        self.lines[place] = replace(self.lines[place], said=tuple(said))

    def rename(self):
        self.names[self.rng.choice(["Fox", "Owl"])] = self.word().title()

    def change(self):
        how = self.rng.choice(["insert", "delete", "move", "edit", "edit", "rename", "undo", "undo"])
        if how != "undo":
            self.undone.append(list(self.lines))
            getattr(self, how)()
        elif self.undone:
            self.lines = self.undone.pop()

    def story(self):
        made = [
            Panel(" ".join((*line.said, *(self.names[name] for name in line.cast))), self.cast(line))
            for line in self.lines
        ]
        cast = tuple(CastMember(called) for called in self.names.values())
        subjects = tuple(replace(stories.subject(name, 16), name=called) for name, called in self.names.items())
        return Story(Script(tuple(made), cast), subjects, SETTINGS)

    def cast(self, line):
        return tuple(self.names[name] for name in line.cast)

    def begin(self):
        project = Project(self.folder)
        names = [(*self.cast(line), BACKGROUND) for line in self.lines]
        project.begin(self.story(), [line.key for line in self.lines], names, "mini", "1")
        return project

    def frame(self, line):
        seed = len(self.made) + 1
        self.made[seed] = line.whose, line.key
        names = (*self.cast(line), BACKGROUND)
        picture = Image.new("RGB", (8, 8), (seed % 256, seed // 256, 0))
        return Frame(picture, RoutingMaps(names, np.full((len(names), 4, 4), 1 / len(names), np.float32)), seed)

    def render(self, project, number):
        line = self.lines[number - 1]
        if project.finished(number, line.key) is None:
            project.save(number, self.frame(line), line.key, "", SETTINGS)

    def check(self, begun=False):
        project = Project(self.folder)
        for number, line in enumerate(self.lines, 1):
            listed = [*project.history_of(number), *filter(None, [project.entries.get(number)])]
            for entry in listed:
                whose, key = self.made[entry.seed]
                assert whose == line.whose or key == line.key, f"panel {number} has another panel's frame"
            if number in project.entries:
                frame = project.frame(number)
                assert frame.image.getpixel((0, 0))[:2] == (frame.seed % 256, frame.seed // 256)
            if line.whose in self.pinned:
                entry = project.entries[number]
                assert entry.pinned and entry.seed == self.pinned[line.whose], f"panel {number} lost its pin"
            elif number in project.entries:
                assert not project.entries[number].pinned
            if begun and line.whose not in self.pinned and (line.whose, line.key) in self.made.values():
                finished = project.finished(number, line.key)
                assert finished is not None, f"panel {number} lost a frame that it wants"
                assert self.made[finished.seed][1] == line.key
        pictures = {path.name for path in (self.folder / "frames").glob("*.png")}
        assert pictures == {entry.image.removeprefix("frames/") for entry in project.entries.values()}


@pytest.mark.parametrize("seed", range(8))
def test_frames_stay_with_their_panels_through_random_edits(tmp_path, seed):
    model = Model(tmp_path, random.Random(seed))
    for _ in range(30):
        project = model.begin()
        model.check(begun=True)
        other = model.begin()  # another program with the same story
        for number, line in enumerate(model.lines, 1):
            if model.rng.random() < 0.6:
                model.render(model.rng.choice([project, other]), number)
            if number in project.entries and model.rng.random() < 0.1:
                if model.pinned.pop(line.whose, None) is None:
                    model.pinned[line.whose] = Project(tmp_path).entries[number].seed
                other.pin(number, line.whose in model.pinned)
        model.check()
        model.change()
    assert all(len(project.history_of(number)) <= KEPT for number in range(1, len(model.lines) + 1))
