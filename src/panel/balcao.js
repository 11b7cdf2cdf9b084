// Balcão: the till. One field finds products by name, code, barcode or label; the sale is one document.

import { call, change } from "./api.js";
import { addLine, cart, cartChanged, cartTotal, clearCart, lineAmount, LINES_MAX, removeLine, restoreCart } from "./cart.js";
import { catalog, isLabel, movement } from "./catalog.js";
import { ask, showError, toast } from "./dialog.js";
import { arrange, clear, emptyNote, h, icon } from "./dom.js";
import { amountOf, dayText, isCode, isWeighed, money, parseMoney, parseQuantity, quantity, splitEntry, stepOf, timeText, today } from "./format.js";
import { live } from "./live.js";

export const title = "Balcão";

/// Products that are shown to choose from.
const HITS_MAX = 30;
const TILES_MAX = 60;
/// Sales from which the usual ones are known.
const SALES_SEEN_MAX = 1000;
/// A quantity that is so many times the usual looks like a slip, as on the terminal.
const ODD_TIMES_MIN = 10;
const USUAL_SALES_MIN = 5;
const LARGE_STOCK_MIN = 50_000;

/// How often each product was sold of late, and how much of it; kept while the tab is open.
const usual = new Map();
let hasUsual = false;
let lastSale = null;

