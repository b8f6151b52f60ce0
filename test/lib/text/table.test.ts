import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { painter, type Layout } from '../../../src/lib/text/style.ts';
import { fieldTable, listOf, table, type Column } from '../../../src/lib/text/table.ts';
import { shortened, widthOf, wrapped } from '../../../src/lib/text/width.ts';

interface Row {
  id: string;
  name: string;
  stock: number | null;
  why: string;
}

const COLUMNS: Column<Row>[] = [
  { head: 'COUPON', value: ({ id }) => id, narrow: 'wrap' },
  { head: 'NAME', value: ({ name }) => name, narrow: 'cut', rank: 2 },
  { head: 'STOCK', value: ({ stock }) => stock, align: 'right' },
  { head: 'WHY NOT', value: ({ why }) => why, narrow: 'wrap', rank: 1 },
];
const ROWS: Row[] = [
  { id: 'summer', name: '여름맞이 선착순 쿠폰', stock: 12_345, why: 'the row was refused by a constraint with a long message' },
  { id: 'e\u0301te\u0301', name: '👩‍👩‍👧 family 🇰🇷', stock: null, why: '' },
];

const at = (layout: Partial<Layout>, rows = ROWS) =>
  table(rows, COLUMNS, painter(false, { width: null, tabs: false, wide: false, columns: null, ...layout }));

describe('a table', () => {
  test('shows everything where there is room', () => {
    expect(at({ width: 120 })).toBe(at({}));
    expect(at({})).toMatchInlineSnapshot(`
      "COUPON  NAME                   STOCK  WHY NOT
      summer  여름맞이 선착순 쿠폰  12,345  the row was refused by a constraint with a long message
      été     👩‍👩‍👧 family 🇰🇷               –"
    `);
  });

  test('goes on in the next line, then cuts names, then leaves columns out and says so', () => {
    expect(at({ width: 70 })).toMatchInlineSnapshot(`
      "COUPON  NAME                   STOCK  WHY NOT
      summer  여름맞이 선착순 쿠폰  12,345  the row was refused by a
                                            constraint with a long message
      été     👩‍👩‍👧 family 🇰🇷               –"
    `);
    expect(at({ width: 60 }, [{ ...ROWS[0]!, id: 'x'.repeat(40) }])).toMatchInlineSnapshot(`
      "COUPON              NAME           STOCK  WHY NOT
      xxxxxxxxxxxxxxxxxx  여름맞이 선…  12,345  the row was
      xxxxxxxxxxxxxxxxxx                        refused by a
      xxxx                                      constraint with a
                                                long message"
    `);
  });

  test('says which columns it left out', () => {
    const rows = [{ id: 'a', name: 'b'.repeat(30), stock: 1, why: 'c'.repeat(30) }];
    const columns = COLUMNS.map((column) =>
      column.head === 'COUPON' ? { ...column, value: () => 'x'.repeat(42), narrow: undefined } : column,
    );
    const layout = { width: 60, tabs: false, wide: false, columns: null };
    expect(table(rows, columns as Column<Row>[], painter(false, layout))).toMatchInlineSnapshot(`
      "COUPON                                      STOCK
      xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx      1
      Not shown: NAME, WHY NOT (--wide shows all)"
    `);
  });

  test('is one block for each row below 60 columns, unless it fits', () => {
    expect(at({ width: 40 })).toMatchInlineSnapshot(`
      "COUPON   summer
      NAME     여름맞이 선착순 쿠폰
      STOCK    12,345
      WHY NOT  the row was refused by a
               constraint with a long message

      COUPON   été
      NAME     👩‍👩‍👧 family 🇰🇷
      STOCK    –
      WHY NOT"
    `);
    expect(at({ width: 50 }, [{ id: 'a', name: 'b', stock: 1, why: 'c' }])).toContain('COUPON  NAME');
  });

  test('is in full with --wide, and has the columns of --columns in their order', () => {
    expect(at({ width: 40, wide: true })).toBe(at({}));
    expect(at({ width: 40, columns: ['stock', 'COUPON'] })).toBe(' STOCK  COUPON\n12,345  summer\n     –  été');
    expect(() => at({ columns: ['stock', 'nmae'] })).toThrow(
      expect.objectContaining({ code: 'BAD_COLUMNS', fix: 'The columns are coupon, name, stock, why-not.' }) as Error,
    );
    expect(() => at({ columns: ['nmae'] }, [])).toThrow('nmae');
  });

  test('has tabs for other programs: figures without commas, nothing for nothing, nothing cut', () => {
    expect(at({ width: 40, tabs: true }).split('\n')).toEqual([
      'COUPON\tNAME\tSTOCK\tWHY NOT',
      'summer\t여름맞이 선착순 쿠폰\t12345\tthe row was refused by a constraint with a long message',
      'été\t👩‍👩‍👧 family 🇰🇷\t\t',
    ]);
    expect(at({ tabs: true }, [{ id: 'a\tb\nc', name: '', stock: 1, why: '' }])).toContain('a\\x09b\\x0ac\t');
  });

  test('paints the text of a cell and not the room around it', () => {
    const paint = painter(true, { width: 20, tabs: false, wide: false, columns: null });
    const columns: Column<string>[] = [{ head: 'A', value: (text) => text, look: () => paint.red, align: 'right' }];
    expect(table(['x', 'long'], columns, paint)).toContain('   \u001b[31mx\u001b[39m');
  });
});

test('a list without rows says so; other programs get the heads alone', () => {
  const given = (tabs: boolean) =>
    listOf([], COLUMNS, painter(false, { width: 80, tabs, wide: false, columns: null }), { empty: 'none yet' });
  expect(given(false)).toEqual({ list: '', remarks: ['none yet'] });
  expect(given(true)).toEqual({ list: 'COUPON\tNAME\tSTOCK\tWHY NOT', remarks: ['none yet'] });
});

test('fields wrap beside their names', () => {
  const rows = [
    ['name', '여름맞이 선착순 쿠폰'],
    ['stock', 1_234],
  ] as const;
  expect(fieldTable(rows, { layout: { width: 22, tabs: false, wide: false, columns: null } })).toBe(
    'name   여름맞이 선착순\n       쿠폰\nstock  1,234',
  );
  expect(fieldTable(rows, { layout: { width: 22, tabs: true, wide: false, columns: null } })).toBe(
    'name\t여름맞이 선착순 쿠폰\nstock\t1234',
  );
});

const TEXT = fc.string({ unit: fc.constantFrom('a', '한', '👩‍👩‍👧', 'e\u0301', ' ', '🇰🇷', 'Ａ'), maxLength: 60 });

test('no text is wider than it may be, and wrapping loses nothing', () => {
  fc.assert(
    fc.property(TEXT, fc.integer({ min: 3, max: 30 }), (text, width) => {
      const lines = wrapped(text, width);
      for (const line of [...lines, shortened(text, width)]) expect(widthOf(line)).toBeLessThanOrEqual(width);
      expect(lines.join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''));
    }),
  );
});

test('a table is never wider than the terminal, from 60 columns on', () => {
  const row = fc.record({ id: TEXT, name: TEXT, stock: fc.option(fc.nat()), why: TEXT });
  fc.assert(
    fc.property(fc.array(row, { maxLength: 5 }), fc.integer({ min: 24, max: 140 }), (rows, width) => {
      for (const line of at({ width }, rows).split('\n')) expect(widthOf(line)).toBeLessThanOrEqual(width);
    }),
  );
});
