import itertools
from pathlib import Path

import pytest
import yaml
from PIL import Image

from anystory.story.english import indefinite, is_plural_noun
from anystory.story.model import CastMember, Panel, Subject
from anystory.story.prompt import NameMention, compose, find_names, portrait, rename


def found(text, *names):
    mentions = find_names(text, names)
    for mention in mentions:  # the span is the name, whatever its case
        assert text[mention.start : mention.end].casefold().replace("’", "'").split() == (
            mention.name.casefold().replace("’", "'").split()
        )
    return [mention.name for mention in mentions]


def sentence(prompt, cast, style=""):
    """The composed text for a cast given as {name: description}; its spans are checked to lie in it."""
    result = compose(Panel(prompt), [CastMember(name, description=words) for name, words in cast.items()], style)
    assert len(result.mentions) == len(cast)
    for start, end in result.mentions:
        assert 0 <= start < end <= len(result.text) and result.text[start:end] == result.text[start:end].strip()
    assert len({start for start, _ in result.mentions}) == len(cast)
    return result.text


# --- names --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["Tom runs", "see Tom", "Tom", "Tom's hat", "Tom’s hat", "(Tom)", "Tom, run!", "“Tom”", "Tom-", "mia—Tom—zoe"],
)
def test_a_name_is_found_as_a_whole_word(text):
    assert found(text, "Tom") == ["Tom"]


@pytest.mark.parametrize("text", ["Tomato", "atom", "Tom2", "Tom_", "Tom-Lee", "Ann-Tom", "Tomé", "Tome\u0301", "T om"])
def test_a_name_inside_another_word_is_not_found(text):
    assert found(text, "Tom") == []


def test_mentions_come_in_reading_order_and_repeat():
    assert find_names("Tom and Mia and Tom", ["Mia", "Tom"]) == [
        NameMention("Tom", 0, 3),
        NameMention("Mia", 8, 11),
        NameMention("Tom", 16, 19),
    ]
    assert find_names("", ["Mia"]) == [] and find_names("Mia", []) == []


def test_long_names_come_first_and_never_overlap():
    assert found("Mia Lu meets Mia", "Mia", "Mia Lu", "Lu") == ["Mia Lu", "Mia"]
    assert found("Mia \n Lu waves", "Mia Lu") == ["Mia Lu"]


@pytest.mark.parametrize(
    ("text", "name", "times"),
    [
        ("mia and MIA", "Mia", 2),
        ("Bear sees a bear", "Bear", 1),
        ("the bear sleeps", "Bear", 1),
        ("it will rain on Will", "Will", 1),
        ("it will rain", "Will", 0),
        ("a rose for ROSE", "Rose", 1),
        ("a rose", "rose", 0),
        ("a dance with A", "A", 1),
        ("zoË", "Zoë", 1),
        ("O’Neil and o'neil", "O'Neil", 1),
        ("R2-D2 rolls", "R2-D2", 1),
        ("R2-D2 rolls", "R2", 0),
        ("Dr. No (Jr.) waits", "Dr. No (Jr.)", 1),
        ("a+b", "a.b", 0),
    ],
)
def test_case_and_marks(text, name, times):
    assert found(text, name) == [name] * times


@pytest.mark.parametrize(
    ("text", "name", "times"),
    [
        ("小明在森林里", "小明", 1),
        ("我看见小明和小红", "小明", 1),
        ("Tom在森林里", "Tom", 1),
        ("Tomás在森林里", "Tom", 0),
        ("明天下雨", "明", 0),
        ("明, 你好", "明", 1),
        ("看见 明 了", "明", 1),
        ("トムは走る", "トム", 1),
        ("トムソンは走る", "トム", 0),
        ("アトムは走る", "トム", 0),
        ("さくらが歩く", "さくら", 1),
        ("민수가 달린다", "민수", 1),
        ("우리나라가", "나라", 0),
        ("สมชายเดิน", "สมชาย", 1),
        ("Мария бежит", "мария", 1),
        ("Мариям", "Мария", 0),
        ("राम चला", "राम", 1),
        ("रामा चला", "राम", 0),
    ],
)
def test_names_in_other_scripts(text, name, times):
    assert found(text, name) == [name] * times


