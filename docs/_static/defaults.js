// What two frameworks answer differently, as one table before all the others, drawn from them. rosetta.js says which two.
(() => {
  "use strict";
  const make = (tag, ...content) => { const it = document.createElement(tag); it.append(...content); return it; };
  const words = cell => cell.querySelector(".rosetta-answer").textContent;
  const title = id => document.querySelector(`.rosetta-bar option[value="${id}"]`).text;

  // The rows of a folder in a table, and of these the cells under one of its heads that tell what still holds.
  const rowsOf = (table, id) => [...table.tBodies[0].rows].filter(row => row.querySelector("th data")?.value === id);
  const cellsOf = (rows, at) => rows.filter(row => !row.classList.contains("is-stale"))
    .map(row => row.cells[row.cells.length > 2 ? at : 1]).filter(cell => !cell.classList.contains("is-open"));
  const said = cells => [...new Set(cells.map(words))].sort().join("|");

  // One cell for all rows of a folder: their answer once where they agree, else each with the row's name.
  function together(cells) {
    const alike = new Set(cells.map(words)).size === 1, td = make("td");
    td.className = cells[0].className;
    for (const cell of alike ? cells.slice(0, 1) : cells) {
      td.append(...cell.cloneNode(true).childNodes);
      if (alike) continue;
      const name = make("p", cell.parentElement.querySelector("data").textContent);
      name.className = "rosetta-aside";
      td.append(name);
    }
    return td;
  }

  function draw([from, to]) {
    const box = document.querySelector(".rosetta-differences"), status = box.firstElementChild, body = make("tbody");
    let known = 0, all = 0, different = 0;
    for (const row of document.querySelectorAll(".rosetta-defaults tbody tr")) {
      row.classList.toggle("is-own", row.querySelector("th data")?.value === from);
    }
    box.replaceChildren(status);
    status.textContent = "";
    if (!to) return;
    for (const table of document.querySelectorAll("table.rosetta-defaults")) {
      const sides = [from, to].map(id => rowsOf(table, id)), section = table.closest("section"), found = [];
      [...table.tHead.rows[0].cells].slice(1).forEach((head, i) => {
        const pair = sides.map(rows => cellsOf(rows, i + 1));
        all++;
        if (!pair.every(cells => cells.length)) return;
        known++;
        if (said(pair[0]) === said(pair[1])) return;
        const name = make("th", make("p", head.textContent));
        name.scope = "row";
        found.push(make("tr", name, ...pair.map(together)));
      });
      if (!found.length) continue;
      const name = make("th", make("p", section.querySelector("h2").firstChild.textContent));
      [name.colSpan, name.scope] = [3, "colgroup"];
      different += found.length;
      body.append(make("tr", name), ...found);
    }
    status.textContent = `${title(from)} and ${title(to)} differ in ${different} of ${known} answers that both give.`
      + (all > known ? ` In ${all - known} more, an answer is missing.` : "");
    if (!different) return;
    const heads = ["What is asked", title(from), title(to)].map(text => make("th", make("p", text)));
    const table = make("table", make("thead", make("tr", ...heads)), body), wrapper = make("div", table);
    table.className = "rosetta-table rosetta-lines docutils";
    wrapper.className = "table-wrapper docutils container";
    box.append(wrapper);
  }

  let first = true;
  addEventListener("rosetta-choice", event => {
    draw(event.detail);
    // What the address leads to has moved down.
    if (first && event.detail[1]) document.querySelector(".rosetta-question :target")?.scrollIntoView();
    first = false;
  });
})();
