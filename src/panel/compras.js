// Purchases: what came, in boxes or by weight, for how much, from whom. Shows the cost of a unit beside the last
// one and the margin that it leaves, and what there is to buy.

import { call, change, postFile } from "./api.js";
import { catalog, movement as movementOf } from "./catalog.js";
import { ask, showError, toast } from "./dialog.js";
import { Draft, sentNotice } from "./draft.js";
import { clear, h, icon, newId } from "./dom.js";
import { dateTime, dayText, marginPercent, money, parseMoney, parseQuantity, quantity, today, unitCost, unitOfWord, zone } from "./format.js";
import { live } from "./live.js";
import { button, field, head, picker, products, setError, stat, table } from "./parts.js";

export const title = "Compras";

/// Lines of one purchase, as the server takes them.
const LINES_MAX = 1000;
/// The years in which a supplier counts as known.
const SUPPLIER_YEARS = 2;
/// Days ahead for which what expires is shown.
const EXPIRING_DAYS = 3;
/// Rows of the lists at the side.
const SIDE_MAX = 30;
/// The wait after a movement before the lists at the side are asked for again, in milliseconds.
const REFRESH_MS = 2_000;
/// Pages of movements in which the last purchase of a product is looked for.
const PAGES_MAX = 5;

/// `missing` has the lines of an invoice that a person must complete, and `id` is the request id of that invoice.
const draft = new Draft("hortifruti.compra", { supplier: "", lines: [], missing: [], id: "", prices: [], sent: null });

/// Shows the draft on the page that is open: what was sent may outlive the page that sent it.
let showDraft = () => {};

