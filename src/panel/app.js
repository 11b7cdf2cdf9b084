// The panel: navigation, the state of the connection, and one page at a time. Each page is a module with
// `title` and `open(root, context)`, which returns the function that closes it.

import { changeToken, giveUp, login, onPending, pendingChanges } from "./api.js";
import { restoreCart } from "./cart.js";
import { catalog } from "./catalog.js";
import { ask, askToken, showError, toast } from "./dialog.js";
import { clear, emptyNote, h, icon } from "./dom.js";
import { live } from "./live.js";
import { may, onIdentity, rolesWith, whoAmI } from "./rights.js";

/// `right` is what a token needs for the page, and `does` what it does there.
const PAGES = [
	{ path: "balcao", label: "Balcão", icon: "till", isMain: true, right: "sell", does: "vender" },
	{ path: "estoque", label: "Estoque", icon: "stock", isMain: true, right: "read", does: "ver o estoque" },
	{ path: "movimentos", label: "Movimentos", icon: "moves", isMain: true, right: "read", does: "ver os movimentos" },
	{ path: "contagem", label: "Contagem", icon: "count", isMain: true, right: "count", does: "contar" },
	{ path: "compras", label: "Compras", icon: "buy", right: "write", does: "registrar compras" },
	{ path: "relatorios", label: "Relatórios", icon: "report", right: "read", does: "ver relatórios" },
	{ path: "importar", label: "Importar", icon: "import", right: "write", does: "importar" },
];

const main = document.getElementById("main");
const nav = document.getElementById("nav");
const banner = document.getElementById("banner");
/// Changes that waited for the server and were refused, until a person has seen it, and says what becomes of a sale.
const REFUSED_KEY = "hortifruti.refused";
const refused = JSON.parse(sessionStorage.getItem(REFUSED_KEY)) ?? [];
refused.sort((one, other) => one.madeAt - other.madeAt);
let isAsking = false;
const stateLine = document.getElementById("state");

/// What a page may need from the panel.
const context = {
	navigate: (path) => {
		location.hash = `#/${path}`;
	},
};

let opened = { path: null, rights: "", close: () => {} };

login.ask = askToken;
buildNav();
window.addEventListener("hashchange", route);
onIdentity(() => {
	buildNav();
	route();
});
document.addEventListener("keydown", shortcuts);
live.onState(showState);
onPending(showPending);
window.addEventListener("beforeunload", (event) => {
	// A closed tab would lose what is not answered yet.
	if (pendingChanges().length > 0) event.preventDefault();
});
// A file that misses its place would replace the panel.
for (const type of ["dragover", "drop"]) window.addEventListener(type, (event) => event.dataTransfer.types.includes("Files") && event.preventDefault());
setInterval(() => live.state !== "ligado" && showState(), 1000);
showState();
live.start();
route();
if (refused.length > 0) askRefused();

function buildNav() {
	const link = (page) => {
		const key = PAGES.indexOf(page) + 1;
		return h("li", {}, h("a", { href: `#/${page.path}`, data: { path: page.path }, "aria-keyshortcuts": `Alt+${key}`, title: `Alt+${key}` }, icon(page.icon), h("span", {}, page.label)));
	};
	const shown = PAGES.filter(({ right }) => may(right));
	const { role, name } = whoAmI();
	const own = role && h("li", {}, h("button", { class: "nav-own", title: `${name} (${role}): entrar com outro token`, onclick: otherToken }, icon("person"), h("span", {}, h("bdi", {}, name), h("small", {}, `${role} · trocar`))));
	const rest = [...shown.filter(({ isMain }) => !isMain).map(link), own].filter(Boolean);
	// On a phone the last pages are behind one button.
	const more = h("button", { class: "nav-more", "aria-expanded": "false", "aria-controls": "nav-rest", onclick: () => openMore(more.getAttribute("aria-expanded") !== "true") }, icon("more"), h("span", {}, "Mais"));
	clear(nav, shown.filter(({ isMain }) => isMain).map(link),
		rest.length > 0 && [h("li", { class: "nav-rest", id: "nav-rest" }, h("ul", {}, rest)), h("li", { class: "nav-more-item" }, more)]);
	markPage();
}

function openMore(isOpen) {
	nav.classList.toggle("is-open", isOpen);
	nav.querySelector(".nav-more")?.setAttribute("aria-expanded", String(isOpen));
}

function markPage() {
	for (const link of nav.querySelectorAll("a")) {
		if (link.dataset.path === opened.path) link.setAttribute("aria-current", "page");
		else link.removeAttribute("aria-current");
	}
}

