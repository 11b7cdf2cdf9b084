// Importing a price list: a file is read by the server, compared with the catalog, and imported when a person has
// seen the differences.

import { call, change, postFile } from "./api.js";
import { catalog } from "./catalog.js";
import { ask, showError, toast } from "./dialog.js";
import { clear, h, icon } from "./dom.js";
import { FIELD_WORDS, fieldText, money, quantity } from "./format.js";
import { button, head, products, stat } from "./parts.js";

export const title = "Importar";

/// The largest file that the server reads, in bytes.
const FILE_BYTES_MAX = 4 * 1024 * 1024;
/// Rows that are shown of each part of the differences.
const ROWS_SHOWN = 200;
/// Times from which on a price looks like a slip of the comma.
const ODD_TIMES = 10;

const COLUMNS = { name: "Nome", price: "Preço", stock: "Estoque", unit: "Unidade", code: "Código da loja", barcodes: "Códigos de barras", category: "Categoria", minimum: "Mínimo", target: "Alvo", shelfLife: "Validade em dias" };
/// The terms of a product that a list may have: the column, the key of a product of the list and of the catalog,
/// and the field of the wire.
const TERMS = [
	["code", "code", "code"],
	["barcodes", "barcodes", "barcodes"],
	["category", "category", "category"],
	["minimum", "minimumThousandths", "minimum_thousandths"],
	["target", "targetThousandths", "target_thousandths"],
	["shelfLife", "shelfLifeDays", "shelf_life_days"],
];

