"""Storage for a page in another site's frame: browsers refuse it theirs, and even a look at it raises. A store that
lasts as long as the tab takes its place, before anything of the page asks for it."""

STORAGE = """
<script>
(() => {
  for (const name of ["localStorage", "sessionStorage"]) {
    try {
      window[name].getItem("anystory");
    } catch {
      const kept = new Map();
      const storage = {
        get length() { return kept.size; },
        key: (at) => [...kept.keys()][at] ?? null,
        getItem: (key) => kept.get(String(key)) ?? null,
        setItem: (key, value) => { kept.set(String(key), String(value)); },
        removeItem: (key) => { kept.delete(String(key)); },
        clear: () => kept.clear(),
      };
      Object.defineProperty(window, name, {value: storage, configurable: true});
      document.documentElement.classList.add("for-tab");
    }
  }
})();
</script>
"""
"""Goes into the page's head, before all else. `html.for-tab` marks a page that is forgotten with its tab."""
