"""Forms of words: what an English or Spanish word may be a form of, and what forms a verb has."""

from __future__ import annotations

import re
from functools import cache

BASE, THIRD, PAST, ING, FIRST = "base", "third", "past", "ing", "first"
"""Forms of an English verb; in Spanish BASE is the infinitive, THIRD any third person, PAST the participle, ING the
gerund, FIRST a first person, of several if it ends with "mos"."""

_IRREGULAR = """
be is was been being|be are were been being|be am was been being|have has had had|do does did done|go goes went gone
sit sits sat sat|lie lies lay lain lying|sleep sleeps slept slept|run runs ran run|swim swims swam swum
fly flies flew flown
fall falls fell fallen|hide hides hid hidden|ride rides rode ridden|hold holds held held|give gives gave given
take takes took taken|throw throws threw thrown|catch catches caught caught|sing sings sang sung|read reads read read
write writes wrote written|draw draws drew drawn|eat eats ate eaten|drink drinks drank drunk|speak speaks spoke spoken
say says said said|tell tells told told|hear hears heard heard|think thinks thought thought|kneel kneels knelt knelt
creep creeps crept crept|fight fights fought fought|dig digs dug dug|stand stands stood stood|come comes came come
leave leaves left left|find finds found found|see sees saw seen|get gets got got|bring brings brought brought
buy buys bought bought|steal steals stole stolen|build builds built built|make makes made made|meet meets met met
feed feeds fed fed|drive drives drove driven|spring springs sprang sprung|swing swings swung swung|hang hangs hung hung
sink sinks sank sunk|rise rises rose risen|set sets set set|shine shines shone shone|wake wakes woke woken
wear wears wore worn|put puts put put|cut cuts cut cut|hit hits hit hit|let lets let let|keep keeps kept kept
lead leads led led|begin begins began begun|feel feels felt felt|win wins won won|lose loses lost lost
sell sells sold sold
teach teaches taught taught|bite bites bit bitten|blow blows blew blown|break breaks broke broken|grow grows grew grown
know knows knew known|weep weeps wept wept|sweep sweeps swept swept|spin spins spun spun|strike strikes struck struck
shake shakes shook shaken|send sends sent sent|shoot shoots shot shot|lay lays laid laid|bend bends bent bent
stick sticks stuck stuck|flee flees fled fled|sew sews sewed sewn|choose chooses chose chosen|dream dreams dreamt dreamt
spread spreads spread spread|light lights lit lit|cast casts cast cast|stride strides strode stridden
slide slides slid slid
forget forgets forgot forgotten|become becomes became become|burst bursts burst burst|beat beats beat beaten
dream dreams dreamed dreamed|lean leans leaned leaned|leap leaps leaped leaped|kneel kneels kneeled kneeled
sneak sneaks sneaked sneaked|sneak sneaks snuck snuck|light lights lighted lighted|shine shines shined shined
wring wrings wrung wrung|sling slings slung slung|string strings strung strung|seek seeks sought sought
spit spits spat spat|thrust thrusts thrust thrust|withdraw withdraws withdrew withdrawn|swear swears swore sworn
bind binds bound bound|deal deals dealt dealt|grind grinds ground ground|overtake overtakes overtook overtaken
ring rings rang rung|shed sheds shed shed|shrink shrinks shrank shrunk|shut shuts shut shut|slay slays slew slain
sting stings stung stung|undo undoes undid undone|forgive forgives forgave forgiven|mow mows mowed mown
outrun outruns outran outrun|unwind unwinds unwound unwound|awake awakes awoke awoken|arise arises arose arisen
stride strides strode stridden|strive strives strove striven|plead pleads pled pled|plead pleads pleaded pleaded
overhear overhears overheard overheard|weave weaves wove woven|cling clings clung clung|fling flings flung flung
tear tears tore torn|freeze freezes froze frozen|hurt hurts hurt hurt|pay pays paid paid|lend lends lent lent
lean leans leant leant|leap leaps leapt leapt|speed speeds sped sped|slink slinks slunk slunk|stink stinks stank stunk
tread treads trod trodden|wind winds wound wound|spend spends spent spent|understand understands understood understood
"""

