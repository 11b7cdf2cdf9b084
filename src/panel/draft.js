// What a page has that is not booked yet, such as a count or a purchase: kept in the browser, so that a reload
// loses nothing; and sent as one change, so that a lost answer never books it twice.

import { ApiError, call, change, isResumed, onPending, pendingChanges } from "./api.js";
import { ask, showError } from "./dialog.js";
import { h, icon } from "./dom.js";
import { button } from "./parts.js";

/// A draft under a key of the storage. `value` is plain JSON; `sent` inside it is the change that has no answer yet.
export class Draft {
	#key;
	#storage;
	#initial;
	#isSending = false;

	constructor(key, initial, storage = sessionStorage) {
		this.#key = key;
		this.#storage = storage;
		this.#initial = initial;
		this.read();
	}

	/// Reads it again: another tab may have written it.
	read() {
		this.value = structuredClone(this.#initial);
		try {
			Object.assign(this.value, JSON.parse(this.#storage.getItem(this.#key)));
		} catch {
			// A draft that nobody can read is none.
		}
		return this.value;
	}

	/// Writes these fields, beside those that another tab may have written.
	write(fields) {
		Object.assign(this.read(), fields);
		this.#storage.setItem(this.#key, JSON.stringify(this.value));
	}

	clear() {
		this.#storage.removeItem(this.#key);
		this.read();
	}

	/// Sends a change for this draft and returns its answer. Until then `value.sent` has its id, name and message.
	async send(name, message, title, onLost = null, id = undefined) {
		const answer = change(name, message, { title, meta: { draft: this.#key }, onLost, id });
		const record = pendingChanges().findLast((record) => record.meta?.draft === this.#key);
		if (record) this.write({ sent: { id: record.id, name, message: record.message, title } });
		this.#isSending = true;
		try {
			return await answer;
		} finally {
			this.#isSending = false;
			this.write({ sent: null });
		}
	}

	/// Whether an earlier page sent a change and did not live to see its answer.
	get isLeft() {
		return Boolean(this.value.sent) && !this.#isSending;
	}

	/// Whether a change of an earlier page is still on its way.
	isOnItsWay() {
		return pendingChanges().some((record) => record.id === this.value.sent?.id);
	}

	/// The first answer to the change that an earlier page sent: it is repeated under its id, and so is made once.
	async answerOfSent() {
		const { sent } = this.value;
		const record = pendingChanges().find(({ id }) => id === sent.id);
		if (record) await new Promise((resolve) => {
			const end = onPending(() => {
				if (this.isOnItsWay()) return;
				end();
				resolve();
			});
		});
		if (record?.isGivenUp) throw new ApiError({ code: "canceled", message: "Você desistiu desta mudança." });
		const answer = await call(sent.name, sent.message);
		this.write({ sent: null });
		return answer;
	}
}

/// A notice about a change that an earlier page sent. `onAnswer` gets its answer and the message.
export function sentNotice(draft, text, onAnswer, show) {
	const finish = button("Concluir e ver o resultado", run, { class: "button primary" });
	const back = button("Voltar a editar", giveUp, { disabled: draft.isOnItsWay() });

	async function run() {
		finish.disabled = back.disabled = true;
		try {
			const { message } = draft.value.sent;
			await onAnswer(await draft.answerOfSent(), message);
		} catch (error) {
			// A refusal is an answer too: nothing was booked.
			if (!error.isLost) draft.write({ sent: null });
			showError(error);
			show();
		}
	}

	async function giveUp() {
		const isSure = await ask({ title: "Voltar a editar?", body: "O servidor pode já ter registrado o que foi enviado. Confira em Movimentos antes de enviar de novo.", confirm: "Voltar a editar" });
		if (!isSure) return;
		draft.write({ sent: null });
		show();
	}

	// What this page goes on with by itself has an answer, now or soon.
	if (isResumed(draft.value.sent.id)) run();
	return h("div", { class: "card notice", role: "status" }, icon("alert"), h("p", {}, text), h("div", { class: "toolbar" }, back, finish));
}
