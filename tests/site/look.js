// Questions to a page: an object of functions, each of which answers with plain values. conftest.look() asks them.
(() => {
  const seen = element => element.checkVisibility({opacityProperty: true, visibilityProperty: true});
  const name = element => {
    const words = (element.ariaLabel || element.textContent || "").trim().replace(/\s+/g, " ").slice(0, 40);
    return element.tagName.toLowerCase() + (element.id && "#" + element.id) + [...element.classList].map(c => "." + c).join("")
      + (words && ` "${words}"`);
  };
  const clips = element => getComputedStyle(element).overflowX !== "visible";
  const ancestors = element => element.parentElement ? [element.parentElement, ...ancestors(element.parentElement)] : [];
  const floats = element => [element, ...ancestors(element)].some(e => /fixed|sticky/.test(getComputedStyle(e).position));
  const text = () => document.querySelector("article, main");
  const rect = ({left, top, right, bottom}) => ({left, top, right, bottom});

  // The part of a box that its scrolling or clipping ancestors leave to be seen, or null.
  const clipped = (box, element) => {
    for (const outer of ancestors(element).filter(e => e !== document.body && e !== document.documentElement && clips(e))) {
      const by = outer.getBoundingClientRect();
      box = {left: Math.max(box.left, by.left), right: Math.min(box.right, by.right),
             top: Math.max(box.top, by.top), bottom: Math.min(box.bottom, by.bottom)};
    }
    return box.right - box.left > 1 && box.bottom - box.top > 1 ? box : null;
  };

  const CONTROLS = "a[href], button, select, input:not([type=hidden]), textarea, summary, label[for], [role=tab], [onclick]";

  return {
    // For each set of tabs its visible panels, from top to bottom and left to right: the framework and the box of each,
    // whether its text has the name on the framework's tab, whether its first code is visible, and fits without scrolling.
    panels: () => [...document.querySelectorAll(".rosetta-tabs")].map(set =>
      [...set.querySelectorAll(":scope > [data-framework]")].filter(seen).map(panel => {
        const {framework} = panel.dataset, code = panel.querySelector("pre");
        const name = set.querySelector(`[role=tab][data-framework="${framework}"]`).textContent;
        return {framework, ...rect(panel.getBoundingClientRect()), named: panel.innerText.includes(name),
                code: seen(code), fits: code.scrollWidth <= code.clientWidth};
      }).sort((a, b) => a.top - b.top || a.left - b.left)),

    // What the page, which the theme cuts off at the edge of the window, or the column of its text, which the theme lets
    // scroll, has no room for. A box of code or a table may scroll by itself.
    sideways: () => {
      const columns = ancestors(text()).filter(clips);
      return columns.filter(column => column.scrollWidth > column.clientWidth).flatMap(column => {
        const edge = column.getBoundingClientRect().left + column.clientLeft + column.clientWidth;
        return [...column.querySelectorAll("*")].filter(seen).filter(e => e.getBoundingClientRect().right > edge + 1
          && !ancestors(e).some(outer => column !== outer && column.contains(outer) && !columns.includes(outer) && clips(outer)))
          .map(e => `${name(e)} in ${name(column)}`).concat(`${name(column)} itself`);
      });
    },

    // Mark a few of all elements with the same colors: a page of code has thousands, and axe looks at each for a
    // millisecond. A few, for axe cannot judge one that is scrolled out of its box, nor a single letter.
    colors: () => {
      const grounds = new Map();
      const ground = element => {
        if (!element) return "";
        if (!grounds.has(element)) {
          const {backgroundColor, backgroundImage, opacity, position} = getComputedStyle(element);
          const bare = backgroundColor === "rgba(0, 0, 0, 0)" && backgroundImage === "none" && opacity === "1" && /static|relative/.test(position);
          const under = ground(element.parentElement);
          grounds.set(element, bare ? under : `${under} ${backgroundColor} ${backgroundImage} ${opacity} ${position}`);
        }
        return grounds.get(element);
      };
      const kinds = new Map();
      for (const element of document.querySelectorAll("body *")) {
        const words = [...element.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim().length > 1);
        if (!seen(element) || !(words || element.matches("input, select, textarea"))) continue;
        const {color, fontSize, fontWeight, textShadow} = getComputedStyle(element);
        const kind = [color, fontSize, fontWeight, textShadow, ground(element)].join();
        kinds.set(kind, (kinds.get(kind) || 0) + 1);
        if (kinds.get(kind) <= 5) element.dataset.colors = "";
      }
      return kinds.size;
    },

    // Lines of text, code boxes and controls that lie over each other. What stays while the page scrolls may cover it.
    overlaps: () => {
      const items = [];
      const add = (box, element) => { box = clipped(rect(box), element); if (box) items.push({...box, element}); };
      for (const element of document.querySelectorAll("pre, button, select, input")) {
        if (seen(element) && !floats(element)) add(element.getBoundingClientRect(), element);
      }
      const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const element = node.parentElement;
        if (!node.data.trim() || !seen(element) || element.closest("pre, button, select, script, style") || floats(element)) continue;
        const range = document.createRange();
        range.selectNodeContents(node);
        for (const box of range.getClientRects()) add(box, element);
      }
      items.sort((a, b) => a.top - b.top);
      const found = [];
      items.forEach((a, i) => {
        for (let j = i + 1; j < items.length && items[j].top < a.bottom - 4; j++) {
          const b = items[j];
          const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left), high = Math.min(a.bottom, b.bottom) - b.top;
          if (wide > 2 && high > 4 && !a.element.contains(b.element) && !b.element.contains(a.element)) {
            found.push(`${name(a.element)} and ${name(b.element)}`);
          }
        }
      });
      return found;
    },

    // Number all that a pointer can operate, and name it. A label stands for its control.
    controls: () => [...document.querySelectorAll(CONTROLS)]
      .filter(e => !e.disabled && seen(e) && clipped(rect(e.getBoundingClientRect()), e))
      .map(e => e.control ?? e).filter((e, i, all) => all.indexOf(e) === i)
      .map((e, i) => { e.dataset.control = i; return name(e); }),

    // Where the keyboard is: which control, whether that is marked, and whether nothing hides it.
    focus: () => {
      const element = document.activeElement;
      if (!element || element === document.body) return null;
      const marks = [element, ...(element.labels ?? [])].filter(seen).filter(e => {
        const style = getComputedStyle(e);
        return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1;
      });
      const open = marks.some(e => [...e.getClientRects()].some(box => {
        const top = Math.max(box.top, 0), bottom = Math.min(box.bottom, innerHeight);
        return top < bottom && [[.5, .5], [.1, .5], [.9, .5], [.5, .1], [.5, .9]].some(([x, y]) => {
          const hit = document.elementFromPoint(box.left + x * box.width, top + y * (bottom - top));
          return hit && e.contains(hit);
        });
      }));
      return {number: element.dataset.control ?? null, name: name(element), marked: marks.length > 0, open};
    },

    // Whether all of an element is to be seen in the window, with nothing over it.
    uncovered: selector => {
      const element = document.querySelector(selector), box = element.getBoundingClientRect();
      return [[.01, .1], [.01, .9], [.2, .5]].every(([x, y]) =>
        element.contains(document.elementFromPoint(box.left + x * box.width, box.top + y * box.height)));
    },

    // The controls of a tab list that the keyboard enters in one place only.
    tabs: () => [...document.querySelectorAll("[role=tab][data-control]")].map(tab => tab.dataset.control),

    // Elements that move, or would.
    moving: () => [...document.querySelectorAll("*")].filter(e => ["", "::before", "::after"].some(part => {
      const style = getComputedStyle(e, part);
      const moves = style.transitionProperty !== "none" && style.transitionDuration.split(",").some(time => parseFloat(time) > 0);
      return moves || style.animationName !== "none" || style.scrollBehavior === "smooth";
    })).map(name),

    // The visible lines of the text, as words.
    lines: () => text().innerText.split("\n").map(line => line.trim()).filter(Boolean),

    // The sum of all layout shifts since the page was opened that no input explains.
    shifts: () => new Promise(done => {
      let total = 0;
      new PerformanceObserver(list => {
        for (const entry of list.getEntries()) if (!entry.hadRecentInput) total += entry.value;
      }).observe({type: "layout-shift", buffered: true});
      setTimeout(() => done(total), 300);
    }),
  };
})()