_IRREGULAR_NOUNS = {
    "children": "child",
    "men": "man",
    "women": "woman",
    "mice": "mouse",
    "geese": "goose",
    "feet": "foot",
    "teeth": "tooth",
    "oxen": "ox",
    "leaves": "leaf",
    "wolves": "wolf",
    "elves": "elf",
    "dwarves": "dwarf",
    "shelves": "shelf",
    "bookshelves": "bookshelf",
    "knives": "knife",
    "loaves": "loaf",
    "scarves": "scarf",
    "thieves": "thief",
    "halves": "half",
    "calves": "calf",
    "wives": "wife",
    "lives": "life",
    "policemen": "policeman",
    "firemen": "fireman",
    "snowmen": "snowman",
    "fishermen": "fisherman",
    "cacti": "cactus",
    "octopi": "octopus",
}


@cache
def english_verbs() -> dict[str, list[tuple[str, str]]]:
    """Irregular forms: {form: [(infinitive, kind of form)]}."""
    found: dict[str, list[tuple[str, str]]] = {}
    for row in re.split(r"[|\n]", _IRREGULAR.strip()):
        base, third, past, part, *ing = row.split()
        forms = [(base, BASE), (third, THIRD), (past, PAST), (part, PAST), (ing[0] if ing else _ing(base), ING)]
        for form, kind in forms:
            if (base, kind) not in found.setdefault(form, []):
                found[form].append((base, kind))
    return found


def verb_forms(base: str) -> dict[str, str]:
    """The regular forms of an English verb: {form: kind}. "stop" → stops, stopped, stopping."""
    forms = {base: BASE, _third(base): THIRD, _past(base): PAST, _ing(base): ING}
    if re.search(r"[aeiou]l$", base):  # travelled and traveled
        forms |= {f"{base}led": PAST, f"{base}ling": ING, f"{base}ed": PAST, f"{base}ing": ING}
    return forms


def _third(base: str) -> str:
    if re.search(r"(?:s|x|z|ch|sh|o)$", base):
        return f"{base}es"
    return re.sub(r"(?<=[^aeiou])y$", "ie", base) + "s"


def _past(base: str) -> str:
    if base.endswith("e"):
        return f"{base}d"
    if re.search(r"[^aeiou]y$", base):
        return f"{base[:-1]}ied"
    return f"{_doubled(base)}ed"


def _ing(base: str) -> str:
    if base.endswith("ie"):
        return f"{base[:-2]}ying"
    if base.endswith("e") and not base.endswith(("ee", "oe", "ye")) and len(base) > 2:
        return f"{base[:-1]}ing"
    return f"{_doubled(base)}ing"


def _doubled(base: str) -> str:
    """ "stop" → "stopp", "begin" → "beginn"; "look", "open" as they are."""
    short = re.fullmatch(r"(?:qu|[^aeiou])*[aeiou][^aeiouwxy]", base)
    return base + base[-1] if short or base in ("begin", "forget", "unwrap", "unpin") else base


def english_nouns(word: str) -> list[str]:
    """Of what an English word can be the plural: "ponies" → pony."""
    if word in _IRREGULAR_NOUNS:
        return [_IRREGULAR_NOUNS[word]]
    found = []
    if word.endswith("ies") and len(word) > 4:
        found.append(f"{word[:-3]}y")
    if re.search(r"(?:s|x|z|ch|sh|o)es$", word):
        found.append(word[:-2])
    if word.endswith("s") and not word.endswith("ss") and len(word) > 3:
        found.append(word[:-1])
    return found


