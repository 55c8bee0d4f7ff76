"""The library of drawings: every entry can be drawn, words of three languages find them and nothing wrong, other
colours keep the shading, a story's own files come first and reach nothing outside themselves."""

import base64
import io
import json
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from anystory.sketch.own_files import ThingError
from anystory.sketch.things import COLOURS, Library, all_drawings, render
from anystory.sketch.things.__main__ import main
from anystory.sketch.things.build import DRAWN, build, symbols
from anystory.sketch.things.colours import name_of, oklab, recoloured, rgb
from anystory.sketch.things.drawing import COLUMNS, FOLDER, INDEX, KINDS, LANGUAGES, PACK, PARTS, RESTS, parse
from anystory.sketch.things.own import MAX_ELEMENTS, MAX_EMBEDDED, MAX_SVG_BYTES
from anystory.sketch.things.render import _Kept, member
from anystory.sketch.things.words import is_chinese, key, readings

SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 40 20">{}</svg>'
SAME = """
dog 狗 perro, cat 猫 gato, horse 马 caballo, fox 狐狸 zorro, bear 熊 oso, wolf 狼 lobo, lion 狮子 león,
rabbit 兔子 conejo, mouse 老鼠 ratón, frog 青蛙 rana, owl 猫头鹰 búho, duck 鸭子 pato, fish 鱼 pez,
whale 鲸鱼 ballena, butterfly 蝴蝶 mariposa, bee 蜜蜂 abeja, dragon 龙 dragón, unicorn 独角兽 unicornio,
king 国王 rey, queen 女王 reina, princess 公主 princesa, witch 女巫 bruja, wizard 巫师 mago, pirate 海盗 pirata,
ghost 鬼 fantasma, robot 机器人 robot, boy 男孩 niño, girl 女孩 niña, doctor 医生 médico, apple 苹果 manzana,
banana 香蕉 plátano, bread 面包 pan, cheese 奶酪 queso, cake 蛋糕 tarta, carrot 胡萝卜 zanahoria, egg 鸡蛋 huevo,
milk 牛奶 leche, ice_cream 冰淇淋 helado, tree 树 árbol, flower 花 flor, mushroom 蘑菇 seta, bush 灌木 arbusto,
sun 太阳 sol, moon 月亮 luna, cloud 云 nube, rainbow 彩虹 arcoíris, snowman 雪人 muñeco_de_nieve,
house 房子 casa, castle 城堡 castillo, well 水井 pozo, fence 篱笆 valla, table 桌子 mesa, chair 椅子 silla,
bed 床 cama, door 门 puerta, umbrella 雨伞 paraguas, book 书 libro, key 钥匙 llave, ball 皮球 pelota,
kite 风筝 cometa, balloon 气球 globo, guitar 吉他 guitarra, drum 鼓 tambor, car 汽车 coche, sailboat 船 barco,
bicycle 自行车 bicicleta, rocket 火箭 cohete, hat 帽子 sombrero, crown 皇冠 corona, sword 剑 espada,
bucket 水桶 cubo, ladder 梯子 escalera, heart 爱心 corazón
""".replace("\n", " ").split(",")


@pytest.fixture(scope="module")
def library():
    return Library()


def concept(found):
    return found and found.concept


def embedded(side):
    """A blank picture as the address of an SVG's image."""
    file = io.BytesIO()
    Image.new("1", (side, side)).save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def own(folder, **files):
    for name, marks in files.items():
        (folder / f"{name.replace('_', ' ')}.svg").write_text(SVG.format(marks), encoding="utf-8")
    return Library(folder)


