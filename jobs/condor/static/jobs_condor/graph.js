// The graph of a workflow: Ctrl and the wheel zoom, dragging moves, and what is fetched anew stays where it was.
(() => {
  "use strict";

  const SMALLEST = 0.2;
  const LARGEST = 3;
  const READABLE = 0.75;
  let kept = null;

  const box = () => document.getElementById("jd-graph");
  const picture = () => box()?.querySelector("svg");

  function scale(factor, x = 0.5, y = 0.5) {
    const [outer, svg] = [box(), picture()];
    if (!svg) return;
    const whole = Number(svg.dataset.width);
    const before = svg.getBoundingClientRect().width;
    const width = Math.min(whole * LARGEST, Math.max(whole * SMALLEST, before * factor));
    const grown = width / before;
    svg.classList.remove("jd-fit");
    svg.setAttribute("width", Math.round(width));
    outer.scrollLeft = (outer.scrollLeft + outer.clientWidth * x) * grown - outer.clientWidth * x;
    outer.scrollTop = (outer.scrollTop + outer.clientHeight * y) * grown - outer.clientHeight * y;
  }

  // Of a picture that is larger than its frame first what somebody chose, else what goes on or failed, else what comes first.
  function look() {
    const [outer, svg] = [box(), picture()];
    if (!svg || svg.classList.contains("jd-fit")) return;
    const node = ["a[aria-current]", "a:has(.jd-RUN)", "a:has(.jd-ERR)", "a"].map((one) => svg.querySelector(one)).find(Boolean);
    const [inner, frame] = [node.getBoundingClientRect(), outer.getBoundingClientRect()];
    outer.scrollBy(
      inner.left + inner.width / 2 - frame.left - frame.width / 2,
      inner.top + inner.height / 2 - frame.top - frame.height / 2,
    );
  }

  function larger() {
    const svg = picture();
    const shown = svg.getBoundingClientRect().width / Number(svg.dataset.width);
    const unreadable = svg.classList.contains("jd-fit") && shown < READABLE / 1.25;
    scale(unreadable ? READABLE / shown : 1.25);
    if (unreadable) look();
  }

  function fit() {
    const svg = picture();
    svg.setAttribute("width", Math.round(Number(svg.dataset.width)));
    svg.classList.add("jd-fit");
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-zoom]");
    if (!link || !picture() || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (link.dataset.zoom === "fit") fit();
    else if (link.dataset.zoom === "in") larger();
    else scale(0.8);
  });

  document.addEventListener("wheel", (event) => {
    const outer = event.target.closest?.("#jd-graph");
    if (!outer || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    const place = outer.getBoundingClientRect();
    scale(event.deltaY < 0 ? 1.1 : 0.9, (event.clientX - place.left) / place.width, (event.clientY - place.top) / place.height);
  }, { passive: false });

  document.addEventListener("keydown", (event) => {
    if (!event.target.closest?.("#jd-graph") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "+" || event.key === "=") larger();
    else if (event.key === "-") scale(0.8);
    else if (event.key === "0") fit();
    else return;
    event.preventDefault();
  });

  document.addEventListener("pointerdown", (event) => {
    const outer = event.target.closest?.("#jd-graph");
    if (!outer || event.button !== 0 || event.pointerType !== "mouse" || event.target.closest("a")) return;
    let [x, y] = [event.clientX, event.clientY];
    outer.classList.add("jd-dragged");
    const move = (to) => {
      outer.scrollBy(x - to.clientX, y - to.clientY);
      [x, y] = [to.clientX, to.clientY];
    };
    const end = () => {
      outer.classList.remove("jd-dragged");
      document.removeEventListener("pointermove", move);
    };
    document.addEventListener("pointermove", move);
    document.addEventListener("pointerup", end, { once: true });
    document.addEventListener("pointercancel", end, { once: true });
  });

  look();

  // The page fetches the whole tab when something has changed: size, place and focus are this person's, and stay.
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    if (event.target.id !== "jd-tab" || !picture()) return;
    const [outer, svg] = [box(), picture()];
    kept = {
      left: outer.scrollLeft,
      top: outer.scrollTop,
      width: svg.getAttribute("width"),
      fit: svg.classList.contains("jd-fit"),
      focus: document.activeElement?.closest("#jd-tab") ? document.activeElement.id : "",
    };
  });

  document.addEventListener("htmx:oobAfterSwap", () => {
    const [outer, svg] = [box(), picture()];
    if (!kept || !svg) return;
    svg.setAttribute("width", kept.width);
    svg.classList.toggle("jd-fit", kept.fit);
    outer.scrollTo(kept.left, kept.top);
    if (kept.focus && document.activeElement?.id !== kept.focus) {
      document.getElementById(kept.focus)?.focus({ preventScroll: true });
    }
    kept = null;
  });
})();