def english_adjectives(word: str) -> list[str]:
    """Of what an English word can be the comparative: "bigger" → big."""
    ending = re.fullmatch(r"(\w+?)(?:er|est)", word)
    if not ending:
        return []
    stem = ending.group(1)
    return [stem, f"{stem}e", re.sub(r"(\w)\1$", r"\1", stem), re.sub(r"i$", "y", stem)]


def spanish_nouns(word: str) -> list[str]:
    """Of what a Spanish noun or adjective can be a form: "flores" → flor, "rojas" → rojo."""
    found = []
    if word.endswith("ces"):
        found.append(f"{word[:-3]}z")
    if word.endswith("es"):
        found += [word[:-2], _accented(word[:-2])]
    if word.endswith("s"):
        found.append(word[:-1])
    singular = word[:-1] if word.endswith("s") else word
    if singular.endswith("a"):
        found.append(f"{singular[:-1]}o")
        found.append(singular[:-1])  # encantadora, española
    return found


def spanish_diminutives(word: str) -> list[str]:
    """Of what a Spanish noun can be the diminutive: "perrito" → perro, "puertecita" → puerta."""
    small = re.fullmatch(r"(\w+?)(?:ec|c)?it([oa])s?", word)
    if not small:
        return []
    stem = re.sub("gu$", "g", re.sub("qu$", "c", small[1]))
    return [f"{stem}{small[2]}", stem, f"{stem}e", _accented(stem)]


def _accented(word: str) -> str:
    """ "avion" → "avión": what loses its accent in the plural."""
    return re.sub(r"([aeiou])([ns])$", lambda hit: dict(zip("aeiou", "áéíóú", strict=True))[hit[1]] + hit[2], word)


_CHANGES = {
    "ie": """sentar despertar empezar comenzar cerrar pensar calentar regar temblar fregar nevar sembrar querer perder
    tender encender entender atravesar tropezar sentir divertir helar apretar merendar acertar confesar ascender
    defender descender extender plegar negar enterrar desenterrar hervir advertir convertir herir mentir preferir
    referir sugerir verter gobernar recomendar remendar serrar quebrar alentar arrendar atender cegar desplegar
    desterrar manifestar segar sosegar entrecerrar invertir consentir arrepentir digerir
    hender tentar recalentar""",
    "ue": """dormir volar contar encontrar acostar mostrar soñar jugar colgar volver llover mover rodar tronar recordar
    morir oler poder probar soltar almorzar envolver devolver resolver forzar doler desenvolver revolver remover
    consolar rogar morder cocer torcer retorcer soler conmover volcar tostar recostar apostar colar demostrar
    comprobar renovar descolgar acordar aprobar avergonzar costar sonar resonar moler desollar
    promover demoler esforzar encordar""",
    "i": """pedir servir vestir seguir reír sonreír repetir perseguir conseguir elegir despedir medir freír derretir
    competir reñir teñir gemir corregir rendir impedir ceñir expedir embestir desvestir henchir""",
    "ú": "aullar maullar reunir actuar continuar acentuar aupar",
    "í": "esquiar espiar guiar vaciar enviar confiar enfriar criar desafiar ampliar fiar variar aislar prohibir",
}

