// Reports: the closing of a day, sales, losses, purchases, margins, ABC, what expires and what runs out. The
// server makes every figure (`GET /report/…`); this page chooses, draws and saves them.

import { fetchText } from "./api.js";
import { barChart, columnChart, paretoChart } from "./charts.js";
import { showError } from "./dialog.js";
import { clear, emptyNote, h, icon } from "./dom.js";
import { addDays, dayText, money, quantity, today, zone } from "./format.js";
import { live } from "./live.js";
import { button, field, head, stat, table } from "./parts.js";

export const title = "Relatórios";

const GROUPS = { product: "Produto", category: "Categoria", day: "Dia", reason: "Causa", supplier: "Fornecedor", author: "Autor" };
/// Each report: its word on the server, its label, how it may be grouped, and what else it is asked.
const REPORTS = [
	{ what: "day", label: "Fechamento", period: "day" },
	{ what: "sales", label: "Vendas", period: "days", by: ["product", "category", "day", "author"] },
	{ what: "losses", label: "Perdas", period: "days", by: ["product", "reason", "category", "day", "author"] },
	{ what: "purchases", label: "Compras", period: "days", by: ["product", "supplier", "category", "day", "author"] },
	{ what: "margins", label: "Margens", period: "days", usual: 30, by: ["product", "category"] },
	{ what: "abc", label: "Curva ABC", period: "days", usual: 30, by: ["product", "category"] },
	{ what: "counts", label: "Contagens", period: "days", by: ["product", "category"] },
	{ what: "expiring", label: "Vence em breve", days: { label: "Vence em até (dias)", usual: 1 } },
	{ what: "low", label: "Acabando", days: { label: "Comprar para (dias de venda)", usual: null, blank: "até o alvo" } },
];
/// The days that the chart of the closing looks back at.
const TREND_DAYS = 14;
/// The wait after a movement before the report is asked for again, in milliseconds.
const REFRESH_MS = 1_500;
/// Bars in a chart; the table has the rest.
const BARS_MAX = 12;

/// What was chosen last in this tab.
const chosen = { what: "day", since: null, until: null, by: "product", days: {} };

export function open(root) {
	let asked = 0;
	let timer = null;
	const body = h("div", { class: "report", "aria-live": "polite", "aria-busy": "true" });
	const tabs = h("div", { class: "chips", role: "group", "aria-label": "Relatório" }, REPORTS.map((report) =>
		button(report.label, () => choose({ what: report.what }), { class: "chip", data: { what: report.what } })));
	const controls = h("div", { class: "toolbar report-controls" });
	root.append(h("div", { class: "page reports" }, head(title), tabs, controls, body));

	const choose = (choice) => {
		Object.assign(chosen, choice);
		show();
	};

	function show() {
		const report = reportOf(chosen.what);
		for (const tab of tabs.children) tab.setAttribute("aria-pressed", String(tab.dataset.what === report.what));
		// The field that was used keeps the focus.
		const focused = document.activeElement?.dataset?.control;
		clear(controls, controlsOf(report, choose));
		if (focused) controls.querySelector(`[data-control="${focused}"]`)?.focus();
		load();
	}

	async function load() {
		clearTimeout(timer);
		timer = null;
		const turn = ++asked;
		const report = reportOf(chosen.what);
		body.setAttribute("aria-busy", "true");
		try {
			const asks = [fetchSheet(report)];
			if (report.what === "day") asks.push(fetchTrend());
			const [sheet, trend] = await Promise.all(asks);
			if (turn !== asked) return;
			clear(body, sheetOf(report, sheet, trend, choose));
		} catch (error) {
			if (turn !== asked) return;
			clear(body, emptyNote("O relatório não veio.", error.isLost ? "O servidor não respondeu." : error.message, button("Tentar de novo", load)));
		}
		body.setAttribute("aria-busy", "false");
	}

	const refresh = () => (timer ??= setTimeout(load, REFRESH_MS));
	const ends = [live.onMovement(refresh), live.onReload(refresh)];
	show();
	return () => {
		asked += 1;
		clearTimeout(timer);
		for (const end of ends) end();
	};
}

function reportOf(what) {
	return REPORTS.find((report) => report.what === what) ?? REPORTS[0];
}

