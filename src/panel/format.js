// Money, quantities, times and words, as Brazilians write and read them. Money is centavos and quantities are
// thousandths of the unit, both integers; nothing here is a fraction of a binary number.

/// The limits of the server: ten thousand million reais, and a million million units.
export const PRICE_MAX = 1_000_000_000_000;
export const QUANTITY_MAX = 1_000_000_000_000_000;

const MINUS = "\u2212";

/// Why a text is no amount or quantity. `readings` are the two ways of writing a text that has two.
export class TextError extends Error {
	constructor(message, readings = null) {
		super(message);
		this.name = "TextError";
		this.readings = readings;
	}
}

/// Centavos as `R$ 1.234,50`. Takes a number, a BigInt, or the text of one, as int64 arrives in JSON.
export function money(centavos) {
	const value = BigInt(centavos ?? 0);
	const size = value < 0n ? -value : value;
	const reais = (size / 100n).toString().replace(/\B(?=(\d{3})+$)/g, ".");
	return `${value < 0n ? MINUS : ""}R$ ${reais},${(size % 100n).toString().padStart(2, "0")}`;
}

/// Thousandths as `19,65 kg` or `13 bandejas`; without a unit as `19,65`.
export function quantity(thousandths, unit = "") {
	const value = BigInt(thousandths ?? 0);
	const size = value < 0n ? -value : value;
	const fraction = (size % 1000n).toString().padStart(3, "0").replace(/0+$/, "");
	const number = `${value < 0n ? MINUS : ""}${size / 1000n}${fraction && ","}${fraction}`;
	return unit ? `${number} ${size >= 2000n && PACKAGES.has(unit) ? `${unit}s` : unit}` : number;
}

/// The units that are words, and have a plural.
const PACKAGES = new Set(["maço", "molho", "bandeja", "saco", "pacote", "pé", "penca", "réstia", "engradado"]);

/// Thousandths with their sign: `+5 kg`, `−2 kg`.
export function signedQuantity(thousandths, unit = "") {
	const text = quantity(thousandths, unit);
	return BigInt(thousandths ?? 0) > 0n ? `+${text}` : text;
}

/// Price × quantity in centavos, half a centavo up, as the server books it. A BigInt.
export function amountOf(centavos, thousandths) {
	const size = BigInt(thousandths);
	return (BigInt(centavos) * (size < 0n ? -size : size) + 500n) / 1000n;
}

/// The quantity that costs a total at a price, half a thousandth up. `null` if the price is zero.
export function quantityOfTotal(total, price) {
	if (!price) return null;
	return Number((2000n * BigInt(total) + BigInt(price)) / (2n * BigInt(price)));
}

/// The part of the price that is left after the cost, in whole percent. `null` if either is unknown.
export function marginPercent(price, unitCost) {
	if (!price || unitCost === null || unitCost === undefined) return null;
	return Math.round(((price - unitCost) * 100) / price);
}

/// A margin as `52 %`, or a dash.
export function percent(margin) {
	return margin === null ? "—" : `${margin} %`.replace("-", MINUS);
}

/// The cost of one unit in centavos, half a centavo up. `null` if it is unknown or there is no stock.
export function unitCost(stockCost, stock) {
	if (stockCost === null || stockCost === undefined || !(stock > 0)) return null;
	return Number((2000n * BigInt(stockCost) + BigInt(stock)) / (2n * BigInt(stock)));
}

/// Reads reais, such as `3`, `3,50`, `3.50` or `R$ 3,50`, as centavos.
export function parseMoney(text) {
	const number = text.trim().replace(/^r\$\s*/i, "");
	const parts = decimal(number);
	if (!parts) throw new TextError(`“${text.trim()}” não é um valor em reais. Escreva como 3,50.`);
	if (hasTwoReadings(number)) {
		const [thousands, units] = [number.replace(".", ""), `${parts.whole},${parts.fraction.slice(0, 2)}`];
		throw new TextError(`“${number}” pode ser ${thousands} ou ${units}. Escreva um dos dois.`, [thousands, units]);
	}
	if (parts.fraction.length > 2) {
		throw new TextError(`“${number}” tem mais de duas casas decimais. Escreva em reais e centavos, como 3,50.`);
	}
	return bounded(parts, 2, PRICE_MAX, text);
}

