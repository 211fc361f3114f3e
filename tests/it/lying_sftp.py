"""A read-only SFTP server (protocol 3) on stdin and stdout, honest but for one lie about every path
that contains a given word. The real sshd starts it: `Subsystem sftp python3 lying_sftp.py LIE WORD`.
Knows no writing request: whoever sends one gets "operation unsupported"."""

import os
import stat
import struct
import sys
import time

LIE, WORD = sys.argv[1], sys.argv[2]
OK, EOF, NO_SUCH_FILE, DENIED, FAILURE, UNSUPPORTED = 0, 1, 2, 3, 4, 8
handles = {}


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
    return LIE in names and WORD in os.fsdecode(path)


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
            handle = b"%d" % len(handles)
            opened = os.open(name, os.O_RDONLY | os.O_NONBLOCK) if kind == 3 else listing(name)
            handles[handle] = (name, opened)
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
            most = 64 if lies(path, "io") else 32768
            data = os.pread(opened, min(length, most), offset)
            if lies(path, "endless-file"):
                data = b" " * min(length, most)
            send(103, ident + text(data)) if data else status(ident, EOF)
        elif kind in (7, 17):
            info = os.lstat(name) if kind == 7 else os.stat(name)
            send(105, ident + attributes(name, info))
        elif kind == 8:
            path, opened = handles[name]
            send(105, ident + attributes(path, os.fstat(opened), opened=True))
        elif kind == 12:
            names = next(handles[name][1], None)
            if names is None:
                return status(ident, EOF)
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
