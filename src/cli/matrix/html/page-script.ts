// The page's script, as it runs in the browser: filters, port choice, reasons, arrow keys. Names reach the document
// as text nodes only. Plain JavaScript in a string: it is embedded, never run here; test/browser runs it.

export const PAGE_SCRIPT = String.raw`
"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId("data").textContent);
  const table = byId("matrix");
  const details = byId("details");
  const hint = details.firstElementChild;
  const size = data.groups.length;
  const head = [...table.tHead.rows[0].cells].slice(1);
  const rows = [...table.tBodies[0].rows];
  const cells = rows.map((row) => [...row.cells].slice(1));
  const original = cells.map((row) => row.map((cell) => ({ text: cell.textContent, state: cell.className })));
  const shownRows = new Set(rows.keys());
  const shownColumns = new Set(head.keys());
  let pinned = null;
  let current = null;
  let lit = [];

  const el = (tag, className, text) => {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (text !== undefined) node.textContent = text;
    return node;
  };

  const placeOf = (cell) => {
    if (!cell || cell.tagName !== "TD") return null;
    return { from: cell.parentNode.sectionRowIndex, to: cell.cellIndex - 1 };
  };
  const cellAt = (place) => cells[place.from][place.to];

  const reasonItem = (title, reason) => {
    const fragment = document.createDocumentFragment();
    fragment.append(el("dt", "", title + ": " + (reason.allow ? "allow" : "deny")));
    const dd = el("dd", "", reason.text);
    if (reason.place) dd.append(el("code", "", reason.place));
    if (reason.notes && reason.notes.length > 0) {
      const list = el("ul");
      for (const note of reason.notes) {
        const item = el("li", "", note.text);
        if (note.place) item.append(el("code", "", note.place));
        list.append(item);
      }
      dd.append(list);
    }
    fragment.append(dd);
    return fragment;
  };

  const isAllowed = (block) => data.reasons[block.egress].allow && data.reasons[block.ingress].allow;

  const blockNodes = (block) => {
    const allow = isAllowed(block);
    const every = block.ports.length === data.ports.length && data.ports.length > 1;
    const ports = every ? "all " + data.ports.length + " ports asked" : block.ports.map((index) => data.ports[index]).join(", ");
    const title = el("h3");
    title.append(el("span", "badge " + (allow ? "allow" : "deny"), allow ? "allow" : "deny"));
    title.append((block.family ? block.family + ": " : "") + ports);
    const list = el("dl");
    list.append(reasonItem("egress, where the source runs", data.reasons[block.egress]));
    list.append(reasonItem("ingress, where the destination runs", data.reasons[block.ingress]));
    return [title, list];
  };

  const show = (place) => {
    for (const header of lit) header.classList.remove("lit");
    lit = [];
    if (!place) return details.replaceChildren(hint);
    lit = [rows[place.from].cells[0], head[place.to]];
    for (const header of lit) header.classList.add("lit");
    const from = data.groups[place.from];
    const to = data.groups[place.to];
    const nodes = [el("h2", "", from.label + " \u2192 " + to.label)];
    const number = data.grid[place.from * size + place.to];
    if (number === -1) nodes.push(el("p", "hint", "A pod always reaches itself."));
    else if (number === -2) nodes.push(el("p", "hint", "Nothing is asked here: the two have no address family in common, or this pair was left out."));
    else {
      const target = place.from === place.to ? to.second : to.first;
      if (from.pods * to.pods > 1) {
        const text = "judged: " + from.first + " \u2192 " + target + "; the verdict is the same for each of these pods";
        nodes.push(el("p", "stands", text));
      }
      const port = byId("port").value;
      for (const block of data.cells[number]) {
        if (port === "") nodes.push(...blockNodes(block));
        else if (block.ports.includes(Number(port))) nodes.push(...blockNodes({ ...block, ports: [Number(port)] }));
      }
    }
    details.replaceChildren(...nodes);
    details.scrollTop = 0;
  };

  const pin = (place) => {
    if (pinned) cellAt(pinned).classList.remove("pinned");
    pinned = place;
    if (place) cellAt(place).classList.add("pinned");
    show(place);
  };

  const focusCell = (place) => {
    if (current) cellAt(current).tabIndex = -1;
    current = place;
    cellAt(place).tabIndex = 0;
    cellAt(place).focus();
  };

  /* The next one that is not filtered away. */
  const step = (index, by, shown) => {
    let next = index + by;
    while (next >= 0 && next < size && !shown.has(next)) next += by;
    return next >= 0 && next < size ? next : index;
  };
  const ends = (shown) => [...shown].sort((a, b) => a - b);
  const MOVES = {
    ArrowLeft: (at) => ({ from: at.from, to: step(at.to, -1, shownColumns) }),
    ArrowRight: (at) => ({ from: at.from, to: step(at.to, 1, shownColumns) }),
    ArrowUp: (at) => ({ from: step(at.from, -1, shownRows), to: at.to }),
    ArrowDown: (at) => ({ from: step(at.from, 1, shownRows), to: at.to }),
    Home: (at) => ({ from: at.from, to: ends(shownColumns)[0] }),
    End: (at) => ({ from: at.from, to: ends(shownColumns).at(-1) }),
  };

  const applyFilter = () => {
    const want = (id) => byId(id).value.trim().toLowerCase();
    const keep = (text, shown) => {
      shown.clear();
      data.groups.forEach((group, index) => { if (group.label.toLowerCase().includes(text)) shown.add(index); });
    };
    keep(want("from"), shownRows);
    keep(want("to"), shownColumns);
    rows.forEach((row, from) => { row.hidden = !shownRows.has(from); });
    head.forEach((header, to) => {
      const hidden = !shownColumns.has(to);
      if (header.hidden === hidden) return;
      header.hidden = hidden;
      for (const row of cells) row[to].hidden = hidden;
    });
    const part = (shown) => (shown.size === size ? "all " + size : shown.size + " of " + size);
    byId("count").textContent = "showing " + part(shownRows) + " from, " + part(shownColumns) + " to";
    const gone = !current || !shownRows.has(current.from) || !shownColumns.has(current.to);
    if (gone && shownRows.size > 0 && shownColumns.size > 0) {
      if (current) cellAt(current).tabIndex = -1;
      current = { from: ends(shownRows)[0], to: ends(shownColumns)[0] };
      cellAt(current).tabIndex = 0;
    }
    if (pinned && (!shownRows.has(pinned.from) || !shownColumns.has(pinned.to))) pin(null);
  };

  /* One port: yes or no in every cell; all ports: as the page came. */
  const applyPort = () => {
    const value = byId("port").value;
    cells.forEach((row, from) => row.forEach((cell, to) => {
      const number = data.grid[from * size + to];
      let { text, state } = original[from][to];
      if (value !== "" && number >= 0) {
        const asked = data.cells[number].filter((block) => block.ports.includes(Number(value)));
        const allowed = asked.filter(isAllowed);
        state = allowed.length === 0 ? "none" : allowed.length === asked.length ? "all" : "some";
        text = state === "all" ? "yes" : state === "none" ? "-" : allowed.map((block) => block.family).join(" ");
      }
      cell.textContent = text;
      cell.className = state;
    }));
    pin(pinned);
  };

  table.addEventListener("mouseover", (event) => {
    const place = placeOf(event.target);
    if (place && !pinned) show(place);
  });
  table.addEventListener("click", (event) => {
    const place = placeOf(event.target);
    if (!place) return;
    focusCell(place);
    pin(place);
  });
  table.addEventListener("focusin", (event) => {
    const place = placeOf(event.target);
    if (place && !pinned) show(place);
  });
  table.addEventListener("keydown", (event) => {
    const place = placeOf(event.target);
    if (!place || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" || event.key === " ") pin(place);
    else if (Object.hasOwn(MOVES, event.key)) focusCell(MOVES[event.key](place));
    else return;
    event.preventDefault();
  });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") pin(null); });
  byId("tools").addEventListener("submit", (event) => event.preventDefault());
  byId("from").addEventListener("input", applyFilter);
  byId("to").addEventListener("input", applyFilter);
  byId("port").addEventListener("change", applyPort);
  byId("tools").reset();
  byId("tools").hidden = false;
  table.setAttribute("role", "grid");
  if (size > 0) applyFilter();
})();
`;