/// Reads a quantity, such as `2`, `0,350`, `-20`, `+5` or `2,5kg`, as thousandths of the unit. With a unit, the
/// written one must be the same, and the quantity must be whole where the unit is.
export function parseQuantity(text, unit = "") {
	const match = /^([+\-\u2212]?)\s*([\d.,]+)\s*(\p{L}*)\.?$/u.exec(text.trim());
	const parts = match && decimal(match[2]);
	if (!parts) throw new TextError(`“${text.trim()}” não é uma quantidade. Escreva como 20 ou 0,350.`);
	const [, sign, number, word] = match;
	if (!word && isCode(number)) throw new TextError(`“${number}” é um código, e não uma quantidade.`);
	const written = word ? unitOfWord(word) : null;
	if (word && (!written || (unit && written.unit !== ownUnit(unit)))) {
		throw new TextError(`“${word}” não é a unidade do produto${unit ? `, que se conta em ${unit}` : ""}.`);
	}
	if (parts.fraction.length > 3) throw new TextError(`“${number}” tem mais de três casas decimais.`);
	const divisor = written?.parts ?? 1;
	const isExact = (value) => value % divisor === 0;
	let thousandths = bounded(parts, 3, QUANTITY_MAX, text);
	if (hasTwoReadings(number)) {
		// Of `1.250g` the reading as one gram and a quarter is too fine for any product, and only the other is left.
		if (isExact(thousandths)) {
			const readings = [number.replace(".", ""), number.replace(".", ",")].map((reading) => reading + word);
			throw new TextError(`“${number}” pode ser ${readings[0]} ou ${readings[1]}. Escreva um dos dois.`, readings);
		}
		thousandths *= 1000;
	}
	if (!isExact(thousandths)) throw new TextError(`“${text.trim()}” é fino demais: há no máximo três casas decimais.`);
	thousandths /= divisor;
	if (unit && thousandths % stepOf(unit) !== 0) throw new TextError(`${unit} não se divide: escreva um número inteiro.`);
	return sign && sign !== "+" ? -thousandths : thousandths;
}

/// Whether a text is so long a number that it is a barcode or a label, never a quantity.
export function isCode(text) {
	return /^\d{8,}$/.test(text);
}

/// The smallest part of a unit that is sold, in thousandths: grams, half dozens, else whole pieces.
export function stepOf(unit) {
	return { kg: 1, l: 1, dz: 500 }[ownUnit(unit)] ?? 1000;
}

/// Whether a unit is weighed or measured, so that a quantity has to be said.
export function isWeighed(unit) {
	return stepOf(unit) === 1;
}

/// Reads what is typed at the counter: `2,5 tomate`, `2,5kg tomate`, `3x alface`, `3 x alface`, or a name, a code
/// or a barcode alone. Returns `{ number, rest }`; `number` is the text of the quantity, or `null`.
export function splitEntry(text) {
	const line = text.trim().replace(/\s+/g, " ");
	const times = /^([\d.,]+) ?[x×*] ?(\S.*)$/iu.exec(line);
	if (times && decimal(times[1])) return { number: times[1], rest: times[2] };
	const [first, ...others] = line.split(" ");
	const rest = others.join(" ");
	const match = /^([\d.,]+)(\p{L}*)\.?$/u.exec(first);
	if (!match || !rest || !decimal(match[1])) return { number: null, rest: line };
	if (isCode(first)) return { number: null, rest: line };
	if (match[2]) return unitOfWord(match[2]) ? { number: first, rest } : { number: null, rest: line };
	const next = others.length > 1 && unitOfWord(others[0]);
	if (next) return { number: `${first}${others[0]}`, rest: others.slice(1).join(" ") };
	return { number: first, rest };
}

const UNITS = [
	["kg", 1, "kg kgs k kilo kilos quilo quilos quilograma quilogramas"],
	["kg", 1000, "g gr grs grama gramas"],
	["l", 1, "l lt lts litro litros"],
	["l", 1000, "ml mililitro mililitros"],
	["un", 1, "un und unds unid unids unidade unidades pc pcs peca pecas"],
	["dz", 1, "dz dzs duzia duzias"],
	["cx", 1, "cx cxs caixa caixas"],
	["maço", 1, "maco macos mc"],
	["molho", 1, "molho molhos"],
	["bandeja", 1, "bandeja bandejas bdj bj"],
	["saco", 1, "saco sacos sc"],
	["pacote", 1, "pacote pacotes pct pcts"],
	["pé", 1, "pe pes"],
	["penca", 1, "penca pencas"],
	["réstia", 1, "restia restias"],
	["engradado", 1, "engradado engradados eng"],
];

const UNIT_OF = new Map(UNITS.flatMap(([unit, parts, words]) => words.split(" ").map((word) => [word, { unit, parts }])));

