"""What a noun phrase of a line may mean, from the phrase itself to its bare head, in English, Chinese and Spanish.

readings("two old apple trees", "en")  →  "two old apple trees", "two old apple tree", "old apple tree", …, "tree"
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from anystory.sketch.language.traditional import simplified

_CHINESE = re.compile(r"[㐀-鿿]")
_MARKS = re.compile(r"[^\w'’·]+")
_ACCENTS = str.maketrans("áéíóúüàèìòùâêîôûäëï", "aeiouuaeiouaeiouaei")


def _words(text: str, separator: str | None = None) -> frozenset[str]:
    return frozenset(word.strip() for word in text.split(separator))


_ENGLISH_ARTICLES = _words(
    """
    a an the this that these those some any my your his her its our their another other one two three four five six
    seven eight nine ten eleven twelve many several few both each every no
    """
)
# From here on an English phrase no longer says what the thing is.
_AFTER_HEAD = _words(
    """
    with in on under over of by from at to near behind beside into onto like next outside inside above below
    beneath between among around along across through against toward towards that who which for without and or full
    made holding wearing carrying riding sitting standing lying walking running playing sleeping dancing
    """
)
_PARTS_OF = _words(
    """
    piece slice bit pair couple bunch group herd flock pack swarm school crowd lot number kind sort set row
    pile heap handful dozen chunk scrap stack cluster team family
    """
)
_PLURALS = {
    "mice": "mouse", "geese": "goose", "men": "man", "women": "woman", "children": "child", "feet": "foot",
    "teeth": "tooth", "people": "person", "oxen": "ox", "wolves": "wolf", "leaves": "leaf", "knives": "knife",
    "loaves": "loaf", "scarves": "scarf", "calves": "calf", "elves": "elf", "dwarves": "dwarf", "shelves": "shelf",
    "thieves": "thief", "halves": "half", "dice": "die", "cacti": "cactus", "fungi": "fungus", "octopi": "octopus",
    "hooves": "hoof", "wives": "wife",
}  # fmt: skip

_SPANISH_ARTICLES = _words(
    """
    un una unos unas el la los las lo mi mis tu tus su sus nuestro nuestra este esta estos estas ese esa esos esas
    aquel aquella otro otra otros otras algun alguna algunos algunas dos tres cuatro cinco seis siete ocho nueve
    diez doce muchos muchas varios varias ambos cada
    """
)
_SPANISH_LINKS = _words(
    """
    de del con en sin para que y o a al sobre bajo por
    """
)
_BEFORE_NOUN = _words(
    """
    pequeño gran grande viejo joven buen bueno mal malo hermoso bonito lindo bello precioso pobre feroz enorme
    gigante diminuto nuevo antiguo largo alto bajo gordo dulce tierno valiente travieso simpatico amable querido
    timido rojo azul verde amarillo blanco negro unico mismo primer primero ultimo segundo
    """
)
_SPANISH_PARTS = _words(
    """
    trozo pedazo rebanada par monton grupo rebaño bandada puñado fila docena manada pila porcion
    """
)

_COUNTED = re.compile(
    "^(?:[一二两三四五六七八九十百几数每这那某半双整\\d]+|许多|很多|好多|好几|一些|几)"
    "(?:只|个|条|头|匹|朵|棵|辆|艘|座|把|张|本|件|双|对|杯|碗|盘|块|片|根|颗|串|束|台|架|群|位|名|顶|间|栋|幅|副|扇|支|枝|瓶|盒|袋|包|粒|滴|团|堆|道|面|盏|套|株|枚|口|所)?"
)
_CHINESE_BEFORE = re.compile(
    "^(?:小小|大大|小|大|老|新|旧|胖|瘦|高|矮|长|短|圆|美丽|漂亮|可爱|勇敢|红色|橙色|黄色|绿色|蓝色|紫色|粉色|粉红色|棕色|褐色|黑色|白色|灰色|金色|银色|"
    "红|橙|黄|绿|蓝|紫|粉|棕|黑|白|灰|金|银|玩具|木头|木|年轻|年老|巨大|古老|神奇|魔法|野生|野)"
)
_CHINESE_TITLES = re.compile("(?:叔叔|阿姨|伯伯|爷爷|奶奶|先生|小姐|妈妈|爸爸|哥哥|姐姐|弟弟|妹妹|宝宝|大王)$")
"""Who is called by what it is: 警察叔叔 is a policeman, 熊猫宝宝 a panda."""

_CHINESE_HEADS = "树花草鱼鸟车船鞋门窗桥塔灯票"
"""One character that may be the head of what another noun says more closely: 苹果树 is a tree, 斑马线 no thread."""

NOT_THEIR_HEAD = _words(
    """
    star fish, sea urchin, sea cucumber, sea lion, prairie dog, gummy bear, jelly bean, flower bed, river bed,
    sea bed, oyster bed, boxing ring, key ring, onion ring, phone box, sand box, telephone box, power plant,
    violin bow, doll house, dolls house, doll's house, green house, steering wheel, water wheel, spinning wheel,
    unicorn horn, bull horn, goat horn, rhino horn, clothes horse, cat litter, search engine, ice rink,
    stained glass, shooting range, human being, horse chestnut, butter fly, lady bird, jelly fish, cuttle fish,
    silver fish, bed room, bath room, star sign, road map, night watch, death watch, ground floor, sun rise,
    rubber duck, monkey wrench, finger nail, toe nail, tea party, mail man, hair dryer, moon light, sun light,
    sleeping bag, tea bag, punching bag, egg shell, traffic jam, chess board, elephant trunk, elephant's trunk,
    cat food, dog food, horse shoe, hair brush, space station, gingerbread man, flower pot, paint pot, pot of gold,
    ant hill, mole hill, bird bath, snow globe, pig pen, play pen, hen house,
    music box, card house, house of cards, sea monster, star fruit, dragon fruit, candle stick, chicken coop,
    nose ring, saco de dormir, silla de montar, rayo de sol, rayo de luz, 棉花, 秘书, light year, book worm,
    glow worm, eye ball, meat ball, cannon ball, foot print, bow tie, head band, rubber band, milky way,
    pan flute, erizo de mar, oso hormiguero, gallina ciega, araña de cristal, cola de caballo, ojo de buey,
    nuez moscada, casa de muñecas, lobo marino, mesita de noche, tela de araña, 斑马线, 娃娃屋, 海胆, 食蚁兽
    """,
    ",",
)
"""What is no kind of what its head says, and so nothing that the head's drawing shows."""


