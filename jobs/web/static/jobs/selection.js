// Ticked jobs: a bar says how many, and to how many of them each action can be done. Without this file the same bar is a plain
// form below the table.
(() => {
  "use strict";

  const bar = document.getElementById("jd-bulk");
  if (!bar) return;
  const says = document.getElementById("jd-ticked");
  const every = document.getElementById("jd-all");
  const head = document.getElementById("jd-tick-all");
  const untick = document.getElementById("jd-untick");
  const buttons = [...bar.querySelectorAll("button[name=action]")];
  const ticked = new Set();
  let last = null;

  const boxes = () => [...document.querySelectorAll("#jd-rows input[name=job]")];

  function show() {
    const present = boxes();
    const there = new Set(present.map((box) => box.value));
    for (const id of ticked) if (!there.has(id)) ticked.delete(id);
    for (const box of present) box.checked = ticked.has(box.value);
    const chosen = present.filter((box) => box.checked);
    const all = Boolean(every?.checked);
    bar.hidden = !chosen.length && !all;
    says.textContent = all ? "All that match:" : chosen.length === 1 ? "1 job ticked:" : `${chosen.length} jobs ticked:`;
    head.checked = Boolean(present.length) && chosen.length === present.length;
    head.indeterminate = chosen.length > 0 && !head.checked;
    for (const button of buttons) {
      const count = all
        ? Number(button.dataset.all)
        : chosen.filter((box) => box.dataset.actions.split(" ").includes(button.value)).length;
      button.hidden = !count;
      button.querySelector("[data-number]").textContent = count > 10000 ? " 10,000+" : ` ${count.toLocaleString("en")}`;
    }
  }

  function tick(box, on) {
    if (on) ticked.add(box.value);
    else ticked.delete(box.value);
  }

  document.addEventListener("click", (event) => {
    const box = event.target.closest?.("#jd-rows input[name=job]");
    if (!box) return;
    const present = boxes();
    const from = event.shiftKey && last ? present.findIndex((other) => other.value === last) : -1;
    const to = present.indexOf(box);
    if (from >= 0) present.slice(Math.min(from, to), Math.max(from, to) + 1).forEach((other) => tick(other, box.checked));
    else tick(box, box.checked);
    last = box.value;
    if (every) every.checked = false;
    show();
  });
  head.addEventListener("change", () => {
    boxes().forEach((box) => tick(box, head.checked));
    if (every) every.checked = false;
    show();
  });
  every?.addEventListener("change", show);
  untick.addEventListener("click", () => {
    ticked.clear();
    if (every) every.checked = false;
    show();
    head.focus();
  });

  // A row that is replaced while it is ticked stays ticked.
  for (const name of ["htmx:oobAfterSwap", "htmx:afterSettle"]) document.addEventListener(name, show);

  // A page that the browser brings back has the ticks of then.
  for (const box of boxes()) if (box.checked) ticked.add(box.value);
  bar.classList.add("jd-floats");
  head.hidden = !boxes().length;
  untick.hidden = false;
  show();
})();
