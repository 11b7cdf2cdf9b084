import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

// What a browser has and Node has not.
const kept = new Map();
globalThis.sessionStorage = {
	getItem: (key) => kept.get(key) ?? null,
	setItem: (key, value) => kept.set(key, value),
	removeItem: (key) => kept.delete(key),
};
const PENDING = "hortifruti.pending";
const left = { id: "painel-antes", name: "AdjustStock", message: { name: "Caju", requestId: "painel-antes" }, title: "Venda", meta: null, madeAt: 1 };
kept.set(PENDING, JSON.stringify([left]));
const { ApiError, askIdentity, call, change, clock, fetchText, giveUp, login, newRequestId, onPending, pendingChanges, resumePending, retry, stream } = await import("./api.js");

let answers = [];
let asked = [];
globalThis.fetch = async (path, options = {}) => {
	asked.push({ path, headers: options.headers, body: typeof options.body === "string" ? JSON.parse(options.body) : options.body });
	const answer = answers.shift();
	if (!answer) throw new TypeError("fetch failed");
	return answer;
};
const ok = (json) => new Response(JSON.stringify(json), { headers: { "content-type": "application/json" } });
const refused = (status, code, reason, message = "não") =>
	new Response(JSON.stringify({ code, message, details: [{ type: "google.rpc.ErrorInfo", value: "", debug: { reason, domain: "hortifruti", metadata: { field: "name" } } }] }), { status, headers: { "content-type": "application/json" } });

beforeEach(() => {
	answers = [];
	asked = [];
});

test("a change that an earlier page left behind is finished under its id", async () => {
	assert.equal(pendingChanges().length, 1);
	answers = [ok({ movement: { sequence: "9" } })];
	const heard = new Promise((resolve) => onPending((record, answer) => record && resolve([record, answer])));
	resumePending();
	const [record, answer] = await heard;
	assert.equal(record.title, "Venda");
	assert.equal(answer.movement.sequence, "9");
	assert.deepEqual(asked[0].body, left.message);
	assert.equal(pendingChanges().length, 0);
	assert.equal(kept.get(PENDING), "[]");
});

test("a change is kept before it is sent, and repeated under the same id until it is answered", async () => {
	answers = [null, refused(503, "unavailable", "UNAVAILABLE"), refused(500, "unknown", "OUTCOME_UNKNOWN"), ok({ done: true })];
	let lost = 0;
	const end = onPending(() => retry());
	const done = change("BatchAdjustStock", { adjustments: [] }, { title: "Venda", onLost: () => (lost += 1) });
	const [record] = JSON.parse(kept.get(PENDING));
	assert.equal(record.message.requestId, record.id);
	const again = setInterval(retry, 5);
	assert.deepEqual(await done, { done: true });
	clearInterval(again);
	end();
	assert.equal(lost, 1);
	assert.equal(asked.length, 4);
	assert.deepEqual(new Set(asked.map(({ body }) => body.requestId)), new Set([record.id]));
	assert.equal(kept.get(PENDING), "[]");
});

test("a change whose answer was lost is not ended by a refusal of who repeats it", async () => {
	const wait = refused(401, "unauthenticated", "UNAUTHENTICATED");
	answers = [null, wait, refused(500, "internal", "INTERNAL"), ok({ done: true })];
	const done = change("BatchAdjustStock", { adjustments: [] });
	const again = setInterval(retry, 5);
	assert.deepEqual(await done, { done: true });
	clearInterval(again);
	assert.equal(new Set(asked.map(({ body }) => body.requestId)).size, 1);
	assert.equal(asked.length, 4);
	// The first answer to a change is one, whatever it says.
	answers = [refused(401, "unauthenticated", "UNAUTHENTICATED")];
	await assert.rejects(change("BatchAdjustStock", { adjustments: [] }), (error) => error.code === "unauthenticated");
	assert.equal(pendingChanges().length, 0);
});

test("changes that wait are sent one by one, the oldest first", async () => {
	answers = [null, null, null, refused(503, "unavailable", "UNAVAILABLE"), ok({}), refused(400, "failed_precondition", "INSUFFICIENT_STOCK"), ok({})];
	const done = [1, 2, 3].map((price) => change("UpdateProduct", { price }));
	await new Promise((resolve) => setTimeout(resolve, 20));
	// One that is not answered holds those behind it; a refusal is an answer.
	retry();
	await new Promise((resolve) => setTimeout(resolve, 20));
	assert.deepEqual(asked.map(({ body }) => body.price), [1, 2, 3, 1]);
	retry();
	const ended = await Promise.allSettled(done);
	assert.deepEqual(ended.map(({ status }) => status), ["fulfilled", "rejected", "fulfilled"]);
	assert.deepEqual(asked.slice(4).map(({ body }) => body.price), [1, 2, 3]);
});

test("a change that the browser cannot keep is not sent, and spoils no later one", async () => {
	const { setItem } = sessionStorage;
	sessionStorage.setItem = () => {
		throw new Error("quota");
	};
	await assert.rejects(change("ImportProducts", {}), (error) => error.message.includes("Nada foi feito"));
	sessionStorage.setItem = setItem;
	assert.deepEqual([asked.length, pendingChanges().length], [0, 0]);
	answers = [ok({ done: true })];
	assert.deepEqual(await change("AdjustStock", {}), { done: true });
});

test("a refused change is not repeated", async () => {
	answers = [refused(400, "failed_precondition", "INSUFFICIENT_STOCK", "estoque insuficiente")];
	await assert.rejects(change("AdjustStock", {}), (error) => {
		assert.ok(error instanceof ApiError);
		assert.deepEqual([error.reason, error.message, error.metadata.field, error.isLost], ["INSUFFICIENT_STOCK", "Estoque insuficiente", "name", false]);
		return true;
	});
	assert.equal(asked.length, 1);
	assert.equal(pendingChanges().length, 0);
});

