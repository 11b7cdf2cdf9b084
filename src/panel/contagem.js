// Counting: a field for each product, by keyboard alone. A count is booked as of the moment its field was filled
// in, so that what is sold meanwhile stays sold. Nothing is sent before the end, and a reload keeps everything.

import { askIdentity, call, change, clock, QUICK_MS_MAX } from "./api.js";
import { catalog, movement as movementOf } from "./catalog.js";
import { ask, showError, toast } from "./dialog.js";
import { Draft, sentNotice } from "./draft.js";
import { clear, emptyNote, h, icon } from "./dom.js";
import { amountOf, money, parseQuantity, quantity, signedQuantity, stepOf, unitOfWord } from "./format.js";
import { live } from "./live.js";
import { button, field, head, picker, products, setError, stat, table } from "./parts.js";
import { may, whoAmI } from "./rights.js";

export const title = "Contagem";

/// Rows that are drawn at first and with each further part.
const ROWS_AT_ONCE = 200;
/// Products in one request of the server.
const COUNTS_MAX = 1000;
/// The stock from which on a count that is off by more than half is asked back, in thousandths.
const LARGE_STOCK = 10_000;
/// By how many milliseconds a clock differs that somebody has set.
const CLOCK_SET_MS = 2_000;

/// Lines that the blind desk keeps.
const DONE_MAX = 200;

const draft = new Draft("hortifruti.contagem", { entries: {}, results: null, sent: null, isBlind: true, category: "" }, localStorage);

/// Shows the page that is open again, if there is one: what was sent may outlive the page that sent it.
let showOpen = () => {};

export function open(root) {
	const page = h("div", { class: "page counting" });
	root.append(page);
	let view = null;
	const show = () => {
		view?.();
		clear(page);
		if (!may("read")) view = openBlindDesk(page);
		else if (!catalog.isLoaded) view = waitForCatalog(page);
		else if (draft.read().results) view = openResults(page, show);
		else view = openList(page, show);
	};
	let wasLoaded = catalog.isLoaded;
	const ends = [
		catalog.subscribe(() => {
			if (!wasLoaded) {
				wasLoaded = true;
				show();
			}
		}),
		live.onState(() => may("read") && !catalog.isLoaded && show()),
	];
	showOpen = show;
	show();
	return () => {
		showOpen = () => {};
		view?.();
		for (const end of ends) end();
	};
}

function waitForCatalog(page) {
	page.append(head(title), h("p", { class: "boot" }, "Buscando os produtos…"));
}