/// The period, the grouping or the days of a report.
function controlsOf(report, choose) {
	if (report.period === "day") {
		const day = chosen.since ?? today();
		const go = (day) => choose({ since: day, until: day });
		const step = (by, label, name) =>
			button(name, () => go(addDays(day, by)), { data: { control: label }, "aria-label": label, disabled: by > 0 && day >= today() });
		return [
			h("div", { class: "day-steps", role: "group", "aria-label": "Dia" },
				h("span", { class: "field", "aria-hidden": "true" }, "Dia"),
				step(-1, "Dia anterior", "‹"),
				dayInput("day", day, go, { "aria-label": "Dia do fechamento" }),
				step(1, "Próximo dia", "›"),
				button("Hoje", () => go(today()), { data: { control: "today" } })),
		];
	}
	if (report.days) {
		const value = chosen.days[report.what] ?? report.days.usual ?? "";
		const input = h("input", { type: "number", inputmode: "numeric", min: "0", max: "365", placeholder: report.days.blank, data: { control: "days" }, value, onchange: () => choose({ days: { ...chosen.days, [report.what]: input.value } }) });
		return [field(report.days.label, input)];
	}
	const { since, until } = periodOf(report);
	const date = (label, value, set) => field(label, dayInput(label, value, (day) => choose(set(day))));
	const presets = [["Hoje", 0], ["7 dias", 6], ["30 dias", 29]];
	return [
		h("div", { class: "presets", role: "group", "aria-label": "Período" }, presets.map(([label, back]) => {
			const first = addDays(today(), -back);
			return button(label, () => choose({ since: first, until: today() }), { class: "button small", data: { control: label }, "aria-pressed": String(since === first && until === today()) });
		})),
		date("De", since, (day) => ({ since: day, until: day > until ? day : until })),
		date("Até", until, (day) => ({ since: day < since ? day : since, until: day })),
		report.by && field("Por", h("select", { data: { control: "by" }, onchange: (event) => choose({ by: event.target.value }) },
			report.by.map((by) => h("option", { value: by, selected: by === groupOf(report) }, GROUPS[by])))),
	];
}

/// A field for a day. Each digit makes another day, so what is typed is taken on Enter, or when the field is left.
function dayInput(control, value, pick, props = {}) {
	let isTyped = false;
	const take = () => input.value && input.value !== value && pick(input.value);
	const input = h("input", { type: "date", data: { control }, value, max: today(), ...props,
		onpointerdown: () => (isTyped = false),
		onkeydown: ({ key }) => (isTyped = key !== "Enter") || take(),
		onchange: () => isTyped || take(),
		// The next field has the focus then, and keeps it.
		onblur: () => setTimeout(take) });
	return input;
}

function periodOf(report) {
	if (chosen.since) return { since: chosen.since, until: chosen.until };
	return { since: addDays(today(), 1 - (report.usual ?? 1)), until: today() };
}

function groupOf(report) {
	return report.by?.includes(chosen.by) ? chosen.by : report.by?.[0];
}

/// The address of a report as it is chosen.
function addressOf(report, format) {
	const fields = new URLSearchParams({ format, time_zone: zone() });
	if (report.period) {
		const { since, until } = periodOf(report);
		fields.set("since", since);
		fields.set("until", until);
	}
	if (report.by) fields.set("by", groupOf(report));
	if (report.days) fields.set("days", chosen.days[report.what] ?? report.days.usual ?? "");
	return `/report/${report.what}?${fields}`;
}

async function fetchSheet(report) {
	return JSON.parse(await fetchText(addressOf(report, "json")));
}

async function fetchTrend() {
	const until = chosen.since ?? today();
	const fields = new URLSearchParams({ format: "json", by: "day", since: addDays(until, 1 - TREND_DAYS), until, time_zone: zone() });
	return JSON.parse(await fetchText(`/report/sales?${fields}`));
}

/// The report: its figures, its chart, its table, its notes.
function sheetOf(report, sheet, trend, choose) {
	const isEmpty = sheet.rows.length === 0;
	return [
		h("div", { class: "report-head" }, h("h2", {}, sheet.title), !isEmpty && csvLink(report)),
		report.what === "day" ? closingOf(sheet, trend, choose) : isEmpty ? h("div", { class: "card empty" }, h("p", { class: "empty-title" }, sheet.nothing || "Nada neste período.")) : [chartOf(report, sheet), tableOf(sheet)],
		sheet.notes.length > 0 && h("ul", { class: "report-notes" }, sheet.notes.map((note) => h("li", {}, note))),
	];
}

function csvLink(report) {
	const name = `${report.label.toLowerCase().replaceAll(" ", "-").normalize("NFKD").replace(/\p{M}/gu, "")}.csv`;
	const address = addressOf(report, "csv");
	const save = async (event) => {
		// A link carries no token: the page fetches the text itself.
		event.preventDefault();
		try {
			const link = h("a", { href: URL.createObjectURL(new Blob([await fetchText(address)], { type: "text/csv" })), download: name });
			link.click();
			setTimeout(() => URL.revokeObjectURL(link.href), 1000);
		} catch (error) {
			showError(error);
		}
	};
	return h("a", { class: "button", href: address, download: name, onclick: save }, icon("save"), "Salvar CSV");
}