export function open(root, context) {
	let hits = [];
	let active = 0;
	let category = "";
	let isSelling = false;
	/// Whether a question about a quantity is open: it takes the focus from the field, which then changes again.
	let isAsking = false;
	/// What was received when its field got the focus.
	let before = "";

	const search = h("input", {
		id: "busca", autocapitalize: "off", spellcheck: "false", enterkeyhint: "done",
		role: "combobox", "aria-expanded": "false", "aria-controls": "achados", "aria-autocomplete": "list", "aria-label": "Produto, código ou etiqueta",
		placeholder: "Produto, código ou leitor",
		oninput: () => showFound(0), onkeydown: onSearchKey,
	});
	const chips = h("div", { class: "chips", role: "group", "aria-label": "Categorias" });
	const found = h("div", { class: "till-scroll" });
	const lines = h("ol", { class: "lines" });
	const heading = h("h2", {}, "Venda");
	const empty = h("button", { class: "button quiet", onclick: emptyCart }, "Esvaziar");
	const totalOut = h("output", { "aria-label": "Total" });
	const received = h("input", { id: "recebido", inputmode: "decimal", placeholder: "Recebido", oninput: onReceived, onkeydown: onReceivedKey, onfocus: () => (before = received.value) && received.select() });
	const back = h("output", { "aria-label": "Troco" });
	const backRow = h("div", { class: "total back" }, h("span", {}, "Troco"), back);
	const notes = h("div", { class: "notes", role: "group", "aria-label": "Valores recebidos" });
	const sellButton = h("button", { class: "button primary sell", "aria-keyshortcuts": "F2 Control+Enter", onclick: sell }, "Vender", h("kbd", {}, "F2"));
	const foot = h("div", { class: "ticket-foot" },
		h("div", { class: "total" }, h("span", {}, "Total"), totalOut),
		h("div", { class: "cash" },
			h("label", { class: "visually-hidden", for: "recebido" }, "Recebido, em reais"), received, notes),
		backRow,
		sellButton);
	const till = h("div", { class: "till" },
		h("section", { class: "till-find", "aria-labelledby": "till-name" },
			h("h1", { class: "visually-hidden", id: "till-name" }, "Balcão"),
			h("div", { class: "search" }, icon("search"), search),
			chips, found,
			h("p", { class: "keys" },
				key("Enter", "põe na venda"), key("↑ ↓", "escolhe"), key("F2", "vende"), key("F4", "recebido"), key("F8", "tira a última linha"), key("Esc", "limpa"))),
		h("section", { class: "ticket card", "aria-label": "Venda" },
			h("div", { class: "ticket-head" }, heading, empty), lines, foot));
	root.append(till);
	received.value = cart.received;

	const endings = [
		catalog.subscribe((names) => {
			if (names === null || search.value.trim() || isShown(names)) showFound(active, true);
			if (names === null || cart.lines.some((line) => names.has(line.name))) showCart();
			if (names === null) showChips();
		}),
		live.onState((state) => state === "ligado" && loadUsual()),
		live.onMovement((movement) => movement.kind === "MOVEMENT_KIND_SALE" && see(movement)),
	];
	cart.listeners.add(showCart);
	document.addEventListener("keydown", onKey);
	showChips();
	showFound(0);
	showCart();
	search.focus();
	loadUsual();

	return () => {
		for (const end of endings) end();
		cart.listeners.delete(showCart);
		document.removeEventListener("keydown", onKey);
	};

	// Finding.

	/// What is typed, as a quantity and the products that it may mean.
	function entry() {
		const text = search.value.trim();
		const whole = { number: null, rest: text };
		const split = splitEntry(text);
		// `3 Marias` may be a name.
		const named = catalog.find(text);
		if (split.number === null || named) {
			if (!named && catalog.search(text).length === 0) {
				// `tomate 2,5` has the quantity behind the name.
				const behind = /^(.*\S)\s+([\d.,]+\p{L}*)$/u.exec(text);
				if (behind && catalog.search(behind[1]).length > 0) return { number: behind[2], rest: behind[1] };
			}
			return whole;
		}
		const isFound = isLabel(split.rest) || catalog.find(split.rest) || catalog.search(split.rest).length > 0;
		return isFound ? split : whole;
	}

	function showFound(next, keepsScroll = false) {
		const text = search.value.trim();
		till.classList.toggle("has-text", text !== "");
		if (!text) {
			hits = [];
			search.setAttribute("aria-expanded", "false");
			search.removeAttribute("aria-activedescendant");
			return showTiles();
		}
		const { number, rest } = entry();
		hits = catalog.search(rest).slice(0, HITS_MAX);
		active = Math.max(0, Math.min(next, hits.length - 1));
		search.setAttribute("aria-expanded", String(hits.length > 0));
		if (hits.length === 0) {
			search.removeAttribute("aria-activedescendant");
			const said = isLabel(rest) ? "Etiqueta de balança: Enter põe na venda." : "Confira o nome ou o código.";
			return clear(found, emptyNote(isLabel(rest) ? "Etiqueta" : "Nada com esse nome", said));
		}
		search.setAttribute("aria-activedescendant", `hit-${active}`);
		const list = h("ul", { class: "hits card", id: "achados", role: "listbox", "aria-label": "Produtos achados" }, hits.map((product, at) => hitRow(product, at, number)));
		clear(found, list);
		if (!keepsScroll) list.children[active].scrollIntoView({ block: "nearest" });
	}

	function hitRow(product, at, number) {
		const amount = at === active && number !== null ? amountOfEntry(product, number) : null;
		return h("li", { class: "hit", id: `hit-${at}`, role: "option", "aria-selected": String(at === active), onclick: () => choose(product, number) },
			h("span", { class: "hit-name" }, product.name),
			h("span", { class: "hit-price" }, amount === null ? [money(product.priceCentavos), h("small", {}, ` / ${product.unit}`)] : money(amount)),
			h("small", {}, [product.code ? `código ${product.code}` : "", product.category].filter(Boolean).join(" · ")),
			stockText(product, "end"));
	}

	function amountOfEntry(product, number) {
		try {
			return amountOf(product.priceCentavos, parseQuantity(number, product.unit));
		} catch {
			return null;
		}
	}

	function stockText(product, extra = "") {
		const left = product.stockThousandths - taken(product.name);
		return h("small", { class: `num ${extra} ${left <= 0 ? "bad-text" : ""}` }, left <= 0 && product.stockThousandths <= 0 ? "sem estoque" : `${left < 0 ? "faltam" : "há"} ${quantity(Math.abs(left), product.unit)}`);
	}

	function showTiles() {
		const products = catalog.products.filter((product) => !product.discontinued && (!category || product.category === category));
		const sold = (product) => usual.get(product.name)?.length ?? 0;
		const shown = [...products].sort((one, other) => sold(other) - sold(one)).slice(0, TILES_MAX);
		if (shown.length === 0) {
			return clear(found, catalog.products.length === 0 && !catalog.isLoaded ? h("p", { class: "boot" }, "Carregando os produtos…") : emptyNote("Nenhum produto ainda", ["Traga a lista de preços em ", h("a", { href: "#/importar" }, "Importar"), ", ou crie o primeiro em ", h("a", { href: "#/estoque" }, "Estoque"), "."]));
		}
		const more = products.length - shown.length;
		clear(found,
			h("p", { class: "till-title" }, category || (shown.some(sold) ? "Mais vendidos" : "Produtos")),
			h("ul", { class: "tiles" }, shown.map((product) =>
				h("li", {}, h("button", { class: "tile", onclick: () => choose(product, null) },
					h("span", { class: "tile-name" }, product.name),
					h("span", {}, h("span", { class: "tile-price num" }, money(product.priceCentavos)), h("small", {}, ` / ${product.unit}`), h("br", {}), stockText(product)))))),
			more > 0 && h("p", { class: "till-title", "data-more": more }, `E mais ${more}: digite parte do nome.`));
	}

	function isShown(names) {
		return [...found.querySelectorAll(".tile-name")].some((tile) => names.has(tile.textContent));
	}

	function showChips() {
		const chip = (name, label) => h("button", { class: "chip", "aria-pressed": String(category === name), onclick: () => chooseCategory(name) }, label);
		const names = catalog.categories();
		chips.hidden = names.length === 0;
		clear(chips, chip("", "Todos"), names.map((name) => chip(name, name)));
	}

	function chooseCategory(name) {
		category = name;
		search.value = "";
		showChips();
		showFound(0);
	}

	// The sale.

	function taken(name) {
		return cart.lines.reduce((sum, line) => (line.name === name ? sum + (line.thousandths ?? 0) : sum), 0);
	}

	async function choose(product, number) {
		let thousandths = null;
		try {
			if (number !== null) thousandths = parseQuantity(number, product.unit);
			else if (!isWeighed(product.unit)) thousandths = 1000;
			if (thousandths !== null && thousandths <= 0) throw new Error("A quantidade tem de ser maior que zero.");
			if (cart.lines.length >= LINES_MAX) throw new Error(`A venda já tem ${LINES_MAX} linhas. Termine esta e comece outra.`);
			if (product.discontinued) throw new Error(`${product.name} não se vende mais. Em Estoque ele pode voltar.`);
		} catch (error) {
			showError(error);
			return search.focus();
		}
		if (thousandths !== null && !(await isMeant(product, thousandths))) return search.focus();
		const line = addLine({ name: product.name, thousandths }, number === null && !isWeighed(product.unit));
		search.value = "";
		showFound(0);
		const node = lineNode(line.id);
		node?.classList.add("is-new");
		node?.scrollIntoView({ block: "nearest" });
		// Of what is weighed, the scale says how much.
		if (thousandths === null) node?.querySelector("input").focus();
		else search.focus();
	}

	/// Adds what was scanned or typed in full.
	async function enter() {
		const { number, rest } = entry();
		if (!rest) return;
		const exact = catalog.find(rest);
		if (exact && !(isLabel(rest) && exact.code && !exact.barcodes.includes(rest))) return choose(hits[active] && active > 0 ? hits[active] : exact, number);
		if (isLabel(rest)) {
			if (number === null) return addLabel(rest);
			search.select();
			return void toast("A etiqueta já diz quanto há: passe-a sem quantidade, uma vez por saquinho.", { kind: "error" });
		}
		if (hits.length > 0) return choose(hits[active], number);
		// `1,25` alone is what the scale shows of the last line.
		const last = cart.lines.at(-1);
		if (last && !last.label && /^\d+,\d+$/.test(rest)) {
			search.value = "";
			showFound(0);
			return void (await setLine(last, rest));
		}
		toast(/^\d+$/.test(rest) ? `Nenhum produto tem o código ${rest}. Cadastre-o em Estoque.` : `Nenhum produto se chama “${rest}”.`, { kind: "error" });
		search.select();
	}

	async function addLabel(label) {
		search.value = "";
		showFound(0);
		try {
			const read = catalog.readLabel(label);
			const name = read?.product.name ?? (await call("GetProduct", { name: label })).product.name;
			addLine({ name, thousandths: read?.thousandths ?? null, label, amount: read?.amountCentavos?.toString() ?? null }, false);
		} catch (error) {
			showError(error);
		}
		search.focus();
	}

	/// Asks back about what looks like a slip, as the terminal does.
	async function isMeant(product, thousandths) {
		const sizes = usual.get(product.name) ?? [];
		const median = [...sizes].sort((a, b) => a - b)[Math.floor(sizes.length / 2)];
		const shown = `${quantity(thousandths, product.unit)} de ${product.name}`;
		let odd = null;
		if (sizes.length >= USUAL_SALES_MIN && thousandths >= median * ODD_TIMES_MIN) odd = `${shown}: o costume é ${quantity(median, product.unit)}.`;
		else if (product.stockThousandths >= LARGE_STOCK_MIN && thousandths * 2 > product.stockThousandths && thousandths <= product.stockThousandths) {
			odd = `${shown}: é mais da metade do estoque, de ${quantity(product.stockThousandths, product.unit)}.`;
		}
		if (odd === null) return true;
		isAsking = true;
		const isSure = await ask({ title: "É isso mesmo?", body: odd, confirm: "É isso mesmo", cancel: "Corrigir" });
		isAsking = false;
		return isSure;
	}

	function lineNode(id) {
		return lines.querySelector(`[data-id="${id}"]`);
	}

	function showCart() {
		// The fields that are being typed into keep their text and their cursor.
		const typed = document.activeElement?.closest?.(".line");
		const kept = new Map([...lines.children].filter((node) => node.dataset.id).map((node) => [node.dataset.id, node]));
		const nodes = cart.lines.map((line) => {
			const node = kept.get(String(line.id)) ?? lineRow(line);
			showLine(node, line, node === typed);
			return node;
		});
		if (nodes.length > 0) arrange(lines, nodes);
		else clear(lines, h("li", { class: "last-sale" }, lastSale ? lastSaleNode() : [h("p", {}, h("strong", {}, "Nova venda")), h("p", {}, "Digite, como em “2,5 tomate”, toque num produto ou passe o leitor.")]));
		till.classList.toggle("has-lines", nodes.length > 0);
		heading.textContent = nodes.length === 0 ? "Venda" : `Venda · ${nodes.length} ${nodes.length === 1 ? "item" : "itens"}`;
		empty.hidden = nodes.length === 0;
		const { total, isWhole } = cartTotal((name) => catalog.byName(name));
		const shown = money(total) + (isWhole ? "" : " +");
		if (totalOut.value !== shown) totalOut.value = shown;
		totalOut.classList.toggle("is-long", shown.length > 12);
		sellButton.disabled = nodes.length === 0 || isSelling;
		showBack(total);
		showNotes(total);
	}

	function lineRow(line) {
		const input = h("input", { inputmode: "decimal", onkeydown: (event) => onLineKey(event, line), onchange: () => setLine(line, input.value), onfocus: () => input.select() });
		return h("li", { class: "line", data: { id: String(line.id) } },
			h("p", { class: "line-name" }),
			h("p", { class: "line-money" }),
			h("div", { class: "line-foot" },
				line.label
					? h("span", { class: "badge" }, "etiqueta")
					: h("div", { class: "stepper" },
							h("button", { class: "icon-button", "aria-label": `Menos ${line.name}`, onclick: () => stepLine(line, -1) }, icon("minus")),
							input,
							h("span", {}),
							h("button", { class: "icon-button", "aria-label": `Mais ${line.name}`, onclick: () => stepLine(line, 1) }, icon("plus"))),
				h("span", { class: "muted num" }),
				h("button", { class: "icon-button", "aria-label": `Tirar ${line.name}`, onclick: () => takeOut(line.id) }, icon("close"))));
	}

	function showLine(node, line, isTyped) {
		const product = catalog.byName(line.name);
		const unit = product?.unit ?? "";
		node.querySelector(".line-name").textContent = line.name;
		const amount = lineAmount(line, product);
		node.querySelector(".line-money").textContent = amount === null ? (line.label ? "pela etiqueta" : "quanto?") : money(amount);
		const each = product ? `${money(product.priceCentavos)} / ${unit}` : "";
		node.querySelector(".line-foot > .muted").textContent = line.label && line.thousandths !== null ? `${quantity(line.thousandths, unit)} × ${each}` : each;
		const input = node.querySelector("input");
		if (input) {
			input.setAttribute("aria-label", `Quantidade de ${line.name}${unit ? `, em ${unit}` : ""}`);
			if (!isTyped || document.activeElement !== input) input.value = line.thousandths === null ? "" : quantity(line.thousandths);
			node.querySelector(".stepper span").textContent = unit;
		}
		const problem = problemOf(line, product);
		let said = node.querySelector(".field-error");
		if (!problem) return void said?.remove();
		if (!said) node.append((said = h("p", { class: "field-error", role: "alert" })));
		if (said.textContent !== problem) said.textContent = problem;
	}

	function problemOf(line, product) {
		if (!product) return catalog.isLoaded ? "Este produto não existe mais com este nome." : "";
		if (product.discontinued) return "Não se vende mais.";
		const sum = taken(line.name);
		if (sum > product.stockThousandths) return product.stockThousandths === 0 ? "Estoque insuficiente: não há nenhum." : `Estoque insuficiente: há ${quantity(product.stockThousandths, product.unit)}.`;
		return "";
	}

	async function setLine(line, text) {
		const node = lineNode(line.id);
		const product = catalog.byName(line.name);
		const input = node?.querySelector("input");
		if (!input || isAsking) return false;
		try {
			const thousandths = parseQuantity(text, product?.unit);
			if (thousandths <= 0) throw new Error("A quantidade tem de ser maior que zero. Para tirar a linha, use o ×.");
			if (thousandths === line.thousandths) {
				input.value = quantity(thousandths);
				return true;
			}
			if (product && !(await isMeant(product, thousandths))) {
				input.focus();
				return false;
			}
			Object.assign(line, { thousandths, amount: null });
			input.removeAttribute("aria-invalid");
			input.value = quantity(thousandths);
			cartChanged();
			return true;
		} catch (error) {
			if (!text.trim() && line.thousandths === null) return false;
			input.setAttribute("aria-invalid", "true");
			showError(error);
			return false;
		}
	}

	function stepLine(line, direction) {
		const product = catalog.byName(line.name);
		const step = Math.max(isWeighed(product?.unit) ? 100 : 0, product ? stepOf(product.unit) : 1000);
		const next = (line.thousandths ?? 0) + direction * step;
		if (next <= 0) return takeOut(line.id);
		Object.assign(line, { thousandths: next, amount: null });
		cartChanged();
	}

	function takeOut(id) {
		removeLine(id);
		search.focus();
	}

	async function emptyCart() {
		const isSure = cart.lines.length < 2 || (await ask({ title: "Esvaziar a venda?", body: `${cart.lines.length} linhas saem da tela. Nada foi vendido ainda.`, confirm: "Esvaziar", isDanger: true }));
		if (isSure) {
			clearCart();
			received.value = "";
		}
		search.focus();
	}

	// The money.

	function onReceived() {
		cart.received = received.value;
		cartChanged();
	}

	function receivedCentavos() {
		if (!received.value.trim()) return null;
		try {
			return BigInt(parseMoney(received.value));
		} catch {
			return undefined;
		}
	}

	function showBack(total) {
		const given = receivedCentavos();
		received.toggleAttribute("aria-invalid", false);
		if (given === undefined) received.setAttribute("aria-invalid", "true");
		const isShort = typeof given === "bigint" && given < total;
		backRow.hidden = typeof given !== "bigint";
		const shown = backRow.hidden ? "" : money(isShort ? total - given : given - total);
		backRow.firstChild.textContent = isShort ? "Faltam" : "Troco";
		if (back.value !== shown) back.value = shown;
		back.classList.toggle("bad-text", isShort);
	}

	/// The notes that a customer is likely to pay with.
	function showNotes(total) {
		const sums = new Set();
		for (const note of [1000n, 2000n, 5000n, 10000n]) if (total > 0n) sums.add(((total + note - 1n) / note) * note);
		const shown = [...sums].sort((a, b) => (a < b ? -1 : 1)).slice(0, 3);
		const key = shown.join();
		if (notes.dataset.key === key) return;
		notes.dataset.key = key;
		clear(notes, shown.map((sum) => h("button", { class: "button small num", onclick: () => give(sum) }, money(sum).replace(",00", ""))));
	}

	function give(sum) {
		received.value = money(sum).replace("R$ ", "").replaceAll(".", "");
		onReceived();
		search.focus();
	}

	// Selling.

	async function sell() {
		if (cart.lines.length === 0) return;
		if (isSelling) return toast("A venda anterior espera resposta.", { kind: "warning" });
		// What is still being typed counts.
		const typed = document.activeElement?.closest?.(".line");
		if (typed && document.activeElement.tagName === "INPUT") {
			const line = cart.lines.find(({ id }) => String(id) === typed.dataset.id);
			if (line && !(await setLine(line, document.activeElement.value))) return;
		}
		const open = cart.lines.find((line) => line.thousandths === null && !line.label);
		if (open) {
			toast(`Falta a quantidade de ${open.name}.`, { kind: "warning" });
			return lineNode(open.id)?.querySelector("input").focus();
		}
		const short = cart.lines.find((line) => problemOf(line, catalog.byName(line.name)));
		if (short) {
			toast(`${short.name}: ${problemOf(short, catalog.byName(short.name))}`, { kind: "warning" });
			return (lineNode(short.id)?.querySelector("input") ?? search).focus();
		}
		const { total } = cartTotal((name) => catalog.byName(name));
		const given = receivedCentavos();
		const sold = cart.lines;
		isSelling = true;
		sellButton.disabled = true;
		// A sale that waits for the server has its time in a note, as `sell --outbox` writes it.
		const note = live.state === "fora" ? `vendido em ${dayText(today())} ${timeText(new Date())}, sem servidor` : "";
		// From here on the sale is kept as a change with its id, and no longer as a cart: a reload cannot sell it twice.
		const adjustments = sold.map((line) => ({
			name: line.label ?? line.name,
			deltaThousandths: line.label ? "0" : String(-line.thousandths),
			kind: "MOVEMENT_KIND_SALE",
			note,
			// The amount that the customer has seen and pays, whatever the price is when the server books it.
			amountCentavos: lineAmount(line, catalog.byName(line.name))?.toString(),
		}));
		let isLost = false;
		const done = change("BatchAdjustStock", { adjustments }, {
			title: `Venda de ${money(total)}`,
			// The sale may come back after the customer has paid.
			meta: { lines: sold.map((line, at) => ({ ...line, amount: adjustments[at].amountCentavos ?? null })) },
			// The panel reports on every page how it ends.
			onLost: () => {
				isLost = true;
				lastSale = null;
				finish();
				toast("Sem resposta: a venda está guardada e será terminada. Pode atender o próximo.", { kind: "warning" });
			},
		});
		received.value = "";
		clearCart();
		try {
			const { results = [] } = await done;
			if (isLost) return;
			const moves = results.map((result) => movement(result.movement));
			const sum = moves.reduce((sum, move) => sum + move.amountCentavos, 0n);
			lastSale = { sum, count: moves.length, sequence: moves[0].document || moves[0].sequence, back: typeof given === "bigint" && given >= sum ? given - sum : null, isUndone: false };
			const sale = lastSale;
			toast(`Venda de ${money(sum)} registrada.${sale.back ? ` Troco ${money(sale.back)}.` : ""}`, { undo: () => undo(sale) });
			finish();
		} catch (error) {
			if (isLost) return;
			restoreCart(sold);
			showError(error);
			finish();
		}
	}

	function finish() {
		isSelling = false;
		showCart();
		showFound(0);
		search.focus();
	}

	function lastSaleNode() {
		const { sum, count, sequence, back, isUndone } = lastSale;
		return [
			h("p", {}, isUndone ? "Venda desfeita" : "Última venda"),
			h("strong", { class: "num" }, money(sum)),
			h("p", {}, `${count} ${count === 1 ? "item" : "itens"} · #${sequence}`, back ? ` · troco ${money(back)}` : ""),
			!isUndone && h("button", { class: "button", onclick: () => undo(lastSale).catch(showError) }, icon("undo"), "Desfazer"),
		];
	}

	async function undo(sale) {
		if (sale.isAsked) return;
		sale.isAsked = true;
		try {
			await change("UndoMovement", { sequence: String(sale.sequence) }, { title: `Estorno da venda de ${money(sale.sum)}` });
		} catch (error) {
			sale.isAsked = false;
			throw error;
		}
		sale.isUndone = true;
		toast(`Venda de ${money(sale.sum)} desfeita. O estoque voltou.`);
		showCart();
		search.focus();
	}

	// Keys.

	function onSearchKey(event) {
		if (event.key === "ArrowDown" || event.key === "ArrowUp") {
			if (hits.length === 0) return;
			event.preventDefault();
			const step = event.key === "ArrowDown" ? 1 : -1;
			showFound((active + step + hits.length) % hits.length);
		} else if (event.key === "Enter" && !event.ctrlKey) {
			event.preventDefault();
			enter();
		} else if (event.key === "Escape" && search.value) {
			event.preventDefault();
			search.value = "";
			showFound(0);
		}
	}

	async function onLineKey(event, line) {
		const input = event.currentTarget;
		if (event.key === "Enter" && !event.ctrlKey) {
			event.preventDefault();
			const code = takeCode(input);
			if (code && !input.value && line.thousandths !== null) input.value = quantity(line.thousandths);
			if ((!code || input.value) && !(await setLine(line, input.value))) return;
			search.focus();
			if (code) addCode(code);
		} else if (event.key === "Escape") {
			input.value = line.thousandths === null ? "" : quantity(line.thousandths);
			input.removeAttribute("aria-invalid");
			search.focus();
		}
	}

	function onReceivedKey(event) {
		if ((event.key === "Enter" && !event.ctrlKey) || event.key === "Escape") {
			event.preventDefault();
			const code = event.key === "Enter" && takeCode(received);
			search.focus();
			if (!code) return;
			received.value ||= before;
			onReceived();
			addCode(code);
		}
	}

	/// Takes a code out of the field into which a scanner typed it.
	function takeCode(input) {
		const code = catalog.scanned(input.value)?.code ?? (isCode(input.value) && input.value);
		if (code) input.value = input.value.slice(0, -code.length);
		return code;
	}

	function addCode(code) {
		search.value = code;
		showFound(0);
		enter();
	}

	function onKey(event) {
		if (document.querySelector("dialog[open]")) return;
		if (event.key === "F2" || (event.key === "Enter" && (event.ctrlKey || event.metaKey))) {
			event.preventDefault();
			sell();
		} else if (event.key === "F4") {
			event.preventDefault();
			received.focus();
		} else if (event.key === "F8") {
			event.preventDefault();
			if (cart.lines.length > 0) takeOut(cart.lines.at(-1).id);
		} else if (event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.altKey && !event.metaKey && !event.target.closest?.("input, textarea, select")) {
			// Whoever types, and every scanner, means the search.
			search.focus();
		}
	}

	// What sells.

	function see(movement) {
		if (movement.undoes || movement.undoneBy) return;
		const sizes = usual.get(movement.productName) ?? [];
		sizes.push(Math.abs(movement.deltaThousandths));
		usual.set(movement.productName, sizes.slice(-50));
	}

	async function loadUsual() {
		if (hasUsual) return;
		try {
			const { movements = [] } = await call("ListMovements", { kind: "MOVEMENT_KIND_SALE", pageSize: SALES_SEEN_MAX });
			hasUsual = true;
			for (const json of movements.reverse()) see(movement(json));
			if (!search.value.trim()) showFound(0);
		} catch {
			// The products stand in the order of the catalog then.
		}
	}
}

function key(name, does) {
	return h("span", {}, h("kbd", {}, name), " ", does);
}
