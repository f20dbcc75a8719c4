// Tests of the preview of a contact import, from the challenge's words. Files are bytes, as their programs write them.

const COLUMNS = {
  'Full Name': 'name', 'E-mail Address': 'email', 'Business Phone': 'phone', Company: 'company', Address: 'address', Notes: 'notes',
};

/** The challenge's answers export previewImport(file, contacts, columns); they are taken as they are. */
export const adapt = (tier, code) => code;

const contact = (id, given) => ({ id, name: '', email: '', phone: '', company: '', address: '', notes: '', ...given });
const added = ({ id, ...fields }) => fields;
const fields = (given) => added(contact('', given));
const latin = (text) => Uint8Array.from(text, (char) => (char === 'œ' ? 0x9c : char.charCodeAt(0)));
const utf8 = (text) => new TextEncoder().encode(text);
const file = (...parts) => new File(parts, 'contacts.csv', { type: 'text/csv' });

const MULLER = contact('1', { name: 'Müller', email: 'mueller@example.at', phone: '0662 1' });
const ANN = contact('2', { name: 'Ann', email: ' Ann@Example.com', address: 'Main St 5\nBack house', notes: 'Row 3\nAisle' });
const TELEPHONE = contact('3', { name: 'Otto', phone: '0662 9' });

test('a person who is in the address book gets the news of the row', async ({ previewImport }) => {
  const got = await previewImport(file('Full Name,E-mail Address,Business Phone\nMüller,mueller@example.at,0662 2\n'), [MULLER, ANN], COLUMNS);
  assert.deepEqual(got, {
    contacts: [{ ...MULLER, phone: '0662 2' }, ANN],
    changes: [{ id: '1', field: 'phone', before: '0662 1', after: '0662 2' }],
    added: 0,
    updated: 1,
  });
});

test('capital letters and spaces around an address make no difference', async ({ previewImport }) => {
  const got = await previewImport(file('Full Name,E-mail Address\nAnna, ANN@example.COM \n'), [ANN], COLUMNS);
  assert.deepEqual(got.contacts, [{ ...ANN, name: 'Anna' }]);
});

test('an empty cell takes nothing away', async ({ previewImport }) => {
  const got = await previewImport(file('Full Name,E-mail Address,Business Phone\n,mueller@example.at, \n'), [MULLER], COLUMNS);
  assert.deepEqual(got, { contacts: [MULLER], changes: [], added: 0, updated: 0 });
});

test('somebody else becomes a new contact with all fields', async ({ previewImport }) => {
  const got = await previewImport(file('E-mail Address,Full Name,Unknown\nBen@example.com ,"Ben ""B"", Vienna",x\n'), [MULLER], COLUMNS);
  assert.deepEqual([got.contacts.slice(1).map(added), got.changes, got.added, got.updated],
    [[fields({ name: 'Ben "B", Vienna', email: 'Ben@example.com' })], [], 1, 0]);
  assert.match(got.contacts.at(-1).id, /^[0-9a-f-]{36}$/);
});

test('of several rows about one new person the later has the later news', async ({ previewImport }) => {
  const got = await previewImport(file('Full Name,E-mail Address,Business Phone\nBen,ben@example.com,1\nCleo,cleo@example.com,2\nBen B.,BEN@example.com,\n'), [], COLUMNS);
  assert.deepEqual([got.contacts.map(added), got.added], [[
    fields({ name: 'Ben B.', email: 'ben@example.com', phone: '1' }), fields({ name: 'Cleo', email: 'cleo@example.com', phone: '2' }),
  ], 2]);
});

test('what a later row takes back is no change', async ({ previewImport }) => {
  const got = await previewImport(file('Full Name,E-mail Address\nMiller,mueller@example.at\nMüller,mueller@example.at\n'), [MULLER], COLUMNS);
  assert.deepEqual([got.changes, got.updated], [[], 0]);
});

test('changes stand in the order of contacts and of fields', async ({ previewImport }) => {
  const got = await previewImport(file('Notes,Business Phone,E-mail Address\nx,7,ann@example.com\ny,8,mueller@example.at\n'), [MULLER, ANN], COLUMNS);
  assert.deepEqual([got.changes.map(({ id, field, after }) => [id, field, after]), got.updated],
    [[['1', 'phone', '8'], ['1', 'notes', 'y'], ['2', 'phone', '7'], ['2', 'notes', 'x']], 2]);
});

test("the page's own list stays as it is", async ({ previewImport }) => {
  const list = [structuredClone(MULLER), structuredClone(TELEPHONE)];
  await previewImport(file('Full Name,E-mail Address\nMiller,mueller@example.at\nBen,ben@example.com\n'), list, COLUMNS);
  assert.deepEqual(list, [MULLER, TELEPHONE]);
});

test('people without an address are nobody else', async ({ previewImport }) => {
  const got = await previewImport(file('Full Name,E-mail Address,Business Phone\nBen,,1\nClara,,2\n'), [TELEPHONE], COLUMNS);
  assert.deepEqual([got.contacts.map(({ name }) => name), got.changes, got.added], [['Otto', 'Ben', 'Clara'], [], 2]);
});