# --- sentences ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prompt", "cast", "text"),
    [
        ("Mia walks in the forest", {"Mia": "small fox"}, "a small fox walks in the forest"),
        ("Mia walks", {"Mia": ""}, "a character walks"),
        ("Mia meets Tom", {"Mia": "", "Tom": ""}, "a character meets another character"),
        ("Tom meets Mia", {"Mia": "", "Tom": ""}, "a character meets another character"),
        ("A, B and C", {"A": "", "B": "", "C": ""}, "a character, another character and a third character"),
        ("Mia runs. Mia falls.", {"Mia": "small fox"}, "a small fox runs. the small fox falls"),
        ("Mia sees Tom, Tom sees Mia", {"Mia": "", "Tom": ""}, "a character sees another character, "
         "the other character sees the character"),
        ("A B C A B C", {"A": "owl", "B": "owl", "C": "owl"},
         "an owl another owl a third owl the owl the other owl the third owl"),
        ("Mia's hat", {"Mia": "small fox"}, "a small fox's hat"),
        ("James' hat", {"James": "boy"}, "a boy's hat"),
        ("James’ hat and James's cat", {"James": "boy"}, "a boy’s hat and the boy's cat"),
        ("'Mia' says", {"Mia": "fox"}, "'a fox' says"),
        ("the Mia and a Tom", {"Mia": "fox", "Tom": "the king"}, "a fox and the king"),
        ("The Bear sleeps", {"Bear": "brown bear"}, "a brown bear sleeps"),
        ("walking in the forest", {"Mia": "fox", "Tom": ""}, "a fox and a character, walking in the forest"),
        ("a dance", {"A": "fox", "B": "owl", "C": "cat"}, "a fox, an owl and a cat, a dance"),
        ("Tom sleeps", {"Mia": "fox", "Tom": "boy"}, "a fox, a boy sleeps"),
        ("Tom sleeps", {"Mia": "", "Tom": ""}, "a character, another character sleeps"),
        ("", {"Mia": "fox"}, "a fox"),
        ("an empty beach", {}, "an empty beach"),
        ("Tomato soup for mia", {"Mia": "fox", "Tom": "boy"}, "a boy, Tomato soup for a fox"),
    ],
)  # fmt: skip
def test_names_become_what_they_look_like(prompt, cast, text):
    assert sentence(prompt, cast) == text


@pytest.mark.parametrize(
    ("description", "text"),
    [
        ("A small fox.", "a small fox walks"),
        ("owl", "an owl walks"),
        ("a owl", "an owl walks"),
        ("Red haired girl", "a red haired girl walks"),
        ("LEGO man", "a LEGO man walks"),
        ("the old king", "the old king walks"),
        ("my dog Rex", "my dog Rex walks"),
        ("Mia's brother", "Mia's brother walks"),
        ("two kids", "two kids walks"),
        ("3 mice", "3 mice walks"),
        ("unicorn", "a unicorn walks"),
        ("unimpressed cat", "an unimpressed cat walks"),
        ("hourglass", "an hourglass walks"),
        ("ufo", "a ufo walks"),
        ("one-eyed pirate", "a one-eyed pirate walks"),
        ("European hare", "a European hare walks"),
        ("a", "an a walks"),
        ("  grey \n  cat ,", "a grey cat walks"),
        ("fox, wearing a scarf", "a fox, wearing a scarf, walks"),
        ("红色的狐狸", "红色的狐狸 walks"),
        ("Élan", "an élan walks"),
    ],
)
def test_descriptions_get_the_article_they_need(description, text):
    assert sentence("Zed walks", {"Zed": description}) == text


def test_a_later_mention_is_short_unless_that_confuses():
    scarf = {"Mia": "girl in a red coat"}
    assert sentence("Mia runs, Mia jumps", scarf) == "a girl in a red coat runs, the girl jumps"
    coats = {"Mia": "girl in a red coat", "Tom": "girl in a blue coat"}
    assert sentence("Mia and Tom. Mia jumps", coats) == (
        "a girl in a red coat and a girl in a blue coat. the girl in a red coat jumps"
    )
    assert sentence("Rex! Rex!", {"Rex": "the dog with one ear"}) == "the dog with one ear! the dog!"
    assert sentence("Rex! Rex!", {"Rex": "my dog"}) == "my dog! my dog!"


