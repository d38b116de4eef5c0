"""A mail server for tests: aiosmtpd, with people at whose addresses something happens.

Usage: mail_server.py PORT FOLDER [--tls CERT KEY] [--starttls CERT KEY] [--auth USER PASSWORD] [--refuse STEP REPLY]...
       [--delay SECONDS] [--per-connection NUMBER]

Writes each accepted mail to FOLDER/NUMBER.json, with its envelope, and a line for each connection to FOLDER/connections.
By the name of the recipient: "never…" does not exist; "later…" is greylisted once; "full…" is refused after the text;
"busy…" ends the connection with 421, once; "cut…" ends it without an answer after the text, once; "quote…" is refused
with the link of the mail; "slow…" waits.
"""

import argparse
import asyncio
import json
import os
import ssl

from aiosmtpd.smtp import SMTP, AuthResult

parser = argparse.ArgumentParser()
parser.add_argument("port", type=int)
parser.add_argument("folder")
parser.add_argument("--tls", nargs=2)
parser.add_argument("--starttls", nargs=2)
parser.add_argument("--auth", nargs=2)
parser.add_argument("--refuse", nargs=2, action="append", default=[])
parser.add_argument("--delay", type=float, default=0)
parser.add_argument("--per-connection", type=int, default=0)
options = parser.parse_args()
refusals = dict(options.refuse)
seen = set()
number = 0


def first(event):
    """True the first time that something happens."""
    is_first = event not in seen
    seen.add(event)
    return is_first


class Handler:
    async def handle_MAIL(self, server, session, envelope, address, mail_options):
        if "MAIL" in refusals:
            return refusals["MAIL"]
        session.mails = getattr(session, "mails", 0) + 1
        if 0 < options.per_connection < session.mails:
            server.transport.write(b"421 4.7.0 too many mails on this connection\r\n")
            server.transport.close()
        envelope.mail_from = address
        return "250 2.1.0 OK"

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        if "RCPT" in refusals:
            return refusals["RCPT"]
        name = address.split("@")[0]
        if name.startswith("never"):
            return f"550 5.1.1 <{address}> does not exist"
        if name.startswith("later") and first(address):
            return "450 4.7.1 greylisted, come again"
        if name.startswith("busy") and first(address):
            server.transport.write(b"421 4.3.2 closing\r\n")
            server.transport.close()
            return "421 4.3.2 closing"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        global number
        name = envelope.rcpt_tos[0].split("@")[0]
        if "TEXT" in refusals:
            return refusals["TEXT"]
        if name.startswith("full"):
            return "552 5.2.2 mailbox full"
        if name.startswith("quote"):
            lines = envelope.content.decode().split("\r\n")
            return "554 5.7.1 bad link: " + next(line for line in lines if "#" in line)
        if name.startswith("slow"):
            await asyncio.sleep(30)
        number += 1
        mail = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "text": envelope.content.decode("utf-8", "surrogateescape"),
        }
        path = f"{options.folder}/{number:06}.json"
        with open(path + ".new", "w") as file:
            json.dump(mail, file)
        os.rename(path + ".new", path)
        if name.startswith("cut") and first(name):
            server.transport.abort()
        return "250 2.0.0 taken"


class Server(SMTP):
    def connection_made(self, transport):
        with open(f"{options.folder}/connections", "a") as file:
            file.write("connection\n")
        super().connection_made(transport)

    async def push(self, status):
        if options.delay:
            await asyncio.sleep(options.delay)
        text = status if isinstance(status, str) else status.decode()
        if text.startswith("220") and "GREETING" in refusals and not self.session.host_name:
            return await super().push(refusals["GREETING"])
        await super().push(status)

    async def smtp_STARTTLS(self, arg):
        if "STARTTLS" in refusals:
            return await self.push(refusals["STARTTLS"])
        await super().smtp_STARTTLS(arg)

    async def smtp_DATA(self, arg):
        if "DATA" in refusals:
            return await self.push(refusals["DATA"])
        await super().smtp_DATA(arg)


def authenticate(server, session, envelope, mechanism, data):
    user, password = options.auth
    is_right = data.login == user.encode() and data.password == password.encode()
    return AuthResult(success=is_right, handled=False)


def context(files):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    return context


def server():
    settings = {"enable_SMTPUTF8": False, "timeout": 300, "hostname": "mail.test"}
    if options.starttls:
        settings |= {"tls_context": context(options.starttls), "require_starttls": True}
    if options.auth:
        settings |= {"authenticator": authenticate, "auth_required": True, "auth_require_tls": False}
    return Server(Handler(), **settings)


async def main():
    loop = asyncio.get_running_loop()
    tls = context(options.tls) if options.tls else None
    listener = await loop.create_server(server, "127.0.0.1", options.port, ssl=tls)
    print("Serving", flush=True)
    await listener.serve_forever()


asyncio.run(main())