/// The list of products, each with its field.
function openList(page, show) {
	const rows = new Map();
	/// The fields in which somebody has typed since they were taken: the same number again is another count.
	const typed = new Set();
	let shown = ROWS_AT_ONCE;
	let filter = "";
	const list = h("div", { class: "card count-list" });
	const more = button("Mostrar mais produtos", () => { shown += ROWS_AT_ONCE; draw(); });
	const progress = h("p", { class: "count-progress", role: "status" });
	const send = button(["Enviar contagem", h("kbd", {}, "Ctrl+Enter")], sendAll, { class: "button primary" });
	const drop = button("Descartar", dropAll, { class: "button quiet" });
	const notice = h("div", {});
	const finder = picker({
		label: "Ir para um produto",
		placeholder: "Produto, código ou leitor",
		isBlind: true,
		onPick: goTo,
		onMiss: (text) => toast(`Nenhum produto se chama “${text}” nem tem esse código.`, { kind: "warning" }),
		onText: (text) => { filter = text; },
	});
	const categories = h("select", { "aria-label": "Categoria", onchange: () => { draft.write({ category: categories.value }); shown = ROWS_AT_ONCE; draw(); } });
	const blind = h("input", { type: "checkbox", checked: !draft.value.isBlind, onchange: () => { draft.write({ isBlind: !blind.checked }); draw(); } });
	page.append(
		head(title),
		notice,
		h("div", { class: "toolbar" }, finder.node, h("div", { class: "count-category" }, categories), h("label", { class: "check" }, blind, "Mostrar o estoque")),
		list,
		h("div", { class: "page-foot" }, progress, drop, send),
	);

	function inCategory() {
		const { category } = draft.value;
		const all = catalog.products.filter((product) => !product.discontinued && (!category || (category === "-" ? !product.category : product.category === category)));
		// By category, and in catalog order inside it: as shelves stand.
		return all.map((product, at) => ({ product, at })).sort((a, b) => (a.product.category || "\uffff").localeCompare(b.product.category || "\uffff", "pt-BR") || a.at - b.at).map(({ product }) => product);
	}

	function draw() {
		const names = catalog.categories();
		const hasNone = catalog.products.some((product) => !product.category && !product.discontinued);
		if (draft.value.category && draft.value.category !== "-" && !names.includes(draft.value.category)) draft.write({ category: "" });
		clear(categories, h("option", { value: "" }, "Todas as categorias"), names.map((name) => h("option", { value: name }, name)), names.length > 0 && hasNone && h("option", { value: "-" }, "Sem categoria"));
		categories.value = draft.value.category;
		const all = inCategory();
		const focused = [...rows].find(([, { input }]) => input === document.activeElement);
		rows.clear();
		clear(list);
		if (all.length === 0) {
			list.append(emptyNote("Não há produtos para contar.", "Cadastre produtos em Estoque, ou importe uma lista."));
		}
		let group = null;
		for (const product of all.slice(0, shown)) {
			const name = product.category || "Sem categoria";
			if (name !== group && (names.length > 0)) list.append(h("h2", { class: "count-group" }, name));
			group = name;
			list.append(rowOf(product));
		}
		if (all.length > shown) list.append(h("div", { class: "count-more" }, more));
		for (const name of Object.keys(draft.value.entries)) if (!catalog.byName(name)) list.prepend(lostRow(name));
		showProgress();
		showNotice();
		// A list that is drawn again leaves the keeper where he was.
		const again = focused && rows.get(focused[0])?.input;
		if (again) {
			if (typed.delete(focused[1].input)) {
				again.value = focused[1].input.value;
				typed.add(again);
			}
			again.focus({ preventScroll: true });
		}
	}

	function rowOf(product) {
		const entry = draft.value.entries[product.name];
		const input = h("input", {
			inputmode: stepOf(product.unit) < 1000 ? "decimal" : "numeric", enterkeyhint: "next",
			"aria-label": `Contado de ${product.name}, em ${product.unit}`, value: entry?.text ?? "",
			onfocus: () => input.select(), oninput: () => typed.add(input), onkeydown: (event) => keys(event, product, input), onchange: () => fill(product, input),
		});
		const against = h("span", { class: "count-against" });
		const row = h("div", { class: "count-row" },
			h("span", { class: "count-name" }, h("bdi", {}, product.name)),
			against,
			h("span", { class: "count-field" }, input, h("span", { class: "count-unit" }, product.unit)));
		rows.set(product.name, { row, input, against });
		showAgainst(product);
		return row;
	}

	function lostRow(name) {
		return h("div", { class: "count-row" }, h("span", { class: "count-name" }, h("bdi", {}, name), h("small", { class: "bad-text" }, " não está mais na lista de produtos")), h("span", {}),
			button("Tirar", () => { setEntry(name, null); draw(); }, { class: "button small" }));
	}

	/// What is on the books beside a row, unless the count is blind.
	function showAgainst(product) {
		const { row, against } = rows.get(product.name) ?? {};
		if (!row) return;
		const entry = draft.value.entries[product.name];
		row.classList.toggle("is-counted", Boolean(entry));
		if (draft.value.isBlind) return clear(against);
		const difference = entry && entry.thousandths - product.stockThousandths;
		clear(against, `de ${quantity(product.stockThousandths, product.unit)}`, entry && h("b", { class: difference < 0 ? "bad-text" : difference > 0 ? "good-text" : "muted" }, difference === 0 ? "confere" : signedQuantity(difference)));
	}

	/// Takes the text of a field into the draft. Returns whether it is a quantity or empty.
	function fill(product, input) {
		const text = input.value.trim();
		const before = draft.read().entries[product.name];
		const isTyped = typed.delete(input);
		setError(input, "");
		// What nobody typed is the draft's, and after its answer nobody's.
		if (!isTyped) return true;
		try {
			if (text) {
				const thousandths = parseQuantity(text, product.unit);
				if (thousandths < 0) throw new Error("A contagem não pode ser negativa.");
				const at = Date.now() - clock.ahead;
				setEntry(product.name, { text, thousandths, unit: product.unit, at, ...clock });
				placeNow(product.name, at);
			} else if (before) setEntry(product.name, null);
		} catch (error) {
			typed.add(input);
			setError(input, error.message);
			return false;
		}
		showAgainst(product);
		showProgress();
		return true;
	}

	/// Asks for the last movement before a count. The live connection may be silent because it is broken. Without
	/// a quick answer that movement is looked up by time when the count is sent.
	async function placeNow(name, at) {
		let sequence = null;
		try {
			if (live.state === "ligado") {
				const { lastSequence = 0 } = await call("GetStatus", {}, { signal: AbortSignal.timeout(QUICK_MS_MAX) });
				if (Date.now() - clock.ahead - at <= QUICK_MS_MAX) sequence = Number(lastSequence);
			}
		} catch {
			// By time, then.
		}
		const entry = draft.read().entries[name];
		if (entry?.at === at) setEntry(name, { ...entry, sequence });
		showProgress();
	}

	function keys(event, product, input) {
		const step = { Enter: 1, ArrowDown: 1, ArrowUp: -1 }[event.key];
		if (!step || event.altKey || event.metaKey) return;
		event.preventDefault();
		if (event.key === "Enter") {
			if (event.ctrlKey) return void (fill(product, input) && sendAll());
			const scanned = catalog.scanned(input.value);
			if (scanned) {
				// The rest before the code is the keeper's.
				input.value = input.value.slice(0, -scanned.code.length);
				if (!input.value) {
					input.value = draft.value.entries[product.name]?.text ?? "";
					typed.delete(input);
				}
				if (fill(product, input)) goTo(scanned.product);
				return;
			}
			if (!fill(product, input)) return input.select();
		}
		const inputs = [...list.querySelectorAll(".count-field input")];
		const next = inputs.indexOf(input) + step;
		if (next >= inputs.length && list.contains(more)) {
			more.click();
			return [...list.querySelectorAll(".count-field input")][next]?.focus();
		}
		(inputs[next] ?? (step > 0 ? send : finder.input)).focus();
	}

	function goTo(product) {
		if (product.discontinued) return toast(`${product.name} está aposentado. Reative-o em Estoque para contar.`, { kind: "warning" });
		if (!rows.has(product.name)) {
			draft.write({ category: "" });
			shown = Math.max(shown, Math.ceil((inCategory().indexOf(product) + 1) / ROWS_AT_ONCE) * ROWS_AT_ONCE);
			draw();
		}
		const { input, row } = rows.get(product.name);
		row.scrollIntoView({ block: "center" });
		input.focus();
	}

	function showProgress() {
		const counted = Object.keys(draft.value.entries).length;
		const offline = Object.values(draft.value.entries).filter(({ sequence }) => sequence === null).length;
		const all = catalog.products.filter((product) => !product.discontinued).length;
		clear(progress, h("b", {}, `${counted} de ${all}`), counted === 1 ? " contado" : " contados", offline > 0 && h("span", { class: "muted" }, ` · ${offline} sem conexão`));
		send.disabled = counted === 0 || Boolean(draft.value.sent);
		drop.hidden = counted === 0;
	}

	function showNotice() {
		clear(notice, draft.isLeft && sentNotice(draft, "A contagem foi enviada, e a página fechou antes da resposta.", async (answer, { counts }) => {
			finish(answer.results ?? [], counts);
			show();
		}, show));
	}

	async function dropAll() {
		const count = Object.keys(draft.value.entries).length;
		const isSure = await ask({ title: "Descartar a contagem?", body: `O que foi contado de ${products(count)} se perde.`, confirm: "Descartar", isDanger: true });
		if (!isSure) return;
		draft.write({ entries: {} });
		draw();
	}

	async function sendAll() {
		for (const [name, { input }] of rows) {
			const product = catalog.byName(name);
			if (product && !fill(product, input)) return input.focus();
		}
		const entries = Object.entries(draft.read().entries);
		if (entries.length === 0 || draft.value.sent) return;
		const odd = entries.filter(([name, { thousandths }]) => isOdd(catalog.byName(name), thousandths));
		if (odd.length > 0) {
			const isMeant = await ask({
				title: odd.length === 1 ? "Conferir este produto?" : `Conferir ${odd.length} produtos?`,
				body: [h("p", {}, "A contagem está muito longe do estoque. Se for isso mesmo, envie."),
					h("ul", { class: "ask-lines" }, odd.map(([name, { thousandths }]) => h("li", {}, h("bdi", {}, name), h("b", { class: "num" }, quantity(thousandths, catalog.byName(name)?.unit)))))],
				confirm: "Enviar assim mesmo",
				cancel: "Contar de novo",
			});
			if (!isMeant) return goTo(catalog.byName(odd[0][0]));
		}
		send.disabled = true;
		let part = [];
		let first = 0;
		try {
			await placeByTime(entries);
			for (; first < entries.length; first += COUNTS_MAX) {
				part = entries.slice(first, first + COUNTS_MAX);
				const counts = part.map(([name, { thousandths, sequence, unit }]) => ({ name, countedThousandths: String(thousandths), atSequence: String(sequence), unit }));
				const answer = await draft.send("CountStock", { counts }, `Contagem de ${products(part.length)}`, () => toast("A contagem espera a conexão. Ela será enviada uma vez só."));
				finish(answer.results ?? [], counts);
			}
			showOpen();
		} catch (error) {
			// A field shows no more than the draft has: what is booked is not counted again.
			if (page.isConnected) draw();
			else showOpen();
			if (first > 0) error.message = `${first} produtos já entraram. Dos outros: ${error.message}`;
			showError(error);
			// The product at which the server stopped.
			const wrong = catalog.byName(part[Number(error.metadata?.index ?? -1)]?.[0]);
			if (!wrong || !page.isConnected) return;
			goTo(wrong);
			setError(rows.get(wrong.name).input, error.message);
		}
	}

	const ends = [
		catalog.subscribe((names) => {
			if (names === null) return draw();
			for (const name of names) if (rows.has(name)) showAgainst(catalog.byName(name));
		}),
		live.onState(showProgress),
	];
	// Another tab has counted.
	const look = () => {
		draft.read();
		draw();
	};
	window.addEventListener("storage", look);
	draw();
	if (matchMedia("(pointer: fine)").matches) (list.querySelector(".count-row:not(.is-counted) input") ?? finder.input).focus({ preventScroll: true });
	return () => {
		// The text of a field that still has the focus.
		const focused = [...rows].find(([, { input }]) => input === document.activeElement);
		if (focused) fill(catalog.byName(focused[0]), focused[1].input);
		window.removeEventListener("storage", look);
		for (const end of ends) end();
	};
}

