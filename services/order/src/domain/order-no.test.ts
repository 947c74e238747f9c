import { expect, test } from 'vitest'
import { newOrderNo } from './order-no.ts'

test('order numbers carry the prefix, can be read aloud, and do not repeat', () => {
  const numbers = Array.from({ length: 10_000 }, () => newOrderNo('HAAT'))
  expect(new Set(numbers).size).toBe(10_000)
  for (const number of numbers.slice(0, 100))
    expect(number).toMatch(/^HAAT-[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}$/)
})
