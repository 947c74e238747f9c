import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readCell, splitList, writeCell, writeRow } from './csv-cell.ts'

test('any texts come back from a row as they went in', () => {
  const texts = fc.array(
    fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', "'", '=', '+', '-', '@', '\t', ' ', 'ক') }),
    {
      minLength: 2,
      maxLength: 5,
    },
  )
  fc.assert(
    fc.property(texts, (cells) => {
      const [row] = parse(writeRow(cells), { record_delimiter: '\r\n' }) as string[][]
      expect(row?.map(readCell)).toEqual(cells)
    }),
  )
})

test('no cell is a formula for a spreadsheet', () => {
  for (const text of ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', "'=1"])
    expect(writeCell(text).replace(/^"/, '')).toMatch(/^'/)
  expect(writeCell("it's fine")).toBe("it's fine")
})

test('lists leave out what is empty', () => {
  expect(splitList(' a | b||')).toEqual(['a', 'b'])
  expect(splitList('')).toEqual([])
})
