// Charts as SVG, drawn in the width that the page gives them. The words beside them say the same; a table follows.

import { h, svg } from "./dom.js";

/// A chart of horizontal bars, each with its name and value. Names are real text, so that they can be as long as
/// the width allows.
export function barChart(points, { label }) {
	const most = Math.max(1, ...points.map(({ value }) => Math.abs(value)));
	return h("div", { class: "bars", role: "img", "aria-label": label }, points.map(({ name, value, text }) =>
		h("div", { class: "bar-row", title: `${name}: ${text}` },
			h("span", { class: "bar-name" }, h("bdi", {}, name)),
			svg("svg", { class: "bar", viewBox: "0 0 100 10", preserveAspectRatio: "none" },
				svg("rect", { class: "bar-track", width: 100, height: 10 }),
				svg("rect", { class: value < 0 ? "bar-fill is-negative" : "bar-fill", width: part(value, most, 100), height: 10 })),
			h("span", { class: "bar-value" }, text))));
}

const WIDTH = 720;
const HEIGHT = 200;
const BASE = 172;
const TOP = 12;

/// A chart of columns, one for each point in order. With `onPick`, each column is a button.
export function columnChart(points, { label, onPick = null }) {
	const most = Math.max(1, ...points.map(({ value }) => value));
	const step = WIDTH / points.length;
	const width = Math.min(40, step * 0.7);
	const every = Math.ceil(points.length / 15);
	const column = (point, at) => {
		const height = part(point.value, most, BASE - TOP);
		const x = at * step + (step - width) / 2;
		const shapes = [
			svg("title", {}, point.text),
			svg("rect", { class: "column-space", x: at * step, y: 0, width: step, height: HEIGHT }),
			svg("rect", { class: "column-fill", x, y: BASE - height, width, height, rx: 3 }),
			at % every === 0 && svg("text", { class: "chart-text", x: at * step + step / 2, y: HEIGHT - 8, "text-anchor": "middle" }, point.name),
		];
		if (!onPick) return svg("g", { class: "column" }, shapes);
		const group = svg("g", { class: point.isMarked ? "column is-marked" : "column", role: "button", tabindex: "0", "aria-label": point.text, "aria-current": point.isMarked ? "date" : "false" }, shapes);
		group.addEventListener("click", () => onPick(point));
		group.addEventListener("keydown", (event) => {
			if (event.key !== "Enter" && event.key !== " ") return;
			event.preventDefault();
			onPick(point);
		});
		return group;
	};
	return svg("svg", { class: "columns", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: onPick ? "group" : "img", "aria-label": label },
		svg("line", { class: "chart-axis", x1: 0, x2: WIDTH, y1: BASE, y2: BASE }), points.map(column));
}

/// Columns in falling order with the line of what they make up together, and the borders of the classes.
export function paretoChart(points, { label }) {
	const most = Math.max(1, ...points.map(({ value }) => value));
	const step = WIDTH / points.length;
	const width = Math.min(48, step * 0.8);
	const y = (percent) => BASE - ((BASE - TOP) * percent) / 100;
	const line = points.map(({ cumulated }, at) => `${at === 0 ? "M" : "L"}${(at * step + step / 2).toFixed(1)} ${y(cumulated).toFixed(1)}`).join("");
	return svg("svg", { class: "columns", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label },
		[80, 95].map((percent) => [
			svg("line", { class: "chart-grid", x1: 0, x2: WIDTH, y1: y(percent), y2: y(percent) }),
			svg("text", { class: "chart-text", x: WIDTH, y: y(percent) + 14, "text-anchor": "end" }, `${percent} %`),
		]),
		points.map(({ name, value, text, class: letter }, at) => {
			const height = part(value, most, BASE - TOP);
			return svg("g", {}, svg("title", {}, `${letter} · ${name}: ${text}`),
				svg("rect", { class: `column-fill class-${String(letter).toLowerCase()}`, x: at * step + (step - width) / 2, y: BASE - height, width, height, rx: 3 }),
				points.length <= 20 && svg("text", { class: "chart-text", x: at * step + step / 2, y: HEIGHT - 8, "text-anchor": "middle" }, letter));
		}),
		svg("line", { class: "chart-axis", x1: 0, x2: WIDTH, y1: BASE, y2: BASE }),
		svg("path", { class: "chart-line", d: line }));
}

function part(value, most, length) {
	return Math.max(value === 0 ? 0 : 1, (Math.abs(value) / most) * length).toFixed(2);
}