def test_the_table_is_sane_and_its_names_are_one_drawings_alone():
    drawings = all_drawings()
    assert len(drawings) >= 1200 and {drawing.kind for drawing in drawings} == set(KINDS)
    for names in (
        [key(drawing.concept) for drawing in drawings],
        *([key(name) for d in drawings for name in d.names[language]] for language in LANGUAGES),
    ):
        assert len(names) == len(set(names)), {name for name in names if names.count(name) > 1}
    for drawing in drawings:
        assert 0.04 <= drawing.size <= 60 and drawing.height <= drawing.size and 0.1 < drawing.aspect < 6, drawing
        assert drawing.part in PARTS and drawing.facing in ("left", "right", "front", "")
        assert drawing.rests and set(drawing.rests) <= set(RESTS) and all(drawing.names[code] for code in ("zh", "es"))
        assert not drawing.colour or rgb(drawing.colour).shape == (3,)
    sizes = {drawing.concept: drawing.size for drawing in drawings}
    order = ["ant", "mouse", "cat", "dog", "girl", "man", "horse", "elephant", "car", "house", "castle"]
    assert [sizes[name] for name in order] == sorted(sizes[name] for name in order)


def test_every_drawing_is_in_the_pack_and_shows_something_to_its_edges():
    with zipfile.ZipFile(PACK) as pack:
        assert set(pack.namelist()) == {member(drawing.source) for drawing in all_drawings()}
        assert sum(entry.compress_size for entry in pack.infolist()) < 12e6
    for drawing in all_drawings():
        pixels = render(drawing, 32)
        assert pixels.shape[0] == 32 and abs(pixels.shape[1] - 32 * drawing.aspect) <= 1, drawing.concept
        seen = pixels[..., 3] > 8
        assert seen.mean() > 0.12 and pixels[seen][:, :3].std() > 1, drawing.concept
        for edge in (seen[:2], seen[-2:], seen[:, :2], seen[:, -2:]):
            assert edge.any(), drawing.concept


def test_licences_are_there_and_name_the_source():
    text = (FOLDER / "LICENSE.md").read_text(encoding="utf-8")
    assert "Noto Emoji" in text and "Apache License 2.0" in text
    assert "UNICODE LICENSE V3" in (FOLDER / "UNICODE-LICENSE.txt").read_text(encoding="utf-8")
    assert "script" not in DRAWN.read_text(encoding="utf-8")
    used = {drawing.source[1:] for drawing in all_drawings() if drawing.source.startswith("#")}
    assert used == set(symbols(DRAWN))


@pytest.mark.parametrize("line", SAME)
def test_three_languages_find_the_same_drawing(library, line):
    english, chinese, spanish = (word.replace("_", " ") for word in line.split())
    found = library.find(english)
    assert concept(found) == english
    assert found is library.find(chinese) is library.find(spanish, ["es"])


def test_what_is_found_is_found_by_its_concept_and_by_each_of_its_names(library):
    for drawing in all_drawings():
        assert library.find(drawing.concept) is drawing
        for language in LANGUAGES:
            for name in drawing.names[language]:
                # "DVD" is written alike in Chinese, but only Chinese letters are looked up there.
                found = library.find(name, [language] if language != "zh" or is_chinese(name) else ["en"])
                assert found is drawing or key(found.concept) == key(name), (name, concept(found))
                assert library.find(found.concept) is found


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        ("two old apple trees", "tree"), ("toy boat", "sailboat"), ("a herd of cows", "cow"), ("the mice", "mouse"),
        ("a man with a red umbrella", "man"), ("a piece of cheese", "cheese"), ("green apples", "green apple"),
        ("blue apple", "apple"), ("Santa Claus", "Santa Claus"), ("Ice-Cream", "ice cream"), ("a dragon's egg", "egg"),
        ("three wise men", "man"), ("wolves", "wolf"), ("a fruit", "grapes"), ("bow and arrow", "bow and arrow"),
        ("un pequeño dragón verde", "dragon"), ("unos leones", "lion"), ("perritas", "dog"), ("leoncito", "lion"),
        ("barco de juguete", "sailboat"), ("un par de zapatos", "shoe"), ("los lápices", "pencil"), ("papá", "man"),
        ("papa", "man"), ("la vieja bruja", "witch"), ("globo aerostático", "hot-air balloon"),
        ("一只小狐狸", "fox"), ("三只小猪", "pig"), ("红色的苹果", "apple"), ("苹果树", "tree"),
        ("戴着帽子的小猫", "cat"), ("玩具船", "sailboat"), ("那匹白马", "horse"), ("海马", "seahorse"),
    ],
)  # fmt: skip
def test_a_phrase_finds_its_head(library, phrase, expected):
    assert concept(library.find(phrase)) == expected


