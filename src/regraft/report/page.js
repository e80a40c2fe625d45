"use strict";
// Comfort only: without this script everything can be read.

for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    if (!head.textContent.trim() || head.querySelector("svg")) return;
    const button = document.createElement("button");
    button.type = "button";
    button.title = "sort";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const told = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
      const rows = [...table.tBodies[0].rows];
      rows.sort((a, b) => {
        const [x, y] = [told(a), told(b)];
        const numbers = x !== "" && y !== "" && !isNaN(x) && !isNaN(y);
        return (down ? -1 : 1) * (numbers ? x - y : x.localeCompare(y));
      });
      table.tBodies[0].append(...rows);
    });
  });
}

const held = document.getElementById("map-data");
if (held) showMap(JSON.parse(held.textContent));

function showMap({ points, classes, columns }) {
  const NEAR = 14, TILE = 32, ENLARGED = 3;
  const svg = document.querySelector("svg.map"), canvas = svg.parentNode;
  const sheet = document.getElementById("sheet");
  const tip = canvas.appendChild(document.createElement("div"));
  tip.className = "tip";
  tip.hidden = true;
  tip.setAttribute("role", "status");
  const here = svg.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "path"));
  here.setAttribute("class", "here");
  let shown = -1;

  function line(text, name) {
    const made = tip.appendChild(document.createElement("div"));
    made.textContent = text;
    made.className = name;
  }

  function tile(number) {
    const box = tip.appendChild(document.createElement("span"));
    const image = box.appendChild(document.createElement("img"));
    box.className = "tile";
    image.alt = "";
    image.src = sheet.src;
    const x = TILE * (number % columns), y = TILE * Math.floor(number / columns);
    image.style.transform = `scale(${ENLARGED}) translate(${-x}px, ${-y}px)`;
  }

  function show(i) {
    if (i === shown) return;
    shown = i;
    tip.hidden = i < 0;
    here.setAttribute("d", "");
    if (i < 0) return;
    const [x, y, name, label, said, probability, number] = points[i];
    tip.textContent = "";
    if (sheet && number >= 0) tile(number);
    line(name, "name");
    line(`label ${classes[label]}`, "");
    line(`said ${classes[said]} ${probability.toFixed(2)}`, label === said ? "" : "missed");
    here.setAttribute("d", `M${x} ${y}m-9 0a9 9 0 1 0 18 0a9 9 0 1 0-18 0`);
    const unit = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
    const left = x * unit + 16, top = y * unit + 16;
    const room = canvas.clientWidth - tip.offsetWidth;
    tip.style.left = `${Math.max(0, left > room ? Math.min(room, left - 32 - tip.offsetWidth) : left)}px`;
    const below = top + tip.offsetHeight < canvas.clientHeight;
    tip.style.top = `${below ? top : Math.max(0, top - 32 - tip.offsetHeight)}px`;
  }

  function nearest(event) {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    let best = -1, least = NEAR * NEAR;
    points.forEach(([x, y], i) => {
      const far = (x - at.x) ** 2 + (y - at.y) ** 2;
      if (far < least) [best, least] = [i, far];
    });
    return best;
  }

  svg.addEventListener("pointermove", (event) => show(nearest(event)));
  svg.addEventListener("pointerdown", (event) => show(nearest(event)));
  svg.addEventListener("pointerleave", () => show(-1));
  svg.setAttribute("tabindex", "0");
  svg.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") show(-1);
    if (!step) return;
    event.preventDefault();
    show((shown + step + points.length) % points.length);
  });
  svg.addEventListener("blur", () => show(-1));

  let pinned = null;
  const only = (label) => {
    for (const group of svg.querySelectorAll("[data-class]"))
      group.classList.toggle("dim", label !== null && group.dataset.class !== label);
  };
  for (const item of document.querySelectorAll(".legend li")) {
    const label = item.dataset.class, button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-pressed", "false");
    button.append(...item.childNodes);
    item.append(button);
    button.addEventListener("mouseenter", () => only(label));
    button.addEventListener("mouseleave", () => only(pinned));
    button.addEventListener("click", () => {
      pinned = pinned === label ? null : label;
      for (const other of document.querySelectorAll(".legend button"))
        other.setAttribute("aria-pressed", String(other === button && pinned === label));
      only(pinned);
    });
  }
}
