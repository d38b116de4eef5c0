'use strict';
// The script of the web signer. It fetches, stores, shows and asks what the module tells it, and does nothing else.

const decoder = new TextDecoder();
const encoder = new TextEncoder();
const main = document.getElementById('main');
const bar = document.getElementById('unsaved');
const languages = { en: 'English', fr: 'Français', de: 'Deutsch', es: 'Español' };
// What is said when the module cannot say it.
const failures = {
  en: { module: 'This browser cannot run the program: WebAssembly is off. In Tor Browser, it works at the security level '
    + 'Standard.', random: 'This browser has no source of randomness that is safe for secrets.',
    damaged: 'This file is damaged: get it again, and compare its hash.', old: 'This browser is too old for this program.',
    ended: 'The program has ended after a fault. What you saved is good: load the page again.',
    save: 'Save the wallet as it is now', large: 'This file is too large to be a wallet.' },
  fr: { module: 'Ce navigateur ne peut pas exécuter le programme : WebAssembly est désactivé. Dans le navigateur Tor, il '
    + 'fonctionne au niveau de sécurité Standard.', random: 'Ce navigateur n’a pas de source de hasard sûre pour des secrets.',
    damaged: 'Ce fichier est endommagé : procurez-vous-le de nouveau et comparez son empreinte.',
    old: 'Ce navigateur est trop ancien pour ce programme.',
    ended: 'Le programme s’est arrêté après une erreur. Ce que vous avez enregistré est bon : rechargez la page.',
    save: 'Enregistrer le portefeuille tel qu’il est', large: 'Ce fichier est trop grand pour un portefeuille.' },
  de: { module: 'Dieser Browser kann das Programm nicht ausführen: WebAssembly ist aus. Im Tor Browser läuft es auf der '
    + 'Sicherheitsstufe Standard.', random: 'Dieser Browser hat keine Zufallsquelle, die für Geheimnisse sicher ist.',
    damaged: 'Diese Datei ist beschädigt: Holen Sie sie neu und vergleichen Sie ihre Prüfsumme.',
    old: 'Dieser Browser ist zu alt für dieses Programm.',
    ended: 'Das Programm ist nach einem Fehler zu Ende. Was Sie gespeichert haben, ist gut: Laden Sie die Seite neu.',
    save: 'Die Wallet speichern, wie sie jetzt ist', large: 'Diese Datei ist zu groß für eine Wallet.' },
  es: { module: 'Este navegador no puede ejecutar el programa: WebAssembly está desactivado. En el navegador Tor funciona '
    + 'en el nivel de seguridad Estándar.', random: 'Este navegador no tiene una fuente de azar segura para secretos.',
    damaged: 'Este archivo está dañado: consígalo de nuevo y compare su huella.',
    old: 'Este navegador es demasiado antiguo para este programa.',
    ended: 'El programa terminó tras un fallo. Lo que usted guardó está bien: vuelva a cargar la página.',
    save: 'Guardar la cartera como está ahora', large: 'Este archivo es demasiado grande para una cartera.' },
};
let language = history.state?.language in languages ? history.state.language : navigator.languages.map(tag => tag.slice(0, 2).toLowerCase()).find(tag => tag in languages) ?? 'en';

// ---- Elements

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(key, '');
    else if (value !== false) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

let unique = 0;

function labelled(part, input) {
  input.id = `field-${++unique}`;
  const parts = [element('label', { for: input.id }, part.label), input];
  if (part.help) {
    const help = element('span', { class: 'help', id: `${input.id}-help` }, part.help);
    input.setAttribute('aria-describedby', help.id);
    parts.splice(1, 0, help);
  }
  return parts;
}

