"""Texts people paste: numbered and bulleted lines, Markdown, a chat model's answer around the panels, a fenced block.

Nothing is moved: what is left out is blanked or skipped, so that every place stays that of the text as it came, and
all that had words is listed.
"""

from __future__ import annotations

import html
import itertools
import re
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Literal

from anystory.errors import Message
from anystory.script.escapes import unquoted
from anystory.script.form import NEWLINE, LeftOut, Span, place
from anystory.script.imports.sheet import column, is_nothing
from anystory.story.names import folded
from anystory.story.prompt import find_names

Role = Literal["", "panel", "more", "prompt", "camera", "caption", "dialogue", "title", "member", "said"]
"""What a line is: as plain text has it, marked as a panel, a part of the panel above, the title, one of the cast, or
what one of the cast says in the panel above."""

_COUNTED = (
    "panel|prompt|frame|scene|shot|page|image|picture|cell|slide|step|viñeta|escena|cuadro|plano|imagen|página|toma|paso|bild|"
    "szene|seite|case|vignette|scène|planche|quadro|cena|vignetta|scena|кадр|сцена|панель"
)
_COUNTED_ZH = "分镜头?|分鏡頭?|镜头|鏡頭|画面|畫面|场景|場景|コマ|シーン|場面|컷|장면"
_DIGITS = r"(?:\d{1,3}|[一二三四五六七八九十]{1,3})"
_NUMBERS = (
    r"(?:\d{1,3}|one|two|three|four|five|six|seven|eight|nine|ten|uno|una|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|"
    r"diez|[ivx]{1,4})(?!\w)"
)

LABEL = (
    rf"(?:(?:{_COUNTED})\s*+(?:(?:no\.?|n\.?º|№|\#)\s*+)?{_NUMBERS}|(?:{_COUNTED_ZH})\s*{_DIGITS}"
    rf"|第?\s*{_DIGITS}\s*コマ目?|第\s*{_DIGITS}\s*[格幕镜鏡页頁张張幅场場])"
)
MARK = re.compile(
    rf"(?:\#{{2,6}}\s*+)?(?:\*\*|__)?\s*+(?:[\u2600-\u27bf\U0001f300-\U0001faff]\ufe0f?\s*+)?(?P<label>{LABEL})\s*+(?:(?:\*\*|__)\s*+)?"
    r"(?:[(（\[](?P<note>[^()（）\[\]\n]{1,60})[)）\]]\s*+(?:(?:\*\*|__)\s*+)?(?=[:：]|[-–—]\s|$))?(?:[:：.、)）]|[-–—](?=\s|$)|$)"
    r"\s*+(?:(?:\*\*|__)\s*+)?"
    r"|(?P<sub>\d{1,3}\.\d{1,3}[.)]?(?=\s))\s*"
    r"|(?:\*\*)?(?P<number>[(（]?\d{1,3}\s*[.)）、．]|\d{1,3}\s*[:：](?=\s)|\d{1,3}\s[-–—](?=\s)|\d\ufe0f?\u20e3|[①-⑳]"
    r"|[一二三四五六七八九十]{1,3}、)(?:\*\*)?(?!\d)\s*"
    r"|(?P<bullet>[-*+•·‣▪◦●○–→➜➤►✅✔☐☑★])\ufe0f?\s+(?:\[[ xX✓]\]\s+)?"
    r"|(?P<weak>\#\d{1,3}(?:[:.)]|(?=\s))|\[(?:\d{1,2}:)*\d{1,3}\]|\d{1,3}/\d{1,3}(?:[:.)]|(?=\s))|\d{1,3}(?=\t)|\(?[a-z]\)|[ivx]{1,4}[.)](?=\s))\s*",
    re.IGNORECASE,
)
"""What stands before a panel's words where panels are counted or listed; `weak` only if in two lines at least."""

CUE = re.compile(r"(?:\d{1,2}:)?\d{1,2}:\d{2}[.,]\d{1,3}\s*-->\s*.*")
"""When a subtitle is shown."""

SOUND = re.compile(r"(?:sfx|fx|sound(?: effects?)?|音效|sonidos?|efectos?(?: de sonido)?)\s*[:：]", re.IGNORECASE)