def is_chinese(words: str) -> bool:
    return bool(_CHINESE.search(words))


def looks_spanish(words: str) -> bool:
    """Whether an article, a link or a letter of a phrase is of Spanish and not of English."""
    tokens = set(unaccented(key(words)).split()) - {"a", "no"}
    return "ñ" in words or bool(tokens & (_SPANISH_ARTICLES | _SPANISH_LINKS))


def key(words: str) -> str:
    """A name as it is looked up: lower case, without hyphens and stray marks."""
    if not words.isascii():
        words = simplified(unicodedata.normalize("NFKC", words))
    text = words.casefold()
    return text if text.isalnum() else _MARKS.sub(" ", text).replace("’", "'").strip()


def unaccented(phrase: str) -> str:
    """A key without its accents: "leon", which is what is left of "león" in "leones". ñ is a letter and stays."""
    return phrase.translate(_ACCENTS)


def forms(phrase: str, language: str) -> Iterator[str]:
    """A phrase (see `key`) and what it may be a form of: its singular, its masculine and its diminutive's noun."""
    yield phrase
    if language == "en":
        *before, last = phrase.split(" ")
        yield from (" ".join([*before, word]) for word in _english_singulars(last))
    elif language == "es":
        seen = {phrase}
        for change in (_spanish_singular, _masculine, _whole_sized, unaccented):
            changed = {" ".join(map(change, text.split(" "))) for text in sorted(seen)} - seen
            yield from sorted(changed)
            seen |= changed


def readings(words: str, language: str) -> Iterator[str]:
    """What `words` may say, from the phrase to its head alone. Ends where the rest would be something else: a sea
    horse is no horse."""
    phrases = {"en": _english, "zh": _chinese, "es": _spanish}[language]
    for phrase in phrases(key(words)):
        for form in forms(phrase, language):
            yield form
            if form in _NOT_KEYS:
                return