test('strangers with a dash for an address are two people', async ({ previewImport }) => {
  const got = await previewImport(file('Full Name,E-mail Address\nBen,-\nClara,-\n'), [], COLUMNS);
  assert.deepEqual([got.contacts.map(({ name }) => name), got.added], [['Ben', 'Clara'], 2]);
});

test('a stored contact with no real address is not written over', async ({ previewImport }) => {
  const stored = { ...TELEPHONE, email: 'keine' };
  const got = await previewImport(file('Full Name,E-mail Address\nClara,Keine\n'), [stored], COLUMNS);
  assert.deepEqual([got.contacts.map(({ name }) => name), got.changes, got.added], [['Otto', 'Clara'], [], 1]);
});

test('a new contact without an address has none', async ({ previewImport }) => {
  const got = await previewImport(file('Full Name,E-mail Address,Business Phone\nBen,-,0662 5\n'), [], COLUMNS);
  assert.deepEqual(got.contacts.map(added), [fields({ name: 'Ben', phone: '0662 5' })]);
});

test('a row that says nothing makes no contact', async ({ previewImport }) => {
  const got = await previewImport(file('Full Name,E-mail Address\n,-\n , \nBen,ben@example.com\n'), [], COLUMNS);
  assert.deepEqual([got.contacts.map(({ name }) => name), got.added], [['Ben'], 1]);
});

test('a dash in another column is a value', async ({ previewImport }) => {
  const got = await previewImport(file('Full Name,E-mail Address,Notes\nBen,ben@example.com,-\n'), [], COLUMNS);
  assert.deepEqual(got.contacts.map(added), [fields({ name: 'Ben', email: 'ben@example.com', notes: '-' })]);
});

test('a name from Outlook is the name that is stored', async ({ previewImport }, record) => {
  record('input', "Müller's row in Windows-1252, as it is stored already");
  const got = await previewImport(file(latin('Full Name,E-mail Address\r\nMüller,mueller@example.at\r\n')), [MULLER], COLUMNS);
  assert.deepEqual([got.contacts, got.changes], [[MULLER], []]);
});

test('new names from Outlook keep their accents', async ({ previewImport }) => {
  const got = await previewImport(file(latin('Full Name,E-mail Address\r\nJosé Le Bœuf,jose@example.fr\r\n')), [], COLUMNS);
  assert.deepEqual(got.contacts.map(({ name }) => name), ['José Le Bœuf']);
});

test('names in UTF-8 keep their accents, with a byte order mark and without', async ({ previewImport }) => {
  const text = 'Full Name,E-mail Address\r\nZoë Šimić,zoe@example.com\r\n';
  for (const start of ['', '\uFEFF']) {
    const got = await previewImport(file(utf8(start + text)), [], COLUMNS);
    assert.deepEqual(got.contacts.map(({ name }) => name), ['Zoë Šimić']);
  }
});

test('a list put together from two programs keeps the accents of both', async ({ previewImport }, record) => {
  record('input', 'a row of Zoë in UTF-8, then a row of Jürgen in Windows-1252');
  const got = await previewImport(
    file(utf8('Full Name,E-mail Address\r\nZoë,zoe@example.com\r\n'), latin('Jürgen,juergen@example.de\r\n')), [], COLUMNS,
  );
  assert.deepEqual(got.contacts.map(({ name }) => name), ['Zoë', 'Jürgen']);
});

test('an address that is stored already is no change, whatever ends its lines', async ({ previewImport }) => {
  const got = await previewImport(file('E-mail Address,Address,Notes\r\nann@example.com,"Main St 5\r\nBack house","Row 3\r\nAisle"\r\n'), [ANN], COLUMNS);
  assert.deepEqual(got, { contacts: [ANN], changes: [], added: 0, updated: 0 });
});

test('an address of several lines comes in as a text area gives it', async ({ previewImport }) => {
  const got = await previewImport(file('Full Name,E-mail Address,Address\r\nBen,ben@example.com,"Hof 1\r\n1010 Wien"\r\n'), [], COLUMNS);
  assert.deepEqual(got.contacts.map(({ address }) => address), ['Hof 1\n1010 Wien']);
});

test('a file without any of the columns is refused', async ({ previewImport }) => {
  await assert.rejects(previewImport(file('a,b\n1,2\n'), [MULLER], COLUMNS), Error);
});

test('20,000 rows from Outlook for 20,000 contacts do not take for ever', async ({ previewImport }, record) => {
  record('expected', 'all of them updated, within ten seconds even where a machine is busy');
  const list = Array.from({ length: 20000 }, (_, i) => contact(String(i), { email: `p${i}@example.com`, name: 'Änne' }));
  const rows = list.map(({ email }) => `Ämilie,${email}\r\n`).join('');
  const start = performance.now();
  const got = await previewImport(file(latin(`Full Name,E-mail Address\r\n${rows}`)), list, COLUMNS);
  const inTime = performance.now() - start < 10000;
  record('got', `${got.updated} updated, ${inTime ? 'within ten seconds' : 'too late'}`);
  assert.deepEqual([got.updated, inTime], [20000, true]);
});
