(() => {
  const read = key => { try { return localStorage.getItem(key) || ""; } catch { return ""; } };
  const address = new URLSearchParams(location.search), known = id => Boolean(id) && /^\w+$/.test(id);
  const asked = ["from", "to"].map(key => address.get(key));
  const one = address.get("framework") || asked.find(known) || read("rosetta.framework");
  const kept = asked.some(known) || address.has("framework") ? asked : read("rosetta.pair").split(" ");
  const two = kept.length === 2 && kept.every(known) && kept[0] !== kept[1] ? kept : null;
  if (!two && !known(one)) return;
  const ids = two || [one], panel = id => `.rosetta-tabs>[data-framework="${id}"]`;
  const style = document.createElement("style");
  style.id = "rosetta-early";
  style.textContent = `.rosetta-tabs:has(${ids.map(id => `>[data-framework="${id}"]`)})>[data-framework]{display:none}`
    + ids.map((id, i) => `${panel(id)}.rosetta-panel{display:block;order:${i}}`).join("");
  if (two) {
    const set = `.rosetta-tabs:has(>.rosetta-panel:is(${two.map(id => `[data-framework="${id}"]`)}))`;
    style.textContent += `${set}{display:grid}${set}>[role=tablist]{display:none!important}`;
    document.documentElement.classList.add("rosetta-compare");
  }
  document.head.append(style);
})();