test("a change can be given up", async () => {
	const done = change("AdjustStock", {}, { onLost: () => giveUp(pendingChanges()[0].id) });
	await assert.rejects(done, (error) => error.code === "canceled");
	assert.equal(pendingChanges().length, 0);
});

test("the server says how wrong the clock is, unless its answer comes late", async () => {
	answers = [ok({ role: "venda", name: "caixa", time: Date.now() - 600_000 })];
	await askIdentity();
	assert.ok(Math.abs(clock.ahead - 600_000) < 500, clock.ahead);
	const { now } = Date;
	let late = -3_600_000;
	Date.now = () => now() + (late += 3_600_000);
	answers = [ok({ role: "venda", name: "caixa", time: now() })];
	await askIdentity();
	Date.now = now;
	assert.ok(Math.abs(clock.ahead - 600_000) < 500, clock.ahead);
});

test("a token is asked once, and sent from then on", async () => {
	let questions = 0;
	login.ask = async () => {
		questions += 1;
		return "segredo";
	};
	answers = [refused(401, "unauthenticated", "UNAUTHENTICATED"), refused(401, "unauthenticated", "UNAUTHENTICATED"), ok({ a: 1 }), ok({ b: 2 })];
	const both = await Promise.all([call("ListProducts"), call("ListMovements")]);
	assert.deepEqual(both, [{ a: 1 }, { b: 2 }]);
	assert.equal(questions, 1);
	assert.equal(asked.at(-1).headers.Authorization, "Bearer segredo");
	answers = [new Response("a;b")];
	assert.equal(await fetchText("/report/sales"), "a;b");
	assert.equal(asked.at(-1).headers.Authorization, "Bearer segredo");
});

test("a person who gives no token gets the error", async () => {
	login.ask = async () => null;
	answers = [refused(401, "unauthenticated", "UNAUTHENTICATED", "este token é de leitura")];
	await assert.rejects(call("UndoMovement"), /Este token é de leitura/);
});

test("a token with too few rights is not asked for again", async () => {
	login.ask = async () => assert.fail("nobody is asked");
	const lacks = { code: "unauthenticated", message: "este token é de leitura", details: [{ type: "google.rpc.ErrorInfo", value: "", debug: { reason: "UNAUTHENTICATED", metadata: { role: "leitura" } } }] };
	answers = [new Response(JSON.stringify(lacks), { status: 401, headers: { "content-type": "application/json" } })];
	await assert.rejects(change("AdjustStock", {}), (error) => error.code === "permission_denied" && !error.isLost);
	assert.equal(asked.length, 1);
	assert.equal(pendingChanges().length, 0);
});

test("a change whose first answer was lost outlives its token", async () => {
	login.ask = async () => null;
	answers = [null, refused(401, "unauthenticated", "UNAUTHENTICATED", "este servidor não conhece o token")];
	const done = change("BatchAdjustStock", {}, { onLost: () => setTimeout(retry, 5) });
	await new Promise((resolve) => setTimeout(resolve, 100));
	assert.deepEqual([asked.length, pendingChanges().length], [2, 1]);
	login.ask = async () => "outro";
	answers = [refused(401, "unauthenticated", "UNAUTHENTICATED"), ok({ done: true })];
	retry();
	assert.deepEqual(await done, { done: true });
	assert.equal(asked.at(-1).headers.Authorization, "Bearer outro");
	assert.equal(pendingChanges().length, 0);
});

test("the messages of a stream may come in any pieces", async () => {
	const bytes = [];
	const add = (flags, json) => {
		const data = new TextEncoder().encode(JSON.stringify(json));
		bytes.push(flags, 0, 0, data.length >> 8, data.length & 255, ...data);
	};
	for (let at = 1; at <= 3; at += 1) add(0, { movement: { sequence: String(at), productName: "Maçã" } });
	add(2, {});
	for (const size of [1, 3, 7, bytes.length]) {
		const body = new ReadableStream({
			start(controller) {
				for (let at = 0; at < bytes.length; at += size) controller.enqueue(Uint8Array.from(bytes.slice(at, at + size)));
				controller.close();
			},
		});
		answers = [new Response(body, { headers: { "content-type": "application/connect+json" } })];
		const seen = [];
		let opened = 0;
		await stream("WatchMovements", { afterSequence: "0" }, (message) => seen.push(message.movement.sequence), undefined, () => (opened += 1));
		assert.deepEqual([seen, opened], [["1", "2", "3"], 1]);
	}
	// The end of a stream without its last envelope is a lost connection.
	answers = [new Response(Uint8Array.from(bytes.slice(0, 40)), { headers: { "content-type": "application/connect+json" } })];
	await assert.rejects(stream("WatchMovements", {}, () => {}), (error) => error.isLost);
});

test("a server that is not ours is a lost connection, and not an answer", async () => {
	answers = [new Response("<html>", { status: 502 })];
	await assert.rejects(call("GetProduct"), (error) => error.isLost && error.code === "unavailable");
	answers = [new Response("<html>", { headers: { "content-type": "text/html" } })];
	await assert.rejects(call("GetProduct"), (error) => error.isLost);
});

test("request ids are short and never the same", () => {
	const ids = new Set(Array.from({ length: 1000 }, newRequestId));
	assert.equal(ids.size, 1000);
	assert.ok([...ids].every((id) => id.length <= 64));
});
