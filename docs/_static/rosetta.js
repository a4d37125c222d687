// One framework, chosen once and kept on every page; and any two of them side by side.
// What the reader asks for wins in this order: the address (?framework=ID, ?from=ID&to=ID, #a-tab), what was chosen
// before, the first tab. Without this script every framework is shown, one below the other.
(() => {
  "use strict";
  const CHOICE = "rosetta.framework", PAIR = "rosetta.pair";

  // A browser may refuse storage: the choice is then kept within the page only.
  const read = key => { try { return localStorage.getItem(key); } catch { return null; } };
  const write = (key, value) => {
    try { value ? localStorage.setItem(key, value) : localStorage.removeItem(key); } catch { /* as above */ }
  };

  let sets = [], names = new Map(), bar = null, wanted = [], pair = null;

  const tabsOf = set => [...set.querySelectorAll(":scope > [role=tablist] > [role=tab]")];
  const panelsOf = set => [...set.querySelectorAll(":scope > [data-framework]")];
  const valid = two => two && two.length === 2 && two[0] !== two[1] && two.every(id => names.has(id)) ? two : null;

  function recall() {
    const address = new URLSearchParams(location.search);
    const linked = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const panel = linked && linked.closest(".rosetta-tabs > [data-framework]");
    const asked = panel ? panel.dataset.framework : address.get("framework");
    if (names.has(asked)) write(CHOICE, asked);
    wanted = [asked, read(CHOICE)].filter(id => names.has(id));
    const askedPair = valid([address.get("from"), address.get("to")]);
    if (askedPair) write(PAIR, askedPair.join(" "));
    pair = panel || (names.has(asked) && !askedPair) ? null : askedPair || valid((read(PAIR) || "").split(" "));
    draw();
    if (panel) panel.scrollIntoView();
  }

  function draw() {
    for (const set of sets) {
      const tabs = tabsOf(set), has = id => tabs.some(tab => tab.dataset.framework === id);
      const two = pair && pair.some(has) ? pair : null;
      const one = wanted.find(has) || tabs[0].dataset.framework;
      const lacking = two && two.find(id => !has(id));
      set.classList.toggle("is-pair", Boolean(two));
      set.firstElementChild.hidden = Boolean(two);
      lacking ? set.dataset.lacking = `${names.get(lacking)} has no such example yet.` : delete set.dataset.lacking;
      for (const tab of tabs) {
        const selected = tab.dataset.framework === one;
        tab.setAttribute("aria-selected", selected);
        tab.tabIndex = selected ? 0 : -1;
      }
      for (const panel of panelsOf(set)) {
        const id = panel.dataset.framework;
        panel.hidden = two ? !two.includes(id) : id !== one;
        panel.style.order = two ? two.indexOf(id) : "";
        panel.setAttribute("role", two ? "group" : "tabpanel");
      }
    }
    reach();
    if (!bar) return;
    bar.classList.toggle("is-open", Boolean(pair));
    bar.toggle.setAttribute("aria-pressed", Boolean(pair));
    if (pair) [bar.from.value, bar.to.value] = pair;
  }

  // What has to be scrolled sideways must be reachable by the keyboard, too.
  function reach() {
    for (const box of document.querySelectorAll(".highlight pre, .table-wrapper, .rosetta-plot")) {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
  }

  // Redraw, keep what was clicked where it is on the screen, and put the state into the address for sharing.
  function change(clicked, action) {
    const top = clicked.getBoundingClientRect().top;
    action();
    draw();
    scrollBy({top: clicked.getBoundingClientRect().top - top, behavior: "instant"});
    const address = new URL(location);
    address.hash = "";
    for (const key of ["framework", "from", "to"]) address.searchParams.delete(key);
    if (pair) pair.forEach((id, i) => address.searchParams.set(["from", "to"][i], id));
    else if (wanted[0]) address.searchParams.set("framework", wanted[0]);
    history.replaceState(null, "", address);
  }

  const choose = tab => change(tab, () => { wanted = [tab.dataset.framework]; write(CHOICE, wanted[0]); });
  const compare = two => change(bar, () => { pair = two; write(PAIR, two && two.join(" ")); });

  function onKey(event) {
    const tabs = tabsOf(event.currentTarget.parentElement), at = tabs.indexOf(event.target);
    const to = {ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1}[event.key];
    if (at < 0 || to === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const tab = tabs.at(to % tabs.length);
    tab.focus({preventScroll: true});
    choose(tab);
  }

  function addBar() {
    const make = (tag, properties, ...children) => {
      const made = Object.assign(document.createElement(tag), properties);
      made.append(...children);
      return made;
    };
    const select = () => make("select", {}, ...[...names].map(([id, name]) => new Option(name, id)));
    const from = select(), to = select();
    const toggle = make("button", {type: "button", textContent: "Side by side"});
    const swap = make("button", {type: "button", textContent: "⇄", title: "Swap the two"});
    swap.setAttribute("aria-label", "Swap the two");
    const two = make("span", {className: "rosetta-two"}, make("label", {}, "from ", from), swap, make("label", {}, "to ", to));
    bar = make("div", {className: "rosetta-bar", toggle, from, to}, toggle, two);
    toggle.onclick = () => {
      const ids = [...names.keys()], one = wanted[0] || ids[0];
      compare(pair ? null : [one, ids.find(id => id !== one)]);
    };
    swap.onclick = () => compare([pair[1], pair[0]]);
    // Asking for the same framework twice swaps the two.
    from.onchange = () => compare([from.value, from.value === pair[1] ? pair[0] : pair[1]]);
    to.onchange = () => compare([to.value === pair[0] ? pair[1] : pair[0], to.value]);
    sets[0].before(bar);
  }

  addEventListener("DOMContentLoaded", () => {
    sets = [...document.querySelectorAll(".rosetta-tabs")];
    reach();
    addEventListener("resize", reach);
    if (!sets.length) return;
    for (const tab of sets.flatMap(tabsOf)) {
      names.set(tab.dataset.framework, tab.textContent);
      tab.addEventListener("click", () => choose(tab));
    }
    for (const set of sets) set.firstElementChild.addEventListener("keydown", onKey);
    if (names.size > 1) addBar();
    recall();
    addEventListener("hashchange", recall);
    addEventListener("pageshow", event => { if (event.persisted) recall(); });
  });
})();