export function open(root) {
	let product = null;
	let last = null;
	let timer = null;
	/// The line of an invoice that is being completed.
	let from = null;

	// The document.
	const supplier = h("input", { maxlength: "100", list: newId("suppliers"), value: draft.value.supplier, oninput: () => draft.write({ supplier: supplier.value.trim() }) });
	const known = h("datalist", { id: supplier.getAttribute("list") });
	const notice = h("div", {});
	const list = h("div", { hidden: true });
	const total = h("output", { class: "buy-total" });
	const discard = button("Descartar", dropAll, { class: "button quiet" });
	const book = button(["Registrar compra", h("kbd", {}, "Ctrl+Enter")], bookAll, { class: "button primary" });

	// One line.
	const finder = picker({
		label: "Produto comprado",
		placeholder: "Produto, código ou leitor",
		onPick: choose,
		onMiss: (text) => toast(`Nenhum produto se chama “${text}” nem tem esse código. Cadastre-o em Estoque.`, { kind: "warning" }),
	});
	const bought = h("input", { enterkeyhint: "next", placeholder: "440kg ou 20cx=440kg" });
	const paid = h("input", { inputmode: "decimal", enterkeyhint: "done", placeholder: "2800,00" });
	const lot = h("input", { maxlength: "100" });
	const expires = h("input", { type: "date" });
	const price = h("input", { inputmode: "decimal" });
	const facts = h("dl", { class: "stats", "aria-live": "polite" });
	const name = h("h2", { class: "buy-name" });
	const form = h("form", { class: "card card-body buy-line", hidden: true, novalidate: true, onsubmit: addLine, oninput: showFacts },
		h("div", { class: "buy-head" }, name, button(icon("close"), leave, { class: "icon-button", "aria-label": "Deixar este produto" })),
		h("div", { class: "fields" },
			field("Quantidade", bought), field("Total pago (R$)", paid), field("Lote", lot), field("Validade", expires), field("Novo preço (R$)", price)),
		facts,
		h("div", { class: "toolbar" }, h("button", { type: "submit", class: "button primary" }, icon("plus"), "Pôr na compra")));
	bought.addEventListener("keydown", (event) => {
		if (event.key !== "Enter") return;
		event.preventDefault();
		paid.focus();
	});
	form.addEventListener("keydown", (event) => event.key === "Escape" && leave());

	const low = h("section", { class: "card", "aria-labelledby": newId("low") });
	const soon = h("section", { class: "card", "aria-labelledby": newId("soon") });
	const file = h("input", { type: "file", class: "visually-hidden", accept: ".xml", onchange: chooseInvoice });
	root.append(h("div", { class: "page buying", onkeydown: bookByKey, ondragover: (event) => event.preventDefault(), ondrop: (event) => readInvoice(event.dataTransfer.files) },
		head(title, h("label", { class: "button" }, file, icon("import"), "Nota (XML)")),
		notice,
		h("div", { class: "buy-doc" }, h("div", {}, h("label", { class: "field", for: finder.input.id }, "Produto"), finder.node), h("div", { class: "buy-supplier" }, field("Fornecedor", supplier), known)),
		form,
		list,
		h("div", { class: "page-foot", hidden: true }, total, discard, book),
		h("div", { class: "side-by-side" }, low, soon)));
	const foot = book.parentElement;

	async function choose(next) {
		if (next.discontinued) return toast(`${next.name} está aposentado e não recebe compras. Reative-o em Estoque.`, { kind: "warning" });
		product = next;
		last = null;
		for (const input of [bought, paid, lot, expires, price]) {
			input.value = "";
			setError(input, "");
		}
		if (from) {
			bought.value = from.bought;
			paid.value = (from.totalCentavos / 100).toFixed(2).replace(".", ",");
			lot.value = from.lot;
			expires.value = from.expiresOn;
		}
		clear(name, h("bdi", {}, next.name));
		form.hidden = false;
		showFacts();
		bought.focus();
		try {
			const found = await lastPurchase(next.name);
			if (product !== next) return;
			last = found;
			if (!supplier.value && last?.purchase?.supplier) supplier.placeholder = last.purchase.supplier;
			showFacts();
		} catch {
			// Without the last purchase the mean cost still says what is usual.
		}
	}

	function leave() {
		product = from = null;
		form.hidden = true;
		finder.input.focus();
	}

	/// What the line says so far; what is not there yet, or wrong, is `null`.
	function read() {
		const of = (parse) => {
			try {
				return parse();
			} catch {
				return null;
			}
		};
		const measure = of(() => parseBought(bought.value, product.unit, last?.note));
		const totalCentavos = of(() => parseMoney(paid.value));
		const cost = measure && totalCentavos !== null ? unitCost(totalCentavos, measure.thousandths) : null;
		return { measure, totalCentavos, cost, price: price.value.trim() ? of(() => parseMoney(price.value)) : product.priceCentavos };
	}

	function showFacts() {
		if (!product) return;
		const { measure, cost, price: selling } = read();
		const unit = product.unit;
		const mean = unitCost(product.stockCostCentavos, product.stockThousandths);
		const before = last ? unitCost(last.amountCentavos, last.deltaThousandths) : mean;
		const change = cost !== null && before ? Math.round(((cost - before) * 100) / before) : null;
		const from = last?.purchase?.supplier;
		const margin = marginPercent(selling, cost ?? before);
		const kept = marginPercent(product.priceCentavos, before);
		// The price that leaves the margin as it was.
		const same = cost !== null && before && kept !== null && kept < 100 && kept > 0 ? Math.round((cost * product.priceCentavos) / before) : null;
		clear(facts,
			stat("Estoque", quantity(product.stockThousandths, unit), mean === null ? "sem custo conhecido" : `custo médio ${money(mean)}`),
			stat("Última compra", before !== null && last ? money(before) : "—", last ? `por ${unit}, ${dateTime(last.recordedAt)}${from ? `, ${from}` : ""}` : "nenhuma conhecida"),
			stat(`Custo por ${unit}`, cost === null ? "—" : money(cost), measure?.note && `${quantity(measure.thousandths, unit)} em ${measure.note.split("=")[0]}`, change !== null && Math.abs(change) > 50 ? "is-bad" : ""),
			change !== null && stat("Diferença", change === 0 ? "igual" : `${change > 0 ? "+" : "\u2212"}${Math.abs(change)} %`, last ? "da última compra" : "do custo médio", change > 50 ? "is-bad" : change < 0 ? "is-good" : ""),
			margin !== null && stat("Margem", `${String(margin).replace("-", "\u2212")} %`, [`a ${money(selling)} por ${unit}`, same !== null && same !== product.priceCentavos && `; ${money(same)} mantém ${kept} %`], margin < 0 ? "is-bad" : ""));
		price.placeholder = money(product.priceCentavos).slice(3);
	}

	async function addLine(event) {
		event.preventDefault();
		if (!product) return;
		// What is sent is booked as it is.
		if (draft.read().sent) return toast("A compra espera resposta. Depois dela esta linha entra na próxima.", { kind: "warning" });
		const parse = (input, run) => {
			setError(input, "");
			try {
				return run();
			} catch (error) {
				setError(input, error.message);
				input.focus();
				return null;
			}
		};
		const measure = parse(bought, () => parseBought(bought.value, product.unit, last?.note));
		if (measure === null) return;
		const totalCentavos = parse(paid, () => parseMoney(paid.value));
		if (totalCentavos === null) return;
		const newPrice = price.value.trim() ? parse(price, () => parseMoney(price.value)) : undefined;
		if (newPrice === null) return;
		const doubts = doubtsOf(measure, totalCentavos, newPrice);
		if (doubts.length > 0) {
			const isMeant = await ask({ title: "Confira esta linha", body: doubts.map((text) => h("p", {}, text)), confirm: "Está certo", cancel: "Corrigir" });
			if (!isMeant) return paid.focus();
		}
		const line = { name: product.name, unit: product.unit, thousandths: measure.thousandths, note: measure.note, totalCentavos, lot: lot.value.trim(), expiresOn: expires.value, price: newPrice === product.priceCentavos ? null : (newPrice ?? null) };
		if (from) {
			// What one of the supplier's units holds is known the next time.
			const pack = (measure.thousandths * 10_000) / from.soldTenThousandths;
			line.purchase = { ...from.purchase, packThousandths: String(Number.isInteger(pack) ? pack : 0) };
		}
		const lines = [...draft.read().lines, line];
		if (lines.length > LINES_MAX) return toast(`Uma compra tem no máximo ${LINES_MAX} linhas. Registre esta e comece outra.`, { kind: "warning" });
		draft.write({ lines, missing: draft.value.missing.filter(({ what }) => what !== from?.what) });
		showLines();
		leave();
	}

	function chooseInvoice() {
		readInvoice([...file.files]);
		// The same file may be chosen again.
		file.value = "";
	}

	/// Whether there is room for an invoice, which is a purchase of its own.
	function isEmpty() {
		const { lines, missing } = draft.read();
		if (lines.length + missing.length === 0) return true;
		toast("Registre ou descarte antes a compra que está aberta.", { kind: "warning" });
	}

	/// An invoice fills the purchase, as far as the server knows its products.
	async function readInvoice([file, other]) {
		if (!file || !isEmpty()) return;
		if (other) toast("Uma nota por vez: foi lida a primeira.", { kind: "warning" });
		try {
			const { title, booked, isUndone, requestId, warnings, ...rest } = await postFile("/invoice", file, "application/octet-stream");
			if (booked) return toast(`${title}: já registrada, #${booked}.`, { kind: "warning" });
			if ((isUndone || warnings.length > 0) && !(await ask({ title, body: [isUndone && "Já foi registrada uma vez, e desfeita.", ...warnings].filter(Boolean).map((text) => h("p", {}, text)), confirm: "Continuar" }))) return;
			// Another one may have come meanwhile.
			if (!isEmpty()) return;
			draft.write({ ...rest, id: requestId });
			showDraft();
		} catch (error) {
			showError(error);
		}
	}

	/// Takes a line of the invoice: its product is chosen, or known already.
	function complete(line) {
		from = line;
		const found = line.name && catalog.byName(line.name);
		if (found) choose(found);
		else finder.input.focus();
	}

	function leaveOut(line) {
		keep({ missing: draft.read().missing.filter(({ what }) => what !== line.what) });
		finder.input.focus();
	}

	/// Writes what is left, which is no invoice any more if nothing is.
	function keep(fields) {
		draft.write(fields);
		if (draft.value.lines.length + draft.value.missing.length === 0) draft.write({ id: "" });
		showLines();
	}

	/// What looks like a slip, in words.
	function doubtsOf(measure, totalCentavos, newPrice) {
		const doubts = [];
		const cost = unitCost(totalCentavos, measure.thousandths);
		const mean = unitCost(product.stockCostCentavos, product.stockThousandths);
		const before = last ? unitCost(last.amountCentavos, last.deltaThousandths) : mean;
		const per = `${money(cost)} por ${product.unit}`;
		if (before && Math.abs(cost - before) * 2 > before) doubts.push(`${per}: ${last ? "a última compra custou" : "o custo médio é"} ${money(before)}.`);
		else if (!before && product.priceCentavos > 0 && cost >= 10 * product.priceCentavos) doubts.push(`${per}: vende-se por ${money(product.priceCentavos)}.`);
		const selling = newPrice ?? product.priceCentavos;
		if (newPrice !== undefined && product.priceCentavos > 0 && (newPrice >= 10 * product.priceCentavos || product.priceCentavos >= 10 * newPrice)) doubts.push(`O preço passa de ${money(product.priceCentavos)} para ${money(newPrice)}.`);
		if (cost > selling && cost < 10 * selling) doubts.push(`O custo de ${money(cost)} é maior que o preço de venda, ${money(selling)}.`);
		if (expires.value && expires.value < today()) doubts.push(`A validade, ${dayText(expires.value)}, já passou.`);
		return doubts;
	}

	function showLines() {
		const { lines, missing, sent } = draft.value;
		list.hidden = foot.hidden = lines.length + missing.length === 0;
		clear(list, missing.length > 0 && h("ul", { class: "card card-body problem-rows", "aria-label": "Falta dizer" }, missing.map((line) => h("li", {}, h("b", {}, line.what), ` ${line.problem} `, button("Completar", () => complete(line), { class: "button small" }), button("Deixar fora", () => leaveOut(line), { class: "button small quiet" })))), lines.length > 0 && table([
			["Produto", (line) => [h("bdi", {}, line.name), line.price !== null && h("small", {}, ` novo preço ${money(line.price)}`)], "name"],
			["Quantidade", (line) => [quantity(line.thousandths, line.unit), line.note && h("small", {}, ` ${line.note}`)], "end"],
			["Custo", (line) => `${money(unitCost(line.totalCentavos, line.thousandths))}/${line.unit}`, "end"],
			["Lote e validade", (line) => [line.lot, line.expiresOn && `até ${dayText(line.expiresOn)}`].filter(Boolean).join(" · ")],
			["Total", (line) => h("b", {}, money(line.totalCentavos)), "end"],
			["Ação", (line, at) => button(icon("close"), () => drop(at), { class: "icon-button", "aria-label": `Tirar ${line.name}`, disabled: Boolean(sent) }), "act"],
		], lines));
		const sum = lines.reduce((sum, line) => sum + BigInt(line.totalCentavos), 0n);
		clear(total, products(lines.length), h("b", {}, money(sum)));
		discard.disabled = Boolean(sent);
		book.disabled = Boolean(sent) || missing.length > 0 || lines.length === 0;
	}

	function drop(at) {
		const lines = [...draft.read().lines];
		lines.splice(at, 1);
		keep({ lines });
		(list.querySelector("button") ?? finder.input).focus();
	}

	async function dropAll() {
		if (!(await ask({ title: "Descartar a compra?", body: "As linhas que ainda não foram registradas se perdem.", confirm: "Descartar", isDanger: true }))) return;
		keep({ lines: [], missing: [] });
		finder.input.focus();
	}

	/// Ctrl+Enter takes the line that is open, and books the purchase if none is.
	function bookByKey(event) {
		if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
		event.preventDefault();
		event.stopPropagation();
		if (product) form.requestSubmit();
		else bookAll();
	}

	async function bookAll() {
		const { lines, missing, sent, id } = draft.read();
		if (lines.length === 0 || missing.length > 0 || sent) return;
		const adjustments = lines.map((line) => ({
			name: line.name, deltaThousandths: String(line.thousandths), kind: "MOVEMENT_KIND_PURCHASE", amountCentavos: String(line.totalCentavos), note: line.note ?? "",
			purchase: { ...line.purchase, supplier: supplier.value.trim(), lot: line.lot, expiresOn: line.expiresOn },
		}));
		const other = lines.find((line) => line.unit !== (catalog.byName(line.name)?.unit ?? line.unit));
		if (other) return toast(`${other.name} não se conta mais em ${other.unit}. Tire a linha e ponha-a de novo.`, { kind: "warning" });
		try {
			const sum = lines.reduce((sum, line) => sum + BigInt(line.totalCentavos), 0n);
			const sending = draft.send("BatchAdjustStock", { adjustments }, `Compra de ${money(sum)}`, () => toast("A compra espera a conexão. Ela será registrada uma vez só."), id || undefined);
			showLines();
			await booked(await sending);
		} catch (error) {
			showDraft();
			if (error.code === "canceled") return;
			const wrong = lines[Number(error.metadata?.index ?? -1)];
			if (wrong) error.message = `${wrong.name}: ${error.message}`;
			showError(error);
		}
	}

	/// The purchase is in the books: its new prices follow, each as a change of its own.
	async function booked(answer) {
		const { lines } = draft.read();
		const results = answer.results ?? [];
		const sequence = results[0]?.movement?.document ?? results[0]?.movement?.sequence;
		draft.write({ lines: [], id: "", supplier: "", prices: lines.filter(({ price }) => price !== null).map(({ name, price }) => ({ name, price })) });
		showDraft();
		toast(`Compra de ${products(results.length)} registrada · #${sequence}`, { undo: sequence && (async () => {
			await change("UndoMovement", { sequence: String(sequence) }, { title: `Desfazer a compra #${sequence}` });
			toast(`A compra #${sequence} foi desfeita.`);
		}) });
		finder.input.focus();
		refresh();
		await setPrices();
	}

	async function setPrices() {
		while (draft.read().prices.length > 0) {
			const [{ name, price }, ...rest] = draft.value.prices;
			try {
				const { product: changed } = await change("UpdateProduct", { name, product: { priceCentavos: String(price) }, updateMask: "priceCentavos" }, { title: `Preço de ${name}: ${money(price)}` });
				if (changed) catalog.update(changed);
			} catch (error) {
				error.message = `O preço de ${name} não mudou: ${error.message}`;
				showError(error);
			}
			draft.write({ prices: rest });
		}
	}

	/// What runs out and what expires soon, each with a way to buy it.
	async function refresh() {
		clearTimeout(timer);
		timer = null;
		try {
			const [{ products = [] }, { stocks = [] }] = await Promise.all([call("ListLowStock", {}), call("ListExpiringStock", { days: EXPIRING_DAYS, timeZone: zone() })]);
			showLow(products);
			showSoon(stocks);
		} catch (error) {
			for (const [section, heading] of [[low, "Acabando"], [soon, "Vence em breve"]]) sideList(section, heading, error.isLost ? "Sem conexão." : error.message, []);
		}
	}

	function sideList(section, heading, nothing, items) {
		const shown = items.slice(0, SIDE_MAX);
		clear(section, h("h2", { class: "side-head", id: section.getAttribute("aria-labelledby") }, heading, items.length > 0 && h("span", { class: "badge" }, String(items.length))),
			items.length === 0 ? h("p", { class: "side-none" }, nothing) : h("ul", { class: "side-list" }, shown),
			items.length > SIDE_MAX && h("p", { class: "side-none" }, `E mais ${items.length - SIDE_MAX}; veja todos em Relatórios.`));
	}

	function showLow(rows) {
		sideList(low, "Acabando", "Nada abaixo do mínimo.", rows.map((row) => {
			const toBuy = Number(row.toBuyThousandths ?? 0);
			const box = Number(row.boxThousandths ?? 0);
			const inBoxes = box > 0 && toBuy % box === 0 ? `${toBuy / box}cx=${quantity(toBuy)}${row.unit}` : toBuy > 0 ? `${quantity(toBuy)}${row.unit}` : "";
			const left = Number(row.stockThousandths ?? 0);
			return h("li", {}, h("span", { class: "side-name" }, h("b", {}, h("bdi", {}, row.productName)),
				h("small", { class: left === 0 ? "bad-text" : "muted" }, left === 0 ? "acabou" : `restam ${quantity(left, row.unit)}`, toBuy > 0 && ` · falta ${quantity(toBuy, row.unit)}`)),
				button("Comprar", () => buy(row.productName, inBoxes), { class: "button small", "aria-label": `Comprar ${row.productName}` }));
		}));
	}

	function buy(name, text) {
		const found = catalog.byName(name);
		if (!found) return;
		// What an invoice says is of another product.
		from = null;
		choose(found);
		bought.value = text;
		showFacts();
		form.scrollIntoView({ block: "nearest" });
		bought.select();
	}

	function showSoon(stocks) {
		sideList(soon, "Vence em breve", `Nada vence em ${EXPIRING_DAYS} dias.`, stocks.map((stock) => {
			const days = stock.daysLeft ?? 0;
			const when = days < 0 ? `venceu ${dayText(stock.expiresOn)}` : days === 0 ? "vence hoje" : days === 1 ? "vence amanhã" : `vence em ${days} dias`;
			return h("li", {}, h("span", { class: "side-name" }, h("b", {}, h("bdi", {}, stock.productName)), h("small", { class: days <= 0 ? "bad-text" : "muted" }, when, stock.purchase?.supplier && ` · ${stock.purchase.supplier}`, stock.purchase?.lot && ` · lote ${stock.purchase.lot}`)),
				h("span", { class: "side-end" }, h("b", {}, quantity(stock.leftThousandths, stock.unit)), h("small", { class: "muted" }, money(stock.amountCentavos))));
		}));
	}

	async function fetchSuppliers() {
		const since = new Date();
		since.setFullYear(since.getFullYear() - SUPPLIER_YEARS);
		try {
			const { summaries = [] } = await call("SummarizeMovements", { startTime: since.toISOString(), groupBy: "SUMMARY_GROUP_SUPPLIER", kind: "MOVEMENT_KIND_PURCHASE" });
			const suppliers = summaries.filter(({ group }) => group).sort((a, b) => Number(b.movementCount ?? 0) - Number(a.movementCount ?? 0));
			clear(known, suppliers.map(({ group }) => h("option", { value: group })));
		} catch {
			// The field takes any name.
		}
	}

	const later = () => (timer ??= setTimeout(refresh, REFRESH_MS));
	const ends = [live.onMovement(later), live.onReload(later), catalog.subscribe((names) => {
		if (!product) return;
		const fresh = catalog.byName(product.name);
		if (fresh && (names === null || names.has(product.name))) {
			product = fresh;
			showFacts();
		}
	})];
	if (draft.read().sent && draft.isLeft) clear(notice, sentNotice(draft, "Uma compra foi enviada, e a página fechou antes da resposta.", async (answer) => {
		clear(notice);
		await booked(answer);
	}, () => {
		clear(notice);
		showLines();
	}));
	showDraft = () => {
		supplier.value = draft.value.supplier;
		showLines();
	};
	showDraft();
	refresh();
	fetchSuppliers();
	if (!draft.isLeft) setPrices();
	if (matchMedia("(pointer: fine)").matches) finder.input.focus();
	return () => {
		clearTimeout(timer);
		timer = -1;
		for (const end of ends) end();
	};
}

