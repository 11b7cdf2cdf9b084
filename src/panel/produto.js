// One product in a drawer: its terms, its last movements and what its terms were. Also a new product.

import { call, change } from "./api.js";
import { catalog, movement } from "./catalog.js";
import { ask, openDialog, showError, toast } from "./dialog.js";
import { clear, h, newId } from "./dom.js";
import { dateTime, FIELD_WORDS, fieldText, kindWord, marginPercent, money, parseMoney, parseQuantity, percent, quantity, signedQuantity, UNIT_NAMES, unitCost } from "./format.js";
import { live } from "./live.js";
import { field as labelled } from "./parts.js";
import { may } from "./rights.js";

const MOVEMENTS_SHOWN = 8;
const CHANGES_SHOWN = 8;

/// A price that is so many times the old one looks like a slip, as on the terminal.
const ODD_TIMES_MIN = 10;

/// Asks back about a price with a digit too many or too few.
export async function isMeantPrice(name, old, price) {
	const isOdd = old > 0 && (price >= old * ODD_TIMES_MIN || old >= price * ODD_TIMES_MIN);
	return !isOdd || (await ask({ title: "É isso mesmo?", body: `${name} passa de ${money(old)} para ${money(price)}.`, confirm: "É isso mesmo", cancel: "Corrigir" }));
}