@pytest.mark.parametrize(
    "phrase",
    ["", " ", "…", "quantum", "xyzzy", "the", "freedom", "gummy bear", "a flower bed", "boxing ring", "steering wheel",
     "two big spinning wheels", "unicorn horn", "oso hormiguero", "斑马线", "自由", "希望", "esperanza", "por qué",
     "的"],
)  # fmt: skip
def test_nothing_is_found_where_nothing_fits(library, phrase):
    assert library.find(phrase) is None and library.candidates(phrase) == []


def test_the_language_decides_between_words_that_look_alike(library):
    assert concept(library.find("pan", ["es"])) == "bread" != concept(library.find("pan", ["en"]))
    assert concept(library.find("un pan con sal")) == "bread" and concept(library.find("la red")) != "red"
    assert library.find("狗", ["en", "es"]) is None


def test_readings_go_from_the_whole_phrase_to_its_head_and_stop_before_another_thing():
    assert next(readings("the two old trees", "en")) == "old trees"
    assert list(readings("an old oak", "en"))[-1] == "oak"
    assert "bear" not in readings("a gummy bear", "en")
    for language in LANGUAGES:
        assert not [reading for reading in readings("", language) if reading]


def test_candidates_are_whole_beings_first_and_fit_the_description(library):
    for phrase in ("a little dragon", "the fox", "an old king with a long beard", "两个卫兵", "una bruja"):
        found = library.candidates(phrase, 4)
        assert found[0] is library.find(phrase) and len(set(found)) == 4
        assert found[0].living and found[0].part == "whole"
    parts = [drawing.part for drawing in library.candidates("a lion", 2)]
    assert parts == ["whole", "face"]
    assert "red-haired woman" in {drawing.concept for drawing in library.candidates("a girl with red hair")}
    assert [concept(one) for one in library.candidates("a talking teapot")] == ["teapot"]
    assert library.candidates("the girl next door")[0].concept == "girl"
    assert library.candidates("the girl downstairs" + " xyzzy" * 500)[0].concept == "girl"
    assert library.candidates("xyzzy " * 500 + "the girl downstairs") == []


def test_a_colour_moves_the_hue_of_its_family_and_keeps_who_is_darker():
    tints = recoloured(
        np.array([[90, 10, 12], [183, 28, 28], [229, 57, 53], [239, 83, 80], [255, 205, 210]]), "red", "red"
    )
    for colour in COLOURS:
        turned = recoloured(tints, "red", colour)
        light = oklab(turned)[:, 0]
        assert (np.diff(light[1:]) > 0).all(), colour
        goal, got = oklab(rgb(colour)), oklab(turned[2])
        assert np.linalg.norm(got - goal) < 0.03, colour
    others = np.array([[30, 30, 30], [250, 250, 250], [67, 160, 71], [62, 39, 35], [255, 202, 40]], float)
    assert np.abs(recoloured(others, "red", "blue") - others).max() < 3
    assert np.abs(recoloured(others[:1], "white", "blue") - others[:1]).max() < 1