function setEntry(name, entry) {
	const entries = { ...draft.read().entries };
	if (entry) entries[name] = entry;
	else delete entries[name];
	draft.write({ entries });
}

/// Whether a count is so far from a large stock that a digit may have slipped.
function isOdd(product, thousandths) {
	if (!product || Math.max(product.stockThousandths, thousandths) < LARGE_STOCK) return false;
	return Math.abs(thousandths - product.stockThousandths) > product.stockThousandths / 2;
}

/// Finds by its time the last movement before each field that was filled in without an answer of the server. A
/// product that was counted by a clock which was set meanwhile leaves the draft.
async function placeByTime(entries) {
	const open = entries.filter(([, { sequence }]) => sequence === null || sequence === undefined);
	if (open.length === 0) return;
	await askIdentity();
	const lost = open.filter(([, { ahead = 0, within = 0 }]) => Math.abs(ahead - clock.ahead) > CLOCK_SET_MS + within + clock.within).map(([name]) => name);
	for (const name of lost) setEntry(name, null);
	if (lost.length > 0) throw Object.assign(new Error(`O relógio deste aparelho foi acertado durante a contagem. Nada foi enviado; conte de novo: ${lost.join(", ")}.`), { code: "clock" });
	for (const [name, entry] of open) {
		entry.sequence = 0;
		const endTime = new Date(entry.at).toISOString();
		let pageToken = "";
		do {
			const { movements = [], nextPageToken = "" } = await call("ListMovements", { endTime, pageSize: 1, pageToken });
			if (movements.length > 0) entry.sequence = Number(movements[0].sequence);
			pageToken = movements.length > 0 ? "" : nextPageToken;
		} while (pageToken);
		if (draft.read().entries[name]?.at === entry.at) setEntry(name, entry);
	}
}

