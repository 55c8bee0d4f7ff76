// The board: the cards of the panels. What comes from the server goes into them, but never into what somebody is typing in; what
// is done on them goes there one by one, each on the text that came of the one before (`props.heard` counts), also of what
// was told of an opened frame (`telling` of the page).
const root = element.querySelector(".deck");
const WAIT = 300; // milliseconds of quiet after which words of a card are told
const PAUSE = 200; // and after which the text is read
const QUIET = new Set(["prompt", "caption", "say", "style"]);
const timers = new Map(); // by input: what will tell it
const queue = [];
let sent = 0;
let busy = null; // the action that is not answered yet
let after = null; // what waits for the text to hear of everything typed
let goal = null; // selectors of what to focus, the first there is, once the cards are those of the last action

const isField = (node) => node?.dataset?.field !== undefined;
const typing = (node) => node === document.activeElement || timers.has(node) || queue.some((it) => it.of === node);

function morph(old, fresh) {
  if (old.isEqualNode(fresh) || old.matches?.(".made, .how")) return; // what is in these is not the server's
  if (old.matches?.(".frame") && fresh.matches?.("[data-pending]")) return old.setAttribute("data-pending", "");
  if (old.nodeName !== fresh.nodeName || old.nodeType !== Node.ELEMENT_NODE) return old.replaceWith(fresh);
  const keep = isField(old) && typing(old);
  for (const {name} of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && name !== "open" && name !== "style") old.removeAttribute(name);
  }
  for (const {name, value} of [...fresh.attributes]) {
    if (old.getAttribute(name) !== value && !(name === "open" && old.contains(document.activeElement))) {
      old.setAttribute(name, value);
    }
  }
  if (old.nodeName !== "TEXTAREA") {
    const there = [...old.childNodes];
    const wanted = [...fresh.childNodes];
    wanted.forEach((node, index) => (there[index] ? morph(there[index], node) : old.append(node)));
    there.slice(wanted.length).forEach((node) => node.remove());
  }
  if (isField(old) && !keep && old.value !== old.dataset.value) old.value = old.dataset.value;
  grow(old);
}

const SIZED = CSS.supports("field-sizing", "content"); // the browser grows them itself

function grow(node) {
  if (SIZED || node.nodeName !== "TEXTAREA") return;
  node.style.height = "auto";
  node.style.height = `${node.scrollHeight + 2}px`;
}

function merge() {
  const template = document.createElement("template");
  template.innerHTML = `<div class="deck">${props.value || ""}</div>`;
  morph(root, template.content.firstChild);
  root.querySelectorAll("textarea").forEach(grow);
  dress();
  if (root.querySelector("[data-pending]")) ask(0);
  if (goal && !busy) {
    const found = goal.map((selector) => root.querySelector(selector)).find(Boolean);
    goal = null;
    if (found) { found.focus(); found.select?.(); found.closest(".panel").scrollIntoView({block: "nearest"}); }
  }
}

const page = document.body.dataset;
const waits = () => busy || queue.length || "telling" in page;

function next() {
  if (busy || !queue.length || "telling" in page) return;
  busy = queue.shift();
  page.telling = "cards";
  const {of, was, ...action} = busy;
  trigger("act", {...action, count: ++sent});
}

function act(action, ...focus) {
  goal = focus.length ? focus : null;
  queue.push(action);
  next();
}

const numberOf = (node) => Number(node.closest(".panel").dataset.number);

function tell(input) {
  clearTimeout(timers.get(input));
  timers.delete(input);
  const {field, line} = input.dataset;
  if (input.value === input.dataset.value || !input.isConnected) return;
  const was = input.dataset.value;
  input.dataset.value = input.value;
  act({do: "edit", number: numberOf(input), field, line: Number(line || 0), text: input.value, of: input, was});
}

const flush = () => [...timers.keys()].forEach(tell);

element.addEventListener("input", ({target}) => {
  if (!isField(target) || target.nodeName === "SELECT") return;
  const {field} = target.dataset;
  if (field === "seed") target.value = target.value.replace(/\D/g, "");
  grow(target);
  clearTimeout(timers.get(target));
  // Words are told while they are typed, numbers when they are whole, and nothing said is told when it is left.
  const wait = QUIET.has(field) && (field !== "say" || target.value.trim());
  timers.set(target, wait ? setTimeout(tell, WAIT, target) : null);
});
element.addEventListener("change", ({target}) => { if (isField(target)) tell(target); });
element.addEventListener("focusout", ({target}) => { if (isField(target) && timers.has(target)) tell(target); });
element.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && isField(event.target) && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    tell(event.target);
  }
});

