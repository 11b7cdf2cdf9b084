// The sale at the counter: its lines, kept in the tab so that a reload loses nothing.

import { amountOf } from "./format.js";

const CART_KEY = "hortifruti.cart";
/// Lines of one sale: as many as a batch may have.
export const LINES_MAX = 1000;

/// A line: `{ id, name, thousandths, label, amount }`. `thousandths` is `null` until the quantity is said, and for
/// a label that only the server can read; `label` is the label of a scale, and `amount` the money that it asks, or that
/// was paid in a sale that came back.
export const cart = {
	lines: [],
	received: "",
	listeners: new Set(),
};

let ids = 0;
read();

function read() {
	try {
		const kept = JSON.parse(sessionStorage.getItem(CART_KEY)) ?? {};
		cart.lines = kept.lines ?? [];
		cart.received = kept.received ?? "";
		ids = Math.max(0, ...cart.lines.map(({ id }) => id));
	} catch {
		cart.lines = [];
	}
}

/// Keeps the sale and shows it to whoever listens.
export function cartChanged() {
	sessionStorage.setItem(CART_KEY, JSON.stringify({ lines: cart.lines, received: cart.received }));
	for (const listener of [...cart.listeners]) listener();
}

/// Adds a line, or to the line of the same product if both count pieces. Returns the line.
export function addLine({ name, thousandths, label = null, amount = null }, isWhole) {
	const same = isWhole && !label && cart.lines.find((line) => line.name === name && !line.label && line.amount === null && line.thousandths !== null);
	if (same) {
		same.thousandths += thousandths;
		cartChanged();
		return same;
	}
	ids += 1;
	const line = { id: ids, name, thousandths, label, amount };
	cart.lines.push(line);
	cartChanged();
	return line;
}

/// Takes a line away.
export function removeLine(id) {
	cart.lines = cart.lines.filter((line) => line.id !== id);
	cartChanged();
}

/// Begins the next sale.
export function clearCart() {
	cart.lines = [];
	cart.received = "";
	cartChanged();
}

/// Puts the lines of an earlier sale before those of this one.
export function restoreCart(lines) {
	cart.lines = [...lines.map((line) => ({ ...line, id: (ids += 1) })), ...cart.lines];
	cartChanged();
}

/// The money of a line as a BigInt, or `null` if only the server knows it.
export function lineAmount(line, product) {
	if (line.amount !== null) return BigInt(line.amount);
	if (line.thousandths === null || !product) return null;
	return amountOf(product.priceCentavos, line.thousandths);
}

/// The total of the sale as a BigInt, and whether a line is missing in it.
export function cartTotal(productOf) {
	let [total, isWhole] = [0n, true];
	for (const line of cart.lines) {
		const amount = lineAmount(line, productOf(line.name));
		if (amount === null) isWhole = false;
		else total += amount;
	}
	return { total, isWhole };
}
