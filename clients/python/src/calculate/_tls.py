"""What may be set for TLS: whom to trust, who we are, what the server is called."""

from __future__ import annotations

import ipaddress
import os
import ssl

FilePath = str | os.PathLike[str]


class Tls:
    """TLS 1.2 or 1.3 (RFC 5246, RFC 8446) to a server; give it to ``connect`` as ``tls``.

    ``ca``: a PEM file with the authorities to trust; without it, those of the system. ``certificate`` and ``key``: PEM
    files with the client's certificate (and what leads to its authority) and its unencrypted private key, for a server
    that asks for one. ``server_name``: what the server's certificate must be for, a DNS name or an IP address; without
    it, the host of the target. A unix socket has no host, so there it must be given.

    That the certificate is for that name is always checked.

    ``context`` is for those who have an ``ssl.SSLContext`` of their own; it replaces the three files, and must check
    names.

    The files are read here and not again. Raises ValueError for what cannot be right: a file that cannot be read or
    is not what it ought to be, a certificate without its key, a context that does not check names.
    """

    def __init__(
        self,
        *,
        ca: FilePath | None = None,
        certificate: FilePath | None = None,
        key: FilePath | None = None,
        server_name: str | None = None,
        context: ssl.SSLContext | None = None,
    ) -> None:
        if (certificate is None) != (key is None):
            missing, given = ("key", "certificate") if key is None else ("certificate", "key")
            raise ValueError(f"tls: the {given} is given without the {missing}; give both, or neither")
        if context is not None and not (ca is certificate is None):
            raise ValueError("tls: a context is given, and files besides; load the files into the context")
        if server_name is not None:
            check_name(server_name)
        self.server_name = server_name
        # Whether a certificate can be shown; None when only the context knows.
        self.has_certificate = certificate is not None if context is None else None
        self.context = _make_context(ca) if context is None else context
        check_context(self.context)
        if certificate is not None and key is not None:
            _load_identity(self.context, certificate, key)


def check_context(context: ssl.SSLContext) -> None:
    """Refuses a context that would talk to anybody."""
    if not isinstance(context, ssl.SSLContext):
        raise ValueError(f"tls: the context is {type(context).__name__}; it must be an ssl.SSLContext")
    if context.protocol == ssl.PROTOCOL_TLS_SERVER:
        raise ValueError("tls: the context is a server's; make one with ssl.create_default_context()")
    if not context.check_hostname:
        raise ValueError("tls: the context does not check names; leave its check_hostname on")


def check_name(name: str) -> None:
    """Refuses what no certificate can be for."""
    try:
        if not name or any(c.isspace() or c in "\0/[]*" for c in name):
            raise ValueError
        if ":" in name:
            ipaddress.ip_address(name)
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=name)
    except ValueError:
        raise ValueError(
            f"tls: the server name {name!r} is neither a DNS name nor an IP address; write it without port and brackets"
        ) from None


def _make_context(ca: FilePath | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # which checks certificates and names
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    if ssl.HAS_NEVER_CHECK_COMMON_NAME:
        context.hostname_checks_common_name = (
            False  # a certificate's names are its subject alternative names (RFC 9525)
        )
    if ca is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    else:
        _load_certificates(context, "ca", ca)
    return context


def _load_identity(context: ssl.SSLContext, certificate: FilePath, key: FilePath) -> None:
    # OpenSSL does not say which of the two files is at fault: so the certificate is tried alone first.
    _load_certificates(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), "certificate", certificate)
    encrypted = _wrong_file("key", key, "it is encrypted; decrypt it, as with 'openssl pkey'")

    def refuse() -> str:
        raise encrypted

    _check_readable("key", key)
    try:
        context.load_cert_chain(certificate, key, refuse)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise _wrong_file(
                "key", key, f"it is not the key of the certificate in {os.fspath(certificate)!r}"
            ) from error
        raise _wrong_file("key", key, "it does not hold a private key in PEM form") from error


def _load_certificates(context: ssl.SSLContext, setting: str, file: FilePath) -> None:
    _check_readable(setting, file)
    try:
        context.load_verify_locations(file)
    except ssl.SSLError as error:
        raise _wrong_file(setting, file, "it does not hold certificates in PEM form") from error


def _check_readable(setting: str, file: FilePath) -> None:
    try:
        with open(file, "rb"):
            pass
    except OSError as error:
        raise _wrong_file(setting, file, f"it cannot be read ({(error.strerror or str(error)).lower()})") from error


def _wrong_file(setting: str, file: FilePath, what: str) -> ValueError:
    return ValueError(f"tls: the {setting} file {os.fspath(file)!r}: {what}")
