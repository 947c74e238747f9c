import { money } from '@haat/money/money'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  commissionOf,
  createMatcher,
  findProblem,
  type Line,
  lacksDefault,
  matches,
  type Rule,
  type RuleTerms,
  vendorDefault,
} from './commission.ts'

const bdt = (minor: number | bigint) => money('BDT', BigInt(minor))
const terms = (more: Partial<RuleTerms> = {}): RuleTerms => ({
  scope: 'default',
  refId: undefined,
  percentBps: 0,
  fixed: undefined,
  min: undefined,
  max: undefined,
  ...more,
})
const listed = (rules: RuleTerms[]): Rule[] =>
  rules.map((rule, position) => ({ ...rule, id: `rule-${position}`, version: 1n, position, note: '' }))

const currency = fc.constantFrom('BDT', 'USD')
const id = fc.constantFrom('a', 'b', 'c')
const anyTerms: fc.Arbitrary<RuleTerms> = fc
  .record({
    scope: fc.constantFrom('default', 'vendor', 'category', 'product'),
    ref: id,
    percentBps: fc.integer({ min: 0, max: 10_000 }),
    currency,
    fixed: fc.option(fc.bigInt(0n, 5_000n), { nil: undefined }),
    limits: fc.option(fc.tuple(fc.bigInt(0n, 5_000n), fc.bigInt(0n, 5_000n)), { nil: undefined }),
  })
  .map(({ scope, ref, percentBps, currency: bound, fixed, limits }) => {
    const [low, high] = limits?.toSorted((a, b) => (a < b ? -1 : 1)) ?? []
    return {
      scope: scope as RuleTerms['scope'],
      refId: scope === 'default' ? undefined : ref,
      percentBps,
      fixed: fixed === undefined ? undefined : money(bound, fixed),
      min: low === undefined ? undefined : money(bound, low),
      max: high === undefined ? undefined : money(bound, high),
    }
  })
const anyLine: fc.Arbitrary<Line> = fc.record({
  vendorId: id,
  productId: id,
  categoryIds: fc.subarray(['a', 'b', 'c']),
  base: fc.record({ currency, minor: fc.bigInt(0n, 1_000_000n) }),
  quantity: fc.integer({ min: 1, max: 100 }),
})

test('commission is never negative and never more than what the line brought', () => {
  fc.assert(
    fc.property(anyTerms, anyLine, (rule, line) => {
      fc.pre(matches(rule, line))
      const { minor } = commissionOf(rule, line.base, line.quantity)
      return minor >= 0n && minor <= line.base.minor
    }),
  )
})

test('commission keeps to the rule’s limits as far as the base allows', () => {
  fc.assert(
    fc.property(anyTerms, anyLine, (rule, line) => {
      fc.pre(matches(rule, line))
      const { minor } = commissionOf(rule, line.base, line.quantity)
      if (rule.max) expect(minor).toBeLessThanOrEqual(rule.max.minor)
      if (rule.min && rule.min.minor <= line.base.minor) expect(minor).toBeGreaterThanOrEqual(rule.min.minor)
    }),
  )
})

test('commission never falls when the base grows', () => {
  fc.assert(
    fc.property(anyTerms, anyLine, fc.bigInt(0n, 10_000n), (rule, line, more) => {
      fc.pre(matches(rule, line))
      const larger = { ...line.base, minor: line.base.minor + more }
      return commissionOf(rule, larger, line.quantity).minor >= commissionOf(rule, line.base, line.quantity).minor
    }),
  )
})

test('the prepared lookup answers what asking each rule in order would', () => {
  fc.assert(
    fc.property(fc.array(anyTerms, { maxLength: 12 }), anyLine, (list, line) => {
      const rules = listed(list)
      expect(createMatcher(rules)(line)).toBe(rules.find((rule) => matches(rule, line)))
    }),
    { numRuns: 500 },
  )
})

test('an accepted list decides every line, and every rule of it can decide some line', () => {
  fc.assert(
    fc.property(fc.array(anyTerms, { maxLength: 8 }), anyLine, (list, line) => {
      const all = [...list, terms({ percentBps: 1_000 })]
      fc.pre(findProblem(all) === undefined)
      expect(lacksDefault(all)).toBe(false)
      const rules = listed(all)
      expect(createMatcher(rules)(line)).toBeDefined()
      for (const rule of rules) {
        const only = (scope: string) => (rule.scope === scope ? rule.refId! : 'nobody')
        const bound = rule.fixed ?? rule.min ?? rule.max
        const own: Line = {
          vendorId: only('vendor'),
          productId: only('product'),
          categoryIds: [only('category')],
          base: money(bound?.currency ?? 'EUR', 100n),
          quantity: 1,
        }
        expect(createMatcher(rules)(own)).toBe(rule)
      }
    }),
    { numRuns: 300 },
  )
})

