"""Files as nobody should write them: made by hand, and by changing good ones at random."""

from __future__ import annotations

import gzip
import os
import random
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

Content = Callable[[bytes], bytes]
"""Good content → hostile content."""


def in_last_line(*fields: bytes) -> Content:
    """The first fields of the last line replaced, whatever parts them."""

    def change(good: bytes) -> bytes:
        head, _, last = good.rstrip(b"\n").rpartition(b"\n")
        separator = b"\t" if b"\t" in last else b","
        values = last.split(separator)
        values[: len(fields)] = fields
        return head + b"\n" + separator.join(values) + b"\n"

    return change


def json_line(text: bytes) -> Content:
    """One more line."""
    return lambda good: good.rstrip(b"\n") + b"\n" + text + b"\n"


def fixed(content: bytes) -> Content:
    return lambda _: content


def swapped(good: bytes) -> bytes:
    """Commas for tabs, tabs for commas."""
    return good.translate(bytes.maketrans(b"\t,", b",\t"))


def first_line(good: bytes) -> bytes:
    return good.split(b"\n")[0] + b"\n"


CONTENTS: dict[str, Content] = {
    "empty": fixed(b""),
    "a newline": fixed(b"\n"),
    "blank lines": fixed(b"\n \n\t\n\r\n"),
    "a byte-order mark alone": fixed(b"\xef\xbb\xbf"),
    "a byte-order mark before": lambda good: b"\xef\xbb\xbf" + good,
    "NUL bytes": fixed(b"\0" * 5000),
    "a NUL in a line": json_line(b"a\0b\tc\td"),
    "first line alone": first_line,
    "no newline at the end": lambda good: good.rstrip(b"\n"),
    "carriage returns": lambda good: good.replace(b"\n", b"\r"),
    "network line ends": lambda good: good.replace(b"\n", b"\r\n"),
    "other delimiters": swapped,
    "invalid UTF-8": json_line(b"\xff\xfe\xfd\t\x80\t\xc3("),
    "overlong UTF-8": json_line(b"\xc0\xaf\t\xe0\x80\xaf\t\xed\xa0\x80"),
    "UTF-16": lambda good: good.decode(errors="replace").encode("utf-16"),
    "Latin-1": json_line("na\xefve\tcaf\xe9\tZ\xfcrich".encode("latin-1")),
    "a huge field": in_last_line(b"x" * 300_000),
    "a huge field without end": lambda good: good + b'"' + b"y" * 300_000,
    "ten thousand columns": lambda good: good + b"\t".join([b"z"] * 10_000) + b"\n",
    "ten thousand columns of a header": lambda good: b",".join(b"c%d" % n for n in range(10_000)) + b"\n" + good,
    "a header that stands twice": lambda good: first_line(good).rstrip(b"\n") * 2 + b"\n" + good,
    "the header below": lambda good: b"".join(reversed(good.splitlines(keepends=True))),
    "an open quote": json_line(b'"never closed\tb\tc'),
    "text after a quote": json_line(b'"a"b\tc\td'),
    "empty fields": in_last_line(b"", b"", b""),
    "blank fields": in_last_line(b" ", b"\xe2\x80\x83", b"\xc2\xa0"),
    "NaN": in_last_line(b"NaN", b"NaN", b"NaN", b"NaN", b"NaN", b"NaN", b"NaN"),
    "infinity": in_last_line(b"inf", b"-Infinity", b"1e999", b"inf", b"inf", b"inf", b"inf"),
    "huge numbers": in_last_line(b"9" * 5000, b"-" + b"9" * 30, b"1e308"),
    "colons": in_last_line(b"::", b"GENE::", b"::1"),
    "many colons": in_last_line(b"a:b:c:d", b"::" * 500, b"GENE::GENE::1"),
    "a path as an identifier": in_last_line(b"../../etc/passwd", b"/etc/passwd", b"~"),
    "mark-up": in_last_line(b"<script>alert(1)</script>", b"&amp;]]>", b"'\"--;"),
    "a formula": in_last_line(b"=cmd|' /C calc'!A0", b"@SUM(1)", b"+1"),
    "control characters": in_last_line(b"\x1b[31m\x07", b"\x7f\x08", b"\x0b\x0c"),
    "right to left": in_last_line("\u202eevil\u2066".encode(), "\ufeff".encode(), b"x"),
    "beyond the basic plane": in_last_line("\U0001f9ec\u0301".encode() * 99, "ﬁ".encode(), "İ".encode()),
    "gzip without its name": gzip.compress,
    "an object": fixed(b"{}"),
    "a list": fixed(b"[]"),
    "null": fixed(b"null\n"),
    "a number": fixed(b"3\n"),
    "a string": fixed(b'"x"\n'),
    "deep lists": fixed(b"[" * 100_000),
    "deep objects": fixed(b'{"a":' * 100_000),
    "an object without its end": fixed(b'{"source": "1", "target": '),
    "values of other types": fixed(b'{"source": [], "target": {}, "doc_id": {}, "sentence": 3, "id": null}\n' * 3),
    "a key twice": json_line(b'{"source": "1", "source": "2", "target": "3"}'),
    "half a surrogate pair": json_line(b'{"source": "\\ud800", "target": "\\udfff", "doc_id": "\\ud800"}'),
    "numbers that JSON has not": json_line(b'{"source": NaN, "target": Infinity, "doc_id": 1, "sentence": -Infinity}'),
    "a number of 5,000 digits": json_line(b'{"source": ' + b"9" * 5000 + b', "target": 1e999}'),
    "a program": fixed(b"\x7fELF\x02\x01\x01" + bytes(range(256)) * 20),
    "a pickle": fixed(b"\x80\x04\x95\x1c\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x8c\x06system\x93\x8c\x04true\x85R."),
    "an archive": fixed(b"PK\x03\x04" + b"\0" * 26 + b"a.txt"),
    "yaml that makes objects": fixed(b"!!python/object/apply:os.system ['true']\n"),
    "yaml that grows": fixed(
        b"a: &a [x,x,x,x,x,x,x,x,x]\n"
        + b"".join(b"%c: &%c [%s]\n" % (n, n, b",".join([b"*%c" % (n - 1)] * 9)) for n in range(98, 107))
    ),
}  # fmt: skip
"""Name → how good content becomes hostile; the ending of the file stays."""

