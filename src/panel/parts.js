// Parts that several pages have: the field that finds a product, labelled fields, figures, tables.

import { catalog } from "./catalog.js";
import { clear, h, icon, newId } from "./dom.js";
import { money, quantity } from "./format.js";

/// Products in the list.
const HITS_MAX = 8;

/// A search field. `onPick` gets the product that was chosen by Enter, by a click or by a scanner; `onText` each
/// change of the text. `onMiss` gets a text for which Enter finds nothing. `isBlind` hides prices and stocks.
export function picker({ label, placeholder, onPick, onMiss = null, onText = () => {}, isBlind = false }) {
	const listId = newId("hits");
	const id = newId("find");
	let hits = [];
	let at = 0;
	const list = h("ul", { class: "hits picker-hits", id: listId, role: "listbox", "aria-label": "Produtos", hidden: true });
	const input = h("input", {
		id, role: "combobox", autocapitalize: "off", spellcheck: "false", enterkeyhint: "next", placeholder,
		"aria-label": label, "aria-expanded": "false", "aria-controls": listId, "aria-autocomplete": "list", oninput: search, onkeydown: keys, onblur: () => setTimeout(close, 150),
	});
	const node = h("div", { class: "search picker" }, icon("search"), input, list);

	function search() {
		onText(input.value);
		hits = input.value.trim() ? catalog.search(input.value).slice(0, HITS_MAX) : [];
		at = 0;
		show();
	}

	function show() {
		list.hidden = hits.length === 0;
		input.setAttribute("aria-expanded", String(!list.hidden));
		clear(list, hits.map((product, place) =>
			h("li", { class: "hit", role: "option", id: `${listId}-${place}`, "aria-selected": String(place === at), onpointerdown: (event) => event.preventDefault(), onclick: () => pick(product) },
				h("span", { class: "hit-name" }, h("bdi", {}, product.name)),
				!isBlind && h("span", { class: "hit-price" }, money(product.priceCentavos)),
				h("small", {}, isBlind ? product.category || product.unit : `${quantity(product.stockThousandths, product.unit)} no estoque`))));
		if (hits.length > 0) input.setAttribute("aria-activedescendant", `${listId}-${at}`);
		else input.removeAttribute("aria-activedescendant");
	}

	function close() {
		hits = [];
		show();
	}

	function pick(product) {
		input.value = "";
		close();
		onPick(product);
	}

	function keys(event) {
		if (event.key === "ArrowDown" || event.key === "ArrowUp") {
			if (hits.length === 0) return;
			event.preventDefault();
			at = (at + (event.key === "ArrowDown" ? 1 : -1) + hits.length) % hits.length;
			show();
		} else if (event.key === "Escape" && hits.length > 0) {
			event.preventDefault();
			close();
		} else if (event.key === "Enter") {
			event.preventDefault();
			const text = input.value.trim();
			if (!text) return;
			// A code or a whole name is meant even if other names fit better.
			const found = catalog.find(text) ?? hits[at];
			if (found) pick(found);
			else onMiss?.(text);
		}
	}

	return { node, input };
}

/// A field with its label above it.
export function field(label, input, { help = null, isWide = false } = {}) {
	input.id ||= newId("field");
	const note = help && h("p", { class: "field-help", id: `${input.id}-help` }, help);
	if (note) input.setAttribute("aria-describedby", note.id);
	return h("div", { class: isWide ? "wide" : "" }, h("label", { class: "field", for: input.id }, label), input, note);
}

/// Puts an error under a field, or takes it away.
export function setError(input, message) {
	const id = `${input.id ||= newId("field")}-error`;
	document.getElementById(id)?.remove();
	if (!message) {
		input.removeAttribute("aria-invalid");
		input.removeAttribute("aria-errormessage");
		return;
	}
	input.setAttribute("aria-invalid", "true");
	input.setAttribute("aria-errormessage", id);
	input.after(h("p", { class: "field-error", id, role: "alert" }, message));
}

/// A button. `props` may say more, such as another class.
export function button(content, onclick, props = {}) {
	return h("button", { class: "button", onclick, ...props }, content);
}

/// A figure with its label, and a note below; in a `<dl class="stats">`. `kind` is "", "is-good" or "is-bad".
export function stat(label, value, note = "", kind = "") {
	return h("div", { class: `stat ${kind}` }, h("dt", {}, label), h("dd", {}, value), note && h("dd", { class: "stat-note" }, note));
}

/// A table that is a list of cards on a phone. A column is `[heading, cell, kind]`: `cell(row, at)` is what it shows,
/// and `kind` "name" (the row's name), "end" (a figure), "act" (a button) or nothing. `total` is a last row.
export function table(columns, rows, { title = "", total = null } = {}) {
	const side = (kind) => (kind === "end" ? "end num" : "");
	const line = (row, at) => h("tr", {}, columns.map(([heading, cell, kind]) => {
		const shown = cell(row, at);
		if (kind === "name") return h("th", { scope: "row" }, shown);
		return h("td", { class: kind === "act" ? "end" : side(kind), data: kind === "act" ? {} : { label: heading } }, shown);
	}));
	return h("div", { class: "card sheet" }, h("table", { class: "rows" },
		title && h("caption", { class: "visually-hidden" }, title),
		h("thead", {}, h("tr", {}, columns.map(([heading, , kind]) => h("th", { scope: "col", class: side(kind) }, kind === "act" ? h("span", { class: "visually-hidden" }, heading) : heading)))),
		h("tbody", {}, rows.map(line)),
		total && h("tfoot", {}, line(total, -1))));
}

/// The head of a page.
export function head(title, ...buttons) {
	return h("header", { class: "page-head" }, h("h1", {}, title), buttons);
}

/// `1 produto`, `7 produtos`.
export function products(count) {
	return count === 1 ? "1 produto" : `${count} produtos`;
}
