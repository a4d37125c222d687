// Selects the table of results, its order, and the row that the ratios refer to. The address holds all of this:
// ?workload=NAME&machine=ID&preset=full&device=cpu&sort=-accuracy&ratio=ROW, or #the-line-of-a-record.
// Until a reader sorts a table, the rows of the chosen frameworks come first.
// The page loads this before its tables, so that nothing jumps. Without this script all tables are shown.
(() => {
  "use strict";
  const KEYS = ["workload", "machine", "preset", "device"], root = document.documentElement;
  const bar = document.currentScript.previousElementSibling, status = bar.querySelector("[role=status]");
  const selects = Object.fromEntries([...bar.querySelectorAll("select")].map(one => [one.name, one]));
  const options = Object.fromEntries(KEYS.map(key => [key, [...selects[key].options]]));
  const tables = JSON.parse(bar.dataset.tables);
  let shown, parts;
  root.classList.add("rosetta-choosing");
  bar.hidden = false;

  const datum = cell => cell && cell.querySelector("data");
  const id = row => datum(row.cells[0]).value;
  const name = row => datum(row.cells[0]).textContent;
  const failed = row => row.classList.contains("is-failed");
  const column = (table, key) => table.heads.findIndex(head => datum(head).value === key);
  // A failed run has one cell with its reason in place of its numbers.
  const value = (row, at) => !failed(row) && datum(row.cells[at]) ? Number(datum(row.cells[at]).value) : null;
  const times = ratio => `${ratio.toFixed(ratio < 10 ? 2 : ratio < 100 ? 1 : 0)}×`;

  function linked() {
    try { return document.getElementById(decodeURIComponent(location.hash.slice(1))); } catch { return null; }
  }

  // The first table that matches the address. Values that no table has are added to `lacking`.
  function find(candidates, asked, lacking) {
    for (const key of KEYS) {
      const fit = candidates.filter(table => table[key] === asked(key));
      if (fit.length) candidates = fit;
      else if (asked(key) !== null) lacking.push(`${key} “${asked(key)}”`);
    }
    return candidates[0];
  }

  function sort(table, asked, lacking) {
    const key = asked && asked.replace(/^-/, ""), sign = key === asked ? 1 : -1;
    const at = table.ranked ? column(table, key) : -1;
    if (asked !== null && at < 0) lacking.push(`sort “${asked}”`);
    table.heads.forEach((head, i) => {
      if (i === at) head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
      else head.removeAttribute("aria-sort");
    });
    const numbers = (a, b) => a === null || b === null ? (a === null) - (b === null) : sign * (a - b);
    const compare = (a, b) => failed(a) - failed(b)
      || (at ? numbers(value(a, at), value(b, at)) : sign * name(a).localeCompare(name(b)));
    const own = rosetta.ids.flatMap(id => table.rows.filter(row => row.classList.contains(`is-of-${id}`)));
    for (const row of table.rows) row.classList.toggle("is-own", own.includes(row));
    table.body.append(...at < 0 ? new Set([...own, ...table.rows]) : [...table.rows].sort(compare));
  }

  function hold(table, asked, lacking) {
    const [time, rate, ratio] = ["time", "rate", "ratio"].map(key => column(table, key));
    const timed = table.ranked ? table.rows.filter(row => value(row, time)) : [];
    let held = timed.find(row => id(row) === asked);
    if (asked !== null && !held) lacking.push(`ratio “${asked}”`);
    held = held || table.reference;
    const names = timed.map(row => new Option(name(row), id(row))).sort((a, b) => a.text.localeCompare(b.text));
    selects.ratio.replaceChildren(...table.reference ? [] : [new Option("–", "")], ...names);
    selects.ratio.value = held ? id(held) : "";
    selects.ratio.disabled = !table.ranked;
    table.element.classList.toggle("is-unheld", !held);
    for (const row of table.rows) row.classList.toggle("is-reference", row === held);
    if (!held) return;
    for (const row of timed) {
      const [first, second] = row.cells[ratio].children, cell = document.createElement("data");
      cell.value = value(row, time) / value(held, time);
      cell.textContent = times(Number(cell.value));
      first.replaceChildren(cell);
      second.textContent = value(row, rate) && value(held, rate) ? `rate ${times(value(row, rate) / value(held, rate))}` : "";
    }
  }

  // Offer existing choices only: the machines of the network, their presets, and the devices of these.
  function offer(table) {
    let left = tables;
    for (const key of KEYS) {
      selects[key].replaceChildren(...options[key].filter(option => left.some(one => one[key] === option.value)));
      selects[key].value = table[key];
      left = left.filter(one => one[key] === table[key]);
    }
  }

  function show() {
    const address = new URLSearchParams(location.search), lacking = [], line = linked();
    const part = line && line.closest(".rosetta-part");
    if (part) shown = find(tables.filter(table => part.contains(table.section)), key => address.get(key), []);
    else shown = find(tables, key => address.get(key), lacking);
    for (const one of parts) one.hidden = !one.contains(shown.section);
    sort(shown, address.get("sort"), lacking);
    hold(shown, address.get("ratio"), lacking);
    offer(shown);
    status.textContent = lacking.length && `Not found: ${lacking.join(", ")}. The default is shown instead.` || "";
    dispatchEvent(new Event("resize")); // another box may need to scroll now
    if (part) line.scrollIntoView({block: line === part ? "start" : "center", behavior: "instant"});
  }

  // A choice changes the address, and the page follows the address.
  function go(table, changed) {
    const address = new URL(location);
    address.hash = bar.id;
    for (const key of KEYS) address.searchParams.set(key, table[key]);
    for (const key in changed) changed[key] ? address.searchParams.set(key, changed[key]) : address.searchParams.delete(key);
    history.pushState(null, "", address);
    show();
  }

  // The first press sorts the best to the top, the second reverses the order, the third restores the original order.
  function press(head) {
    const key = datum(head).value, orders = head.classList.contains("is-more") ? [`-${key}`, key, ""] : [key, `-${key}`, ""];
    const now = new URLSearchParams(location.search).get("sort");
    go(shown, {sort: orders[orders.indexOf(now) + 1]});
  }

  function read(table) {
    table.section = document.getElementById(table.id);
    table.element = table.section.querySelector("table");
    table.body = table.element.tBodies[0];
    table.rows = [...table.body.rows];
    table.heads = [...table.element.tHead.rows[0].cells];
    table.ranked = table.element.classList.contains("is-ranked");
    table.reference = table.rows.find(row => row.classList.contains("is-reference"));
    for (const head of table.ranked ? table.heads : []) {
      const button = document.createElement("button"), title = datum(head);
      button.type = "button";
      title.replaceWith(button);
      button.append(title);
      button.onclick = () => press(head);
    }
  }

  function start() {
    if (parts) return;
    parts = [...document.querySelectorAll(".rosetta-part")];
    tables.forEach(read);
    for (const key of KEYS) selects[key].onchange = () => go(find(tables, key => selects[key].value, []), {});
    selects.ratio.onchange = () => go(shown, {ratio: selects.ratio.value});
    show();
    root.classList.remove("rosetta-choosing");
    addEventListener("popstate", show); // a link within the page, too
  }
  addEventListener("rosetta-results", start);
  addEventListener("DOMContentLoaded", start); // in case the page ended before that event
})();
