// The board on which the routing is corrected: a grid of SIDE x SIDE fields over the frame, for each name boxed, painted
// or empty. It starts from what the server says; nothing but `steer` tells what was done on it.
const SIDE = 64;
let form, board, canvas, places, who, tool, touched, last, said, more = false;

const bits = () => new Uint8Array(SIDE * SIDE);
const cells = ({box, paint}) => {
  if (paint) return paint;
  const held = bits();
  if (!box) return held;
  for (let y = Math.round(box[1] * SIDE); y < Math.round(box[3] * SIDE); y++) {
    held.fill(1, y * SIDE + Math.round(box[0] * SIDE), y * SIDE + Math.round(box[2] * SIDE));
  }
  return held;
};

function draw() {
  const context = canvas.getContext("2d"), image = context.createImageData(SIDE, SIDE);
  places.forEach((place, index) => {
    const [r, g, b] = place.colour.match(/\w\w/g).map((part) => parseInt(part, 16));
    cells(place).forEach((on, at) => {
      if (on) image.data.set([r, g, b, index === who ? 190 : 110], 4 * at);
    });
  });
  context.putImageData(image, 0, 0);
  form.querySelectorAll("[data-who]").forEach((chip) => {
    chip.ariaPressed = String(Number(chip.dataset.who) === who);
  });
  form.querySelectorAll("[data-tool]").forEach((button) => { button.ariaPressed = String(button.dataset.tool === tool); });
  const box = places[who].box;
  form.querySelectorAll("[data-edge]").forEach((input) => {
    if (input !== document.activeElement) input.value = box ? Math.round(100 * box[input.dataset.edge]) : "";
  });
  form.classList.toggle("touched", touched);
}

function begin() {
  const fresh = element.querySelector(".routing");
  if (!fresh || (fresh === form && fresh.dataset.said === said)) return;
  [form, said] = [fresh, fresh.dataset.said];  // mostly the same nodes with other attributes: what was typed is in them
  form.querySelectorAll("input").forEach((input) => {
    [input.value, input.checked] = [input.defaultValue, input.defaultChecked];
  });
  board = form.querySelector(".board");
  if (!board) return;
  canvas = board.querySelector("canvas");
  form.querySelector("details").open = more;
  [places, who, tool, last] = [[], 0, "brush", null];
  reset(JSON.parse(form.dataset.places), form.dataset.touched === "true");
}

function reset(given, changed) {
  places = given.map(({paint, ...rest}) => ({...rest, paint: paint ? Uint8Array.from(paint, Number) : null}));
  touched = changed;
  draw();
}

function stamp(x, y) {
  const radius = Number(form.querySelector(".size").value) / 2, place = places[who];
  place.paint = Uint8Array.from(cells(place));
  place.box = null;
  for (let row = Math.floor(y - radius); row <= y + radius; row++) {
    for (let column = Math.floor(x - radius); column <= x + radius; column++) {
      const inside = Math.hypot(column + 0.5 - x, row + 0.5 - y) <= Math.max(radius, 0.71);
      if (!inside || row < 0 || column < 0 || row >= SIDE || column >= SIDE) continue;
      const at = row * SIDE + column;
      if (tool === "brush") places.forEach((other) => { if (other.paint) other.paint[at] = 0; });
      place.paint[at] = tool === "brush" ? 1 : 0;
    }
  }
}

function stroke(event) {
  const area = canvas.getBoundingClientRect();
  const share = (at, from, length) => Math.min(1, Math.max(0, (at - from) / length));
  const here = [share(event.clientX, area.left, area.width), share(event.clientY, area.top, area.height)];
  if (tool === "box") {
    last ??= here;
    const box = [0, 1].map((k) => Math.min(last[k], here[k])).concat([0, 1].map((k) => Math.max(last[k], here[k])));
    if (box[2] - box[0] > 0.02 && box[3] - box[1] > 0.02) {
      Object.assign(places[who], {paint: null, box: box.map((edge) => Math.round(100 * edge) / 100)});
    }
  } else {
    const from = last ?? here, steps = Math.max(1, Math.ceil(SIDE * Math.hypot(here[0] - from[0], here[1] - from[1])));
    for (let step = 0; step <= steps; step++) {
      stamp(...[0, 1].map((k) => SIDE * (from[k] + (here[k] - from[k]) * step / steps)));
    }
    last = here;
  }
  touched = true;
  draw();
}

element.addEventListener("pointerdown", (event) => {
  if (event.target !== canvas) return;
  event.preventDefault();
  canvas.setPointerCapture(event.pointerId);
  last = null;
  stroke(event);
});
element.addEventListener("pointermove", (event) => {
  if (event.target === canvas && canvas.hasPointerCapture(event.pointerId)) stroke(event);
});
element.addEventListener("input", ({target}) => {
  if (target.dataset.edge === undefined) return;
  const edges = [...form.querySelectorAll("[data-edge]")].map((input) => input.value === "" ? NaN : input.value / 100);
  const [x0, y0, x1, y1] = edges;
  if (!(x0 >= 0 && y0 >= 0 && x0 < x1 && y0 < y1 && x1 <= 1 && y1 <= 1)) return;
  Object.assign(places[who], {paint: null, box: edges});
  touched = true;
  draw();
});
element.addEventListener("click", ({target}) => {
  if (target.closest("summary")) more = !target.closest("details").open;
  const button = target.closest("button");
  if (!button) return;
  const {who: chosen, tool: taken, act} = button.dataset;
  if (chosen !== undefined) { who = Number(chosen); draw(); }
  if (taken) { tool = taken; draw(); }
  if (act === "clear") { Object.assign(places[who], {paint: null, box: null}); touched = true; draw(); }
  if (act === "routing") reset(JSON.parse(form.dataset.routing), false);
  if (act === "steer") trigger("steer", told());
});

function told() {
  const value = (name) => form.querySelector(`[name=${name}]`)?.value ?? "";
  const each = (name) => Object.fromEntries(
    [...form.querySelectorAll(`[data-strength=${name}]`)].map((input) => [input.dataset.name, input.value])
  );
  const layout = !touched ? [] : places.map(({name, box, paint}) => (
    {name, box: box ?? null, paint: paint?.includes(1) ? paint.join("") : ""}
  ));
  return {
    number: Number(form.dataset.number), layout, strength: value("strength"), start: value("start"), end: value("end"),
    eta: each("eta"), gamma: each("gamma"), first: value("first"), last: value("last"),
    router: form.querySelector("[name=router]")?.checked ?? true, seed: value("seed"),
  };
}

new MutationObserver(begin).observe(element, {childList: true, subtree: true, attributeFilter: ["data-said"]});
begin();