export function open(root) {
	const page = h("div", { class: "page importing" });
	root.append(page);
	let isOpen = true;
	chooseFile();

	function chooseFile(problem = null) {
		const input = h("input", { type: "file", class: "visually-hidden", accept: ".csv,.txt,.tsv,.xlsx,.ods,.xls,text/csv,text/plain", onchange: () => input.files[0] && read(input.files[0]) });
		const zone = h("label", { class: "card drop", ondragover: over, ondragenter: over, ondragleave: () => zone.classList.remove("is-over"), ondrop: dropped },
			input, icon("import"), h("span", { class: "drop-title" }, "Solte aqui a lista de preços"), h("span", { class: "muted" }, "ou "), h("span", { class: "button" }, "Escolher arquivo"),
			h("span", { class: "muted" }, "Planilha, CSV ou carga de balança"));
		clear(page,
			head(title),
			problem,
			zone,
			h("div", { class: "card card-body prose" },
				h("h2", {}, "Como é a lista"),
				h("p", {}, "A primeira linha diz o que é cada coluna; as outras têm um produto cada:"),
				h("pre", { tabindex: "0" }, "nome;preco;estoque;unidade\nTomate;8,90;12,5;kg\nAlface crespa;3,50;40;un"),
				h("p", {}, "Produtos novos são criados com o estoque da lista. Dos que já existem mudam o preço e a unidade; o estoque deles só muda por compra, venda, perda ou contagem."),
				h("p", {}, "A lista pode ter também as colunas codigo, codigos_de_barras (com espaço entre eles), categoria, minimo, alvo e validade_dias, como hortifruti export as escreve. Coluna que falta e célula vazia não mudam nada; 0 tira o mínimo, o alvo ou a validade.")));

		function over(event) {
			event.preventDefault();
			zone.classList.add("is-over");
		}

		function dropped(event) {
			event.preventDefault();
			zone.classList.remove("is-over");
			const file = event.dataTransfer.files[0];
			if (event.dataTransfer.files.length > 1) toast("Uma lista por vez: foi lido o primeiro arquivo.", { kind: "warning" });
			if (file) read(file);
		}
	}

	function busy(text) {
		clear(page, head(title), h("div", { class: "card empty", role: "status" }, h("p", { class: "empty-title" }, text)));
	}

	async function read(file) {
		if (file.size > FILE_BYTES_MAX) return fail(file, `O arquivo tem ${sizeOf(file.size)}, e o limite é de ${sizeOf(FILE_BYTES_MAX)}. Nada foi importado; divida a lista, ou use hortifruti import.`);
		busy(`Lendo ${file.name}…`);
		try {
			const list = await postFile("/price-list", file, "application/octet-stream");
			if (!isOpen) return;
			if (list.bad.length > 0) return fail(file, `${rowsText(list.badCount)} com erro. Nada foi importado; corrija a lista e escolha-a de novo.`, list.bad, list);
			const rehearsed = await call("ImportProducts", { products: list.products, dryRun: true });
			if (isOpen) showDifferences(file, list, rehearsed);
		} catch (error) {
			if (!isOpen) return;
			if (error.isLost) return fail(file, "O servidor não respondeu. Nada foi importado; tente de novo quando a conexão voltar.");
			fail(file, error.message);
		}
	}

	/// Says why a file is not imported, and takes the next.
	function fail(file, message, rows = [], list = null) {
		chooseFile(h("div", { class: "card card-body problem", role: "alert" },
			h("h2", {}, icon("alert"), h("bdi", {}, file.name)),
			h("p", {}, sentence(message)),
			rows.length > 0 && h("ul", { class: "problem-rows" }, rows.map(({ line, what }) => h("li", {}, h("b", {}, `Linha ${line}`), " ", what))),
			list && notesOf(list)));
	}

	function showDifferences(file, list, rehearsed) {
		const { createdCount = 0, updatedCount = 0, unchangedCount = 0, discontinuedCount = 0, changes = [] } = rehearsed;
		const differences = differencesOf(list, changes);
		const odd = differences.filter(({ mark }) => mark);
		const updated = differences.filter(({ isNew, mark }) => !isNew && !mark);
		const created = differences.filter(({ isNew, mark }) => isNew && !mark);
		const left = stocksLeft(list);
		const kept = termsKept(list);
		const nothing = createdCount + updatedCount === 0;
		const confirm = button(nothing ? "Nada a importar" : `Importar ${products(createdCount + updatedCount)}`, run, { class: "button primary", disabled: nothing });
		clear(page,
			head(title, button("Outro arquivo", () => chooseFile())),
			h("div", { class: "card card-body import-file" },
				h("h2", {}, h("bdi", {}, file.name)),
				h("ul", { class: "columns-read", "aria-label": "Colunas lidas" }, list.columns.map(({ field, heading }) => h("li", {}, h("bdi", {}, `“${heading}”`), " → ", h("b", {}, COLUMNS[field] ?? field)))),
				notesOf(list)),
			h("dl", { class: "stats" }, stat("Novos", createdCount), stat("Mudam", updatedCount), stat("Iguais", unchangedCount), odd.length > 0 && stat("Para conferir", odd.length, "", "is-bad")),
			discontinuedCount > 0 && h("p", { class: "muted" }, `${discontinuedCount === 1 ? "1 produto da lista está aposentado, e continua" : `${discontinuedCount} produtos da lista estão aposentados, e continuam`} assim.`),
			left > 0 && h("p", { class: "muted" }, `${left === 1 ? "1 produto que já existe tem outro estoque na lista, e fica" : `${left} produtos que já existem têm outro estoque na lista, e ficam`} com o de agora. Para mudá-lo, conte em Contagem.`),
			kept > 0 && h("p", { class: "muted" }, `${kept === 1 ? "1 célula vazia não tira" : `${kept} células vazias não tiram`} nada do cadastro: fica o que havia. Para tirar, abra o produto em Estoque.`),
			section("Para conferir", odd, true), section("Mudam", updated), section("Novos", created),
			h("div", { class: "page-foot" }, h("p", { class: "count-progress" }, nothing ? "A loja já tem tudo o que está na lista." : "Nada foi importado ainda."), confirm));

		async function run() {
			if (odd.length > 0) {
				const isMeant = await ask({
					title: odd.length === 1 ? "1 produto parece errado" : `${odd.length} produtos parecem errados`,
					body: [h("ul", { class: "ask-lines" }, odd.slice(0, 20).map(({ name, mark }) => h("li", {}, h("bdi", {}, name), h("b", {}, mark)))), odd.length > 20 && h("p", {}, `E mais ${odd.length - 20}.`)],
					confirm: "Importar assim mesmo",
					cancel: "Voltar e conferir",
					isDanger: true,
				});
				if (!isMeant) return;
			}
			confirm.disabled = true;
			try {
				const answer = await change("ImportProducts", { products: list.products }, { title: `Importar ${file.name}`, onLost: () => toast("A lista espera a conexão. Ela será importada uma vez só.") });
				if (isOpen) done(file, answer);
				else toast(`A lista ${file.name} foi importada.`);
			} catch (error) {
				confirm.disabled = false;
				showError(error);
			}
		}
	}

	function done(file, { createdCount = 0, updatedCount = 0, unchangedCount = 0 }) {
		const next = button("Importar outra", () => chooseFile(), { class: "button primary" });
		clear(page,
			head("Lista importada", next),
			h("p", { class: "muted", role: "status" }, h("bdi", {}, file.name)),
			h("dl", { class: "stats" }, stat("Criados", createdCount), stat("Mudados", updatedCount), stat("Iguais", unchangedCount)),
			h("p", { class: "muted" }, "Cada mudança do cadastro está no histórico do produto, em Estoque."));
		next.focus();
	}

	return () => {
		isOpen = false;
	};
}

function notesOf(list) {
	return list.notes.length > 0 && h("ul", { class: "import-notes" }, list.notes.map((note) => h("li", {}, sentence(note))));
}