/// The unit that a word names, and how many of it make one; `undefined` if none.
export function unitOfWord(word) {
	const folded = word.replace(/\.+$/, "").normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
	return UNIT_OF.get(folded);
}

/// The units that a shop counts in, as they are written.
export const UNIT_NAMES = [...new Set(UNITS.map(([unit]) => unit))];

function ownUnit(unit) {
	return unitOfWord(unit)?.unit ?? unit;
}

function decimal(number) {
	const match = /^(\d+)(?:[.,](\d+))?$/.exec(number);
	return match && { whole: match[1], fraction: match[2] ?? "" };
}

// A dot before exactly three digits is one thousand to a Brazilian and one to a program; nobody groups `0.350`.
function hasTwoReadings(number) {
	return /^[1-9]\d{0,2}\.\d{3}$/.test(number);
}

function bounded({ whole, fraction }, decimals, limit, text) {
	const value = BigInt(whole + fraction.padEnd(decimals, "0"));
	if (value > BigInt(limit)) throw new TextError(`“${text.trim()}” é grande demais.`);
	return Number(value);
}

const TIME = { hour: "2-digit", minute: "2-digit" };
const DAY = { day: "2-digit", month: "2-digit" };
const formats = new Map();

function formatted(date, options) {
	const key = JSON.stringify(options);
	if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat("pt-BR", options));
	return formats.get(key).format(date);
}

/// A time of a day, as `09:41`.
export function timeText(date) {
	return formatted(date, TIME);
}

/// A time as `09:41`, with its day if that is not today: `28/11 09:41`, `28/11/2025 09:41`.
export function dateTime(iso, now = new Date()) {
	const date = new Date(iso);
	if (Number.isNaN(date.getTime())) return "";
	const time = timeText(date);
	if (date.toDateString() === now.toDateString()) return time;
	const isThisYear = date.getFullYear() === now.getFullYear();
	return `${formatted(date, isThisYear ? DAY : { ...DAY, year: "numeric" })} ${time}`;
}

/// A day that is written as `2026-12-05`, as `05/12/2026`.
export function dayText(iso) {
	const [year, month, day] = iso.split("-");
	return day ? `${day}/${month}/${year}` : iso;
}

const KINDS = {
	MOVEMENT_KIND_ADJUSTMENT: "ajuste",
	MOVEMENT_KIND_OPENING: "abertura",
	MOVEMENT_KIND_PURCHASE: "compra",
	MOVEMENT_KIND_SALE: "venda",
	MOVEMENT_KIND_WASTE: "perda",
	MOVEMENT_KIND_COUNT: "contagem",
};

/// The word of a kind of movement.
export function kindWord(kind) {
	return KINDS[kind] ?? "ajuste";
}

const REASONS = {
	LOSS_REASON_EXPIRED: "vencido",
	LOSS_REASON_OVERRIPE: "maduro",
	LOSS_REASON_DAMAGED: "avaria",
	LOSS_REASON_WEIGHT: "peso",
	LOSS_REASON_THEFT: "furto",
	LOSS_REASON_OWN_USE: "consumo",
	LOSS_REASON_DONATED: "doação",
	LOSS_REASON_TASTING: "degustação",
	LOSS_REASON_RETURNED: "devolução",
};

/// The word of a reason of a loss; empty without one.
export function reasonWord(reason) {
	return REASONS[reason] ?? "";
}

/// The words of the terms of a product, by their fields on the wire.
export const FIELD_WORDS = {
	name: "nome", price_centavos: "preço", unit: "unidade", code: "código", barcodes: "códigos de barras", category: "categoria",
	minimum_thousandths: "mínimo", target_thousandths: "alvo", shelf_life_days: "validade em dias", discontinued: "retirado",
};

/// A term as a person reads it, such as `R$ 3,50`; a dash for none.
export function fieldText(field, value) {
	if (value === "") return "—";
	if (field.endsWith("_centavos")) return money(value);
	if (field.endsWith("_thousandths")) return quantity(value);
	if (field === "discontinued") return value === "true" ? "sim" : "não";
	return value;
}

/// Today as `2026-11-30`, on the clock of whoever looks.
export function today() {
	return isoDay(new Date());
}

/// The time zone of whoever looks, which the days of a request are of; empty for the server's.
export function zone() {
	return Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
}

/// The day so many days after another.
export function addDays(day, days) {
	const [year, month, date] = day.split("-").map(Number);
	return isoDay(new Date(year, month - 1, date + days));
}

function isoDay(date) {
	const two = (number) => String(number).padStart(2, "0");
	return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
