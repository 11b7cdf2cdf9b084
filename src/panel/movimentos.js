// Movimentos: the ledger, newest first and live, with undo.

import { call, change } from "./api.js";
import { catalog, movement } from "./catalog.js";
import { ask, showError, toast } from "./dialog.js";
import { arrange, clear, emptyNote, h, icon } from "./dom.js";
import { kindWord, money, quantity, reasonWord, signedQuantity, timeText } from "./format.js";
import { live } from "./live.js";
import { may, whoAmI } from "./rights.js";

export const title = "Movimentos";

const PAGE_MOVEMENTS = 100;
/// Rows that are kept; a day of a busy shop has fewer.
const ROWS_MAX = 3000;
const SUGGESTIONS_MAX = 20;
/// The pause before the product that is being typed is looked up, in milliseconds.
const TYPING_MS = 200;

const KINDS = [
	["", "Todos"],
	["MOVEMENT_KIND_SALE", "Vendas"],
	["MOVEMENT_KIND_PURCHASE", "Compras"],
	["MOVEMENT_KIND_WASTE", "Perdas"],
	["MOVEMENT_KIND_COUNT", "Contagens"],
	["MOVEMENT_KIND_ADJUSTMENT", "Ajustes"],
];
const BADGES = { MOVEMENT_KIND_SALE: "good", MOVEMENT_KIND_WASTE: "bad", MOVEMENT_KIND_COUNT: "warn" };

const chosen = { kind: "", text: "" };