BAD_LINES = {"a NUL in a line", "invalid UTF-8", "overlong UTF-8", "Latin-1", "an open quote"}
"""Good files with a last line that is not: what is wrong with it has a line."""

WHOLE = gzip.compress(random.Random(0).randbytes(20_000))


@cache
def bomb(_: bytes) -> bytes:
    """400 KiB that become 400 MiB."""
    writer = zlib.compressobj(wbits=31)
    return b"".join([*(writer.compress(bytes(1 << 20)) for _ in range(400)), writer.flush()])


COMPRESSED: dict[str, Content] = {
    "plain text called gz": lambda good: good,
    "gz cut short": lambda good: gzip.compress(good + random.Random(1).randbytes(50_000).hex().encode())[:-20_000],
    "gz of nothing": fixed(gzip.compress(b"")),
    "gz with rubbish behind": lambda good: gzip.compress(good) + b"rubbish",
    "gz with a wrong checksum": lambda good: gzip.compress(good)[:-8] + b"\0" * 8,
    "gz that is long and empty": lambda good: gzip.compress(good + b"\n" * 200_000),
    "gz header alone": fixed(WHOLE[:10]),
    "gz that would fill the memory": bomb,
}
"""The same for a file whose name ends in .gz as well."""


def no_file(path: Path) -> None:
    """Nothing is there."""


def to_itself(path: Path) -> None:
    """A link to itself."""
    path.symlink_to(path)


def to_nowhere(path: Path) -> None:
    """A link to what is not there."""
    path.symlink_to(path.with_name("nowhere"))


def to_a_device(path: Path) -> None:
    """A link to a device without content."""
    path.symlink_to("/dev/null")


def directory(path: Path) -> None:
    """A directory that holds something."""
    path.mkdir()
    (path / "manifest.txt").write_text("x")


def claims_to_be_ours(path: Path) -> None:
    """A directory with a manifest of nothing."""
    path.mkdir()
    (path / "manifest.json").write_text("{}")


def deep_manifest(path: Path) -> None:
    """A directory with a manifest of a hundred thousand brackets."""
    path.mkdir()
    (path / "manifest.json").write_text('{"a":' * 100_000)


IRREGULAR: dict[str, Callable[[Path], None]] = {
    "no file": no_file,
    "a link to itself": to_itself,
    "a link to nowhere": to_nowhere,
    "a device": to_a_device,
    "a directory": directory,
    "a pipe": os.mkfifo,
    "a manifest of nothing": claims_to_be_ours,
    "a deep manifest": deep_manifest,
}
"""Name → what stands in place of a file."""

NAMES = {
    "a long name": "n" * 300,
    "a line break in the name": "two\nlines",
    "an option as a name": "--help",
    "no name": "",
}
"""Names that no file can have, or that none should have."""


def changed_at_random(good: bytes, random_: random.Random) -> bytes:
    """Good content with one to four changes: bytes and pieces changed, moved, doubled, dropped, lines shuffled."""
    content = bytearray(good)
    for _ in range(random_.randint(1, 4)):
        start = random_.randrange(len(content) + 1)
        stop = min(len(content), start + random_.choice([1, 2, 8, 64, 512]))
        match random_.randrange(8):
            case 0:
                content[start:stop] = b""
            case 1:
                content[start:start] = random_.randbytes(random_.choice([1, 3, 20]))
            case 2 if start < len(content):
                content[start] ^= 1 << random_.randrange(8)
            case 3:
                content[start:start] = content[start:stop]
            case 4:
                content[start:start] = random_.choice(TOKENS)
            case 5:
                del content[start:]
            case 6:
                lines = bytes(content).splitlines(keepends=True)
                random_.shuffle(lines)
                content = bytearray(b"".join(lines))
            case _:
                content = content.replace(random_.choice(PARTS), random_.choice(TOKENS), random_.choice([1, 2, -1]))
    return bytes(content)


PARTS = [
    b"\t",
    b",",
    b"\n",
    b'"',
    b":",
    b"::",
    b"{",
    b"[",
    b"1",
    b"GENE",
    b"source",
    b"id",
    b"0",
    b"@",
    b"$",
    b"|",
    b".",
]
TOKENS = [
    *PARTS, b"", b"\0", b"\r", b"\xff", b"NaN", b"-1", b"1e999", b"null", b"true", b"[]", b"{}", b'""', b"\\",
    b"\\u0000",    b"\xef\xbb\xbf", b"\xe2\x80\xa8", b" ", b"9" * 20, b"\x1b", b"0x1", b"DISEASE",
]  # fmt: skip
