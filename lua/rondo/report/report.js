/* report.js - draws what the page holds as JSON; tables are there already. Texts go in as text, never as HTML.
 * SPDX-License-Identifier: MIT */
(function () {
  "use strict";
  const data = JSON.parse(document.getElementById("data").textContent);
  const SVG = "http://www.w3.org/2000/svg";
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const finite = (v) => typeof v === "number" && isFinite(v);
  const redraws = [];

  /* JSON has no NaN: what is not a number is null here, and a gap in a curve. */
  const numbers = (list) => list.map((v) => (finite(v) ? v : null));

  /* The running mean of run_records.lua, corrected for its beginning. */
  function smoothed(ys, a) {
    let mean = 0, weight = 1;
    return a === 0 ? ys : ys.map((y) => {
      if (y === null) return null;
      mean = a * mean + (1 - a) * y;
      weight *= a;
      return mean / (1 - weight);
    });
  }

  const short = (v) => (v === null || v === undefined ? "" : String(Number(v.toPrecision(5))));

  /* Times in UTC, as the data has them: with hours where days are not enough. */
  function times(u, list) {
    const days = list.length > 1 && list.every((t) => t % 86400 === 0);
    return list.map((t) => new Date(t * 1000).toISOString().slice(0, days ? 10 : 16).replace("T", " "));
  }

  function axis(extra) {
    return Object.assign({ stroke: color("--soft"), grid: { stroke: color("--line"), width: 1 },
      ticks: { stroke: color("--line"), width: 1 } }, extra);
  }

  /* One chart in `place`; returns what draws it anew. make() gives lines: { label, color, x, y, width, gaps }. */
  function chart(place, make) {
    let plot = null;
    const draw = () => {
      if (plot) plot.destroy();
      const o = make();
      const tables = o.lines.map((l) => [l.x, l.y]);
      const aligned = tables.length ? uPlot.join(tables) : [[0], []];
      plot = new uPlot({
        width: place.clientWidth, height: 340, cursor: { focus: { prox: 24 } }, focus: { alpha: 0.3 },
        legend: { live: o.lines.length <= 24 },
        scales: { x: { time: o.time === true }, y: { distr: o.log ? 3 : 1, range: o.log ? logRange : undefined } },
        tzDate: (t) => uPlot.tzDate(new Date(t * 1000), "Etc/UTC"),
        axes: [axis({ label: o.xLabel, labelSize: 22, space: o.time ? 90 : 50, values: o.time ? times : undefined }),
          axis({ size: 64, values: (u, list) => list.map(short) })],
        series: [{ label: o.xLabel || "time", value: o.time ? (u, t) => (t ? times(u, [t])[0] : "") : undefined }]
          .concat(o.lines.map((l) => ({ label: l.label, stroke: l.color, width: l.width || 1.5,
            spanGaps: l.gaps !== true, points: { show: l.y.length < 40 }, value: (u, v) => short(v) }))),
        bands: o.bands || [],
      }, aligned, place);
    };
    draw();
    redraws.push(draw);
    new ResizeObserver(() => {
      if (plot && Math.abs(plot.width - place.clientWidth) > 1)
        plot.setSize({ width: place.clientWidth, height: 340 });
    }).observe(place);
    return draw;
  }

  /* A logarithmic axis from just below the lowest to just above the highest value. */
  function logRange(u, low, high) {
    return finite(low) && low > 0 ? [low / 1.1, high * 1.1] : [0.1, 1];
  }

  function control(parent, text, input) {
    const label = document.createElement("label");
    label.append(text, input);
    parent.append(label);
    return input;
  }
  function element(name, fields) {
    return Object.assign(document.createElement(name), fields);
  }

  /* ---- curves ---- */
  function curves() {
    const places = document.querySelectorAll("[data-curves]");
    if (!places.length || typeof uPlot === "undefined") return;
    const bar = document.getElementById("controls");
    const over = control(bar, "over", element("select"));
    for (const [value, text] of [["step", "step"], ["epoch", "epoch"], ["t", "seconds"]])
      over.append(element("option", { value: value, textContent: text }));
    const log = control(bar, "logarithmic", element("input", { type: "checkbox" }));
    const smooth = control(bar, "smooth training figures", element("input", { type: "range", min: 0, max: 0.99,
      step: 0.01, value: 0 }));
    const draws = [];
    for (const place of places) {
      const group = data.groups[Number(place.dataset.curves)];
      draws.push(chart(place, () => {
        const lines = [];
        data.runs.forEach((run, i) => group.figures.forEach((figure, k) => {
          const curve = run.curves[figure];
          if (!curve) return;
          const valid = figure.startsWith("val_");
          let y = smoothed(numbers(curve.y), valid ? 0 : Number(smooth.value));
          if (log.checked) y = y.map((v) => (v !== null && v > 0 ? v : null));
          lines.push({ label: (data.runs.length > 1 ? run.name + " " : "") + figure, x: numbers(curve[over.value]), y: y,
            color: data.colors[(data.runs.length > 1 ? i : k) % data.colors.length],
            width: valid && group.figures.length > 1 ? 2.6 : 1.4 });
        }));
        return { lines: lines, log: log.checked, xLabel: over.options[over.selectedIndex].textContent };
      }));
    }
    for (const input of [over, log, smooth]) input.addEventListener("input", () => draws.forEach((draw) => draw()));
  }

  /* ---- forecasts ---- */
  function forecasts() {
    if (typeof uPlot === "undefined") return;
    for (const place of document.querySelectorAll("[data-forecast]")) {
      const f = data.forecasts[Number(place.dataset.forecast)];
      chart(place, () => {
        const lines = [{ label: "truth", x: f.x, y: numbers(f.truth), color: color("--soft"), gaps: true },
          { label: "forecast", x: f.x, y: numbers(f.forecast), color: color("--mark"), width: 2, gaps: true }];
        const bands = [];
        for (const band of f.bands) {
          const n = lines.length + 1;
          lines.push({ label: band.upper_name, x: f.x, y: numbers(band.upper), color: "transparent", gaps: true },
            { label: band.lower_name, x: f.x, y: numbers(band.lower), color: "transparent", gaps: true });
          bands.push({ series: [n, n + 1], fill: "rgba(86, 180, 233, 0.25)" });
        }
        return { lines: lines, bands: bands, time: f.time, xLabel: f.time ? "" : "row" };
      });
    }
  }

  /* ---- gradients by lag ---- */
  function diagnoses() {
    if (typeof uPlot === "undefined") return;
    for (const place of document.querySelectorAll("[data-diagnosis]")) {
      const layers = data.diagnoses[Number(place.dataset.diagnosis)];
      chart(place, () => ({ log: true, xLabel: "lag", lines: layers.map((layer, k) => ({ label: layer.name,
        x: layer.lags, y: numbers(layer.by_lag).map((v) => (v > 0 ? v : null)),
        color: data.colors[k % data.colors.length] })) }));
    }
  }

  /* ---- parallel coordinates ---- */
  const STOPS = [[0, 114, 178], [140, 150, 160], [213, 94, 0]];
  function shade(share) {
    const at = Math.min(Math.max(share, 0), 1) * (STOPS.length - 1), k = Math.min(Math.floor(at), STOPS.length - 2);
    return "rgb(" + STOPS[k].map((v, i) => Math.round(v + (at - k) * (STOPS[k + 1][i] - v))).join(",") + ")";
  }
  function scaleOf(column) {
    const values = column.values.filter((v) => v !== null);
    if (values.every(finite) && values.length) {
      const low = Math.min(...values), high = Math.max(...values);
      const log = low > 0 && high / low > (values.every(Number.isInteger) ? 3 : 20);
      const f = log ? Math.log : (v) => v;
      const few = [...new Set(values)];
      return { at: (v) => (high > low ? (f(v) - f(low)) / (f(high) - f(low)) : 0.5),
        ticks: few.length <= 6 ? few : [low, log ? Math.sqrt(low * high) : (low + high) / 2, high] };
    }
    const names = [...new Set(values.map(String))].sort();
    return { at: (v) => (names.length > 1 ? names.indexOf(String(v)) / (names.length - 1) : 0.5), ticks: names };
  }
  function parallel() {
    const place = document.getElementById("parallel");
    if (!place || data.parallel.columns.length < 2) return;
    const columns = data.parallel.columns, names = data.parallel.names, down = data.parallel.mode !== "max";
    const step = Math.max(120, Math.min(190, (place.clientWidth - 120) / (columns.length - 1)));
    const width = 120 + step * (columns.length - 1), height = 300, top = 40, bottom = height - 24;
    const svg = document.createElementNS(SVG, "svg");
    const add = (parent, name, attributes, text) => {
      const node = document.createElementNS(SVG, name);
      for (const key in attributes) node.setAttribute(key, attributes[key]);
      if (text !== undefined) node.textContent = text;
      parent.append(node);
      return node;
    };
    for (const [key, value] of [["viewBox", "0 0 " + width + " " + height], ["width", width], ["height", height],
      ["role", "img"]]) svg.setAttribute(key, value);
    const scales = columns.map(scaleOf), last = columns.length - 1;
    const x = (i) => 60 + i * step, y = (share) => bottom - share * (bottom - top);
    columns.forEach((column, i) => add(svg, "line", { x1: x(i), x2: x(i), y1: top, y2: bottom }));
    const paths = names.map((name, r) => {
      const points = columns.map((c, i) => (c.values[r] === null ? null : [x(i), y(scales[i].at(c.values[r]))]))
        .filter((p) => p !== null);
      const value = columns[last].values[r];
      const path = add(svg, "path", { d: "M" + points.map((p) => p[0].toFixed(1) + "," + p[1].toFixed(1)).join("L"),
        stroke: value === null ? color("--soft") : shade(down ? 1 - scales[last].at(value) : scales[last].at(value)) });
      add(path, "title", {}, name);
      return path;
    });
    columns.forEach((column, i) => {
      add(svg, "text", { x: x(i), y: 18, "text-anchor": "middle" }, column.name);
      for (const tick of scales[i].ticks)
        add(svg, "text", { class: "tick", x: x(i) + 5, y: y(scales[i].at(tick)) + 4 },
          typeof tick === "number" ? short(tick) : tick);
    });
    place.append(svg);
    const rows = [...document.querySelectorAll("tr[data-line]")];
    const choose = (r) => {
      const on = paths[r].classList.toggle("on");
      for (const row of rows) if (Number(row.dataset.line) === r) row.classList.toggle("on", on);
      place.classList.toggle("some", paths.some((p) => p.classList.contains("on")));
    };
    paths.forEach((path, r) => path.addEventListener("click", () => choose(r)));
    rows.forEach((row) => row.addEventListener("click", () => choose(Number(row.dataset.line))));
  }

  /* ---- tables ---- */
  function sortable(table) {
    const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];
    const key = (row, i) => {
      const text = row.cells[i] ? row.cells[i].textContent.trim() : "";
      return text === "" ? null : isNaN(Number(text)) ? text : Number(text);
    };
    heads.forEach((head, i) => head.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = [...body.rows].sort((a, b) => {
        const p = key(a, i), q = key(b, i);
        if (p === null || q === null) return (p === null) - (q === null);
        const order = typeof p === "number" && typeof q === "number" ? p - q : String(p).localeCompare(String(q));
        return down ? -order : order;
      });
      rows.forEach((row) => body.append(row));
    }));
  }

  document.querySelectorAll("table.sortable").forEach(sortable);
  curves();
  forecasts();
  diagnoses();
  parallel();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => redraws.forEach((draw) => draw()));
})();
