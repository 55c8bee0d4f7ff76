"""The app's words in the visitor's language: keys of `ui/strings.yaml`.

`t("cast.name")` goes wherever the page shows words that are known beforehand: labels, hints, choices, buttons, and
inside any HTML (`f"<h2>{t('cast.heading')}</h2>"`, and `escape(t(key))` in an attribute); the browser puts the words of
its language there. `words(request)` is for sentences with values in them, which the server makes, and for the program's
own sentences and errors.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from html import escape

import gradio as gr

from ui.strings import LANGUAGES, say, told, translations
from ui.tongue import wanted

_SAID = {code: dict(said) for code, said in translations().items()}
I18N = gr.I18n(**_SAID, **{"zh-TW": _SAID["zh-CN"]})
"""What the page is launched with. Gradio has words of its own for Taiwan and would add English ones for ours."""

TRANSLATE = """
<script>
(() => {
  const all = WORDS, asked = navigator.language.toLowerCase(), family = (code) => code.toLowerCase().split("-")[0];
  const code = Object.keys(all).find((code) => code.toLowerCase() === asked)
    ?? Object.keys(all).find((code) => family(code) === family(asked)) ?? "en";
  const mark = /__i18n__(\\{[^{}]*\\})/g;
  const said = (text) => text.replace(mark, (found, data) => {
    try { return all[code][JSON.parse(data).key] ?? found; } catch { return found; }
  });
  const attributes = ["title", "aria-label", "placeholder", "alt", "value"];
  function translate(node) {
    if (node.nodeType === Node.TEXT_NODE) {
      const now = said(node.data);
      if (now !== node.data) node.data = now;  // or the observer, told of it again, would never come to an end
      return;
    }
    for (const name of attributes) {
      const text = node.getAttribute?.(name) ?? "", now = said(text);
      if (now !== text) node.setAttribute(name, now);
    }
    node.childNodes.forEach(translate);
  }
  new MutationObserver((changes) => changes.forEach(({type, target, addedNodes}) =>
    type === "childList" ? addedNodes.forEach(translate) : translate(target)
  )).observe(document, {subtree: true, childList: true, characterData: true, attributeFilter: attributes});
  document.documentElement.lang = code;
  for (const key of ["cast.drop", "script.drop", "find.drop"]) {  // for a style sheet alone
    document.documentElement.style.setProperty(`--say-${key.replace(".", "-")}`, JSON.stringify(all[code][key]));
  }
})();
</script>
""".replace("WORDS", json.dumps(translations(), ensure_ascii=False).replace("<", "\\u003c"))
"""For the page's head. Gradio translates the first mark of a text, and in HTML there are more of them."""


def in_all(sentence: str) -> str:
    """A sentence of the program's as HTML in every language, of which the page shows its own (`ui/css/page.css`): for
    what the server makes without knowing who reads it."""
    return "".join(f'<span lang="{code}">{escape(told(code, sentence))}</span>' for code in LANGUAGES)


def t(key: str) -> str:
    """A mark for the words of `key`, for labels and HTML. Raises KeyError for an unknown one."""
    if key not in translations()["en"]:
        raise KeyError(key)
    return str(I18N(key))


def spoken(request: gr.Request | None) -> str:
    """The code of the visitor's language, as `ui.tongue.wanted` has it."""
    return wanted(request.headers if request else {})


def words(request: gr.Request | None) -> Callable[..., str]:
    """`say` in the visitor's language: words(request)("frames.queue", place=3), and words(request)(error)."""
    return partial(say, spoken(request))
