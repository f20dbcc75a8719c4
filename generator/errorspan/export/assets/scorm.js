/*
 * A page of exercises as a SCORM 1.2 object: what happens in them reaches the platform, and comes back from it.
 *
 * With a platform, its suspend data is the page's only storage: students find their work on any machine, and nobody
 * else's on theirs. Without one this is a page like any other.
 *
 *   cmi.core.score.raw      the mean of all exercises' first attempts, of 100; one that was revealed, or is still open,
 *                           counts 0; not set before the first check. A check tells which marks are right: the rest is practice
 *   cmi.core.lesson_status  incomplete, then completed once every exercise was checked or revealed, every exam handed in
 *   cmi.suspend_data        first and best scores, hints, and what the exercises keep; where that would not fit, long
 *                           corrections are cut, then the oldest finished work goes, and the page says so
 */
(() => {
  "use strict";

  const LIMIT = 4096;
  const HOPS = 10;
  const VERSION = 1;
  const FOLDER = new URL(".", document.currentScript.src).pathname;
  const NOTES = {
    alone: "No learning platform was found. Nothing is reported;",
    closed: "The learning platform did not open a session. Nothing is reported;",
    refused: "The learning platform did not take your results. They may be lost when you close this page.",
    full: "The learning platform keeps little. Scores and hints stay; when you come back, marks, corrections and retries of what you finished long ago may be gone.",
  };
  const KEPT = { true: " your progress stays in this browser.", false: " this browser does not keep your progress." };

  const exercises = [...document.querySelectorAll("errorspan-exercise")].map(({ dataset }) => dataset);
  const results = new Map(); // of each digest the first score; null where the answers were shown instead

  /* The platform */

  class Platform {
    constructor(api) {
      this.api = api;
      this.accepts = true;
      this.started = performance.now();
    }

    /* What cannot be read must not be written over. */
    begin() {
      if (!this.call("LMSInitialize", "")) return false;
      this.review = this.get("cmi.core.lesson_mode") === "review";
      this.ended = ["completed", "passed", "failed"].includes(this.get("cmi.core.lesson_status"));
      this.kept = this.get("cmi.suspend_data");
      if (this.unread) {
        this.call("LMSFinish", "");
        return false;
      }
      if (!this.ended) this.set("cmi.core.lesson_status", "incomplete");
      this.set("cmi.core.exit", "suspend");
      return true;
    }

    get(name) {
      try {
        return String(this.api.LMSGetValue(name));
      } catch {
        this.unread = true;
        return "";
      }
    }

    set(name, value) {
      if (!this.review && !this.call("LMSSetValue", name, String(value))) this.accepts = false;
    }

    /* A function that throws is an answer like "false". */
    call(name, ...values) {
      try {
        return String(this.api[name](...values)) === "true";
      } catch {
        return false;
      }
    }

    report() {
      this.accepts = true;
      const { score, complete } = summary();
      if (score !== null) {
        this.set("cmi.core.score.min", 0);
        this.set("cmi.core.score.max", 100);
        this.set("cmi.core.score.raw", score);
      }
      if (complete && !this.ended) {
        this.ended = true;
        this.set("cmi.core.lesson_status", "completed");
      }
      this.kept = pack();
      this.set("cmi.suspend_data", this.kept);
    }

    commit() {
      if (this.finished || this.review) return;
      this.report();
      if (!this.call("LMSCommit", "")) this.accepts = false;
      note(this.accepts ? left && "full" : "refused");
    }

    finish() {
      if (this.finished) return;
      this.report();
      this.finished = true;
      this.set("cmi.core.session_time", timespan(performance.now() - this.started));
      this.call("LMSFinish", "");
    }
  }

  function findAPI() {
    for (const start of [() => window, () => window.opener, () => window.top.opener]) {
      const api = climb(start);
      if (api) return api;
    }
    return null;
  }

  function climb(start) {
    try {
      let place = start();
      for (let hop = 0; place && hop < HOPS; hop++) {
        if (place.API?.LMSInitialize) return place.API;
        if (place.parent === place) break;
        place = place.parent;
      }
    } catch {
      // a window of another origin: nothing to be found there
    }
    return null;
  }

  function timespan(milliseconds) {
    const seconds = Math.floor(milliseconds / 1000);
    const parts = [Math.min(Math.floor(seconds / 3600), 9999), Math.floor(seconds / 60) % 60, seconds % 60];
    return parts.map((part, index) => String(part).padStart(index ? 2 : 4, "0")).join(":");
  }

  /* Results */

  function note(name, more = "") {
    const line = document.querySelector(".sco-note");
    line.hidden = !name;
    line.textContent = name ? NOTES[name] + more : "";
  }

  function summary() {
    const scores = exercises.filter((one) => !isExam(one)).map(({ digest }) => results.get(digest));
    const handed = exercises.filter(isExam).every(({ exercise, digest }) => keptState(exercise, digest)?.handed);
    const scored = scores.some((score) => typeof score === "number");
    const mean = scores.reduce((sum, score) => sum + (score ?? 0), 0) / scores.length;
    return { score: scored ? Math.round(100 * mean) / 100 : null, complete: handed && scores.every((score) => score !== undefined) };
  }

  function isExam(dataset) {
    return "exam" in dataset;
  }

  function settle(digest, attempt) {
    const score = attempt?.revealed ? null : attempt?.score;
    if (!results.has(digest) && isScore(score)) results.set(digest, score);
  }

  function touched(digest) {
    if (recent.includes(digest)) recent.splice(recent.indexOf(digest), 1);
    recent.push(digest);
  }

  function isScore(value) {
    return value === null || typeof value === "number";
  }

  function showMean() {
    const line = document.querySelector(".sco-mean");
    const { score } = summary();
    if (!line || score === null) return;
    line.hidden = false;
    line.querySelector("output").textContent = `${score}%`;
  }

  /*
   * What the exercises keep, in 4,096 characters of plain ASCII. Where it would not fit, each form leaves out more: the
   * oldest finished work goes first, what is open last. First and best scores and hints always stay.
   */

  const FORMS = [
    trimmed,
    ...[10, 4, 1].map((last) => (state) => ({ ...trimmed(state), attempts: ends(state.attempts, last) })),
    (state) => ({ ...short(state), marks: state.marks, attempts: ends(state.attempts, 1) }),
    () => undefined,
  ];

  const recent = []; // digests, those that were checked last at the end
  let left = false; // whether something was left out

  function trimmed({ work, answers, ...state }) {
    const cut = ({ name, fix, ...more }) => ({ ...more, name: name?.slice(0, 200), fix: fix?.slice(0, 200) });
    const works = work && Object.entries(work).map(([error, one]) => [error, { ...one, fix: one.fix?.slice(0, 200) }]);
    return { ...state, ...(work && { work: Object.fromEntries(works) }), ...(answers && { answers: answers.map(cut) }) };
  }

  /* The first attempt, the best one and the last. */
  function ends(attempts = [], last) {
    const top = attempts.findLast((attempt) => attempt.score === bestOf(attempts));
    return attempts.filter((attempt, index) => !index || attempt === top || index >= attempts.length - last);
  }

  function bestOf(attempts) {
    return Math.max(...attempts.map(({ score, revealed }) => (revealed ? -1 : score)));
  }

  function short(state) {
    return Object.fromEntries(Object.entries(state).filter(([, value]) => JSON.stringify(value).length < 80));
  }

  function pack() {
    const entries = exercises.map(({ exercise, digest }) => {
      const state = keptState(exercise, digest);
      return { digest, state, ...written(digest, state) };
    });
    const length = () => entries.reduce((sum, { first, text }) => sum + first.length + text.length + 2, 60);
    entries.sort((a, b) => recent.indexOf(a.digest) - recent.indexOf(b.digest));
    const work = entries.filter(({ state }) => state);
    const done = ({ state }) => state.ended || (state.attempts?.length && !state.marks?.length);
    const [finished, open] = [work.filter(done), work.filter((entry) => !done(entry))];
    left = false;
    for (const [form, group] of [[trimmed, work], ...[finished, open].flatMap((group) => FORMS.map((form) => [form, group]))])
      for (const entry of group) {
        if (length() <= LIMIT) break;
        left = true;
        Object.assign(entry, written(entry.digest, form(entry.state), entry.state));
      }
    const all = (name) => entries.map((entry) => entry[name]).filter(Boolean).join();
    return length() <= LIMIT ? `{"version":${VERSION},"first":{${all("first")}},"states":{${all("text")}}}` : "";
  }

  /* An exercise's part: its first score; where its state goes, the best one and its hints beside that, as in "40/80/12". */
  function written(digest, state, { attempts = [], hints = [] } = {}) {
    const member = (value) => (value === undefined ? "" : plain(`"${digest}":${JSON.stringify(value, pressed)}`));
    const first = results.get(digest);
    const best = bestOf(attempts);
    const whole = state || (!hints.length && !(best > (first ?? -1)));
    const said = whole ? first : [first === null ? "-" : (first ?? ""), best < 0 ? "" : best, hints.join("")].join("/");
    return { first: member(said), text: member(state) };
  }

  function plain(text) {
    return text.replace(/[^ -~]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`);
  }

  function unpack(text) {
    try {
      const { version, first, states } = JSON.parse(text, unpressed);
      if (version !== VERSION) return;
      recent.push(...Object.keys(states));
      for (const { exercise, digest } of exercises) {
        const { score, rest } = scored(first[digest]);
        if (score !== undefined) results.set(digest, score);
        const state = states[digest] ?? rest;
        if (state) window.localStorage.setItem(place(exercise), JSON.stringify({ [digest]: state }));
        if (rest && !states[digest]) note("full");
      }
    } catch {
      // nothing was kept yet, or another program's data
    }
  }

  /* What stands for an exercise beside its state: its first score, and what is known where the state is gone. */
  function scored(value) {
    const parts = isScore(value) ? [value === null ? "-" : `${value}`, "", ""] : /^(-|[\d.]*)\/([\d.]*)\/(\d*)$/.exec(value)?.slice(1);
    if (!parts) return {};
    const [first, best, hints] = parts;
    const score = first === "-" ? null : first ? Number(first) : undefined;
    const attempts = [score, best ? Number(best) : undefined]
      .map((score, index) => ({ id: `${index + 1}`, n: index + 1, score, revealed: score === null }))
      .filter((attempt) => attempt.score !== undefined);
    return { score, rest: { marks: [], hints: [...hints], attempts } };
  }

  /* Objects with the same keys are written as a table: its head, then the values row by row. */
  function pressed(_, value) {
    const plain = (item) => item && typeof item === "object" && !Array.isArray(item);
    if (!Array.isArray(value) || value.length < 2 || !value.every(plain)) return value;
    const head = Object.keys(value[0]);
    const alike = value.every((item) => Object.keys(item).join() === head.join());
    return alike ? { "#": head, rows: value.map((item) => head.map((key) => item[key])) } : value;
  }

  function unpressed(_, value) {
    if (!Array.isArray(value?.["#"]) || !Array.isArray(value.rows)) return value;
    return value.rows.map((row) => Object.fromEntries(value["#"].map((key, index) => [key, row[index]])));
  }

  function stays() {
    try {
      window.localStorage.setItem(place("?"), "");
      window.localStorage.removeItem(place("?"));
      return true;
    } catch {
      return false;
    }
  }

  function keptState(exercise, digest) {
    try {
      return JSON.parse(window.localStorage.getItem(place(exercise)))?.[digest];
    } catch {
      return undefined;
    }
  }

  function place(exercise) {
    return `${FOLDER}errorspan:${exercise}`;
  }

  class PageStorage {
    getItem(name) {
      return Object.hasOwn(this, name) ? this[name] : null;
    }

    setItem(name, value) {
      this[name] = String(value);
    }

    removeItem(name) {
      delete this[name];
    }

    clear() {
      for (const name of Object.keys(this)) delete this[name];
    }

    key(index) {
      return Object.keys(this)[index] ?? null;
    }

    get length() {
      return Object.keys(this).length;
    }
  }

  /* The page */

  function follow(platform) {
    let due = false;
    const happened = ({ detail }) => {
      settle(detail.digest, detail);
      touched(detail.digest);
      showMean();
      if (due) return; // one check can be two events
      due = true;
      queueMicrotask(() => {
        due = false;
        platform?.commit();
      });
    };
    for (const type of ["errorspan-check", "errorspan-complete"]) document.addEventListener(type, happened);
    if (!platform) return;
    document.addEventListener("errorspan-handin", (event) => {
      touched(event.detail.digest);
      platform.commit();
      if (platform.accepts && !platform.review && !left) event.preventDefault(); // else a file is offered
    });
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "hidden" && pack() !== platform.kept) platform.commit();
    });
    addEventListener("pagehide", () => platform.finish());
    addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
  }

  function navigate() {
    const sections = [...document.querySelectorAll(".sco-exercise")];
    if (sections.length < 2) return;
    const show = (chosen) => {
      for (const section of sections) section.hidden = section !== chosen;
      for (const link of document.querySelectorAll("nav a")) {
        if (link.hash === `#${chosen.id}`) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      }
    };
    const named = () => document.getElementById(location.hash.slice(1));
    show(sections.find((section) => section.contains(named())) ?? sections[0]);
    addEventListener("hashchange", () => {
      const section = sections.find((candidate) => candidate.contains(named()));
      if (section) show(section);
      if (section && section === named()) section.querySelector("[tabindex]").focus();
    });
  }

  /* A link that led out of the frame would end the session. */
  function openElsewhere(event) {
    const link = event.target.closest?.("a[href]");
    if (link && link.origin + link.pathname !== location.origin + location.pathname)
      Object.assign(link, { target: "_blank", rel: "noopener" });
  }

  const api = findAPI();
  const platform = api && new Platform(api);
  const connected = platform?.begin() ? platform : null;
  if (connected) {
    Object.defineProperty(window, "localStorage", { configurable: true, value: new PageStorage() });
    unpack(connected.kept);
  } else {
    note(api ? "closed" : "alone", KEPT[stays()]);
  }
  for (const { exercise, digest } of exercises) settle(digest, keptState(exercise, digest)?.attempts?.[0]);
  follow(connected);
  showMean();
  navigate();
  document.addEventListener("click", openElsewhere, true);
})();
