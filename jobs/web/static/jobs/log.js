// Follows a log while its job is active. What comes is put into the page as text, never as HTML.
(() => {
  "use strict";

  const PAUSE = 1500;
  const AT_ONCE = 50;
  const LONGEST = 2_000_000; // characters kept in the page

  function follow(log) {
    const state = document.getElementById("jd-log-state");
    let offset = Number(log.dataset.offset);
    let failures = 0;

    async function look() {
      if (!log.isConnected) return;
      if (document.hidden) {
        document.addEventListener("visibilitychange", look, { once: true });
        return;
      }
      let pause = PAUSE;
      try {
        const answer = await fetch(`${log.dataset.follow}?offset=${offset}`, {
          headers: { "HX-Request": "true", "HX-Current-URL": location.href },
        });
        if (answer.headers.has("HX-Redirect")) {
          location.href = answer.headers.get("HX-Redirect");
          return;
        }
        if (answer.status === 404) {
          state.textContent = "The log is gone.";
          return;
        }
        if (!answer.ok) throw new Error(String(answer.status));
        append(await answer.text());
        offset = Number(answer.headers.get("X-Log-Next"));
        const more = offset < Number(answer.headers.get("X-Log-Size"));
        failures = 0;
        if (!more && answer.headers.get("X-Log-Active") === "0") {
          state.textContent = "The job is over; this is all that it wrote.";
          return;
        }
        state.textContent = "Following: what the job writes appears here.";
        if (more) pause = AT_ONCE;
      } catch {
        failures += 1;
        pause = Math.min(PAUSE * 2 ** failures, 60000);
        state.textContent = "The server does not answer; it is tried again by itself.";
      }
      setTimeout(look, pause);
    }

    function append(text) {
      if (!text) return;
      const atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 4;
      log.append(text);
      while (log.childNodes.length > 1 && log.textContent.length > LONGEST) {
        log.firstChild.remove();
        document.querySelector(".jd-log-cut").hidden = false;
        document.querySelector(".jd-log-cut").textContent = "The last part is shown; all of it is in the download.";
      }
      if (atEnd) log.scrollTop = log.scrollHeight;
    }

    look();
  }

  function begin() {
    const log = document.getElementById("jd-log");
    if (!log || log.dataset.begun) return;
    log.dataset.begun = "1";
    log.scrollTop = log.scrollHeight;
    if (log.dataset.follow) follow(log);
  }

  document.addEventListener("htmx:afterSettle", begin);
  begin();
})();
