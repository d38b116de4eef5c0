// Keeps count, bar and age of a petition's page new. Without it the page says the same when it is loaded again.
"use strict";
(() => {
    const box = document.getElementById("tally");
    if (!box) return;
    const language = document.documentElement.lang;
    const times = new Intl.DateTimeFormat(language, { dateStyle: "long", timeStyle: "short", timeZone: "UTC" });
    const numbers = new Intl.NumberFormat(language);
    const ages = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
    const time = document.getElementById("checkpoint-time");
    const age = document.getElementById("age");
    const announced = document.getElementById("announced");
    const bar = box.querySelector("progress");
    let shown = Number(box.dataset.signatures);
    let announcedAt = 0;

    function showAge() {
        const seconds = Math.max(0, Math.round((Date.now() - Date.parse(time.dateTime)) / 1000));
        const steps = [["second", 60], ["minute", 60], ["hour", 24], ["day", Infinity]];
        let value = seconds;
        for (const [unit, limit] of steps) {
            if (value < limit) {
                age.textContent = "(" + ages.format(-Math.floor(value), unit) + ")";
                return;
            }
            value /= limit;
        }
    }

    function show(tally) {
        const put = (name, number) => {
            for (const place of document.querySelectorAll("[data-show=" + name + "]")) {
                place.textContent = numbers.format(number);
            }
        };
        put("signatures", tally.signatures);
        put("withdrawn", tally.withdrawn);
        put("goal", tally.nextGoal);
        bar.max = tally.nextGoal;
        bar.value = tally.signatures;
        tally.perLabel.forEach((label, index) => put("label-" + index, label.signatures));
        const admitted = {};
        for (const label of tally.perLabel) {
            admitted[label.admission] = (admitted[label.admission] || 0) + label.signatures;
        }
        for (const kind of Object.keys(admitted)) put("admission-" + kind, admitted[kind]);
        time.dateTime = tally.checkpointTime;
        time.textContent = times.format(Date.parse(tally.checkpointTime)) + " UTC";
        showAge();
        // Said aloud now and then, not at each signature.
        if (tally.signatures !== shown && Date.now() - announcedAt > 20000) {
            announced.textContent = box.dataset.announcement.replace("%", numbers.format(tally.signatures));
            announcedAt = Date.now();
        }
        shown = tally.signatures;
        box.dataset.signatures = shown;
    }

    function poll() {
        fetch(box.dataset.tally, { credentials: "omit" })
            .then((answer) => (answer.ok ? answer.json().then(show) : null))
            .catch(() => null);
    }

    const events = new EventSource(box.dataset.events);
    events.onmessage = (event) => show(JSON.parse(event.data));
    events.onerror = () => {
        // Closed for good: the server has as many listeners as it takes. Ask now and then instead.
        if (events.readyState === EventSource.CLOSED) setInterval(poll, 30000);
    };
    showAge();
    setInterval(showAge, 10000);
})();
