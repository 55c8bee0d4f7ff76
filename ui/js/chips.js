// What was read of an opened frame. Choices are told one by one, each on the text that came of the one before (`props.heard`
// counts), after what is told of its objects (`telling` of the page), and wait while frames are made.
const progress = document.querySelector("#progress"), page = document.body.dataset;
const waits = []; // choices that are not answered yet, the first one told already if `busy`
let sent = 0, busy = false, before = null;

const chip = ({kind, who}) => [...element.querySelectorAll("select")].find(({dataset}) => dataset.kind === kind && dataset.who === who);

element.addEventListener("change", ({target}) => {
  const {kind, who} = target.dataset;
  if (!kind) return;
  const {of} = target.closest(".reads").dataset;
  waits.push({of, kind, who, key: target.value});
  next();
});

function next() {
  if (busy || "telling" in page) return;
  const late = Boolean(waits.length && progress?.querySelector(".progress"));
  if (waits.length && !late) {
    [busy, before, page.telling] = [true, props.value, "chips"];
    trigger("choose", {...waits[0], count: ++sent});
  }
  const note = element.querySelector(".waits");
  if (note) note.textContent = late ? note.dataset.words : "";
}

function show() {  // what was read, not what was refused, and over it what is still to come
  const of = element.querySelector(".reads")?.dataset.of;
  element.querySelectorAll("select").forEach((one) => {
    one.selectedIndex = Math.max([...one.options].findIndex(({defaultSelected}) => defaultSelected), 0);
  });
  waits.filter((one) => one.of === of).forEach((one) => { const there = chip(one); if (there) there.value = one.key; });
  next();
}

watch("value", show);
function answered(late, failed) {
  busy = false;
  delete page.telling;
  if (late) setTimeout(next, 400);  // frames were made just then
  else {
    waits.shift();
    if (failed || props.value !== before) show(); else next();
  }
  document.dispatchEvent(new Event("told"));
}
watch("heard", () => setTimeout(() => {  // once what came with it is there too
  if (busy && props.heard >= sent) answered(props.late === sent, false);
}));
document.addEventListener("untold", () => { if (busy) setTimeout(answered, 0, false, true); });  // no answer will come
document.addEventListener("told", next);
if (progress) new MutationObserver(next).observe(progress, {childList: true, subtree: true});
