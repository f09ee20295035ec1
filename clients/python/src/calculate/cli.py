"""The program ``calculate-client``: one or more numbers in, one result a line out.

It exits with 0, with 1 when a call failed (one line on stderr says why), with 2 when it was used wrongly, and with 130
when it was interrupted.
"""

from __future__ import annotations

import argparse
import functools
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import NoReturn, get_args

from ._balance import Strategy
from ._balancing import ATTEMPTS_MAX, Balancing, Hedge
from ._client import connect
from ._options import TIMEOUT_S, Framing, Protocol
from ._tls import Tls
from .errors import CalculateError, DomainError

DEFAULT_SERVER = "127.0.0.1:9090"
_PROMPT = "number: "
_WORDS = dict.fromkeys(("y", "yes", "t", "true", "on", "1"), True) | dict.fromkeys(
    ("n", "no", "f", "false", "off", "0"), False
)

Call = Callable[[float], float]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the program with ``arguments`` (those of the command line when None) and returns its exit code."""
    try:
        return _run(_parse(sys.argv[1:] if arguments is None else arguments))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read the results has enough. Python would complain about it once more when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = _Parser(
        prog="calculate-client",
        description="Prints the square ROOT of each number, computed by a Calculate server (with --method cal, its "
        "square). Without numbers it asks for them, until something that is not a number is typed.",
    )
    parser.add_argument(
        "numbers", metavar="NUMBER", nargs="*", type=_to_number, help="such as 9, -4, 1e300, inf or nan"
    )
    parser.add_argument(
        "--server",
        metavar="HOST:PORT",
        default=DEFAULT_SERVER,
        help="or unix:/PATH, HOST:PORT,HOST:PORT…, dns://NAME:PORT, or zk://HOST:PORT/BASE/SERVICE[?version=1-2&"
        "group=G&zone=Z]; default: %(default)s",
    )
    parser.add_argument(
        "--timeout", metavar="SECONDS", type=_to_number, default=TIMEOUT_S, help="of each call; default: %(default)g"
    )
    parser.add_argument(
        "--method",
        choices=["square", "cal"],
        default="square",
        help="square: the square ROOT (the default); cal: the square, number times number",
    )
    parser.add_argument("--protocol", choices=get_args(Protocol), default="binary", help="default: %(default)s")
    parser.add_argument("--framing", choices=get_args(Framing), default="framed", help="default: %(default)s")
    _add_balancing_arguments(parser)
    _add_tls_arguments(parser)
    parsed = parser.parse_args([_hide_sign(argument) for argument in arguments])
    parsed.error = parser.error
    return parsed


def _add_balancing_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("several servers")
    group.add_argument("--balance", choices=get_args(Strategy), default="least_loaded", help="default: %(default)s")
    group.add_argument("--key", metavar="TEXT", help="what the calls are about, for --balance hash")
    group.add_argument("--zone", metavar="NAME", default="", help="where servers are preferred")
    group.add_argument(
        "--attempts", metavar="N", type=int, default=ATTEMPTS_MAX, help="of a call, 1 to 3; default: %(default)s"
    )
    group.add_argument(
        "--hedge", choices=get_args(Hedge), default="off", help="ask a second server when one is slow; default: off"
    )
    _add_zookeeper_arguments(parser)


def _balancing(parsed: argparse.Namespace) -> Balancing:
    return Balancing(
        parsed.balance,
        zone=parsed.zone,
        attempts=parsed.attempts,
        hedge=parsed.hedge,
        zk_auth=parsed.zk_auth,
        zk_tls=_zookeeper_tls(parsed),
    )


def _add_zookeeper_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "ZooKeeper",
        "Each is also an environment variable: --zk-auth is CALCULATE_ZK_AUTH. Any of those of TLS means TLS, with a "
        "certificate that is for ZooKeeper's host.",
    )

    def add(name: str, metavar: str, help_: str) -> None:
        variable = "CALCULATE" + name[1:].replace("-", "_").upper()
        group.add_argument(name, metavar=metavar, default=os.environ.get(variable), help=help_)

    add("--zk-auth", "USER:PASSWORD", "for ZooKeeper's digest scheme")
    group.add_argument(
        "--zk-tls", action="store_true", help="trust the system's authorities, unless --zk-tls-ca is given"
    )
    add("--zk-tls-ca", "FILE", "the authorities to trust (PEM)")
    add("--zk-tls-certificate", "FILE", "the client's certificate for ZooKeeper (PEM)")
    add("--zk-tls-key", "FILE", "its unencrypted private key (PEM)")


def _zookeeper_tls(parsed: argparse.Namespace) -> Tls | None:
    ca, certificate, key = parsed.zk_tls_ca, parsed.zk_tls_certificate, parsed.zk_tls_key
    if not (parsed.zk_tls or _is_on("CALCULATE_ZK_TLS")) and ca is certificate is key is None:
        return None
    _check_pair("--zk-tls", certificate, key)
    try:
        return Tls(ca=ca, certificate=certificate, key=key)
    except ValueError as error:
        raise ValueError(f"zk-{error}") from error


def _is_on(variable: str) -> bool:
    value = os.environ.get(variable, "false")
    if value.lower() not in _WORDS:
        raise ValueError(f"{variable} is {value!r}; use true or false")
    return _WORDS[value.lower()]


def _add_tls_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "TLS", "Any of these means TLS, with a server that must have the right certificate."
    )
    group.add_argument("--tls", action="store_true", help="trust the system's authorities, unless --tls-ca is given")
    group.add_argument("--tls-ca", metavar="FILE", help="the authorities to trust (PEM)")
    group.add_argument("--tls-certificate", metavar="FILE", help="the client's certificate (PEM)")
    group.add_argument("--tls-key", metavar="FILE", help="its unencrypted private key (PEM)")
    group.add_argument(
        "--tls-server-name",
        metavar="NAME",
        help="what the server's certificate must be for; default: the host of --server",
    )


def _tls(parsed: argparse.Namespace) -> Tls | None:
    files = (parsed.tls_ca, parsed.tls_certificate, parsed.tls_key)
    if not parsed.tls and parsed.tls_server_name is None and all(file is None for file in files):
        return None
    _check_pair("--tls", parsed.tls_certificate, parsed.tls_key)
    ca, certificate, key = files
    return Tls(ca=ca, certificate=certificate, key=key, server_name=parsed.tls_server_name)


def _check_pair(option: str, certificate: str | None, key: str | None) -> None:
    if (certificate is None) != (key is None):
        raise ValueError(f"{option}-certificate and {option}-key go together")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see --help\n")


def _hide_sign(argument: str) -> str:
    """``-inf`` and ``-1e9`` look like options to argparse; with a space in front they do not."""
    return " " + argument if argument.startswith("-") and _number(argument) is not None else argument


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _to_number(text: str) -> float:
    number = _number(text)
    if number is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number")
    return number


def _run(parsed: argparse.Namespace) -> int:
    try:
        with connect(
            parsed.server,
            timeout=parsed.timeout,
            protocol=parsed.protocol,
            framing=parsed.framing,
            tls=_tls(parsed),
            balancing=_balancing(parsed),
        ) as client:
            method = client.square if parsed.method == "square" else client.cal
            call = functools.partial(method, key=parsed.key)
            if parsed.numbers:
                _calculate(call, parsed.numbers)
            else:
                _converse(call)
    except CalculateError as error:
        _complain(error)
        return 1
    except ValueError as error:
        parsed.error(str(error))
    return 0


def _calculate(call: Call, numbers: Iterable[float]) -> None:
    for number in numbers:
        print(call(number), flush=True)


def _converse(call: Call) -> None:
    while (number := _number(_ask())) is not None:
        try:
            _calculate(call, [number])
        except DomainError as error:
            _complain(error)


def _ask() -> str:
    """The next line; an empty one at the end of the input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline()
    try:
        return input(_PROMPT)
    except EOFError:
        print()
        return ""


def _complain(error: CalculateError) -> None:
    print(f"calculate-client: {error}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
