// The live connection of this tab: loads the catalog, and follows the ledger from the sequence number that it
// had before. One stream serves all pages.

import { ApiError, askIdentity, call, pendingChanges, resumePending, retry, stream } from "./api.js";
import { catalog, movement } from "./catalog.js";
import { may } from "./rights.js";

/// Products on one page of the catalog.
const PAGE_PRODUCTS = 1000;
/// The longest silence of a stream, in milliseconds: more than two heartbeats of the server.
const SILENCE_MS_MAX = 35_000;
/// The waits between two attempts, in milliseconds.
const WAIT_MS_MIN = 300;
const WAIT_MS_MAX = 5_000;
/// The wait before the catalog is loaded again, in milliseconds, so that an import of many products loads it once.
const RELOAD_MS = 200;
/// The time between two looks at the server with a token that may not read, in milliseconds.
const ATTEND_MS = 10_000;
/// The time after which a page that nobody sees stops following, in milliseconds.
const HIDDEN_MS_MAX = 5_000;
/// The longest time of a timer, in milliseconds.
const FOREVER_MS = 2 ** 31 - 1;

/// The state of the connection: `state` is "ligado", "religando" or "fora"; `sequence` the last movement seen.
export const live = {
	state: "religando",
	sequence: 0,
	/// Why the connection is lost, in words for a person.
	reason: "",
	/// Where the shop is, if this server stands by and another one writes.
	holder: "",
	/// When the next attempt begins, in milliseconds since 1970.
	nextAttempt: 0,
	/// Calls a listener with each movement as it becomes durable. Returns the function that ends it.
	onMovement: (listener) => subscribe(movementListeners, listener),
	/// Calls a listener when the state changes. Returns the function that ends it.
	onState: (listener) => subscribe(stateListeners, listener),
	/// Calls a listener after a gap that could not be followed movement by movement. Returns the function that ends it.
	onReload: (listener) => subscribe(reloadListeners, listener),
	/// Begins. Returns when the catalog is there for the first time.
	start,
	/// Tries again now.
	retryNow,
};

const movementListeners = new Set();
const stateListeners = new Set();
const reloadListeners = new Set();
let wake = () => {};
/// A page that nobody sees follows nothing: a browser opens six connections to a server for all of its pages, also for
/// those that were left and may be gone back to.
let isResting = false;
let hiding = null;
let connection = null;
let reloadTimer = null;
/// The movements that arrive while the catalog is loading.
let loading = null;

function subscribe(listeners, listener) {
	listeners.add(listener);
	return () => listeners.delete(listener);
}

function setState(state, reason = "") {
	if (live.state === state && live.reason === reason) return;
	live.state = state;
	live.reason = reason;
	for (const listener of [...stateListeners]) listener(state);
}

function retryNow() {
	retry();
	wake();
}

function start() {
	window.addEventListener("online", retryNow);
	window.addEventListener("pagehide", rest);
	window.addEventListener("pageshow", goOn);
	document.addEventListener("visibilitychange", look);
	look();
	// What has lost its page goes on; what has lost its connection does so by itself.
	if (pendingChanges().length > 0) resumePending();
	return new Promise((resolve) => follow(resolve));
}

function rest() {
	isResting = true;
	connection?.abort();
}

function goOn() {
	isResting = false;
	retryNow();
}

function look() {
	clearTimeout(hiding);
	if (document.visibilityState === "visible") goOn();
	else hiding = setTimeout(rest, HIDDEN_MS_MAX);
}