/// The changes of each product, those of one product together. The server lists only the first changes of a long
/// list; those of the others are found in the catalog of this tab.
function differencesOf(list, changes) {
	const byName = new Map();
	for (const { productName, field, oldValue = "", newValue = "" } of changes) {
		if (!byName.has(productName)) byName.set(productName, []);
		byName.get(productName).push({ field, oldValue, newValue });
	}
	const differences = [];
	for (const draft of list.products) {
		const before = catalog.find(draft.name);
		const price = Number(draft.priceCentavos ?? 0);
		const fields = byName.get(before?.name ?? draft.name) ?? [];
		if (before && fields.length === 0) {
			if (before.priceCentavos !== price) fields.push({ field: "price_centavos", oldValue: String(before.priceCentavos), newValue: String(price) });
			if (draft.unit && before.unit !== draft.unit) fields.push({ field: "unit", oldValue: before.unit, newValue: draft.unit });
			for (const [, key, field] of TERMS) {
				if (has(draft, key) && String(before[key]) !== String(draft[key])) fields.push({ field, oldValue: String(before[key]), newValue: String(draft[key]) });
			}
		}
		if (before && fields.length === 0) continue;
		differences.push({ name: before?.name ?? draft.name, isNew: !before, draft, fields, mark: markOf(before?.priceCentavos, price, fields) });
	}
	return differences;
}

/// Why a price looks wrong, or `null`.
function markOf(before, after, fields) {
	if (before === undefined) return after === 0 ? "preço zero" : null;
	if (after === 0 && before > 0) return "preço zero";
	if (before > 0 && after >= ODD_TIMES * before) return `preço × ${Math.floor(after / before)}`;
	if (after > 0 && before >= ODD_TIMES * after) return `preço ÷ ${Math.floor(before / after)}`;
	return fields.some(({ field }) => field === "unit") ? "muda a unidade" : null;
}

function stocksLeft(list) {
	return list.products.filter((draft, at) => {
		const before = list.haveStock[at] && catalog.find(draft.name);
		return before && before.stockThousandths !== Number(draft.openingStockThousandths ?? 0);
	}).length;
}

/// Whether a product of the list has a term. What stands in no cell is not in the message.
function has(draft, key) {
	return draft[key] !== undefined && draft[key].length !== 0;
}

/// The terms that products keep because the list has an empty cell in their column.
function termsKept(list) {
	const columns = TERMS.filter(([column]) => list.columns.some(({ field }) => field === column));
	return list.products.reduce((count, draft) => {
		const before = catalog.find(draft.name);
		return count + columns.filter(([, key]) => before && !has(draft, key) && before[key] !== 0 && before[key].length !== 0).length;
	}, 0);
}

function section(heading, differences, isMarked = false) {
	if (differences.length === 0) return null;
	const shown = differences.slice(0, ROWS_SHOWN);
	const what = ({ isNew, draft, fields, mark }) => isNew
		? [h("b", {}, money(draft.priceCentavos ?? 0)), ` por ${draft.unit || "un"}`, draft.openingStockThousandths && ` · estoque ${quantity(draft.openingStockThousandths)}`, TERMS.filter(([, key]) => has(draft, key)).map(([, key, field]) => ` · ${FIELD_WORDS[field]} ${fieldText(field, String(draft[key]))}`)]
		: fields.map(({ field, oldValue, newValue }) => h("span", { class: "change" }, h("small", {}, `${FIELD_WORDS[field] ?? field} `), h("s", {}, fieldText(field, oldValue)), " → ", h("b", {}, fieldText(field, newValue))));
	return h("section", { class: isMarked ? "card sheet is-marked" : "card sheet" },
		h("h2", { class: "side-head" }, heading, h("span", { class: isMarked ? "badge bad" : "badge" }, String(differences.length))),
		h("ul", { class: "changes" }, shown.map((difference) => h("li", {}, h("span", { class: "change-name" }, h("bdi", {}, difference.name)), h("span", { class: "change-what" }, what(difference), difference.mark && h("span", { class: "badge bad" }, difference.mark))))),
		differences.length > ROWS_SHOWN && h("p", { class: "side-none" }, `E mais ${differences.length - ROWS_SHOWN}.`));
}

function rowsText(count) {
	return count === 1 ? "1 linha" : `${count} linhas`;
}

function sizeOf(bytes) {
	return bytes < 1024 * 1024 ? `${Math.ceil(bytes / 1024)} kB` : `${(bytes / 1024 / 1024).toFixed(1).replace(".", ",")} MB`;
}

/// A message of the server as a sentence of its own.
function sentence(text) {
	const whole = text.charAt(0).toUpperCase() + text.slice(1);
	return /[.!?]$/.test(whole) ? whole : `${whole}.`;
}
