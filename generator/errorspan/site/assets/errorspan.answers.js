/* What is told of an error once it is open: errorspan.js loads this with the key. */
errorspanAnswers(({ ErrorspanExercise, HERE, beside, codes, fill, inDirection, linesOf, link, load, make, prose, tables, textOf, wrap }) => {
  const CHANGED = { before: "del", own: "mark", after: "ins" };

  Object.assign(tables.en, {
    same: "Your correction is the answer, spacing aside.",
    criteria: "No test has run on your correction. Tick what holds of it:",
    holds: "The test above would pass.",
    cured: "No longer so: {kind}.",
    rest: "Whatever else worked still works.",
    before: "Before",
    own: "Yours",
    after: "Answer",
    deleted: "Nothing: this goes.",
    value: "What to take away",
    failure: "How it came about",
    weak: "Where the mistake was made",
    mid: "How the better solution avoids it",
    url: "This error in the run",
    seen: "What execution showed, with all other errors corrected",
    test: "Test",
    input: "Input",
    got: "Came out",
    expected: "Should have come",
    message: "Fails with",
    undecided: "Not counted",
    right: "Right: your correction passes every test that runs here.",
    breaks: "Your correction mends the error and breaks another test.",
    wrong: "Your correction fails tests that this error fails, too.",
    more: "More about this error",
  });

  ErrorspanExercise.prototype.explanation = function (error) {
    const { words } = this;
    const { kind } = this.state.work[error.id] ?? {};
    const [before, after] = [error.before, error.after].map(codes);
    const own = this.own(error);
    const told = kind && (kind === error.pattern ? words("kindRight") : words("kindWrong", { kind }));
    const links = ["weak", "mid", "url"].filter((name) => error[name]);
    const diff = make(
      "div.es-diff.highlight",
      side("before", words, before, after),
      own !== null && side("own", words, own.split("\n").map((text) => make("code", text)), after),
      side("after", words, after, before),
    );
    return [
      inDirection("ltr", diff),
      own !== null && this.judged(error, own),
      prose(error.description),
      error.seen && [make("h4", words("seen")), evidence(error.seen, words)],
      own !== null && this.criteria(error, own),
      error.pattern && [make("h4", words("kindIs")), make("p", make("bdi", error.pattern), ". ", told)],
      kind && kind !== error.pattern && Object.hasOwn(this.kinds, kind) && prose(this.kinds[kind]),
      make(
        "details.es-rules",
        make("summary", words("more")),
        make("h4", words("value")),
        prose(error.value),
        error.failure && [make("h4", words("failure")), prose(error.failure)].flat(),
        make("ul.es-links", links.map((name) => make("li", link(error[name], words(name))))),
      ),
    ].flat();
  };

  /* Return what a student wrote in an error's place; null where that is what stood there. */
  ErrorspanExercise.prototype.own = function ({ id, before }) {
    const { fix } = this.state.work[id] ?? {};
    return fix === undefined || bare(fix) === bare(textOf(codes(before))) ? null : fix;
  };

  /* A box in which corrections are written is used for the first time: an editor takes its place, where there is one. */
  ErrorspanExercise.prototype.written = async function (text) {
    if (text.type !== "textarea" || !this.editor) return;
    if (!window.errorspanEditor) await load(new URL(`${this.editor.from}/0.js`, HERE).href);
    if (window.errorspanEditor && !this.mount) await load(beside("edit"));
    if (!this.mount) return;
    for (const each of this.querySelectorAll(".es-mend textarea")) this.mount(each);
  };

  /* Return what is known of a correction: what tests said of it, that it is the answer, or a way to have tests try it. */
  ErrorspanExercise.prototype.judged = function (error, own) {
    const { ran } = this.state.work[error.id];
    if (ran?.fix === own) return [make("p.es-ran", this.words(ran.verdict)), make("div.es-told")];
    return isAnswer(error, own) ? make("p", this.words("same")) : this.runs?.(error) && this.bench(error);
  };

  /* Return what a student ticks of a correction on which no test can run, and which is not worded as the answer is. */
  ErrorspanExercise.prototype.criteria = function (error, own) {
    const { words } = this;
    const { ran, ticked = [] } = this.state.work[error.id];
    if (ran?.fix === own || isAnswer(error, own) || this.runs?.(error)) return null;
    const items = criteriaOf(error).map(([name, told], at) => {
      const input = Object.assign(make("input"), { type: "checkbox", value: at, checked: ticked.includes(at) });
      return make("label.es-choice", input, told ?? make("span", words(name, { kind: error.pattern })));
    });
    return make("fieldset.es-kinds", make("legend", words("criteria")), items);
  };

  ErrorspanExercise.prototype.tick = function ({ checked, value }, id) {
    const work = this.state.work[id];
    work.ticked = [...(work.ticked ?? []).filter((at) => at !== Number(value)), ...(checked ? [Number(value)] : [])];
    this.withKey((key) => {
      Object.assign(this.attempt, this.mended(key));
      this.save();
      this.retell();
    });
  };

  ErrorspanExercise.prototype.retell = function () {
    const tally = this.part("tally");
    if (tally) fill(tally, this.tally(this.attempt).slice(1).map((counted) => this.badge(...counted)));
  };

  function criteriaOf({ seen, settles, pattern }) {
    const [input, , expected] = seen ?? [];
    const gives = () => inDirection("ltr", make("span", make("code", input), " → ", make("code", expected)));
    return [
      seen && ["holds", input && expected && gives()],
      settles && ["settles", prose(settles)],
      pattern && ["cured"],
      ["rest"],
    ].filter(Boolean);
  }

  function isAnswer({ after }, own) {
    return bare(own) === bare(textOf(codes(after)));
  }

  /* Return how many errors a student mended, of those tried: as tests say, and where none ran, as the answer does,
     or the student's own ticks: `claimed`; and how many errors an input has shown, of those that were given one. */
  ErrorspanExercise.prototype.mended = function (key) {
    const tries = key.errors.flatMap((error) => {
      const { shown, ran, ticked = [] } = this.state.work[error.id] ?? {};
      const own = this.own(error);
      if (own === null) return [];
      if (ran?.fix === own) return [{ ran: true, right: ran.verdict === "right" }];
      if (!shown || isAnswer(error, own)) return shown ? [{ right: true }] : [];
      const claimed = criteriaOf(error).every((_, at) => ticked.includes(at));
      return [{ right: claimed, claimed }];
    });
    const count = (good) => tries.filter(good).length;
    const probes = Object.values(this.state.work).flatMap(({ probed }) => probed ?? []);
    const given = { shown: probes.filter(({ shown }) => shown).length, probed: probes.length };
    return { ...given, mended: count(({ right }) => right), mends: tries.length, ran: count(({ ran }) => ran), claimed: count(({ claimed }) => claimed) };
  };

  /* The end says two things to take away, of what was missed first, and what comes next. */
  ErrorspanExercise.prototype.ending = function (errors) {
    const onward = document.querySelector(".es-onward p")?.cloneNode(true);
    const values = [...new Set(errors.map(({ value }) => value))].slice(0, 2);
    const items = values.map((value) => make("li", prose(value)));
    return make("div.es-ending", items.length > 0 && [make("h3", this.words("value")), make("ul", items)].flat(), onward);
  };

  ErrorspanExercise.prototype.showUndecided = function (stretch) {
    const lines = linesOf(stretch);
    for (const row of lines.map((line) => this.rows[line - 1])) if (!row.dataset.verdict) this.judgeRow(row, "undecided");
    const place = make("span.es-meta", this.place(lines[0], lines.at(-1)));
    this.noteAfter(lines.at(-1), make("div.es-note.es-remark", this.badge("undecided"), place, prose(stretch.reason)));
  };

  /* Return why a stretch that looks wrong is right, where one of these lines belongs to it. */
  ErrorspanExercise.prototype.reasons = function ({ sound = [] }, [from, to]) {
    const within = (line) => from <= line && line <= to;
    return sound.filter((stretch) => linesOf(stretch).some(within)).map(({ reason }) => prose(reason));
  };

  ErrorspanExercise.evidence = evidence;

  function evidence([input, got, expected, test, message], words) {
    const told = { test, input, got, expected, message };
    const value = (name) => make(name === "test" ? "bdi" : "code", told[name]);
    const rows = Object.keys(told).map((name) => told[name] && make("div", make("dt", words(name)), inDirection("ltr", make("dd", value(name)))));
    return make("dl.es-seen", rows);
  }

  /* Leave out blanks that do not matter: those that indent, part words or stand in a string do. */
  function bare(text) {
    const code = text.replace(/\s+$/gm, "");
    const parts = (at, { length }) => /^[\w\p{L}]\s+[\w\p{L}]$/u.test(code.slice(at - 1, at + length + 1));
    return code.replace(/((["'`])(?:\\.|(?!\2).)*\2)|(?<=\S)[ \t]+/g, (all, string, _, at) => string ?? (parts(at, all) ? " " : ""));
  }

  /* Return where a text differs from another: the longest text that both have stays, by lines rather than across. */
  function difference(one, other) {
    const [a, b] = [one, other].map((text) => text.match(/[\p{L}\p{M}\p{N}_]+|\s+|./gsu) ?? []);
    const weight = (word) => word.length + 8 * word.includes("\n");
    const common = [...a, ""].map(() => new Uint16Array(b.length + 1));
    for (let i = a.length; i--; )
      for (let j = b.length; j--; )
        common[i][j] = a[i] === b[j] ? common[i + 1][j + 1] + weight(a[i]) : Math.max(common[i + 1][j], common[i][j + 1]);
    const changes = [];
    for (let i = 0, j = 0, at = 0; i < a.length; ) {
      const same = a[i] === b[j];
      if (!same && common[i][j + 1] > common[i + 1][j]) {
        j++;
        continue;
      }
      if (same) j++;
      else if (changes.at(-1)?.[1] === at) changes.at(-1)[1] += a[i].length;
      else changes.push([at, at + a[i].length]);
      at += a[i++].length;
    }
    return changes;
  }

  function side(name, words, codes, other) {
    let at = 0;
    const changes = difference(textOf(codes), textOf(other));
    for (const code of codes) {
      const { length } = code.textContent;
      for (const change of changes) {
        const [from, to] = change.map((place) => Math.min(Math.max(place - at, 0), length));
        if (from < to) wrap(code, from, to, make(`${CHANGED[name]}.es-changed`));
      }
      at += length + 1;
    }
    return make(`div.es-side.es-${name}`, make("span.es-word", words(name)), codes.length ? codes : inDirection("auto", make("em", words("deleted"))));
  }
});