async function follow(loaded) {
	let wait = WAIT_MS_MIN;
	for (;;) {
		let isRefused = false;
		while (isResting) await pause(FOREVER_MS);
		try {
			await connect(() => {
				wait = WAIT_MS_MIN;
				setState("ligado");
				retry();
				loaded();
			});
			setState("religando");
		} catch (error) {
			if (!(error instanceof ApiError)) throw error;
			if (isResting) {
				setState("religando");
				continue;
			}
			// Without a token nobody is asked again and again.
			isRefused = error.code === "unauthenticated";
			live.nextAttempt = isRefused ? 0 : Date.now() + wait;
			live.holder = error.metadata.holder ?? "";
			setState("fora", error.isLost ? "" : error.message);
		}
		await pause(isRefused ? FOREVER_MS : wait);
		wait = Math.min(2 * wait, WAIT_MS_MAX);
	}
}

/// One connection: its beginning, the catalog, and the movements until it ends.
async function connect(connected) {
	const control = (connection = new AbortController());
	await askIdentity();
	if (!may("read")) return await attend(connected);
	const { lastSequence = 0, labelMasks = [] } = await call("GetStatus");
	catalog.labelMasks = labelMasks;
	// A copy that was put in place may end before what this tab has seen.
	if (live.sequence === 0 || Number(lastSequence) < live.sequence) live.sequence = Number(lastSequence);
	let silence = null;
	const heard = () => {
		clearTimeout(silence);
		silence = setTimeout(() => control.abort(), SILENCE_MS_MAX);
	};
	const onEvent = (event) => {
		heard();
		take(event);
	};
	heard();
	try {
		const followed = stream("WatchMovements", { afterSequence: String(live.sequence) }, onEvent, control.signal, heard);
		// How it ends is reported below, after the catalog is there.
		followed.catch(() => {});
		await loadCatalog();
		connected();
		await followed;
	} catch (error) {
		// The watch over the silence has ended the stream.
		if (error.code === "canceled") throw new ApiError({ code: "unavailable", message: "O servidor ficou em silêncio.", isLost: true });
		throw error;
	} finally {
		clearTimeout(silence);
		control.abort();
	}
}

/// What a connection is to a token that may follow nothing.
async function attend(connected) {
	connected();
	while (!may("read")) {
		await pause(ATTEND_MS);
		await askIdentity();
	}
}

function take(event) {
	if (event.movement) {
		const next = movement(event.movement);
		if (next.sequence <= live.sequence) return;
		live.sequence = next.sequence;
		if (loading) loading.push(next);
		else if (!catalog.apply(next)) reloadSoon();
		for (const listener of [...movementListeners]) listener(next);
	} else if (event.product) {
		// A new product, or one with a new name.
		if (loading || !catalog.update(event.product)) reloadSoon();
	} else if (event.heartbeatSequence) {
		live.sequence = Math.max(live.sequence, Number(event.heartbeatSequence));
	}
}

async function loadCatalog() {
	// A movement that arrives meanwhile is newer than the page with its product, or on it.
	const meanwhile = (loading = []);
	try {
		catalog.replace(await listProducts());
	} finally {
		if (loading === meanwhile) loading = null;
	}
	catalog.settle(meanwhile);
	for (const listener of [...reloadListeners]) listener();
}

async function listProducts() {
	const products = [];
	let pageToken = "";
	do {
		const page = await call("ListProducts", { pageSize: PAGE_PRODUCTS, pageToken, includeDiscontinued: true });
		products.push(...(page.products ?? []));
		pageToken = page.nextPageToken ?? "";
		// The first products are shown while the others arrive.
		if (!catalog.isLoaded && pageToken && products.length === PAGE_PRODUCTS) catalog.replace(products, false);
	} while (pageToken);
	return products;
}

function reloadSoon() {
	reloadTimer ??= setTimeout(async () => {
		try {
			await loadCatalog();
		} catch {
			// The stream has lost its connection too, and loads the catalog when it is back.
		} finally {
			reloadTimer = null;
		}
	}, RELOAD_MS);
}

function pause(milliseconds) {
	return new Promise((resolve) => {
		const timer = setTimeout(resolve, milliseconds);
		wake = () => {
			clearTimeout(timer);
			resolve();
		};
	});
}