const makers = {
  heading: part => [element('h2', {}, part.text)],
  text: part => [element('p', {}, part.text)],
  warning: part => [element('p', { class: 'warning' }, part.text)],
  error: part => [element('div', { class: 'error', role: 'alert' }, element('p', {}, part.text),
    ...(part.advice ? [element('p', {}, part.advice)] : []))],
  quote: part => [element('blockquote', { lang: part.language, dir: 'auto' }, part.text)],
  facts: part => [element('dl', {}, ...part.rows.flatMap(([name, value]) =>
    [element('dt', {}, name), element('dd', {}, value)]))],
  details: part => [element('details', {}, element('summary', {}, part.text),
    element('ul', {}, ...part.lines.map(line => element('li', {}, line))))],
  table: part => [element('table', {}, element('caption', {}, part.text), element('tbody', {},
    ...part.rows.map(row => element('tr', {}, ...row.map(cell => element('td', {}, cell))))))],
  field: part => labelled(part, part.rows > 1
    ? Object.assign(element('textarea',
      { rows: part.rows, name: part.name, autocomplete: 'off', spellcheck: 'false' }), { value: part.value })
    : element('input', { type: 'text', name: part.name, value: part.value, autocomplete: 'off', spellcheck: 'false' })),
  // Not of the type number: the keys that scroll would change it.
  number: part => labelled(part, element('input',
    { type: 'text', name: part.name, value: part.value, inputmode: 'numeric', autocomplete: 'off' })),
  secret: part => labelled(part, element('input',
    { type: 'password', class: 'secret', autocomplete: part.isNew ? 'new-password' : 'off' })),
  file: part => labelled(part, element('input', { type: 'file', class: 'file' })),
  choice: part => labelled(part, element('select', { name: part.name },
    ...part.options.map(option => element('option', { value: option.name }, option.label)))),
  tick: part => {
    const input = element('input', { type: 'checkbox', name: part.name, checked: part.isOn });
    input.id = `field-${++unique}`;
    return [element('label', { class: 'tick', for: input.id }, input, part.label)];
  },
  button: part => [element('button', { type: 'button', class: part.weight, 'data-button': part.name }, part.label)],
  print: part => {
    const button = element('button', { type: 'button' }, part.label);
    button.addEventListener('click', () => window.print());
    return [button];
  },
};

// Which screen is shown: what was pressed on an earlier one is not for this.
let drawn = 0;

function draw(screen) {
  drawn += 1;
  // The title of the page is in the browser's history: it says nothing of what is shown.
  const heading = element('h1', { tabindex: -1 }, screen.title);
  const work = element('div', { id: 'work', role: 'status' });
  main.replaceChildren(heading, work, ...screen.parts.flatMap(part => makers[part.kind](part)));
  window.scrollTo(0, 0);
  // What must be read comes first, unless there is nothing but something to type.
  (main.querySelector('.secret, textarea') ?? heading).focus({ preventScroll: true });
}

// ---- What the person does

// What answers a button; null while the module works.
let pressed = null;
// True once somebody pressed Stop while the module worked: nothing is sent or waited for any more.
let isStopped = false;
let running = null;

function press(answer) {
  if (!pressed) return;
  const resolve = pressed;
  pressed = null;
  resolve(answer);
}

const largestFile = 64 << 20;

async function typed(button) {
  const answer = { button };
  // Text of a page may have halves of characters, which JSON in UTF-8 has not.
  const whole = text => decoder.decode(encoder.encode(text));
  for (const field of main.querySelectorAll('[name]')) {
    answer[field.name] = field.type === 'checkbox' ? (field.checked ? 'yes' : 'no') : whole(field.value);
  }
  const file = main.querySelector('.file')?.files[0];
  if (file && button === 'on') {
    if (file.size > largestFile) {
      main.querySelector('#work').replaceChildren(
        element('p', { class: 'error', role: 'alert' }, failures[language].large));
      return null;
    }
    return [{ ...answer, name: whole(file.name) }, new Uint8Array(await file.arrayBuffer())];
  }
  const secrets = [...main.querySelectorAll('.secret')];
  const content = encoder.encode(secrets.map(field => field.value + '\n').join(''));
  for (const field of secrets) field.value = '';
  return [answer, content];
}

main.addEventListener('click', async event => {
  const button = event.target.closest('button[data-button]');
  // The second half of a double click is not meant for what the first half brought.
  if (!button || event.detail > 1) return;
  if (button.dataset.button === 'stop' && !pressed) {
    isStopped = true;
    running?.abort('stopped');
    forget(() => true);
    button.disabled = true;
    return;
  }
  const screen = drawn;
  let answer = null;
  try { answer = await typed(button.dataset.button); } catch { return; }
  if (answer && screen === drawn) press(answer);
});

// A file that is dropped is the one that is asked for, or the mail with the invitation: the page never gives way to it.
window.addEventListener('dragover', event => {
  if (event.dataTransfer.types.includes('Files')) event.preventDefault();
});

window.addEventListener('drop', async event => {
  const dropped = event.dataTransfer.files;
  if (!dropped.length) return;
  event.preventDefault();
  const [chooser, area] = [main.querySelector('.file'), main.querySelector('textarea')];
  if (chooser) chooser.files = dropped;
  if (chooser || !area || dropped[0].size > largestFile) return;
  area.value = await dropped[0].text();
});