RULE = re.compile(r"[-*_=~–—\s]{3,}")
FIELD = re.compile(
    r"(?:[-*+•·]\s+)?(?:\*{1,2}|_{1,2})?(?P<word>[^\W\d_][^:：*_\n]{0,24}?)\s*"
    r"(?:[:：](?:\*{1,2}|_{1,2})|(?:\*{1,2}|_{1,2})\s*[:：]|[:：])\s*"
)
TITLE = re.compile(
    r"(?:\*\*(?:title|título|标题|標題)\s*(?:[:：]\s*\*\*|\*\*\s*[:：]|[:：](?=[^*]+\*\*$))|(?:título|标题|標題|タイトル)\s*[:：])\s*",
    re.IGNORECASE,
)
CAST = re.compile(
    r"(?:#+\s*)?(?:\*\*)?(?:(?:main )?(?:characters?|cast)|personajes|角色|人物|登場人物|キャラクター|등장인물"
    r"|personnages|figuren|personen|charaktere|personagens|personaggi|персонажи|الشخصيات|דמויות)\s*"
    r"(?:[:：]\s*(?:\*\*)?|\*\*\s*[:：]?)?$",
    re.IGNORECASE,
)
"""What people and chat models write above a list of the characters."""

MEMBER = re.compile(r"(?P<name>[^\W\d_][^:：,，.。!?\[\]#>]{0,39}?)\s*(?:[:：,，]|\s[-–—](?=\s))\s*(?P<words>\S.*)$")
"""One of the cast and a description, as in `Mia: a girl in a red coat` and `Mia, a girl`."""

LOOKS = re.compile(
    r"(?:an?|the|one|two|my|our|his|her|un|una|unos|unas|el|la|los|las|mi|dos)\s[^!?¡¿\"“”]*$|[一两这那我][^！？“”「」]*$",
    re.IGNORECASE,
)
"""A description that stands where nothing says that it is one."""

CALLED = re.compile(r"cast\s*[:：]\s*(?P<name>[^,，]+)", re.IGNORECASE)
"""One of the cast as plain text has it."""

STORY = re.compile(r"(?:title|style|segmenter|from_sketch|cast|image|mask|drawing)\s*[:：]\s*\S", re.IGNORECASE)
"""What the form of plain text has before the first panel."""

BOLD = re.compile(r"(?<!\\)\*\*(?=\S)((?:[^*\n]|\*(?!\*))+)(?<=\S)\*\*")
EMPHASIS = re.compile(r"([*_])(?=[^\s*_])([^*_\n]*)(?<=[^\s\\])\1")
"""A whole line in Markdown's single emphasis."""

CURLY = re.compile(
    r"(?P<before>(?:^[ \t]*|[:\-,\[{][ \t]+|[\[{]))(?:[“”„](?P<words>[^“”„\r\n]+)[“”]|[‘’‚](?P<single>[^‘’‚\r\n]+)[‘’])"
    r"(?=[ \t]*(?:[,\]}\r\n]|:[ \t\r\n]|\#|\Z))",
    re.MULTILINE,
)
"""Curly quotes that stand where YAML has straight ones."""

FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})[ \t]*(\w*)[^\r\n`]*$", re.MULTILINE)

DATA = ("json", "yaml", "yml")
"""Languages of a block that is no plain text."""

CHATTER = re.compile(
    r"(?:sure|certainly|of course|absolutely|great|here(?:['’]s| is| are)|below is|let me know|feel free|i hope|i can|"
    r"would you like|want (?:me|more|to)|shall i|should i|do you want|"
    r"hope this|if you(?:['’]d)? (?:want|like|need)|claro|por supuesto|espero que|avísame|"
    r"aquí (?:tienes|está|va)|si quieres|si deseas|¿quieres|¿te gustaría)\b|"
    r"当然|好的|以下是|这是|下面是|希望|如果(?:你|您)|需要我|請告訴|请告诉",
    re.IGNORECASE,
)
"""How a chat model begins what it says besides."""

SPEECH = re.compile(
    r"(?=[^:：「]{1,120}[:：「])(?P<who>[^:：>「]{1,80}?)\s*+(?:(?P<how>\([^()]*\)|（[^（）]*）)\s*+)?"
    r"(?:[:：]\s*+(?P<say>\S.*)|(?P<quoted>「[^「」]*」))$"
)
"""A line of dialogue as people write it: `Mia: Ready?`, `Tom (laughing): Not yet!`"""

HOW = Message("how something is said")
COUNTED_OUT = Message("not counted as a panel, as the others are")


@dataclass(frozen=True)
class Pasted:
    """A line of a text: where its words begin, the words as the text has them, and what it is."""

    start: int
    text: str
    role: Role = ""
    heading: bool = False  # of Markdown, or all in bold


def unfenced(text: str) -> tuple[str, str, tuple[LeftOut, ...]]:
    """A text with all but its fenced block blanked, the block's language ("" for none), and what is left out. Where
    several are, the first that is JSON or YAML counts, else all are kept."""
    blocks: list[tuple[str, Span, Span]] = []
    opened: re.Match[str] | None = None
    for fence in FENCE.finditer(text):
        if opened is None:
            opened = fence
        elif fence[1].startswith(opened[1]) and not fence[2]:
            blocks.append((opened[2].casefold(), (opened.start(), fence.end()), (opened.end(), fence.start())))
            opened = None
    if opened is not None:
        blocks.append((opened[2].casefold(), (opened.start(), len(text)), (opened.end(), len(text))))
    if not blocks:
        return text, "", ()
    data = [block for block in blocks if block[0] in DATA or text[slice(*block[2])].lstrip()[:1] == "{"]
    chosen = data[:1] or blocks
    blank, parts, at = _blank(text), list[str](), 0
    for _, _, (start, end) in chosen:
        parts += blank[at:start], text[start:end]
        at = end
    kept = "".join([*parts, blank[at:]])
    marks = {at for _, (start, end), (inner, stop) in blocks for at in (*range(start, inner), *range(stop, end))}
    left_out = [
        LeftOut((start, start + len(line)), Message("outside the block with the script"))
        for start, line in lines(text)
        if line and start not in marks and not kept[start : start + len(line)].strip()
    ]
    return kept, chosen[0][0] or "json" if data else "", tuple(left_out)


def pasted(text: str, known: Sequence[str] = ()) -> tuple[list[Pasted], tuple[LeftOut, ...]]:
    """The lines of plain text without marks of lists and of Markdown, and those that are no panels where panels are
    counted. `known` are the names of characters: a line that names one is kept."""
    found: list[Pasted] = []
    left_out: list[LeftOut] = []
    raw = _unquoted_block(_closed_up(lines(text)))
    marks = _marks(raw)
    nested = any(mark and _counts(mark) for mark in marks)  # 1.1 is of panel 1, if there is a 1
    counted = [index for index, mark in enumerate(marks) if mark and _counts(mark, nested)]
    chat = len(counted) > 1
    pages = _pages(raw, marks) if chat else set()
    if chat:
        raw = [_bared(start, line) if index > counted[0] else (start, line) for index, (start, line) in enumerate(raw)]
    first, last = (counted[0], counted[-1]) if chat else (len(raw), -1)
    around = {} if counted else _around_bullets(raw, marks, known)
    heading = next((index for index, role in around.items() if role == "title"), None)
    cast = _cast_list(raw, marks, known, heading)
    speakers = _speakers(raw, marks, cast, known)
    indents = [_indent(text, start) for (start, _), mark in zip(raw, marks, strict=True) if mark]
    if len(set(indents[1:])) == 1 and len(indents) > 2:
        indents[0] = max(indents[:2])  # copied from where its words begin, without what stands before them
    least = min(indents, default=0)
    told = set(re.findall(r"[^\W\d_]{2,}", " ".join(line for _, line in raw if ":" not in line and "：" not in line)))
    under: Role = ""  # of what part the lines below a label without words are
    body = False  # whether lines of the panel above may follow
    for index, (start, line) in enumerate(raw):
        mark, span = marks[index], (start, start + len(line))
        if index in cast:
            if cast[index] == "member":
                found.append(_cut(start, line, mark.end() if mark else 0, "member"))
            continue
        if index in around:
            if around[index] == "title":
                bare = unbold(line).rstrip(" :：")
                found.append(Pasted(start + max(line.find(bare), 0), bare, "title"))
            else:
                left_out.append(LeftOut(span, COUNTED_OUT, f"- {line}"))
            continue
        if RULE.fullmatch(line):
            under = ""
            continue
        if line.startswith("#") and not (mark and _counts(mark)):
            continue  # a remark
        following = raw[index + 1][1] if index + 1 < len(raw) else ""
        if CUE.fullmatch(line) or (index == 0 and line == "WEBVTT") or (line.isdecimal() and CUE.fullmatch(following)):
            left_out.append(LeftOut(span, Message("when a subtitle is shown")))
            continue
        inside = chat and first < index and line and not line.startswith(">")
        indented = start > 0 and text[start - 1] in " \t"
        deeper = mark is not None and bool(mark["bullet"]) and bool(found) and _indent(text, start) > least
        said = index > first if chat else bool(found)
        below = mark is not None and mark["sub"] and nested
        at = mark.end() if mark and below else 0
        speech = SPEECH.match(unbold(line[at:])) if said and speakers and (not mark or below) else None
        if speech and folded(speech["who"]) in speakers:
            found.append(_cut(start, line, at, "said"))
            left_out += _how(start, line)
            continue
        part = _part(line) if inside and (body or indented or not mark) else None
        chatter = index > last and CHATTER.match(line) and (not raw[index - 1][1] or RULE.fullmatch(raw[index - 1][1]))
        if index in pages:
            left_out.append(LeftOut(span, Message("a heading with no panel below it")))
        elif mark and _counts(mark, nested):
            heading = line.startswith("#") or (line.startswith("**") and line.endswith("**"))
            body = mark.end() == len(line) or bool(mark["label"] and heading)
            under = ""
            found.append(replace(_cut(start, line, mark.end(), "panel"), heading=heading))
            if mark["note"]:
                found.append(Pasted(start + mark.start("note"), mark["note"], "camera"))
        elif index < first and (title := TITLE.match(line)):
            found.append(_cut(start, line, title.end(), "title"))
        elif part:
            role, at = part
            under = role if at == len(line) else ""
            if not under and not (role in ("caption", "dialogue") and is_nothing(line[at:])):
                found.append(_cut(start, line, at, role))
                left_out += _how(start + at, line[at:]) if role == "dialogue" else ()
        elif under and inside and not chatter:
            found.append(_cut(start, line, mark.end() if mark else 0, under))
            left_out += _how(found[-1].start, found[-1].text) if under == "dialogue" else ()
        elif inside and not mark and (_is_quoted(line) or ((body or line.startswith("**")) and _is_spoken(line, told))):
            found.append(Pasted(start, line, "dialogue"))
            left_out += _how(start, line)
        elif inside and SOUND.match(unbold(line)):
            left_out.append(LeftOut(span, Message("a sound, which no picture shows"), f"- {line}"))
        elif inside and (body or below or (indented and raw[index - 1][1])):
            if chatter:
                left_out.append(LeftOut(span, COUNTED_OUT, f"- {line}"))
            else:
                found.append(_cut(start, line, mark.end() if mark else 0, "more"))
        elif mark:
            found.append(_cut(start, line, mark.end(), "more" if deeper else "panel"))
        elif chat and line and _beside(raw, index, first, last, known):
            left_out.append(LeftOut(span, COUNTED_OUT, f"- {line}"))
        else:
            found.append(Pasted(start, line))
    return _without_headings(found, left_out)


def _closed_up(raw: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """The lines with one empty line for every run of them: more say no more."""
    before = itertools.chain([(0, "a line")], raw)
    return [line for (_, above), line in zip(before, raw, strict=False) if above or line[1]]


def _indent(text: str, start: int) -> int:
    """How far from the beginning of its line something stands."""
    return place(text, start)[1] - 1


def _without_headings(found: list[Pasted], left_out: list[LeftOut]) -> tuple[list[Pasted], tuple[LeftOut, ...]]:
    """The lines without the names of pages above panels and of panels above their words, which are left out."""
    kept: list[Pasted] = []
    told = False  # whether the panel has words below
    for piece in reversed(found):
        words = unbold(piece.text).strip("*_ ")
        if piece.heading and told and _is_title(words):
            at = piece.start + max(piece.text.find(words), 0)
            left_out.append(LeftOut((at, at + len(words)), Message("the heading of a panel"), f"- {words}"))
            piece = replace(piece, text="")
        told = piece.role in ("prompt", "more") or (told and piece.role != "panel")
        kept.append(piece)
    return kept[::-1], tuple(sorted(left_out, key=lambda out: out.span))


def _pages(raw: Sequence[tuple[int, str]], marks: Sequence[re.Match[str] | None]) -> set[int]:
    """The lines that are only a label, Page 1, which stands above one of another kind, Panel 1."""
    written = [index for index, (_, line) in enumerate(raw) if line and not RULE.fullmatch(line)]
    found = set()
    for index, below in itertools.pairwise(written):
        mark, other = marks[index], marks[below]
        if mark and other and mark["label"] and other["label"] and mark.end() == len(raw[index][1]):
            kinds = [re.sub(r"[\W\d].*", "", each["label"]).casefold() for each in (mark, other)]
            found |= {index} if kinds[0] != kinds[1] else set()
    return found


def _is_title(words: str) -> bool:
    """Whether words are written as titles are: The Lost Kite."""
    long = [word for word in words.split() if len(word) > 3]
    return 0 < len(words.split()) < 7 and words[:1].isupper() and all(word[:1].isupper() for word in long)


def _unquoted_block(raw: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """The lines without the mark of a quotation, where all are quoted and panels are counted in them."""
    if not all(line.startswith(">") for _, line in raw if line):
        return raw
    bare = [line[1:].lstrip() for _, line in raw]
    if sum(mark is not None and _counts(mark) for mark in map(MARK.match, bare)) < 2:
        return raw
    return [(start + len(line) - len(rest), rest) for (start, line), rest in zip(raw, bare, strict=True)]


def _marks(raw: Sequence[tuple[int, str]]) -> list[re.Match[str] | None]:
    """What stands before each line's words, None for nothing."""
    marks = [MARK.match(line) for _, line in raw]
    subs = [tuple(map(int, re.findall(r"\d+", mark["sub"]))) for mark in marks if mark and mark["sub"]]
    # 1.1, 1.2, 2.1 count; "3.5 cats" and "4.5 dogs" below it do not
    counted = all(
        two in ((one[0], one[1] + 1), (one[0] + 1, 0), (one[0] + 1, 1)) for one, two in itertools.pairwise(subs)
    )
    kinds = [re.sub(r"\w+", "1", mark["weak"] or mark["sub"] or "") if mark else "" for mark in marks]
    several = Counter(kinds)
    return [
        None if mark and ((kind and several[kind] < 2) or (mark["sub"] and not counted)) else mark
        for kind, mark in zip(kinds, marks, strict=True)
    ]


def _counts(mark: re.Match[str], nested: bool = True) -> bool:
    """Whether a mark counts panels; one such as 1.1 does where nothing else does, so that they are not `nested`."""
    return bool(mark["label"] or mark["number"] or mark["weak"] or (mark["sub"] and not nested))


def _bared(start: int, line: str) -> tuple[int, str]:
    """A line below a panel without what Markdown has around a part of it: > **CAPTION:** Later, *Camera: low angle*."""
    bare = line[1:].lstrip() if line.startswith(">") else line
    if whole := EMPHASIS.fullmatch(bare):
        bare = whole[2] if _part(whole[2]) else bare
        return (start + line.index(bare), bare)
    quoted = bare is not line and (bare.startswith("*") or _part(bare) or SOUND.match(bare))
    return (start + len(line) - len(bare), bare) if quoted else (start, line)


def _speakers(
    raw: Sequence[tuple[int, str]],
    marks: Sequence[re.Match[str] | None],
    cast: Mapping[int, str],
    known: Sequence[str],
) -> set[str]:
    """Who may say something in a line `NAME: words` below a panel, folded: the cast, known or told of in the text;
    nobody where the first panel is written so itself, as then all are."""
    bare = [line[mark.end() :] if mark else line for (_, line), mark in zip(raw, marks, strict=True)]
    lines = [(unbold(line), cast.get(index) == "member") for index, line in enumerate(bare)]
    told = [MEMBER.match(line) if member else CALLED.match(line) for line, member in lines]
    names = {folded(name) for name in (*known, *(match["name"] for match in told if match))}
    first = next((line for index, (_, line) in enumerate(raw) if line and not _ahead(line, index, cast)), "")
    speech = SPEECH.match(unbold(first))
    return set() if speech and folded(speech["who"]) in names else names


def _ahead(line: str, index: int, cast: Mapping[int, str]) -> bool:
    return index in cast or _before_panels(line)


def _around_bullets(
    raw: Sequence[tuple[int, str]], marks: Sequence[re.Match[str] | None], known: Sequence[str]
) -> dict[int, Literal["title", "chatter"]]:
    """The lines around a list that are none of it, where all the panels are in one: what a chat model says besides,
    and a single line above as its title, if none is given and it ends as no sentence does."""
    bullets = [index for index, mark in enumerate(marks) if mark and mark["bullet"]]
    if len(bullets) < 2:
        return {}
    first, last = bullets[0], bullets[-1]
    if any(
        line and not mark and line[0] not in ">|"
        for (_, line), mark in zip(raw[first:last], marks[first:last], strict=True)
    ):
        return {}
    outside = [index for index, (_, line) in enumerate(raw) if line and not first <= index <= last]
    outside = [index for index in outside if not _before_panels(raw[index][1]) and not CAST.match(raw[index][1])]
    found: dict[int, Literal["title", "chatter"]] = dict.fromkeys(
        (index for index in outside if CHATTER.match(raw[index][1])), "chatter"
    )
    above = [index for index in outside if index < first and index not in found]
    told = any(TITLE.match(line) or re.match(r"title\s*[:：]", line, re.IGNORECASE) for _, line in raw)
    if len(above) == 1 and not told and _is_heading(raw, above[0], known):
        found[above[0]] = "title"
    return found


def _is_heading(raw: Sequence[tuple[int, str]], index: int, known: Sequence[str]) -> bool:
    """Whether a line above a list is its title: set apart or written as one, and no sentence."""
    line, below = raw[index][1], raw[index + 1][1]
    bare = unbold(line).rstrip(" :：")
    apart = not below or bare != line or _is_title(bare)
    names = set(map(folded, known))
    return (
        apart
        and 0 < len(bare) <= 60
        and not re.search(r"[.!?。！？…\[\]>|]|[:：].", bare)
        and folded(bare) not in names
    )


def _cast_list(
    raw: Sequence[tuple[int, str]],
    marks: Sequence[re.Match[str] | None],
    known: Sequence[str],
    heading: int | None = None,
) -> dict[int, Literal["head", "member"]]:
    """The lines of a list of the cast: below a line that says so, before the first panel; or without one the first
    lines of all, if each is a name with a description that begins with an article, an empty line follows, and one of
    the names, none of which is `known`, comes again. `heading`: the line that is the title."""
    counted = [index for index, mark in enumerate(marks) if mark and _counts(mark)]
    ahead = [index for index, (_, line) in enumerate(raw) if line and index != heading and not _before_panels(line)]
    head = next((index for index, (_, line) in enumerate(raw) if CAST.match(line)), None)
    if head is not None and head <= (counted[0] if len(counted) > 1 else min(ahead, default=head)):
        members = _headed(raw, marks, head + 1)
        return {head: "head", **dict.fromkeys(members, "member")} if members else {}
    members = _unheaded(raw, marks, ahead[0]) if ahead else []
    names = [match["name"] for index in members if (match := MEMBER.match(raw[index][1]))]
    after = members[-1] + 1 if members else len(raw)
    apart = after < len(raw) and not raw[after][1]
    if apart and not set(map(str.casefold, names)) & set(map(str.casefold, known)):
        rest = "\n".join(line for _, line in raw[after:])
        return dict.fromkeys(members, "member") if find_names(rest, names) else {}
    return {}


def _before_panels(line: str) -> bool:
    """Whether a line is none of the first panel's or the cast list's: of the story, or a remark."""
    return bool(STORY.match(line) or TITLE.match(line) or line.startswith("#") or RULE.fullmatch(line))


def _headed(raw: Sequence[tuple[int, str]], marks: Sequence[re.Match[str] | None], start: int) -> list[int]:
    """The lines of the list whose heading stands above `start`."""
    members: list[int] = []
    for index in range(start, len(raw)):
        line, mark = raw[index][1], marks[index]
        bullet = mark is not None and mark["bullet"]
        if not line and not members:
            continue
        if not line or not (bullet or (mark is None and MEMBER.match(unbold(line)))):
            break
        members.append(index)
    return members


def _unheaded(raw: Sequence[tuple[int, str]], marks: Sequence[re.Match[str] | None], start: int) -> list[int]:
    """The lines from `start` on that look like a list of the cast."""
    members: list[int] = []
    for index in range(start, len(raw)):
        member = MEMBER.match(raw[index][1])
        if marks[index] or not member or not LOOKS.match(member["words"]) or column(member["name"]):
            break
        members.append(index)
    return members


def _cut(start: int, line: str, at: int, role: Role) -> Pasted:
    return Pasted(start + at, line[at:], role)


def _part(line: str) -> tuple[Role, int] | None:
    """What a line such as `**Caption:** Morning` tells of the panel above, and where its words begin."""
    field = FIELD.match(line)
    kind = column(field["word"]) if field else None
    if field is None or kind is None:
        return None
    roles: dict[str, Role] = {"prompt": "prompt", "place": "camera", "time": "camera", "camera": "camera"}
    role: Role | None = roles.get(kind) or (kind if kind in ("caption", "dialogue") else None)  # type: ignore[assignment]
    return None if role is None else (role, field.end())


def _is_quoted(line: str) -> bool:
    """Whether a line is a name with words in quotes, as in `Mia: "Ready?"`."""
    speech = SPEECH.match(unbold(line))
    if speech is None or column(speech["who"]) or len(speech["who"].split()) > 3:
        return False
    said = speech["say"] or speech["quoted"]
    return unquoted(said) != said


def _how(start: int, line: str) -> list[LeftOut]:
    """How somebody says a line that begins at `start`, in brackets behind the name, which no balloon shows."""
    speech = SPEECH.match(unbold(line))
    if speech is None or not speech["how"]:
        return []
    at = start + max(line.find(speech["how"]), 0)
    return [LeftOut((at, at + len(speech["how"])), HOW)]


def _is_spoken(line: str, told: Set[str]) -> bool:
    """Whether a line is what somebody says, `ADA: So high!`, of whom other lines tell; `told` are their words."""
    speech = SPEECH.match(unbold(line))
    if speech is None or not speech["say"] or not re.fullmatch(r"[^\W\d_]{2,20}", speech["who"]):
        return False
    who = speech["who"]
    return who[0].isupper() and bool({who, who.title()} & told)


def _beside(raw: Sequence[tuple[int, str]], index: int, first: int, last: int, known: Sequence[str]) -> bool:
    """Whether a line without a mark is said around the counted panels: before the first or after the last, set off by
    an empty line, and naming nobody unless it begins as a chat model's words do."""
    line = raw[index][1]
    if first < index < last or line.startswith((">", "[")) or re.match(r"\w+\s*[:：]\s*\S", line):
        return False
    apart = not raw[index + 1][1] if index < first else any(not other for _, other in raw[last + 1 : index])
    members = (CALLED.match(other) for _, other in raw)
    names = [*known, *(member["name"] for member in members if member)]
    return apart and (CHATTER.match(line) is not None or not find_names(line, names))


def lines(text: str) -> list[tuple[int, str]]:
    """Where each line begins and what it says, without spaces around. Not splitlines: it breaks at characters that no
    editor counts as the end of a line."""
    found, start = [], 0
    for end, after in [*(hit.span() for hit in NEWLINE.finditer(text)), (len(text), len(text))]:
        line = text[start:end].lstrip("\ufeff \t\v\f\u00a0\u3000")
        found.append((end - len(line), line.strip()))
        start = after
    return found


BLOCK = r"ol|ul|li|p|h[1-6]|div|section|article|table|tr|td|th|html|body|blockquote"
PAGE = re.compile(rf"<(?:{BLOCK})\b[^<>]*>", re.IGNORECASE)
TAG = re.compile(
    r"<!--.*?(?:-->|\Z)|<(?P<unseen>script|style|head)\b[^<>]*>.*?(?:</(?P=unseen)\s*>|\Z)"
    rf"|<(?P<item>li)\b[^<>]*>|<h(?P<level>[1-6])\b[^<>]*>|<(?P<end>/(?:{BLOCK}))\s*>|<(?P<open>!?/?[a-z][^<>]*)>"
    r"|(?P<entity>&(?:\w{1,31}|\#\d{1,7}|\#x[0-9a-f]{1,6});)",
    re.IGNORECASE | re.DOTALL,
)
FILLER = "\ufeff"
"""What stands in a text for a mark within words; nobody sees it."""


def untagged(text: str) -> str:
    """A text that is HTML with `FILLER` and spaces for its tags, a list's mark for its items and a heading's for its
    headings, every word in its place; any other text as it is."""
    if not PAGE.match(text.lstrip()) and len(PAGE.findall(text)) < 2:
        return text
    numbered = False

    def words(hit: re.Match[str]) -> str:
        nonlocal numbered
        tag, width = hit[0], len(hit[0])
        if hit["entity"]:
            return html.unescape(tag).replace("\xa0", " ")[:width].ljust(width, FILLER)
        if hit["item"]:
            return ("1) " if numbered else "- ").ljust(width)
        if hit["level"]:
            return ("#" * max(int(hit["level"]), 2))[: width - 1].ljust(width)
        if hit["end"]:
            return "\n".rjust(width) if re.compile(r"[ \t]*+[^\s]").match(text, hit.end()) else " " * width
        name = (hit["open"] or "").split()[:1]
        numbered = name == ["ol"] or (numbered and name != ["ul"])
        block = not name or PAGE.match(tag) or name[0].strip("/").casefold() in ("br", "hr")
        return _blank(tag) if block else FILLER * width

    return TAG.sub(words, text)


def unbold(text: str) -> str:
    """Words without Markdown's marks of bold, also where a list's mark took one of a pair."""
    if "*" not in text and "_" not in text:
        return text
    text = BOLD.sub(r"\1", text)
    if whole := EMPHASIS.fullmatch(text):
        return whole[2]
    return text.removesuffix("**") if text.count("**") == 1 else text


def mended(text: str) -> str:
    """JSON with its curly quotes straight and its comments blanked, every character in its place: what word processors
    and chat models make of it."""
    if not re.search(r"[“”„‟«»]|//|/\*", text):
        return text
    after, comments = re.compile(r"\s*(?:[:,}\]]|\Z)"), re.compile(r"//[^\r\n]*|/\*.*?\*/", re.DOTALL)
    out, at, closing = list(text), 0, ""
    while at < len(text):
        char = text[at]
        if closing:
            if char == "\\":
                at += 1
            elif char in closing and (closing == '"' or after.match(text, at + 1)):
                out[at], closing = '"', ""
        elif char == '"':
            closing = '"'
        elif char in "“”„‟«»":
            out[at], closing = '"', '“”„‟«»"'
        elif comment := comments.match(text, at):
            out[at : comment.end()] = _blank(comment[0])
            at = comment.end() - 1
        at += 1
    return "".join(out)


def straightened(text: str) -> str:
    """YAML with quotes of its own in the place of the curly ones around whole values, as word processors put them."""

    def straight(hit: re.Match[str]) -> str:
        quote, words = ('"', hit["words"]) if hit["words"] else ("'", hit["single"])
        return hit[0] if quote in words or "\\" in words else hit["before"] + quote + words + quote

    return CURLY.sub(straight, text)


def _blank(text: str) -> str:
    return re.sub(r"[^\r\n]", " ", text)
