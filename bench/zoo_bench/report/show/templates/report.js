"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  // Tables: a press on a column's head sorts, a second one reverses; what is missing stays last.
  const sort = (head) => {
    const table = head.closest("table"), body = table.tBodies[0];
    const heads = all("thead th", table), column = heads.indexOf(head), number = head.classList.contains("num");
    const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
    const key = (row) => { const cell = row.cells[column]; return cell.dataset.value ?? cell.textContent.trim(); };
    const compare = (a, b) => {
      const [x, y] = [key(a), key(b)];
      if (x === "" || y === "") return (x === "") - (y === "");
      return sign * (number ? x - y : x.localeCompare(y, undefined, { numeric: true }));
    };
    body.append(...[...body.rows].sort(compare));
    heads.forEach((h) => h.setAttribute("aria-sort", h !== head ? "none" : sign > 0 ? "ascending" : "descending"));
  };
  all(".sortable thead th").forEach((head) => head.querySelector("button").addEventListener("click", () => sort(head)));

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

  for (const block of all(".pictures, .plot")) {
    const strips = all(".strip, .canvas", block), show = (i) => strips.forEach((strip, j) => { strip.hidden = i !== j; });
    switcher(all(".switch button", block), show);
    show(0);
    all(".strip button", block).forEach((button) => button.addEventListener("click", () => {
      button.setAttribute("aria-pressed", String(button.closest("figure").classList.toggle("large")));
    }));
  }

  // A saved figure has the colours of the light theme, which stand beside the names of the page's.
  all(".save").forEach((link) => link.addEventListener("click", () => {
    const drawing = new XMLSerializer().serializeToString(link.previousElementSibling);
    const text = drawing.replace(/var\(--\w+, (#[0-9a-f]{6})\)/g, "$1");
    link.href = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
    setTimeout(() => { URL.revokeObjectURL(link.href); link.href = "#"; }, 1000);
  }));
})();