main.addEventListener('keydown', event => {
  if (event.key !== 'Enter' || event.target.tagName !== 'INPUT' || event.target.type === 'file') return;
  event.preventDefault();
  main.querySelector('button.main[data-button]')?.click();
});

function showLanguages() {
  document.getElementById('languages').replaceChildren(...Object.entries(languages).map(([tag, name]) => {
    const isCurrent = tag === language ? 'true' : false;
    const button = element('button', { type: 'button', lang: tag, 'aria-current': isCurrent }, name);
    button.addEventListener('click', () => press([{ button: 'language', language: tag }]));
    return button;
  }));
  document.documentElement.lang = language;
}

// ---- What the module asks for

const keptKey = 'roundrobin-wallet';
let wallet = null;
// The wallet that the person has as a file, by their word.
let saved = null;
let isKept = false;
// What they do not have, by its suffix: the wallet as it is now (''), or evidence; and what is said of it.
const unsaved = new Map();
const parts = new Map();
let lock = null;

function same(left, right) {
  return left?.length === right?.length && left?.every((byte, index) => byte === right[index]);
}

function setUnsaved(suffix, isUnsaved, words) {
  if (isUnsaved) unsaved.set(suffix, words); else unsaved.delete(suffix);
  bar.hidden = unsaved.size === 0;
  bar.textContent = [...unsaved.values()].join(' ');
}

function database() {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open('roundrobin', 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore('wallets');
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
}

async function kept(mode, work) {
  const open = await database();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = open.transaction('wallets', mode, { durability: 'strict' });
      const request = work(transaction.objectStore('wallets'));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
    });
  } finally { open.close(); }
}

