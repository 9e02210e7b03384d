"""The look of a session's page, and the few lines of script that filter it; the page can be read without them."""

from __future__ import annotations

from typing import Final

__all__ = ["SCRIPT", "STYLE"]

STYLE: Final = """
:root { color-scheme: light dark; --back: #fff; --text: #1c2024; --dim: #60646c; --line: #e0e3e8; --soft: #f5f6f8;
  --good: #18794e; --bad: #c62a2f; --doubt: #915907; --bar: #c9d3e6; }
@media (prefers-color-scheme: dark) {
  :root { --back: #15181c; --text: #e6e8eb; --dim: #9ba1a9; --line: #2f343b; --soft: #1d2126;
    --good: #4cc38a; --bad: #ff6369; --doubt: #f1a10d; --bar: #33415c; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem; max-width: 75rem; background: var(--back); color: var(--text);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.4rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p { margin: .3rem 0; } .dim { color: var(--dim); } code, pre { font: 13px/1.45 ui-monospace, monospace; }
pre { background: var(--soft); border: 1px solid var(--line); border-radius: 6px; padding: .6rem .8rem;
  overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere; margin: .4rem 0; }
.cases { border-top: 1px solid var(--line); }
.case { border-bottom: 1px solid var(--line); } .case > .body { padding: 0 0 .8rem 1.2rem; }
summary { cursor: pointer; } summary:focus-visible, button:focus-visible { outline: 2px solid var(--doubt); }
.row { display: grid; grid-template-columns: 8.5rem 1fr 10rem 5.5rem; gap: .6rem; align-items: center;
  padding: .25rem 0; }
.status { font-weight: 600; } .good { color: var(--good); } .bad { color: var(--bad); } .doubt { color: var(--doubt); }
.bar { height: .55rem; background: var(--bar); border-radius: 3px; min-width: 1px; } .time { text-align: right; }
table { border-collapse: collapse; width: 100%; } th, td { padding: .25rem .6rem .25rem 0; text-align: right;
  border-bottom: 1px solid var(--line); } th:first-child, td:first-child { text-align: left; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; } .filter { margin: .8rem 0; display: none; gap: .5rem; flex-wrap: wrap; }
button { font: inherit; color: inherit; background: var(--soft); border: 1px solid var(--line); border-radius: 1rem;
  padding: .1rem .8rem; cursor: pointer; } button[aria-pressed=true] { border-color: currentColor; font-weight: 600; }
@media (max-width: 45rem) { .row { grid-template-columns: 6rem 1fr 5rem; } .row .track { display: none; } }
@media print { .filter { display: none !important; } }
"""

SCRIPT: Final = """
const filter = document.querySelector(".filter");
filter.style.display = "flex";
filter.addEventListener("click", event => {
  const button = event.target.closest("button");
  if (!button) return;
  for (const other of filter.querySelectorAll("button")) other.setAttribute("aria-pressed", String(other === button));
  const wanted = button.dataset.status;
  for (const row of document.querySelectorAll(".case")) row.hidden = wanted !== "" && row.dataset.status !== wanted;
});
"""
