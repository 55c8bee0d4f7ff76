// Other frames of the panel: a click on one lays it over the one that stands there, to compare and to choose.
const find = (selector) => element.querySelector(selector);

element.addEventListener("click", ({target}) => {
  const button = target.closest("button");
  if (!button) return;
  const {key, act} = button.dataset;
  if (key) {
    element.querySelectorAll("[data-key]").forEach((other) => { other.ariaPressed = String(other === button); });
    const compare = find(".compare");
    compare.hidden = false;
    compare.dataset.chosen = key;
    compare.querySelector(".after").src = button.querySelector("img").src;
    compare.querySelector(".slide").value = 50;
    compare.querySelector(".two").style.setProperty("--at", "50%");
    compare.scrollIntoView({block: "nearest"});
  }
  if (act === "vary") trigger("vary", {count: Number(find(".count").value)});
  if (act === "pin") trigger("pin", {on: button.ariaPressed !== "true"});
  if (act === "pick") trigger("pick", {key: find(".compare").dataset.chosen});
});
element.addEventListener("input", ({target}) => {
  if (target.matches(".slide")) find(".two").style.setProperty("--at", `${target.value}%`);
});
