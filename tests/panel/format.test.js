import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import {
	amountOf, dateTime, dayText, isWeighed, kindWord, marginPercent, money, parseMoney, parseQuantity, quantity, quantityOfTotal,
	reasonWord, signedQuantity, splitEntry, stepOf, TextError, unitCost, unitOfWord,
} from "./format.js";

test("typed numbers are read as the program reads them", () => {
	let read = 0;
	for (const line of readFileSync("typed-numbers.csv", "utf8").split("\n")) {
		if (!line || line.startsWith("#")) continue;
		const [kind, text, expected] = line.split("|");
		let found;
		try {
			found = String(kind === "money" ? parseMoney(text) : parseQuantity(text));
		} catch (error) {
			assert.ok(error instanceof TextError, `${line}: ${error}`);
			found = error.readings?.length === 2 && kind === "quantity" ? error.readings.map((reading) => parseQuantity(reading)).join(" ") : "-";
		}
		assert.equal(found, expected, line);
		read += 1;
	}
	assert.ok(read >= 50, String(read));
});

test("a refused number says how to write either reading", () => {
	assert.throws(() => parseQuantity("1.000", "kg"), /“1\.000” pode ser 1000 ou 1,000/);
	assert.throws(() => parseMoney("1.234"), /pode ser 1234 ou 1,23/);
	assert.throws(() => parseQuantity("96385074", "un"), /é um código, e não uma quantidade/);
	assert.throws(() => parseQuantity("2,5", "un"), /un não se divide/);
	assert.throws(() => parseQuantity("2kg", "un"), /“kg” não é a unidade do produto/);
	assert.equal(parseQuantity("1,5", "dz"), 1500);
	assert.throws(() => parseQuantity("1,25", "dz"), /não se divide/);
	assert.equal(parseQuantity("2", "Kilo"), 2000);
});

test("money is exact and rounded half up", () => {
	for (const [price, thousandths, amount] of [[200, -20000, 4000n], [599, 350, 210n], [1, 499, 0n], [1, 500, 1n], [1, -500, 1n], [333, 1500, 500n], [0, 1000, 0n], [10 ** 12, 10 ** 15, 10n ** 24n]]) {
		assert.equal(amountOf(price, thousandths), amount, `${price} × ${thousandths}`);
	}
	assert.equal(quantityOfTotal(1000, 699), 1431);
	assert.equal(quantityOfTotal(1398n, 699), 2000);
	assert.equal(quantityOfTotal(5, 0), null);
	// The total of a label comes back from its quantity.
	for (let centavos = 1; centavos <= 1000; centavos += 7) {
		for (let grams = 1; grams < 99999; grams += 997) {
			const total = amountOf(centavos, grams);
			assert.equal(amountOf(centavos, quantityOfTotal(total, centavos)), total);
		}
	}
	assert.equal(unitCost(1000, 3000), 333);
	assert.equal(unitCost(null, 3000), null);
	assert.equal(unitCost(1000, 0), null);
	assert.equal(marginPercent(750, 450), 40);
	assert.equal(marginPercent(0, 450), null);
});

test("numbers are shown as Brazilians write them", () => {
	for (const [centavos, text] of [[0, "R$ 0,00"], [350, "R$ 3,50"], [-5, "\u2212R$ 0,05"], [99905, "R$ 999,05"], ["123450", "R$ 1.234,50"], [10n ** 12n, "R$ 10.000.000.000,00"]]) {
		assert.equal(money(centavos), text);
	}
	for (const [thousandths, unit, text] of [[19650, "kg", "19,65 kg"], ["-350", "kg", "\u22120,35 kg"], [20000, "", "20"], [1, "kg", "0,001 kg"], [191500, "kg", "191,5 kg"], [13000, "bandeja", "13 bandejas"], [-1500, "maço", "\u22121,5 maço"], [-2000, "pé", "\u22122 pés"], [2000, "caixote", "2 caixote"], [1e15, "un", "1000000000000 un"]]) {
		assert.equal(quantity(thousandths, unit), text);
	}
	assert.equal(signedQuantity(5000, "kg"), "+5 kg");
	assert.equal(signedQuantity(-5000, "kg"), "\u22125 kg");
	assert.equal(signedQuantity(0), "0");
});

test("what is typed at the counter is a quantity and a name", () => {
	for (const [text, number, rest] of [
		["2,5 tomate", "2,5", "tomate"],
		["2,5kg tomate italiano", "2,5kg", "tomate italiano"],
		["2,5 kg tomate", "2,5kg", "tomate"],
		["3x alface", "3", "alface"],
		["3 x alface", "3", "alface"],
		["3*alface", "3", "alface"],
		["350g queijo", "350g", "queijo"],
		["2 7", "2", "7"],
		["  2   caju ", "2", "caju"],
		["tomate", null, "tomate"],
		["7891000100103", null, "7891000100103"],
		["7891000100103 x", null, "7891000100103 x"],
		["12", null, "12"],
		["7up lata", null, "7up lata"],
		["2 kg", "2", "kg"],
		["", null, ""],
	]) {
		assert.deepEqual(splitEntry(text), { number, rest }, text);
	}
});

test("units and words", () => {
	assert.deepEqual(unitOfWord("KGS."), { unit: "kg", parts: 1 });
	assert.deepEqual(unitOfWord("Dúzia"), { unit: "dz", parts: 1 });
	assert.equal(unitOfWord("kgx"), undefined);
	assert.ok(isWeighed("kg") && isWeighed("quilo") && isWeighed("l") && !isWeighed("un"));
	assert.deepEqual([stepOf("kg"), stepOf("dz"), stepOf("maço")], [1, 500, 1000]);
	assert.equal(kindWord("MOVEMENT_KIND_WASTE"), "perda");
	assert.equal(reasonWord("LOSS_REASON_DONATED"), "doação");
	assert.equal(reasonWord(undefined), "");
	assert.equal(dayText("2026-12-05"), "05/12/2026");
});

test("a time shows its day unless that is today", () => {
	const now = new Date(2026, 10, 30, 12, 0);
	assert.equal(dateTime(new Date(2026, 10, 30, 9, 41).toISOString(), now), "09:41");
	assert.equal(dateTime(new Date(2026, 10, 28, 9, 41).toISOString(), now), "28/11 09:41");
	assert.equal(dateTime(new Date(2025, 10, 28, 9, 41).toISOString(), now), "28/11/2025 09:41");
	assert.equal(dateTime("?", now), "");
});