@pytest.mark.parametrize(
    "name", ["ball", "umbrella", "car", "cat", "rabbit", "dress", "police officer", "bucket", "dragon"]
)
@pytest.mark.parametrize("colour", ["blue", "yellow", "black", "white", "pink"])
def test_a_drawing_takes_another_colour_and_leaves_the_rest(library, name, colour):
    drawing = library.find(name)
    plain, turned = render(drawing, 96).astype(int), render(drawing, 96, colour).astype(int)
    assert (plain[..., 3] == turned[..., 3]).all()
    if name_of(drawing.colour) == colour:
        assert (plain == turned).all()
        return
    seen = plain[..., 3] > 200
    near = seen & (np.abs(plain[..., :3] - rgb(drawing.colour)).max(-1) < 12)
    assert near.sum() > 30
    assert np.linalg.norm(np.median(oklab(turned[near][:, :3]), 0) - oklab(rgb(colour))) < 0.09
    dark = seen & (plain[..., :3].max(-1) < 40)
    assert not dark.any() or np.abs(plain - turned)[dark].max() < 25


def test_what_cannot_be_rendered_is_said(library):
    ball = library.find("ball")
    for height in (0, -1, 4097):
        with pytest.raises(ValueError, match="1 to 4096"):
            render(ball, height)
    with pytest.raises(ValueError, match="'plaid' is not a colour"):
        render(ball, 8, "plaid")
    assert render(ball, 1).shape[0] == 1


