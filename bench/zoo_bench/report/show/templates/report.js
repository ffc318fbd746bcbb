"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  // Tables: a press on a column's head sorts better values first, a second one reverses; what is missing stays last.
  const sort = (head) => {
    const table = head.closest("table"), body = table.tBodies[0];
    const heads = all("thead th", table), column = heads.indexOf(head), number = head.classList.contains("num");
    const sorted = head.getAttribute("aria-sort"), first = head.dataset.better === "higher" ? -1 : 1;
    const sign = sorted === "none" ? first : sorted === "ascending" ? -1 : 1;
    const key = (row) => { const cell = row.cells[column]; return cell.dataset.value ?? cell.textContent.trim(); };
    const compare = (a, b) => {
      const [x, y] = [key(a), key(b)];
      if (x === "" || y === "") return (x === "") - (y === "");
      return sign * (number ? x - y : x.localeCompare(y, undefined, { numeric: true }));
    };
    body.append(...[...body.rows].sort(compare));
    for (const { parentElement: h } of all("thead button", table)) {
      h.setAttribute("aria-sort", h !== head ? "none" : sign > 0 ? "ascending" : "descending");
    }
  };
  all(".sortable thead button").forEach((button) => button.addEventListener("click", () => sort(button.parentElement)));

  // A table that goes on beyond its right edge fades there.
  const fade = (box) => box.classList.toggle("more", box.scrollLeft + box.clientWidth < box.scrollWidth - 1);
  const sizes = new ResizeObserver((entries) => entries.forEach(({ target }) => fade(target)));
  for (const box of all(".scroll")) {
    sizes.observe(box);
    box.addEventListener("scroll", () => fade(box), { passive: true });
  }

  all("input[type=search]").forEach((input) => input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    const tables = all(".sortable:not(.narrow)", input.closest("section"));
    for (const row of tables.flatMap((table) => [...table.tBodies[0].rows])) {
      const text = row.closest(".plain") ? row.textContent : row.cells[0].textContent;
      row.hidden = !words.every((word) => text.toLowerCase().includes(word));
    }
  }));

  const switcher = (buttons, choose) => buttons.forEach((button, i) => button.addEventListener("click", () => {
    buttons.forEach((b) => b.setAttribute("aria-pressed", String(b === button)));
    choose(i);
  }));

  for (const block of all(".pictures, .plot, .choice")) {
    const strips = all(".strip, .canvas, .chosen", block), show = (i) => strips.forEach((strip, j) => { strip.hidden = i !== j; });
    switcher(all(".switch button", block), show);
    show(0);
    all(".strip button", block).forEach((button) => button.addEventListener("click", () => {
      button.setAttribute("aria-pressed", String(button.closest("figure").classList.toggle("large")));
    }));
  }

  // A saved figure has the colours of the light theme, which stand beside the names of the page's.
  const drawing = (svg) => new XMLSerializer().serializeToString(svg).replace(/var\(--\w+, (#[0-9a-f]{6})\)/g, "$1");

  // A saved table has the names of results.csv and all digits; a text that a spreadsheet may run has an apostrophe before.
  const harmless = (text) => isNaN(text) && /^'*[=+\-@\t\r\n]/.test(text) ? `'${text}` : text;
  const quoted = (text) => /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
  const csv = (table) => {
    const body = [...table.tBodies[0].rows], lines = body.map(() => []), names = [];
    all("thead th", table).forEach(({ dataset: { name } }, column) => {
      const cells = body.map((row) => row.cells[column]), add = (title, value) => {
        names.push(title);
        cells.forEach((cell, i) => lines[i].push(value(cell)));
      };
      if (!name) return;
      add(name, (cell) => cell.dataset.text ?? cell.dataset.value ?? cell.textContent.trim());
      if (cells.some((cell) => cell.dataset.low)) {
        add(`${name}_low`, (cell) => cell.dataset.low ?? "");
        add(`${name}_high`, (cell) => cell.dataset.high ?? "");
      }
    });
    return [names, ...lines].map((line) => line.map(harmless).map(quoted).join(",") + "\n").join("");
  };

  all(".save").forEach((link) => link.addEventListener("click", () => {
    const shown = link.previousElementSibling, table = shown.querySelector(":scope > table");
    const text = table ? csv(table) : drawing(shown);
    link.href = URL.createObjectURL(new Blob([text], { type: table ? "text/csv" : "image/svg+xml" }));
    setTimeout(() => { URL.revokeObjectURL(link.href); link.href = "#"; }, 1000);
  }));

  addEventListener("beforeprint", () => all("details").forEach((details) => { details.open = true; }));
})();
