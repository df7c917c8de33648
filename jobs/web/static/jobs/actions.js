// Menus beside their buttons, the question before an action, notices, and a focus that stays sensible.
// Without this file the same links and forms lead through plain pages.
(() => {
  "use strict";

  const dialog = document.getElementById("jd-dialog") ?? make("dialog", "jd-dialog", { className: "jd-dialog" });
  const notices = document.getElementById("jd-notices") ?? make("div", "jd-notices", { role: "status" });
  const QUIET_AFTER = 8000;
  let lastUsed = "";

  // An app's own page with a table in it has neither.
  function make(tag, id, properties) {
    const element = Object.assign(document.createElement(tag), { id }, properties);
    document.body.append(element);
    return element;
  }

  // --- menus

  function place(menu) {
    const button = document.querySelector(`[popovertarget="${menu.id}"]`);
    if (!button) return;
    const { top, bottom, right } = button.getBoundingClientRect();
    const below = bottom + 130 < window.innerHeight;
    Object.assign(menu.style, {
      margin: 0,
      inset: "auto",
      right: `${document.documentElement.clientWidth - right}px`,
      [below ? "top" : "bottom"]: `${below ? bottom + 4 : window.innerHeight - top + 4}px`,
    });
  }

  function openMenu() {
    return document.querySelector(".jd-menu:popover-open");
  }

  document.addEventListener("beforetoggle", (event) => {
    if (event.newState === "open" && event.target.matches(".jd-menu")) place(event.target);
  }, true);
  window.addEventListener("scroll", () => openMenu()?.hidePopover(), { passive: true });
  window.addEventListener("resize", () => openMenu()?.hidePopover());

  // A row that is replaced while its menu is open keeps it open.
  let reopen = "";
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const menu = event.target.querySelector?.(".jd-menu:popover-open");
    if (menu) reopen = menu.id;
  });
  document.addEventListener("htmx:oobAfterSwap", () => {
    const menu = reopen && document.getElementById(reopen);
    reopen = "";
    if (menu && !menu.matches(":popover-open")) menu.showPopover();
  });

  // --- the question

  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target !== dialog || dialog.open) return;
    if (!dialog.querySelector("[data-closes]")) addClose();
    const heading = dialog.querySelector("h1, h2, h3");
    if (heading) dialog.setAttribute("aria-labelledby", (heading.id ||= "jd-question"));
    dialog.showModal();
  });

  // What an app shows in the dialog need not bring a way out of it.
  function addClose() {
    const buttons = document.createElement("div");
    const close = document.createElement("button");
    buttons.className = "jd-buttons";
    close.className = "jd-button jd-quiet";
    close.dataset.closes = "";
    close.textContent = "Close";
    buttons.append(close);
    dialog.append(buttons);
  }

  dialog.addEventListener("click", (event) => {
    if (event.target.closest("[data-closes]")) {
      event.preventDefault();
      dialog.close();
    }
  });
  dialog.addEventListener("close", () => settleFocus());

  // --- what becomes of an action

  // A refusal has a notice in it, whatever the page's own htmx does with such answers.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { requestConfig, xhr } = event.detail;
    if (!requestConfig.elt.closest(".jd-jobs, .jd-dialog") || !xhr.getResponseHeader("HX-Trigger")) return;
    if (xhr.status >= 400 && xhr.status < 500) Object.assign(event.detail, { shouldSwap: true, isError: false });
  });

  document.addEventListener("htmx:beforeRequest", (event) => {
    const used = event.detail.elt;
    if (used.matches(".jd-button")) lastUsed = used.id;
    if (used.closest(".jd-menu")) used.closest(".jd-menu").hidePopover();
  });

  document.addEventListener("htmx:afterRequest", (event) => {
    const { elt, xhr } = event.detail;
    if (elt.matches("[data-poll]") || xhr.status === 401) return;
    // Done, or refused; unless the answer is another question.
    if (dialog.contains(elt) && xhr.getResponseHeader("HX-Retarget") === null) dialog.close();
    if (xhr.status === 0 || xhr.status >= 500) {
      tell("The server does not answer; whether it was done will show here. Try again in a moment.");
    } else if (xhr.status === 404 && !xhr.getResponseHeader("HX-Trigger")) {
      tell("This job is gone.");
    } else if (xhr.status === 403 && !xhr.getResponseHeader("HX-Trigger")) {
      tell("You have logged in again since this page was opened; nothing was done. Reload the page and try again.");
    }
  });

  document.addEventListener("htmx:afterSettle", () => {
    settleFocus();
    fade();
  });

  function tell(text) {
    const toast = document.createElement("div");
    const notice = document.createElement("p");
    toast.className = "jd-toast";
    notice.className = "jd-notice jd-warning";
    notice.textContent = text;
    toast.append(notice);
    notices.replaceChildren(toast);
    fade();
  }

  function fade() {
    for (const toast of notices.querySelectorAll(".jd-toast:not([data-seen])")) {
      toast.dataset.seen = "1";
      setTimeout(() => toast.remove(), toast.querySelector(".jd-success") ? QUIET_AFTER : 3 * QUIET_AFTER);
    }
  }

  // The button that was used may have gone with its action: then its row, or the page, has the focus.
  function settleFocus() {
    if (!lastUsed || dialog.open || document.activeElement !== document.body) return;
    const job = lastUsed.match(/^.*?job-\d+/)?.[0];
    const heir = [lastUsed, `${job}-more`, `${job}-name`, lastUsed.split("-")[0], "main"]
      .map((id) => document.getElementById(id))
      .find((element) => element?.checkVisibility());
    heir?.focus({ preventScroll: true });
  }
})();
