// Calls of the server by the Connect protocol, in JSON. A change is kept in the tab under its id until it is
// answered, and is repeated under that id after a lost connection or a reload: it is made once, and never lost.

import { setIdentity, whoAmI } from "./rights.js";

const SERVICE = "/hortifruti.v1.InventoryService/";
const TOKEN_KEY = "hortifruti.token";
const PENDING_KEY = "hortifruti.pending";
/// The time that an answer may take, in milliseconds; then the connection counts as lost.
const ANSWER_MS_MAX = 10_000;
/// The time within which an answer is of the moment of its question, in milliseconds.
export const QUICK_MS_MAX = 1_000;
/// The waits between two attempts, in milliseconds.
const WAIT_MS_MIN = 500;
const WAIT_MS_MAX = 8_000;
/// The longest time of a timer, in milliseconds: until something wakes.
const FOREVER_MS = 2 ** 31 - 1;
/// The time that a file may take to come and to be read, in milliseconds: the server waits for it and its turn as long.
const FILE_MS_MAX = 60_000;
/// The envelope of a message on a stream: one byte of flags, four of length.
const ENVELOPE_BYTES = 5;
const FLAG_END = 2;

/// An error of a call. `reason` is the stable code of the server's table, such as `INSUFFICIENT_STOCK`.
export class ApiError extends Error {
	constructor({ code = "unknown", reason = "", message, metadata = {}, isLost = false }) {
		super(message);
		this.name = "ApiError";
		this.code = code;
		this.reason = reason;
		this.metadata = metadata;
		/// Whether no answer came, so that a change may have been made or not.
		this.isLost = isLost;
	}
}

/// Asks the person for a token; `app.js` puts a dialog here. Takes why, returns the token or `null`.
export const login = { ask: async () => null };

let token = sessionStorage.getItem(TOKEN_KEY) ?? "";
let asking = null;

/// Asks for another token, and begins again with it.
export async function changeToken() {
	// Those behind one that needs another token wait for it too.
	if (pending.length > 0 && !pending[0].needsToken) throw new Error("Uma mudança espera resposta. Aguarde, ou desista dela, antes de entrar com outro token.");
	const given = await login.ask("");
	if (!given) return;
	takeToken(given);
	setIdentity({});
	location.reload();
}

/// Reads, or asks for what changes nothing that must not be lost. Throws an `ApiError`.
export async function call(name, message = {}, { signal } = {}) {
	return await withToken(() => post(name, message, signal));
}

/// Changes something. Puts a `requestId` into the message and keeps it in the tab until the server has answered.
/// `title` says in the banner what waits; `meta` is kept with it; `id` is another request id than a new one. `onLost` is called once if the first answer
/// does not come; the change goes on under its id. Throws an `ApiError` if the server refuses the change.
export function change(name, message, { title = "Mudança", meta = null, onLost = null, id = newRequestId() } = {}) {
	const record = { id, name, message, title, meta, madeAt: Date.now() };
	record.message = { ...message, requestId: record.id };
	pending.push(record);
	try {
		keep();
	} catch {
		// What cannot be kept is not sent: it could be lost.
		pending.pop();
		return Promise.reject(new ApiError({ message: "O navegador não tem lugar para guardar a mudança até a resposta. Nada foi feito." }));
	}
	return finish(record, onLost);
}

/// The changes without an answer: `{ id, name, message, title, meta, madeAt }`, oldest first.
export function pendingChanges() {
	return [...pending];
}

/// Calls a listener with `(record, answer, error)` when a change is answered that had lost its connection or its
/// page, and with `()` whenever the list of waiting changes differs. Returns the function that ends it.
export function onPending(listener) {
	pendingListeners.add(listener);
	return () => pendingListeners.delete(listener);
}

/// Gives up a waiting change. The server may have made it.
export function giveUp(id) {
	const record = pending.find((record) => record.id === id);
	if (!record) return;
	record.isGivenUp = true;
	settle(record);
}

/// Goes on with the changes that an earlier page of this tab left behind.
export function resumePending() {
	for (const record of pending) {
		resumed.add(record.id);
		record.isLost = true;
		if (!record.isRunning) finish(record, null).catch(() => {});
	}
}

/// Whether this page went on with a change of an earlier one.
export function isResumed(id) {
	return resumed.has(id);
}

/// Ends the waits between attempts: the connection is back, or the person wants to know.
export function retry() {
	for (const wake of [...waiting]) wake();
}

