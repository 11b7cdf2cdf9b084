// Estoque: every product in a virtual table, with its price to edit in place.

import { change } from "./api.js";
import { catalog, isLow } from "./catalog.js";
import { showError, toast } from "./dialog.js";
import { arrange, clear, emptyNote, h, icon } from "./dom.js";
import { marginPercent, money, parseMoney, percent, quantity, unitCost } from "./format.js";
import { isMeantPrice, openProduct } from "./produto.js";
import { may } from "./rights.js";

export const title = "Estoque";

/// The heights of a row in pixels, as in `style.css`, and the rows above and below what is seen.
const ROW_PX = 60;
const ROW_NARROW_PX = 84;
const ROWS_AROUND = 8;

const COLUMNS = [
	{ sort: "nome", label: "Produto", class: "cell-name" },
	{ sort: "categoria", label: "Categoria", class: "cell-category" },
	{ sort: "preco", label: "Preço", class: "cell-price end" },
	{ sort: "margem", label: "Margem", class: "cell-margin end" },
	{ sort: "estoque", label: "Estoque", class: "cell-stock end" },
];
const SORTS = [["ordem", "Cadastro"], ...COLUMNS.map(({ sort, label }) => [sort, label])];

/// What was chosen stays chosen while the tab is open.
const chosen = { text: "", sort: "ordem", isDown: false, filter: "todos" };

