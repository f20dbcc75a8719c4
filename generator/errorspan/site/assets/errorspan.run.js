/* A student's correction, run in the page by the topic's own tests: errorspan.js loads this where an exercise has them. */
errorspanAnswers(({ ErrorspanExercise, beside, button, fill, load, make, tables }) => {
  const SECONDS = 20;

  Object.assign(tables.en, {
    run: "Run the tests",
    first: "The first run fetches {size} MB.",
    fetching: "Fetching what runs it: {n} of {total} parts ({size} MB)",
    starting: "Starting …",
    running: "Running the tests …",
    noEngine: "The tests do not start in this browser. Compare with the answer.",
    alone: "Your lines run in the program in which all other errors are corrected.",
    passes: { one: "{n} test passes", other: "{n} tests pass" },
    fails: { one: "{n} test fails", other: "{n} tests fail" },
    notRun: { one: "{n} test is not run here", other: "{n} tests are not run here" },
    noTurn: { one: "{n} test had no turn", other: "{n} tests had no turn" },
    time: "not done within {n} seconds",
    flood: "said too much",
    ended: "the program ended",
  });

  /* Return the button that runs what stands in an error's box, and where it says what came of it. */
  ErrorspanExercise.prototype.bench = function (error) {
    const { words, running } = this;
    if (!running?.errors[error.id]) return null;
    const size = running.size && !window.errorspanRunner && words("first", { size: megabytes(running.size) });
    const status = make("p.es-ran", this.ranOn(error.id));
    status.setAttribute("role", "status");
    const about = make("p.es-small", words("alone"), size && ` ${size}`);
    return make("div.es-bench", make("p", button("run", words)), about, status, make("div.es-told"));
  };

  /* Tell whether tests run on an error's correction, as far as this browser has shown. */
  ErrorspanExercise.prototype.runs = function ({ id }) {
    return !this.unrunnable && Boolean(this.running?.errors[id]);
  };

  /* Return what the tests said of the text that stands in an error's box; nothing of one that they did not run on. */
  ErrorspanExercise.prototype.ranOn = function (id) {
    const { fix, ran } = this.state.work[id] ?? {};
    return ran && ran.fix === fix ? this.words(ran.verdict) : "";
  };

  /* What stands in an error's box has changed. */
  ErrorspanExercise.prototype.judge = function (id) {
    const note = this.querySelector(`.es-note[data-error="${id}"]`);
    if (!note?.querySelector(".es-bench") || this.playing) return;
    note.querySelector(".es-ran").textContent = this.ranOn(id);
    if (!this.ranOn(id)) fill(note.querySelector(".es-told"));
  };

  ErrorspanExercise.prototype.run = async function (_, pressed) {
    const { error } = pressed.closest(".es-note").dataset;
    if (this.playing) return;
    const part = (name) => this.querySelector(`.es-note[data-error="${error}"] ${name}`); // the answer may be shown meanwhile
    const text = part("textarea");
    if (text) this.noteWork(text);
    this.playing = true;
    pressed.ariaDisabled = "true";
    const { running, words } = this;
    const { last } = this.state;
    const { fix } = this.workOn(error);
    fill(part(".es-told"));
    const tell = (name, values) => part(".es-ran") && (part(".es-ran").textContent = words(name, values));
    let told;
    tell("starting");
    if (!window.errorspanRunner) await load(beside("runner"));
    const task = { ...running, seconds: SECONDS, laid: { ...running.laid, [running.program]: programOf(running.errors[error], fix) } };
    const said = await window.errorspanRunner?.play(task, ({ phase, at, all }) => {
      if (phase === "fetching") tell(phase, { n: at + 1, total: all, size: megabytes(running.size) });
      else if (told !== phase) tell(phase);
      told = phase;
    });
    this.playing = false;
    for (const each of this.querySelectorAll('[data-action="run"]')) each.ariaDisabled = null;
    if (!this.state.ended || this.state.last !== last) return; // a new attempt has begun
    this.unrunnable = !said || said.stopped === "engine" || Boolean(said.broken);
    if (!this.unrunnable) this.workOn(error).ran = { fix, verdict: verdictOf(said, running.errors[error].fails) };
    if (this.unrunnable && part("textarea")) return tell("noEngine");
    this.withKey((key) => {
      if (!this.unrunnable) Object.assign(this.attempt ?? {}, this.mended(key));
      this.save();
      if (!part("textarea")) {
        const refocus = this.focused();
        this.showResult(key); // the answer is shown already, with what the tests said, or what to tick in their place
        refocus();
      }
      if (this.unrunnable || (part("textarea") && !this.ranOn(error))) return;
      part(".es-ran").textContent = this.ranOn(error);
      fill(part(".es-told"), outcomes(said, running, words));
      if (part(".es-bench")) part(".es-bench .es-small").textContent = words("alone"); // what runs it is here now
    });
  };

  function programOf({ head, lead, tail }, fix) {
    const lines = fix.replace(/\r\n?/g, "\n").split("\n");
    return `${head}${lines.map((line) => (line.trim() ? lead + line : line)).join("\n")}${tail}`;
  }

  /* A correction is right where every test passes, and none is left without a turn. */
  function verdictOf({ begun, failed, erred, passed, stopped }, own) {
    if (!stopped && begun.length && begun.every((test) => passed.includes(test)) && own.every((test) => passed.includes(test))) return "right";
    const mends = own.every((test) => passed.includes(test));
    return mends && Object.keys({ ...failed, ...erred }).length ? "breaks" : "wrong";
  }

  function outcomes(said, running, words) {
    const failed = Object.entries({ ...said.erred, ...said.failed });
    const list = (name, tests) => tests.length && make("details.es-data", make("summary", words(name, { n: tests.length })), make("ul", tests.map((test) => make("li", make("bdi", called(test))))));
    const why = ({ stopped, message }) => (stopped ? words(stopped === "end" ? "ended" : stopped, { n: SECONDS }) : message);
    const one = ([test, { input, got, expected, ...more }]) =>
      make("li", ErrorspanExercise.evidence([input, got, expected, called(test), got ? "" : why(more)].map(clipped), words));
    const unplayed = Object.keys(running.errors).flatMap((id) => running.errors[id].fails).filter((test, at, all) => all.indexOf(test) === at && !said.begun.includes(test));
    return [
      failed.length && [make("p.es-fails", words("fails", { n: failed.length })), make("ul.es-failed", failed.map(one))],
      list("passes", said.passed),
      list("noTurn", unplayed),
      list("notRun", running.leaveOut),
    ].flat();
  }

  /* As `in_words` of the generator says it. */
  function called(test) {
    const [, name, given] = /^([^[]*)(.*)$/s.exec(test);
    const own = name.split("::").at(-1);
    return own.startsWith("test_") ? `${own.slice(5).replaceAll("_", " ")} ${given}`.trim() : test;
  }

  function clipped(text) {
    return text && (text.length > 500 ? `${text.slice(0, 500)}…` : text);
  }

  function megabytes(size) {
    return (size / 1e6).toFixed(1);
  }
});
