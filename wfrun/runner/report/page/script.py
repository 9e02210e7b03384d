"""The script of a page: it sorts, filters and changes the colours. What it does not find is there without it."""

from __future__ import annotations

from typing import Final

__all__ = ["SCRIPT"]

SCRIPT: Final = r"""
"use strict";
const all = (selector, from = document) => [...from.querySelectorAll(selector)];

// The reader's colours, kept where the browser lets a file keep something.
const themes = ["auto", "light", "dark"], theme = document.getElementById("theme");
const kept = { get() { try { return localStorage.getItem("wfrun-theme"); } catch { return null; } },
  set(name) { try { localStorage.setItem("wfrun-theme", name); } catch { /* then it is forgotten */ } } };
function wear(name) {
  document.documentElement.dataset.theme = name;
  theme.textContent = "colours: " + name;
}
wear(themes.includes(kept.get()) ? kept.get() : "auto");
theme.hidden = false;
theme.addEventListener("click", () => {
  const next = themes[(themes.indexOf(document.documentElement.dataset.theme) + 1) % themes.length];
  wear(next);
  kept.set(next);
});

// What a cell says as something that can be ordered: figures in their units, verdicts by how bad they are.
const UNITS = { ns: 1e-9, "µs": 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600, B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30,
  "k/s": 1e3, "M/s": 1e6, "G/s": 1e9 };
const RANKS = ["regressed", "improved", "inconclusive", "not comparable", "missing", "new", "same",
  "failed", "error", "timed out", "crashed", "flaky", "interrupted", "expected failure", "skipped", "passed"];
function worth(cell) {
  const text = (cell?.firstChild?.nodeType === 3 ? cell.firstChild.data : cell?.innerText ?? "").trim();
  const rank = RANKS.indexOf(text);
  if (rank >= 0) return rank;
  const found = /^([+-]?\d[\d,]*\.?\d*(?:e[+-]?\d+)?)\s*(\S*)(?:\s+(\d+) s)?/.exec(text);
  if (!found) return text === "~" || text === "-" || text === "" ? null : text.toLowerCase();
  return parseFloat(found[1].replaceAll(",", "")) * (UNITS[found[2]] ?? 1) + (found[3] ? Number(found[3]) : 0);
}
function order(one, other) {
  if (one === null || other === null) return (one === null) - (other === null);
  return typeof one === "number" && typeof other === "number" ? one - other : String(one).localeCompare(String(other));
}
// Nothing to order by comes last, whichever way the others go.
const directed = (sign) => (one, other) =>
  one.key === null || other.key === null ? order(one.key, other.key) : sign * order(one.key, other.key);

function sort(table, column, sign) {
  const groups = [];
  for (const body of table.tBodies) {
    const rows = all(":scope > tr:not(.g):not(.more)", body);
    const keyed = rows.map((row) => ({ row, key: worth(row.cells[column]) })).sort(directed(sign));
    const last = body.querySelector(":scope > .more");
    for (const each of keyed) body.insertBefore(each.row, last);
    const title = body.querySelector(":scope > .g");
    const shown = keyed.find((each) => each.row.offsetParent !== null) ?? keyed[0];
    groups.push({ body, key: title && column === 0 ? title.innerText.toLowerCase() : shown?.key ?? null });
  }
  if (groups.length > 1) for (const group of groups.sort(directed(sign))) table.append(group.body);
}
for (const table of all("table[data-sorts]")) {
  const heads = all("thead th", table);
  heads.forEach((head, column) => {
    if (!("sort" in head.dataset)) return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    head.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      for (const other of heads) if (other.hasAttribute("aria-sort")) other.setAttribute("aria-sort", "none");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      sort(table, column, up ? 1 : -1);
    });
  });
}

// A row stays when it has the wanted verdict or status, and it or its case has the words.
for (const filter of all(".filter")) {
  const section = filter.closest("section"), find = filter.querySelector("[data-find]");
  const word = section.querySelector("table[data-sorts]")?.dataset.word;
  const bodies = all("table[data-sorts] > tbody", section);
  const told = document.createElement("span");
  told.className = "dim";
  told.setAttribute("role", "status");
  filter.append(told);
  filter.hidden = false;
  const texts = new Map();
  const textOf = (row) => texts.get(row) ?? texts.set(row, row.textContent.toLowerCase()).get(row);
  let wanted = "";
  function apply() {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = [];
    for (const body of bodies) {
      const title = body.querySelector(":scope > .g");
      let any = false;
      for (const row of all(":scope > tr:not(.g):not(.more)", body)) {
        const text = textOf(row) + (title ? " " + textOf(title) : "");
        const fits = !wanted || row.cells[word].firstChild?.data === wanted;
        const stays = fits && words.every((part) => text.includes(part));
        row.hidden = !stays;
        any ||= stays;
        if (stays) found.push(row);
      }
      if (title) body.hidden = !any;
    }
    const count = found.filter((row) => row.offsetParent !== null).length;
    told.textContent = wanted || words.length ? count.toLocaleString("en") + (count === 1 ? " row" : " rows") : "";
  }
  find.addEventListener("input", apply);
  filter.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-only]");
    if (!button) return;
    for (const other of all("button[data-only]", filter)) other.setAttribute("aria-pressed", String(other === button));
    wanted = button.dataset.only;
    apply();
  });
}

// Whoever follows a link to a case sees it, whatever was filtered.
addEventListener("hashchange", () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const fold = target?.querySelector(".more details");
  if (fold) fold.open = true;
});
"""
