"""A read-only SFTP server (protocol 3) on stdin and stdout, honest but for a lie about every path that
contains a given word. The real sshd starts it: `Subsystem sftp python3 lying_sftp.py LIE WORD [LIE WORD]…`.
Knows no writing request: whoever sends one gets "operation unsupported"."""

import itertools
import os
import stat
import struct
import sys
import time

LIES = list(zip(sys.argv[1::2], sys.argv[2::2]))
OK, EOF, NO_SUCH_FILE, DENIED, FAILURE, UNSUPPORTED = 0, 1, 2, 3, 4, 8
handles = {}
numbers = itertools.count()


def need(count):
    data = sys.stdin.buffer.read(count)
    if len(data) < count:
        sys.exit(0)
    return data


def send(kind, payload):
    sys.stdout.buffer.write(struct.pack(">IB", len(payload) + 1, kind) + payload)
    sys.stdout.buffer.flush()


def text(data):
    return struct.pack(">I", len(data)) + data


def status(ident, code):
    send(101, ident + struct.pack(">I", code) + text(b"") + text(b""))


def lies(path, *names):
    return any(lie in names and word in os.fsdecode(path) for lie, word in LIES)


def attributes(path, info, opened=False):
    size, mode = info.st_size, info.st_mode
    if stat.S_ISREG(mode):
        if lies(path, "short"):
            size += 1000
        if lies(path, "endless-file"):
            size = 1 << 62
        if lies(path, "swapped") and opened:
            mode = stat.S_IFIFO | 0o644
    # Size, permissions and times.
    return struct.pack(">IQIII", 0xD, size, mode, int(info.st_atime), int(info.st_mtime))


def listing(path):
    names = [os.fsencode(name) for name in [".", "..", *os.listdir(path)]]
    if lies(path, "climbing-name"):
        names.insert(2, b"../../../etc/passwd.xml")
    if lies(path, "absolute-name"):
        names.insert(2, b"/etc/passwd.xml")
    if lies(path, "nul-name"):
        names.insert(2, b"config.xml\0.xml")
    if lies(path, "empty-name"):
        names.insert(2, b"")
    if lies(path, "twice"):
        names += names
    yield names
    count = 0
    while lies(path, "endless-directory"):
        yield [b"%08d.xml" % (count + n) for n in range(100)]
        count += 100


def answer(kind, ident, body):
    def field(at=0):
        (length,) = struct.unpack_from(">I", body, at)
        return body[at + 4 : at + 4 + length]

    name = field()
    try:
        if kind in (3, 11):
            # Not how many are open: that number may still be another file's.
            handle = b"%d" % next(numbers)
            opened = os.open(name, os.O_RDONLY | os.O_NONBLOCK) if kind == 3 else listing(name)
            handles[handle] = (name, opened)
            if lies(name, "long-handle"):
                handle = b"h" * 1000
            send(102, ident + text(handle))
        elif kind == 4:
            opened = handles.pop(name)[1]
            if isinstance(opened, int):
                os.close(opened)
            status(ident, OK)
        elif kind == 5:
            path, opened = handles[name]
            offset, length = struct.unpack_from(">QI", body, 4 + len(name))
            if lies(path, "stalls"):
                return
            if lies(path, "io") and offset > 0:
                return status(ident, FAILURE)
            if lies(path, "trickles"):
                time.sleep(0.2)
                length = 1
            if lies(path, "wrong-id"):
                ident = struct.pack(">I", 0x7FFFFFFF)
            while lies(path, "flood"):
                send(103, struct.pack(">I", 0x7FFFFFFF) + text(b"x" * 32000))
            if lies(path, "huge-packet"):
                sys.stdout.buffer.write(struct.pack(">IB", 1 << 31, 103) + ident)
                sys.stdout.buffer.flush()
                return
            if lies(path, "empty-packet"):
                sys.stdout.buffer.write(struct.pack(">I", 0))
                sys.stdout.buffer.flush()
                return
            if lies(path, "wrong-length"):
                return send(103, ident + struct.pack(">I", 1 << 31) + b"x")
            if lies(path, "wrong-kind"):
                return send(105, ident + struct.pack(">I", 0))
            if lies(path, "more"):
                return send(103, ident + text(b"x" * (length + 1000)))
            most = 64 if lies(path, "io") else 100 if lies(path, "small-pieces") else 32768
            data = os.pread(opened, min(length, most), offset)
            if lies(path, "endless-file"):
                data = b" " * min(length, most)
            if lies(path, "empty-data"):
                return send(103, ident + text(b""))
            send(103, ident + text(data)) if data else status(ident, EOF)
        elif kind in (7, 17):
            info = os.lstat(name) if kind == 7 else os.stat(name)
            send(105, ident + attributes(name, info))
        elif kind == 8:
            path, opened = handles[name]
            send(105, ident + attributes(path, os.fstat(opened), opened=True))
        elif kind == 12:
            path, entries = handles[name]
            names = next(entries, None)
            if names is None:
                return status(ident, EOF)
            if lies(path, "endless-count"):
                return send(104, ident + struct.pack(">I", 0xFFFFFFFF) + text(b"a.xml") + text(b""))
            if lies(path, "no-names"):
                return send(104, ident + struct.pack(">I", 0))
            entries = b"".join(text(name) + text(name) + struct.pack(">I", 0) for name in names)
            send(104, ident + struct.pack(">I", len(names)) + entries)
        elif kind == 16:
            path = text(os.path.realpath(name))
            send(104, ident + struct.pack(">I", 1) + path + path + struct.pack(">I", 0))
        else:
            status(ident, UNSUPPORTED)
    except PermissionError:
        status(ident, DENIED)
    except FileNotFoundError:
        status(ident, NO_SUCH_FILE)
    except OSError:
        status(ident, FAILURE)


while True:
    (length,) = struct.unpack(">I", need(4))
    packet = need(length)
    if packet[0] == 1:
        send(2, struct.pack(">I", 3))
    else:
        answer(packet[0], packet[1:5], packet[5:])
