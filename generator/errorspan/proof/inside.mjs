// Runs a topic's tests on one program in JavaScript or TypeScript, and says how each ends, in the lines that `inside.py`
// says: it stands alone in the sandbox, beside the tests.
//
//     node inside.mjs --program my.js topics/<id>.tests.mjs
//
// Tests find `test` and `assert` where they stand, and get what the program exports:
//
//     test('two equal words count as two', ({ count }) => assert.deepEqual(count(['a', 'a']), { a: 2 }));
//
// All but `main` needs nothing of Node, so that it can run in a page's worker, too. A test `failed` where it says that
// something is wrong, or the program threw; it `erred` where the tests themselves did.

const MESSAGE = 300;
const VALUE = 500;
const NAME = 200;
const DEPTH = 8;
const ENTRIES = 100;
const NO_FIT = '64';
const BROKEN_ADAPTER = '65';

const later = globalThis.setTimeout; // tests may put another in its place

/** Returns a `Math.random` that draws the same each time that it begins anew (mulberry32). */
function drawing(seed) {
  let state = seed;
  const draw = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { draw, anew: () => void (state = seed) };
}

const clipped = (text, length) => (text.length > length ? `${text.slice(0, length)}…` : text).toWellFormed();
const short = (text) => clipped(String(text).trim().split('\n')[0] || 'no message', MESSAGE);

class AssertionError extends Error {
  constructor(message, compared = {}) {
    super(message);
    this.name = 'AssertionError';
    Object.assign(this, compared);
  }
}

// ---- values, as a reader wants to see them

