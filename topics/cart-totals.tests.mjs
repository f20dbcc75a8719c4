// Tests of a shopping cart, from the challenge's words: one line per product, whole cents, and a subtotal that is the sum
// of the line totals after every change. The excerpt has no getTotals(), so its lines and its subtotal are looked at.

const SETTINGS = { taxPercent: 19, tiers: [{ min: 50, percent: 5 }, { min: 100, percent: 10 }, { min: 200, percent: 15 }] };
const PEN = { id: 'pen', name: 'Pen', price: 3 };
const BOOK = { id: 'book', name: 'Notebook', price: 12.25 };
const CARD = { id: 'card', name: 'Postcard', price: 4.35 };

/** The challenge's answers export createCart(settings); they are taken as they are. */
export const adapt = (tier, code) => code;

/** Lines and subtotal as the challenge has them; the excerpt keeps both in the cart itself. */
function state(cart) {
  const { lines, subtotal } = cart.getTotals ? cart.getTotals() : cart;
  return { lines: lines.map(({ id, name, quantity, lineTotal }) => ({ id, name, quantity, lineTotal })), subtotal };
}

/** What is in a new cart after these steps; an exception goes on to the test. */
function after(createCart, ...steps) {
  const cart = createCart(SETTINGS);
  for (const [method, ...given] of steps) cart[method](...given);
  return state(cart);
}

const add = (product, quantity) => ['addItem', product, quantity];
const remove = (id) => ['removeItem', id];
const line = ({ id, name, price }, quantity) => ({ id, name, quantity, lineTotal: Math.round(price * 100) * quantity });
const cart = (...lines) => ({ lines, subtotal: lines.reduce((sum, one) => sum + one.lineTotal, 0) });

test('the first pieces of a product make a line, in whole cents', ({ createCart }) => {
  assert.deepEqual(after(createCart, add(PEN, '2')), cart(line(PEN, 2)));
});

test('a price with cents is charged in whole cents', ({ createCart }) => {
  assert.deepEqual(after(createCart, add(BOOK, '3')), cart(line(BOOK, 3)));
});

test('a price that is no exact number stays a whole number of cents', ({ createCart }) => {
  assert.deepEqual(after(createCart, add(CARD, '1')).lines[0]?.lineTotal, 435);
});

test('the quantity of a line is a number', ({ createCart }) => {
  assert.equal(after(createCart, add(PEN, '50')).lines[0]?.quantity, 50);
});

test('pieces of a product in the cart join its line', ({ createCart }) => {
  assert.deepEqual(after(createCart, add(PEN, '50'), add(PEN, '5')).lines, [line(PEN, 55)]);
});

test('pieces that join a line are charged', ({ createCart }) => {
  assert.equal(after(createCart, add(PEN, '2'), add(PEN, '1')).subtotal, 900);
});

test('the subtotal is the sum of all lines', ({ createCart }) => {
  assert.deepEqual(after(createCart, add(PEN, '2'), add(BOOK, '1'), add(CARD, '4')), cart(line(PEN, 2), line(BOOK, 1), line(CARD, 4)));
});

test('lines stand in the order in which their products first came', ({ createCart }) => {
  assert.deepEqual(after(createCart, add(PEN, '1'), add(BOOK, '1'), add(PEN, '1')).lines.map(({ id }) => id), ['pen', 'book']);
});

test('a product that is removed is gone, and its money too', ({ createCart }) => {
  assert.deepEqual(after(createCart, add(PEN, '2'), add(BOOK, '1'), remove('pen')), cart(line(BOOK, 1)));
});

test('removing the last line leaves an empty cart', ({ createCart }) => {
  assert.deepEqual(after(createCart, add(PEN, '2'), remove('pen')), cart());
});

test('removing a line a second time changes nothing', ({ createCart }) => {
  assert.deepEqual(after(createCart, add(PEN, '2'), add(BOOK, '1'), remove('pen'), remove('pen')), cart(line(BOOK, 1)));
});

test('removing what is not there changes nothing', ({ createCart }) => {
  assert.deepEqual(after(createCart, remove('pen')), cart());
});

test('a product that was removed may come back', ({ createCart }) => {
  assert.deepEqual(after(createCart, add(PEN, '2'), remove('pen'), add(PEN, '3')), cart(line(PEN, 3)));
});

test('each visitor has a cart of their own', ({ createCart }) => {
  const one = createCart(SETTINGS);
  const other = createCart(SETTINGS);
  one.addItem(PEN, '1');
  assert.deepEqual(state(other), cart());
});
