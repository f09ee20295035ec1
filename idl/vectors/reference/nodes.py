"""instances.tsv: what an instance's node in the registry says."""

import json

HEADER = """
Columns, separated by one tab. The file is UTF-8.

    name      unique
    json      the node's content: the text itself, or "hex:" and its bytes in hexadecimal
    fill      "-", or the length in bytes to which the content is filled up with spaces at its end
    instance  "skipped WORD", where WORD is to be found in the line that is logged ("-": any line); or address port sslPort version group weight
              zone enabled registrationTimeUTC as key=value separated by one space, "-" for none, version=any for any

The instance's ID is the node's name; "id", "name", "serviceType", "uriSpec", "@class" and what else may be there is not looked at.
Null is as if the field were missing, everywhere. Fields may be in any order; of a field that is there twice the last counts.
    content              at most 65536 bytes of UTF-8 without a byte order mark; one JSON object (RFC 8259: no NaN, no comments)
                         and nothing but white space after it; nested at most about 100 deep
    address              a text of 1 to 255 characters, none of them a control character, white space or one of / @ [ ]
    port, sslPort        whole numbers (no "9090", 9090.0, true) from 1 to 65535; at least one of them. A plain client uses port,
                         a TLS client sslPort or, without it, port; who has not the port that a client needs is not called by it
    enabled              true (default) or false
    registrationTimeUTC  a whole number from 0 to 2^63-1; default 0
    payload              an object (default: {}). Of it, texts all of them:
      version            whole numbers of one to nine digits, separated by one comma; missing: any
      weight             a whole number of one to five digits, 0 to 10000; missing: 100
      group, zone        at most 255 characters, none of them a control character; missing: default and ""
Wrong in any of these: the node is skipped, and one line says which node, which field (or "json", "UTF-8", "bytes" for the
whole), and what is wrong. Half a surrogate pair ("\\ud800") in a text is wrong, too.
"""

NODE_BYTES_MAX = 65_536


class Wrong(Exception):
    pass


def no_constant(name):
    raise ValueError(name)


def whole(fields, name, low, high, default):
    value = fields.get(name)
    if value is None:
        return default
    if type(value) is not int or not low <= value <= high:
        raise Wrong(name)
    return value


def text(fields, name, default, longest=255):
    value = fields.get(name)
    if value is None:
        return default
    if type(value) is not str or len(value) > longest or any(ord(c) < 32 or 127 <= ord(c) < 160 for c in value):
        raise Wrong(name)
    if any(0xD800 <= ord(c) < 0xE000 for c in value):
        raise Wrong(name)
    return value


def digits(value, longest):
    return 1 <= len(value) <= longest and all(c in "0123456789" for c in value)


def read(content: bytes) -> str:
    if len(content) > NODE_BYTES_MAX:
        raise Wrong("bytes")
    try:
        decoded = content.decode("utf-8")
    except UnicodeDecodeError:
        raise Wrong("UTF-8") from None
    try:
        node = json.loads(decoded, parse_constant=no_constant)
    except (ValueError, RecursionError):
        raise Wrong("json") from None
    if type(node) is not dict:
        raise Wrong("json")
    address = text(node, "address", "")
    if not address or any(c.isspace() or c in "/@[]" for c in address):
        raise Wrong("address")
    port, tls_port = (whole(node, name, 1, 65535, None) for name in ("port", "sslPort"))
    if port is None and tls_port is None:
        raise Wrong("port")
    enabled = node.get("enabled")
    if enabled is None:
        enabled = True
    if type(enabled) is not bool:
        raise Wrong("enabled")
    registered = whole(node, "registrationTimeUTC", 0, 2**63 - 1, 0)
    payload = node.get("payload")
    if payload is None:
        payload = {}
    if type(payload) is not dict:
        raise Wrong("payload")
    version = text(payload, "version", None, 10_000)
    if version is not None and not all(digits(each, 9) for each in version.split(",")):
        raise Wrong("version")
    weight = text(payload, "weight", "100")
    if not digits(weight, 5) or int(weight) > 10000:
        raise Wrong("weight")
    group, zone = text(payload, "group", "default"), text(payload, "zone", "")
    return " ".join(
        f"{key}={value}"
        for key, value in {
            "address": address,
            "port": port or "-",
            "sslPort": tls_port or "-",
            "version": ",".join(str(int(each)) for each in version.split(",")) if version is not None else "any",
            "group": group or "-",
            "weight": int(weight),
            "zone": zone or "-",
            "enabled": "yes" if enabled else "no",
            "registrationTimeUTC": registered,
        }.items()
    )


