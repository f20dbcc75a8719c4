/* Runs a topic's tests on one program in a worker of a sandboxed frame: the frame's only script makes it of this text.

   It is told once what it is (an engine and its files), gets ready, and plays one program. All that it says goes through
   a port that the program cannot reach; so does nothing else, and no more than `MOST` characters. */
"use strict";
{
  const MOST = 1 << 20;
  const MEMORY = 1 << 30; // of Python's; nothing bounds JavaScript's
  const ENGINE = "https://engine.invalid/";
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();

  self.onmessage = async ({ data: { engine, files, texts }, ports: [port] }) => {
    self.onmessage = null;
    const tell = port.postMessage.bind(port);
    let told = 0;
    const say = (line) => {
      told += line.length;
      if (told <= MOST) tell(line);
      else if (told - line.length <= MOST) tell('{"event":"flood"}');
    };
    const asked = new Promise((done) => (port.onmessage = ({ data }) => done(data)));
    try {
      const play = await { python, javascript }[engine](files, texts, say);
      for (const way of ["postMessage", "Worker", "SharedWorker", "BroadcastChannel"]) {
        for (let at = self; at; at = Object.getPrototypeOf(at)) delete at[way];
      }
      say('{"event":"ready"}');
      await play(await asked);
    } catch (error) {
      say(JSON.stringify({ event: "broke", message: String(error).slice(0, 300) }));
    }
    say('{"event":"over"}');
  };

  const address = (text, type = "text/javascript") => URL.createObjectURL(new Blob([text], { type }));

  /* ---- Python: pytest in Pyodide, and SQLite in it */

  async function python(files, texts, say) {
    self.fetch = async (url) => {
      const content = files[String(url).replace(ENGINE, "")];
      if (!content) throw new TypeError("there is no network here");
      const type = String(url).endsWith(".wasm") ? "application/wasm" : "application/octet-stream";
      return new Response(content, { headers: { "content-type": type } });
    };
    const { grow } = WebAssembly.Memory.prototype;
    WebAssembly.Memory.prototype.grow = function (pages) {
      if (this.buffer.byteLength + pages * 65536 > MEMORY) throw new RangeError("too much memory");
      return grow.call(this, pages);
    };
    const [{ loadPyodide }, { default: createPyodideModule }] = await Promise.all(
      ["pyodide.mjs", "pyodide.asm.mjs"].map((name) => import(address(files[name]))),
    );
    const pyodide = await loadPyodide({
      indexURL: ENGINE,
      createPyodideModule,
      lockFileContents: JSON.parse(decoder.decode(files["pyodide-lock.json"])),
      env: { HOME: "/home/web_user", TZ: "UTC", PYTHONHASHSEED: "0", PYTEST_DISABLE_PLUGIN_AUTOLOAD: "1" },
    });
    pyodide.unpackArchive(files["pytest.zip"], "zip", { extractDir: "/lib/pytest" });
    const { FS } = pyodide;
    FS.mkdirTree("/home/work");
    FS.chdir("/home/work");
    for (const [name, text] of Object.entries(texts)) if (name.endsWith(".py")) FS.writeFile(name, text);
    pyodide.runPython("import sys; sys.path[:0] = ['/home/work', '/lib/pytest']; import inside, inside_sql, pytest");
    FS.writeFile("warm.py", "def test_warm():\n    assert {'a': 1} == {'a': 2}\n"); // what pytest imports late, it imports now
    pyodide.runPython(`pytest.main([*inside.ARGUMENTS, "warm.py"], plugins=[inside]); sys.modules.pop("warm", None)`);
    FS.unlink("warm.py");
    return ({ inside, argv, laid }) => {
      let rest = "";
      const stream = new TextDecoder();
      const write = (bytes) => {
        const lines = (rest + stream.decode(bytes, { stream: true })).split("\n");
        rest = lines.pop();
        for (const line of lines) say(line);
        return bytes.length;
      };
      pyodide.setStdout({ write, isatty: false });
      pyodide.setStderr({ write: ({ length }) => length, isatty: false });
      pyodide.setStdin({ error: true });
      for (const [name, text] of Object.entries(laid)) FS.writeFile(name, encoder.encode(text));
      const module = inside.replace(".py", "");
      pyodide.runPython(`sys.argv = ${JSON.stringify([inside, ...argv])}\nsys.modules[${JSON.stringify(module)}].main()`);
    };
  }

  /* ---- JavaScript, and TypeScript without its types */

  async function javascript(files, texts, say) {
    const { Session, assert } = await import(address(texts["inside.mjs"]));
    const types = files["sucrase.js"] && (await import(address(files["sucrase.js"]))).default;
    const plain = (name, text) => (name.endsWith(".ts") ? types(text) : text);
    let session;
    const test = (...given) => session.test(...given);
    Object.assign(self, { test, assert, errorspanShims: shims({ test, assert }) });
    const known = new Map();
    for (const [name, shim] of Object.entries(self.errorspanShims)) {
      const names = Object.keys(shim).filter((key) => key !== "default");
      const from = `const { ${names.join(", ")} } = self.errorspanShims[${JSON.stringify(name)}];`;
      known.set(name, address(`${from} export { ${names.join(", ")} }; export default self.errorspanShims[${JSON.stringify(name)}].default;`));
    }
    const resolved = (text) =>
      text.replace(/(\b(?:from|import)\s*\(?\s*)(["'])(?:node:)?([\w/]+)\2/g, (whole, before, quote, name) =>
        known.has(name) ? `${before}${quote}${known.get(name)}${quote}` : whole,
      );
    await Promise.all([...known.values()].map((url) => import(url)));
    delete self.errorspanShims;
    return async ({ program, tests, laid, leaveOut }) => {
      const [url, source] = [address(resolved(plain(tests, laid[tests]))), plain(tests, laid[tests])];
      const own = address(resolved(asModule(plain(program, laid[program]))));
      session = new Session({
        say: (event, more = {}) => say(JSON.stringify({ event, ...more })),
        program: own,
        tests: url,
        source,
        leaveOut,
        load: () => import(own),
      });
      self.addEventListener("unhandledrejection", (event) => {
        event.preventDefault();
        session.interrupt(event.reason);
      });
      self.addEventListener("error", (event) => {
        event.preventDefault();
        session.interrupt(event.error);
      });
      try {
        await session.until(() => import(url));
      } catch (error) {
        return session.broken(error);
      }
      return session.run();
    };
  }

  /* A program that exports as Node's older modules do is one in whose place its exports stand; its lines stay. */
  function asModule(text) {
    if (/^\s*(?:export|import)\b/m.test(text) || !/\b(?:module\.exports|exports\.\w)/.test(text)) return text;
    return `const module = { exports: {} }; const exports = module.exports; ${text}\nexport default module.exports; export { module as "module.exports" };`;
  }

  /* What tests may import of Node: the rest is not there, and a test that needs it does not run here. */
  function shims({ test, assert }) {
    const turns = new MessageChannel();
    const waiting = [];
    turns.port1.onmessage = () => waiting.shift()?.();
    self.setImmediate = (run, ...given) => {
      waiting.push(() => run(...given));
      turns.port2.postMessage(0);
    };
    self.global = self;
    crypto.randomUUID ??= randomUUID; // browsers keep it for pages with a secure address
    const mock = { timers: timers(self) };
    const strict = { default: assert, ...assert };
    return { test: { default: test, test, it: test, mock }, assert: strict, "assert/strict": strict };
  }

  function randomUUID() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    return [...bytes].map((byte, at) => `${[4, 6, 8, 10].includes(at) ? "-" : ""}${byte.toString(16).padStart(2, "0")}`).join("");
  }

  /* Time that stands still until a test moves it on, as in `node:test`. */
  function timers(self) {
    const real = {};
    let [now, last, waiting] = [0, 0, new Map()];
    const set = (every) => (run, ms = 0, ...given) => {
      waiting.set(++last, { at: now + Math.max(ms, 1), run: () => run(...given), every: every && Math.max(ms, 1) });
      return last;
    };
    const clear = (id) => void waiting.delete(id);
    const fakes = {
      setTimeout: { setTimeout: set(false), clearTimeout: clear },
      setInterval: { setInterval: set(true), clearInterval: clear },
      Date: {
        get Date() {
          const { Date } = real;
          return class extends Date {
            constructor(...given) {
              super(...(given.length ? given : [now]));
            }
            static now = () => now;
          };
        },
      },
    };
    return {
      enable({ apis = Object.keys(fakes), now: from = 0 } = {}) {
        [now, waiting] = [Number(from), new Map()];
        for (const api of apis) {
          if (!fakes[api]) throw new Error(`timers of ${api} are not there`);
          if (api === "Date") real.Date = self.Date;
          for (const [name, fake] of Object.entries(fakes[api])) {
            real[name] ??= self[name];
            self[name] = fake;
          }
        }
      },
      tick(ms = 1) {
        const end = now + ms;
        for (;;) {
          const [id, next] = [...waiting].sort(([, a], [, b]) => a.at - b.at)[0] ?? [];
          if (!next || next.at > end) break;
          now = Math.max(now, next.at);
          if (next.every) next.at += next.every;
          else waiting.delete(id);
          next.run();
        }
        now = end;
      },
      runAll() {
        while (waiting.size) this.tick(Math.max(...[...waiting.values()].map(({ at }) => at)) - now);
      },
      setTime(time) {
        now = time;
      },
      reset() {
        Object.assign(self, real);
        for (const name of Object.keys(real)) delete real[name];
        waiting.clear();
      },
    };
  }
}
