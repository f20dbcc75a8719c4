// Tests of the standings of a quiz table, from the challenge's words.

interface Seat { name: string; points: number }
interface Row { rank: number; name: string; points: number }
interface Board {
  correct(name: string, points: number): boolean;
  pointsOf(name: string): number | undefined;
  standings(): Row[];
  awards(places: number): Row[];
}
interface Program { Leaderboard: new (seats: Seat[]) => Board }

/** Both tiers' answers export the class; they are taken as they are. */
export const adapt = (tier: string, code: string): string => code;

const seats = (...points: number[]): Seat[] => points.map((each, at) => ({ name: 'ABCDEF'[at], points: each }));
const rows = (board: Board): [number, string, number][] => board.standings().map(({ rank, name, points }) => [rank, name, points]);
const names = (found: Row[]): string => found.map(({ name }) => name).join(' ');

test('a new board lists the most points first', ({ Leaderboard }: Program) => {
  assert.deepEqual(rows(new Leaderboard(seats(30, 50, 40))), [[1, 'B', 50], [2, 'C', 40], [3, 'A', 30]]);
});

test('players with equal points share a rank, and the next has that of golf', ({ Leaderboard }: Program) => {
  assert.deepEqual(rows(new Leaderboard(seats(30, 20, 20, 10))).map(([rank]) => rank), [1, 2, 2, 4]);
});

test('players with equal points stand in the order in which they joined', ({ Leaderboard }: Program) => {
  assert.equal(names(new Leaderboard(seats(20, 30, 20, 20)).standings()), 'B A C D');
});

test('a corrected total takes effect on the board', ({ Leaderboard }: Program) => {
  const board = new Leaderboard(seats(30, 20, 10));
  assert.equal(board.correct('C', 40), true);
  assert.deepEqual(rows(board), [[1, 'C', 40], [2, 'A', 30], [3, 'B', 20]]);
});

test('a total that rose and fell again leaves the order of joining', ({ Leaderboard }: Program) => {
  const board = new Leaderboard(seats(20, 20));
  board.correct('B', 50);
  board.correct('B', 20);
  assert.equal(names(board.standings()), 'A B');
});

test('a name that is not on the board is not corrected', ({ Leaderboard }: Program) => {
  const board = new Leaderboard(seats(30, 20));
  assert.equal(board.correct('X', 99), false);
  assert.deepEqual(rows(board), [[1, 'A', 30], [2, 'B', 20]]);
});

test('points of a player may be none, or a debt', ({ Leaderboard }: Program) => {
  const board = new Leaderboard(seats(0, -5));
  assert.deepEqual([board.pointsOf('A'), board.pointsOf('B'), board.pointsOf('X')], [0, -5, undefined]);
});

test('a corrected total is the points of the player', ({ Leaderboard }: Program) => {
  const board = new Leaderboard(seats(30));
  board.correct('A', 0);
  assert.equal(board.pointsOf('A'), 0);
});

test('prizes go to places, so a tie at the last one is paid', ({ Leaderboard }: Program) => {
  assert.equal(names(new Leaderboard(seats(30, 20, 20, 10)).awards(2)), 'A B C');
});

test('a place that nobody holds is not passed down', ({ Leaderboard }: Program) => {
  assert.equal(names(new Leaderboard(seats(30, 20, 20, 10)).awards(3)), 'A B C');
});

test('a new board gives its first prize to the most points', ({ Leaderboard }: Program) => {
  assert.equal(names(new Leaderboard(seats(30, 50)).awards(1)), 'B');
});

test("the table's seats keep their points when a total is corrected", ({ Leaderboard }: Program) => {
  const table = seats(30, 20);
  new Leaderboard(table).correct('A', 50);
  assert.deepEqual(table, seats(30, 20));
});

test("the table's seats keep their order", ({ Leaderboard }: Program) => {
  const table = seats(10, 20, 30);
  const board = new Leaderboard(table);
  board.standings();
  board.correct('B', 40);
  assert.equal(table.map(({ name }) => name).join(' '), 'A B C');
});

test('the board keeps its players when the table changes its seats', ({ Leaderboard }: Program) => {
  const table = seats(30, 20);
  const board = new Leaderboard(table);
  table.pop();
  table[0].points = 0;
  assert.deepEqual(rows(board), [[1, 'A', 30], [2, 'B', 20]]);
});

test('what standings() returned stays as it was', ({ Leaderboard }: Program) => {
  const board = new Leaderboard(seats(30, 20));
  const before = board.standings();
  board.correct('B', 90);
  assert.deepEqual(before.map(({ name, points }) => [name, points]), [['A', 30], ['B', 20]]);
});