/// The closing: the figures that a keeper looks for first, the sales of the days before, and every line.
function closingOf(sheet, trend, choose) {
	const line = (name) => sheet.rows.find((row) => row.line === name);
	const tile = (label, name, kind) => {
		const row = line(name);
		if (!row) return null;
		const value = row.amount_centavos;
		const part = row.of_sales_percent;
		return stat(label, value === null ? "sem custo" : money(value), part === null ? documents(row) : `${percent(part)} das vendas`, value ? kind : "");
	};
	const day = chosen.since ?? today();
	const points = trendPoints(trend, day);
	return [
		h("dl", { class: "stats" }, tile("Vendas", "Vendas", ""), tile("Compras", "Compras", ""), tile("Perdas", "Perdas", "is-bad"), tile("Margem após perdas", "Margem após perdas", "is-good")),
		points.some(({ value }) => value > 0) && h("figure", { class: "card chart" },
			h("figcaption", {}, `Vendas dos ${TREND_DAYS} dias até ${dayText(day)}`),
			columnChart(points, { label: `Vendas por dia, de ${dayText(points[0].day)} a ${dayText(day)}`, onPick: ({ day }) => choose({ since: day, until: day }) })),
		tableOf(sheet),
	];
}

function documents(row) {
	if (row.document_count === null) return "";
	return row.document_count === 1 ? "1 documento" : `${row.document_count} documentos`;
}

function trendPoints(trend, until) {
	const sold = new Map((trend?.rows ?? []).map((row) => [row.day, row.amount_centavos]));
	return Array.from({ length: TREND_DAYS }, (_, at) => {
		const day = addDays(until, at + 1 - TREND_DAYS);
		const value = sold.get(day) ?? 0;
		return { day, value, name: day.slice(8), text: `${dayText(day)}: ${money(value)}`, isMarked: day === until };
	});
}

function chartOf(report, sheet) {
	const column = sheet.columns.find((column) => column.has_bar);
	if (!column || sheet.rows.length < 2) return null;
	const first = sheet.columns.find((column) => column.holds === "text" && column.field !== "class");
	const points = sheet.rows.map((row) => ({ name: String(row[first.field]), value: Number(row[column.field] ?? 0), text: shown(column, row[column.field]), class: row.class, cumulated: row.cumulated_percent }));
	const heading = column.heading;
	const caption = points.length > BARS_MAX && first.field !== "day" ? `${heading}: os ${BARS_MAX} primeiros de ${points.length}` : heading;
	const label = `Gráfico: ${caption}. ${points.slice(0, 3).map(({ name, text }) => `${name}, ${text}`).join("; ")}. A tabela abaixo tem todos os números.`;
	let chart;
	if (first.field === "day") {
		chart = columnChart(points.map((point) => ({ ...point, name: point.name.slice(8), text: `${dayText(point.name)}: ${point.text}` })), { label });
	} else if (report.what === "abc") {
		chart = paretoChart(points.slice(0, 3 * BARS_MAX), { label });
	} else {
		chart = barChart(points.slice(0, BARS_MAX), { label });
	}
	const named = report.what === "abc" ? `${heading} e % acumulado` : caption;
	return h("figure", { class: "card chart" }, h("figcaption", {}, named), chart);
}

function tableOf(sheet) {
	// The name of a row is its first text; the class of ABC before it is a mark.
	const named = sheet.columns.find(({ holds, field }) => holds === "text" && field !== "class");
	const columns = sheet.columns.map((column) => {
		const cell = (cells) => shown(column, cells[column.field], sheet, cells);
		return column === named ? [column.heading, (cells) => h("bdi", {}, cell(cells)), "name"] : [column.heading, cell, column.holds === "text" ? "" : "end"];
	});
	return table(columns, sheet.rows, { title: sheet.title, total: sheet.total });
}

/// A cell as a person reads it.
function shown(column, value, sheet = null, cells = null) {
	if (value === null || value === undefined) return sheet ? unknown(column, sheet, cells) : "";
	switch (column.holds) {
		case "money": return money(value).replace("R$ ", "");
		case "quantity": return quantity(value);
		case "percent": return percent(value);
		default: return /^\d{4}-\d\d-\d\d$/.test(value) ? dayText(value) : String(value);
	}
}

/// Why a cell has no value: nobody knows the cost of what moved, or there is nothing to say.
function unknown(column, sheet, cells) {
	if (sheet.report === "day") {
		const isCost = column.field === "cost_centavos" && cells.line === "Perdas" && cells.document_count > 0;
		return isCost || (column.field === "amount_centavos" && !("document_count" in cells && cells.document_count !== null)) ? "sem custo" : "";
	}
	const isOfCost = ["cost_centavos", "margin_centavos", "margin_percent", "margin_after_losses_percent", "losses_cost_centavos"].includes(column.field);
	return isOfCost && cells.amount_centavos !== 0 ? "sem custo" : "";
}

function percent(value) {
	return `${value.toFixed(1).replace(".", ",").replace("-", "\u2212")} %`;
}
