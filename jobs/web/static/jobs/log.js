// A log that stands in a page: follows its end while the job is active, brings parts before and after it, wraps lines.
// What comes is put into the page as text, never as HTML. Without this file the same links lead through plain pages.
(() => {
  "use strict";

  const PAUSE = 1500;
  const AT_ONCE = 50;
  const LONGEST = 2_000_000; // characters kept in the page
  const UNITS = ["bytes", "KB", "MB", "GB", "TB"];

  const byId = (id) => document.getElementById(id);

  function size(bytes) {
    let unit = 0;
    for (; bytes >= 1024 && unit < UNITS.length - 1; unit += 1) bytes /= 1024;
    return `${unit ? bytes.toFixed(1) : bytes} ${UNITS[unit]}`;
  }

  // What the server says of a part of the log; null after it has sent the browser to the login page.
  async function get(log, query) {
    const answer = await fetch(`${log.dataset.tail}?${query}`, {
      headers: { "HX-Request": "true", "HX-Current-URL": location.href },
    });
    if (answer.headers.has("HX-Redirect")) {
      location.href = answer.headers.get("HX-Redirect");
      return null;
    }
    if (!answer.ok) throw Object.assign(new Error(String(answer.status)), { status: answer.status });
    const number = (name) => Number(answer.headers.get(`X-Log-${name}`));
    return { text: await answer.text(), start: number("Start"), end: number("Next"), size: number("Size"), active: number("Active") };
  }

  const isAtEnd = (log) => log.scrollTop + log.clientHeight >= log.scrollHeight - 4;

  function follow(log) {
    const state = byId("jd-log-state");
    const toEnd = byId("jd-to-end");
    let failures = 0;
    let kept = log.textContent.length;

    toEnd.addEventListener("click", () => {
      log.scrollTop = log.scrollHeight;
      log.focus({ preventScroll: true });
    });
    log.addEventListener("scroll", () => { toEnd.hidden = isAtEnd(log); }, { passive: true });

    async function look() {
      if (!log.isConnected) return;
      if (document.hidden) {
        document.addEventListener("visibilitychange", look, { once: true });
        return;
      }
      let pause = PAUSE;
      try {
        const found = await get(log, `offset=${log.dataset.end}`);
        if (!found) return;
        append(found.text);
        log.dataset.end = found.end;
        const more = found.end < found.size;
        failures = 0;
        if (!more && !found.active) {
          state.textContent = "The job is over; this is all that it wrote.";
          return;
        }
        state.textContent = "Following: what the job writes appears here.";
        if (more) pause = AT_ONCE;
      } catch (error) {
        if (error.status === 404) {
          state.textContent = "The log is gone.";
          return;
        }
        failures += 1;
        pause = Math.min(PAUSE * 2 ** failures, 60000);
        state.textContent = "The server does not answer; it is tried again by itself.";
      }
      setTimeout(look, pause);
    }

    function append(text) {
      if (!text) return;
      const atEnd = isAtEnd(log);
      log.append(text);
      kept += text.length;
      // While somebody reads further up, nothing is taken away from there.
      while (atEnd && log.childNodes.length > 1 && kept > LONGEST) {
        kept -= log.firstChild.textContent.length;
        log.firstChild.remove();
        byId("jd-before").hidden = false;
        byId("jd-before").textContent = "Only the last part stays here; all of it is in the download.";
      }
      if (atEnd) log.scrollTop = log.scrollHeight;
      toEnd.hidden = isAtEnd(log);
    }

    look();
  }

  // A click brings a part into the page; where the page holds much already, the link leads to a page of its own.
  function bring(log, link, query, put) {
    link?.addEventListener("click", async (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || log.textContent.length > LONGEST) return;
      event.preventDefault();
      if (link.getAttribute("aria-busy")) return;
      link.setAttribute("aria-busy", "true");
      try {
        const found = await get(log, query());
        if (found) put(found);
      } catch {
        byId("jd-log-state").textContent = "The server does not answer. Try again in a moment.";
      }
      link.removeAttribute("aria-busy");
    });
  }

  function point(link, name, value) {
    const url = new URL(link.href);
    url.searchParams.set(name, value);
    link.href = url.href;
  }

  function ends(log) {
    const earlier = byId("jd-earlier");
    const later = byId("jd-later");
    bring(log, earlier, () => `before=${log.dataset.start}`, (found) => {
      const below = log.scrollHeight - log.scrollTop;
      log.prepend(found.text);
      log.scrollTop = log.scrollHeight - below;
      log.dataset.start = found.start;
      byId("jd-left").textContent = size(found.start);
      point(earlier, "before", found.start);
      if (!found.start) {
        byId("jd-before").hidden = true;
        log.focus({ preventScroll: true });
      }
    });
    bring(log, later, () => `offset=${log.dataset.end}`, (found) => {
      log.append(found.text);
      log.dataset.end = found.end;
      point(later, "at", found.end);
      if (found.end >= found.size) {
        byId("jd-after").hidden = true;
        log.focus({ preventScroll: true });
      }
    });
  }

  function wrapping(log) {
    const button = byId("jd-wrap");
    const year = 365 * 24 * 3600;
    button.addEventListener("click", (event) => {
      event.preventDefault();
      const off = log.classList.toggle("jd-nowrap");
      button.setAttribute("aria-pressed", String(!off));
      document.cookie = `jd-wrap=${off ? "off" : "on"}; path=/; max-age=${year}; samesite=lax`;
    });
    button.addEventListener("keydown", (event) => {
      if (event.key !== " ") return;
      event.preventDefault();
      button.click();
    });
  }

  function begin() {
    const log = byId("jd-log");
    if (!log || log.dataset.begun) return;
    log.dataset.begun = "1";
    const match = byId("jd-match");
    if (match) log.scrollTop += match.getBoundingClientRect().top - log.getBoundingClientRect().top - log.clientHeight / 3;
    else if ("atEnd" in log.dataset) log.scrollTop = log.scrollHeight;
    wrapping(log);
    ends(log);
    if ("follow" in log.dataset) follow(log);
  }

  document.addEventListener("htmx:afterSettle", begin);
  begin();
})();
