// A value in words, the same in every language; examples/conformance/describe.rs has the grammar.
"use strict";

const MOST_IN_FULL = 32;

const boolean = (value) => {
  if (typeof value !== "boolean") throw new Error(`a boolean was decoded as ${typeof value}`);
  return String(value);
};

// An i64 comes as node-int64's Int64: 8 bytes, big-endian.
const integer = (value) =>
  value !== null && typeof value === "object" ? Buffer.from(value.buffer).readBigInt64BE(value.offset).toString() : String(value);

const double = (value) => {
  const bits = Buffer.alloc(8);
  bits.writeDoubleBE(value);
  return Number.isNaN(value) ? "nan" : bits.toString("hex");
};

const adler32 = (bytes) => {
  let a = 1;
  let b = 0;
  for (const byte of bytes) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return (b * 65536 + a).toString(16).padStart(8, "0");
};

const binary = (value) => {
  if (!Buffer.isBuffer(value)) throw new Error(`a binary was decoded as ${typeof value}`);
  return value.length > MOST_IN_FULL ? `"${value.length}#${adler32(value)}"` : `"${value.toString("hex")}"`;
};

const text = (value) => {
  if (typeof value !== "string") throw new Error(`a text was decoded as ${typeof value}`);
  return binary(Buffer.from(value, "utf8"));
};

const uuid = (value) => String(value);

const list = (of) => (items) => `[${items.map(of).join(",")}]`;
const set = (of) => (items) => `{${items.map(of).sort().join(",")}}`;
const map = (ofKey, ofValue) => (items) =>
  `{${Object.entries(items)
    .map(([key, value]) => `${ofKey(key)}=${ofValue(value)}`)
    .sort()
    .join(",")}}`;

// `fields`: of each its id and what describes its value; what is absent is left out.
const struct = (fields) => (value) =>
  `(${Object.entries(fields)
    .filter(([name]) => value[name] !== null && value[name] !== undefined)
    .map(([name, [id, of]]) => `${id}:${of(value[name])}`)
    .join(",")})`;

const point = struct({ x: [1, integer], y: [2, integer] });
const base = {
  flag: [1, boolean],
  tiny: [2, integer],
  small: [3, integer],
  medium: [4, integer],
  large: [5, integer],
  real: [6, double],
  text: [7, text],
  blob: [8, binary],
  colour: [9, integer],
};
const scalars = struct(base);
const optionals = struct({ ...base, point: [10, point], numbers: [11, list(integer)] });
const containers = struct({
  flags: [1, list(boolean)],
  numbers: [2, set(integer)],
  table: [3, map(text, integer)],
  matrix: [4, list(list(integer))],
  nested: [5, map(text, list(set(integer)))],
  tables: [6, list(map(integer, text))],
  maps: [7, map(integer, map(text, double))],
  points: [8, list(point)],
  blobs: [9, list(binary)],
  colours: [10, map(text, integer)],
  words: [11, set(text)],
});
const tree = struct({ value: [1, integer], children: [2, (children) => list(tree)(children)] });
const choice = struct({
  flag: [1, boolean],
  large: [2, integer],
  text: [3, text],
  numbers: [4, list(integer)],
  point: [5, point],
});
const chosen = struct({ choice: [1, choice] });
const everything = struct({
  scalars: [1, scalars],
  containers: [2, containers],
  tree: [3, tree],
  choices: [4, list(chosen)],
  extras: [20, optionals],
  far: [300, text],
  farthest: [1000, boolean],
});
const narrow = struct({ farthest: [1000, boolean] });
const identified = struct({ id: [1, uuid], others: [2, list(uuid)], names: [3, map(uuid, text)], point: [4, point] });

module.exports = {
  boolean,
  integer,
  double,
  text,
  binary,
  point,
  choice,
  everything,
  narrow,
  identified,
  structKeys: map(point, text),
  listsInSet: set(list(integer)),
};