FULL = (
    '{"name":"calculate","id":"10.0.0.1-9090","address":"10.0.0.1","port":9090,"sslPort":null,"payload":{"version":"1,2",'
    '"group":"blue","weight":"50","zone":"west","encodings":"framed,unframed,theader,ttheader","idl":"sha256:ab12"},'
    '"registrationTimeUTC":1795428122331,"serviceType":"DYNAMIC","uriSpec":null,"enabled":true}'
)
CURATOR = (
    '{"name":"calculate","id":"6c1d1c4e","address":"10.0.0.1","port":9090,"sslPort":9443,"payload":{"@class":'
    '"java.util.LinkedHashMap","version":"3","weight":"7"},"registrationTimeUTC":1795428122331,"serviceType":"DYNAMIC",'
    '"uriSpec":{"parts":[{"value":"scheme","variable":true},{"value":"://","variable":false}]}}'
)


def node(**changes) -> str:
    return json.dumps({"address": "10.0.0.1", "port": 9090, **changes}, ensure_ascii=False, separators=(",", ":"))


def payload(**changes) -> str:
    return node(payload=changes)


NODES = {
    "full": FULL,
    "curator": CURATOR,
    "least": node(),
    "ipv6": node(address="::1"),
    "name": node(address="calculate.example"),
    "name_scripts": node(address="münchen.example"),
    "tls_only": node(port=None, sslPort=9443),
    "both_ports": node(sslPort=9090),
    "nulls": node(sslPort=None, payload=None, registrationTimeUTC=None, enabled=None, uriSpec=None),
    "payload_nulls": payload(version=None, group=None, weight=None, zone=None),
    "payload_empty": payload(),
    "payload_more": payload(weight="1", shoe_size=45, owner={"name": ["x"]}),
    "unknown_fields": node(x=1, y=[{"z": None}], name=5, id={}, serviceType=[]),
    "class_anywhere": node(**{"@class": "evil.Gadget", "payload": {"@class": ["evil", {}], "weight": "5"}}),
    "twice": '{"port":1,"address":"10.0.0.1","port":9090}',
    "white_space": ' \n{ "address" : "10.0.0.1" ,\r\n "port" : 9090 } \n ',
    "escapes": '{"\\u0061ddress":"10\\u002e0.0.1","port":9090,"payload":{"zone":"\\ud83d\\ude42"}}',
    "nested_some": node(x=json.loads("[" * 30 + "]" * 30)),
    "disabled": node(enabled=False),
    "weight_zero": payload(weight="0"),
    "weight_most": payload(weight="10000"),
    "weight_leading_zeros": payload(weight="00050"),
    "version_zero": payload(version="0"),
    "version_longest": payload(version="999999999"),
    "version_many": payload(version="3,1,2"),
    "version_leading_zeros": payload(version="01,2"),
    "group_empty": payload(group=""),
    "ports_least_and_most": node(port=1, sslPort=65535),
    "registered_most": node(registrationTimeUTC=2**63 - 1),
    # Not for us.
    "empty": "",
    "not_json": "10.0.0.1:9090",
    "xml": '<instance address="10.0.0.1"/>',
    "null": "null",
    "number": "9090",
    "text": '"10.0.0.1:9090"',
    "array": "[" + node() + "]",
    "cut": FULL[:-1],
    "cut_in_a_text": FULL[:60],
    "more_after": node() + node(),
    "comma": '{"address":"10.0.0.1","port":9090,}',
    "comment": '{"address":"10.0.0.1","port":9090/**/}',
    "single_quotes": "{'address':'10.0.0.1','port':9090}",
    "nan": '{"address":"10.0.0.1","port":9090,"x":NaN}',
    "infinity": '{"address":"10.0.0.1","port":9090,"x":-Infinity}',
    "bom": b"\xef\xbb\xbf" + node().encode(),
    "utf16": node().encode("utf-16-le"),
    "latin1": node(address="münchen.example").encode("latin-1"),
    "overlong": node(address="x").encode().replace(b'"x"', b'"\xc0\xae"'),
    "nul": b"\x00",
    "nul_after": node().encode() + b"\x00",
    "nested_deep": '{"address":"10.0.0.1","port":9090,"x":' + "[" * 20000 + "]" * 20000 + "}",
    "nested_deep_open": "[" * 30000,
    "address_missing": '{"port":9090}',
    "address_null": node(address=None),
    "address_empty": node(address=""),
    "address_number": node(address=10),
    "address_list": node(address=["10.0.0.1"]),
    "address_newline": node(address="10.0.0.1\n[forged] line"),
    "address_nul": node(address="10.0.0.1\x00"),
    "address_escape": node(address="\x1b[2J"),
    "address_c1": node(address="10.0.0.1\x9b"),
    "address_blank": node(address="10.0.0.1 "),
    "address_url": node(address="http://10.0.0.1"),
    "address_brackets": node(address="[::1]"),
    "address_user": node(address="root@10.0.0.1"),
    "address_half_a_pair": '{"address":"10.0.0.1\\ud800","port":9090}',
    "address_too_long": node(address="x" * 256),
    "address_longest": node(address="x" * 255),
    "port_missing": '{"address":"10.0.0.1"}',
    "port_null": node(port=None),
    "port_zero": node(port=0),
    "port_negative": node(port=-1),
    "port_too_large": node(port=65536),
    "port_wraps": node(port=2**32 + 9090),
    "port_wraps_64": node(port=2**64 + 9090),
    "port_text": node(port="9090"),
    "port_fraction": node(port=9090.5),
    "port_float": node(port=9090.0),
    "port_true": node(port=True),
    "port_list": node(port=[9090]),
    "port_large": '{"address":"10.0.0.1","port":' + "9" * 25 + "}",
    "port_huge": '{"address":"10.0.0.1","port":' + "9" * 5000 + "}",
    "ssl_port_wrong": node(sslPort=0),
    "ssl_port_text": node(sslPort="9443"),
    "enabled_text": node(enabled="false"),
    "enabled_number": node(enabled=0),
    "payload_text": node(payload="weight=5"),
    "payload_list": node(payload=[]),
    "payload_true": node(payload=True),
    "weight_number": payload(weight=50),
    "weight_negative": payload(weight="-1"),
    "weight_too_large": payload(weight="10001"),
    "weight_long": payload(weight="000001"),
    "weight_empty": payload(weight=""),
    "weight_fraction": payload(weight="1.5"),
    "weight_blank": payload(weight=" 5"),
    "weight_plus": payload(weight="+5"),
    "weight_arabic_digits": payload(weight="٥٠"),
    "weight_list": payload(weight=["5"]),
    "version_number": payload(version=1),
    "version_empty": payload(version=""),
    "version_word": payload(version="v1"),
    "version_dots": payload(version="1.2"),
    "version_blank": payload(version="1, 2"),
    "version_comma": payload(version="1,"),
    "version_long": payload(version="1000000000"),
    "version_negative": payload(version="-1"),
    "group_number": payload(group=5),
    "group_newline": payload(group="a\nb"),
    "group_too_long": payload(group="x" * 256),
    "zone_list": payload(zone=[]),
    "zone_nul": payload(zone="\x00"),
    "registered_text": node(registrationTimeUTC="now"),
    "registered_negative": node(registrationTimeUTC=-1),
    "registered_float": node(registrationTimeUTC=1e3),
    "registered_too_large": node(registrationTimeUTC=2**63),
}
ANY_LINE = {"port_huge"}  # some parsers take it for a number, some for no JSON
FILLED = {"largest": NODE_BYTES_MAX, "too_large": NODE_BYTES_MAX + 1}


def outcome(content: bytes) -> str:
    try:
        return read(content)
    except Wrong as wrong:
        return f"skipped {wrong}"


def shown(content: str | bytes) -> str:
    if isinstance(content, str) and content.isprintable() and not content.startswith(("hex:", '"')) and content:
        return content
    return "hex:" + (content.encode() if isinstance(content, str) else content).hex()


def rows():
    yield ["# name", "json", "fill", "instance"]
    for name, content in NODES.items():
        data = content.encode() if isinstance(content, str) else content
        yield [name, shown(content), "-", "skipped -" if name in ANY_LINE else outcome(data)]
    for name, length in FILLED.items():
        yield [name, node(), str(length), outcome(node().encode().ljust(length))]
