"""A connection that breaks: what is done on the page meanwhile is sent when the server answers again.

Gradio loads the page anew after a request that found no server, and what was typed since would be gone. The server may
have heard the request all the same, and only its answer got lost: by its number it does nothing twice (`ui.once`).
"""

from __future__ import annotations

import gradio as gr

from ui.once import NUMBER
from ui.words import t

AGAIN = """
<script>
(() => {
  const ask = window.fetch.bind(window), PAUSE = 1000, TRIES = 3;
  const EVENT = /\\/(run\\/predict|queue\\/join)(?=[/?]|$).*/;  // what a page asks
  const LIVES = "/app_id";  // and what tells whether anybody answers
  let waiting = 0;
  const wait = (by) => document.documentElement.classList.toggle("unconnected", (waiting += by) > 0);
  const unsent = () => waiting || "telling" in document.body.dataset || document.querySelector(".story.waits");
  const answered = async (address) => {
    for (;;) {
      await new Promise((done) => setTimeout(done, PAUSE));
      try { return await ask(address); } catch { /* not yet */ }
    }
  };
  window.fetch = async (what, how) => {
    const address = String(what?.url ?? what);
    if (address.endsWith(LIVES) && unsent()) throw new TypeError("There is something to be sent first.");
    if (EVENT.test(address)) {
      const headers = new Headers(how?.headers), number = crypto.getRandomValues(new Uint32Array(4));
      headers.set("NUMBER", number.join("-"));
      how = {...how, headers};
    }
    for (let tries = 1; ; tries++) {
      try {
        return await ask(what, how);
      } catch (error) {
        if (!EVENT.test(address) || how?.signal?.aborted || tries === TRIES) throw error;
        wait(1);
        await answered(address.replace(EVENT, LIVES));
        wait(-1);
      }
    }
  };
})();
</script>
""".replace("NUMBER", NUMBER)
"""For the page's head. Files are not sent again: the server may have refused them for their size."""


def create() -> gr.HTML:
    """Where it is said that the connection is broken, while it is."""
    return gr.HTML(f'<p role="status">{t("app.unconnected")}</p>', elem_id="unconnected")
