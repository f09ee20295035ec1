"""Goes through the rows of idl/vectors/conformance.tsv with a caller of any Python runtime, and prints what came of them.

A caller has the methods of the service, and ``types`` (the generated types by name), ``decode(name, bytes)`` (a struct in
the binary protocol, read by its runtime), ``missing()`` (calls a method that no server has; answers the code of the
TApplicationException), ``newer(everything)`` and ``older(name)`` (the methods of ConformanceOther), ``sequence_ids()``,
``words(exception)`` and ``reconnect()``.
"""

import argparse
import os
import struct
import sys
import traceback
import uuid

import describe

UNKNOWN_METHOD = 1
INTEGERS = ("i8", "i16", "i32", "i64")


def expect(what, got, wanted):
    if got != wanted:
        raise AssertionError(f"{what}: {got!r:.200}, not {wanted!r:.200}")


class Cases:
    def __init__(self, caller):
        self.caller = caller

    def run(self, kind, name, value, text):
        if kind in INTEGERS:
            method = getattr(self.caller, f"Echo{kind.upper()}")
            return expect("echo", method(int(value)), int(value))
        return getattr(self, kind)(name, value, text)

    def bool(self, _name, value, _text):
        answer = self.caller.EchoBool(value == "true")
        expect("type", type(answer), bool)
        expect("echo", describe.boolean(answer), value)

    def double(self, _name, value, _text):
        (number,) = struct.unpack(">d", bytes.fromhex(value))
        expect("echo", describe.double(self.caller.EchoDouble(number)), describe.double(number))

    def string(self, _name, value, text):
        string = bytes.fromhex(value).decode()
        expect("describe", self.caller.DescribeText(string), text)
        expect("echo", self.caller.EchoString(string), string)

    def binary(self, _name, value, text):
        length = int(value)
        content = bytes((31 * i + length) % 256 for i in range(length))
        expect("describe", self.caller.DescribeBinary(content), text)
        expect("echo", self.caller.EchoBinary(content), content)

    def choice(self, _name, value, text):
        choice = self.caller.decode("Choice", bytes.fromhex(value))
        expect("own decoding", describe.choice(choice), text)
        expect("echo", describe.choice(self.caller.EchoChoice(choice)), text)

    def everything(self, name, value, text):
        everything = self.caller.decode("Everything", bytes.fromhex(value))
        expect("own decoding", describe.everything(everything), text)
        expect("describe", self.caller.DescribeEverything(everything), text)
        expect("echo", describe.everything(self.caller.EchoEverything(everything)), text)
        expect("compose", describe.everything(self.caller.Compose(name)), text)

    def arguments(self, _name, _value, text):
        answer = self.caller.DescribeScalars(
            flag=True, tiny=-5, small=-300, medium=70000, large=-(2**40), real=1.5, colour=1000000
        )
        expect("describe", answer, text)

    def defaults(self, _name, _value, text):
        expect("describe", self.caller.DescribeDefaults(self.caller.types["Defaults"]()), text)

    def newer(self, _name, _value, text):
        expect("describe", self.caller.newer(self.caller.Compose("full")), text)

    def older(self, _name, _value, text):
        expect("compose", describe.narrow(self.caller.older("full")), text)

    def risk(self, name, _value, text, method="Risk"):
        try:
            outcome = getattr(self.caller, method)(getattr(self.caller.types["Outcome"], name.upper()))
        except AssertionError:
            raise
        except Exception as error:
            outcome = self.caller.words(error)
        expect("outcome", outcome, text)
        self.caller.Ping()

    def risk_void(self, name, _value, text):
        self.risk(name, _value, None if text == "-" else text, "RiskVoid")

    def call(self, name, _value, _text):
        getattr(self, f"call_{name}")()

    def call_ping(self):
        expect("ping", self.caller.Ping(), None)

    def call_oneway(self):
        owner = f"{os.getpid()}-{os.urandom(8).hex()}"
        for count in range(1, 4):
            self.caller.Note(f"{owner}: note {count} · нота")
            expect("notes", self.caller.Notes(owner), f"{count} note {count} · нота")

    def call_unknown_method(self):
        for _ in range(3):
            expect("code", self.caller.missing(), UNKNOWN_METHOD)
            expect("ping", self.caller.Ping(), None)

    def call_sequence_ids(self):
        self.caller.sequence_ids()

    def struct_keys(self, _name, _value, text):
        point = self.caller.types["Point"]
        table = {point(x=1, y=2): "one", point(x=-1, y=2**31 - 1): "two"}
        expect("describe", self.caller.DescribeStructKeys(table), text)
        expect("echo", describe.struct_keys(self.caller.EchoStructKeys(table)), text)

    def lists_in_set(self, name, _value, text):
        lists = {(), (1, 2), (-3,)}
        if name == "describe":
            expect("describe", self.caller.DescribeListsInSet(lists), text)
        else:
            expect("echo", describe.lists_in_set(self.caller.EchoListsInSet(lists)), text)

    def uuid(self, _name, value, _text):
        expect("echo", self.caller.EchoUuid(uuid.UUID(value)), uuid.UUID(value))

    def identified(self, _name, value, text):
        identified = self.caller.decode("Identified", bytes.fromhex(value))
        expect("own decoding", describe.identified(identified), text)
        expect("describe", self.caller.DescribeIdentified(identified), text)
        expect("echo", describe.identified(self.caller.EchoIdentified(identified)), text)


def words(error, types, application_exception):
    """An exception as the vectors' text has it."""
    if isinstance(error, types["NotFound"]):
        return f'NotFound "{error.name}"'
    if isinstance(error, types["Conflict"]):
        return f"Conflict {error.code} with {error.reason} at {describe.point(error.where)}"
    if isinstance(error, types["Nothing"]):
        return "Nothing"
    if isinstance(error, application_exception):
        return f"TApplicationException {error.type}"
    raise error


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--server", required=True)
    parser.add_argument("--encoding", required=True)
    parser.add_argument("--vectors", required=True)
    parser.add_argument("--tls-ca")
    parser.add_argument("--runtime")
    return parser.parse_args()


def unsupported(reason):
    """Ends the program: its runtime has no such encoding."""
    print(reason, file=sys.stderr)
    sys.exit(3)


def main(caller, vectors):
    cases = Cases(caller)
    with open(vectors, encoding="utf-8") as lines:
        rows = [line.rstrip("\n").split("\t") for line in lines if not line.startswith("#")]
    for kind, name, value, text in rows:
        try:
            cases.run(kind, name, value, text)
            print(f"{kind}/{name}\tpass", flush=True)
        except Exception as error:
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            print(f"{kind}/{name}\tFAIL\t{reason:.300}", flush=True)
            traceback.print_exc(file=sys.stderr)
            caller.reconnect()
