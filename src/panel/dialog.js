// Questions, notices and errors.

import { changeToken } from "./api.js";
import { h, icon, newId } from "./dom.js";

/// How long a notice stays, in milliseconds; with a button, people need longer.
const TOAST_MS = 5_000;
const TOAST_WITH_BUTTON_MS = 12_000;
/// How long after a scanner's Enter another one is still its own: some end a code by CR and LF.
const SCAN_MS = 200;
/// Notices that are shown together.
const TOASTS_MAX = 3;

/// Asks a question. `body` is a text or nodes. Returns whether the person confirmed, and `null` if Esc or another page
/// closed it. `isDanger` marks what cannot be taken back; without `cancel` there is one button.
export function ask({ title, body = "", confirm = "Confirmar", cancel = "Cancelar", isDanger = false }) {
	return new Promise((resolve) => {
		const yes = h("button", { type: "submit", class: `button ${isDanger ? "danger" : "primary"}`, value: "yes" }, confirm);
		const no = h("button", { class: "button", onclick: () => dialog.close("no") }, cancel);
		const dialog = openDialog({ title, isClosable: false }, [
			h("form", { method: "dialog" }, h("div", { class: "dialog-body" }, typeof body === "string" ? h("p", {}, body) : body), h("div", { class: "dialog-actions" }, cancel && no, yes)),
		]);
		dialog.addEventListener("close", () => resolve({ yes: true, no: false }[dialog.returnValue] ?? null));
		let isTyped = false;
		dialog.addEventListener("keydown", (event) => {
			// A scanner types wherever the focus is, and its Enter is no answer; nor is a space in what a person types.
			if (["Enter", " "].includes(event.key) && isTyped) {
				event.preventDefault();
				toast("O que foi lido não entrou: responda antes.", { kind: "warning" });
				setTimeout(() => (isTyped = false), SCAN_MS);
			} else isTyped = event.key.length === 1;
		});
		yes.focus();
	});
}

/// Opens a dialog with a title. It is removed when it closes. `kind` is "dialog" or "drawer".
export function openDialog({ title, kind = "dialog", isClosable = true }, children) {
	const id = newId("title");
	const close = isClosable && h("button", { class: "icon-button", "aria-label": "Fechar", onclick: () => dialog.close() }, icon("close"));
	const dialog = h("dialog", { class: kind, "aria-labelledby": id }, h("header", { class: "dialog-head" }, h("h2", { id }, title), close), children);
	const before = document.activeElement;
	dialog.addEventListener("close", () => {
		if (dialog.contains(region())) document.body.append(region());
		dialog.remove();
		if (before instanceof HTMLElement && before.isConnected) before.focus();
	});
	// A click beside it closes what has nothing to lose. A text that is selected to beyond the edge is no such click.
	let pressed = null;
	let isTouched = !isClosable;
	dialog.addEventListener("input", () => (isTouched = true));
	dialog.addEventListener("pointerdown", (event) => (pressed = event.target));
	dialog.addEventListener("click", (event) => {
		if (event.target === dialog && pressed === dialog && !isTouched) dialog.close();
	});
	document.body.append(dialog);
	dialog.showModal();
	return dialog;
}

/// Shows a notice for a while, and reads it to those who do not see it. `undo` is called by its button; another
/// button is `action: { label, run }`. `kind` is "ok", "warning" or "error".
export function toast(text, { undo = null, action = undo && { label: "Desfazer", run: undo }, kind = "ok" } = {}) {
	// What stands behind an open dialog is neither seen nor read.
	const parent = [...document.querySelectorAll("dialog[open]")].at(-1) ?? document.body;
	if (region().parentElement !== parent) parent.append(region());
	const close = () => {
		clearTimeout(timer);
		node.remove();
	};
	const run = async () => {
		close();
		try {
			await action.run();
		} catch (error) {
			showError(error);
		}
	};
	const node = h("div", { class: `toast ${kind}` },
		icon({ ok: "check", warning: "alert", error: "alert" }[kind]),
		h("p", {}, text),
		action && h("button", { class: "button small", onclick: run }, action.label),
		h("button", { class: "icon-button small", "aria-label": "Fechar aviso", onclick: close }, icon("close")));
	let timer = 0;
	const begin = () => {
		clearTimeout(timer);
		timer = setTimeout(close, action || kind === "error" ? TOAST_WITH_BUTTON_MS : TOAST_MS);
	};
	// Whoever reads or aims is not hurried.
	node.addEventListener("pointerenter", () => clearTimeout(timer));
	node.addEventListener("pointerleave", begin);
	node.addEventListener("focusin", () => clearTimeout(timer));
	node.addEventListener("focusout", begin);
	region().append(node);
	while (region().children.length > TOASTS_MAX) region().firstElementChild.remove();
	begin();
	return close;
}

function region() {
	return document.getElementById("toasts");
}

/// Shows why something was not done.
export function showError(error) {
	// An ended call is what the person asked for.
	if (error?.code === "canceled") return;
	const text = error?.isLost ? "O servidor não respondeu, e nada foi feito. Tente de novo quando a conexão voltar." : error?.message || String(error);
	const action = error?.code === "permission_denied" ? { label: "Outro acesso", run: changeToken } : undefined;
	toast(text, { kind: "error", action });
	if (!error?.code && !error?.readings) console.error(error);
}

/// Asks for the token of the server. Returns it, or `null`.
export function askToken(why) {
	return new Promise((resolve) => {
		const id = newId("token");
		const input = h("input", { id, type: "password", autocomplete: "current-password", required: true, spellcheck: "false", "aria-describedby": `${id}-help` });
		const error = h("p", { class: "field-error", role: "alert" }, why);
		let given = null;
		const submit = (event) => {
			event.preventDefault();
			given = input.value.trim();
			if (given) dialog.close();
		};
		const dialog = openDialog({ title: "Entrar", isClosable: false }, [
			h("form", { onsubmit: submit },
				h("div", { class: "dialog-body" },
					h("p", { id: `${id}-help` }, "Este servidor pede um token. Quem cuida dele cria um com ", h("code", {}, "hortifruti token new"), "."),
					h("label", { class: "field", for: id }, "Token"), input, why && error),
				h("div", { class: "dialog-actions" },
					h("button", { class: "button", onclick: () => dialog.close() }, "Agora não"),
					h("button", { type: "submit", class: "button primary" }, "Entrar"))),
		]);
		dialog.addEventListener("close", () => resolve(given));
		input.focus();
	});
}
