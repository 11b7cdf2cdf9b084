// The products of the shop, as this tab knows them: loaded once, kept live by `live.js`.

import { isWeighed, quantityOfTotal } from "./format.js";

const INVISIBLE = /[\u00AD\u200B-\u200D\u2060\uFEFF]/g;
/// The shortest and the longest barcode, in digits. No quantity has so many.
const BARCODE_DIGITS_MIN = 8;
const BARCODE_DIGITS_MAX = 14;
const BETWEEN_WORDS = /[\s\-/()[\].+"']+/;

/// A text without case, accents and invisible characters, with the signs of the keyboard for those that look
/// alike, as the server folds names.
export function fold(text) {
	return text
		// Accents that stand alone would become spaces.
		.replace(/[´΄῾᾽]/g, "'")
		.replace(/[°˚]/g, "o")
		.normalize("NFKD")
		.toLowerCase().toUpperCase().toLowerCase()
		.normalize("NFKD")
		.replace(/[\p{M}]/gu, "")
		.replace(INVISIBLE, "")
		.replace(/[\u0060ʹ-ʿˈˊˋ‘’‛′‵]/g, "'")
		.replace(/[“”„‟″‶]/g, '"')
		.replace(/[‐-―−⁃]/g, "-")
		.replace(/[⁄∕]/g, "/")
		.replace(/×/g, "x");
}

/// The words of a text, folded.
export function wordsOf(text) {
	return fold(text).split(BETWEEN_WORDS).filter(Boolean);
}

/// A product of the wire with plain numbers, and with what a search needs.
export function product(json) {
	const key = fold(json.name ?? "").trim();
	return {
		name: json.name ?? "",
		priceCentavos: Number(json.priceCentavos ?? 0),
		stockThousandths: Number(json.stockThousandths ?? 0),
		unit: json.unit ?? "",
		code: json.code ?? 0,
		barcodes: json.barcodes ?? [],
		category: json.category ?? "",
		minimumThousandths: Number(json.minimumThousandths ?? 0),
		targetThousandths: Number(json.targetThousandths ?? 0),
		shelfLifeDays: json.shelfLifeDays ?? 0,
		discontinued: json.discontinued ?? false,
		stockCostCentavos: json.stockCostCentavos === undefined ? null : Number(json.stockCostCentavos),
		key,
		// Every word behind a space, so that a word's beginning is found by one comparison.
		text: ` ${key.split(BETWEEN_WORDS).join(" ")}`,
	};
}

/// A movement of the wire with plain numbers. Money stays exact: it is a BigInt.
export function movement(json) {
	return {
		...json,
		sequence: Number(json.sequence ?? 0),
		kind: json.kind ?? "MOVEMENT_KIND_UNSPECIFIED",
		deltaThousandths: Number(json.deltaThousandths ?? 0),
		balanceThousandths: Number(json.balanceThousandths ?? 0),
		priceCentavos: Number(json.priceCentavos ?? 0),
		amountCentavos: BigInt(json.amountCentavos ?? 0),
		costCentavos: json.costCentavos === undefined ? null : Number(json.costCentavos),
		author: json.author ?? "",
		note: json.note ?? "",
		document: Number(json.document ?? 0),
		undoes: Number(json.undoes ?? 0),
		undoneBy: Number(json.undoneBy ?? 0),
	};
}

/// Whether a product has less than its minimum, or nothing at all.
export function isLow(product) {
	return product.stockThousandths < product.minimumThousandths || product.stockThousandths === 0;
}

/// The products of one shop.
export class Catalog {
	/// All products in catalog order, also those that are no longer sold.
	products = [];
	/// Whether the products have been loaded.
	isLoaded = false;
	/// The masks of the labels that the shop's scales print.
	labelMasks = [];
	#places = new Map();
	#codes = new Map();
	#listeners = new Set();
	#changed = null;

	/// Takes these products of the wire in the place of all others. `isWhole` is false of the first part of them.
	replace(list, isWhole = true) {
		this.products = list.map(product);
		this.#index();
		this.isLoaded ||= isWhole;
		this.#notify(null);
	}

	/// Takes a product of the wire in the place of the one with its name. Returns `false` if there is none.
	update(json) {
		const place = this.#places.get(json.name);
		if (place === undefined) return false;
		const before = this.products[place];
		const next = product(json);
		// Answers to changes do not say the cost.
		if (json.stockCostCentavos === undefined && next.stockThousandths === before.stockThousandths) {
			next.stockCostCentavos = before.stockCostCentavos;
		}
		this.products[place] = next;
		if (before.code !== next.code || String(before.barcodes) !== String(next.barcodes)) this.#indexCodes();
		this.#notify(next.name);
		return true;
	}

	/// Takes the stock that a movement left. Returns `false` if its product is unknown.
	apply(movement) {
		const found = this.byName(movement.productName);
		if (!found) return false;
		found.stockThousandths = movement.balanceThousandths;
		if (found.stockThousandths === 0) found.stockCostCentavos = null;
		else if (found.stockCostCentavos !== null && movement.costCentavos !== null) {
			found.stockCostCentavos += movement.costCentavos;
		}
		this.#notify(found.name);
		return true;
	}

	/// Takes the stocks that these movements left, oldest first. The products may have been read before or after them.
	settle(movements) {
		for (const movement of new Map(movements.map((movement) => [movement.productName, movement])).values()) {
			const found = this.byName(movement.productName);
			if (!found || found.stockThousandths === movement.balanceThousandths) continue;
			found.stockThousandths = movement.balanceThousandths;
			// The part of the cost that the page does not show is unknown until the next one.
			found.stockCostCentavos = null;
			this.#notify(found.name);
		}
	}

	/// The product with exactly this name.
	byName(name) {
		return this.products[this.#places.get(name)];
	}

	/// The product with this name, code or barcode. A name wins over a code, as on the server.
	find(text) {
		const key = fold(text).trim().replace(/\s+/g, " ");
		if (!key) return undefined;
		const place = this.#places.get(`\u0000${key}`) ?? this.#codes.get(/^\d{1,6}$/.test(key) ? `c${Number(key)}` : "") ?? this.#codes.get(key);
		return this.products[place];
	}

	/// The products whose names have words that begin with these, in any order; if there are none, those that have
	/// them anywhere. Names that begin with the text come first. An empty text finds all.
	search(text, { all = false } = {}) {
		const words = wordsOf(text);
		const isShown = (product) => all || !product.discontinued;
		if (words.length === 0) return this.products.filter(isShown);
		const beginnings = words.map((word) => ` ${word}`);
		const having = (parts) =>
			this.products.filter((product) => isShown(product) && parts.every((part) => product.text.includes(part)));
		let found = having(beginnings);
		if (found.length === 0) found = having(words);
		const first = found.filter((product) => product.text.startsWith(beginnings[0]));
		if (first.length > 0 && first.length < found.length) {
			found = [...first, ...found.filter((product) => !product.text.startsWith(beginnings[0]))];
		}
		const named = this.find(text);
		if (named && isShown(named)) found = [named, ...found.filter((product) => product !== named)];
		return found;
	}

	/// The categories in use, in the order of the alphabet.
	categories() {
		const names = new Set();
		for (const product of this.products) if (product.category && !product.discontinued) names.add(product.category);
		return [...names].sort((a, b) => a.localeCompare(b, "pt-BR"));
	}

	/// Reads a scale's label: `{ product, thousandths, amountCentavos }`, or `null` if no mask reads it or its
	/// product is unknown. The server books the label itself; this is what the screen shows before.
	readLabel(text) {
		const label = readLabel(text, this.labelMasks);
		const found = label && this.find(String(label.code));
		if (!found) return null;
		if (label.grams !== undefined) {
			return isWeighed(found.unit) && label.grams > 0 ? { product: found, thousandths: label.grams, amountCentavos: null } : null;
		}
		const thousandths = quantityOfTotal(label.centavos, found.priceCentavos);
		return thousandths ? { product: found, thousandths, amountCentavos: BigInt(label.centavos) } : null;
	}

	/// The product of a barcode or label at the end of a text: a scanner types into the field that has the focus.
	scanned(text) {
		for (let digits = Math.min(BARCODE_DIGITS_MAX, text.length); digits >= BARCODE_DIGITS_MIN; digits -= 1) {
			const code = text.slice(-digits);
			const product = /^\d+$/.test(code) && (this.find(code) ?? this.readLabel(code)?.product);
			if (product) return { code, product };
		}
		return null;
	}

	/// Calls a listener after changes, with the names of the products that changed, or `null` for all. Many changes
	/// in a row are one call. Returns the function that ends it.
	subscribe(listener) {
		this.#listeners.add(listener);
		return () => this.#listeners.delete(listener);
	}

	#index() {
		this.#places = new Map();
		this.products.forEach((product, place) => {
			this.#places.set(product.name, place);
			this.#places.set(`\u0000${product.key}`, place);
		});
		this.#indexCodes();
	}

	#indexCodes() {
		this.#codes = new Map();
		this.products.forEach((product, place) => {
			if (product.code) this.#codes.set(`c${product.code}`, place);
			for (const barcode of product.barcodes) this.#codes.set(barcode, place);
		});
	}

	#notify(name) {
		if (this.#changed === null) {
			this.#changed = { all: false, names: new Set() };
			setTimeout(() => {
				const { all, names } = this.#changed;
				this.#changed = null;
				for (const listener of [...this.#listeners]) listener(all ? null : names);
			}, 16);
		}
		if (name === null) this.#changed.all = true;
		else this.#changed.names.add(name);
	}
}

/// Whether a text looks like the label of a scale: an EAN-13 that begins with 2 and has its check digit.
export function isLabel(text) {
	return /^2\d{12}$/.test(text) && checkDigit(text.slice(0, 12)) === Number(text[12]);
}

/// Reads a label by the shop's masks: `{ code, grams }` or `{ code, centavos }`, or `null`.
export function readLabel(text, masks) {
	if (!isLabel(text)) return null;
	const fits = (mask) => [...mask].every((place, at) => !/\d/.test(place) || place === text[at]);
	const mask = masks.find(fits);
	if (!mask) return null;
	const number = (letter) => Number([...mask].reduce((digits, place, at) => (place === letter ? digits + text[at] : digits), "0"));
	const code = number("C");
	return mask.includes("P") ? { code, grams: number("P") } : { code, centavos: number("T") };
}

function checkDigit(digits) {
	const sum = [...digits].reduce((sum, digit, at) => sum + Number(digit) * (at % 2 === 0 ? 1 : 3), 0);
	return (10 - (sum % 10)) % 10;
}

/// The catalog of this tab.
export const catalog = new Catalog();