/// Sends a message and calls `onMessage` with each message of the answer. `onOpen` is called when the server has
/// taken the stream. Resolves when the server ends it, and throws an `ApiError` otherwise.
export async function stream(name, message, onMessage, signal, onOpen = () => {}) {
	return await withToken(async () => {
		const body = envelope(new TextEncoder().encode(JSON.stringify(message)));
		const response = await reach(SERVICE + name, {
			method: "POST",
			headers: headers("application/connect+json"),
			body,
			signal,
		});
		if (!response.ok || !response.headers.get("content-type")?.startsWith("application/connect+json")) {
			throw await errorOf(response);
		}
		onOpen();
		try {
			for await (const { flags, data } of envelopes(response.body)) {
				const json = JSON.parse(new TextDecoder().decode(data));
				if (flags & FLAG_END) {
					if (json.error) throw errorOfJson(json.error);
					return;
				}
				onMessage(json);
			}
		} catch (error) {
			throw error instanceof ApiError ? error : lost(error);
		}
		throw lost();
	});
}

/// By how many milliseconds the clock of this device is ahead of the server's, and within how many that is known.
export const clock = { ahead: 0, within: Infinity };

/// Asks the server what the token may do, and the time.
export async function askIdentity() {
	const asked = Date.now();
	const identity = JSON.parse(await fetchText("/role"));
	const within = (Date.now() - asked) / 2;
	const ahead = asked + within - identity.time;
	// The quickest answer knows best, until another one contradicts it: then somebody has set a clock.
	if (within < clock.within || Math.abs(ahead - clock.ahead) > within + clock.within) Object.assign(clock, { ahead, within });
	setIdentity(identity);
}

/// Fetches a text, such as a report as CSV.
export async function fetchText(path) {
	return await withToken(async () => {
		const response = await reach(path, { headers: headers(null), signal: AbortSignal.timeout(ANSWER_MS_MAX) });
		if (!response.ok) throw await errorOf(response);
		return await response.text();
	});
}

/// Sends a body to a path that takes other content than a call, such as a price list. Returns its JSON.
export async function postFile(path, body, contentType) {
	return await withToken(async () => {
		const response = await reach(path, { method: "POST", headers: headers(contentType), body, signal: AbortSignal.timeout(FILE_MS_MAX) });
		if (!response.ok) throw await errorOf(response);
		return await response.json();
	});
}