/// Takes the counts that were booked out of the draft, and keeps them to be shown. What was counted again meanwhile stays.
function finish(results, counts) {
	const booked = results.map(({ product, movement }, at) => {
		const moved = movement && movementOf(movement);
		return {
			name: product.name, unit: product.unit, counted: counts[at].countedThousandths,
			delta: moved?.deltaThousandths ?? 0, money: String(moved ? amountOf(moved.priceCentavos, moved.deltaThousandths) : 0n), document: moved?.document ?? 0,
		};
	});
	const entries = { ...draft.read().entries };
	for (const { name, countedThousandths, atSequence } of counts) {
		const { thousandths, sequence } = entries[name] ?? {};
		if (String(thousandths) === countedThousandths && String(sequence) === atSequence) delete entries[name];
	}
	// Another tab may have taken the same answer.
	const shown = new Map([...(draft.value.results ?? []), ...booked].map((one) => [`${one.document} ${one.name}`, one]));
	draft.write({ entries, results: [...shown.values()] });
}

/// What the count found.
function openResults(page, show) {
	const { results } = draft.value;
	const differing = results.filter(({ delta }) => delta !== 0).sort((a, b) => Number(b.money) - Number(a.money));
	const found = (sign) => {
		const part = differing.filter(({ delta }) => delta * sign > 0);
		return [money(part.reduce((sum, { money }) => sum + BigInt(money), 0n) * BigInt(sign)), products(part.length), part.length > 0 ? (sign > 0 ? "is-good" : "is-bad") : ""];
	};
	const undo = button([icon("undo"), "Desfazer a contagem"], undoAll);
	page.append(
		head("Contagem registrada", differing.length > 0 && undo, button("Nova contagem", again, { class: "button primary" })),
		h("dl", { class: "stats" }, stat("Sobras", ...found(1)), stat("Faltas", ...found(-1)), stat("Conferem", String(results.length - differing.length), `de ${products(results.length)}`)),
		differing.length === 0
			? h("div", { class: "card empty" }, h("p", { class: "empty-title" }, "Tudo confere."), h("p", {}, "O estoque já era o que foi contado."))
			: table([
				["Produto", ({ name }) => h("bdi", {}, name), "name"],
				["Contado", ({ counted, unit }) => quantity(counted, unit), "end"],
				["Diferença", ({ delta, unit }) => [h("span", { class: `badge ${delta < 0 ? "bad" : "good"}` }, delta < 0 ? "falta" : "sobra"), signedQuantity(delta, unit)], "end"],
				["Em R$", ({ delta, money: value }) => money(delta < 0 ? -BigInt(value) : value), "end"],
			], differing),
		h("p", { class: "muted" }, "As diferenças estão a preço de venda. O relatório Contagens soma as de um período."));

	function again() {
		draft.write({ results: null });
		show();
	}

	async function undoAll() {
		if (!(await ask({ title: "Desfazer a contagem?", body: "O estoque volta ao que era antes dela.", confirm: "Desfazer", isDanger: true }))) return;
		undo.disabled = true;
		try {
			for (const document of new Set(differing.map(({ document }) => document))) await change("UndoMovement", { sequence: String(document) }, { title: "Desfazer a contagem" });
			toast("A contagem foi desfeita.");
			again();
		} catch (error) {
			undo.disabled = false;
			showError(error);
		}
	}
}