function download(name, bytes) {
  const link = element('a', { href: URL.createObjectURL(new Blob([bytes], { type: 'application/octet-stream' })), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

const handlers = {
  start: () => [{ language, isProxied: history.state?.isProxied ? 'yes' : 'no' }],
  screen: async question => {
    isStopped = false;
    if (question.language !== language) { language = question.language; showLanguages(); }
    draw(question);
    return new Promise(resolve => { pressed = resolve; });
  },
  show: question => { draw(question); return [{}]; },
  progress: async question => {
    const work = document.getElementById('work');
    let shown = work.querySelector('progress');
    if (!shown) {
      shown = element('progress', { 'aria-label': question.title });
      work.append(shown);
    }
    shown.max = question.total;
    shown.value = question.done;
    await new Promise(resolve => setTimeout(resolve));
    return [{}];
  },
  sleep: question => new Promise(resolve => {
    if (isStopped) return resolve([{ button: 'stop' }]);
    const timer = setTimeout(() => { pressed = null; resolve([{}]); }, question.milliseconds);
    const listen = answer => {
      // The language is that of the next screen.
      if (answer[0].button === 'language') { pressed = listen; return; }
      clearTimeout(timer);
      resolve(answer);
    };
    pressed = listen;
  }),
  store: async (question, content) => {
    setUnsaved(question.suffix, true, question.unsaved);
    parts.set(question.suffix, content);
    if (question.suffix !== '') return [{}];
    wallet = content;
    if (isKept) {
      try { await kept('readwrite', store => store.put(content, keptKey)); } catch (error) {
        return [{ failure: String(error?.name ?? error) }];
      }
    }
    return [{}];
  },
  unsaved: () => [{
    wallet: unsaved.has('') ? 'yes' : 'no', evidence: [...unsaved.keys()].some(suffix => suffix !== '') ? 'yes' : 'no',
  }],
  // Whether a file is written, the browser does not say: the person does.
  save: (question, content) => { download(question.name, content); return [{}]; },
  saved: question => {
    if (question.suffix === '') saved = wallet;
    setUnsaved(question.suffix, false);
    return [{}];
  },
  // Keeps the wallet in the browser, or removes it. Another one that is there is not replaced.
  keep: async (question, content) => {
    try {
      if (isKept) {
        await kept('readwrite', store => store.delete(keptKey));
        isKept = false;
        setUnsaved('', !same(saved, wallet), question.unsaved);
        return [{ kept: 'no' }];
      }
      const there = await kept('readonly', store => store.get(keptKey));
      if (there && !same(there, content)) return [{ failure: 'other' }];
      await kept('readwrite', store => store.put(content, keptKey));
      isKept = true;
      // A browser may forget what it does not promise to keep: a file is still needed.
      await navigator.storage?.persist?.();
      return [{ kept: 'yes' }];
    } catch (error) { return [{ failure: String(error?.name ?? error) }]; }
  },
  kept: async () => {
    try {
      const bytes = await kept('readonly', store => store.get(keptKey));
      return bytes ? [{ name: keptKey }, bytes] : [{}];
    } catch (error) { return [{ failure: String(error?.name ?? error) }]; }
  },
  alone: (question, content) => new Promise(resolve => {
    const go = () => {
      isKept = question.isKept;
      wallet = content;
      parts.set('', content);
      if (question.isFile) saved = content;
      resolve([{}]);
    };
    if (!navigator.locks) return go();
    navigator.locks.request(`roundrobin-${question.name}`, { ifAvailable: true }, taken => {
      if (!taken) return resolve([{ failure: 'taken' }]);
      go();
      return new Promise(release => { lock = release; });
    }).catch(go);
  }),
  closed: question => {
    lock?.();
    [lock, wallet, saved, isKept] = [null, null, null, false];
    parts.clear();
    for (const suffix of [...unsaved.keys()]) setUnsaved(suffix, false);
    // What comes next is not of the same page, for servers: see sender().
    if (!frame) return [{}];
    history.replaceState({ language, isProxied: question.isProxied }, '');
    main.replaceChildren();
    location.reload();
    return new Promise(() => {});
  },
  expect: question => {
    forget(url => !question.requests.some(request => request.url === url));
    for (const request of question.requests) {
      if (expected.has(request.url)) continue;
      const ending = new AbortController();
      expected.set(request.url, { ending, answer: requested(request, null, ending) });
    }
    return [{}];
  },
  fetch: async (question, content) => {
    const early = question.type ? null : expected.get(question.url);
    expected.delete(question.url);
    running = early?.ending ?? new AbortController();
    try { return await (early?.answer ?? requested(question, content, running)); } finally { running = null; }
  },
};

// What the module asks for next, by address.
const expected = new Map();

function forget(isForgotten) {
  for (const [url, { ending }] of expected) {
    if (!isForgotten(url)) continue;
    ending.abort('over');
    expected.delete(url);
  }
}

// Chromium remembers what a server says of itself, such as where to report all later requests, by the page: here for every
// file of the disk, and for a year. It forgets this with the page, connections too, for a frame without credentials.
let frame = null;
let loaded = null;

function sender(signal) {
  if (!('credentialless' in HTMLIFrameElement.prototype)) return window;
  if (!frame?.isConnected) {
    frame = element('iframe', { srcdoc: '', hidden: true });
    frame.credentialless = true;
    loaded = new Promise(resolve => frame.addEventListener('load', event => resolve(event.target.contentWindow)));
    document.body.append(frame);
  }
  // Nobody waits for ever, whatever keeps the frame from loading.
  const ended = new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  return Promise.race([loaded, ended]);
}

async function requested(question, content, ending) {
  if (isStopped) return [{ failure: 'stopped' }];
  if (navigator.onLine === false) return [{ failure: 'offline' }];
  const timer = setTimeout(() => ending.abort('late'), question.seconds * 1000);
  try {
    // One thing less that tells people apart.
    const headers = [['accept-language', '*'], ...question.headers.map(({ name, value }) => [name, value])];
    if (question.type) headers.push(['content-type', question.type]);
    const answer = await (await sender(ending.signal)).fetch(question.url, {
      method: question.type ? 'POST' : 'GET', body: question.type ? content : undefined, headers,
      credentials: 'omit', cache: 'no-store', redirect: 'error', referrerPolicy: 'no-referrer', signal: ending.signal,
    });
    if (answer.ok && /^text\/html\b/.test(answer.headers.get('content-type') ?? '')) return [{ failure: 'page' }];
    const body = await limited(answer, question.limit);
    return body ? [{ status: answer.status }, body] : [{ failure: 'large' }];
  } catch (error) {
    return [{ failure: ending.signal.aborted ? ending.signal.reason : 'network' }];
  } finally {
    clearTimeout(timer);
    ending.abort('over');
  }
}

// The body, or null if it has more bytes than `limit`: no server may fill the memory.
async function limited(answer, limit) {
  const pieces = [];
  let count = 0;
  for (const reader = answer.body?.getReader(); reader;) {
    const { done, value } = await reader.read();
    if (done) break;
    count += value.length;
    if (count > limit) { await reader.cancel(); return null; }
    pieces.push(value);
  }
  const body = new Uint8Array(count);
  let offset = 0;
  for (const piece of pieces) { body.set(piece, offset); offset += piece.length; }
  return body;
}

// Also while something waits to be sent: without the page, it is not.
window.addEventListener('beforeunload', event => {
  if (unsaved.size > 0 || (wallet && !main.querySelector('button.main'))) event.preventDefault();
});

// ---- The module

async function compiledModule() {
  const text = document.getElementById('module').textContent;
  const packed = Uint8Array.from(atob(text), character => character.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  // This stops accidents. Whoever changes the file on purpose changes this line, too.
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  if (Array.from(digest, byte => byte.toString(16).padStart(2, '0')).join('') !== '@DIGEST@') throw new Error('damaged');
  return WebAssembly.compile(bytes);
}

// One instance, whose `ask` is answered by `answerTo`; nobody else may call it while it waits for an answer.
async function instantiate(module, answerTo) {
  const stackSize = 1 << 20;
  let exports, question, answer, stack;
  const bytes = (start, count) => new Uint8Array(exports.memory.buffer, start, count);
  const page = {
    ask(start, count) {
      if (exports.asyncify_get_state() === 2) {
        exports.asyncify_stop_rewind();
        return answer.length;
      }
      question = bytes(start, count).slice();
      new Uint32Array(exports.memory.buffer, stack, 2).set([stack + 8, stack + stackSize]);
      exports.asyncify_start_unwind(stack);
      return 0;
    },
    take(start) {
      bytes(start, answer.length).set(answer);
      answer.fill(0);
    },
    now: () => Math.floor(Date.now() / 1000),
    elapsed: () => performance.now(),
  };
  const system = {
    random_get(start, count) {
      for (let done = 0; done < count; done += 65536) {
        crypto.getRandomValues(bytes(start + done, Math.min(65536, count - done)));
      }
      return 0;
    },
    fd_write: () => 8, fd_close: () => 8, fd_seek: () => 8,
  };
  exports = (await WebAssembly.instantiate(module, { page, wasi_snapshot_preview1: system })).exports;
  stack = exports.malloc(stackSize);
  return {
    exports,
    async run() {
      exports.run_signer();
      while (exports.asyncify_get_state() === 1) {
        exports.asyncify_stop_unwind();
        const end = question.indexOf(10);
        const asked = JSON.parse(decoder.decode(question.subarray(0, end)));
        const [fields, content] = await answerTo(asked, question.slice(end + 1));
        const line = encoder.encode(JSON.stringify(fields) + '\n');
        answer = new Uint8Array(line.length + (content?.length ?? 0));
        answer.set(line);
        if (content) answer.set(content, line.length);
        if (asked.ask === 'screen') content?.fill(0);
        exports.asyncify_start_rewind(stack);
        exports.run_signer();
      }
    },
  };
}

function fail(name) {
  main.replaceChildren(element('p', { class: 'error', role: 'alert' }, failures[language][name]));
  if (unsaved.size === 0) wallet = null;
  for (const suffix of unsaved.keys()) {
    const button = element('button', { type: 'button', class: 'main' }, failures[language].save + suffix);
    button.addEventListener('click', () => handlers.save({ name: keptKey + suffix }, parts.get(suffix)));
    main.append(button);
  }
}

let moduleMemory = () => 0;

async function start() {
  showLanguages();
  if (typeof WebAssembly !== 'object') return fail('module');
  // What protects people in Chromium, see sender(); other browsers do without.
  const isChromium = navigator.userAgentData || window.chrome || / (Chrome|Chromium)\//.test(navigator.userAgent);
  const isProtected = 'credentialless' in HTMLIFrameElement.prototype;
  if (typeof DecompressionStream !== 'function' || (isChromium && !isProtected)) return fail('old');
  if (typeof crypto?.getRandomValues !== 'function' || !crypto.subtle) return fail('random');
  let signer;
  try {
    signer = await instantiate(await compiledModule(), (question, content) => handlers[question.ask](question, content));
  } catch (error) {
    return fail(error.message === 'damaged' ? 'damaged' : 'module');
  }
  moduleMemory = () => signer.exports.memory.buffer.byteLength;
  try { await signer.run(); } catch (error) {
    fail('ended');
    throw error;
  }
}

start();
