"""The text of a file, in whatever encoding an editor or a spreadsheet program saved it.

A mark in front settles it, then UTF-8. What is neither is an old encoding of a language: the one in which most of it is
what people of that language write most.
"""

from __future__ import annotations

import codecs
import re

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

COMMON = {
    "gb18030": (
        "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而"
        "方后多定行学法所民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好"
        "应开它合还因由其些然前外天政四日那社义事平形相全表间样与关各重新线内数正心反你明看原又么利比或但质气第向"
        "道命此变条只没结解问意建月公无系军很情者最立代想已角色走跑山海森林夜晚白太阳雨雪花树猫狗狐狸熊男女孩老师"
        "妈爸笑哭吃睡站坐跳拿抱红蓝绿黄黑门窗房屋，。！？：；（）《》“”、"
    ),
    "big5": (
        "的一是在不了有和人這中大為上個國我以要他時來用們生到作地於出就分對成會可主發年動同工也能下過子說產種面而"
        "方後多定行學法所民得經十三之進著等部度家電力裡如水化高自二理起小物現實加量都兩體制機當使點從業本去把性好"
        "應開它合還因由其些然前外天角色走跑山海森林夜晚白太陽雨雪花樹貓狗狐狸熊男女孩老師媽爸笑哭吃睡站坐跳拿抱紅"
        "藍綠黃黑門窗房屋，。！？：；（）《》「」、"
    ),
    "shift_jis": "".join(map(chr, (*range(0x3041, 0x3094), *range(0x30A1, 0x30F7))))
    + "。、「」ー！？人日一大年出本中子見国言上分生手自行",
    "euc_kr": (
        "이다는을를에가고의한은로도서그나지하기사리자라어아시니보있었들해게으대수일인정만장여거너와과면오주우부스"
        "마제전내상안조모"
    ),
    "cp1251": "".join(map(chr, range(0x0430, 0x0450))) + "ёіїєАБВГДЕЖЗИКЛМНОПРСТУФХЦЧШЭЮЯ«»—",
    "cp1252": "áàâäãåæçéèêëíìîïñóòôöõøœúùûüÿßÁÀÂÄÅÇÉÈÊËÍÎÏÑÓÔÖØÚÙÛÜ¿¡«»“”‘’–—…€°",
}
"""Encodings that people's programs still write, and what most of a text in one is made of beside ASCII."""

ENOUGH = 0.35
"""Of what is not ASCII, the share that has to be common, below which a file is taken for no text at all."""


def decode(data: bytes) -> str:
    """The text that bytes hold, with a mark in front taken off. Raises UnicodeDecodeError, as of UTF-8, for what is no
    text in any encoding known here."""
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return data.decode(encoding)
    if wide := _wide(data):
        return data.decode(wide)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        if re.search(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]", data):  # which no text has
            raise
        score, encoding = max((_score(data, encoding), encoding) for encoding in COMMON)
        if score < ENOUGH:
            raise
        return data.decode(encoding)


def _wide(data: bytes) -> str | None:
    """UTF-16 without a mark, by the zeros that every other byte of spaces and Latin letters is; a text of Latin letters
    alone has one for nearly each."""
    even, odd = data[0::2].count(0), data[1::2].count(0)
    most = len(data) // 2
    latin = len(re.findall(rb"[\t\r\n -~]", data.replace(b"\0", b""))) > 0.9 * (len(data) - data.count(0))
    least = 0.5 if latin else 0.05
    if len(data) % 2 or not most or max(even, odd) < least * most or min(even, odd) > max(even, odd) / 2:
        return None
    return "utf-16-be" if even > odd else "utf-16-le"


def _score(data: bytes, encoding: str) -> float:
    """The share of a text's characters outside ASCII that are common in what the encoding is for; -1 where it cannot
    be read so."""
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return -1
    other = [char for char in text if not char.isascii()]
    return sum(char in COMMON[encoding] for char in other) / max(len(other), 1)
