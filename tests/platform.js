// Runs scorm.js without a browser. Each line of JSON that comes in is one session; what the platform then knows goes out.
const { readFileSync } = require("node:fs");
const { createInterface } = require("node:readline");
const vm = require("node:vm");

const script = new vm.Script(readFileSync(process.argv[2], "utf8"));

function session({ exercises, kept, states, checks }) {
  const told = { "cmi.suspend_data": kept };
  const listeners = {};
  const window = {
    URL,
    performance,
    queueMicrotask: (run) => run(),
    location: new URL("http://platform.example/sco/index.html"),
    addEventListener: () => {},
    API: {
      LMSInitialize: () => "true",
      LMSGetValue: (name) => told[name] ?? "",
      LMSSetValue: (name, value) => ((told[name] = value), "true"),
      LMSCommit: () => "true",
    },
    document: {
      currentScript: { src: "http://platform.example/sco/scorm.js" },
      querySelectorAll: (of) => (of === "errorspan-exercise" ? exercises.map((dataset) => ({ dataset })) : []),
      querySelector: (of) => (of === ".sco-note" ? {} : null),
      addEventListener: (type, listener) => (listeners[type] = listener),
    },
  };
  window.window = window.parent = window;
  script.runInNewContext(window);
  const restored = exercises.map(
    ({ exercise, digest }) => JSON.parse(window.localStorage.getItem(`/sco/errorspan:${exercise}`) ?? "{}")[digest] ?? null,
  );
  exercises.forEach(({ exercise, digest }, index) => {
    if (states[index])
      window.localStorage.setItem(`/sco/errorspan:${exercise}`, JSON.stringify({ [digest]: states[index] }));
  });
  for (const detail of checks) listeners["errorspan-check"]({ detail });
  return { told, restored };
}

createInterface({ input: process.stdin }).on("line", (line) => console.log(JSON.stringify(session(JSON.parse(line)))));
