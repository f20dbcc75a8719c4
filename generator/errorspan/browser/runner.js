/* Runs a topic's tests on a program, in a worker of a sandboxed frame; the page's side, without a word to anybody.

   `errorspanRunner.play(task, heard)` resolves to what the tests said. A worker plays one program and is ended; the next
   one gets ready meanwhile. */
(() => {
  "use strict";
  if (window.errorspanRunner) return;

  const HERE = document.currentScript.src;
  const POLICY = "default-src 'none'; script-src 'unsafe-inline' 'wasm-unsafe-eval' blob:; worker-src blob:";
  const FRAME = `<!doctype html><meta http-equiv="Content-Security-Policy" content="${POLICY}"><script>
onmessage = ({ data, ports, source }) => {
  if (source !== parent) return;
  onmessage = null;
  const worker = new Worker(URL.createObjectURL(new Blob([data.texts["worker.js"]], { type: "text/javascript" })));
  worker.onerror = (event) => event.preventDefault();
  worker.postMessage(data, ports);
};
</script>`;
  const READY = 120000;
  const WHOLE = ["0", "1", "5"];
  const AGAIN = 3;

  const engines = new Map();
  const spares = new Map();
  const parts = new Map();
  let texts;

  window.errorspanInside = (given) => (texts = given);
  window.errorspanEngine = (name, at, part) => parts.set(`${name}/${at}`, part);

  /* A task: { engine, from (its folder, if it has one), parts (how many scripts), inside, program, tests, laid, leaveOut, seconds } */
  async function play(task, heard = () => {}) {
    const said = { begun: [], passed: [], failed: Object.create(null), erred: Object.create(null), skipped: [], stopped: null, broken: null };
    const leaveOut = [...(task.leaveOut ?? [])];
    for (let turn = 0; turn < AGAIN; turn++) {
      const before = said.begun.length;
      const why = await once({ ...task, leaveOut: [...leaveOut, ...said.begun] }, said, heard);
      if (!why || said.broken) return said;
      said.stopped = why;
      const cut = said.begun.at(-1);
      if (why === "engine" || said.begun.length === before || ended(said, cut)) return said;
      said.failed[cut] = { message: why, stopped: why };
    }
    return said;
  }

  const ended = ({ passed, failed, erred, skipped }, test) =>
    passed.includes(test) || test in failed || test in erred || skipped.includes(test);

  /* Return why not all tests had their turn: "engine", "time", "flood", "end"; null where they had. */
  async function once(task, said, heard) {
    const worker = take(task, heard);
    const seconds = 1000 * (task.seconds ?? 10);
    try {
      await worker.loaded; // however slow the line
      if (!(await within(READY, worker.ready))) return "engine";
      heard({ phase: "running" });
      let last = performance.now();
      let whole = false;
      return await new Promise((done) => {
        const watch = setInterval(() => {
          if (performance.now() - last < seconds) return;
          clearInterval(watch);
          done("time");
        }, 100);
        worker.hear = (event) => {
          last = performance.now();
          if (event.event === "end") whole = WHOLE.includes(event.status);
          if (event.event === "flood") done("flood");
          else if (event.event === "over") done(whole ? null : "end");
          else take_in(said, event);
          if (["flood", "over"].includes(event.event)) clearInterval(watch);
        };
        const chosen = task.leaveOut.map((test) => `--leave-out=${test}`);
        const { inside, program, tests, laid, leaveOut } = task;
        worker.port.postMessage({ inside, program, tests, laid, leaveOut, argv: ["--program", program, ...chosen, tests] });
      });
    } catch {
      return "engine";
    } finally {
      worker.end();
      spare(task); // not before: both would take twice as long
    }
  }

  function take_in(said, { event, test = "", ...told }) {
    if (typeof test !== "string") return;
    if (event === "begins" && !said.begun.includes(test)) said.begun.push(test);
    if (event === "passed") said.passed.push(test);
    if (event === "skipped") said.skipped.push(test);
    if (event === "failed" && !(test in said.failed)) said.failed[test] = told;
    if (event === "erred" && !(test in said.erred)) said.erred[test] = told;
    if (event === "broken") said.broken = told;
    if (event === "failed" || event === "erred") said.passed = said.passed.filter((one) => one !== test);
  }

  /* ---- Workers */

  function take(task, heard) {
    const worker = spares.get(kind(task)) ?? start(task, heard);
    spares.delete(kind(task));
    return worker;
  }

  function spare(task) {
    if (spares.has(kind(task))) return;
    const worker = start(task);
    spares.set(kind(task), worker);
    worker.ready.catch(() => {
      if (spares.get(kind(task)) === worker) spares.delete(kind(task));
      worker.end();
    });
  }

  function kind({ engine, from = "" }) {
    return `${engine} ${from}`;
  }

  function start(task, heard = () => {}) {
    const frame = document.createElement("iframe");
    frame.sandbox = "allow-scripts";
    frame.hidden = true;
    frame.srcdoc = FRAME;
    frame.title = "";
    const { port1: port, port2 } = new MessageChannel();
    const worker = { port, hear: () => {}, end: () => (port.close(), frame.remove()) };
    const shown = new Promise((done) => (frame.onload = done));
    document.body.append(frame);
    worker.loaded = Promise.all([filesOf(task, heard), shown]);
    worker.ready = (async () => {
      const [files] = await worker.loaded;
      heard({ phase: "starting" });
      const ready = new Promise((done, fail) => {
        port.onmessage = ({ data }) => {
          const event = read(data);
          if (event?.event === "ready") done(true);
          else if (event?.event === "broke") fail(new Error(event.message));
          else if (event) worker.hear(event);
        };
      });
      frame.contentWindow.postMessage({ engine: task.engine, files, texts }, "*", [port2]);
      return ready;
    })();
    worker.ready.catch(() => {});
    return worker;
  }

  function read(line) {
    try {
      const event = JSON.parse(line);
      return event && typeof event === "object" && Object.values(event).every((value) => typeof value === "string") ? event : null;
    } catch {
      return null;
    }
  }

  function within(ms, promise) {
    return Promise.race([promise, new Promise((done) => setTimeout(done, ms, false))]);
  }

  /* ---- Engines: gzip in base64, in scripts, because a page that is opened as a file can fetch nothing */

  function filesOf(task, heard) {
    if (!task.from) return {};
    if (!engines.has(task.from)) {
      const got = fetched(task, heard);
      engines.set(task.from, got);
      got.catch(() => engines.delete(task.from));
    }
    return engines.get(task.from);
  }

  async function fetched({ from, parts: all }, heard) {
    const name = from.split("/").at(-1);
    const chunks = [];
    for (let at = 0; at < all; at++) {
      heard({ phase: "fetching", at, all });
      if (!parts.has(`${name}/${at}`)) await script(new URL(`${from}/${at}.js`, HERE));
      if (!parts.has(`${name}/${at}`)) throw new Error("the engine is not there");
      chunks.push(Uint8Array.from(atob(parts.get(`${name}/${at}`)), (sign) => sign.charCodeAt(0)));
      parts.delete(`${name}/${at}`);
    }
    const stream = new Blob(chunks).stream().pipeThrough(new DecompressionStream("gzip"));
    const bytes = await new Response(stream).arrayBuffer();
    const length = new DataView(bytes).getUint32(0);
    const list = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 4, length)));
    let start = 4 + length;
    return Object.fromEntries(list.map(([file, size]) => [file, bytes.slice(start, (start += size))]));
  }

  function script(src) {
    return new Promise((done) => {
      const element = Object.assign(document.createElement("script"), { src });
      element.onload = element.onerror = () => (element.remove(), done());
      document.head.append(element);
    });
  }

  window.errorspanRunner = { play };
})();
