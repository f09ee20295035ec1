// What the rows of idl/vectors/conformance.tsv ask for.
"use strict";

const crypto = require("crypto");
const Int64 = require("node-int64");
const { Thrift } = require("thrift");
const describe = require("./describe.js");
const types = require("./gen/conformance_types.js");
const { Identified } = require("./gen/conformance_uuid_types.js");

const expect = (what, got, wanted) => {
  if (got !== wanted) throw new Error(`${what}: ${got}, not ${wanted}`);
};

const unhex = (digits) => Buffer.from(digits, "hex");

const int64 = (value) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(value));
  return new Int64(bytes);
};

const words = (error) => {
  if (error instanceof types.NotFound) return `NotFound "${error.name}"`;
  if (error instanceof types.Conflict) return `Conflict ${error.code} with ${error.reason} at ${describe.point(error.where)}`;
  if (error instanceof types.Nothing) return "Nothing";
  if (error instanceof Thrift.TApplicationException) return `TApplicationException ${error.type}`;
  throw error;
};

/** Has the server describe (where it can) and echo a value that is described here, too. */
const both = async (caller, name, value, text, of, methods = ["Describe", "Echo"]) => {
  expect("own decoding", of(value), text);
  if (methods.includes("Describe")) expect("describe", await caller.call(`Describe${name}`, value), text);
  if (methods.includes("Echo")) expect("echo", of(await caller.call(`Echo${name}`, value)), text);
};

const risk = async (caller, method, name, text) => {
  let came;
  try {
    came = (await caller.call(method, types.Outcome[name.toUpperCase()])) ?? "-";
  } catch (error) {
    came = words(error);
  }
  expect("outcome", came, text);
  await caller.call("Ping");
};

const calls = {
  ping: (caller) => caller.call("Ping"),
  oneway: async (caller) => {
    const owner = crypto.randomUUID();
    for (const count of [1, 2, 3]) {
      await caller.call("Note", `${owner}: note ${count} · нота`);
      expect("notes", await caller.call("Notes", owner), `${count} note ${count} · нота`);
    }
  },
  unknown_method: async (caller) => {
    for (let i = 0; i < 3; i++) {
      const answer = await caller.callOther("Missing", 1).catch(words);
      expect("answer", answer, "TApplicationException 1");
      await caller.call("Ping");
    }
  },
  sequence_ids: (caller) => caller.sequenceIds(() => caller.call("EchoI32", 5)),
};

const kinds = {
  bool: async (caller, _name, value) => expect("echo", describe.boolean(await caller.call("EchoBool", value === "true")), value),
  i8: async (caller, _name, value) => expect("echo", describe.integer(await caller.call("EchoI8", Number(value))), value),
  i16: async (caller, _name, value) => expect("echo", describe.integer(await caller.call("EchoI16", Number(value))), value),
  i32: async (caller, _name, value) => expect("echo", describe.integer(await caller.call("EchoI32", Number(value))), value),
  i64: async (caller, _name, value) => expect("echo", describe.integer(await caller.call("EchoI64", int64(value))), value),
  double: async (caller, _name, value) => {
    const number = unhex(value).readDoubleBE();
    expect("echo", describe.double(await caller.call("EchoDouble", number)), describe.double(number));
  },
  string: async (caller, _name, value, text) => {
    const string = unhex(value).toString("utf8");
    expect("describe", await caller.call("DescribeText", string), text);
    expect("echo", await caller.call("EchoString", string), string);
  },
  binary: async (caller, _name, value, text) => {
    const length = Number(value);
    await both(caller, "Binary", Buffer.from(Array.from({ length }, (_, i) => 31 * i + length)), text, describe.binary);
  },
  choice: (caller, _name, value, text) =>
    both(caller, "Choice", caller.decode(types.Choice, unhex(value)), text, describe.choice, ["Echo"]),
  everything: async (caller, name, value, text) => {
    await both(caller, "Everything", caller.decode(types.Everything, unhex(value)), text, describe.everything);
    expect("compose", describe.everything(await caller.call("Compose", name)), text);
  },
  arguments: async (caller, _name, _value, text) => {
    const answer = await caller.call("DescribeScalars", true, -5, -300, 70000, int64(-(2 ** 40)), 1.5, types.Colour.VIOLET);
    expect("describe", answer, text);
  },
  defaults: async (caller, _name, _value, text) =>
    expect("describe", await caller.call("DescribeDefaults", new types.Defaults()), text),
  newer: async (caller, _name, _value, text) =>
    expect("describe", await caller.callOther("DescribeNarrow", await caller.call("Compose", "full")), text),
  older: async (caller, _name, _value, text) =>
    expect("compose", describe.narrow(await caller.callOther("Compose", "full")), text),
  risk: (caller, name, _value, text) => risk(caller, "Risk", name, text),
  risk_void: (caller, name, _value, text) => risk(caller, "RiskVoid", name, text),
  call: (caller, name) => calls[name](caller),
  struct_keys: (caller, _name, _value, text) =>
    both(
      caller,
      "StructKeys",
      { [new types.Point({ x: 1, y: 2 })]: "one", [new types.Point({ x: -1, y: 2 ** 31 - 1 })]: "two" },
      text,
      describe.structKeys,
    ),
  lists_in_set: (caller, name, _value, text) =>
    both(caller, "ListsInSet", [[], [1, 2], [-3]], text, describe.listsInSet, name === "echo" ? ["Echo"] : ["Describe"]),
  uuid: async (caller, _name, value) => expect("echo", await caller.call("EchoUuid", value), value),
  identified: (caller, _name, value, text) =>
    both(caller, "Identified", caller.decode(Identified, unhex(value)), text, describe.identified),
};

const run = async (caller, kind, name, value, text) => {
  if (!(kind in kinds)) throw new Error("an unknown kind of case");
  await kinds[kind](caller, name, value, text);
};

module.exports = { run };
