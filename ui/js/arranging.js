// The cast of an opened frame as objects. Everything is in pixels of the layers; `plane` is scaled to the picture. An
// object has a middle, the size of its upright picture, and an angle; only its transforms change while it is moved.
const laid = document.querySelector("#laid"), progress = document.querySelector("#progress");
let frame, words, data, objects = [], picked, changed = false, freed = [], timer, grip, due = false;
let sent = 0, asked = null;  // moves that were told; the last one while it is not answered yet (`props.heard` counts)
const left = [];  // moves of frames that were left before they were told
let held = "";  // whose object has the focus, also while the page shows another frame of the panel

const make = (kind, name, within) => {
  const node = document.createElement(kind);
  node.className = name;
  within?.append(node);
  return node;
};
const plane = make("div", "plane"), tools = make("div", "tools"), live = make("p", "spoken");
live.setAttribute("aria-live", "polite");
const say = (key, values = {}) => (words[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
const rounded = (object, angle) => {  // the box around the picture, turned
  const turn = angle * Math.PI / 180, [cos, sin] = [Math.abs(Math.cos(turn)), Math.abs(Math.sin(turn))];
  const [wide, tall] = object.size;
  return [wide * cos + tall * sin, wide * sin + tall * cos];
};
const feet = (object) => object.middle[1] + rounded(object, object.pose)[1] / 2;

function begin() {
  const fresh = element.querySelector(".opened-frame");
  if (!fresh) return;
  words = JSON.parse(fresh.dataset.words);
  if (data && String(data.id) !== fresh.dataset.id) {
    if (changed && data.auto) left.push(told());
    clear();
    send();
  }
  if (fresh !== frame) {
    frame = fresh;
    new ResizeObserver(fit).observe(frame);
  }
  if (plane.parentNode !== frame) {
    const whole = frame.querySelector(".whole"), full = make("button", "full", frame);
    Object.assign(full, {type: "button", ariaLabel: words.full, title: words.full, textContent: "⤢"});
    full.addEventListener("click", () => frame.requestFullscreen());
    whole.addEventListener("load", settle);
    frame.append(plane, tools, live);
    if (data && !whole.complete) frame.classList.add("moving");  // the layers until the frame has come
    objects.find((object) => object.name === held)?.node.focus({preventScroll: true});
  }
  lay();
}

function clear() {
  plane.replaceChildren();
  tools.replaceChildren();
  frame?.classList.remove("moving");
  clearTimeout(timer);
  delete plane.dataset.told;
  [data, objects, picked, changed, freed, due] = [null, [], null, false, [], left.length > 0];
}

function lay() {
  const told = laid?.querySelector("[data-laid]")?.dataset.laid;
  if (!told || !frame) return;
  const now = JSON.parse(told);
  if (String(now.id) !== frame.dataset.id || told === plane.dataset.told || changed || grip || asked) return;
  const name = picked?.name, again = held === name;
  clear();
  plane.dataset.told = told;
  data = now;
  plane.style.width = `${data.size[0]}px`;
  plane.style.height = `${data.size[1]}px`;
  const pictures = data.layers.map(({source, box, depth, owner}) => {
    const picture = make("img", "layer", plane);
    Object.assign(picture, {src: source, alt: "", draggable: false});
    ["width", "height"].forEach((side, at) => picture.style.setProperty(side, `${box[2 + at]}px`, "important"));
    picture.style.zIndex = order(depth);
    picture.style.transform = `translate(${box[0]}px, ${box[1]}px)`;
    return {picture, box, owner};
  });
  objects = data.objects.map((told, index) => {
    const node = make("div", "object", plane);
    node.tabIndex = 0;
    node.setAttribute("role", "button");
    node.setAttribute("aria-roledescription", say("object"));
    node.style.setProperty("--who", told.colour);
    node.dataset.name = told.name;
    if (data.own) make("i", "spin", node);
    make("i", "grow", node);
    const object = {...told, node, picture: pictures[told.layer], held: pictures.filter(({owner}) => owner === index)};
    object.first = {middle: [...told.middle], size: [...told.size], angle: told.angle, mirrored: told.mirrored};
    object.ground = feet(object);
    return object;
  });
  objects.forEach(show);
  fit();
  const same = objects.find((object) => object.name === name);
  if (same) pick(same, again);
}

function fit() {
  if (!data) return;
  const scale = frame.querySelector(".whole").clientWidth / data.size[0];
  plane.style.transform = `scale(${scale})`;
  plane.style.setProperty("--scale", scale);
}

const order = (depth) => Math.round((depth + 10) * 1000);

function show(object) {
  const {middle: [x, y], size: [wide, tall], first} = object, factor = tall / first.size[1];
  const place = `translate(${x}px, ${y}px) rotate(${object.angle}deg)`;
  const flip = object.mirrored ? -1 : 1, flipped = first.mirrored ? -1 : 1;
  const depth = object.depth + (feet(object) - object.ground) / data.size[1];
  object.node.style.transform = `${place} translate(-50%, -50%)`;
  [object.node.style.width, object.node.style.height] = [`${wide}px`, `${tall}px`];
  object.node.style.zIndex = 20000 + order(depth);
  object.node.setAttribute("aria-label", `${object.name}, ${where(object)}`);
  if (object.picture) {
    const {picture, box} = object.picture;
    picture.style.transform = `${place} scale(${flip * factor}, ${factor}) translate(${-box[2] / 2}px, ${-box[3] / 2}px)`;
    picture.style.zIndex = order(depth);
  }
  object.held.forEach(({picture, box}) => {  // goes along as it was held
    const back = `scale(${flipped}, 1) rotate(${-first.angle}deg) translate(${-first.middle[0]}px, ${-first.middle[1]}px)`;
    picture.style.transform = `${place} scale(${flip * factor}, ${factor}) ${back} translate(${box[0]}px, ${box[1]}px)`;
    picture.style.zIndex = order(depth) + 1;
  });
}

const percent = (value, of) => Math.round(100 * value / of);
const where = (object) => say("at", {
  x: percent(object.middle[0], data.size[0]), y: percent(feet(object), data.size[1]),
  size: percent(object.size[1], data.size[1]), turn: Math.round(object.angle),
});

function pick(object, focus = false) {
  if (picked !== object) {
    picked?.node.setAttribute("aria-pressed", "false");
    picked = object;
    object?.node.setAttribute("aria-pressed", "true");
    tell();
  }
  if (focus) object?.node.focus({preventScroll: true});
}

function tell() {  // the tools of whoever is picked
  tools.replaceChildren();
  if (!picked) return;
  const who = make("span", "who", tools);
  who.style.setProperty("--who", picked.colour);
  who.textContent = picked.name;
  const own = data.own ? [["flip", "⇋"], ["left", "↺"], ["right", "↻"]] : [];
  const all = [...own, ["smaller", "−"], ["larger", "+"], ["farther", "⤒"], ["nearer", "⤓"]];
  if (picked.placed || changed) all.push(["free", "✕"]);
  if (!data.auto && changed) all.push(["make", ""]);
  all.forEach(([key, sign]) => {
    const button = make("button", key, tools);
    button.type = "button";
    button.title = button.ariaLabel = say(key);
    button.textContent = sign || say(key);
    button.addEventListener("click", () => (key === "make" ? send() : act(key)));
  });
  make("span", "waits", tools).textContent = due ? say("waits") : "";
  make("span", "keys", tools).textContent = say("keys");
}

function wait(whether) {  // until the frames are made
  due = whether;
  const note = tools.querySelector(".waits"), words = whether ? say("waits") : "";
  if (note) note.textContent = words;
  if (whether) live.textContent = words;
}

function grow(object, factor) {  // about the feet
  const [, height] = rounded(object, object.pose), low = object.middle[1] + height / 2;
  const most = 1.9 * data.size[1], least = 0.03 * data.size[1];
  factor = Math.min(Math.max(factor, least / object.size[1]), most / Math.max(object.size[0], object.size[1]));
  object.size = object.size.map((side) => side * factor);
  object.middle[1] = low - height * factor / 2;
}

function within(object) {  // somewhere in the frame
  [0, 1].forEach((axis) => {
    const half = rounded(object, object.pose)[axis] / 2, margin = 0.04 * data.size[axis];
    const beyond = 0.9 * data.size[axis];
    const low = Math.max(margin - half, half - beyond), high = Math.min(data.size[axis] - margin + half, data.size[axis] + beyond - half);
    object.middle[axis] = Math.min(Math.max(object.middle[axis], low), high);
  });
}

function act(key) {
  const object = picked, step = {nearer: 1, farther: -1}[key];
  if (key === "flip") {
    object.mirrored = !object.mirrored;
    [object.angle, object.pose] = [-object.angle, -object.pose];
  }
  if (key === "left" || key === "right") {
    object.angle += key === "left" ? -5 : 5;
    object.turned = true;
  }
  if (key === "smaller" || key === "larger") grow(object, key === "larger" ? 1.06 : 1 / 1.06);
  if (step) {
    object.middle[1] += step * 0.03 * data.size[1];
    grow(object, step > 0 ? 1.07 : 1 / 1.07);
  }
  if (key === "free") {
    freed.push(object.name);
    object.freed = true;
  } else object.moved = true;
  after(object, 350);
}

function after(object, wait) {
  within(object);
  changed = true;
  frame.classList.add("moving");
  show(object);
  live.textContent = object.node.ariaLabel;
  clearTimeout(timer);
  if (!data.auto) return tell();
  timer = setTimeout(send, wait);
}

function send() {
  if (!changed && !left.length) return;
  const busy = Boolean(progress?.querySelector(".progress"));
  if (grip || busy || "telling" in document.body.dataset) { due = true; if (busy) wait(true); return; }  // when that is done
  wait(false);
  document.body.dataset.telling = "objects";  // and no chip or card until it is answered
  asked = left.shift() ?? told();
  due = changed || left.length > 0;
  trigger("arrange", {...asked, count: ++sent});
}

function told() {  // what the objects have become
  const [width, height] = data.size;
  const all = objects.filter((object) => !object.freed && (object.moved || object.placed || (data.own && object.keeps)));
  changed = false;
  return {
    of: data.of, free: freed,
    objects: freed.length && !objects.some((object) => object.moved) ? [] : all.map((object) => {
      const [wide, tall] = rounded(object, object.pose), [x, y] = object.middle;
      return {
        name: object.name, angle: object.angle, turned: Boolean(object.turned), mirrored: object.mirrored,
        box: [(x - wide / 2) / width, (y - tall / 2) / height, (x + wide / 2) / width, (y + tall / 2) / height],
      };
    }),
  };
}

function answered(late) {
  const move = asked;
  asked = null;
  delete document.body.dataset.telling;
  if (late) {  // frames were made just then
    if (data?.of === move.of) changed = true; else left.unshift(move);
    due = true;
    setTimeout(send, 400);
  } else if (due) send(); else lay();
  document.dispatchEvent(new Event("told"));
}
watch("heard", () => setTimeout(() => {  // once what came with it is there too
  if (asked && props.heard >= sent) answered(props.late === sent);
}));
document.addEventListener("untold", () => {  // no answer will come: everybody is where the frame has them
  if (!asked) return;
  delete plane.dataset.told;
  setTimeout(answered, 0, false);
});
document.addEventListener("told", () => { if (due) send(); });

function settle() {  // the frame has been composed anew
  if (!grip && !changed) frame.classList.remove("moving");
}

// --- by pointer ---------------------------------------------------------------------------------------------------

const point = (event) => {
  const area = plane.getBoundingClientRect(), scale = area.width / data.size[0];
  return [(event.clientX - area.left) / scale, (event.clientY - area.top) / scale];
};

function alphas({picture}) {  // how much of each field of a picture is there, small
  if (picture.alphas || !picture.naturalWidth) return picture.alphas;
  const canvas = new OffscreenCanvas(48, 48), context = canvas.getContext("2d");
  context.drawImage(picture, 0, 0, 48, 48);
  picture.alphas = context.getImageData(0, 0, 48, 48).data;
  return picture.alphas;
}

function seen(object, [x, y]) {  // whether a point is on the figure itself
  if (!object.picture) return true;
  const turn = -object.angle * Math.PI / 180, [dx, dy] = [x - object.middle[0], y - object.middle[1]];
  const across = (dx * Math.cos(turn) - dy * Math.sin(turn)) * (object.mirrored ? -1 : 1);
  const down = dx * Math.sin(turn) + dy * Math.cos(turn), factor = object.size[1] / object.first.size[1];
  const [, , wide, tall] = object.picture.box, there = alphas(object.picture);
  const [column, row] = [across / factor / wide + 0.5, down / factor / tall + 0.5].map((share) => Math.floor(48 * share));
  return Boolean(there) && column >= 0 && row >= 0 && column < 48 && row < 48 && there[4 * (48 * row + column) + 3] > 60;
}

function taken(event) {  // who is meant by a pointer: the foremost whose figure is there
  const node = event.target.closest(".object");
  if (event.target.matches("i")) return picked;
  const here = point(event), front = [...objects].sort((a, b) => b.node.style.zIndex - a.node.style.zIndex);
  return front.find((object) => seen(object, here)) ?? objects.find((object) => object.node === node);
}

element.addEventListener("pointerdown", (event) => {
  if (!data || event.button || !event.target.closest(".object")) {
    if (picked && event.target.matches(".whole, .plane, .layer")) pick(null);
    return;
  }
  const object = taken(event);
  if (!event.target.matches("i")) event.preventDefault();
  pick(object, true);
  const how = event.target.className, here = point(event);
  grip = {object, how, here, from: {middle: [...object.middle], size: [...object.size], angle: object.angle}, low: feet(object)};
  object.node.setPointerCapture(event.pointerId);
});

let waiting = null;
element.addEventListener("pointermove", (event) => {
  if (!grip) return;
  const here = point(event), first = waiting === null;
  waiting = here;
  if (first) requestAnimationFrame(follow);
});

function follow() {
  const here = waiting;
  waiting = null;
  if (!grip || !here) return;
  const {object, how, from, low} = grip, [x, y] = here;
  if (!grip.begun && Math.hypot(x - grip.here[0], y - grip.here[1]) < 4) return;
  grip.begun = object.moved = changed = true;
  frame.classList.add("moving");
  if (how === "grow") {
    const anchor = [from.middle[0], low], far = (at) => Math.hypot(at[0] - anchor[0], at[1] - anchor[1]);
    object.size = [...from.size];
    object.middle = [...from.middle];
    grow(object, far(here) / Math.max(far(grip.here), 1));
  } else if (how === "spin") {
    const angle = Math.atan2(x - from.middle[0], from.middle[1] - y) * 180 / Math.PI;
    object.angle = Math.abs(angle) < 4 ? 0 : Math.round(angle);
    object.turned = true;
  } else {
    object.middle = [from.middle[0] + x - grip.here[0], from.middle[1] + y - grip.here[1]];
  }
  within(object);
  show(object);
}

function release() {
  if (!grip) return;
  follow();
  const {object, begun} = grip;
  grip = null;
  if (begun) after(object, 0);
}
element.addEventListener("pointerup", release);
element.addEventListener("pointercancel", release);

// --- by keys --------------------------------------------------------------------------------------------------------

document.addEventListener("focusin", ({target}) => {
  const object = objects.find(({node}) => node === target);
  held = object?.name ?? "";
  if (object) pick(object);
});
document.addEventListener("pointerdown", ({target}) => { if (!element.contains(target)) held = ""; });
element.addEventListener("keydown", (event) => {
  const object = objects.find(({node}) => node === event.target);
  if (!object || event.ctrlKey || event.metaKey || event.altKey) return;
  const step = (event.shiftKey ? 0.05 : 0.01) * data.size[0];
  const way = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]}[event.key];
  const key = {
    "+": "larger", "=": "larger", "-": "smaller", PageUp: "farther", PageDown: "nearer", Delete: "free",
    ...(data.own ? {f: "flip", F: "flip", "[": "left", "]": "right"} : {}),
  }[event.key];
  if (event.key === "Escape") return pick(null);
  if (!way && !key) return;
  event.preventDefault();
  pick(object);
  if (key) return act(key);
  object.middle = object.middle.map((at, axis) => at + step * way[axis]);
  object.moved = true;
  after(object, 350);
});

new MutationObserver(begin).observe(element, {childList: true, subtree: true, attributeFilter: ["data-id"]});
if (laid) new MutationObserver(begin).observe(laid, {childList: true, subtree: true, attributeFilter: ["data-laid"]});
if (progress) new MutationObserver(() => { if (due) send(); }).observe(progress, {childList: true, subtree: true});
begin();
