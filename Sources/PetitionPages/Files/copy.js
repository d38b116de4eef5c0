// A button beside each command that copies it.
"use strict";
(() => {
    if (!navigator.clipboard) return;
    for (const command of document.querySelectorAll("pre[data-copy]")) {
        const button = document.createElement("button");
        button.type = "button";
        button.className = "screen";
        button.textContent = command.dataset.copy;
        button.addEventListener("click", () => {
            navigator.clipboard.writeText(command.textContent.trim()).then(() => {
                button.textContent = command.dataset.copied;
            });
        });
        command.after(button);
    }
})();
