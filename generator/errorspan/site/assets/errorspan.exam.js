/* An exam: what a student writes of the places that are marked, and the file that hands it in. errorspan.js loads this. */
errorspanExam(({ ErrorspanExercise, blank, make, recall, tables }) => {
  const LONGEST = { name: 1000, fix: 4000 };

  Object.assign(tables.en, {
    examName: "What is wrong here?",
    examFix: "How would you put it right?",
    blankSheet: "Nothing is marked. Press again to hand in a blank sheet.",
    noWho: "Type your name or number first.",
    handedIn: "Saved as {file}. Nothing was sent: pass this file on. You may change your answers and hand in again.",
    platformTold: "Your learning platform has your answers. You may change them and hand in again.",
    confirmEmpty: "Press again to remove from this browser all that you marked and wrote here.",
    emptied: "Everything is removed.",
  });

  const { save } = ErrorspanExercise.prototype;

  /* What an exercise does otherwise where it is an exam: it asks for no key, and keeps what is written of each place. */
  ErrorspanExercise.exam = {
    restore() {
      const { exercise, digest, errors } = this.dataset;
      const state = { ...blank(), who: "", ...recall(exercise)[digest] };
      if (JSON.stringify(state) === JSON.stringify(this.state)) return;
      this.state = state;
      this.total = Number(errors);
      this.doubts = new Set(state.unsure);
      this.marks = new Set(state.marks);
      who(this).value = state.who;
      this.showAnswers();
    },

    save() {
      this.state.began ??= new Date().toISOString();
      this.showAnswers();
      save.call(this);
    },

    noteWork(control) {
      const note = control.closest(".es-note");
      const { answers } = this.state;
      if (note) answers.find(({ from }) => from === Number(note.dataset.from))[control.name] = control.value;
      else this.state.who = control.value;
      save.call(this);
    },

    /* A note for each stretch of marked lines, below the code: none moves a line that is about to be marked. */
    showAnswers() {
      const lines = this.rows.map((row) => row.querySelector(".es-text").textContent);
      const places = stretches(this.boxes);
      const { answers } = this.state;
      this.state.answers = along(places, Array.isArray(answers) ? answers.filter(readable) : [], lines);
      const list = this.part("answers");
      const known = new Map([...list.children].map((note) => [`${note.dataset.from}-${note.dataset.to}`, note]));
      const notes = places.map(([from, to], index) => {
        const note = known.get(`${from}-${to}`) ?? noteOn(this, from, to);
        const { name = "", fix = given(lines, from, to) } = this.state.answers[index];
        for (const field of note.querySelectorAll("textarea")) {
          const text = { name, fix }[field.name];
          if (field.value !== text) field.value = text;
        }
        return note;
      });
      for (const note of known.values()) if (!notes.includes(note)) note.remove();
      notes.forEach((note, index) => note === list.children[index] || list.insertBefore(note, list.children[index] ?? null));
      list.hidden = !notes.length;
    },

    handIn(again) {
      const field = who(this);
      const id = field.value.trim();
      if (!id) {
        this.say("noWho");
        return field.focus();
      }
      if (!this.marks.size && !again) return this.say("blankSheet");
      Object.assign(this.state, { who: id, handed: new Date().toISOString() });
      this.save();
      const { exercise, digest } = this.dataset;
      const detail = { exercise, digest, ...this.state };
      const event = new CustomEvent("errorspan-handin", { bubbles: true, cancelable: true, detail });
      if (!this.dispatchEvent(event)) return this.say("platformTold");
      const file = `${[exercise, ...(id.match(/[\p{L}\p{N}]+/gu) ?? [])].join("-")}.json`;
      store(file, { errorspan: 1, handin: sheet(detail) });
      this.say("handedIn", { file });
    },

    empty(again) {
      if (!again) return this.say("confirmEmpty");
      this.state = { ...blank(), who: "", answers: [] };
      who(this).value = "";
      this.marks = new Set();
      this.showAnswers();
      save.call(this);
      this.say("emptied");
      this.first.focus();
    },
  };

  function who(exam) {
    return exam.querySelector(".es-who input");
  }

  function noteOn(exam, from, to) {
    const field = (name, word, dir, rows) =>
      make("label.es-mend", make("span", exam.words(word)), Object.assign(make("textarea"), { name, dir, rows, spellcheck: false, maxLength: LONGEST[name] }));
    const title = make("h2.es-note-title", exam.place(from, to));
    const note = make("article.es-note", title, field("name", "examName", "auto", 2), field("fix", "examFix", "ltr", to - from + 2));
    Object.assign(note.dataset, { from, to });
    return note;
  }

  /* What is handed in of a state: only what is written of the places that are marked, where it is not what stood there. */
  function sheet({ exercise, digest, who, began, handed, marks, unsure, answers }) {
    const text = (value) => (value?.trim() ? (value.toWellFormed?.() ?? value) : undefined);
    const written = answers.filter(({ hidden }) => !hidden).map(({ from, to, name, fix }) => ({ from, to, name: text(name), fix: fix?.toWellFormed?.() ?? fix }));
    return { exercise, digest, who: text(who), began, handed, marks, unsure, answers: written.filter(({ name, fix }) => name || fix !== undefined) };
  }

  function store(file, content) {
    const href = URL.createObjectURL(new Blob([JSON.stringify(content, null, 1)], { type: "application/json" }));
    Object.assign(make("a"), { href, download: file }).click();
    setTimeout(() => URL.revokeObjectURL(href), 60000);
  }

  /* Marked lines that nothing but blank ones part. */
  function stretches(boxes) {
    const found = [];
    let open = null;
    boxes.forEach((box, index) => {
      if (box.disabled) return;
      if (!box.checked) open = null;
      else if (open) open[1] = index + 1;
      else found.push((open = [index + 1, index + 1]));
    });
    return found;
  }

  /* Lay what is written along the places that are marked now: places that grow together join their texts, and what has no place any more stays hidden. */
  function along(places, answers, lines) {
    const left = new Set(answers);
    const placed = places.map(([from, to]) => {
      const here = [...left].filter((one) => one.from <= to && from <= one.to);
      for (const one of here) left.delete(one);
      const name = here.map((one) => one.name).filter(Boolean).join("\n");
      const fix = mended(here.filter((one) => one.fix !== undefined), from, to, lines);
      return { from, to, name: name || undefined, fix: fix === given(lines, from, to) ? undefined : fix };
    });
    const hidden = [...left].filter(({ name, fix }) => name || fix !== undefined).map((one) => ({ ...one, hidden: true }));
    return [...placed, ...hidden];
  }

  function mended(fixes, from, to, lines) {
    const written = [];
    const done = new Set();
    for (let line = from; line <= to; line++) {
      const one = fixes.find((fix) => fix.from <= line && line <= fix.to);
      if (!one) written.push(lines[line - 1]);
      else if (!done.has(one)) written.push(one.fix);
      done.add(one);
    }
    return written.join("\n");
  }

  function given(lines, from, to) {
    return lines.slice(from - 1, to).join("\n");
  }

  function readable(answer) {
    const text = (value) => value === undefined || typeof value === "string";
    return Number.isInteger(answer?.from) && Number.isInteger(answer.to) && answer.from <= answer.to && text(answer.name) && text(answer.fix);
  }
});
