// Has a page look for changes: one request every few seconds, fewer while nothing moves, none in a hidden tab.
// An element with data-poll gets the event jobs:poll, on which htmx fetches what has changed.
(() => {
  "use strict";

  const ACTIVE = 3000;
  const IDLE = 15000;
  const SOON = 700;
  const LONGEST = 60000;

  const away = document.getElementById("jd-away") ?? makeNotice();

  for (const box of document.querySelectorAll("[data-poll]")) watch(box);

  // An app's own page has no place for notices.
  function makeNotice() {
    const toast = document.createElement("div");
    toast.className = "jd-toast";
    toast.innerHTML = '<p id="jd-away" class="jd-notice jd-warning" role="status" hidden></p>';
    document.body.append(toast);
    return toast.firstChild;
  }

  function watch(box) {
    const asOf = box.querySelector("[data-as-of]") ?? document.getElementById("jd-as-of");
    const active = Number(box.dataset.interval) || ACTIVE;
    let timer = 0;
    let failures = 0;
    let soon = 0;
    let over = false;

    function next() {
      clearTimeout(timer);
      if (over || document.hidden) return;
      let pause = box.querySelector("[data-active]") ? active : Math.max(active, IDLE);
      if (soon > 0) {
        soon -= 1;
        pause = SOON;
      }
      if (failures) pause = Math.min(ACTIVE * 2 ** (failures - 1), LONGEST);
      timer = setTimeout(look, pause);
    }

    function look() {
      clearTimeout(timer);
      if (!over && !document.hidden) htmx.trigger(box, "jobs:poll");
    }

    box.addEventListener("htmx:configRequest", (event) => {
      if (event.detail.elt !== box) return;
      const rows = box.querySelectorAll("tr[data-signature]");
      const head = document.getElementById("jd-head");
      if (head) event.detail.parameters.version = `${head.dataset.version}.${document.getElementById("jd-tab").dataset.version}`;
      else event.detail.parameters.known = Array.from(rows, (row) => `${row.id.match(/\d+$/)}.${row.dataset.signature}`).join();
    });

    box.addEventListener("htmx:afterRequest", (event) => {
      if (event.detail.elt !== box) return;
      const { status } = event.detail.xhr;
      if (status >= 200 && status < 300) {
        failures = 0;
        away.hidden = true;
        const said = Date.parse(event.detail.xhr.getResponseHeader("Date"));
        asOf.dateTime = new Date(said || Date.now()).toISOString();
        document.dispatchEvent(new Event("htmx:afterSettle"));
      } else if (status === 401) {
        over = true; // htmx follows the way to the login page
      } else if (status === 400 || status === 403 || status === 404) {
        over = true;
        const told = event.detail.xhr.getResponseHeader("Content-Type")?.startsWith("text/plain");
        say(told ? event.detail.xhr.responseText : "This job is gone, or not shared with you any more.");
      } else {
        failures += 1;
        say(`The server does not answer. You see what was known at ${asOf.textContent}; it is tried again by itself.`);
      }
      next();
    });

    document.addEventListener("jobs:acted", () => {
      soon = 4;
      next();
    });
    document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : look()));
    window.addEventListener("online", look);
    next();
  }

  function say(text) {
    if (away.textContent !== text) away.textContent = text;
    away.hidden = false;
  }
})();
