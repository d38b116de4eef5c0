// Puts the code of an invitation, from this page's address or as it is typed, into the command. It makes no request:
// the page's policy forbids any.
"use strict";
(() => {
    const command = document.getElementById("command");
    const field = document.getElementById("code");
    if (!command || !field) return;
    const symbols = "0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U";
    const template = command.textContent;

    // The code in a text as 27 symbols; null unless its check symbol is right.
    function code(text) {
        const typed = text.toUpperCase().replace(/[\s_\u00AD\u200B\u2010-\u2015\u2212-]/g, "")
            .replace(/[IL]/g, "1").replace(/O/g, "0");
        if (!/^[0-9A-HJKMNP-TV-Z]{26}[0-9A-HJKMNP-Z*~$=]$/.test(typed)) return null;
        const number = [...typed.slice(0, 26)].reduce((sum, digit) => sum * 32n + BigInt(symbols.indexOf(digit)), 0n);
        return number < 1n << 128n && Number(number % 37n) === symbols.indexOf(typed[26]) ? typed : null;
    }

    function show(found) { command.textContent = template.replace("CODE", () => found ?? "CODE"); }

    // Some mail programs write %23 for the #, so that the code is a part of the path; others add something behind it.
    function read() {
        const parts = (location.pathname + location.hash).match(/^(.*?)(?:#|%(?:25)*23)+(.*)$/);
        if (!parts) return;
        const found = code(parts[2].replace(/[^0-9A-Za-z*~$=_-].*$/, ""));
        if (!found) return;
        // What is behind a # is not sent when the page is loaded again.
        if (!location.hash) history.replaceState(null, "", parts[1] + "#" + found);
        field.value = found;
        show(found);
    }

    field.closest("p").hidden = false;
    field.addEventListener("input", () => show(code(field.value)));
    window.addEventListener("hashchange", read);
    read();
})();
