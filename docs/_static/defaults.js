// Lists the defaults in which two frameworks differ, as one table above the others. rosetta.js provides the two.
(() => {
  "use strict";
  const make = (tag, ...content) => { const it = document.createElement(tag); it.append(...content); return it; };
  const cell = (text, more) => Object.assign(make("th", make("p", text)), more);
  const words = cell => cell.querySelector(".rosetta-answer").textContent;
  const value = cell => cell?.querySelector("data")?.value;  // none on the line of the majority
  const folder = row => value(row.cells[0]);
  const title = id => document.querySelector(`.rosetta-bar option[value="${id}"]`).text;
  const tables = () => document.querySelectorAll("table.rosetta-defaults");
  let usual;  // what the captions say without a second framework

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
    for (const mark of td.querySelectorAll(".rosetta-odd")) mark.remove();
    return td;
  }

  // What a folder calls what a table is about, each name once.
  function names(table, id) {
    const codes = [...table.tBodies[0].rows].filter(row => folder(row) === id)
      .flatMap(row => [...row.cells[0].querySelectorAll(".rosetta-name > code")]);
    return make("td", ...[...new Set(codes.map(code => code.textContent))].map(name => make("p", make("code", name))));
  }

  // What to write in a framework for these answers of another one; a dash where they are several, or nothing gives it.
  function written(id, facet, answers) {
    const lines = document.querySelectorAll(`#explicit-${id.replaceAll("_", "-")} tbody tr`), td = make("td");
    const line = [...lines].find(({cells}) => value(cells[0]) === facet && answers.join() === cells[1].textContent.trim());
    td.append(line ? line.cells[2].firstElementChild.cloneNode(true) : "–");
    if (!line) td.title = "No argument was measured to give this answer.";
    return td;
  }

  // In a table, the mark of what differs between the two. One cell may span several columns.
  function mark(cell) {
    if (cell.querySelector(".is-own")) return;
    cell.querySelector(".rosetta-answer").before(Object.assign(make("span", "◆ "), {className: "rosetta-odd is-own"}));
  }

  // One line for each column in which the two differ. count: all columns, those with two answers, those that differ.
  function linesOf(table, ids, count) {
    const lines = [];
    for (const head of [...table.tHead.rows[0].cells].slice(1)) {
      const sides = ids.map(id => cellsOf(table, id, head.cellIndex)), answers = sides.map(said);
      count.all++;
      if (!sides.every(cells => cells.length)) continue;
      count.known++;
      if (answers[0].join() === answers[1].join()) continue;
      count.different++;
      const columns = [...sides.map(together), written(ids[1], value(head), answers[0])];
      lines.push(make("tr", cell(head.textContent, {scope: "row"}), ...columns));
      sides.flat().forEach(mark);
    }
    return lines;
  }

  function draw(ids) {
    const box = document.querySelector(".rosetta-differences"), status = box.firstElementChild, bodies = [];
    const [from, to] = ids.map(id => id && title(id)), count = {all: 0, known: 0, different: 0};
    usual ??= tables()[0].caption.firstElementChild.textContent;
    for (const old of document.querySelectorAll(".rosetta-odd.is-own")) old.remove();
    for (const table of tables()) {
      for (const row of table.tBodies[0].rows) row.classList.toggle("is-own", !!ids[0] && folder(row) === ids[0]);
      table.caption.firstElementChild.textContent = to ? `◆ differs between ${from} and ${to}` : usual;
    }
    box.replaceChildren(status);
    status.textContent = "";
    if (!to) return;
    for (const table of tables()) {
      const lines = linesOf(table, ids, count), asked = table.closest("section").querySelector("h2").firstChild.textContent;
      if (!lines.length) continue;
      const head = make("tr", cell(asked, {scope: "rowgroup"}), ...ids.map(id => names(table, id)), make("td"));
      bodies.push(make("tbody", head, ...lines));
    }
    status.textContent = `${from} and ${to} differ in ${count.different} of ${count.known} defaults.`
      + (count.all > count.known ? ` For ${count.all - count.known} more, an answer is missing.` : "");
    if (!count.different) return;
    const heads = ["Question", from, to, `Write in ${to}`].map(text => cell(text, {scope: "col"}));
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
