// What was done to the script's text elsewhere on the page goes into its box, `props.edit`: the text `before`, as it was asked
// with, and `after` it. What was typed into the box meanwhile stays, and where both changed the same words it alone.
const note = element.querySelector("p");

function hunk(one, other) {  // where `other` is another: from and to in `one`, and what stands there
  const most = Math.min(one.length, other.length);
  let from = 0, tail = 0;
  while (from < most && one[from] === other[from]) from++;
  while (tail < most - from && one.at(-1 - tail) === other.at(-1 - tail)) tail++;
  return [from, one.length - tail, other.slice(from, other.length - tail)];
}

watch("edit", () => {
  const box = document.querySelector("#script textarea"), {before, after} = props.edit;
  const [from, to, words] = hunk(before, after), [start, end, typed] = hunk(before, box.value);
  const same = box.value === before || box.value === after, late = from >= end ? typed.length - (end - start) : 0;
  note.hidden = same || from >= end || to <= start;
  if (!note.hidden || box.value === after) return;
  box.setRangeText(words, from + late, to + late, "preserve");  // the caret stays where it is
  box.dispatchEvent(new Event("input", {bubbles: true}));
});
