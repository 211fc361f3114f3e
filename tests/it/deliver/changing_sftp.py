"""Stands between a client and the real sftp-server(8), and lies about writing: `drop` says yes to whatever lies
behind the first 100,000 bytes of a file and forgets it, `flip` changes one byte. `changing_sftp.py LIE SERVER`."""

import struct
import subprocess
import sys
import threading

LIE, SERVER = sys.argv[1:3]
WRITE, STATUS = 6, 101
server = subprocess.Popen([SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
lock = threading.Lock()


def answer(packet):
    with lock:
        sys.stdout.buffer.write(packet)
        sys.stdout.buffer.flush()


def back():
    while packet := server.stdout.read1(1 << 16):
        answer(packet)


def changed(body):
    if body[0] != WRITE:
        return body
    ident, (handle,) = body[1:5], struct.unpack(">I", body[5:9])
    (offset,) = struct.unpack(">Q", body[9 + handle : 17 + handle])
    if LIE == "drop" and offset >= 100_000:
        status = bytes([STATUS]) + ident + struct.pack(">III", 0, 0, 0)
        answer(struct.pack(">I", len(status)) + status)
        return None
    if LIE == "flip" and offset == 0:
        body = bytearray(body)
        body[-1] ^= 1
    return bytes(body)


threading.Thread(target=back, daemon=True).start()
while head := sys.stdin.buffer.read(4):
    body = changed(sys.stdin.buffer.read(struct.unpack(">I", head)[0]))
    if body is not None:
        server.stdin.write(struct.pack(">I", len(body)) + body)
        server.stdin.flush()
