import assert from "node:assert/strict";
import { test } from "node:test";

const kept = new Map([["hortifruti.cart", JSON.stringify({ lines: [{ id: 4, name: "Caju", thousandths: 2000, label: null, amount: null }], received: "50" })]]);
globalThis.sessionStorage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) };
const { addLine, cart, cartTotal, clearCart, lineAmount, removeLine, restoreCart } = await import("./cart.js");

const prices = { Caju: { priceCentavos: 200 }, Tomate: { priceCentavos: 890 } };

test("a sale outlives a reload, and every change of it is kept", () => {
	assert.deepEqual(cart.lines.map(({ name }) => name), ["Caju"]);
	assert.equal(cart.received, "50");
	let heard = 0;
	cart.listeners.add(() => (heard += 1));
	// Pieces of one product are one line; every bag that is weighed is its own.
	addLine({ name: "Caju", thousandths: 1000 }, true);
	assert.equal(cart.lines[0].thousandths, 3000);
	addLine({ name: "Tomate", thousandths: 2350 }, false);
	addLine({ name: "Tomate", thousandths: 1000 }, false);
	const label = addLine({ name: "Tomate", thousandths: null, label: "2000001012345" }, false);
	assert.equal(cart.lines.length, 4);
	assert.equal(JSON.parse(kept.get("hortifruti.cart")).lines.length, 4);
	assert.equal(heard, 4);

	assert.deepEqual(cartTotal((name) => prices[name]), { total: 600n + 2092n + 890n, isWhole: false });
	label.amount = "999";
	assert.deepEqual(cartTotal((name) => prices[name]), { total: 600n + 2092n + 890n + 999n, isWhole: true });
	assert.equal(lineAmount({ thousandths: 1000, amount: null }, undefined), null);

	removeLine(label.id);
	const sold = cart.lines;
	clearCart();
	assert.deepEqual([cart.lines, cart.received], [[], ""]);
	addLine({ name: "Tomate", thousandths: 500 }, false);
	// A sale that was not made stands before the next one.
	restoreCart(sold);
	assert.deepEqual(cart.lines.map(({ name }) => name), ["Caju", "Tomate", "Tomate", "Tomate"]);
	assert.equal(new Set(cart.lines.map(({ id }) => id)).size, 4);

	// What was paid in a sale that came back stands, and takes no further piece.
	restoreCart([{ name: "Maca", thousandths: 2000, label: null, amount: "600" }]);
	addLine({ name: "Maca", thousandths: 1000 }, true);
	assert.deepEqual(cart.lines.filter(({ name }) => name === "Maca").map((line) => lineAmount(line, { priceCentavos: 900 })), [600n, 900n]);
});
