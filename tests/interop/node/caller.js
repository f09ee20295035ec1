// One connection through Apache's library for Node (thrift on npm), unmodified, and the generated clients on it.
"use strict";

const fs = require("fs");
const thrift = require("thrift");
const ConformanceUuid = require("./gen/ConformanceUuid.js");
const ConformanceOther = require("./gen/ConformanceOther.js");

const TIMEOUT_MS = 10000;
const TRANSPORTS = { framed: thrift.TFramedTransport, unframed: thrift.TBufferedTransport };

class OldBinaryProtocol extends thrift.TBinaryProtocol {
  constructor(transport) {
    super(transport, false, false);
  }
}
const PROTOCOLS = {
  binary: thrift.TBinaryProtocol,
  nonstrict: OldBinaryProtocol,
  compact: thrift.TCompactProtocol,
};

class Caller {
  constructor({ server, encoding, "tls-ca": authority }) {
    const [framing, protocol, multiplexed] = encoding.split("-");
    if (!(framing in TRANSPORTS) || !(protocol in PROTOCOLS)) {
      console.error(`npm's thrift does not speak ${encoding}`);
      process.exit(3);
    }
    this.server = server.split(":");
    this.options = { transport: TRANSPORTS[framing], protocol: PROTOCOLS[protocol], timeout: TIMEOUT_MS };
    this.multiplexed = multiplexed !== undefined;
    if (authority !== undefined) this.options.ca = fs.readFileSync(authority);
    this.connect();
  }

  connect() {
    const [host, port] = this.server;
    const create = this.options.ca ? thrift.createSSLConnection : thrift.createConnection;
    this.connection = create(host, Number(port), this.options);
    // The library tells what goes wrong with a reply here only: the call itself would never end.
    this.broken = new Promise((_, reject) => {
      this.connection.on("error", reject);
      this.connection.on("timeout", () => reject(new Error(`no answer within ${TIMEOUT_MS} ms`)));
      this.connection.on("close", () => reject(new Error("the connection was closed")));
    });
    this.broken.catch(() => {});
    this.multiplexer = new thrift.Multiplexer();
    this.clients = [ConformanceUuid, ConformanceOther].map((service) =>
      this.multiplexed
        ? this.multiplexer.createClient("Conformance", service, this.connection)
        : thrift.createClient(service, this.connection),
    );
  }

  reconnect() {
    this.connection.end();
    this.connect();
  }

  /** A method of the service, by its name. */
  call(method, ...values) {
    return this.callOn(this.clients[0], method, values);
  }

  /** A method of the service as a program of another day sees it. */
  callOther(method, ...values) {
    return this.callOn(this.clients[1], method, values);
  }

  // A connection gives all replies to the client that was made last, but two take turns here.
  callOn(client, method, values) {
    if (this.multiplexed) this.connection.client.Conformance = client;
    else this.connection.client = client;
    return Promise.race([client[method](...values), this.broken]);
  }

  /** A struct, read in the binary protocol. */
  decode(type, content) {
    let value = null;
    const receive = thrift.TBufferedTransport.receiver((transport) => {
      value = new type();
      value[Symbol.for("read")](new thrift.TBinaryProtocol(transport));
    });
    receive(content);
    return value;
  }

  /** The library numbers its calls, and finds them by their numbers: it is set to the ends of what it can hold. */
  async sequenceIds(echo) {
    const [counter, name] = this.multiplexed ? [this.multiplexer, "seqid"] : [this.clients[0], "_seqid"];
    for (const id of [1, 77, 2 ** 31 - 1]) {
      counter[name] = id - 1;
      await echo();
      if (counter[name] !== id) throw new Error(`the call was number ${counter[name]}, not ${id}`);
    }
    counter[name] = 1000;
  }
}

module.exports = { Caller };
