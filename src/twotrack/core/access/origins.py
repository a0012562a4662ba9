"""Origins that an administrator lists, in the form in which browsers send them."""

from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}


def check_origin(text: str) -> str:
    """`text` as a browser would write it in an Origin header: "https://host[:port]", in lower case.

    Raises:
        ValueError: it is none, or means more than one.
    """
    if "*" in text:
        raise ValueError("a star would let every page in; list each origin")
    text = text.strip()
    # urlsplit would leave out what separates two headers.
    if not text.isprintable() or " " in text:
        raise ValueError("it contains blanks or control characters")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError("it is no origin such as https://studio.example") from None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise ValueError("it is no origin such as https://studio.example")
    if parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("an origin has a scheme, a host and perhaps a port, nothing more")
    try:
        host = parts.hostname.encode("idna").decode() if ":" not in parts.hostname else f"[{parts.hostname}]"
    except UnicodeError:
        raise ValueError("its host name cannot be one") from None
    if any(character <= " " or character in '\\%^`{}|<>"' for character in host):
        raise ValueError("its host name cannot be one")
    shown = "" if port is None or port == _DEFAULT_PORTS[parts.scheme] else f":{port}"
    return f"{parts.scheme}://{host}{shown}"
