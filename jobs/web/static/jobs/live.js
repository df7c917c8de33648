// Has a page look for changes: one request every few seconds, fewer while nothing moves, none in a hidden tab.
// An element with data-poll gets the event jobs:poll, on which htmx fetches what has changed.
(() => {
  "use strict";

  const ACTIVE = 3000;
  const IDLE = 15000;
  const SOON = 700;
  const LONGEST = 60000;

  const away = document.getElementById("jd-away");
  const asOf = document.getElementById("jd-as-of");

  for (const box of document.querySelectorAll("[data-poll]")) watch(box);

  function watch(box) {
    let timer = 0;
    let failures = 0;
    let soon = 0;
    let over = false;

    function next() {
      clearTimeout(timer);
      if (over || document.hidden) return;
      let pause = box.querySelector("[data-active]") ? ACTIVE : IDLE;
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
      else event.detail.parameters.known = Array.from(rows, (row) => `${row.id.slice(4)}.${row.dataset.signature}`).join();
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
      } else if (status === 403 || status === 404) {
        over = true;
        say("This job is gone, or not shared with you any more.");
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