element.addEventListener("click", ({target, detail}) => {
  const button = target.closest("button");
  if (!button) return;
  if (button.matches(".made")) return look(button.closest(".frame"));
  if (button.matches(".go")) return show(button.dataset.name);
  flush();
  if (button.matches(".fix") && detail < 2) { // a second click is none on what comes to lie there
    const {start, end, code} = button.dataset;
    return trigger("fix", {start: Number(start), end: Number(end), code});
  }
  if (button.matches(".place")) return place(button.dataset);
  const number = numberOf(button);
  const card = (n, what) => `.panel[data-number="${n}"] ${what}`;
  if (button.matches(".name")) act({do: "name", number, text: button.dataset.name}, card(number, `[data-name="${CSS.escape(button.dataset.name)}"]`));
  else if (button.matches(".up")) act({do: "move", number, to: number - 1}, card(number - 1, ".up:enabled"), card(number - 1, ".down"));
  else if (button.matches(".down")) act({do: "move", number, to: number + 1}, card(number + 1, ".down:enabled"), card(number + 1, ".up"));
  else if (button.matches(".copy")) act({do: "copy", number}, card(number + 1, ".prompt"));
  else if (button.matches(".add")) act({do: "add", number}, card(number + 1, ".prompt"));
  else if (button.matches(".remove")) act({do: "remove", number}, card(Math.max(1, number - 1), ".remove"));
  else if (button.matches(".dice")) act({do: "dice", number}, card(number, ".dice"));
  else if (button.matches(".say")) {
    const line = button.closest(".panel").querySelectorAll(".said").length;
    act({do: "say", number}, card(number, `[data-field=say][data-line="${line}"]`));
  }
  else if (button.matches(".unsay")) {
    act({do: "edit", number, field: "say", line: Number(button.dataset.line), text: ""}, card(number, ".say"));
  }
});

// Frames are made of what stands in the cards, also of what was typed just now, and a story is put away with it.
document.addEventListener("click", (event) => {
  const button = event.target.closest?.("#render, #example, #story-new, #story-notice [data-do=undo]");
  if (!button) return;
  flush();
  if (!waits()) return;
  event.stopImmediatePropagation();
  event.preventDefault();
  after = button;
}, true);

function place({start, end}) {
  const box = document.querySelector("#script textarea");
  const units = (count) => Array.from(box.value).slice(0, count).join("").length; // Python counts no surrogates
  box.focus();
  box.setSelectionRange(units(start), units(end));
}

function show(name) {
  const inputs = [...document.querySelectorAll(".actor .name input")];
  const input = inputs.find((it) => it.value === name);
  input?.scrollIntoView({block: "center"});
  input?.focus();
}

function look(slot) {
  item(slot).querySelector(".thumbnail-item").click();
  document.querySelector("#frames-sheet").scrollIntoView({block: "start"});
}

let dragged = null;
element.addEventListener("dragstart", (event) => {
  if (!event.target.closest?.(".number")) return;
  flush();
  dragged = numberOf(event.target);
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", String(dragged));
});
element.addEventListener("dragover", (event) => {
  const card = dragged && event.target.closest?.(".panel");
  if (!card) return;
  event.preventDefault();
  root.querySelectorAll(".over").forEach((other) => other !== card && other.classList.remove("over"));
  card.classList.add("over");
});
element.addEventListener("drop", (event) => {
  const card = dragged && event.target.closest?.(".panel");
  if (!card) return;
  event.preventDefault();
  const number = dragged, to = numberOf(card);
  if (number !== to) act({do: "move", number, to});
});
element.addEventListener("dragend", () => {
  dragged = null;
  root.querySelectorAll(".over").forEach((card) => card.classList.remove("over"));
});

// The text is read after a pause, unless the cards came of it; everything else that the cards depend on, as well.
let pause = null;
function ask(wait) {
  clearTimeout(pause);
  pause = setTimeout(() => trigger("read"), wait);
}
document.addEventListener("script-changed", ({detail}) => {
  if (!detail.typed || document.querySelector("#script textarea")?.value !== props.text) ask(PAUSE);
});

// Over a sketch lies what the strip shows of the panel: its frame, or how that is coming on.
const PICTURES = {done: ".thumbnail-item img", making: ".live:not([hidden])"};
const item = (slot) => document.querySelector(`#gallery li[data-panel="${slot.dataset.frame || "none"}"]`);
function dress() {
  for (const slot of root.querySelectorAll(".frame")) {
    const there = item(slot);
    const how = there?.className ?? "open";
    const made = slot.querySelector(".made");
    const picture = PICTURES[how] && there.querySelector(PICTURES[how]);
    slot.dataset.state = how;
    slot.style.setProperty("--part", there?.style.getPropertyValue("--part") || 0);
    made.hidden = !picture;
    made.disabled = how !== "done";
    if (picture && made.firstChild.src !== picture.src) made.firstChild.src = picture.src;
    slot.querySelector(".how").textContent = there?.querySelector(".how")?.textContent ?? "";
  }
}
document.addEventListener("strip-changed", dress);

watch("value", merge);

function answered() {
  busy = null;
  delete page.telling;
  merge();
  next();
  document.dispatchEvent(new Event("told"));
}
watch("heard", () => setTimeout(() => { // once the cards that came with it are there too
  if (busy && props.heard >= sent) answered(); else merge();
}));
document.addEventListener("untold", () => { // no answer will come: words that were typed stay, and are told again
  if (!busy) return;
  const {of, was} = busy;
  goal = null;
  if (of && !queue.some((it) => it.of === of)) {
    of.dataset.value = was;
    timers.set(of, null);
  }
  setTimeout(answered);
});
document.addEventListener("told", () => {
  next();
  if (waits() || !after) return;
  const button = after;
  after = null;
  button.click();
});
merge();
if (document.querySelector("#script textarea")?.value) ask(PAUSE);