/// The last purchase of a product that was not undone, or `null`.
async function lastPurchase(productName) {
	let pageToken = "";
	for (let page = 0; page < PAGES_MAX; page += 1) {
		const { movements = [], nextPageToken = "" } = await call("ListMovements", { productName, kind: "MOVEMENT_KIND_PURCHASE", pageSize: 10, pageToken });
		const found = movements.map(movementOf).find(({ undoes, undoneBy }) => !undoes && !undoneBy);
		if (found) return found;
		if (!nextPageToken) return null;
		pageToken = nextPageToken;
	}
	return null;
}

/// Reads what was bought: `440kg`, `20cx=440kg`, or `5cx` of boxes as they were before. Returns the thousandths of
/// the unit, and the note that says the boxes.
export function parseBought(text, unit, noteBefore = "") {
	const typed = text.replace(/\s+/g, "");
	const [boxes, held] = typed.split("=");
	if (held !== undefined) {
		if (!boxCount(boxes)) throw new Error(`“${typed}” não diz quantas caixas são. Escreva como 20cx=440kg.`);
		return { thousandths: positive(parseQuantity(held, unit)), note: typed };
	}
	const count = boxCount(boxes);
	const [boxesBefore, heldBefore] = (noteBefore ?? "").split(/[ ;]/)[0].split("=");
	const before = heldBefore && boxCount(boxesBefore);
	if (count && before && count.unit === before.unit && unitOfWord(unit)?.unit !== count.unit) {
		const total = BigInt(parseQuantity(heldBefore, unit)) * BigInt(count.number);
		if (total % BigInt(before.number) === 0n) {
			const thousandths = Number(total / BigInt(before.number));
			return { thousandths, note: `${typed}=${quantity(thousandths)}${unit}` };
		}
	}
	return { thousandths: positive(parseQuantity(typed, unit)), note: null };
}

/// A whole number of boxes, such as `20cx`, or `null`.
function boxCount(text) {
	const match = /^(\d{1,6})(\p{L}+)$/u.exec(text ?? "");
	const unit = match && unitOfWord(match[2]);
	return unit && unit.parts === 1 && Number(match[1]) > 0 ? { number: Number(match[1]), unit: unit.unit } : null;
}

function positive(thousandths) {
	if (thousandths <= 0) throw new Error("A quantidade comprada é maior que zero.");
	return thousandths;
}