async function route() {
	const path = location.hash.replace(/^#\/?/, "").split("?")[0];
	// The link for skipping the navigation is no page.
	if (path === "main") return main.focus();
	const page = PAGES.find((page) => page.path === path) ?? PAGES.find(({ right }) => may(right));
	// A page shows what it may do, and is opened again if that changes.
	const rights = ["read", "count", "sell", "write"].filter(may).join();
	openMore(false);
	if (page.path === opened.path && rights === opened.rights) return;
	const isFirst = opened.path === null;
	// What a page asks goes with it; the token is asked for all pages.
	for (const dialog of document.querySelectorAll("dialog[open]:not(:has([type=password]))")) dialog.close();
	opened.close();
	const turn = (opened = { path: page.path, rights, close: () => {} });
	markPage();
	document.body.dataset.page = page.path;
	document.title = `${page.label} · hortifruti`;
	if (!may(page.right)) return clear(main, deniedNode(page));
	let module;
	try {
		module = await import(`./${page.path}.js`);
	} catch (error) {
		console.error(error);
		if (opened !== turn) return;
		// The browser keeps a module that failed to load: only a reload asks for it again.
		clear(main, emptyNote(`A página ${page.label} não abriu.`, "O servidor não a enviou. Confira a conexão e tente de novo.", h("button", { class: "button primary", onclick: () => location.reload() }, "Tentar de novo")));
		opened.path = "";
		return;
	}
	// Another page was chosen meanwhile.
	if (opened !== turn) return;
	clear(main);
	main.scrollTop = 0;
	if (!isFirst) main.focus({ preventScroll: true });
	const close = module.open(main, context);
	opened.close = () => {
		close?.();
		clear(main);
	};
}

function otherToken() {
	changeToken().catch(showError);
}

/// Why a page is not shown to this token, and what to do.
function deniedNode({ label, right, does }) {
	return h("div", { class: "page" }, h("div", { class: "page-head" }, h("h1", {}, label)),
		h("div", { class: "card empty" },
			h("p", { class: "empty-title" }, `Este acesso (${whoAmI().role}) não permite ${does}.`),
			h("p", {}, `Peça a quem cuida do servidor um token de ${rolesWith(right)}.`),
			h("button", { class: "button primary", onclick: otherToken }, "Entrar com outro token")));
}

function shortcuts(event) {
	if (!event.altKey || event.ctrlKey || event.metaKey || document.querySelector("dialog[open]")) return;
	const page = PAGES[Number(event.key) - 1];
	if (!page || !may(page.right)) return;
	event.preventDefault();
	context.navigate(page.path);
}

function showState() {
	const words = { ligado: "Ao vivo", religando: "Conectando…", fora: "Sem conexão" };
	if (stateLine.dataset.state !== live.state) {
		stateLine.dataset.state = live.state;
		clear(stateLine, words[live.state]);
	}
	showBanner();
}

/// One banner says what is lost and what waits. It changes only where its words do, so that it is not read again
/// every second.
function showBanner() {
	const waiting = pendingChanges().filter((record) => record.isLost);
	const isOut = live.state === "fora";
	banner.hidden = !isOut && waiting.length === 0;
	if (banner.hidden) return clear(banner);
	const key = JSON.stringify([isOut, live.reason, live.holder, waiting.map(({ id }) => id)]);
	if (banner.dataset.key !== key || !banner.firstChild) {
		banner.dataset.key = key;
		const said = live.reason || "Sem conexão com o servidor. O que está na tela pode ter mudado.";
		clear(banner, h("div", { class: "banner" },
			icon("offline"),
			h("div", { class: "banner-text" },
				isOut && h("p", {}, h("strong", {}, said), " ", h("span", { class: "banner-wait", "aria-live": "off" })),
				waiting.length > 0 && h("p", {}, waiting.length === 1 ? "Uma mudança espera resposta e será terminada, uma vez só:" : `${waiting.length} mudanças esperam resposta e serão terminadas, uma vez cada:`),
				waiting.length > 0 && h("ul", { class: "banner-list" }, waiting.map((record) => h("li", {}, h("span", {}, record.title), h("button", { class: "button small", onclick: () => stopWaiting(record) }, "Desistir"))))),
			isOut && live.holder && h("a", { class: "button", href: `${location.protocol}//${live.holder}/${location.hash}` }, "Abrir a loja lá"),
			h("button", { class: "button", onclick: () => live.retryNow() }, "Tentar agora")));
	}
	const seconds = Math.max(0, Math.ceil((live.nextAttempt - Date.now()) / 1000));
	const wait = banner.querySelector(".banner-wait");
	if (wait) wait.textContent = live.nextAttempt === 0 ? "" : seconds > 0 ? `Nova tentativa em ${seconds} s.` : "Tentando…";
}

async function stopWaiting(record) {
	const isSure = await ask({
		title: "Desistir da mudança?",
		body: `${record.title}: o servidor pode já ter recebido o pedido. Depois de desistir, confira em Movimentos se ele foi feito.`,
		confirm: "Desistir",
		cancel: "Continuar esperando",
		isDanger: true,
	});
	if (isSure) giveUp(record.id);
}

/// A change that had lost its connection or its page is answered.
async function showPending(record, answer, error) {
	showBanner();
	if (!record) return;
	if (!error) return void toast(`${record.title}: feita.`);
	refused.push({ madeAt: record.madeAt, body: `${record.title}: ${error.message}`, lines: record.meta?.lines });
	askRefused();
}

/// Asks about one refused change after the other. Each is kept until it is answered, also over a reload.
async function askRefused() {
	const keep = () => sessionStorage.setItem(REFUSED_KEY, JSON.stringify(refused));
	keep();
	if (isAsking) return;
	isAsking = true;
	while (refused.length > 0) {
		const [{ body, lines }] = refused;
		const choice = lines ? { confirm: "Voltar ao balcão com ela", cancel: "Descartar a venda" } : { confirm: "Entendi", cancel: "" };
		const isBack = await ask({ title: `Uma ${lines ? "venda" : "mudança"} guardada não foi feita`, body, ...choice });
		// Whoever only closed it has not answered.
		if (isBack === null) continue;
		refused.shift();
		keep();
		if (!isBack || !lines) continue;
		restoreCart(lines);
		context.navigate("balcao");
	}
	isAsking = false;
}

// For tests and for the curious: what this tab knows.
window.hortifruti = { catalog, live };
