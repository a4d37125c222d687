// Shows the rows of the dictionary in which a name of any framework holds what the reader types.
(() => {
  "use strict";
  const box = document.querySelector(".rosetta-filter"), input = box.querySelector("input"), status = box.querySelector("span");
  const rows = [...document.querySelectorAll("table.rosetta-dictionary > tbody > tr")];

  // The names, without the reasons why there is none.
  const names = row => [row.cells[0], ...row.querySelectorAll("code")].map(it => it.textContent.toLowerCase());
  const namesOf = new Map(rows.map(row => [row, names(row)]));

  function filter() {
    const text = input.value.trim().toLowerCase();
    for (const row of rows) row.hidden = !namesOf.get(row).some(name => name.includes(text));
    const count = rows.filter(row => !row.hidden).length;
    status.textContent = text ? `${count} of ${rows.length} rows` : "";
  }

  input.addEventListener("input", filter);
  filter();  // what a browser filled in again
})();
