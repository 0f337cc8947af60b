// The page's style sheet: light and dark, sticky headers, no fonts or pictures from anywhere.

export const PAGE_STYLE = `
:root { color-scheme: light dark; --bg: #fff; --fg: #1b1f24; --muted: #59636e; --line: #d5dae0; --head: #f4f6f8;
  --all: #d3f0dc; --all-fg: #0b5226; --some: #fdeebc; --some-fg: #5c4200; --none: #fbe3e1; --none-fg: #8c1d18;
  --self: #eceff2; --focus: #0b62d6; --row: rgb(11 98 214 / 9%); }
@media (prefers-color-scheme: dark) { :root { --bg: #14181d; --fg: #e3e8ee; --muted: #9aa6b2; --line: #333b44; --head: #1d232a;
  --all: #143d25; --all-fg: #9be3b4; --some: #46370b; --some-fg: #f6d77c; --none: #47201e; --none-fg: #ffb4ab;
  --self: #232a32; --focus: #6fb0ff; --row: rgb(111 176 255 / 14%); } }
* { box-sizing: border-box; }
[hidden] { display: none !important; }
html, body { height: 100%; margin: 0; }
body { display: flex; flex-direction: column; background: var(--bg); color: var(--fg); font: 14px/1.45 system-ui, sans-serif; }
header { padding: 14px 18px 10px; border-bottom: 1px solid var(--line); }
h1 { font-size: 19px; margin: 0 0 2px; }
header p { margin: 0; color: var(--muted); overflow-wrap: anywhere; }
header p b { color: var(--fg); font-weight: 600; }
#tools { display: flex; flex-wrap: wrap; gap: 8px 16px; align-items: center; margin: 10px 0 0; }
#tools label { color: var(--muted); }
#tools input, #tools select { font: inherit; color: var(--fg); background: var(--bg); border: 1px solid var(--line); border-radius: 6px; padding: 4px 8px; margin-left: 4px; }
#tools input { width: 15em; }
#tools output { color: var(--muted); }
.legend { display: flex; flex-wrap: wrap; gap: 4px 16px; list-style: none; margin: 10px 0 0; padding: 0; color: var(--muted); font-size: 12.5px; }
.swatch { display: inline-block; width: 13px; height: 13px; border-radius: 3px; border: 1px solid var(--line); margin-right: 5px; vertical-align: -2px; }
main { flex: 1; min-height: 0; display: flex; }
.scroll { flex: 1; min-width: 0; overflow: auto; }
table { border-collapse: separate; border-spacing: 0; margin: 0 12px 12px 0; }
th, td { border: 0 solid var(--line); border-width: 0 1px 1px 0; padding: 5px 9px; }
th { background: var(--head); font-weight: 600; text-align: left; white-space: nowrap; }
thead th { position: sticky; top: 0; z-index: 2; vertical-align: bottom; }
tbody th, .corner { position: sticky; left: 0; z-index: 1; }
thead .corner { z-index: 3; color: var(--muted); font-weight: 400; }
.ns { color: var(--muted); font-weight: 400; }
.roomy thead .ns { display: block; font-size: 12px; line-height: 1.1; }
.roomy td { min-width: 5em; max-width: 15em; }
tbody th { max-width: min(24em, 45vw); overflow: hidden; text-overflow: ellipsis; }
.roomy thead th { max-width: 16em; overflow: hidden; text-overflow: ellipsis; }
.dense { font-size: 12px; }
.dense th, .dense td { padding: 2px 5px; }
.dense thead th:not(.corner) { writing-mode: vertical-rl; transform: rotate(180deg); border-width: 1px 0 0 1px; max-height: 19em; overflow: hidden; text-overflow: ellipsis; }
.dense td { white-space: nowrap; font-size: 11px; min-width: 2.6em; }
td { text-align: center; cursor: pointer; font-variant-numeric: tabular-nums; }
td.all, .swatch.all { background: var(--all); color: var(--all-fg); }
td.some, .swatch.some { background: var(--some); color: var(--some-fg); }
td.none, .swatch.none { background: var(--none); color: var(--none-fg); }
td.self, .swatch.self { background: var(--self); color: var(--muted); }
td.unasked { background: var(--bg); }
td:hover, td:focus { outline: 2px solid var(--focus); outline-offset: -2px; }
td.pinned { outline: 3px solid var(--focus); outline-offset: -3px; }
th.lit { background-image: linear-gradient(var(--row), var(--row)); color: var(--focus); }
th.lit .ns { color: inherit; }
aside { flex: 0 0 27em; max-width: 42%; overflow: auto; border-left: 1px solid var(--line); padding: 14px 18px; overflow-wrap: anywhere; }
aside h2 { font-size: 15px; margin: 0 0 2px; }
aside h3 { font-size: 13px; margin: 16px 0 4px; padding-top: 12px; border-top: 1px solid var(--line); }
.hint, .stands { color: var(--muted); margin: 0; font-size: 13px; }
.badge { display: inline-block; border-radius: 5px; padding: 0 7px; margin-right: 6px; font-weight: 600; }
.badge.allow { background: var(--all); color: var(--all-fg); }
.badge.deny { background: var(--none); color: var(--none-fg); }
dl { margin: 6px 0 0; }
dt { color: var(--muted); font-size: 12px; margin-top: 6px; }
dd { margin: 0; }
dd ul { margin: 3px 0 0; padding-left: 18px; font-size: 13px; }
code { font: 12px ui-monospace, monospace; color: var(--muted); }
dd code { display: block; }
@media (max-width: 800px) { main { flex-direction: column; } aside { flex: 0 0 40%; max-width: none; border-left: 0; border-top: 1px solid var(--line); } #tools input { width: 9em; } }
@media print { html, body { height: auto; } main { display: block; } .scroll { overflow: visible; } #tools, aside { display: none; } * { print-color-adjust: exact; } }
`;