export function open(root) {
	let rows = [];
	let editing = null;

	const search = h("input", { type: "search", id: "procura", spellcheck: "false", placeholder: "Nome ou código", "aria-label": "Procurar produto", value: chosen.text, oninput: () => { chosen.text = search.value; show(true); }, onkeydown: onSearchKey });
	const sort = h("select", { "aria-label": "Ordenar", onchange: () => sortBy(sort.value) }, SORTS.map(([value, label]) => h("option", { value }, label)));
	const filters = h("div", { class: "chips", role: "group", "aria-label": "Mostrar" });
	const count = h("p", { class: "muted num", role: "status" });
	const space = h("div", { class: "grid-space", role: "rowgroup" });
	const body = h("div", { class: "grid-body", tabindex: "0", role: "table", "aria-label": "Produtos", "aria-colcount": COLUMNS.length, onscroll: showRows, onkeydown: onRowKey });
	const heads = COLUMNS.map((column) => h("div", { role: "columnheader", class: column.class, "aria-sort": "none" }, h("button", { onclick: () => sortBy(column.sort) }, column.label)));
	const table = h("div", { class: "stock-list card" }, body);
	body.append(h("div", { class: "grid-head", role: "rowgroup" }, h("div", { class: "grid-line", role: "row", "aria-rowindex": "1" }, heads)), space);
	const nothing = h("div", { class: "card" });
	root.append(h("div", { class: "stock" },
		h("div", { class: "page-head" }, h("h1", {}, "Estoque"), count, may("write") && h("button", { class: "button primary", onclick: () => openProduct(null) }, icon("plus"), "Novo", h("span", { class: "wide-only" }, "produto"))),
		h("div", { class: "toolbar" }, h("div", { class: "search" }, icon("search"), search), h("div", { class: "narrow-only" }, sort), filters),
		table, nothing));

	const resize = new ResizeObserver(showRows);
	resize.observe(body);
	const end = catalog.subscribe((names) => {
		// A price that is being typed stays where it is.
		if (names === null || chosen.sort !== "ordem" || chosen.filter !== "todos") show(false);
		else showRows();
	});
	show(true);
	search.focus();
	return () => {
		end();
		resize.disconnect();
	};

	function show(fromTop) {
		const isRetired = chosen.filter === "retirados";
		let list = catalog.search(chosen.text, { all: isRetired });
		if (isRetired) list = list.filter((product) => product.discontinued);
		if (chosen.filter === "acabando") list = list.filter(isLow);
		rows = sorted(list);
		const total = catalog.products.filter((product) => product.discontinued === isRetired).length;
		count.textContent = rows.length === total ? `${total} ${total === 1 ? "produto" : "produtos"}` : `${rows.length} de ${total}`;
		table.hidden = rows.length === 0;
		nothing.hidden = rows.length > 0;
		if (rows.length === 0) clear(nothing, emptyText());
		body.setAttribute("aria-rowcount", String(rows.length + 1));
		COLUMNS.forEach((column, at) => {
			const isSorted = chosen.sort === column.sort;
			heads[at].setAttribute("aria-sort", isSorted ? (chosen.isDown ? "descending" : "ascending") : "none");
			clear(heads[at].firstChild, column.label, isSorted && icon(chosen.isDown ? "down" : "up"));
		});
		sort.value = chosen.sort;
		showFilters();
		if (fromTop) body.scrollTop = 0;
		showRows();
	}

	function emptyText() {
		if (!catalog.isLoaded) return h("p", { class: "boot" }, "Carregando…");
		if (catalog.products.length === 0) return emptyNote("Nenhum produto ainda", ["Crie o primeiro, ou traga a lista de preços em ", h("a", { href: "#/importar" }, "Importar"), "."]);
		if (chosen.filter === "acabando" && !chosen.text) return emptyNote("Nada está acabando", "Todos os produtos têm estoque acima do mínimo.");
		return emptyNote("Nenhum produto achado", "Procure por outra parte do nome.");
	}

	function showFilters() {
		const low = catalog.products.filter((product) => !product.discontinued && isLow(product)).length;
		const chip = (value, label) => h("button", { class: "chip", "aria-pressed": String(chosen.filter === value), onclick: () => { chosen.filter = value; show(true); filters.querySelector("[aria-pressed=true]").focus(); } }, label);
		const key = `${low} ${chosen.filter}`;
		if (filters.dataset.key === key) return;
		filters.dataset.key = key;
		clear(filters, chip("todos", "Todos"), chip("acabando", `Acabando · ${low}`), chip("retirados", "Retirados"));
	}

	function sortBy(by) {
		// The third touch brings back the order of the catalog.
		if (by === chosen.sort && by !== "ordem") {
			if (chosen.isDown) [chosen.sort, chosen.isDown] = ["ordem", false];
			else chosen.isDown = true;
		} else [chosen.sort, chosen.isDown] = [by, false];
		show(true);
	}

	function sorted(list) {
		const margin = (product) => marginPercent(product.priceCentavos, costOf(product));
		const by = {
			nome: (a, b) => compare(a.key, b.key),
			preco: (a, b) => a.priceCentavos - b.priceCentavos,
			margem: (a, b) => (margin(a) ?? Infinity) - (margin(b) ?? Infinity) || 0,
			estoque: (a, b) => a.stockThousandths - b.stockThousandths,
			categoria: (a, b) => compare(a.category || "\uffff", b.category || "\uffff") || compare(a.key, b.key),
		}[chosen.sort];
		if (!by) return list;
		return [...list].sort(chosen.isDown ? (a, b) => by(b, a) : by);
	}

	function rowHeight() {
		return matchMedia("(max-width: 720px)").matches ? ROW_NARROW_PX : ROW_PX;
	}

	function showRows() {
		const height = rowHeight();
		space.style.height = `${rows.length * height}px`;
		const first = Math.max(0, Math.floor(body.scrollTop / height) - ROWS_AROUND);
		const last = Math.min(rows.length, Math.ceil((body.scrollTop + body.clientHeight) / height) + ROWS_AROUND);
		const kept = new Map([...space.children].map((node) => [node.dataset.name, node]));
		const nodes = [];
		for (let at = first; at < last; at += 1) {
			const product = rows[at];
			const current = catalog.byName(product.name) ?? product;
			let node = kept.get(product.name);
			// A row with the same words is kept, and with it the focus of the keyboard.
			const key = rowKey(current);
			if (!node || (node.dataset.key !== key && !node.querySelector(".row-edit"))) {
				const next = row(current);
				next.dataset.key = key;
				if (node?.contains(document.activeElement)) queueFocus(next, document.activeElement.className);
				node = next;
			}
			node.style.transform = `translateY(${at * height}px)`;
			node.setAttribute("aria-rowindex", String(at + 2));
			nodes.push(node);
		}
		arrange(space, nodes);
	}

	function queueFocus(node, name) {
		queueMicrotask(() => node.getElementsByClassName(name)[0]?.focus());
	}

	function rowKey(product) {
		return [product.priceCentavos, product.stockThousandths, product.unit, product.code, product.category, product.stockCostCentavos, product.minimumThousandths, product.discontinued].join("|");
	}

	function row(product) {
		const margin = marginPercent(product.priceCentavos, costOf(product));
		const low = isLow(product) && !product.discontinued;
		return h("div", { class: "grid-row grid-line", role: "row", data: { name: product.name } },
			h("div", { class: "cell-name", role: "cell" },
				h("button", { class: "row-open", onclick: () => openProduct(product.name) },
					h("b", {}, product.name),
					h("small", {}, [product.code ? `código ${product.code}` : "", product.barcodes[0] ?? "", product.discontinued ? "retirado" : ""].filter(Boolean).join(" · ")))),
			h("div", { class: "cell-category muted", role: "cell" }, product.category),
			h("div", { class: "cell-price end", role: "cell" }, priceButton(product)),
			h("div", { class: `cell-margin end num ${margin < 0 ? "bad-text" : ""}`, role: "cell" }, percent(margin)),
			h("div", { class: "cell-stock num", role: "cell" }, low && h("span", { class: `badge ${product.stockThousandths === 0 ? "bad" : "warn"}` }, product.stockThousandths === 0 ? "sem estoque" : "acabando"), low && " ", (product.stockThousandths !== 0 || !low) && quantity(product.stockThousandths, product.unit)));
	}

	function priceButton(product) {
		const shown = [money(product.priceCentavos), h("small", {}, ` / ${product.unit}`)];
		if (!may("write")) return h("span", { class: "num" }, shown);
		return h("button", { class: "row-price num", "aria-label": `${money(product.priceCentavos)} / ${product.unit}, preço de ${product.name}: mudar`, onclick: (event) => edit(event.currentTarget.parentElement, product.name) }, shown);
	}

	function edit(cell, name) {
		editing?.stop();
		const product = catalog.byName(name);
		const row = cell.parentElement;
		const margin = row.querySelector(".cell-margin");
		const input = h("input", { class: "row-edit num", inputmode: "decimal", "aria-label": `Novo preço de ${name}, em reais por ${product.unit}`, value: money(product.priceCentavos).replace("R$ ", ""), oninput: preview, onkeydown: onKey, onblur: onBlur });
		const original = input.value;
		let isSaving = false;
		editing = { stop };
		clear(cell, input);
		input.select();
		input.focus();

		function stop(hasFocus = false) {
			if (editing?.stop !== stop) return;
			editing = null;
			const current = catalog.byName(name);
			const next = priceButton(current);
			clear(cell, next);
			row.dataset.key = "";
			showRows();
			if (hasFocus) (space.querySelector(`[data-name="${CSS.escape(name)}"] .row-price`) ?? search).focus();
		}

		function preview() {
			try {
				const next = marginPercent(parseMoney(input.value), costOf(product));
				input.removeAttribute("aria-invalid");
				margin.textContent = percent(next);
				margin.classList.toggle("bad-text", next < 0);
			} catch {
				input.setAttribute("aria-invalid", "true");
			}
		}

		function onBlur() {
			// What was typed is neither saved nor lost by a touch beside it.
			if (!isSaving && input.value === original) stop();
		}

		async function onKey(event) {
			if (event.key === "Escape") {
				event.preventDefault();
				stop(true);
			} else if (event.key === "Enter") {
				event.preventDefault();
				await save();
			}
		}

		async function save() {
			if (isSaving) return;
			isSaving = true;
			try {
				const price = parseMoney(input.value);
				const old = catalog.byName(name).priceCentavos;
				if (price === old) return stop(true);
				if (!(await isMeantPrice(name, old, price))) return input.focus();
				await savePrice(name, price);
				stop(true);
				toast(`${name}: ${money(old)} → ${money(price)}.`, { undo: () => savePrice(name, old) });
			} catch (error) {
				input.setAttribute("aria-invalid", "true");
				showError(error);
				input.focus();
			} finally {
				isSaving = false;
			}
		}
	}

	async function savePrice(name, price) {
		const { product } = await change("UpdateProduct", { name, product: { priceCentavos: String(price) }, updateMask: "priceCentavos" }, { title: `Preço de ${name}: ${money(price)}` });
		catalog.update(product);
	}

	/// The arrows walk from price to price.
	function onRowKey(event) {
		const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
		if (!step || !event.target.matches(".row-price, .row-open")) return;
		event.preventDefault();
		const at = Number(event.target.closest(".grid-row").getAttribute("aria-rowindex")) + step;
		const next = space.querySelector(`[aria-rowindex="${at}"] .${event.target.classList[0]}`);
		(next ?? search).focus();
		next?.scrollIntoView({ block: "nearest" });
	}

	function onSearchKey(event) {
		if (event.key === "Escape" && search.value) {
			event.preventDefault();
			search.value = chosen.text = "";
			show(true);
		} else if (event.key === "ArrowDown") {
			event.preventDefault();
			space.querySelector(".row-price, .row-open")?.focus();
		} else if (event.key === "Enter" && rows.length > 0) {
			event.preventDefault();
			openProduct(rows[0].name);
		}
	}
}

function costOf(product) {
	return unitCost(product.stockCostCentavos, product.stockThousandths);
}

function compare(one, other) {
	return one < other ? -1 : one > other ? 1 : 0;
}
