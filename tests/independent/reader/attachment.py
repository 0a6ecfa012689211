"""Files attached to records (docs/FORMAT.md §4.11, §5.10)."""

from .crypto import equal, expand, info, mac, open_chunk, sha256, u64, unwrap
from .refused import Refused, require

MAGIC = b"coffer.file/v1\n\x00"
HEADER = 152
CHUNK = 65536
TAG = 16
HIDDEN = {0xAD, 0x61C, 0x180E, 0x2028, 0x2029, 0xFEFF, *range(0x200B, 0x2010), *range(0x202A, 0x202F)}
HIDDEN |= {*range(0x2060, 0x2070)}


def padded_length(length):
    length = max(1024, length)
    exponent = length.bit_length() - 1
    mask = (1 << exponent - exponent.bit_length()) - 1
    return length + mask & ~mask


class Files:
    """The files of one tenant's database."""

    def __init__(self, folder, tenant_key, scope):
        self._folder = folder
        self._scope = scope
        self._wrapping_key = expand(tenant_key, info("file-wrapping-key", *scope), 32)
        self._digest_key = expand(tenant_key, info("file-digest-key", *scope), 32)

    def read(self, name, header_digest, length, digest):
        """The content of the file that a row of the database describes."""
        try:
            data = (self._folder / name.hex()).read_bytes()
        except OSError as error:
            raise Refused("an attachment's file is missing") from error
        header, chunks = data[:HEADER], data[HEADER:]
        require(len(header) == HEADER and sha256(header) == header_digest, "the header of another file")
        require(header[:16] == MAGIC and header[16:32] == name, "no file of an attachment")
        secret = unwrap(self._wrapping_key, header[32:], info("wrap/file-key", *self._scope, name))
        key, stated = secret[:32], int.from_bytes(secret[32:], "big")
        require(stated == length, "an attachment of another length than its row says")
        padded = padded_length(length)
        count = -(-padded // CHUNK)
        require(len(chunks) == padded + count * TAG, "a file of another size than its length asks for")
        content = b""
        for number in range(count):
            chunk = chunks[number * (CHUNK + TAG) : (number + 1) * (CHUNK + TAG)]
            nonce = number.to_bytes(11, "big") + bytes([number == count - 1])
            content += open_chunk(key, nonce, chunk, header_digest)
        require(not any(content[length:]), "padding that is not zeros")
        content = content[:length]
        require(equal(mac(self._digest_key, "file-digest", content), digest), "a content of another digest")
        return content


def media(content):
    start = content[:CHUNK]
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return 2
    if start.startswith(b"\xff\xd8\xff"):
        return 3
    try:
        text = start.decode("utf-8")
    except UnicodeDecodeError as error:
        # Cut in the middle of its last character.
        if error.reason != "unexpected end of data":
            return 4
        text = start[: error.start].decode("utf-8")
    return 4 if "\x00" in text else 1


def check_name(name):
    require(1 <= len(name.encode()) <= 255 and name == name.strip(), "no name of an attachment")
    require(set(name) != {"."} and not set(name) & set("/\\"), "no name of an attachment")
    hidden = [c for c in map(ord, name) if c < 32 or 127 <= c < 160 or c in HIDDEN]
    require(not hidden, "a name with characters that are not seen")
