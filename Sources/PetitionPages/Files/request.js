// Does the work that the server demands of forms while many ask, before the form is sent. It makes no request.
"use strict";
(() => {
    const form = document.getElementById("request");
    if (!form || !form.dataset.bits) return;
    const bits = Number(form.dataset.bits);
    const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const utf8 = (text) => new TextEncoder().encode(text);

    // SHA-256 (FIPS 180-4) of a message of whole blocks; constants are the roots of the first primes.
    const primes = [];
    for (let n = 2; primes.length < 64; n += 1) if (primes.every((p) => n % p !== 0)) primes.push(n);
    const root = (p, power) => { const r = p ** power; return ((r - Math.floor(r)) * 2 ** 32) | 0; };
    const constants = primes.map((p) => root(p, 1 / 3));
    const start = primes.slice(0, 8).map((p) => root(p, 1 / 2));
    const turn = (x, n) => (x >>> n) | (x << (32 - n));
    const words = new Int32Array(64);

    function sha256(message) {
        const length = message.length;
        const padded = new Uint8Array(((length + 72) >> 6) << 6);
        padded.set(message);
        padded[length] = 0x80;
        const view = new DataView(padded.buffer);
        view.setUint32(padded.length - 4, length * 8);
        const state = Int32Array.from(start);
        for (let block = 0; block < padded.length; block += 64) {
            for (let i = 0; i < 16; i += 1) words[i] = view.getInt32(block + 4 * i);
            for (let i = 16; i < 64; i += 1) {
                const [x, y] = [words[i - 15], words[i - 2]];
                words[i] = (words[i - 16] + (turn(x, 7) ^ turn(x, 18) ^ (x >>> 3)) + words[i - 7]
                    + (turn(y, 17) ^ turn(y, 19) ^ (y >>> 10))) | 0;
            }
            let [a, b, c, d, e, f, g, h] = state;
            for (let i = 0; i < 64; i += 1) {
                const one = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + constants[i]
                    + words[i]) | 0;
                const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
                [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
            }
            [a, b, c, d, e, f, g, h].forEach((value, i) => { state[i] = (state[i] + value) | 0; });
        }
        return state;
    }

    const digest = (state) => {
        const view = new DataView(new ArrayBuffer(32));
        state.forEach((value, i) => view.setInt32(4 * i, value));
        return new Uint8Array(view.buffer);
    };

    // Work is for one address.
    form.elements.address.addEventListener("input", () => { form.elements.work.value = ""; });

    form.addEventListener("submit", (event) => {
        if (form.elements.work.value) return;
        event.preventDefault();
        form.elements.address.readOnly = true;
        const button = form.querySelector("button");
        const note = document.getElementById("working");
        button.disabled = true;
        note.hidden = false;
        const seed = bytes(form.dataset.seed);
        const roll = Uint8Array.from(form.dataset.roll.match(/../g), (pair) => parseInt(pair, 16));
        const message = new Uint8Array([...utf8("roundrobin-v1 work"), ...seed, ...roll,
            ...digest(sha256(utf8(form.elements.address.value))), 0, 0, 0, 0, 0, 0, 0, 0]);
        const view = new DataView(message.buffer);
        const end = message.length - 4;
        let nonce = 0;
        (function work() {
            const pause = performance.now() + 50;
            while (performance.now() < pause) {
                view.setUint32(end, nonce);
                const first = sha256(message)[0];
                // At most 24 bits are ever demanded.
                if (Math.clz32(first) >= bits) {
                    form.elements.work.value = form.dataset.seed + " " + nonce;
                    button.disabled = false;
                    form.elements.address.readOnly = false;
                    form.submit();
                    return;
                }
                nonce += 1;
            }
            setTimeout(work);
        })();
    });
})();
