// A client of the Connect protocol that is not ours: connect-es for Node, over HTTP/1.1 and HTTP/2, with JSON and
// with protobuf. Says how many ways it went.
//
//   node client.cjs PORT DESCRIPTORS SECRET

const assert = require("node:assert/strict");
const fs = require("node:fs");
const { createFileRegistry, fromBinary } = require("@bufbuild/protobuf");
const { FileDescriptorSetSchema } = require("@bufbuild/protobuf/wkt");
const { Code, ConnectError, createClient } = require("@connectrpc/connect");
const { compressionGzip, createConnectTransport } = require("@connectrpc/connect-node");

const [port, descriptors, secret] = process.argv.slice(2);
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, fs.readFileSync(descriptors)));
const service = registry.getService("hortifruti.v1.InventoryService");

function client(options, token = secret) {
  const show = (next) => (request) => {
    if (token) request.header.set("authorization", `Bearer ${token}`);
    return next(request);
  };
  const baseUrl = `http://localhost:${port}`;
  return createClient(service, createConnectTransport({ baseUrl, interceptors: [show], ...options }));
}

async function refusal(promise) {
  const error = ConnectError.from(await promise.then(() => assert.fail("not refused"), (error) => error));
  return [Code[error.code], error.details[0]?.debug?.reason];
}

async function go(name, options) {
  const shop = client(options);
  const { product } = await shop.getProduct({ name: "maçã" });
  assert.deepEqual([product.name, product.priceCentavos, product.unit], ["Maca", 300n, "un"]);

  const change = { name: "Caju", deltaThousandths: -1000n, kind: 4, requestId: `node-${name}` };
  const first = await shop.adjustStock(change);
  const again = await shop.adjustStock(change);
  assert.equal(first.movement.sequence, again.movement.sequence);

  assert.deepEqual(await refusal(shop.getProduct({ name: "Kaju" })), ["NotFound", "PRODUCT_NOT_FOUND"]);
  const tooMuch = shop.adjustStock({ name: "Caju", deltaThousandths: -99_000_000n });
  assert.deepEqual(await refusal(tooMuch), ["FailedPrecondition", "INSUFFICIENT_STOCK"]);
  const stranger = client(options, "");
  assert.deepEqual(await refusal(stranger.getProduct({ name: "Maca" })), ["Unauthenticated", "UNAUTHENTICATED"]);
  assert.equal((await refusal(stranger.watchMovements({})[Symbol.asyncIterator]().next()))[0], "Unauthenticated");

  const { products } = await shop.listProducts({ pageSize: 1000 });
  assert.equal(products.length, 4);

  async function* changes() {
    for (const name of ["Pera", "Nada", "Pera"]) yield { adjustment: { name, deltaThousandths: 1000n } };
  }
  const results = [];
  for await (const { result } of shop.streamAdjustStock(changes())) results.push(result.case);
  assert.deepEqual(results, ["adjusted", "refused", "adjusted"]);

  const stop = new AbortController();
  const seen = [];
  const watch = shop.watchMovements({ afterSequence: first.movement.sequence - 1n }, { signal: stop.signal });
  try {
    for await (const { event } of watch) {
      if (event.case !== "movement") continue;
      seen.push(event.value.sequence);
      if (seen.length === 3) stop.abort();
    }
  } catch (error) {
    assert.equal(ConnectError.from(error).code, Code.Canceled);
  }
  assert.deepEqual(seen, [0n, 1n, 2n].map((more) => first.movement.sequence + more));
}

(async () => {
  const ways = [];
  for (const httpVersion of ["1.1", "2"]) {
    for (const useBinaryFormat of [false, true]) {
      for (const sendCompression of [undefined, compressionGzip]) {
        const name = [httpVersion, useBinaryFormat ? "proto" : "json", sendCompression ? "gzip" : "plain"].join("-");
        await go(name, { httpVersion, useBinaryFormat, sendCompression, compressMinBytes: 0 });
        ways.push(name);
      }
    }
  }
  console.log(`${ways.length} ways`);
  process.exit(0);
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