const quoted = (text) => `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
const keyed = (key) => (typeof key === 'symbol' ? `[${String(key)}]` : /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(key) ? key : quoted(key));

function listed(items, open, close, of) {
  const shown = items.slice(0, ENTRIES).map(of);
  if (items.length > ENTRIES) shown.push('…');
  return shown.length ? `${open}${shown.join(', ')}${close}` : `${open.trim()}${close.trim()}`;
}

function written(value, around = []) {
  if (typeof value === 'string') return quoted(value.slice(0, VALUE + 1));
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return value.name ? `[function ${value.name}]` : '[function]';
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '-0' : String(value);
  if (around.includes(value) || around.length > DEPTH) return '…';
  const of = (inner) => written(inner, [...around, value]);
  if (value instanceof Error) return short(`${value.name}: ${value.message}`);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (value instanceof RegExp) return String(value);
  if (value instanceof Map) return listed([...value], 'Map { ', ' }', ([key, one]) => `${of(key)} => ${of(one)}`);
  if (value instanceof Set) return listed([...value], 'Set { ', ' }', of);
  if (value instanceof Promise) return 'a Promise';
  if (Array.isArray(value)) return listed(value, '[', ']', of);
  const name = Object.getPrototypeOf(value)?.constructor?.name;
  const kind = name && name !== 'Object' ? `${name} ` : '';
  return listed(Reflect.ownKeys(value), `${kind}{ `, ' }', (key) => `${keyed(key)}: ${of(value[key])}`);
}

function said(value) {
  try {
    return clipped(written(value), VALUE);
  } catch (error) {
    return `<a value that throws ${error?.name ?? 'something'} where it is looked at>`;
  }
}

// ---- what tests assert with: Node's assert, as far as it is strict

function alike(one, other, seen = new Map()) {
  if (Object.is(one, other)) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || !one || !other) return false;
  if (Object.getPrototypeOf(one) !== Object.getPrototypeOf(other)) return false;
  if (seen.get(one) === other) return true;
  seen.set(one, other);
  if (one instanceof Date && one.getTime() !== other.getTime()) return false;
  if (one instanceof RegExp && String(one) !== String(other)) return false;
  if (one instanceof Error && (one.name !== other.name || one.message !== other.message)) return false;
  if (one instanceof Number || one instanceof String || one instanceof Boolean) {
    if (!Object.is(one.valueOf(), other.valueOf())) return false;
  }
  if (one instanceof Map || one instanceof Set) {
    if (one.size !== other.size) return false;
    const rest = [...other];
    for (const entry of one) {
      const at = rest.findIndex((candidate) => alike(entry, candidate, new Map(seen)));
      if (at < 0) return false;
      rest.splice(at, 1);
    }
  }
  if (Array.isArray(one) && one.length !== other.length) return false;
  const keys = Reflect.ownKeys(one).filter((key) => Object.prototype.propertyIsEnumerable.call(one, key));
  const others = Reflect.ownKeys(other).filter((key) => Object.prototype.propertyIsEnumerable.call(other, key));
  return keys.length === others.length && keys.every((key) => others.includes(key) && alike(one[key], other[key], seen));
}

function expects(holds, got, expected, message) {
  if (holds) return;
  if (message instanceof Error) throw message;
  throw new AssertionError(message ?? `expected ${expected}, got ${said(got)}`, { got: said(got), expected });
}

function fits(error, wanted) {
  if (wanted === undefined) return true;
  if (wanted instanceof RegExp) return wanted.test(String(error));
  if (typeof wanted !== 'function') return Object.keys(wanted).every((key) => matches(error?.[key], wanted[key]));
  return wanted.prototype !== undefined && (wanted === Error || wanted.prototype instanceof Error)
    ? error instanceof wanted
    : wanted(error) === true;
}

const matches = (value, wanted) => (wanted instanceof RegExp ? wanted.test(String(value)) : alike(value, wanted));

function thrown(happened, error, wanted, message) {
  const expected = typeof wanted === 'function' ? `an error: ${wanted.name || 'one that fits'}` : wanted ? `an error: ${said(wanted)}` : 'an error';
  if (!happened) throw new AssertionError(message ?? `expected ${expected}, got none`, { got: 'no error', expected });
  if (!fits(error, wanted)) throw new AssertionError(message ?? `expected ${expected}, got ${said(error)}`, { got: said(error), expected });
}

export function assert(value, message) {
  expects(value, value, 'what is true', message);
}

Object.assign(assert, {
  ok: (value, message) => expects(value, value, 'what is true', message),
  equal: (got, wanted, message) => expects(Object.is(got, wanted), got, said(wanted), message),
  notEqual: (got, other, message) => expects(!Object.is(got, other), got, `anything but ${said(other)}`, message),
  deepEqual: (got, wanted, message) => expects(alike(got, wanted), got, said(wanted), message),
  notDeepEqual: (got, other, message) => expects(!alike(got, other), got, `anything but ${said(other)}`, message),
  match: (got, pattern, message) => expects(typeof got === 'string' && pattern.test(got), got, `what matches ${pattern}`, message),
  doesNotMatch: (got, pattern, message) => expects(typeof got === 'string' && !pattern.test(got), got, `what does not match ${pattern}`, message),
  fail(message = 'failed') {
    throw new AssertionError(message);
  },
  throws(run, wanted, message) {
    let happened = false, error;
    try {
      run();
    } catch (caught) {
      [happened, error] = [true, caught];
    }
    thrown(happened, error, wanted, message);
  },
  async rejects(promise, wanted, message) {
    let happened = false, error;
    try {
      await (typeof promise === 'function' ? promise() : promise);
    } catch (caught) {
      [happened, error] = [true, caught];
    }
    thrown(happened, error, wanted, message);
  },
});
Object.assign(assert, { strictEqual: assert.equal, notStrictEqual: assert.notEqual, deepStrictEqual: assert.deepEqual, notDeepStrictEqual: assert.notDeepEqual });

// ---- where an error comes from, and what an assertion looks at

function framesOf(error) {
  const stack = typeof error?.stack === 'string' ? error.stack.split('\n') : [];
  return stack.flatMap((line) => {
    const found = /^\s+at (?:.*\()?(?:async )?((?:file:|blob:|https?:|\/).*):(\d+):(\d+)\)?$/.exec(line);
    if (!found) return [];
    return [{ url: found[1].startsWith('/') ? `file://${encodeURI(found[1])}` : found[1], line: Number(found[2]), column: Number(found[3]) }];
  });
}

/** Returns where an expression ends that begins at `from`: before a comma, a semicolon or a bracket that it did not open. */
function endOf(text, from, { lines = true } = {}) {
  let depth = 0, quote = '';
  for (let at = from; at < text.length; at += 1) {
    const one = text[at];
    if (one === '\\' && quote) at += 1;
    else if (quote) quote = one === quote ? '' : quote;
    else if ('\'"`'.includes(one)) quote = one;
    else if (text.startsWith('//', at)) at = Math.max(text.indexOf('\n', at), at);
    else if ('([{'.includes(one)) depth += 1;
    else if (')]}'.includes(one) && --depth < 0) return at;
    else if (!depth && (one === ';' || (one === ',' && lines) || (one === '\n' && !lines))) return at;
  }
  return text.length;
}