ACCENTED = {"ú": "u", "í": "i"}
"""Stressed vowels that only take an accent: aúlla, esquía."""
_SPANISH_IRREGULAR = {
    "ser": "es son fue fueron era eran siendo sido será serán",
    "estar": "está están estuvo estuvieron estaba estaban estando estado",
    "ir": "va van fue fueron iba iban yendo ido irá irán",
    "haber": "hay ha han había habían hubo habrá habiendo habido",
    "tener": "tiene tienen tuvo tuvieron tenía tenían teniendo tenido",
    "hacer": "hace hacen hizo hicieron hacía hacían haciendo hecho hecha",
    "decir": "dice dicen dijo dijeron decía decían diciendo dicho",
    "dar": "da dan dio dieron daba daban dando dado",
    "ver": "ve ven vio vieron veía veían viendo visto",
    "venir": "viene vienen vino vinieron venía venían viniendo venido",
    "salir": "sale salen salió salieron salía salían saliendo salido",
    "poner": "pone ponen puso pusieron ponía ponían poniendo puesto puesta",
    "traer": "trae traen trajo trajeron traía traían trayendo traído",
    "caer": "cae caen cayó cayeron caía caían cayendo caído caída",
    "oír": "oye oyen oyó oyeron oía oían oyendo oído",
    "poder": "puede pueden pudo pudieron podía podían pudiendo podido",
    "querer": "quiere quieren quiso quisieron quería querían queriendo querido",
    "saber": "sabe saben supo supieron sabía sabían sabiendo sabido",
    "leer": "lee leen leyó leyeron leía leían leyendo leído",
    "creer": "cree creen creyó creyeron creía creían creyendo creído",
    "reír": "ríe ríen rio rió rieron reía reían riendo reído",
    "sonreír": "sonríe sonríen sonrió sonrieron sonreía sonreían sonriendo sonreído",
    "freír": "fríe fríen frió frieron freía freían friendo frito",
    "huir": "huye huyen huyó huyeron huía huían huyendo huido",
    "construir": "construye construyen construyó construyeron construía construían construyendo construido",
    "conducir": "conduce conducen condujo condujeron conducía conducían conduciendo conducido",
    "andar": "anda andan anduvo anduvieron andaba andaban andando andado",
    "oler": "huele huelen olió olieron olía olían oliendo olido",
    "abrir": "abre abren abrió abrieron abría abrían abriendo abierto abierta",
    "escribir": "escribe escriben escribió escribieron escribía escribían escribiendo escrito",
    "volver": "vuelve vuelven volvió volvieron volvía volvían volviendo vuelto",
    "descubrir": "descubre descubren descubrió descubrieron descubría descubrían descubriendo descubierto",
    "cubrir": "cubre cubren cubrió cubrieron cubría cubrían cubriendo cubierto cubierta",
    "romper": "rompe rompen rompió rompieron rompía rompían rompiendo roto rota",
    "yacer": "yace yacen yació yacieron yacía yacían yaciendo yacido",
}


_SPANISH_FIRST = {
    "estar": "estoy estamos estuve estuvimos estábamos",
    "ser": "soy somos éramos",
    "dar": "doy damos di dimos dábamos",
    "ir": "voy vamos fui fuimos íbamos iremos",
    "tener": "tengo tenemos tuve tuvimos teníamos",
    "hacer": "hago hacemos hice hicimos hacíamos",
    "ver": "veo vemos vi vimos veíamos",
    "decir": "digo decimos dije dijimos",
    "poner": "pongo ponemos puse pusimos",
    "salir": "salgo salimos salí salíamos",
    "venir": "vengo venimos vine vinimos veníamos",
    "traer": "traigo traemos traje trajimos",
    "caer": "caigo caemos caí caímos",
    "oír": "oigo oímos oí oíamos",
    "leer": "leo leemos leí leímos leíamos",
    "reír": "reí reímos reíamos",
    "sonreír": "sonrío sonreímos sonreí",
    "abrir": "abro abrimos abrí abríamos",
    "volver": "vuelvo volvemos volví volvimos volvíamos",
    "escribir": "escribo escribimos escribí",
    "descubrir": "descubro descubrimos descubrí",
    "andar": "ando andamos anduve anduvimos",
    "construir": "construyo construimos construí",
    "huir": "huyo huimos huí",
    "querer": "quise quisimos queríamos",
    "poder": "pude pudimos podíamos",
    "conducir": "conduzco conducimos conduje condujimos",
}


