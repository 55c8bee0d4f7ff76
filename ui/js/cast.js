// The cards of the cast: what comes from the server goes into them, what is done on them goes there.
// Texts that the server has not heard yet (`props.heard` counts) stay as they were typed.
const grid = element.querySelector("#actors");
const WAIT = 300; // milliseconds of quiet after which a description is told
const typed = new WeakMap(); // by input: the number of its last change
const waiting = new Map(); // by input: the timer that will tell it
const before = new WeakMap(); // by input: its text when it was entered
let count = 0;

const keyOf = (node) => node.closest(".actor").dataset.key;
const isText = (node) => node.matches?.("input[type=text], input[type=number]");

function morph(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.nodeName !== fresh.nodeName || old.nodeType !== Node.ELEMENT_NODE) return old.replaceWith(fresh);
  for (const {name} of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const {name, value} of [...fresh.attributes]) {
    if (old.getAttribute(name) === value) continue;
    if (name === "value" && isText(old)) {
      if ((typed.get(old) || 0) > props.heard) continue;
      old.value = value;
    }
    old.setAttribute(name, value);
  }
  const there = [...old.childNodes];
  const wanted = [...fresh.childNodes];
  wanted.forEach((node, index) => (there[index] ? morph(there[index], node) : old.append(node)));
  there.slice(wanted.length).forEach((node) => node.remove());
  if (old.matches("select") && (typed.get(old) || 0) <= props.heard) old.value = fresh.value;
}

function merge() {
  const template = document.createElement("template");
  template.innerHTML = props.value || "";
  const fresh = [...template.content.children];
  const keys = new Set(fresh.map((card) => card.dataset.key));
  const focused = grid.contains(document.activeElement) ? document.activeElement : null;
  const own = focused?.closest(".actor");
  const place = [...grid.children].indexOf(own);
  for (const card of [...grid.children]) if (!keys.has(card.dataset.key)) card.remove();
  const there = new Map([...grid.children].map((card) => [card.dataset.key, card]));
  fresh.forEach((card, index) => {
    const old = there.get(card.dataset.key);
    if (old) morph(old, card);
    const now = old || card;
    if (grid.children[index] !== now) grid.insertBefore(now, grid.children[index] || null);
  });
  if (!focused || (document.activeElement === focused && !focused.disabled)) return;
  if (grid.contains(focused) && !focused.disabled) focused.focus();
  else (grid.contains(own) ? own : grid.children[Math.min(place, fresh.length - 1)])?.focus();
}

function tell(input) {
  clearTimeout(waiting.get(input));
  if (!waiting.delete(input)) return;
  const said = {key: keyOf(input), text: input.value, count: typed.get(input)};
  if (input.closest(".height")) before.set(input, input.value);
  if (input.closest(".words")) trigger("words", said);
  else if (input.closest(".height")) trigger("tall", said);
  else trigger("rename", said);
}

async function pictures(card, files, more) {
  const images = [...files];  // whose types browsers do not always know
  if (!images.length) return;
  card.setAttribute("aria-busy", "true");
  try {
    const paths = await Promise.all(images.map(async (file) => (await upload(file)).path));
    trigger("picture", {key: card.dataset.key, paths, more, count: ++count});
  } catch (error) {
    card.removeAttribute("aria-busy");
    trigger("refused", {file: images[0].name});
  }
}

element.addEventListener("input", ({target}) => {
  if (!isText(target)) return;
  typed.set(target, ++count);
  target.setAttribute("value", target.value);
  clearTimeout(waiting.get(target));
  // A name is told when it is finished: half of one may be another's, or a word of the script. So is a height.
  waiting.set(target, target.closest(".words") ? setTimeout(tell, WAIT, target) : null);
});
element.addEventListener("focusin", ({target}) => {
  if (isText(target)) before.set(target, target.value);
});
element.addEventListener("focusout", ({target}) => {
  if (!isText(target)) return;
  if ((target.closest(".name") && !target.value.trim()) || !target.validity.valid) {
    target.value = before.get(target);
    target.setAttribute("value", target.value);
  }
  tell(target);
});
element.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && isText(event.target) && event.target.reportValidity()) tell(event.target);
});
element.addEventListener("click", ({target}) => {
  const button = target.closest("button");
  if (!button) return;
  const key = keyOf(button);
  const picture = button.closest("[data-picture]")?.dataset.picture;
  if (button.matches(".remove")) trigger("remove", {key});
  else if (button.matches(".up")) trigger("move", {key, by: -1});
  else if (button.matches(".down")) trigger("move", {key, by: 1});
  else if (button.matches(".mask")) trigger("mask", {picture});
  else if (button.matches(".unpicture")) trigger("unpicture", {picture});
  else if (button.matches(".likeness")) trigger("choose", {key, drawing: button.dataset.drawing});
});
element.addEventListener("change", async ({target}) => {
  if (target.matches("select")) {
    typed.set(target, ++count);
    for (const option of target.options) option.toggleAttribute("selected", option.selected);
    trigger("turn", {key: keyOf(target), text: target.value, count});
  }
  if (!target.matches("input[type=file]")) return;
  const files = [...target.files];
  target.value = "";
  await pictures(target.closest(".actor"), files, target.multiple);
});
const over = (event) => event.target.closest?.(".actor");
element.addEventListener("dragover", (event) => {
  if (!over(event)) return;
  event.preventDefault();
  over(event).classList.add("over");
});
element.addEventListener("dragleave", (event) => over(event)?.classList.remove("over"));
element.addEventListener("drop", (event) => {
  const card = over(event);
  if (!card) return;
  event.preventDefault();
  card.classList.remove("over");
  pictures(card, event.dataTransfer.files, true);
});

watch("value", merge);
watch("cut", () => [...grid.children].forEach((card) => card.removeAttribute("aria-busy")));
merge();