/** Returns where the object begins whose method is named at `from`: back over names, and over what they are called with. */
function startOf(text, from) {
  let depth = 0;
  for (let at = from; at > 0; at -= 1) {
    const one = text[at - 1];
    if (')]'.includes(one)) depth += 1;
    else if ('(['.includes(one) && --depth < 0) return at;
    else if (!depth && !/[\p{L}\p{N}_$.(\[]/u.test(one)) return text.slice(0, at).endsWith('new ') ? at - 4 : at;
  }
  return 0;
}

/** Returns what a call in the tests looks at: the first argument of an assertion, or the whole call of a helper. */
function lookedAt(source, { line, column }) {
  let before = source.split('\n').slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0) + column - 1;
  before += /^(?:await\s+)?/.exec(source.slice(before))[0].length;
  const opens = source.indexOf('(', before);
  if (opens < 0) return '';
  const from = startOf(source, before);
  const called = source.slice(from, opens);
  if (!/^assert\b/.test(called)) return source.slice(from, endOf(source, opens + 1, { lines: false }) + 1);
  const looked = source.slice(opens + 1, endOf(source, opens + 1)).trim();
  if (!/^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(looked)) return looked.replace(/^(?:async\s+)?\(\)\s*=>\s*/, '').replace(/^await\s+/, '');
  const sets = [...source.slice(0, from).matchAll(new RegExp(`(?<![\\w$.])${looked.replaceAll('$', '\\$')}\\s*(?::[^=;\\n]+)?=(?![=>])\\s*`, 'g'))].at(-1);
  if (!sets) return looked;
  const starts = sets.index + sets[0].length;
  return source.slice(starts, endOf(source, starts, { lines: false })).trim().replace(/^await\s+/, '');
}

// ---- the session

/** Tests of one program: `load` imports it; `program` and `tests` are addresses, as stacks name them. */
export class Session {
  #tests = new Map();
  #loaded;
  #loading = false;
  #interrupt = null;
  #running = false;

  #draws;

  /** `round` is what draws begin with, in each test; the odd go from the last test to the first. */
  constructor({ say, load, program, tests, source, leaveOut = [], round = 0 }) {
    Object.assign(this, { say, load, program, tests, source, leaveOut, round });
    this.#draws = drawing(round);
    Math.random = this.#draws.draw;
  }

  /** Takes a test in; it begins once all are known. */
  test = (name, run) => {
    if (typeof name !== 'string' || typeof run !== 'function') throw new TypeError('expected test(name, function)');
    if (!name || name.length > NAME || /\p{C}/u.test(name)) throw new Error(`expected a name of one line, ${NAME} characters at most`);
    if (this.#running) throw new Error(`the test ${said(name)} stands in another one`);
    if (this.#tests.has(name)) throw new Error(`two tests are named ${said(name)}`);
    const at = framesOf(new Error('here')).find((frame) => frame.url === this.tests);
    this.#tests.set(name, { run, line: String(at?.line ?? 1) });
  };

  /** Ends what waits: something was thrown where nobody catches it, or nothing is left to wait for. */
  interrupt(error) {
    this.#interrupt?.(error);
  }

  /** Waits for something, as long as nothing interrupts. */
  async until(run) {
    try {
      return await Promise.race([new Promise((_, fail) => (this.#interrupt = fail)), (async () => run())()]);
    } finally {
      this.#interrupt = null;
    }
  }

  async run() {
    this.#running = true;
    let failed = false;
    for (const [name, { run, line }] of this.round % 2 ? [...this.#tests].reverse() : this.#tests) {
      if (this.leaveOut.includes(name)) continue;
      this.say('begins', { test: name, line });
      this.#draws.anew();
      const told = {};
      const record = (key, value) => void (told[key] = typeof value === 'string' ? clipped(value, VALUE) : said(value));
      try {
        await this.until(async () => {
          await run(await this.#exercise(), record);
          await new Promise((done) => later(done, 0)); // what nobody awaited may still be thrown
        });
        this.say('passed', { test: name });
      } catch (error) {
        failed = true;
        if (this.#loading) this.#unloads(error);
        const seen = this.#seen(error);
        for (const key of ['input', 'got', 'expected']) if (key in told) seen[key] = told[key];
        const { event, ...more } = seen;
        this.say(event, { test: name, ...more });
      }
    }
    this.say('end', { status: failed ? '1' : '0' });
  }

  /** Says that the tests do not load, and where: at a `line`, if the error itself does not say so. */
  broken(error, line = 1) {
    const at = framesOf(error).find((frame) => frame.url === this.tests);
    this.say('broken', { message: short(named(error)), line: String(at?.line ?? line) });
    this.say('end', { status: '2' });
  }

  #exercise() {
    this.#loaded ??= this.#load();
    return this.#loaded;
  }

  async #load() {
    this.say('loads');
    this.#loading = true;
    try {
      const exports = await this.load();
      this.say('loaded');
      const commonJs = exports.default && typeof exports.default === 'object' && 'module.exports' in exports;
      return commonJs ? { ...exports.default, ...exports } : exports;
    } catch (error) {
      this.#unloads(error);
      return this.#loaded;
    } finally {
      this.#loading = false;
    }
  }

  /** Says that the program does not load: every test ends with that. */
  #unloads(error) {
    this.say('unloaded', { message: short(named(error)), error: kindOf(error) });
    this.#loading = false;
    this.#loaded = Promise.reject(new Unloaded(error));
    this.#loaded.catch(() => {});
  }

  #seen(caught) {
    const unloaded = caught instanceof Unloaded;
    const error = unloaded ? caught.error : caught;
    const frames = framesOf(error);
    const own = frames.filter((frame) => frame.url === this.tests);
    const asserts = error?.name === 'AssertionError';
    const raised = unloaded || error instanceof Starved || !frames.length || frames.some((frame) => frame.url === this.program);
    const told = { event: raised || asserts ? 'failed' : 'erred', message: short(asserts ? error.message : named(error)) };
    if (own.length) told.line = String(own[0].line);
    if (asserts) {
      told.got = error.got ?? ('actual' in error ? said(error.actual) : undefined);
      told.expected = error.expected !== undefined && error.got === undefined ? said(error.expected) : error.expected;
    } else {
      told.error = kindOf(error);
      if (raised) told.got = short(named(error));
    }
    if (told.event === 'failed') told.input = this.#input(own, asserts);
    if (told.input) told.input = clipped(told.input.replace(/\s*\n\s*/g, ' '), VALUE);
    return told;
  }

  /** Returns what an assertion looks at, or for what the program throws, the call in the test that led there. */
  #input(frames, asserts) {
    const [inmost = '', ...texts] = frames.map((frame) => lookedAt(this.source, frame));
    if (asserts && /[^\p{L}\p{N}_$]/u.test(inmost)) return inmost;
    return [inmost, ...texts].filter((text) => text.includes('(')).findLast((text) => !/^[\w$.]+\(\)$/.test(text));
  }
}

class Unloaded extends Error {
  constructor(error) {
    super('the program does not load');
    this.error = error;
  }
}

class Starved extends Error {
  name = 'Unsettled';
  message = 'waits for what never comes';
}

const kindOf = (error) => (error instanceof Error ? String(error.name) : 'Thrown');

function named(error) {
  try {
    if (!(error instanceof Error)) return `threw ${said(error)}`;
    return error.message ? `${error.name}: ${error.message}` : String(error.name);
  } catch {
    return 'an error that cannot be looked at';
  }
}

// ---- Node

/** Returns the line at which tests are no program: Node says it where it takes types away, and nowhere else. */
async function unparsed(source) {
  const { stripTypeScriptTypes } = await import('node:module');
  try {
    stripTypeScriptTypes?.(source, { sourceUrl: 'tests' });
  } catch (error) {
    return /^tests:(\d+)$/m.exec(error.stack)?.[1];
  }
  return undefined;
}

async function main(argv) {
  const [{ readFileSync, writeFileSync, writeSync }, { resolve, dirname, extname, join }, { pathToFileURL }, { Writable }] =
    await Promise.all(['node:fs', 'node:path', 'node:url', 'node:stream'].map((name) => import(name)));
  const given = (name) => argv.flatMap((word, at) => (word === name ? [argv[at + 1]] : word.startsWith(`${name}=`) ? [word.slice(name.length + 1)] : []));
  const [program, tests, tier] = [resolve(given('--program')[0]), resolve(argv.at(-1)), given('--tier')[0]];
  const url = (path) => pathToFileURL(path).href;
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  Object.defineProperty(process, 'stdout', { value: nowhere, configurable: true }); // what programs print is dropped
  Error.stackTraceLimit = 100;

  const say = (event, more = {}) => writeSync(1, `\n${JSON.stringify({ event, ...more })}\n`); // a program may have begun a line
  const session = new Session({
    say,
    program: url(program),
    tests: url(tests),
    source: readFileSync(tests, 'utf8'),
    leaveOut: given('--leave-out'),
    round: Number(given('--round')[0] ?? 0),
    load: () => import(session.program),
  });
  const exit = process.exit.bind(process);
  process.on('uncaughtException', (error) => session.interrupt(error));
  process.on('unhandledRejection', (error) => session.interrupt(error));
  process.on('beforeExit', () => session.interrupt(new Starved()));
  Object.assign(globalThis, { test: session.test, assert });

  let own;
  try {
    own = await session.until(() => import(session.tests));
  } catch (error) {
    session.broken(error, error instanceof SyntaxError ? await unparsed(session.source) : 1);
    return exit(2);
  }
  if (tier) {
    try {
      const adapted = await session.until(() => own.adapt(tier, readFileSync(program, 'utf8')));
      if (adapted === null || adapted === undefined) {
        say('end', { status: NO_FIT });
        return exit(0);
      }
      const path = join(dirname(program), `${tier}${extname(program)}`);
      writeFileSync(path, adapted);
      session.program = url(path);
    } catch (error) {
      say('left', { message: short(named(error)) });
      say('end', { status: BROKEN_ADAPTER });
      return exit(0);
    }
  }
  await session.run();
  return exit(0);
}

if (globalThis.process?.versions?.node && import.meta.url.endsWith('/inside.mjs')) await main(process.argv.slice(2));
