(() => {
  const read = key => { try { return localStorage.getItem(key) || ""; } catch { return ""; } };
  const address = new URLSearchParams(location.search), known = id => Boolean(id) && /^\w+$/.test(id);
  const asked = ["from", "to"].map(key => address.get(key));
  const one = address.get("framework") || asked.find(known) || read("rosetta.framework");
  const kept = asked.some(known) || address.has("framework") ? asked : read("rosetta.pair").split(" ");
  const two = kept.length === 2 && kept.every(known) && kept[0] !== kept[1] ? kept : null;
  const ids = two || [one].filter(known), originals = new Map();

  // Put what belongs to the chosen frameworks before its siblings. Of some tables only the chosen columns are shown.
  function promote(chosen = ids) {
    for (const {parentElement: box} of document.querySelectorAll('[class*="is-of-"]')) {
      if (!originals.has(box)) originals.set(box, [...box.children].filter(child => child.className.includes("is-of-")));
    }
    for (const shown of document.querySelectorAll(".is-promotable")) shown.classList.add("is-promoted");
    for (const [box, items] of originals) {
      const own = chosen.flatMap(id => items.filter(item => item.classList.contains(`is-of-${id}`)));
      const shown = own.length || !box.closest(".rosetta-columns") ? own : items.slice(0, 1);
      box.append(...new Set([...own, ...items]));
      for (const item of items) {
        item.classList.toggle("is-own", own.includes(item));
        item.hidden = Boolean(box.closest(".rosetta-columns")) && !shown.includes(item);
      }
    }
  }
  window.rosetta = {ids, promote};

  // Nothing is painted before promote() has put it in its place, or the page would jump. rosetta.js removes this style.
  const style = document.createElement("style");
  style.id = "rosetta-early";
  style.textContent = '.is-promotable:not(.is-promoted){display:none}';
  document.head.append(style);

  if (!ids.length) return;
  const panel = id => `.rosetta-tabs>[data-framework="${id}"]`;
  style.textContent += `.rosetta-tabs:has(${ids.map(id => `>[data-framework="${id}"]`)})>[data-framework]{display:none}`
    + ids.map((id, i) => `${panel(id)}.rosetta-panel{display:block;order:${i}}`).join("");
  if (!two) return;
  const set = `.rosetta-tabs:has(>.rosetta-panel:is(${two.map(id => `[data-framework="${id}"]`)}))`;
  style.textContent += `${set}{display:grid}${set}>[role=tablist]{display:none!important}`;
  document.documentElement.classList.add("rosetta-compare");
})();
