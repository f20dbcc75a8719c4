// Tests of a search box.
//
// Time is faked. A catalog is a list of calls that the test answers by hand or after a given delay, so every
// order of replies can be played and every result is the same on each run.

import { mock } from 'node:test';

const WAIT = 250;
const rowsFor = (query) => [`${query} one`, `${query} two`];
const settle = async () => {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((done) => setImmediate(done));
};

let now = 0;
let createSearchBox;

/** Both tiers' programs are taken as they are: the challenge names what is tested. */
export const adapt = (tier, code) => code;

async function pass(ms, step = 10) {
  for (let end = now + ms; now < end; ) {
    const part = Math.min(step, end - now);
    now += part;
    mock.timers.tick(part);
    await settle();
  }
}

/** A box on a catalog that answers after `delay(query)` ms; `heeds` tells whether it looks at the signal. */
function setUp({ heeds, delay = () => 400, fails = () => null, ...options }) {
  const calls = [];
  const shown = [];
  const fetchResults = (query, { signal }) =>
    new Promise((answer, fail) => {
      calls.push({ query, signal, at: now });
      const times = calls.filter((call) => call.query === query).length;
      if (heeds) signal.addEventListener('abort', () => fail(signal.reason));
      setTimeout(() => {
        const message = fails(query, times);
        if (message) fail(new Error(message));
        else answer(rowsFor(query));
      }, delay(query));
    });
  const render = (state) => shown.push({ at: now, ...state });
  const box = createSearchBox({ fetchResults, render, waitMs: WAIT, ...options });
  const last = () => {
    const { query, results, loading, error } = shown.at(-1);
    return { query, results: [...results], loading, error };
  };
  const asked = () => calls.map((call) => call.query);
  return { box, calls, asked, shown, last };
}

const waiting = (query) => ({ query, results: [], loading: true, error: null });
const answered = (query) => ({ query, results: rowsFor(query), loading: false, error: null });
const failed = (query, error) => ({ query, results: [], loading: false, error });
const blank = (query) => ({ query, results: [], loading: false, error: null });

/** A test whose time is faked, and begins at 0. */
const timed = (name, run) =>
  test(name, async (exercise) => {
    ({ createSearchBox } = exercise);
    now = 0;
    mock.timers.enable({ apis: ['setTimeout'] });
    try {
      await run();
    } finally {
      mock.timers.reset();
    }
  });

const CATALOGS = [
  ['new catalog', true],
  ['old catalog', false],
];

