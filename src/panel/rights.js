// What the token of this tab may do, so that no page offers what the server would refuse. The server decides.

const KEY = "hortifruti.role";

/// The rights of each role, as on the server.
const RIGHTS = {
	leitura: ["read"],
	contagem: ["count"],
	venda: ["read", "sell"],
	escrita: ["read", "count", "sell", "write"],
};

const NOBODY = { role: "", name: "" };
const listeners = new Set();
let own = kept();

function kept() {
	try {
		return JSON.parse(sessionStorage.getItem(KEY)) ?? NOBODY;
	} catch {
		return NOBODY;
	}
}

/// The role and the name of the token; both empty without one, and until the server has said them.
export function whoAmI() {
	return own;
}

/// Whether the token permits something: "read", "count", "sell" or "write".
export function may(right) {
	return rightsOf(own.role).includes(right);
}

/// The roles that permit something, as a person says them: `venda ou escrita`.
export function rolesWith(right) {
	return Object.keys(RIGHTS).filter((role) => RIGHTS[role].includes(right)).join(", ").replace(/, (\w+)$/, " ou $1");
}

/// Takes what the server says of the token.
export function setIdentity({ role = "", name = "" }) {
	const before = own;
	own = { role, name };
	sessionStorage.setItem(KEY, JSON.stringify(own));
	if (before.role !== role || before.name !== name) for (const listener of [...listeners]) listener();
}

/// Calls a listener when another role or name is known.
export function onIdentity(listener) {
	listeners.add(listener);
}

/// A server without tokens permits everything, and so may one that has said nothing yet.
function rightsOf(role) {
	return RIGHTS[role] ?? RIGHTS.escrita;
}
