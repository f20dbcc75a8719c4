// Runs scorm.js without a browser. Each line of JSON that comes in is one session; what the platform then knows goes out.
const { readFileSync } = require("node:fs");
const { createInterface } = require("node:readline");
const vm = require("node:vm");

const script = new vm.Script(readFileSync(process.argv[2], "utf8"));

function session({ exercises, kept, states, checks, broken }) {
  const told = { "cmi.suspend_data": kept };
  const calls = [];
  const note = {};
  const listeners = {};
  const heard = (type, listener) => (listeners[type] = listener);
  const platform = {
    LMSInitialize: () => "true",
    LMSGetValue: (name) => told[name] ?? "",
    LMSSetValue: (name, value) => ((told[name] = value), "true"),
    LMSCommit: () => "true",
    LMSFinish: () => "true",
  };
  const answer = (name, values) => {
    calls.push(name);
    if (broken.includes(name)) throw new Error("no network");
    return platform[name](...values);
  };
  const window = {
    URL,
    performance,
    queueMicrotask: (run) => run(),
    location: new URL("http://platform.example/sco/index.html"),
    addEventListener: heard,
    API: Object.fromEntries(Object.keys(platform).map((name) => [name, (...values) => answer(name, values)])),
    document: {
      currentScript: { src: "http://platform.example/sco/scorm.js" },
      querySelectorAll: (of) => (of === "errorspan-exercise" ? exercises.map((dataset) => ({ dataset })) : []),
      querySelector: (of) => (of === ".sco-note" ? note : null),
      addEventListener: heard,
    },
  };
  window.window = window.parent = window;
  script.runInNewContext(window);
  const restored = exercises.map(
    ({ exercise, digest }) => JSON.parse(window.localStorage?.getItem(`/sco/errorspan:${exercise}`) ?? "{}")[digest] ?? null,
  );
  exercises.forEach(({ exercise, digest }, index) => {
    if (states[index])
      window.localStorage.setItem(`/sco/errorspan:${exercise}`, JSON.stringify({ [digest]: states[index] }));
  });
  for (const detail of checks) listeners["errorspan-check"]({ detail });
  const said = note.hidden ? "" : note.textContent;
  if (checks.length) listeners.pagehide?.({});
  return { told, restored, calls, said };
}

createInterface({ input: process.stdin }).on("line", (line) => console.log(JSON.stringify(session(JSON.parse(line)))));