/// A request id that nobody else makes. `crypto.randomUUID` is missing where a page comes over plain HTTP.
export function newRequestId() {
	const bytes = crypto.getRandomValues(new Uint8Array(16));
	return `painel-${[...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

const pending = readPending();
const resumed = new Set();
const pendingListeners = new Set();
const waiting = new Set();

function readPending() {
	try {
		return JSON.parse(sessionStorage.getItem(PENDING_KEY)) ?? [];
	} catch {
		return [];
	}
}

function keep() {
	const plain = pending.map(({ id, name, message, title, meta, madeAt }) => ({ id, name, message, title, meta, madeAt }));
	sessionStorage.setItem(PENDING_KEY, JSON.stringify(plain));
	for (const listener of [...pendingListeners]) listener();
}

function settle(record) {
	const place = pending.indexOf(record);
	if (place >= 0) pending.splice(place, 1);
	keep();
	// The next one that waits.
	retry();
}

async function finish(record, onLost) {
	record.isRunning = true;
	// A record of an earlier page has nobody who awaits it.
	let hasLost = record.madeAt < pageBegan;
	for (let wait = WAIT_MS_MIN; ; wait = Math.min(2 * wait, WAIT_MS_MAX)) {
		// What waits is sent one by one, the oldest first: of two prices the later one stands.
		while (!record.isGivenUp && record.isLost && pending.find(({ isLost }) => isLost) !== record) await pause(FOREVER_MS);
		if (record.isGivenUp) throw new ApiError({ code: "canceled", message: "Você desistiu desta mudança." });
		try {
			const answer = await withToken(() => post(record.name, record.message));
			settle(record);
			if (hasLost) announce(record, answer, null);
			return answer;
		} catch (error) {
			if (record.isGivenUp) throw error;
			if (!isInDoubt(error, hasLost)) {
				settle(record);
				if (hasLost) announce(record, null, error);
				throw error;
			}
			record.needsToken = ["unauthenticated", "permission_denied"].includes(error.code);
			if (!hasLost) {
				hasLost = true;
				record.isLost = true;
				onLost?.(error);
				for (const listener of [...pendingListeners]) listener();
			}
		}
		// Nobody is asked again and again for a token.
		await pause(record.needsToken ? FOREVER_MS : wait);
	}
}

const pageBegan = Date.now();

function announce(record, answer, error) {
	for (const listener of [...pendingListeners]) listener(record, answer, error);
}

/// Whether a change may have been made, or can be made later as it is. One that had lost its answer may be made although
/// its repetition is refused for the token or a defect.
function isInDoubt(error, hasLost) {
	const codes = ["unavailable", "resource_exhausted", "deadline_exceeded", ...(hasLost ? ["unauthenticated", "permission_denied", "internal"] : [])];
	return error.isLost || codes.includes(error.code) || error.reason === "OUTCOME_UNKNOWN";
}

function pause(milliseconds) {
	return new Promise((resolve) => {
		const wake = () => {
			clearTimeout(timer);
			waiting.delete(wake);
			resolve();
		};
		const timer = setTimeout(wake, milliseconds);
		waiting.add(wake);
	});
}

async function post(name, message, signal) {
	const time = AbortSignal.timeout(ANSWER_MS_MAX);
	const response = await reach(SERVICE + name, {
		method: "POST",
		headers: { ...headers("application/json"), "Connect-Timeout-Ms": String(ANSWER_MS_MAX) },
		body: JSON.stringify(message),
		signal: signal ? AbortSignal.any([signal, time]) : time,
	});
	if (!response.ok) throw await errorOf(response);
	try {
		return await response.json();
	} catch (error) {
		throw lost(error);
	}
}

function headers(contentType) {
	const all = {};
	if (contentType) Object.assign(all, { "Content-Type": contentType, "Connect-Protocol-Version": "1" });
	if (token) all.Authorization = `Bearer ${token}`;
	return all;
}

async function reach(path, options) {
	try {
		return await fetch(path, { ...options, cache: "no-store" });
	} catch (error) {
		throw lost(error);
	}
}

function lost(cause) {
	const isEnded = cause?.name === "AbortError";
	return new ApiError({
		code: isEnded ? "canceled" : "unavailable",
		message: "O servidor não respondeu.",
		isLost: !isEnded,
	});
}

/// Runs a call, and asks for the token if the server wants one or another one.
async function withToken(run) {
	for (;;) {
		const used = token;
		try {
			return await run();
		} catch (error) {
			if (error.code !== "unauthenticated") throw error;
			// Another call may have asked meanwhile.
			if (token !== used) continue;
			asking ??= login.ask(used ? error.message : "").finally(() => (asking = null));
			const given = await asking;
			if (!given) throw error;
			takeToken(given);
		}
	}
}

function takeToken(given) {
	token = given;
	sessionStorage.setItem(TOKEN_KEY, token);
	retry();
}

async function errorOf(response) {
	let json = null;
	try {
		json = await response.json();
	} catch {
		// Not every answer between here and the server is one of the server.
	}
	if (json?.code) return errorOfJson(json);
	const isLost = response.status >= 500;
	const code = { 401: "unauthenticated", 404: "unimplemented", 429: "resource_exhausted" }[response.status] ?? (isLost ? "unavailable" : "unknown");
	const message = json?.message ?? `O servidor respondeu com o código ${response.status}.`;
	return new ApiError({ code, message, isLost });
}

function errorOfJson({ code, message, details = [] }) {
	const info = details.find((detail) => detail.type === "google.rpc.ErrorInfo");
	const { reason = "", metadata = {} } = info?.debug ?? {};
	// A token with too few rights is not a wrong one, and is not asked for again.
	if (metadata.role) {
		code = "permission_denied";
		setIdentity({ role: metadata.role, name: whoAmI().name });
	}
	return new ApiError({ code, reason, metadata, message: message ? message[0].toUpperCase() + message.slice(1) : "O servidor recusou o pedido." });
}

function envelope(data) {
	const bytes = new Uint8Array(ENVELOPE_BYTES + data.length);
	new DataView(bytes.buffer).setUint32(1, data.length);
	bytes.set(data, ENVELOPE_BYTES);
	return bytes;
}

async function* envelopes(body) {
	const reader = body.getReader();
	let rest = new Uint8Array(0);
	try {
		for (;;) {
			const { done, value } = await reader.read();
			if (done) return;
			const bytes = new Uint8Array(rest.length + value.length);
			bytes.set(rest);
			bytes.set(value, rest.length);
			let at = 0;
			while (bytes.length - at >= ENVELOPE_BYTES) {
				const length = new DataView(bytes.buffer).getUint32(at + 1);
				const end = at + ENVELOPE_BYTES + length;
				if (bytes.length < end) break;
				yield { flags: bytes[at], data: bytes.subarray(at + ENVELOPE_BYTES, end) };
				at = end;
			}
			rest = bytes.slice(at);
		}
	} finally {
		reader.cancel().catch(() => {});
	}
}