def test_a_description_with_a_comma_is_closed_only_where_words_go_on():
    cast = {"Mia": "fox, grey"}
    assert sentence("Mia, at home", cast) == "a fox, grey, at home"
    assert sentence("Mia's home", cast) == "a fox, grey, the fox's home"
    assert sentence("see Mia", cast) == "see a fox, grey"


@pytest.mark.parametrize(
    ("prompt", "style", "text"),
    [
        ("Mia walks", "watercolour", "a fox walks, watercolour style"),
        ("Mia walks.", "watercolour style", "a fox walks, watercolour style"),
        ("Mia walks!", " Comic  book. ", "a fox walks, Comic book style"),
        ("Mia walks", "oil painting", "a fox walks, oil painting"),
        ("Mia walks", "soft light, thick paper", "a fox walks, soft light, thick paper"),
        ("Mia walks!", "  ", "a fox walks!"),
    ],
)
def test_style_comes_last(prompt, style, text):
    assert sentence(prompt, {"Mia": "fox"}, style) == text


def test_style_alone():
    assert compose(Panel(""), [], "ink").text == "ink style"


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("  Mia\n  walks ,, slowly , home .", "a fox walks, slowly, home"),
        (", Mia walks , ", "a fox walks"),
        ("Mia waits... and waits...", "a fox waits... and waits"),
        ("Mia is 0 .5 m tall", "a fox is 0 .5 m tall"),
    ],
)
def test_spaces_and_marks_are_tidied(prompt, text):
    assert sentence(prompt, {"Mia": "fox"}) == text


def test_scripts_without_spaces_are_kept_apart_from_latin_words():
    assert sentence("小明在森林里", {"小明": "fox"}) == "a fox 在森林里"
    assert sentence("看见小明了", {"小明": "fox"}) == "看见 a fox 了"
    assert sentence("小明在森林里", {"小明": "红狐狸"}) == "红狐狸在森林里"


def test_mentions_are_the_spans_of_the_first_words_for_each_subject_in_the_panels_order():
    subjects = [CastMember(name, description=words) for name, words in (("A", "fox"), ("B", ""), ("C", "owl"))]
    result = compose(Panel("C sees B. C and B sit"), subjects, "ink")
    assert result.text == "a fox, an owl sees a character. the owl and the character sit, ink style"
    assert [result.text[start:end] for start, end in result.mentions] == ["a fox", "a character", "an owl"]
    assert result.mentions == ((0, 5), (19, 30), (7, 13))


def test_names_in_either_unicode_form_are_replaced():
    assert compose(Panel("Zoe\u0308 runs"), [CastMember("Zoë", description="cat")]).text == "a cat runs"


def test_a_description_that_contains_a_name_is_not_replaced_again():
    assert (
        sentence("Mia and Tom", {"Mia": "fox like Tom", "Tom": "boy like Mia"}) == "a fox like Tom and a boy like Mia"
    )


def test_subjects_serve_as_well_as_cast_members_and_nothing_changes_them():
    subject = Subject("Mia", Image.new("RGB", (4, 4)), Image.new("L", (4, 4)), "small fox")
    panel = Panel("Mia runs", ("Mia",))
    assert (
        compose(panel, [subject])
        == compose(panel, [subject])
        == compose(panel, [CastMember("Mia", description="small fox")])
    )


def test_the_order_of_subjects_changes_no_word_where_all_are_named():
    cast = [CastMember("A", description="fox"), CastMember("B"), CastMember("C", description="fox")]
    results = [compose(Panel("C, A and B; A again"), list(order)) for order in itertools.permutations(cast)]
    assert {result.text for result in results} == {"a fox, another fox and a character; the other fox again"}
    assert {frozenset(result.mentions) for result in results} == {frozenset(results[0].mentions)}


