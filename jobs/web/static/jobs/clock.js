// Times that go on while a page stands: "3 min ago", durations that count up, moments in the browser's own zone.
// The words are those of jobs/web/display.py.
(() => {
  "use strict";

  const asOf = document.getElementById("jd-as-of") ?? document.querySelector("[data-as-of]");
  // The browser's clock may be wrong; the server's time when it made the page is known.
  const ahead = asOf ? Date.now() - Date.parse(asOf.dateTime) : 0;
  const now = () => Date.now() - ahead;
  const two = (number) => String(number).padStart(2, "0");

  const exact = new Intl.DateTimeFormat("en-GB", {
    day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short",
  });
  const hours = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

  function duration(seconds) {
    const minutes = Math.floor(seconds / 60);
    const wholeHours = Math.floor(seconds / 3600);
    const days = Math.floor(seconds / 86400);
    if (seconds < 1) return "< 1 s";
    if (!minutes) return `${seconds} s`;
    if (!wholeHours) return `${minutes} m ${two(seconds % 60)} s`;
    if (!days) return `${wholeHours} h ${two(minutes % 60)} m`;
    return `${days} d ${two(wholeHours % 24)} h`;
  }

  function relative(moment) {
    const seconds = (now() - moment) / 1000;
    if (seconds <= -5) return until(-seconds);
    if (seconds < 5) return "just now";
    if (seconds < 60) return `${Math.floor(seconds)} s ago`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
    if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
    if (seconds < 7 * 86400) return `${Math.floor(seconds / 86400)} d ago`;
    return null;
  }

  function until(seconds) {
    if (seconds < 60) return `in ${Math.floor(seconds)} s`;
    if (seconds < 3600) return `in ${Math.floor(seconds / 60)} min`;
    if (seconds < 86400) return `in ${Math.floor(seconds / 3600)} h`;
    if (seconds < 7 * 86400) return `in ${Math.floor(seconds / 86400)} d`;
    return null;
  }

  function say(element, text) {
    if (text !== null && element.textContent !== text) element.textContent = text;
  }

  function tick() {
    if (document.hidden) return;
    for (const element of document.querySelectorAll("time[data-relative]")) {
      const moment = Date.parse(element.dateTime);
      say(element, relative(moment));
      if (!element.dataset.own) {
        element.dataset.exact = exact.format(moment);
        element.dataset.own = "1";
      }
    }
    for (const element of document.querySelectorAll("time[data-since]")) {
      say(element, duration(Math.max(0, Math.floor((now() - Date.parse(element.dateTime)) / 1000))));
    }
    for (const element of document.querySelectorAll("time[data-clock]")) {
      say(element, hours.format(Date.parse(element.dateTime)));
    }
  }

  setInterval(tick, 1000);
  document.addEventListener("visibilitychange", tick);
  document.addEventListener("htmx:afterSettle", tick);
  tick();
})();
