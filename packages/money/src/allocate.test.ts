import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { allocate } from './allocate.ts'
import { negate, sum } from './arithmetic.ts'
import { money } from './money.ts'

const bdt = fc.bigInt(-(10n ** 15n), 10n ** 15n).map((units) => money('BDT', units))
const weights = fc.array(fc.bigInt(0n, 10n ** 9n), { minLength: 1, maxLength: 40 })
const total = (list: bigint[]) => list.reduce((all, weight) => all + weight, 0n)
const units = (minor: bigint, list: bigint[]) => allocate(money('BDT', minor), list).map((part) => part.minor)

describe('allocate', () => {
  it('parts always sum to the whole', () => {
    fc.assert(
      fc.property(bdt, weights, (amount, list) => {
        const parts = allocate(amount, list)
        expect(parts).toHaveLength(list.length)
        expect(sum('BDT', parts)).toEqual(amount)
      }),
      { numRuns: 1_000 },
    )
  })

  it('no part is one unit or more from its exact share', () => {
    fc.assert(
      fc.property(
        bdt,
        weights.filter((list) => total(list) > 0n),
        (amount, list) => {
          allocate(amount, list).forEach((part, index) => {
            const off = part.minor * total(list) - amount.minor * (list[index] ?? 0n)
            expect(off < total(list) && off > -total(list)).toBe(true)
          })
        },
      ),
    )
  })

  it('a refund takes back exactly what the sale gave out, part by part', () => {
    fc.assert(
      fc.property(bdt, weights, (amount, list) => {
        expect(allocate(negate(amount), list)).toEqual(allocate(amount, list).map(negate))
      }),
    )
  })

  it('no part has the opposite sign of the whole', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 1_000n), weights, (minor, list) => {
        expect(units(minor, list).every((part) => part >= 0n)).toBe(true)
      }),
    )
  })

  it('a zero weight among others gets nothing', () => {
    fc.assert(
      fc.property(
        bdt,
        weights.filter((list) => total(list) > 0n),
        (amount, list) => {
          allocate(amount, list).forEach((part, index) => {
            if (list[index] === 0n) expect(part.minor).toBe(0n)
          })
        },
      ),
    )
  })

  it('a larger weight never gets less', () => {
    fc.assert(
      fc.property(
        fc.bigInt(0n, 10n ** 9n),
        weights.filter((list) => total(list) > 0n),
        (minor, list) => {
          const parts = units(minor, list).map((part, index) => ({ part, weight: list[index] ?? 0n }))
          const ordered = parts.toSorted((a, b) => Number(a.weight - b.weight))
          ordered.slice(1).forEach((next, index) => {
            const previous = ordered[index]
            if (previous && previous.weight < next.weight) expect(previous.part <= next.part).toBe(true)
          })
        },
      ),
    )
  })

  it('scaling all weights changes nothing', () => {
    fc.assert(
      fc.property(bdt, weights, fc.bigInt(1n, 1_000n), (amount, list, factor) => {
        expect(
          allocate(
            amount,
            list.map((weight) => weight * factor),
          ),
        ).toEqual(allocate(amount, list))
      }),
    )
  })

  it('equal remainders are served lowest index first', () => {
    expect(units(100n, [1n, 1n, 1n])).toEqual([34n, 33n, 33n])
    expect(units(5n, [1n, 1n, 1n])).toEqual([2n, 2n, 1n])
    expect(units(-5n, [1n, 1n, 1n])).toEqual([-2n, -2n, -1n])
  })

  it('the largest remainder is served before a lower index', () => {
    expect(units(10n, [1n, 5n, 2n])).toEqual([1n, 6n, 3n])
  })

  it('weights that are all zero count as equal', () => {
    expect(units(7n, [0n, 0n])).toEqual([4n, 3n])
    expect(units(0n, [0n, 0n, 0n])).toEqual([0n, 0n, 0n])
  })

  it('refuses an empty list and negative weights', () => {
    expect(() => units(1n, [])).toThrow(RangeError)
    expect(() => units(1n, [2n, -1n])).toThrow(RangeError)
  })
})
