import { expect, test } from 'vitest'
import { frozenUntil, parseMinimums } from './payouts.ts'

test('payouts rest for the hold after a bank change, and not without one', () => {
  const changed = new Date('2026-01-01T00:00:00Z')
  const at = (hours: number) => new Date(changed.getTime() + hours * 3_600_000)
  expect(frozenUntil(changed, 72, at(71))).toEqual(at(72))
  expect(frozenUntil(changed, 72, at(72))).toBeUndefined()
  expect(frozenUntil(changed, 0, changed)).toBeUndefined()
  expect(frozenUntil(null, 72, changed)).toBeUndefined()
})

test('minimums are read by currency, and anything else is refused', () => {
  expect(parseMinimums('BDT:50000, USD:1000')).toEqual(
    new Map([
      ['BDT', 50_000n],
      ['USD', 1_000n],
    ]),
  )
  expect(parseMinimums('')).toEqual(new Map())
  for (const list of ['BDT', 'bdt:1', 'BDT:-1', 'BDT:1.5']) expect(() => parseMinimums(list)).toThrow()
})
