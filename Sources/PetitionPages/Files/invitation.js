// Puts the code of an invitation, which is in this page's address, into the command. It makes no request: the page's
// policy forbids any. Some mail programs write %23 for the #.
"use strict";
(() => {
    const command = document.getElementById("command");
    const found = (location.pathname + location.hash).match(/(?:#|%(?:25)*23)([0-9A-Z*~$=-]{27,32})$/i);
    if (command && found) command.textContent = command.textContent.replace("CODE", found[1]);
})();
