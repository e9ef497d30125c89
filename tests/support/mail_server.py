"""A small mail server: EHLO, STARTTLS, AUTH PLAIN, and answers as a test wants."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default

from tests.support.serving import serving

# What it answers unless told otherwise, by the command.
_ANSWERS = {
    "GREETING": "220 mail.example ESMTP",
    "MAIL": "250 Sender fine",
    "RCPT": "250 Recipient fine",
    "DATA": "354 Go on",
    "TEXT": "250 Queued",
    "AUTH": "235 Welcome",
    "STARTTLS": "220 Go on",
    "RSET": "250 Reset",
    "QUIT": "221 Bye",
}


@dataclass(slots=True)
class Mailbox:
    """What a mail server got, and where it listens."""

    port: int = 0
    connections: int = 0
    ended: int = 0
    commands: list[str] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)  # of each mail
    raw: list[bytes] = field(default_factory=list)

    @property
    def mails(self) -> list[EmailMessage]:
        """Return the mails, parsed."""
        return [BytesParser(policy=default).parsebytes(each) for each in self.raw]

    def logins(self) -> list[str]:
        """Return what came with AUTH PLAIN, in words."""
        words = [each.split()[2] for each in self.commands if each.startswith("AUTH PLAIN ")]
        return [base64.b64decode(word).decode().replace("\0", "/") for word in words]


@asynccontextmanager
async def mail_server(
    answers: Mapping[str, str] | None = None,
    *,
    tls: ssl.SSLContext | None = None,
    starttls: ssl.SSLContext | None = None,
    auth: bool = False,
) -> AsyncIterator[Mailbox]:
    """Serve on a port of this machine; `answers` replace those of some commands, or of "RCPT <address>"."""
    got = Mailbox()
    said = {**_ANSWERS, **(answers or {})}

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _Conversation(reader, writer, got, said, starttls, auth=auth).hold()

    async with serving(hold, got, tls):
        yield got


class _Conversation:
    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        got: Mailbox,
        said: Mapping[str, str],
        starttls: ssl.SSLContext | None,
        *,
        auth: bool,
    ) -> None:
        self._reader, self._writer, self._got, self._said = reader, writer, got, said
        self._starttls, self._auth = starttls, auth

    async def hold(self) -> None:
        await self._say(self._said["GREETING"])
        while line := (await self._reader.readline()).decode("ascii").strip():
            self._got.commands.append(line)
            command = line.split()[0].upper()
            match command:
                case "EHLO" | "HELO":
                    await self._say(self._greeting())
                case "STARTTLS":
                    await self._say(self._said["STARTTLS"])
                    assert self._starttls is not None
                    await self._writer.start_tls(self._starttls)
                    self._starttls = None
                case "DATA":
                    await self._data()
                case "RCPT":
                    await self._say(self._said.get(f"RCPT {line.partition(':')[2]}", self._said["RCPT"]))
                case _:
                    await self._say(self._said.get(command, "502 Not known"))

    def _greeting(self) -> str:
        more = [*(["STARTTLS"] if self._starttls else []), *(["AUTH PLAIN"] if self._auth else []), "8BITMIME"]
        lines = ["mail.example", *more]
        return "\r\n".join([*(f"250-{each}" for each in lines[:-1]), f"250 {lines[-1]}"])

    async def _data(self) -> None:
        await self._say(self._said["DATA"])
        if self._said["DATA"].startswith("354"):
            text = await self._reader.readuntil(b"\r\n.\r\n")
            self._got.raw.append(text[:-3].replace(b"\r\n..", b"\r\n."))
            self._got.encrypted.append(self._writer.get_extra_info("sslcontext") is not None)
            await self._say(self._said["TEXT"])

    async def _say(self, answer: str) -> None:
        if answer == "(silence)":
            await self._reader.read()  # until the client has had enough
        if answer == "(drip)":
            while True:
                self._writer.write(b"2")
                await self._writer.drain()
                await asyncio.sleep(0.05)
        if answer == "(endless)":
            while True:
                self._writer.write(b"250-x\r\n" * 1000)
                await self._writer.drain()
        if answer == "(end)":
            self._writer.transport.abort()
            return
        self._writer.write(f"{answer}\r\n".encode())
        await self._writer.drain()
