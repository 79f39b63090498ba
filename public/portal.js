// What scripts add to the portal. Every page works without this file: it only makes
// things quicker. Loaded in the head, so that a chosen theme is there before the first paint.
(() => {
  "use strict";
  const root = document.documentElement;
  const all = (selector, within = document) => within.querySelectorAll(selector);

  // Theme: device, light or dark, kept in this browser.
  const themes = ["device", "light", "dark"];
  const stored = () => {
    try {
      const theme = localStorage.getItem("theme");
      return themes.includes(theme) ? theme : "device";
    } catch {
      return "device";
    }
  };
  const wear = (theme) => {
    if (theme === "device") delete root.dataset.theme;
    else root.dataset.theme = theme;
  };
  if (stored() !== "device") wear(stored());

  const themeButtons = () => {
    for (const button of all("[data-theme-toggle]")) {
      const name = () => (button.textContent = `Theme: ${stored()}`);
      button.hidden = false;
      name();
      button.addEventListener("click", () => {
        const next = themes[(themes.indexOf(stored()) + 1) % themes.length];
        try {
          if (next === "device") localStorage.removeItem("theme");
          else localStorage.setItem("theme", next);
        } catch {
          // Private browsing: the choice lasts as long as the page.
        }
        wear(next);
        name();
      });
    }
  };

  // Menus and confirmations are <details>: Escape, a click beside them or "Keep as it is" closes.
  const close = (details) => {
    details.open = false;
    details.querySelector("summary")?.focus();
  };
  const menus = () => {
    for (const button of all("[data-close]")) {
      button.hidden = false;
      button.addEventListener("click", () => close(button.closest("details")));
    }
    document.addEventListener("click", (event) => {
      for (const open of all("details.account[open]")) {
        if (!open.contains(event.target)) open.open = false;
      }
    });
  };

  // The switcher: a link to a page; here a dialog over this one.
  const dialog = () => document.getElementById("switch-dialog");
  const openSwitcher = () => {
    const box = dialog();
    const link = document.querySelector("[data-switch]");
    if (box && !box.open) box.showModal();
    else if (link && !box) location.assign(link.href);
  };
  const switcher = () => {
    const box = dialog();
    if (!box) return;
    const search = box.querySelector("input[type=search]");
    const items = [...all("[data-switch-item]", box)];
    const shown = () => items.filter((item) => !item.hidden);
    const filter = () => {
      const words = search.value.toLowerCase().split(/\s+/);
      for (const item of items) {
        const text = item.textContent.toLowerCase();
        item.hidden = !words.every((word) => text.includes(word));
      }
    };
    search.addEventListener("input", filter);
    box.addEventListener("close", () => {
      search.value = "";
      filter();
    });
    box.addEventListener("click", (event) => {
      if (event.target === box) box.close();
    });
    // Enter opens the first one shown; with none shown the form asks the server.
    box.querySelector("form").addEventListener("submit", (event) => {
      const first = search.value && shown()[0];
      if (first) {
        event.preventDefault();
        first.querySelector("button").click();
      }
    });
    box.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const stops = [search, ...shown().map((item) => item.querySelector("button"))];
      const at = stops.indexOf(document.activeElement) + step;
      stops[(at + stops.length) % stops.length].focus();
    });
    for (const link of all("[data-switch]")) {
      link.addEventListener("click", (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        openSwitcher();
      });
    }
  };

  const typing = (target) => target.closest?.("input, textarea, select, [contenteditable]");
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      const open = document.activeElement?.closest("details[data-menu][open]")
        ?? document.querySelector("details.account[open]");
      if (open) close(open);
      return;
    }
    const command = (event.ctrlKey || event.metaKey) && !event.altKey && event.key === "k";
    const letter = event.key === "o" && !event.ctrlKey && !event.metaKey && !event.altKey && !typing(event.target);
    if ((command || letter) && document.querySelector("[data-switch]")) {
      event.preventDefault();
      openSwitcher();
    }
  });

  // A form is sent once: its button says that it is under way until the answer comes.
  const busy = () => {
    for (const form of all("form[data-busy]")) {
      form.addEventListener("submit", (event) => {
        if (form.dataset.busy === "sent") {
          event.preventDefault();
          return;
        }
        form.dataset.busy = "sent";
        event.submitter?.setAttribute("aria-disabled", "true");
      });
    }
    // Back from the cache, a form can be sent again.
    addEventListener("pageshow", (event) => {
      if (!event.persisted) return;
      for (const form of all('form[data-busy="sent"]')) {
        form.dataset.busy = "";
        for (const button of all("[aria-disabled]", form)) button.removeAttribute("aria-disabled");
      }
    });
  };

  // Filters apply when chosen with the pointer; by keyboard one chooses, then presses Search.
  const filters = () => {
    for (const select of all("select[data-auto]")) {
      let keyed = false;
      select.addEventListener("keydown", () => (keyed = true));
      select.addEventListener("pointerdown", () => (keyed = false));
      select.addEventListener("change", () => keyed || select.form.requestSubmit());
    }
  };

  document.addEventListener("DOMContentLoaded", () => {
    themeButtons();
    menus();
    switcher();
    busy();
    filters();
    document.querySelector("[data-focus]")?.focus();
  });
})();