def _first_persons(infinitive: str) -> list[str]:
    """The first persons of a Spanish verb: "abrazo, abrazamos, abracé, abrazábamos, abrazaré …"."""
    if infinitive in _SPANISH_IRREGULAR or infinitive in _SPANISH_FIRST:
        return _SPANISH_FIRST.get(infinitive, "").split()
    stem, strong = infinitive[:-2], _changed(infinitive)
    if infinitive.endswith("ar"):
        soft = re.sub("z$", "c", re.sub("g$", "gu", re.sub("c$", "qu", stem)))
        found = [f"{strong}o", f"{stem}amos", f"{soft}é", f"{stem}ábamos"]
    else:
        found = [f"{strong}o", f"{stem}{'emos' if infinitive.endswith('er') else 'imos'}", f"{stem}í", f"{stem}imos"]
        found.append(f"{stem}íamos")
    return [*found, f"{infinitive}é", f"{infinitive}emos"]


@cache
def spanish_verb(infinitive: str) -> dict[str, str]:
    """The forms of a Spanish verb in which stories are told: {form: kind}; first and third persons, infinitive, gerund
    and participles."""
    forms = dict.fromkeys(_first_persons(infinitive), FIRST) | {infinitive: BASE}
    model = next((known for known in _SPANISH_IRREGULAR if _like(infinitive, known)), None)
    if model is not None:
        prefix = infinitive[: -len(model)]
        for form in _SPANISH_IRREGULAR[model].split():
            past = re.search(r"\w\w[dt][oa]$|cho$|cha$|sto$|sta$", form)
            forms[prefix + form] = ING if form.endswith("ndo") else PAST if past else THIRD
        return forms
    stem, kind = infinitive[:-2], infinitive[-2:].replace("í", "i")
    strong = _changed(infinitive)
    a = kind == "ar"
    hard = _changed(infinitive, past=True)
    finite = [f"{strong}{'a' if a else 'e'}", f"{strong}{'an' if a else 'en'}"]
    finite += [f"{stem}aba", f"{stem}aban", f"{stem}ó", f"{stem}aron"] if a else []
    finite += [] if a else [f"{stem}ía", f"{stem}ían", f"{hard}ió", f"{hard}ieron"]
    finite += [f"{infinitive}á", f"{infinitive}án"]
    finite = [re.sub("ñi(?=ó|e)", "ñ", form) for form in finite]  # riñó
    forms |= dict.fromkeys(finite, THIRD)
    forms |= {f"{stem}ando" if a else f"{hard}iendo": ING}
    forms |= dict.fromkeys((f"{stem}{'ad' if a else 'id'}{end}" for end in ("o", "a", "os", "as")), PAST)
    return forms


def _like(infinitive: str, model: str) -> bool:
    """Whether a verb goes as an irregular one: "sostener" as tener."""
    return infinitive == model or (
        infinitive.endswith(model) and model in ("tener", "poner", "venir", "traer", "decir", "construir")
    )


def _changed(infinitive: str, past: bool = False) -> str:
    """The stem as it is stressed, dorm- → duerm-; in the past dorm- → durm-, ped- → pid-."""
    stem = infinitive[:-2]
    for new, verbs in _CHANGES.items():
        if infinitive not in verbs.split():
            continue
        if past:
            if not infinitive.endswith(("ir", "ír")) or new in ACCENTED:
                return stem
            new = {"ie": "i", "ue": "u", "i": "i"}[new]
        old = {"ue": "u" if infinitive == "jugar" else "o", "u": "o", **ACCENTED}.get(new, "e")
        at = stem.rfind(old)
        stem = f"{stem[:at]}{new}{stem[at + 1 :]}"
        return re.sub("gu$", "g", stem) if infinitive.endswith("guir") and new == "ie" else stem
    return stem


def spanish_clitics(word: str) -> tuple[str, list[str]]:
    """The verb and the pronouns that hang on it: "abrazándola" → ("abrazando", ["la"])."""
    hit = re.fullmatch(r"(\w+?(?:[aeií]r|[áé]ndo|ando|iendo))(se|me|te)?(l[aeo]s?|se|nos)?", word)
    if not hit or not (hit[2] or hit[3]):
        return word, []
    verb = hit[1].replace("ándo", "ando").replace("éndo", "endo")
    return verb, [part for part in hit.groups()[1:] if part]
