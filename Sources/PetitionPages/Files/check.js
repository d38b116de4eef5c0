// Checks a receipt against a record in this page. It makes no request: the page's policy forbids any.
"use strict";
(() => {
    const form = document.getElementById("check");
    if (!form) return;
    const result = document.getElementById("result");
    const words = form.dataset;
    const text = new TextEncoder();

    class Refusal extends Error {}

    function join(...parts) {
        const all = new Uint8Array(parts.reduce((count, part) => count + part.length, 0));
        let place = 0;
        for (const part of parts) {
            all.set(part, place);
            place += part.length;
        }
        return all;
    }

    async function sha256(...parts) {
        return new Uint8Array(await crypto.subtle.digest("SHA-256", join(...parts)));
    }

    function equal(one, other) {
        return one.length === other.length && one.every((byte, place) => byte === other[place]);
    }

    function base64(line) {
        let decoded;
        try { decoded = atob(line); } catch { throw new Refusal("malformed"); }
        // One spelling only: what is not written back in the same way is another text.
        if (btoa(decoded) !== line) throw new Refusal("malformed");
        return Uint8Array.from(decoded, (character) => character.charCodeAt(0));
    }

    function decimal(line) {
        if (!/^(0|[1-9][0-9]{0,18})$/.test(line) || BigInt(line) >= 1n << 63n) throw new Refusal("malformed");
        return BigInt(line);
    }

    // C2SP tlog-proof: a header, the index, the hashes, an empty line, and the signed checkpoint.
    function parse(bytes) {
        let whole;
        try { whole = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes); } catch { throw new Refusal("malformed"); }
        const blank = whole.indexOf("\n\n");
        if (blank < 0) throw new Refusal("malformed");
        const lines = whole.slice(0, blank).split("\n");
        if (lines.shift() !== "c2sp.org/tlog-proof@v1") throw new Refusal("malformed");
        if (lines[0] && lines[0].startsWith("extra ")) base64(lines.shift().slice(6));
        const index = lines.shift();
        if (!index || !index.startsWith("index ") || lines.length > 63) throw new Refusal("malformed");
        const hashes = lines.map(base64);
        if (hashes.some((hash) => hash.length !== 32)) throw new Refusal("malformed");
        return { index: decimal(index.slice(6)), hashes, note: whole.slice(blank + 2) };
    }

    // C2SP signed-note: a text, an empty line, and lines of signatures, by whomever.
    function signedNote(note) {
        const blank = note.lastIndexOf("\n\n");
        if (blank < 0 || !note.endsWith("\n") || /[\x00-\x09\x0b-\x1f]/.test(note)) throw new Refusal("malformed");
        const lines = note.slice(blank + 2, -1).split("\n");
        if (lines.length > 64) throw new Refusal("malformed");
        const signatures = lines.map((line) => {
            const [dash, name, encoded, ...rest] = line.split(" ");
            if (dash !== "\u2014" || !name || /[\p{White_Space}+]/u.test(name) || !encoded || rest.length) throw new Refusal("malformed");
            const bytes = base64(encoded);
            if (bytes.length <= 4) throw new Refusal("malformed");
            return { name, id: bytes.slice(0, 4), bytes: bytes.slice(4) };
        });
        return { body: note.slice(0, blank + 1), signatures };
    }

    // C2SP tlog-checkpoint: three lines, signed by the log's key, once.
    async function checkpoint(note) {
        const { body, signatures } = signedNote(note);
        const lines = body.slice(0, -1).split("\n");
        if (lines.length !== 3) throw new Refusal("malformed");
        const head = { size: decimal(lines[1]), root: base64(lines[2]) };
        if (head.root.length !== 32) throw new Refusal("malformed");
        if (lines[0] !== words.origin) throw new Refusal("originWrong");
        const publicKey = base64(words.key);
        const id = (await sha256(text.encode(words.origin + "\n"), Uint8Array.of(1), publicKey)).slice(0, 4);
        const own = signatures.filter((signature) => signature.name === words.origin && equal(signature.id, id));
        if (own.length !== 1) throw new Refusal("signature");
        const key = await crypto.subtle.importKey("raw", publicKey, "Ed25519", false, ["verify"]);
        const isSigned = await crypto.subtle.verify("Ed25519", key, own[0].bytes, text.encode(body));
        if (!isSigned) throw new Refusal("signature");
        head.witnesses = await cosignatures(body, signatures);
        return head;
    }

    // C2SP tlog-cosignature: which of the petition's witnesses cosigned, and when; of each key the earliest. A line of
    // one of them that does not verify spoils the receipt.
    async function cosignatures(body, signatures) {
        const found = [];
        for (const [name, encoded] of JSON.parse(words.witnesses || "[]")) {
            const publicKey = base64(encoded);
            const id = (await sha256(text.encode(name + "\n"), Uint8Array.of(4), publicKey)).slice(0, 4);
            const key = await crypto.subtle.importKey("raw", publicKey, "Ed25519", false, ["verify"]);
            let earliest = 0n;
            for (const line of signatures.filter((signature) => signature.name === name && equal(signature.id, id))) {
                if (line.bytes.length !== 72) throw new Refusal("witness");
                const time = new DataView(line.bytes.buffer, line.bytes.byteOffset).getBigUint64(0);
                const said = text.encode(`cosignature/v1\ntime ${time}\n${body}`);
                const isSigned = time < 1n << 63n && await crypto.subtle.verify("Ed25519", key, line.bytes.slice(8), said);
                if (!isSigned) throw new Refusal("witness");
                if (time > 0n && (earliest === 0n || time < earliest)) earliest = time;
            }
            if (earliest > 0n) found.push(`${name} (${moment(earliest)})`);
        }
        if (words.witnesses && found.length === 0) throw new Refusal("unwitnessed");
        return found;
    }

    function moment(seconds) {
        const date = new Date(Number(seconds) * 1000);
        return Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString().replace(".000", "");
    }

    // RFC 9162 section 2.1.3.2, with the hashes of RFC 6962.
    async function rootOf(leaf, index, size, hashes) {
        if (index >= size) throw new Refusal("proof");
        let node = index;
        let last = size - 1n;
        let hash = leaf;
        for (const sibling of hashes) {
            if (last === 0n) throw new Refusal("proof");
            if ((node & 1n) === 1n || node === last) {
                hash = await sha256(Uint8Array.of(1), sibling, hash);
                while ((node & 1n) === 0n && node !== 0n) {
                    node >>= 1n;
                    last >>= 1n;
                }
            } else {
                hash = await sha256(Uint8Array.of(1), hash, sibling);
            }
            node >>= 1n;
            last >>= 1n;
        }
        if (last !== 0n) throw new Refusal("proof");
        return hash;
    }

    async function check(receiptFile, recordFile) {
        const limit = 1 << 18;
        if (receiptFile.size > limit || recordFile.size > limit) throw new Refusal("malformed");
        let files;
        // A folder, or a file that is gone.
        try { files = await Promise.all([receiptFile.arrayBuffer(), recordFile.arrayBuffer()]); } catch { throw new Refusal("unreadable"); }
        const [receiptBytes, record] = files.map((file) => new Uint8Array(file));
        const receipt = parse(receiptBytes);
        const head = await checkpoint(receipt.note);
        const leaf = await sha256(Uint8Array.of(0), record);
        if (!equal(await rootOf(leaf, receipt.index, head.size, receipt.hashes), head.root)) throw new Refusal("proof");
        return { index: receipt.index, size: head.size, witnesses: head.witnesses };
    }

    function say(kind, words) {
        result.className = kind;
        result.textContent = words;
    }

    // Files may be chosen while others are being checked: the last ones are spoken of.
    let turns = 0;

    async function run() {
        const turn = ++turns;
        const [receipt, record] = ["receipt", "record"].map((name) => form.elements[name].files[0]);
        if (!receipt || !record) return;
        say("", words.working);
        let verdict;
        try {
            const found = await check(receipt, record);
            const proven = words.good.replace("%1", String(found.index)).replace("%2", String(found.size));
            const seen = found.witnesses.length ? " " + words.cosigned.replace("%", () => found.witnesses.join(", ")) : "";
            verdict = ["good", proven + seen];
        } catch (error) {
            const rule = error instanceof Refusal ? error.message : "unsupported";
            verdict = ["bad", words[rule] || words.malformed];
        }
        if (turn === turns) say(...verdict);
    }

    form.addEventListener("change", run);
    form.addEventListener("submit", (event) => {
        event.preventDefault();
        run();
    });
    form.addEventListener("dragover", (event) => event.preventDefault());
    form.addEventListener("drop", (event) => {
        event.preventDefault();
        for (const file of event.dataTransfer.files) {
            const data = new DataTransfer();
            data.items.add(file);
            form.elements[file.name.endsWith("proof") ? "receipt" : "record"].files = data.files;
        }
        run();
    });
    form.hidden = false;
})();