test('the first rule that matches decides, not the most special one', () => {
  const line = { vendorId: 'v', productId: 'p', categoryIds: ['c'], base: bdt(1_000), quantity: 1 }
  const vendor = terms({ scope: 'vendor', refId: 'v', percentBps: 500 })
  const product = terms({ scope: 'product', refId: 'p', percentBps: 900 })
  expect(createMatcher(listed([vendor, product, terms()]))(line)?.percentBps).toBe(500)
  expect(createMatcher(listed([product, vendor, terms()]))(line)?.percentBps).toBe(900)
})

test('percent rounds half up, fixed counts per unit, and a foreign currency does not match', () => {
  expect(commissionOf(terms({ percentBps: 1_250 }), bdt(100), 1)).toEqual(bdt(13))
  expect(commissionOf(terms({ percentBps: 1_000, fixed: bdt(5) }), bdt(1_000), 3)).toEqual(bdt(115))
  expect(commissionOf(terms({ percentBps: 1_000, min: bdt(300) }), bdt(1_000), 1)).toEqual(bdt(300))
  expect(commissionOf(terms({ percentBps: 1_000, max: bdt(30) }), bdt(1_000), 1)).toEqual(bdt(30))
  expect(commissionOf(terms({ min: bdt(300) }), bdt(200), 1)).toEqual(bdt(200))
  const usd = terms({ fixed: money('USD', 1n) })
  expect(matches(usd, { vendorId: 'v', productId: 'p', categoryIds: [], base: bdt(1), quantity: 1 })).toBe(false)
})

test.each([
  ['ref_missing', [terms({ scope: 'vendor' })]],
  ['ref_unexpected', [terms({ refId: 'a' })]],
  ['currency_unknown', [terms({ fixed: money('XQX', 1n) })]],
  ['currency_mixed', [terms({ fixed: bdt(1), max: money('USD', 1n) })]],
  ['amount_negative', [terms({ fixed: bdt(-1) })]],
  ['amount_too_large', [terms({ max: bdt(10n ** 15n) })]],
  ['min_above_max', [terms({ min: bdt(2), max: bdt(1) })]],
])('%s is refused', (reason, rules) => {
  expect(findProblem(rules)).toEqual({ index: 0, reason })
})

test('a rule that can never decide is refused, and the one in its way is named', () => {
  const vendor = terms({ scope: 'vendor', refId: 'a' })
  expect(findProblem([terms(), vendor])).toEqual({ index: 1, reason: 'unreachable', shadowedBy: 0 })
  expect(findProblem([vendor, { ...vendor, fixed: bdt(1) }, terms()])).toMatchObject({ index: 1, shadowedBy: 0 })
  expect(findProblem([{ ...vendor, fixed: bdt(1) }, vendor, terms()])).toBeUndefined()
  expect(findProblem([terms({ fixed: bdt(1) }), { ...vendor, max: bdt(9) }, terms()])).toMatchObject({ index: 1 })
})

test('a list without an unbound default at its end is incomplete', () => {
  expect(lacksDefault([])).toBe(true)
  expect(lacksDefault([terms({ fixed: bdt(1) })])).toBe(true)
  expect(lacksDefault([terms(), terms({ scope: 'vendor', refId: 'a' })])).toBe(true)
  expect(lacksDefault([terms({ scope: 'vendor', refId: 'a' }), terms()])).toBe(false)
})

test('a vendor’s own default skips rules of other vendors, categories and currencies', () => {
  const rules = listed([
    terms({ scope: 'category', refId: 'c', percentBps: 1 }),
    terms({ scope: 'vendor', refId: 'a', fixed: money('USD', 1n) }),
    terms({ scope: 'vendor', refId: 'b', percentBps: 3 }),
    terms({ percentBps: 4 }),
  ])
  expect(vendorDefault(rules, 'a', 'BDT')?.position).toBe(3)
  expect(vendorDefault(rules, 'a', 'USD')?.position).toBe(1)
  expect(vendorDefault(rules, 'b', 'BDT')?.position).toBe(2)
})
