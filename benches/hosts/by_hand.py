"""What somebody writes by hand with asyncssh: one connection for each host, the version command, and every file that
gonogo fetches, with its SHA-256 and the database's integrity. No more checks than these."""

import asyncio
import hashlib
import sqlite3
import sys
import tempfile

import asyncssh

HOSTS, PORT, JOBS, USER, KEY, AMPS = sys.argv[1:7]


async def fetch(sftp, path, size):
    async with sftp.open(path, "rb") as file:
        content = await file.read(size)
    assert len(content) == size
    hashlib.sha256(content).hexdigest()
    return content


async def listed(sftp, directory):
    names = [entry async for entry in sftp.scandir(directory)]
    files = [entry for entry in names if entry.filename not in (".", "..")]
    return await asyncio.gather(
        *(fetch(sftp, f"{directory}/{entry.filename}", entry.attrs.size) for entry in files)
    )


async def database(sftp, path):
    sizes = await asyncio.gather(sftp.stat(path), sftp.stat(path + "-wal"))
    both = await asyncio.gather(
        fetch(sftp, path, sizes[0].size), fetch(sftp, path + "-wal", sizes[1].size)
    )
    with tempfile.TemporaryDirectory() as scratch:
        for content, name in zip(both, ("stats.db", "stats.db-wal")):
            with open(f"{scratch}/{name}", "wb") as file:
                file.write(content)
        copy = sqlite3.connect(f"{scratch}/stats.db")
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        copy.close()
    return both


async def one(turn, index):
    home = f"{AMPS}/h{index + 1:03}"
    address = f"127.0.{1 + index // 250}.{1 + index % 250}"
    async with turn, asyncssh.connect(
        address, int(PORT), username=USER, client_keys=[KEY], known_hosts=None, config=None, agent_path=None
    ) as session:
        said, sftp = await asyncio.gather(
            session.run(f"{home}/bin/ampServer --version", check=True), session.start_sftp_client()
        )
        files = await asyncio.gather(
            listed(sftp, f"{home}/config"), listed(sftp, f"{home}/logs"), database(sftp, f"{home}/stats.db")
        )
        return len(said.stdout) + sum(len(content) for some in files for content in some)


async def main():
    turn = asyncio.Semaphore(int(JOBS))
    print(sum(await asyncio.gather(*(one(turn, index) for index in range(int(HOSTS))))))


asyncio.run(main())