# --- several sentences, other names, portraits --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("description", "text"),
    [
        ("A small rabbit with chestnut fur. His face is curious.", "a small rabbit with chestnut fur walks"),
        ("一只小兔子。他很好奇。", "一只小兔子 walks"),
        ("a Mr. Fox of St. Ives", "a Mr. Fox of St. Ives walks"),
        ("a dog, e.g. a pug", "a dog, e.g. a pug, walks"),
    ],
)
def test_of_several_sentences_the_first_stands_for_the_name(description, text):
    assert sentence("Zed walks", {"Zed": description}) == text


@pytest.mark.parametrize(
    ("description", "style", "text"),
    [
        ("A small fox.", "", "a small fox"),
        ("A rabbit. His face is curious!", "", "a rabbit. His face is curious"),
        ("owl", "", "an owl"),
        ("红色的狐狸。", "", "红色的狐狸"),
    ],
)
def test_a_portrait_is_the_whole_description_on_a_plain_ground(description, style, text):
    ground = ", the whole figure in the middle, on a plain white background"
    assert portrait(description).text == text + ground and portrait(description).mentions == ()
    assert portrait(description, "ink").text == text + ground + ", ink style"
    assert portrait(description, "a print of {prompt}, in blue").text == f"a print of {text}{ground}, in blue"


def test_names_of_others_are_left_whole():
    cast = [CastMember("Mia", description="fox")]
    assert compose(Panel("Mia waits for Mia Lu"), cast, others=["Mia Lu", "Mia"]).text == "a fox waits for Mia Lu"
    assert (
        compose(Panel("小明和小明明"), [CastMember("小明", description="fox")], others=["小明明"]).text
        == "a fox 和小明明"
    )


@pytest.mark.parametrize("turn", [1, -1])
def test_renaming(turn):
    names = dict([("A", "Mia"), ("AB", "Tom"), ("小", "Zoë"), ("小小", "王")][::turn])
    assert rename("A and AB, a-A. ABA", names) == "Mia and Tom, a-A. ABA"
    assert rename("看见小小走", names) == "看见 王 走" and rename("小，小猫", names) == "Zoë，小猫"
    assert rename("A sees A", {"A": "A B"}) == "A B sees A B" and rename("nothing", {}) == "nothing"


PROMPTS = yaml.safe_load((Path(__file__).parent.parent / "data" / "prompts.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("prompt", "words", "text"),
    [
        ("An 8-year-old Zed walks", "girl in red", "an 8-year-old girl in red walks"),
        ("a 5-year-old Zed walks", "girl", "a 5-year-old girl walks"),
        ("Poor old Zed falls", "an old owl", "a poor old owl falls"),
        ("A very old Zed falls", "an old owl", "a very old old owl falls"),
        ("Zed walks", "Zed is a small fox.", "a small fox walks"),
        ("Zed walks", "She is an elf", "an elf walks"),
        ("Zed walks", "the fox is a spy", "the fox is a spy walks"),
        ("Zed walks", "This is the last unicorn", "the last unicorn walks"),
    ],
)
def test_what_is_said_twice_or_in_a_sentence_of_its_own(prompt, words, text):
    assert sentence(prompt, {"Zed": words}) == text


@pytest.mark.parametrize(
    ("noun", "phrase"),
    [
        *((noun, f"a {noun}") for noun in ("oneness", "oui", "urethane tube", "uterus", "Ewing", "hmm", "Mr. Fox")),
        *((noun, f"an {noun}") for noun in ("Ewok", "unissued ticket", "onerous task", "html page", "xbox", "nth one")),
    ],
)
def test_articles_by_sound(noun, phrase):
    assert f"{indefinite(noun)} {noun}" == phrase


@pytest.mark.parametrize(
    "noun",
    "cacti teeth lice passers-by sisters-in-law photos kangaroos menus taxis cattle vertebrae heroes".split(),  # noqa: SIM905
)
def test_plurals(noun):
    assert is_plural_noun(noun)


@pytest.mark.parametrize("noun", "news cyclops rhinoceros chaos virus oasis Ulysses dress series walrus Texas".split())  # noqa: SIM905
def test_singulars_that_end_in_s(noun):
    assert not is_plural_noun(noun)


@pytest.mark.parametrize("line", itertools.chain(*PROMPTS.values()), ids=lambda line: line[2][:60])
def test_sentences_as_a_person_would_write_them(line):
    prompt, cast, text = line
    assert sentence(prompt, cast) == text