def test_rendering_is_the_same_from_any_thread_and_not_to_be_written_to(library):
    drawing, found = library.find("phoenix"), []
    threads = [threading.Thread(target=lambda: found.append(render(drawing, 61, "blue"))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6 and all((one == found[0]).all() for one in found)
    with pytest.raises(ValueError):
        found[0][0, 0] = 0


def test_kept_pixels_stay_within_their_bytes():
    kept = _Kept(1000)
    for i in range(20):
        kept.put((i,), np.zeros(300, np.uint8))
        assert kept.bytes <= 1000
    assert kept.get((0,)) is None and kept.get((19,)) is not None
    kept.put(("large",), np.zeros(900, np.uint8))
    assert kept.get(("large",)) is None


def test_the_build_makes_the_same_bytes_and_says_what_is_missing(tmp_path):
    icons = tmp_path / "icons.json"
    square = '<path fill="#00ff00" d="M10 20h60v40H10z"/>'
    icons.write_text(json.dumps({"icons": {"dog": {"body": square}}}), encoding="utf-8")

    def table(*sources):
        rows = [
            [f"thing {i}", source, "toy", "whole", "", "1", "ground", "", "", "", "", "", ""]
            for i, source in enumerate(sources)
        ]
        path = tmp_path / "index.tsv"
        path.write_text("\n".join("\t".join(row) for row in ([*COLUMNS], *rows)) + "\n", encoding="utf-8")
        return path

    index = table("dog", "dog/sitting/#ff0000,#00ff00,#0000ff,bushy", "#table")
    packs = [tmp_path / name for name in ("one.zip", "two.zip")]
    assert [build(icons, index, pack) for pack in packs] == [3, 3]
    assert packs[0].read_bytes() == packs[1].read_bytes()
    assert parse(index.read_text(encoding="utf-8"))[0].aspect == pytest.approx(1.5, abs=0.03)
    for source, sentence in (
        ("cow", "no icon 'cow'"), ("#cow", "no symbol 'cow'"), ("dog/flying/", "no body 'flying'"),
        ("dog/sitting/#ff0000", "takes 3 to 6 values, not 1"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=sentence):
            build(icons, table(source), packs[0])
    with pytest.raises(ValueError, match="begins with the columns"):
        parse("concept\tkind\n")
    assert INDEX.read_text(encoding="utf-8").endswith("\n")


def test_a_storys_own_drawings_are_found_first(tmp_path, library):
    Image.new("RGBA", (60, 40)).save(tmp_path / "nothing.txt", format="PNG")
    picture = np.zeros((40, 60, 4), np.uint8)
    picture[10:30, 20:50] = (200, 30, 30, 255)
    Image.fromarray(picture).save(tmp_path / "kite, Dragon Kite.png")
    mine = own(tmp_path, red_ball='<rect x="10" y="5" width="20" height="10" fill="#e53935"/>')
    ball = mine.find("two big red balls")
    assert ball.file == tmp_path / "red ball.svg" and ball.aspect == pytest.approx(2, rel=0.02)
    assert ball.size == library.find("ball").size and ball.kind == "toy"
    assert mine.find("ball") is library.find("ball")
    assert mine.find("the dragon kite") == mine.find("kite") and mine.find("kite").file.suffix == ".png"
    kite = render(mine.find("kite"), 20)
    assert kite.shape == (20, 30, 4) and (kite[..., 3] == 255).all()
    blue = render(mine.find("kite"), 20, "blue")
    assert np.abs(blue[10, 15, :3] - rgb("blue")).max() < 12
    assert render(ball, 10).shape == (10, 20, 4) and (render(ball, 10)[5, 10] == (229, 57, 53, 255)).all()
    (tmp_path / "red ball.svg").write_text(
        SVG.format('<rect width="9" height="9" fill="#00f"/>') + " ", encoding="utf-8"
    )
    assert (render(ball, 10)[5, 5, :3] == (0, 0, 255)).all()


@pytest.mark.parametrize(
    ("marks", "sentence"),
    [
        ('<image href="/etc/passwd" width="9" height="9"/>', "only a picture inside the file"),
        ('<image xlink:href="other.png" width="9" height="9"/>', "only a picture inside the file"),
        ('<image href="data:image/svg+xml,x" width="9" height="9"/>', "only a picture inside the file"),
        ('<use href="other.svg#a"/>', "only a picture inside the file"),
        (
            '<filter id="f"><feImage href="file:///x.png"/></filter><rect filter="url(#f)" width="9" height="9"/>',
            "inside",
        ),
        ('<rect width="9" height="9" fill="url(http://example.org/a#b)"/>', "only what is inside the file"),
        ('<style>@import "x.css"; rect {fill: red}</style><rect width="9" height="9"/>', "in its style"),
        ("<text>hello</text>", "shows nothing"),
        ('<g id="a"><use href="#a"/></g>', "within itself"),
        ("<rect", "not a readable SVG"),
        ('<path d="M0 9h40" stroke="#a52" stroke-width=".1"/>', "over 50 times as long"),
        ('<image href="data:image/png;base64,aGVsbG8=" width="9" height="9"/>', "a picture that cannot be used"),
        (f'<image href="{embedded(4100)}" width="9" height="9"/>', f"16,810,000 pixels, more than {MAX_EMBEDDED:,}"),
        (
            "<style>"
            + "".join(f".c{i}, .other {{fill: url(#p{i})}}" for i in range(7))
            + '</style><pattern id="p0" width="9" height="9"><path d="M0 0h9v9z"/></pattern>'
            + "".join(
                f'<pattern id="p{i}" width="9" height="9">'
                + f'<path class="c{i - 1}" d="M0 0h9v9z"/>' * 10
                + "</pattern>"
                for i in range(1, 7)
            )
            + '<path class="c6" d="M0 0h9v9z"/>',
            f"more than {MAX_ELEMENTS:,}",
        ),
        (
            '<g id="a0"><path d="M0 0h9v9z"/></g>'
            + "".join(f'<g id="a{i}">' + f'<use href="#a{i - 1}"/>' * 10 + "</g>" for i in range(1, 7)),
            f"more than {MAX_ELEMENTS:,}",
        ),
    ],
)
def test_an_svg_that_reaches_out_or_grows_is_refused(tmp_path, marks, sentence):
    with pytest.raises(ThingError, match=sentence) as error:
        own(tmp_path, bad=marks)
    assert "bad.svg" in str(error.value) and str(error.value).count(". ") == 0


def test_no_file_of_the_machine_gets_into_a_drawing(tmp_path):
    """resvg itself opens what an href names; a comment must not hide the root that does."""
    Image.new("RGB", (8, 8), "red").save(tmp_path / "secret.png")
    folder = tmp_path / "things"
    folder.mkdir()
    hidden = '<!-- <svg viewBox="0 0 1 1"> -->' + SVG.format('<rect width="9" height="9" fill="#0f0"/>')
    (folder / "green.svg").write_text(hidden, encoding="utf-8")
    assert (render(Library(folder).find("green"), 8)[4, 4] == (0, 255, 0, 255)).all()
    for text in (
        f'<!DOCTYPE svg [<!ENTITY x SYSTEM "{tmp_path / "secret.png"}">]>' + SVG.format("&x;"),
        "<html/>",
        SVG.format("<rect/>").replace("0 0 40 20", "0 0 1e9 1"),
        SVG.format("<rect/>").replace("0 0 40 20", "0 0 4000 1"),
        " " * (MAX_SVG_BYTES + 1),
    ):
        (folder / "green.svg").write_text(text, encoding="utf-8")
        with pytest.raises(ThingError, match=r"green\.svg"):
            Library(folder)


@pytest.mark.parametrize("colour", ["red", "#f00f", "rgb(255, 0, 0)", "#ff0000"])
def test_a_drawing_of_ones_own_takes_a_colour_however_its_own_is_written(tmp_path, colour):
    ball = own(tmp_path, ball=f'<rect width="9" height="9" fill="{colour}"/>').find("ball")
    assert np.abs(render(ball, 10, "blue")[5, 5, :3] - rgb("blue")).max() < 12


def test_pictures_in_a_drawing_and_styles_stay(tmp_path):
    styled = '<style>.a {fill: url(#g)}</style><linearGradient id="g"><stop stop-color="#0f0"/></linearGradient>'
    mine = own(
        tmp_path,
        ball=f'<image href="{embedded(20)}" width="9" height="9"/>',
        kite=f'{styled}<rect class="a" width="9" height="9"/>',
    )
    assert (render(mine.find("ball"), 9)[4, 4] == (0, 0, 0, 255)).all()
    assert (render(mine.find("kite"), 9)[4, 4] == (0, 255, 0, 255)).all()


def test_hidden_files_are_no_drawings_and_one_that_is_gone_is_said(tmp_path):
    (tmp_path / "._ball.png").write_bytes(b"\0\5\x16\7")
    Image.new("RGB", (20, 20), "red").save(tmp_path / "ball.png")
    ball = Library(tmp_path).find("ball")
    assert ball.file == tmp_path / "ball.png"
    ball.file.unlink()
    with pytest.raises(ThingError, match=r"ball\.png cannot be read"):
        render(ball, 20)


def test_a_line_across_a_picture_is_refused(tmp_path):
    picture = np.zeros((400, 400, 4), np.uint8)
    picture[200:203] = 255
    Image.fromarray(picture).save(tmp_path / "rope.png")
    with pytest.raises(ThingError, match=r"rope\.png shows something over 50 times as long"):
        Library(tmp_path)


def test_a_folder_that_cannot_be_used_is_said(tmp_path):
    with pytest.raises(ThingError, match="There is no folder"):
        Library(tmp_path / "none")
    Image.new("RGBA", (60, 40)).save(tmp_path / "ghost.png")
    with pytest.raises(ThingError, match="every pixel of it is transparent"):
        Library(tmp_path)
    (tmp_path / "ghost.png").rename(tmp_path / " , .png")
    with pytest.raises(ThingError, match="does not say what it shows"):
        Library(tmp_path)


def test_the_command_finds_and_says_what_it_cannot_use(tmp_path, capsys):
    assert main(["find", "two old apple trees", "freedom"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("two old apple trees: tree (tree") and out[1] == "freedom: nothing ()"
    with pytest.raises(SystemExit):
        main(["find", "--own", str(tmp_path / "none"), "ball"])
    assert "There is no folder" in capsys.readouterr().err


def test_every_picture_of_the_docs_kinds_is_counted_right():
    text = Path(__file__).resolve().parents[2].joinpath("docs", "things.md").read_text(encoding="utf-8")
    for kind in KINDS:
        assert f"| {kind} | {sum(drawing.kind == kind for drawing in all_drawings())} |" in text
