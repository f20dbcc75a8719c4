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
    const place = this.running?.errors[error.id];
    if (!place) return null;
    const { words, running } = this;
    const { ran } = this.state.work[error.id] ?? {};
    const size = running.size && !window.errorspanRunner && words("first", { size: megabytes(running.size) });
    const status = make("p.es-ran", ran && ran.fix === this.own(error) && words(ran.verdict));
    status.setAttribute("role", "status");
    const about = make("p.es-small", words("alone"), size && ` ${size}`);
    return make("div.es-bench", make("p", button("run", words)), about, status, make("div.es-told"));
  };

  ErrorspanExercise.prototype.run = async function (_, pressed) {
    const note = pressed.closest(".es-note");
    const text = note.querySelector("textarea");
    if (this.playing) return;
    this.playing = true;
    pressed.ariaDisabled = "true";
    this.noteWork(text);
    const { running, words } = this;
    const { error } = note.dataset;
    const fix = text.value;
    const [status, told] = [note.querySelector(".es-ran"), note.querySelector(".es-told")];
    fill(told);
    const tell = (name, values) => (status.textContent = words(name, values));
    tell("starting");
    if (!window.errorspanRunner) await load(beside("runner"));
    const task = { ...running, seconds: SECONDS, laid: { ...running.laid, [running.program]: programOf(running.errors[error], fix) } };
    const said = await window.errorspanRunner?.play(task, ({ phase, at, all }) => {
      if (phase === "fetching") tell(phase, { n: at + 1, total: all, size: megabytes(running.size) });
      else if (status.dataset.phase !== phase) tell(phase);
      status.dataset.phase = phase;
    });
    delete status.dataset.phase;
    this.playing = false;
    pressed.ariaDisabled = null;
    if (!this.state.ended) return; // a new attempt has begun
    if (!said || said.stopped === "engine" || said.broken) return tell("noEngine");
    const verdict = verdictOf(said, running.errors[error].fails);
    this.workOn(error).ran = { fix, verdict };
    this.withKey((key) => {
      Object.assign(this.attempt ?? {}, this.mended(key));
      this.save();
    });
    tell(verdict);
    fill(told, outcomes(said, running, words));
    note.querySelector(".es-bench .es-small").textContent = words("alone"); // what runs it is here now
  };

  function programOf({ head, lead, tail }, fix) {
    const lines = fix.replace(/\r\n?/g, "\n").split("\n");
    return `${head}${lines.map((line) => (line.trim() ? lead + line : line)).join("\n")}${tail}`;
  }

  /* A correction is right where every test passes, and none is left without a turn. */
  function verdictOf({ begun, failed, erred, passed }, own) {
    if (begun.length && begun.every((test) => passed.includes(test)) && own.every((test) => passed.includes(test))) return "right";
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
