// The shelf's drawer: typing leaves those whose name or words have it, Enter takes the first, arrows go along.
const drawer = element.querySelector("details");
const search = element.querySelector("input");
const buttons = [...element.querySelectorAll("button")];
const shown = () => buttons.filter((button) => !button.hidden);
const take = (button) => trigger("take", {name: button.dataset.name});

search.addEventListener("input", () => {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const button of buttons) button.hidden = !words.every((word) => button.title.toLowerCase().includes(word));
  element.querySelector("p").hidden = shown().length > 0;
});
drawer.querySelector("summary").addEventListener("click", () => { // which is asked before it opens
  if (!drawer.open) setTimeout(() => search.focus({preventScroll: true}));
});
element.addEventListener("click", ({target}) => {
  const button = target.closest("button");
  if (button) take(button);
});
element.addEventListener("keydown", (event) => {
  const step = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1}[event.key];
  if (event.key === "Escape" && drawer.open) {
    event.stopPropagation();
    drawer.open = false;
    drawer.querySelector("summary").focus();
  } else if (event.target === search) {
    if (event.key === "Enter" && search.value.trim() && shown().length && !event.ctrlKey && !event.metaKey) take(shown()[0]);
    if (event.key === "ArrowDown" && shown().length) { event.preventDefault(); shown()[0].focus(); }
  } else if (step && event.target.matches("button")) {
    event.preventDefault();
    const others = shown();
    others[(others.indexOf(event.target) + step + others.length) % others.length].focus();
  }
});
