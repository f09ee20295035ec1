// Goes through the rows of idl/vectors/conformance.tsv and prints what came of each.
"use strict";

const fs = require("fs");
const { parseArgs } = require("util");

const LONGEST_REASON = 300;
const string = { type: "string" };

const main = async () => {
  const { values } = parseArgs({ options: { server: string, encoding: string, vectors: string, "tls-ca": string } });
  const { Caller } = require("./caller.js");
  const { run } = require("./cases.js");
  const caller = new Caller(values);
  const lines = fs.readFileSync(values.vectors, "utf8").split("\n");
  for (const line of lines.filter((line) => line !== "" && !line.startsWith("#"))) {
    const [kind, name, value, text] = line.split("\t");
    try {
      await run(caller, kind, name, value, text);
      console.log(`${kind}/${name}\tpass`);
    } catch (error) {
      const reason = String(error?.stack ? `${error}` : error).replace(/\s+/g, " ");
      console.log(`${kind}/${name}\tFAIL\t${reason.slice(0, LONGEST_REASON)}`);
      console.error(error);
      caller.reconnect();
    }
  }
  caller.connection.end();
};

main();