for (const [name, heeds] of CATALOGS) {
  timed(`${name}: one request per pause, for the last text`, async () => {
    const { box, calls, last } = setUp({ heeds });
    for (const text of ['d', 'dr', 'dri', 'dril', 'drill']) {
      box.type(text);
      await pass(100);
    }
    await pass(149);
    assert.deepEqual(calls, []);
    assert.deepEqual(last(), waiting('drill'));
    await pass(1);
    assert.deepEqual(calls.map(({ query, at }) => [query, at]), [['drill', 650]]);
    await pass(400);
    assert.deepEqual(last(), answered('drill'));
  });

  timed(`${name}: a changed text is shown as loading at once, without the rows of the old one`, async () => {
    const { box, last } = setUp({ heeds });
    box.type('drill');
    await pass(700);
    assert.deepEqual(last(), answered('drill'));
    box.type('Ladder');
    assert.deepEqual(last(), waiting('ladder'));
  });

  timed(`${name}: a text of one character asks nothing and shows nothing`, async () => {
    const { box, calls, last } = setUp({ heeds });
    box.type(' d ');
    assert.deepEqual(last(), blank('d'));
    await pass(1000);
    assert.deepEqual(calls, []);
    assert.deepEqual(last(), blank('d'));
  });

  timed(`${name}: the box emptied during the wait asks nothing`, async () => {
    const { box, asked, last } = setUp({ heeds });
    box.type('drill');
    await pass(100);
    box.type('');
    await pass(2000);
    assert.deepEqual(asked(), []);
    assert.deepEqual(last(), blank(''));
  });

  timed(`${name}: the box emptied during a request stays empty, and the request is told to stop`, async () => {
    const { box, calls, last } = setUp({ heeds });
    box.type('drill');
    await pass(400);
    box.type('');
    assert.equal(calls[0].signal.aborted, true);
    assert.deepEqual(last(), blank(''));
    await pass(2000);
    assert.deepEqual(last(), blank(''));
  });

  timed(`${name}: typing on during a request keeps the spinner until the new answer`, async () => {
    const { box, asked, calls, shown, last } = setUp({ heeds, delay: (query) => (query === 'drill' ? 200 : 400) });
    box.type('drill');
    await pass(300);
    box.type('drills');
    assert.equal(calls[0].signal.aborted, true);
    await pass(640);
    assert.deepEqual(asked(), ['drill', 'drills']);
    for (const state of shown) assert.equal(state.loading, true, JSON.stringify(state));
    await pass(10);
    assert.deepEqual(last(), answered('drills'));
  });

  timed(`${name}: a slow reply to an earlier text never reaches the screen`, async () => {
    const { box, asked, shown, last } = setUp({ heeds, delay: (query) => (query === 'dr' ? 1500 : 200) });
    box.type('dr');
    await pass(300);
    box.type('drill');
    await pass(3000);
    assert.deepEqual(asked(), ['dr', 'drill']);
    for (const { query, results } of shown) for (const row of results) assert.ok(rowsFor(query).includes(row), `${row} under ${query}`);
    assert.deepEqual(last(), answered('drill'));
  });

  timed(`${name}: a late failure of an earlier text never reaches the screen`, async () => {
    const { box, shown, last } = setUp({
      heeds,
      delay: (query) => (query === 'dr' ? 1500 : 200),
      fails: (query) => (query === 'dr' ? 'Catalog not reachable' : null),
    });
    box.type('dr');
    await pass(300);
    box.type('drill');
    await pass(3000);
    for (const state of shown) assert.equal(state.error, null);
    assert.deepEqual(last(), answered('drill'));
  });

  timed(`${name}: a failure is shown, and the same text asks again later`, async () => {
    const { box, asked, last } = setUp({ heeds, fails: (_, times) => (times === 1 ? 'Catalog not reachable' : null) });
    box.type('drill');
    await pass(650);
    assert.deepEqual(last(), failed('drill', 'Catalog not reachable'));
    box.type('');
    await pass(100);
    box.type('drill');
    assert.deepEqual(last(), waiting('drill'));
    await pass(1000);
    assert.deepEqual(asked(), ['drill', 'drill']);
    assert.deepEqual(last(), answered('drill'));
  });

  timed(`${name}: typing on and back again finds the first text`, async () => {
    const { box, shown, last } = setUp({ heeds });
    box.type('drill');
    await pass(300);
    box.type('drills');
    await pass(100);
    box.type('drill');
    await pass(3000);
    for (const state of shown) assert.equal(state.error, null, JSON.stringify(state));
    assert.deepEqual(last(), answered('drill'));
  });

  timed(`${name}: an answered text is not asked again, whatever its case and outer spaces`, async () => {
    const { box, asked, last } = setUp({ heeds });
    for (const text of ['drill', 'ladder', ' DRILL ', 'Ladder', 'drill']) {
      box.type(text);
      await pass(700);
      assert.deepEqual(last(), answered(text.trim().toLowerCase()));
    }
    assert.deepEqual(asked(), ['drill', 'ladder']);
  });

  timed(`${name}: no more answers are remembered than allowed, and the oldest goes first`, async () => {
    const { box, asked } = setUp({ heeds, maxRemembered: 2 });
    for (const text of ['aa', 'bb', 'cc', 'bb', 'cc', 'aa']) {
      box.type(text);
      await pass(700);
    }
    assert.deepEqual(asked(), ['aa', 'bb', 'cc', 'aa']);
  });

  for (const [moment, ms] of [['the wait', 100], ['a request', 400]]) {
    timed(`${name}: closed during ${moment}, the box renders nothing more`, async () => {
      const { box, asked, shown } = setUp({ heeds });
      box.type('drill');
      await pass(ms);
      const before = shown.length;
      const requests = asked().length;
      box.close();
      await pass(2000);
      assert.equal(shown.length, before);
      assert.equal(asked().length, requests);
    });
  }

  timed(`${name}: 300 random sessions keep every promise`, async () => {
    let seed = 20261 + (heeds ? 1 : 0);
    const random = (below) => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      return Math.floor((seed / 2 ** 32) * below);
    };
    const texts = ['', 'd', 'dr', 'dri', ' Dri', 'drill', 'DRILL', 'la'];
    for (let session = 0; session < 300; session += 1) {
      const { box, asked, shown, last } = setUp({
        heeds,
        delay: () => 50 + random(1500),
        fails: (query) => (random(4) === 0 ? `No answer for ${query}` : null),
        maxRemembered: 50,
      });
      const proven = new Set();
      for (let key = 0; key < 8; key += 1) {
        const text = texts[random(texts.length)];
        const query = text.trim().toLowerCase();
        const from = shown.length;
        const requests = asked().length;
        box.type(text);
        await pass(20 + random(900), 10);
        const states = shown.slice(from);
        for (const { query: shownFor, results, error } of states) {
          assert.equal(shownFor, query);
          for (const row of results) assert.ok(rowsFor(query).includes(row), `${row} under ${query}`);
          if (error !== null) assert.equal(error, `No answer for ${query}`);
        }
        if (query.length < 2 || proven.has(query)) assert.equal(asked().length, requests);
        if (last().results.length > 0) proven.add(query);
        const { loading, results, error } = last();
        assert.equal(loading, query.length >= 2 && results.length === 0 && error === null);
      }
      await pass(2000);
      const { query, loading, results, error } = last();
      assert.equal(loading, false);
      assert.equal(results.length > 0 || error !== null, query.length >= 2);
      box.close();
    }
  });
}