export function open(root) {
	let moves = [];
	let pageToken = "";
	let isLoading = false;
	let early = [];
	let turn = 0;
	let asked = filter();
	let typing = null;
	let drawing = null;
	const nodes = new Map();

	const chips = h("div", { class: "chips", role: "group", "aria-label": "Tipo" });
	const suggestions = h("datalist", { id: "mov-produtos" });
	const product = h("input", { type: "search", list: "mov-produtos", spellcheck: "false", placeholder: "De um produto", "aria-label": "Só de um produto", value: chosen.text, oninput: onTyping });
	const list = h("div", { role: "list", "aria-label": "Movimentos, do mais novo para o mais velho" });
	const card = h("div", { class: "moves card" }, list);
	const nothing = h("div", { class: "card", hidden: true });
	const more = h("button", { class: "button", onclick: () => load(false) }, "Carregar mais antigos");
	const end = h("div", { class: "empty" }, more);
	root.append(h("div", { class: "page" },
		h("div", { class: "page-head" }, h("h1", {}, "Movimentos")),
		h("div", { class: "toolbar" }, h("div", { class: "search" }, icon("search"), product, suggestions), chips),
		card, nothing, end));

	const sight = new IntersectionObserver(([entry]) => entry.isIntersecting && moves.length > 0 && load(false), { rootMargin: "600px" });
	sight.observe(end);
	const endings = [live.onMovement(take), catalog.subscribe((names) => names === null && draw())];
	showChips();
	load(true);
	return () => {
		clearTimeout(typing);
		clearTimeout(drawing);
		sight.disconnect();
		for (const stop of endings) stop();
	};

	/// The name is `null` if the text means no product, or several.
	function filter() {
		const text = chosen.text.trim();
		const [only, ...others] = text ? catalog.search(text, { all: true }) : [];
		const found = catalog.find(text) ?? (others.length === 0 ? only : null);
		return { productName: text && (found?.name ?? null), kind: chosen.kind || undefined };
	}

	function fits(move) {
		const { productName, kind } = filter();
		return (productName === "" || move.productName === productName) && (!kind || move.kind === kind);
	}

	async function load(isNew) {
		if (isNew) {
			turn += 1;
			pageToken = "";
			nodes.clear();
			early = [];
		} else if (isLoading || !pageToken) return;
		isLoading = true;
		const mine = turn;
		more.disabled = true;
		try {
			asked = filter();
			const page = asked.productName === null ? {} : await call("ListMovements", { ...asked, pageSize: PAGE_MOVEMENTS, pageToken });
			if (mine !== turn) return;
			// Until then the rows that are seen are those that their buttons mean.
			if (isNew) moves = [];
			moves.push(...(page.movements ?? []).map(movement));
			pageToken = page.nextPageToken ?? "";
			if (isNew) {
				const [top, waiting] = [moves[0]?.sequence ?? 0, early];
				early = null;
				for (const move of waiting) if (move.sequence > top) add(move);
			}
			isLoading = false;
			draw();
			// A page of a filter may be empty and yet have a next one.
			if ((page.movements ?? []).length === 0 && pageToken) load(false);
		} catch (error) {
			if (mine !== turn) return;
			isLoading = false;
			if (isNew) moves = [];
			draw();
			if (!error.isLost) showError(error);
		} finally {
			more.disabled = false;
		}
	}

	function take(move) {
		const undone = move.undoes && moves.find(({ sequence }) => sequence === move.undoes);
		if (undone) {
			undone.undoneBy = move.sequence;
			drawSoon();
		}
		if (!fits(move)) return;
		if (early) early.push(move);
		else add(move);
	}

	function add(move) {
		if (moves[0] && move.sequence <= moves[0].sequence) return;
		move.isLive = true;
		moves.unshift(move);
		if (moves.length > ROWS_MAX) {
			moves.length = ROWS_MAX;
			pageToken = "";
		}
		drawSoon();
	}

	function drawSoon() {
		drawing ??= setTimeout(draw, 30);
	}

	function draw() {
		clearTimeout(drawing);
		drawing = null;
		const shown = [];
		let day = "";
		moves.forEach((move, at) => {
			const next = dayOf(move.recordedAt);
			if (next !== day) {
				day = next;
				shown.push(kept(`day ${day}`, "", () => h("div", { role: "listitem" }, h("h2", { class: "day-head" }, dayWords(move.recordedAt)))));
			}
			// One button undoes a document, and stands at its newest movement.
			const isFirst = documentOf(moves[at - 1]) !== documentOf(move);
			shown.push(kept(move.sequence, `${isFirst} ${move.undoneBy} ${catalog.byName(move.productName)?.unit}`, () => row(move, isFirst)));
		});
		arrange(list, shown);
		card.hidden = moves.length === 0;
		nothing.hidden = moves.length > 0 || isLoading;
		if (!nothing.hidden) clear(nothing, emptyNote("Nenhum movimento", chosen.kind || chosen.text ? "Nenhum movimento é assim. Tire o filtro para ver todos." : "A primeira venda ou compra aparece aqui."));
		end.hidden = !pageToken;
	}

	function kept(key, stamp, make) {
		const old = nodes.get(key);
		if (old?.stamp === stamp) return old.node;
		const node = make();
		nodes.set(key, { stamp, node });
		return node;
	}

	function row(move, isFirst) {
		const unit = catalog.byName(move.productName)?.unit ?? "";
		const isUndone = move.undoneBy > 0;
		const about = [
			`#${move.sequence}`,
			reasonWord(move.lossReason),
			move.undoes > 0 ? `desfaz #${move.undoes}` : "",
			isUndone ? `desfeita por #${move.undoneBy}` : "",
			move.purchase?.supplier ?? "",
			move.purchase?.lot ? `lote ${move.purchase.lot}` : "",
			move.purchase?.invoice ? `NF-e ${move.purchase.invoice}` : "",
			move.note,
			move.author ? `por ${move.author}` : "",
		].filter(Boolean).join(" · ");
		const isLive = move.isLive;
		move.isLive = false;
		return h("div", { class: `move${isUndone ? " is-undone" : ""}${isLive ? " is-live" : ""}${isFirst ? "" : " is-same"}`, role: "listitem", data: { sequence: String(move.sequence) } },
			h("span", { class: "move-time num muted" }, timeText(new Date(move.recordedAt))),
			h("span", { class: "move-kind" }, h("span", { class: `badge ${isUndone || move.undoes > 0 ? "" : (BADGES[move.kind] ?? "")}` }, move.undoes > 0 ? "estorno" : kindWord(move.kind))),
			h("div", { class: "move-name" }, h("b", {}, move.productName), h("small", {}, about)),
			h("div", { class: "move-delta num" }, signedQuantity(move.deltaThousandths, unit), h("small", {}, `saldo ${quantity(move.balanceThousandths, unit)}`)),
			h("div", { class: "move-money num" }, money(move.amountCentavos), move.costCentavos !== null && h("small", {}, `custo ${money(Math.abs(move.costCentavos))}`)),
			h("div", { class: "move-act" }, isFirst && !isUndone && move.undoes === 0 && mayUndo(move) && h("button", { class: "button small quiet", "aria-label": `Desfazer ${kindWord(move.kind)} #${documentOf(move)}`, onclick: () => undo(move) }, icon("undo"), h("span", {}, "Desfazer"))));
	}

	async function undo(move) {
		const document = documentOf(move);
		const parts = moves.filter((other) => documentOf(other) === document);
		const word = kindWord(move.kind);
		const isSure = await ask({
			title: `Desfazer ${word} #${document}?`,
			body: h("div", {},
				h("ul", { class: "ask-lines" }, parts.map((part) => h("li", {}, h("span", {}, part.productName), h("span", { class: "num" }, `${signedQuantity(part.deltaThousandths, catalog.byName(part.productName)?.unit)} · ${money(part.amountCentavos)}`)))),
				h("p", { class: "field-help" }, "O documento volta inteiro, também o que a lista não mostra: entra um movimento contrário para cada um, e os dois ficam no livro.")),
			confirm: "Desfazer",
			isDanger: true,
		});
		if (!isSure) return;
		try {
			await change("UndoMovement", { sequence: String(move.sequence) }, {
				title: `Estorno de ${word} #${document}`,
				onLost: () => toast("Sem resposta: o estorno está guardado e será terminado.", { kind: "warning" }),
			});
			toast(`${word[0].toUpperCase()}${word.slice(1)} #${document} desfeita.`.replace(/(Ajuste .*) desfeita/, "$1 desfeito"));
		} catch (error) {
			showError(error);
		}
	}

	function showChips() {
		clear(chips, KINDS.map(([kind, label]) => h("button", { class: "chip", "aria-pressed": String(chosen.kind === kind), onclick: () => { chosen.kind = kind; showChips(); chips.querySelector("[aria-pressed=true]").focus(); load(true); } }, label)));
	}

	function onTyping() {
		chosen.text = product.value;
		clear(suggestions, chosen.text.trim() && catalog.search(chosen.text, { all: true }).slice(0, SUGGESTIONS_MAX).map(({ name }) => h("option", { value: name })));
		clearTimeout(typing);
		typing = setTimeout(() => filter().productName !== asked.productName && load(true), TYPING_MS);
	}
}

/// Whoever only sells takes back no more than own sales.
function mayUndo({ kind, author }) {
	return may("write") || (may("sell") && kind === "MOVEMENT_KIND_SALE" && author === whoAmI().name);
}

function documentOf(move) {
	return move && (move.document || move.sequence);
}

function dayOf(iso) {
	return new Date(iso).toDateString();
}

function dayWords(iso) {
	const today = new Date();
	const yesterday = new Date(today.getFullYear(), today.getMonth(), today.getDate() - 1);
	if (dayOf(iso) === today.toDateString()) return "Hoje";
	if (dayOf(iso) === yesterday.toDateString()) return "Ontem";
	return new Date(iso).toLocaleDateString("pt-BR", { weekday: "long", day: "numeric", month: "long", year: "numeric" });
}
