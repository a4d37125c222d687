// Keeps the chosen framework on every page, and shows any two side by side. The order of precedence is: the address
// (?framework=ID, ?from=ID&to=ID, #a-panel), the earlier choice, the first tab. Without this script every framework is
// shown, one below the other. Until it runs, _ext/early.js in the head of the page shows the right panels, so that
// nothing moves.
(() => {
  "use strict";
  const CHOICE = "rosetta.framework", PAIR = "rosetta.pair", SEARCHED = "sphinx_highlight_terms", YOURS = 3;

  // A browser may block storage: the choice is then kept within the page only.
  const read = key => { try { return localStorage.getItem(key); } catch { return null; } };
  const write = (key, value) => {
    try { value ? localStorage.setItem(key, value) : localStorage.removeItem(key); } catch { /* as above */ }
  };

  const searched = (read(SEARCHED) || "").toLowerCase().split(/\s+/).filter(Boolean);  // before Sphinx's script clears it
  let sets = [], names = new Map(), called = new Map(), bar = null, wanted = [], pair = null;

  const firstOf = () => sets.length ? tabsOf(sets[0])[0].dataset.framework : bar.from.options[0].value;
  const tabsOf = set => [...set.querySelectorAll(":scope > [role=tablist] > [role=tab]")];
  const panelsOf = set => [...set.querySelectorAll(":scope > [data-framework]")];
  const valid = two => two && two.length === 2 && two[0] !== two[1] && two.every(id => names.has(id)) ? two : null;
  const decoded = text => { try { return decodeURIComponent(text); } catch { return text; } };  // "#100%" is not a valid escape
  const at = hash => hash.length > 1 ? document.getElementById(decoded(hash.slice(1))) : null;
  const panelAt = hash => at(hash)?.closest(".rosetta-tabs > [data-framework]");

  function recall() {
    const address = new URLSearchParams(location.search), panel = panelAt(location.hash);
    const given = ["framework", "from", "to"].map(key => address.get(key));
    const [framework, from, to] = given.map(text => called.get(text?.toLowerCase()));
    const asked = panel ? panel.dataset.framework : framework || from || to;
    if (asked) write(CHOICE, asked);
    wanted = [asked, read(CHOICE)].filter(id => names.has(id));
    const askedPair = valid([from, to]);
    if (askedPair) write(PAIR, askedPair.join(" "));
    pair = askedPair || (asked ? null : valid((read(PAIR) || "").split(" ")));
    if (panel && pair && !pair.includes(asked)) pair = null;
    draw();
    complain(given.filter((text, i) => text !== null && !called.has(text.toLowerCase()) && given.indexOf(text) === i), from && from === to);
    if (panel) at(location.hash).scrollIntoView();
    else if (!location.hash && !asked) land();
  }

  // If the search found words only in a hidden panel, show that panel once.
  function land() {
    const found = text => searched.filter(word => text.toLowerCase().includes(word)).length;
    const prose = document.querySelector("[role=main]").cloneNode(true);
    for (const set of prose.querySelectorAll(".rosetta-tabs")) set.remove();
    if (!searched.length || found(prose.textContent) === searched.length) return;
    const panels = sets.flatMap(panelsOf), counts = new Map(panels.map(panel => [panel, found(panel.textContent)]));
    const most = Math.max(...counts.values());
    const hits = panels.filter(panel => most && counts.get(panel) === most);
    const hit = hits.find(panel => !panel.hidden) || hits[0];
    if (!hit) return;
    if (hit.hidden) {
      [wanted, pair] = [[hit.dataset.framework], null];
      draw();
    }
    hit.scrollIntoView({block: "center"});
  }

  function complain(unknown, twice) {
    const quoted = unknown.map(text => `“${text}”`).join(" or "), shown = bar.from.selectedOptions[0].text;
    bar.status.textContent = unknown.length ? `There is no framework called ${quoted}. Choose one from the lists above. This is ${shown}.`
      : twice ? `From and to are the same framework, so only ${shown} is shown.` : "";
  }

  function draw() {
    for (const set of sets) {
      const tabs = tabsOf(set), has = id => tabs.some(tab => tab.dataset.framework === id);
      const two = pair && pair.some(has) ? pair : null;
      const one = wanted.find(has) || tabs[0].dataset.framework;
      const lacking = two && two.find(id => !has(id));
      set.classList.toggle("is-pair", Boolean(two));
      set.firstElementChild.hidden = Boolean(two);
      lacking ? set.dataset.lacking = `${names.get(lacking)} has no such example.` : delete set.dataset.lacking;
      for (const tab of tabs) {
        const selected = tab.dataset.framework === one;
        tab.setAttribute("aria-selected", selected);
        tab.tabIndex = selected ? 0 : -1;
      }
      for (const panel of panelsOf(set)) {
        const id = panel.dataset.framework;
        panel.hidden = two ? !two.includes(id) : id !== one;
        panel.setAttribute("role", two ? "group" : "tabpanel");
        if (two && !panel.hidden) indent(panel.querySelector("pre"));
      }
      if (two && !lacking) arrange(...two.map(id => panelsOf(set).find(panel => panel.dataset.framework === id)));
    }
    document.documentElement.classList.toggle("rosetta-compare", Boolean(pair));
    [bar.from.value, bar.to.value] = pair || [wanted[0] || firstOf(), ""];
    bar.swap.disabled = !pair;
    document.getElementById("rosetta-early")?.remove();
    rosetta.promote(pair || wanted.slice(0, 1));
    dispatchEvent(new CustomEvent("rosetta-choice", {detail: pair || [wanted[0]]}));
    reach();
  }

  // Keyboard and screen reader follow the order in the document. Move the panel without the focus, or it loses it.
  function arrange(left, right) {
    if (left.compareDocumentPosition(right) & Node.DOCUMENT_POSITION_FOLLOWING) return;
    right.contains(document.activeElement) ? right.before(left) : left.after(right);
  }

  // Put each line of code into a box with its indentation. A line may wrap after a bracket or a dot; otherwise a long
  // call would wrap right after its indentation and leave an empty line.
  function indent(code) {
    if (code.querySelector(".rosetta-line")) return;
    const texts = code.textContent.split("\n"), lines = code.innerHTML.split("\n");
    const width = text => text.search(/\S|$/) + 4;
    code.innerHTML = lines.map((line, i) => i === lines.length - 1 ? line
      : `<span class="rosetta-line" style="--indent:${width(texts[i])}ch">${line.replace(/[([{]|(?<!\s)\.(?=[a-z<])/gi, "$&<wbr>")}\n</span>`).join("");
  }

  // A box that scrolls sideways must be reachable by keyboard.
  function reach() {
    for (const box of document.querySelectorAll(".highlight pre, .table-wrapper, .rosetta-plot")) {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
      box.onscroll = () => box.classList.toggle("has-more", box.scrollWidth - box.clientWidth - box.scrollLeft > 2);
      box.onscroll();
    }
  }

  // Redraw, keep the used control in place on the screen, and put the state into the address for sharing.
  function change(used, action) {
    const top = used.getBoundingClientRect().top;
    action();
    draw();
    complain([], false);
    scrollBy({top: used.getBoundingClientRect().top - top, behavior: "instant"});
    const address = new URL(location), section = used.closest(".rosetta-tabs") && used.closest("section[id]");
    if (section) address.hash = section.id;
    else if (panelAt(address.hash)) address.hash = "";
    for (const key of ["framework", "from", "to"]) address.searchParams.delete(key);
    if (pair) pair.forEach((id, i) => address.searchParams.set(["from", "to"][i], id));
    else if (wanted[0]) address.searchParams.set("framework", wanted[0]);
    history.replaceState(null, "", address);
  }

  function choose(used, id) {
    change(used, () => {
      [wanted, pair] = [[id], null];
      write(CHOICE, id);
      write(PAIR, null);
    });
  }

  function compare(two) {
    change(bar, () => {
      [wanted, pair] = [[two[0]], two];
      write(CHOICE, two[0]);
      write(PAIR, two.join(" "));
    });
  }

  const swap = () => pair && compare([pair[1], pair[0]]);

  function pick() {
    const [from, to] = [bar.from.value, bar.to.value];
    // Choosing the same framework twice swaps the two, if there are two.
    if (!to) choose(bar, from);
    else if (from !== to) compare([from, to]);
    else if (pair) compare([pair[1], pair[0]]);
    else {
      draw();
      complain([], true);
    }
  }

  function onKey(event) {
    const tabs = tabsOf(event.currentTarget.parentElement), at = tabs.indexOf(event.target);
    const to = {ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1}[event.key];
    if (at < 0 || to === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const tab = tabs.at(to % tabs.length);
    tab.focus({preventScroll: true});
    choose(tab, tab.dataset.framework);
  }

  // The reader's own frameworks come first in both lists; then follow all active and retired ones.
  function setUpBar() {
    bar = document.querySelector(".rosetta-bar");
    [bar.from, bar.to] = bar.querySelectorAll("select");
    [bar.swap, bar.status] = [bar.querySelector("button"), bar.querySelector("[role=status]")];
    for (const {value, text, dataset} of bar.from.options) {
      names.set(value, text);
      for (const name of [value, text, ...(dataset.also || "").split(" ")]) if (name) called.set(name.toLowerCase(), value);
    }
    const own = [read(CHOICE), ...(read(PAIR) || "").split(" ")].filter(id => names.has(id));
    for (const select of own.length ? [bar.from, bar.to] : []) {
      const group = Object.assign(document.createElement("optgroup"), {label: "Yours"});
      const options = [...new Set(own)].slice(0, YOURS).map(id => select.querySelector(`[value="${id}"]`));
      group.append(...options);
      select.querySelector("optgroup").before(group);
    }
    bar.from.onchange = bar.to.onchange = pick;
    bar.swap.onclick = swap;
    addEventListener("keydown", event => {
      if (!event.altKey || event.code !== "KeyX" || !pair) return;
      event.preventDefault();
      swap();
    });
  }

  // In a wide table, scroll the element with the focus out from under the sticky first column. The browser does not do
  // that if a corner of the element is visible.
  const uncover = ({target}) => {
    const first = target.closest("table.rosetta-lines tr, table.rosetta-matrix tr")?.firstElementChild;
    const covered = first && !first.contains(target) && getComputedStyle(first).position === "sticky"
      ? first.getBoundingClientRect().right - target.getBoundingClientRect().left : 0;
    if (covered > 0) first.closest(".table-wrapper").scrollBy({left: -covered, behavior: "instant"});
  };

  addEventListener("focusin", uncover);
  addEventListener("DOMContentLoaded", () => {
    sets = [...document.querySelectorAll(".rosetta-tabs")];
    addEventListener("resize", reach);
    document.querySelectorAll(".rosetta-pair pre, .rosetta-helpers pre, .rosetta-download pre").forEach(indent);
    if (!document.querySelector(".rosetta-bar")) return reach();
    setUpBar();
    for (const set of sets) {
      for (const tab of tabsOf(set)) tab.addEventListener("click", () => choose(tab, tab.dataset.framework));
      set.firstElementChild.addEventListener("keydown", onKey);
    }
    recall();
    addEventListener("hashchange", recall);
    addEventListener("pageshow", event => { if (event.persisted) recall(); });
  });
})();
