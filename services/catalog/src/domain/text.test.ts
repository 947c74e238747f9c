import { expect, test } from 'vitest'
import { isGtin } from './gtin.ts'
import { makeSlug, slugOf } from './slug.ts'
import { literal, textKey, tokensOf } from './text.ts'

test('slugs are Latin letters, digits and single dashes', () => {
  expect(slugOf("  Crème Brûlée – Women's 2-in-1!  ")).toBe('creme-brulee-womens-2-in-1')
  expect(slugOf('কাঠ')).toBe('')
  expect(slugOf('x'.repeat(300))).toHaveLength(100)
  expect([makeSlug('কাঠ', 'product', 'abc'), makeSlug('Oak', 'product', 'abc'), makeSlug('Oak', 'product')]).toEqual([
    'product-abc',
    'oak-abc',
    'oak',
  ])
  expect(makeSlug('x'.repeat(300), 'product', 'abcdef').length).toBeLessThanOrEqual(120)
})

test('words are found whatever the case and script', () => {
  expect(tokensOf('Red RED shirt, size-9', 'বাংলা বই')).toEqual(['red', 'shirt', 'size', '9', 'বাংলা', 'বই'])
  expect(textKey('  Ａ  b ')).toBe('a b')
})

test('a literal pattern matches only its text', () => {
  const text = 'a.b*c[d](e)/f-g^$|\\{}+?'
  expect(new RegExp(`^${literal(text)}$`).test(text)).toBe(true)
  expect(new RegExp(literal('a.c')).test('abc')).toBe(false)
})

test('barcodes of every length are checked by their last digit', () => {
  for (const good of ['4006381333931', '96385074', '036000291452', '10614141000415'])
    expect([good, isGtin(good)]).toEqual([good, true])
  for (const bad of ['4006381333932', '9638507', '', '40063813339310', 'x006381333931'])
    expect([bad, isGtin(bad)]).toEqual([bad, false])
})
