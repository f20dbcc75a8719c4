/* A student's correction, run in the page by the topic's own tests: errorspan.js loads this where an exercise has them. */
errorspanAnswers(({ ErrorspanExercise, beside, button, codes, fill, inDirection, load, make, tables, textOf }) => {
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
    show: "Show that it is wrong (optional)",
    showing: "Find an input on which this error shows. It goes to the program with this error alone, and to the corrected one.",
    inputOf: "Input",
    examples: "Examples:",
    probe: "Try it",
    differ: "They differ: you have shown that it is wrong.",
    alike: "Both give the same. Try another input.",
    unread: "The program cannot be called so: {why}",
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

  /* Return where a student shows, before mending it, that an error is one. */
  ErrorspanExercise.prototype.trial = function (error) {
    const { words } = this;
    const { trial, errors } = this.running ?? {};
    if (!trial || !errors[error.id]) return null;
    const { probed } = this.state.work[error.id] ?? {};
    const input = Object.assign(make("input.es-input"), { type: "text", value: probed?.input ?? trial.examples[0], spellcheck: false, autocapitalize: "off", dir: "ltr" });
    const called = inDirection("ltr", make("span.es-called", make("code", `${trial.call}(`), input, make("code", ")")));
    const examples = trial.examples.map((text) => {
      const one = Object.assign(make("button.es-button.es-quiet", make("code", text)), { type: "button", dir: "ltr" });
      one.addEventListener("click", () => Object.assign(input, { value: text }).focus());
      return one;
    });
    const status = make("p.es-ran", probed && words(probed.shown ? "differ" : "alike"));
    status.setAttribute("role", "status");
    const made = make(
      "details.es-rules.es-trial",
      make("summary", words("show")),
      make("p.es-small", words("showing")),
      make("label.es-mend", make("span", words("inputOf")), called),
      make("p.es-small", words("examples"), " ", examples),
      make("p", button("probe", words)),
      status,
      make("div.es-probed", probed && ErrorspanExercise.evidence([probed.input, probed.got, probed.expected].map(clipped), words)),
    );
    made.open = Boolean(probed);
    for (const type of ["input", "change"]) made.addEventListener(type, (event) => event.stopPropagation());
    input.addEventListener("keydown", ({ key }) => key === "Enter" && made.querySelector("[data-action]").click());
    return made;
  };

  ErrorspanExercise.prototype.probe = async function (_, pressed) {
    const { error } = pressed.closest(".es-note").dataset;
    if (this.playing) return;
    const part = (name) => this.querySelector(`.es-note[data-error="${error}"] .es-trial ${name}`); // the answer may be shown meanwhile
    const { running, words } = this;
    const { last } = this.state;
    const input = part("input").value.replace(/\s*\n\s*/g, " ");
    fill(part(".es-probed"));
    this.withKey(async (key) => {
      const { before, after } = key.errors.find(({ id }) => id === error);
      const place = running.errors[error];
      const tests = running.trial.around.join(input);
      const both = [before, after].map((lines) => ({ [running.tests]: tests, [running.program]: programOf(place, textOf(codes(lines))) }));
      const said = await this.play(pressed, both.map((laid) => ({ leaveOut: [], laid })), (text) => part(".es-ran") && (part(".es-ran").textContent = text));
      if (!this.state.ended || this.state.last !== last) return;
      const tell = (name, values) => part(".es-ran") && (part(".es-ran").textContent = words(name, values));
      if (said.some(unstarted)) return tell("noEngine");
      const [wrong, right] = said.map((one) => cameOut(one, words));
      const unread = [wrong, right].find(({ why }) => why);
      if (unread) return tell("unread", unread);
      this.workOn(error).probed = { input, got: wrong.got, expected: right.got, shown: wrong.got !== right.got };
      Object.assign(this.attempt ?? {}, this.mended(key));
      this.save();
      this.retell();
      tell(wrong.got === right.got ? "alike" : "differ");
      if (part(".es-probed")) fill(part(".es-probed"), ErrorspanExercise.evidence([input, wrong.got, right.got].map(clipped), words));
    });
  };

  /* Play tasks side by side, and tell what is under way. */
  ErrorspanExercise.prototype.play = async function (pressed, tasks, tell) {
    const { running, words } = this;
    this.playing = true;
    pressed.ariaDisabled = "true";
    let told;
    tell(words("starting"));
    if (!window.errorspanRunner) await load(beside("runner"));
    const hear = ({ phase, at, all }) => {
      if (phase === "fetching") tell(words(phase, { n: at + 1, total: all, size: megabytes(running.size) }));
      else if (told !== phase) tell(words(phase));
      told = phase;
    };
    const whole = ({ laid, ...more }) => ({ ...running, seconds: SECONDS, ...more, laid: { ...running.laid, ...laid } });
    const said = await Promise.all(tasks.map((task) => window.errorspanRunner?.play(whole(task), hear)));
    this.playing = false;
    for (const each of this.querySelectorAll('[data-action="run"], [data-action="probe"]')) each.ariaDisabled = null;
    return said;
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
    note.querySelector(".es-bench .es-ran").textContent = this.ranOn(id);
    if (!this.ranOn(id)) fill(note.querySelector(".es-told"));
  };

  ErrorspanExercise.prototype.run = async function (_, pressed) {
    const { error } = pressed.closest(".es-note").dataset;
    if (this.playing) return;
    const part = (name) => this.querySelector(`.es-note[data-error="${error}"] ${name}`); // the answer may be shown meanwhile
    const text = part("textarea");
    if (text) this.noteWork(text);
    const { running, words } = this;
    const { last } = this.state;
    const { fix } = this.workOn(error);
    fill(part(".es-told"));
    const tell = (text) => part(".es-bench .es-ran") && (part(".es-bench .es-ran").textContent = text);
    const [said] = await this.play(pressed, [{ laid: { [running.program]: programOf(running.errors[error], fix) } }], tell);
    if (!this.state.ended || this.state.last !== last) return; // a new attempt has begun
    this.unrunnable = unstarted(said) || Boolean(said.broken);
    if (!this.unrunnable) this.workOn(error).ran = { fix, verdict: verdictOf(said, running.errors[error].fails) };
    if (this.unrunnable && part("textarea")) return tell(words("noEngine"));
    this.withKey((key) => {
      if (!this.unrunnable) Object.assign(this.attempt ?? {}, this.mended(key));
      this.save();
      if (!part("textarea")) {
        const refocus = this.focused();
        this.showResult(key); // the answer is shown already, with what the tests said, or what to tick in their place
        refocus();
      }
      if (this.unrunnable || (part("textarea") && !this.ranOn(error))) return;
      part(".es-ran:not(.es-trial *)").textContent = this.ranOn(error);
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

  function unstarted(said) {
    return !said || said.stopped === "engine";
  }

  /* Return what came out of a call; or why, where the call itself is at fault. */
  function cameOut({ failed, erred, broken }, words) {
    const [seen] = Object.values(failed);
    if (seen) return { got: seen.got ?? reason(seen, words) };
    return { why: (broken ?? Object.values(erred)[0])?.message ?? words("ended") };
  }

  function reason({ stopped, message }, words) {
    return stopped ? words(stopped === "end" ? "ended" : stopped, { n: SECONDS }) : message;
  }

  function outcomes(said, running, words) {
    const failed = Object.entries({ ...said.erred, ...said.failed });
    const list = (name, tests) => tests.length && make("details.es-data", make("summary", words(name, { n: tests.length })), make("ul", tests.map((test) => make("li", make("bdi", called(test))))));
    const one = ([test, { input, got, expected, ...more }]) =>
      make("li", ErrorspanExercise.evidence([input, got, expected, called(test), got ? "" : reason(more, words)].map(clipped), words));
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