/// Opens a product, or a new one if `name` is `null`.
export function openProduct(name) {
	const product = name === null ? null : catalog.byName(name);
	if (name !== null && !product) return;
	const before = product ?? { name: "", priceCentavos: null, unit: "kg", code: 0, barcodes: [], category: "", minimumThousandths: 0, targetThousandths: 0, shelfLifeDays: 0 };
	const plain = (thousandths) => (thousandths ? quantity(thousandths) : "");

	const fields = {
		name: field("Nome", { value: before.name, maxlength: "64", required: true }, true),
		price: field("Preço", { value: before.priceCentavos === null ? "" : money(before.priceCentavos).replace("R$ ", ""), inputmode: "decimal", required: true, placeholder: "0,00" }),
		unit: field("Unidade", { value: before.unit, required: true }, false, UNIT_NAMES),
		opening: product ? null : field("Estoque inicial", { inputmode: "decimal", placeholder: "0" }),
		category: field("Categoria", { value: before.category }, false, catalog.categories()),
		code: field("Código da loja", { value: before.code || "", inputmode: "numeric", maxlength: "6", placeholder: "1 a 6 dígitos" }),
		minimum: field("Mínimo", { value: plain(before.minimumThousandths), inputmode: "decimal", placeholder: "avisa abaixo dele" }),
		target: field("Alvo", { value: plain(before.targetThousandths), inputmode: "decimal", placeholder: "até onde se compra" }),
		shelfLife: field("Validade em dias", { value: before.shelfLifeDays || "", inputmode: "numeric" }),
		barcodes: field("Códigos de barras", { value: before.barcodes.join(" "), inputmode: "numeric", placeholder: "com espaço entre eles" }, true),
	};
	const said = h("p", { class: "field-error", role: "alert", hidden: true });
	const facts = h("dl", { class: "facts" });
	const history = h("section", { class: "drawer-section" });
	const submit = h("button", { type: "submit", class: "button primary" }, product ? "Salvar" : "Criar produto");
	// Who may not change the terms reads them.
	if (!may("write")) for (const one of Object.values(fields)) one?.input.setAttribute("readonly", "");
	const retire = product && h("button", { class: `button ${product.discontinued ? "" : "danger"}`, onclick: setRetired }, product.discontinued ? "Voltar a vender" : "Retirar de venda");
	const form = h("form", { novalidate: true, onsubmit: save },
		h("div", { class: "drawer-section" }, h("div", { class: "fields" }, Object.values(fields).filter(Boolean).map(({ node }) => node)), said),
		may("write") && h("div", { class: "dialog-actions" }, retire, submit));
	const dialog = openDialog({ title: product ? product.name : "Novo produto", kind: "drawer" }, [product && facts, form, product && history]);
	if (!product) fields.name.input.focus();

	let isSaving = false;
	const endings = [catalog.subscribe((names) => (names === null || names.has(name)) && showFacts()), live.onMovement((next) => next.productName === name && loadHistory())];
	dialog.addEventListener("close", () => endings.forEach((end) => end()));
	if (product) {
		showFacts();
		loadHistory();
		loadCost();
	}

	function showFacts() {
		const now = catalog.byName(name);
		if (!now) return;
		const cost = unitCost(now.stockCostCentavos, now.stockThousandths);
		const margin = marginPercent(now.priceCentavos, cost);
		const fact = (label, value) => h("div", { class: "fact" }, h("dt", {}, label), h("dd", { class: "num" }, value));
		clear(facts, fact("Estoque", quantity(now.stockThousandths, now.unit)), fact(`Custo por ${now.unit}`, cost === null ? "—" : money(cost)), fact("Margem", percent(margin)));
	}

	async function loadCost() {
		try {
			const answer = await call("GetProduct", { name });
			catalog.update(answer.product);
		} catch {
			// The facts stay as the list shows them.
		}
	}

	async function loadHistory() {
		try {
			const [{ movements = [] }, { changes = [] }] = await Promise.all([
				call("ListMovements", { productName: name, pageSize: MOVEMENTS_SHOWN }),
				call("ListProductChanges", { name, pageSize: CHANGES_SHOWN }),
			]);
			clear(history,
				h("h3", {}, "Últimos movimentos"),
				movements.length === 0 && h("p", { class: "muted" }, "Nenhum ainda."),
				movements.length > 0 && h("table", {}, h("tbody", {}, movements.map(movement).map((move) => h("tr", {},
					h("td", { class: "num muted" }, dateTime(move.recordedAt)),
					h("td", {}, kindWord(move.kind), move.undoneBy > 0 && " (desfeita)", move.undoes > 0 && " (estorno)"),
					h("td", { class: "num end" }, signedQuantity(move.deltaThousandths, catalog.byName(name)?.unit)),
					h("td", { class: "num end" }, money(move.amountCentavos)))))),
				changes.length > 0 && h("h3", {}, "Mudanças do cadastro"),
				changes.length > 0 && h("ul", { class: "changes" }, changes.map((change) => h("li", {}, h("span", { class: "muted num" }, dateTime(change.recordedAt), " "), changeText(change)))));
		} catch (error) {
			clear(history, h("p", { class: "muted" }, error.message));
		}
	}

	async function save(event) {
		event.preventDefault();
		if (isSaving || !may("write")) return;
		for (const one of Object.values(fields)) one?.input.removeAttribute("aria-invalid");
		said.hidden = true;
		const terms = readTerms();
		if (!terms) return;
		isSaving = true;
		submit.disabled = true;
		try {
			if (product) await update(terms);
			else await create(terms);
		} catch (error) {
			fail(null, error.isLost ? "O servidor não respondeu." : error.message);
		} finally {
			isSaving = false;
			submit.disabled = false;
		}
	}

	function readTerms() {
		const unit = fields.unit.input.value.trim().toLowerCase();
		const limit = (one) => (one.input.value.trim() ? parseQuantity(one.input.value, unit) : 0);
		const digits = (one) => {
			const text = one.input.value.trim();
			if (!/^\d*$/.test(text)) throw new Error("Escreva só dígitos.");
			return Number(text);
		};
		const readers = {
			name: () => fields.name.input.value.trim() || raise("Dê um nome ao produto."),
			priceCentavos: () => parseMoney(fields.price.input.value),
			unit: () => unit || raise("Diga a unidade, como kg ou un."),
			category: () => fields.category.input.value.trim(),
			code: () => digits(fields.code),
			minimumThousandths: () => limit(fields.minimum),
			targetThousandths: () => limit(fields.target),
			shelfLifeDays: () => digits(fields.shelfLife),
			barcodes: () => fields.barcodes.input.value.split(/[\s,;]+/).filter(Boolean),
			openingStockThousandths: () => (product ? 0 : limit(fields.opening)),
		};
		const owners = { priceCentavos: "price", minimumThousandths: "minimum", targetThousandths: "target", shelfLifeDays: "shelfLife", openingStockThousandths: "opening" };
		const terms = {};
		for (const [key, read] of Object.entries(readers)) {
			try {
				terms[key] = read();
			} catch (error) {
				fail(fields[owners[key] ?? key], error.message);
				return null;
			}
		}
		return terms;
	}

	function fail(one, message) {
		said.textContent = message;
		said.hidden = false;
		one?.input.setAttribute("aria-invalid", "true");
		one?.input.focus();
		if (!one) said.scrollIntoView({ block: "nearest" });
	}

	async function update(terms) {
		const changed = Object.keys(terms).filter((key) => key !== "openingStockThousandths" && String(terms[key]) !== String(before[key]));
		if (changed.length === 0) return dialog.close();
		if (!(await isMeantPrice(before.name, before.priceCentavos, terms.priceCentavos))) return;
		const message = { name: before.name, product: onWire(terms, changed), updateMask: changed.join(",") };
		await change("UpdateProduct", message, { title: `Cadastro de ${before.name}`, onLost: closeWhenLost });
		toast(`${terms.name}: salvo.`);
		dialog.close();
	}

	async function create(terms) {
		// Sent later, it would change a product that somebody made meanwhile.
		if (live.state === "fora") return fail(null, "Sem conexão. Crie o produto quando ela voltar.");
		const taken = catalog.find(terms.name);
		if (taken) return fail(fields.name, `Já existe ${taken.name}${taken.discontinued ? ", que está retirado de venda" : ""}.`);
		const keys = Object.keys(terms).filter((key) => key === "name" || key === "priceCentavos" || key === "unit" || String(terms[key]) !== "" && terms[key] !== 0);
		await change("ImportProducts", { products: [onWire(terms, keys)], createOnly: true }, { title: `Novo produto: ${terms.name}`, onLost: closeWhenLost });
		toast(`${terms.name}: criado.`);
		dialog.close();
	}

	async function setRetired() {
		const isRetired = !product.discontinued;
		const isSure = !isRetired || (await ask({ title: `Retirar ${name} de venda?`, body: "Sai das listas e não se vende nem se compra. O histórico fica, e o produto pode voltar.", confirm: "Retirar de venda", isDanger: true }));
		if (!isSure) return;
		const set = async (discontinued) => {
			const answer = await change("UpdateProduct", { name, product: { discontinued }, updateMask: "discontinued" }, { title: `${discontinued ? "Retirar" : "Voltar a vender"} ${name}`, onLost: closeWhenLost });
			catalog.update(answer.product);
		};
		try {
			await set(isRetired);
			dialog.close();
			toast(isRetired ? `${name} foi retirado de venda.` : `${name} voltou a ser vendido.`, { undo: () => set(!isRetired) });
		} catch (error) {
			showError(error);
		}
	}

	function closeWhenLost() {
		toast("Sem resposta: a mudança está guardada e será terminada.", { kind: "warning" });
		dialog.close();
	}
}

/// Terms as their message: int64 are texts.
function onWire(terms, keys) {
	const isInt64 = (key) => /Centavos$|Thousandths$/.test(key);
	return Object.fromEntries(keys.map((key) => [key, isInt64(key) ? String(terms[key]) : terms[key]]));
}

function raise(message) {
	throw new Error(message);
}

function field(label, props, isWide = false, choices = null) {
	const list = choices && newId("opcoes");
	const input = h("input", { list, ...props });
	return { input, node: [labelled(label, input, { isWide }), choices && h("datalist", { id: list }, choices.map((value) => h("option", { value })))] };
}

function changeText({ field, oldValue = "", newValue = "", author = "" }) {
	return [`${FIELD_WORDS[field] ?? field}: ${fieldText(field, oldValue)} → ${fieldText(field, newValue)}`, author && h("span", { class: "muted" }, ` por ${author}`)];
}
