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
    document.addEventListener("submit", (event) => {
      const form = event.target;
      if (form.dataset.busy === undefined) return;
      if (form.dataset.busy === "sent") {
        event.preventDefault();
        return;
      }
      form.dataset.busy = "sent";
      event.submitter?.setAttribute("aria-disabled", "true");
    });
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

  // The tariff designer: the page follows what is typed, and weeks are painted with the pointer. Each answer is the
  // whole page as the server shows it; here only the form is put in its place, and one goes on where one was.
  const designer = () => {
    let form = document.querySelector("form.designer");
    if (!form) return;
    let brush = 1;
    let timer;
    let asking;

    const opened = () => [...all("details", form)].map((details) => details.open);
    const put = (html) => {
      const fresh = new DOMParser().parseFromString(html, "text/html").querySelector("form.designer");
      if (!fresh) return false;
      const at = document.activeElement;
      const held = at && form.contains(at) && at.id ? { id: at.id, from: at.selectionStart, to: at.selectionEnd } : null;
      const open = opened();
      const side = form.querySelector(".design-side")?.scrollTop ?? 0;
      form.replaceWith(fresh);
      form = fresh;
      const details = all("details", form);
      if (details.length === open.length) details.forEach((one, n) => (one.open = one.open || open[n]));
      begin();
      form.querySelector(".design-side").scrollTop = side;
      const again = held && document.getElementById(held.id);
      if (again) {
        again.focus({ preventScroll: true });
        if (held.from !== null && again.setSelectionRange && again.type === "text") again.setSelectionRange(held.from, held.to);
      }
      return true;
    };
    const ask = async (action) => {
      clearTimeout(timer);
      asking?.abort();
      asking = new AbortController();
      const body = new URLSearchParams(new FormData(form));
      body.set("do", action);
      try {
        const answer = await fetch(form.action, { method: "POST", body, signal: asking.signal });
        return answer.ok && put(await answer.text());
      } catch (error) {
        return error.name === "AbortError";
      }
    };
    const later = () => {
      clearTimeout(timer);
      asking?.abort();
      timer = setTimeout(() => ask("refresh"), 350);
    };

    const clock = (part, parts) => {
      const minutes = (part * 1440) / parts;
      return `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
    };
    const words = (row, names) => {
      const parts = [...all("td", row)].map((cell) => Number(cell.dataset.p));
      const said = [];
      names.forEach((name, period) => {
        if (!period) return;
        const runs = [];
        parts.forEach((at, n) => {
          if (at !== period) return;
          if (runs.length && runs[runs.length - 1][1] === n) runs[runs.length - 1][1] = n + 1;
          else runs.push([n, n + 1]);
        });
        if (runs.length === 1 && runs[0][1] - runs[0][0] === parts.length) said.push(name);
        else if (runs.length) {
          said.push(`${name} ${runs.map(([a, b]) => `${clock(a, parts.length)}–${clock(b, parts.length)}`).join(", ")}`);
        }
      });
      return said.join("; ");
    };
    const paintable = (grid) => {
      const names = JSON.parse(grid.dataset.week);
      const rows = [...all("tbody tr", grid)];
      let from;
      let before;
      const place = (cell) => [rows.indexOf(cell.parentElement), cell.cellIndex];
      const show = (to) => {
        const [r0, r1] = [Math.min(from[0], to[0]), Math.max(from[0], to[0])];
        const [c0, c1] = [Math.min(from[1], to[1]), Math.max(from[1], to[1])];
        rows.forEach((row, r) => {
          for (const cell of all("td", row)) {
            const inside = r >= r0 && r <= r1 && cell.cellIndex >= c0 && cell.cellIndex <= c1;
            const period = inside ? brush % names.length : before[r][cell.cellIndex - 1];
            cell.dataset.p = period;
            cell.className = `p${period % 6}`;
          }
        });
      };
      const cellAt = (event) => document.elementFromPoint(event.clientX, event.clientY)?.closest("td");
      grid.classList.add("paintable");
      grid.addEventListener("pointerdown", (event) => {
        const cell = event.target.closest("td");
        if (!cell || event.button) return;
        event.preventDefault();
        grid.setPointerCapture(event.pointerId);
        before = rows.map((row) => [...all("td", row)].map((one) => Number(one.dataset.p)));
        from = place(cell);
        show(from);
      });
      grid.addEventListener("pointermove", (event) => {
        const cell = from && cellAt(event);
        if (cell && grid.contains(cell)) show(place(cell));
      });
      const end = () => {
        if (!from) return;
        from = undefined;
        for (const row of rows) {
          const field = document.getElementById(row.dataset.field);
          if (field) field.value = words(row, names);
        }
        ask("refresh");
      };
      grid.addEventListener("pointerup", end);
      grid.addEventListener("pointercancel", end);
    };
    const brushes = () => {
      const buttons = [...all("[data-brush]", form)];
      const press = () => {
        for (const button of buttons) button.setAttribute("aria-pressed", String(Number(button.dataset.brush) === brush));
      };
      for (const button of buttons) {
        button.hidden = false;
        button.addEventListener("click", () => {
          brush = Number(button.dataset.brush);
          press();
        });
      }
      press();
    };

    const begin = () => {
      brushes();
      for (const grid of all(".week-grid", form)) paintable(grid);
      form.addEventListener("input", later);
      form.addEventListener("submit", (event) => {
        clearTimeout(timer);
        asking?.abort();
        const action = event.submitter?.value;
        if (event.submitter?.name !== "do" || action === "save") return;
        event.preventDefault();
        event.stopImmediatePropagation();
        ask(action).then((put) => {
          if (put) return;
          // Something else than the form was the answer: let the browser show it.
          form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "do", value: action }));
          form.submit();
        });
      }, true);
    };
    begin();
  };

  document.addEventListener("DOMContentLoaded", () => {
    designer();
    themeButtons();
    menus();
    switcher();
    busy();
    filters();
    document.querySelector("[data-focus]")?.focus();
  });
})();
