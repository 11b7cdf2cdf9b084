import assert from "node:assert/strict";
import { test } from "node:test";

// What a browser has and Node has not.
globalThis.sessionStorage = { getItem: () => null, setItem: () => {}, removeItem: () => {} };
const happens = {};
const addEventListener = (name, listener) => (happens[name] = listener);
globalThis.window = { addEventListener };
globalThis.document = { addEventListener, visibilityState: "visible" };
// The connection is never given up; its timers must not keep the test alive.
const later = globalThis.setTimeout;
// A hidden page waits a moment only.
globalThis.setTimeout = (run, wait) => later(run, wait === 5_000 ? 1 : wait).unref();
const { catalog } = await import("./catalog.js");
const { live } = await import("./live.js");
const { may, onIdentity, whoAmI } = await import("./rights.js");

/// A server with one product, whose stock is what the last movement left.
const server = { sequence: 40, stock: 9000, streams: [], watched: [], isUp: true, role: "venda", onList: () => {} };
const json = (value) => new Response(JSON.stringify(value), { headers: { "content-type": "application/json" } });

globalThis.fetch = async (path, { body, signal }) => {
	if (!server.isUp) throw new TypeError("fetch failed");
	const name = path.split("/").at(-1);
	if (name === "role") return json({ role: server.role, name: "caixa", time: Date.now() });
	if (name === "GetStatus") return json({ lastSequence: String(server.sequence), labelMasks: ["2CCCCCCPPPPPD"] });
	if (name === "ListProducts") {
		const answer = json({ products: [{ name: "Caju", unit: "un", stockThousandths: String(server.stock) }] });
		await server.onList();
		return answer;
	}
	server.watched.push(JSON.parse(new TextDecoder().decode(body.slice(5))).afterSequence);
	let controller;
	const stream = new ReadableStream({ start: (own) => (controller = own) });
	signal.addEventListener("abort", () => {
		server.streams = server.streams.filter((other) => other !== controller);
		controller.error(signal.reason);
	});
	server.streams.push(controller);
	return new Response(stream, { headers: { "content-type": "application/connect+json" } });
};

function send(message) {
	const data = new TextEncoder().encode(JSON.stringify(message));
	for (const stream of server.streams) stream.enqueue(Uint8Array.from([0, 0, 0, data.length >> 8, data.length & 255, ...data]));
}

function move(delta) {
	server.sequence += 1;
	server.stock += delta;
	send({ movement: { sequence: String(server.sequence), productName: "Caju", deltaThousandths: String(delta), balanceThousandths: String(server.stock) } });
}

async function until(condition) {
	for (let turn = 0; turn < 2000; turn += 1) {
		if (condition()) return;
		await new Promise((resolve) => later(resolve, 5));
	}
	assert.fail(String(condition));
}

const stock = () => catalog.byName("Caju")?.stockThousandths;

test("the catalog follows the ledger, over lost connections and reloads", async () => {
	// A movement between the answer of the list and its arrival is not lost.
	server.onList = async () => {
		server.onList = () => {};
		await until(() => server.streams.length === 1);
		move(-1000);
		await new Promise((resolve) => later(resolve, 20));
	};
	const seen = [];
	live.onMovement(({ sequence }) => seen.push(sequence));
	await live.start();
	assert.equal(live.state, "ligado");
	assert.deepEqual(catalog.labelMasks, ["2CCCCCCPPPPPD"]);
	assert.deepEqual(server.watched, ["40"]);
	assert.equal(stock(), 8000);
	assert.deepEqual(seen, [41]);

	move(-2000);
	await until(() => stock() === 6000);
	// What comes twice is shown once.
	send({ movement: { sequence: "42", productName: "Caju", balanceThousandths: "1" } });
	send({ heartbeatSequence: "42" });
	move(-500);
	await until(() => stock() === 5500);
	assert.deepEqual(seen, [41, 42, 43]);

	// The connection goes, and comes back behind the last movement that was seen.
	server.isUp = false;
	for (const stream of server.streams) stream.error(new TypeError("reset"));
	await until(() => live.state === "fora");
	server.streams = [];
	move(-500);
	server.isUp = true;
	live.retryNow();
	await until(() => live.state === "ligado");
	assert.deepEqual(server.watched, ["40", "43"]);
	assert.equal(stock(), 5000);

	// A new product, or a new name, loads the catalog again.
	let lists = 0;
	server.onList = () => (lists += 1);
	send({ product: { name: "Uva", unit: "kg" } });
	await until(() => lists === 1);
	send({ product: { name: "Caju", unit: "un", priceCentavos: "300", stockThousandths: "5000" } });
	await until(() => catalog.byName("Caju").priceCentavos === 300 || lists > 1);
	assert.equal(lists, 1);

	// A page that is left, or that nobody sees, leaves the server its connection, and goes on where it was.
	server.onList = () => {};
	for (const [name, state, back] of [["pagehide", "visible", "pageshow"], ["visibilitychange", "hidden", "visibilitychange"]]) {
		document.visibilityState = state;
		happens[name]();
		await until(() => server.streams.length === 0 && live.state === "religando");
		const watched = server.watched.length;
		move(-500);
		await new Promise((resolve) => later(resolve, 50));
		assert.equal(server.watched.length, watched);
		document.visibilityState = "visible";
		happens[back]();
		await until(() => live.state === "ligado" && stock() === server.stock);
		assert.equal(server.streams.length, 1);
	}

	// The token gets another role: who only counts follows nothing, and is not asked for a token.
	assert.deepEqual([may("sell"), may("read"), may("count")], [true, true, false]);
	let heard = 0;
	onIdentity(() => (heard += 1));
	server.role = "contagem";
	for (const stream of server.streams) stream.error(new TypeError("reset"));
	await until(() => !may("sell"));
	assert.deepEqual([whoAmI().name, may("sell"), may("read"), may("count")], ["caixa", false, false, true]);
	await until(() => live.state === "ligado");
	assert.deepEqual([heard, server.watched.length], [1, 4]);
});