/// Counting with a token that may see no list: names are typed or scanned, and each count is booked when it is
/// made, because its moment cannot be known later.
function openBlindDesk(page) {
	const done = new Draft("hortifruti.contados", { lines: [] });
	const name = h("input", { autocapitalize: "off", spellcheck: "false", enterkeyhint: "next", placeholder: "Nome, código ou leitor" });
	const counted = h("input", { inputmode: "decimal", enterkeyhint: "done", placeholder: "Quantidade", onfocus: () => counted.select() });
	const list = h("ul", { class: "card count-done", hidden: true, "aria-label": "Contados" });
	const submit = h("button", { type: "submit", class: "button primary" }, "Registrar");
	name.addEventListener("keydown", (event) => {
		if (event.key !== "Enter") return;
		event.preventDefault();
		if (name.value.trim()) counted.focus();
	});
	const form = h("form", { class: "card card-body count-desk", onsubmit: book }, field("Produto", name), field("Contado", counted), submit);
	page.append(head(title),
		h("p", { class: "muted" }, `Este acesso (${whoAmI().role}) conta sem ver a lista nem o estoque. Digite ou leia cada produto; cada contagem vale na hora em que é registrada.`), form, list);
	name.focus();
	showDone();

	function showDone() {
		const { lines } = done.read();
		list.hidden = lines.length === 0;
		clear(list, lines.map((line) => h("li", {}, icon("check"), h("bdi", {}, line))));
	}

	async function book(event) {
		event.preventDefault();
		setError(name, "");
		setError(counted, "");
		if (!name.value.trim()) return name.focus();
		let thousandths;
		try {
			thousandths = parseQuantity(counted.value);
			if (thousandths < 0) throw new Error("A contagem não pode ser negativa.");
		} catch (error) {
			setError(counted, error.message);
			return counted.select();
		}
		// A count says no unit, or that of its product.
		const unit = unitOfWord(/\p{L}+/u.exec(counted.value)?.[0] ?? "")?.unit;
		submit.disabled = true;
		let isWaiting = false;
		// The next product is counted meanwhile; the panel reports how this one ends.
		const wait = () => {
			isWaiting = true;
			toast(`Sem resposta: a contagem de ${asked} está guardada. Não mexa nesse produto até que ela seja registrada.`, { kind: "warning" });
			submit.disabled = false;
		};
		const asked = name.value.trim();
		const text = counted.value;
		name.value = counted.value = "";
		name.focus();
		try {
			const { results = [] } = await change("CountStock", { counts: [{ name: asked, countedThousandths: String(thousandths), unit }] }, { title: `Contagem de ${asked}`, onLost: wait });
			const product = results[0]?.product;
			done.write({ lines: [`${product?.name ?? asked}: ${quantity(thousandths, product?.unit)}`, ...done.read().lines].slice(0, DONE_MAX) });
			showDone();
		} catch (error) {
			if (isWaiting) return;
			if (name.value || counted.value) return toast(`${asked} ${text}: ${error.message}`, { kind: "error" });
			name.value = asked;
			counted.value = text;
			setError(error.metadata?.field?.includes("counted") ? counted : name, error.message);
			name.select();
		} finally {
			submit.disabled = false;
		}
	}
}
