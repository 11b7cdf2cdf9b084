// Builds elements. Text goes in as text nodes only, so no name can become markup.

const SVG = "http://www.w3.org/2000/svg";

/// Properties of elements that are given no others: a button sends no form, and no field suggests what was typed once.
const PLAIN = { button: { type: "button" }, input: { autocomplete: "off" } };

/// An element with properties and children. Functions under `on…` become listeners, `class` the class list,
/// `data` the data attributes; `true` sets an attribute without a value, `false` and `null` leave it out.
export function h(tag, props, ...children) {
	const node = document.createElement(tag);
	for (const [name, value] of Object.entries({ ...PLAIN[tag], ...props })) {
		if (value === null || value === undefined || value === false) continue;
		if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
		else if (name === "class") node.className = value;
		else if (name === "data") Object.assign(node.dataset, value);
		else if (name === "value" || name === "checked" || name === "disabled") node[name] = value;
		else set(node, name, value === true ? "" : value);
	}
	append(node, children);
	return node;
}

/// An SVG element with attributes and children.
export function svg(tag, attributes, ...children) {
	const node = document.createElementNS(SVG, tag);
	for (const [name, value] of Object.entries(attributes ?? {})) set(node, name, value);
	append(node, children);
	return node;
}

/// Removes the children of a node, and puts others in their place.
export function clear(node, ...children) {
	node.replaceChildren();
	append(node, children);
	return node;
}

/// A note in the place of what is empty.
export function emptyNote(title, text, ...more) {
	return h("div", { class: "empty" }, h("p", { class: "empty-title" }, title), h("p", {}, text), more);
}

/// One of the icons that `index.html` defines.
export function icon(name, props) {
	return svg("svg", { class: "icon", "aria-hidden": "true", ...props }, svg("use", { href: `#i-${name}` }));
}

/// An id that no other element of this tab has.
let ids = 0;
export function newId(prefix = "n") {
	ids += 1;
	return `${prefix}${ids}`;
}

function set(node, name, value) {
	// The policy of the page forbids both, and a name from outside must never reach either.
	if (name === "style" || name.startsWith("on")) throw new Error(`atributo proibido: ${name}`);
	node.setAttribute(name, value);
}

function append(node, children) {
	for (const child of children.flat(Infinity)) {
		if (child === null || child === undefined || child === false) continue;
		node.append(child instanceof Node ? child : String(child));
	}
}

/// Makes these nodes the children of a parent, in this order. Nodes that stay are not taken out, so that the focus
/// and what is being typed stay with them.
export function arrange(parent, nodes) {
	const wanted = new Set(nodes);
	for (const node of [...parent.children]) if (!wanted.has(node)) node.remove();
	nodes.forEach((node, at) => parent.children[at] !== node && parent.insertBefore(node, parent.children[at] ?? null));
}
