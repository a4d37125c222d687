// Lists the defaults in which two frameworks differ, as one table above the others. rosetta.js provides the two.
(() => {
  "use strict";
  const make = (tag, ...content) => { const it = document.createElement(tag); it.append(...content); return it; };
  const cell = (text, more) => Object.assign(make("th", make("p", text)), more);
  const words = cell => cell.querySelector(".rosetta-answer").textContent;
  const folder = row => row.querySelector("th data")?.value;  // none on the line of the majority
  const title = id => document.querySelector(`.rosetta-bar option[value="${id}"]`).text;
  const tables = () => document.querySelectorAll("table.rosetta-defaults");

  // The current cells of a folder's rows in one column of a table. One cell may span all columns.
  const cellsOf = (table, id, at) => [...table.tBodies[0].rows]
    .filter(row => folder(row) === id && !row.classList.contains("is-stale"))
    .map(row => row.cells[row.cells.length > 2 ? at : 1]).filter(cell => !cell.classList.contains("is-open"));
  const said = cells => [...new Set(cells.map(words))].sort();

  // One cell for all rows of a folder: one answer if they agree, otherwise each answer with the name of its row.
  function together(cells) {
    const alike = said(cells).length === 1, td = make("td");
    if (alike) td.className = cells[0].className;
    for (const one of alike ? cells.slice(0, 1) : cells) {
      td.append(...one.cloneNode(true).childNodes);
      if (alike) continue;
      td.append(make("p", one.parentElement.querySelector("data").textContent));
      td.lastChild.className = "rosetta-aside";
    }
    return td;
  }

  // One line for each column in which the two differ. count: all columns, those with two answers, those that differ.
  function linesOf(table, ids, count) {
    const lines = [];
    for (const head of [...table.tHead.rows[0].cells].slice(1)) {
      const sides = ids.map(id => cellsOf(table, id, head.cellIndex));
      count.all++;
      if (!sides.every(cells => cells.length)) continue;
      count.known++;
      if (said(sides[0]).join() === said(sides[1]).join()) continue;
      count.different++;
      lines.push(make("tr", cell(head.textContent, {scope: "row"}), ...sides.map(together)));
    }
    return lines;
  }

  function draw(ids) {
    const box = document.querySelector(".rosetta-differences"), status = box.firstElementChild, bodies = [];
    const [from, to] = ids.map(id => id && title(id)), count = {all: 0, known: 0, different: 0};
    for (const table of tables()) {
      for (const row of table.tBodies[0].rows) row.classList.toggle("is-own", !!ids[0] && folder(row) === ids[0]);
    }
    box.replaceChildren(status);
    status.textContent = "";
    if (!to) return;
    for (const table of tables()) {
      const lines = linesOf(table, ids, count), asked = table.closest("section").querySelector("h2").firstChild.textContent;
      if (lines.length) bodies.push(make("tbody", make("tr", cell(asked, {colSpan: 3, scope: "rowgroup"})), ...lines));
    }
    status.textContent = `${from} and ${to} differ in ${count.different} of ${count.known} defaults.`
      + (count.all > count.known ? ` For ${count.all - count.known} more, an answer is missing.` : "");
    if (!count.different) return;
    const heads = ["Question", from, to].map(text => cell(text, {scope: "col"}));
    const table = make("table", make("thead", make("tr", ...heads)), ...bodies);
    table.className = "rosetta-table rosetta-lines docutils";
    box.append(Object.assign(make("div", table), {className: "table-wrapper docutils container"}));
  }

  let first = true;
  addEventListener("rosetta-choice", event => {
    draw(event.detail);
    // The new table has moved the target of the address down.
    if (first && event.detail[1]) document.querySelector(".rosetta-question :target")?.scrollIntoView();
    first = false;
  });
})();
