"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const alpha = (hex, share) => hex + Math.round(share * 255).toString(16).padStart(2, "0");

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

  for (const block of all(".pictures")) {
    const strips = all(".strip", block), show = (i) => strips.forEach((strip, j) => { strip.hidden = i !== j; });
    switcher(all(".switch button", block), show);
    show(0);
    all(".strip button", block).forEach((button) => button.addEventListener("click", () => {
      button.setAttribute("aria-pressed", String(button.closest("figure").classList.toggle("large")));
    }));
  }

  // Plots: figures name colours by number; the theme defines them.
  const paint = (trace) => {
    const { colour, colours, band, front, ink, thick, hollow, step, ...rest } = trace;
    const tone = colour === undefined ? css(front ? "--soft" : "--ink") : css(`--c${colour}`);
    const painted = { type: "scatter", ...rest, hoverlabel: { namelength: -1 } };
    painted.line = { color: tone, width: band ? 0 : thick ? 4 : front ? 1 : 2, dash: front ? "dot" : "solid", shape: step ? "hv" : "linear" };
    if (band) painted.fillcolor = alpha(tone, 0.13);
    painted.marker = colours
      ? { color: colours.map((c) => alpha(css(`--c${c}`), 0.75)) }
      : { color: hollow ? css("--page") : tone, size: step ? 0 : ink ? 6 : 8, line: { color: ink ? css("--page") : tone, width: ink ? 1 : 2 } };
    if (rest.error_y) painted.error_y = { ...rest.error_y, type: "data", color: alpha(tone, 0.55), thickness: 1.2, width: 0 };
    return painted;
  };
  const short = (v) => {
    const [size, unit] = [[1e15, "P"], [1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"], [1, ""]].find(([s]) => v >= s) ?? [1, ""];
    return Number((v / size).toPrecision(3)) + unit;
  };
  const evenly = (low, high) => {
    const rough = (high - low) / 4, unit = 10 ** Math.floor(Math.log10(rough));
    const step = unit * [1, 2, 5, 10].find((m) => m * unit >= rough), first = Math.ceil(low / step);
    return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => (first + i) * step);
  };
  const logTicks = ([low, high]) => {
    if (high - low < 0.4) {
      const tickvals = evenly(10 ** low, 10 ** high);
      return { tickvals, ticktext: tickvals.map(short) };
    }
    const steps = high - low < 0.8 ? [1, 1.5, 2, 3, 4, 5, 7] : high - low < 2.2 ? [1, 2, 5] : [1], values = [];
    for (let e = Math.floor(low); e <= high; e++) values.push(...steps.map((m) => m * 10 ** e));
    const tickvals = values.filter((v) => v >= 10 ** low && v <= 10 ** high);
    return { tickvals, ticktext: tickvals.map(short) };
  };
  const axis = (settings) => ({
    gridcolor: css("--line"), linecolor: css("--line"), zeroline: false, automargin: true, tickfont: { size: 12 },
    ...(settings.type === "log" ? logTicks(settings.range) : {}),
    ...settings, title: { text: "", standoff: 10, font: { size: 12.5, color: css("--soft") }, ...settings.title },
  });
  const draw = (canvas, variant, named) => {
    const layout = {
      ...variant.layout, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", dragmode: false,
      font: { family: css("--text"), size: 12.5, color: css("--ink") }, margin: { l: 8, r: 12, t: 12, b: 8 },
      xaxis: axis(variant.layout.xaxis), yaxis: axis(variant.layout.yaxis), bargap: 0.45, hovermode: "closest",
      showlegend: named, legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0, xanchor: "left", itemwidth: 30 },
      hoverlabel: { bgcolor: css("--tint"), bordercolor: css("--line"), font: { color: css("--ink"), size: 12.5 } },
    };
    return Plotly.react(canvas, variant.data.map(paint), layout, { displayModeBar: false, responsive: true });
  };
  const plots = all(".plot").map((plot) => {
    const figure = JSON.parse(plot.querySelector("script").textContent), canvas = plot.querySelector(".canvas");
    const state = { index: 0, drawn: false };
    const redraw = () => {
      const variant = figure.variants[state.index];
      state.drawn = true;
      return draw(canvas, variant, variant.data.some((trace) => trace.name && trace.showlegend !== false));
    };
    switcher(all(".switch button", plot), (i) => { state.index = i; redraw(); });
    return { canvas, state, redraw };
  });
  const seen = new IntersectionObserver((entries) => entries.filter((e) => e.isIntersecting).forEach((entry) => {
    seen.unobserve(entry.target);
    plots.find((plot) => plot.canvas === entry.target).redraw();
  }), { rootMargin: "600px" });
  plots.forEach((plot) => seen.observe(plot.canvas));
  const redrawAll = () => plots.filter((plot) => plot.state.drawn).forEach((plot) => plot.redraw());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawAll);
  addEventListener("beforeprint", () => plots.forEach((plot) => plot.redraw()));
})();