def says_another_thing(words: str) -> bool:
    """Whether one of `NOT_THEIR_HEAD` is among the words."""
    return any(f" {phrase} " in f" {key(words)} " for phrase in _NOT_KEYS)


def outright(words: str, language: str) -> Iterator[str]:
    """What `words` say as they stand, with and without articles and numbers."""
    phrase = key(words)
    for whole in dict.fromkeys((phrase, _bare(phrase, language))):
        yield from forms(whole, language)


def _bare(phrase: str, language: str) -> str:
    """A phrase without the articles and numbers before its noun."""
    if language == "zh":
        text = phrase.replace(" ", "")
        return _COUNTED.sub("", text) or text
    articles = _ENGLISH_ARTICLES if language == "en" else _SPANISH_ARTICLES
    tokens = phrase.split()
    while len(tokens) > 1 and unaccented(tokens[0]) in articles:
        tokens = tokens[1:]
    return " ".join(tokens)


def _english(phrase: str) -> Iterator[str]:
    tokens = _bare(phrase, "en").split()
    end = next((i for i, token in enumerate(tokens) if i and token in _AFTER_HEAD), len(tokens))
    if end + 1 < len(tokens) and tokens[end] == "of" and tokens[end - 1].removesuffix("s") in _PARTS_OF:
        yield from _english(" ".join(tokens[end + 1 :]))
        return
    for start in range(end):
        yield " ".join(tokens[start:end])


def _spanish(phrase: str) -> Iterator[str]:
    tokens = _bare(phrase, "es").split()
    if len(tokens) > 2 and tokens[1] == "de" and unaccented(_spanish_singular(tokens[0])) in _SPANISH_PARTS:
        yield from _spanish(" ".join(tokens[2:]))
        return
    while len(tokens) > 1 and _masculine(_spanish_singular(unaccented(tokens[0]))) in _BEFORE_NOUN:
        tokens = tokens[1:]
    for end in range(len(tokens), 0, -1):
        yield " ".join(tokens[:end])


def _chinese(phrase: str) -> Iterator[str]:
    text = _bare(phrase, "zh")
    head = text.rsplit("的", 1)[-1] or text
    head = _COUNTED.sub("", head) or head
    for shorter in (text, head):
        yield shorter
        while len(rest := _CHINESE_BEFORE.sub("", shorter)) and rest != shorter:
            yield (shorter := rest)
    if titled := _CHINESE_TITLES.sub("", head):
        yield titled
        yield _CHINESE_BEFORE.sub("", titled) or titled
    for start in range(1, len(head) - 1):
        yield head[start:]
    if len(head) > 2 and head[-1] in _CHINESE_HEADS:
        yield head[-1]


def _english_singulars(word: str) -> Iterator[str]:
    if word in _PLURALS:
        yield _PLURALS[word]
    for end in ("women", "men"):
        if word.endswith(end) and word != end:
            yield word[:-2] + "an"
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        if word.endswith("ies"):
            yield word[:-3] + "y"
        elif word.endswith(("ches", "shes", "sses", "xes", "zes", "oes", "ses")):
            yield word[:-2]
        yield word[:-1]


def _spanish_singular(word: str) -> str:
    if len(word) < 4 or not word.endswith("s"):
        return word
    if word.endswith("ces"):
        return word[:-3] + "z"
    if word.endswith("es") and word[-3] in "lnrdsy":
        return word[:-2]
    return word[:-1]


def _masculine(word: str) -> str:
    return word[:-1] + "o" if len(word) > 3 and word.endswith("a") else word


def _whole_sized(word: str) -> str:
    """The noun a diminutive is made of: perrito, perro; leoncito, leon."""
    for end, noun in (("cito", ""), ("cita", ""), ("ito", "o"), ("ita", "a")):
        if len(word) > len(end) + 2 and word.endswith(end):
            return word[: -len(end)] + noun
    return word


_NOT_KEYS = frozenset(map(key, NOT_THEIR_HEAD))
