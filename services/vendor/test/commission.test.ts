import { newId } from '@haat/kit/id'
import { money } from '@haat/money/money'
import { CommissionRulesChanged } from '@haat/proto/vendor/v1/events'
import { CommissionScope, CommissionType } from '@haat/proto/vendor/v1/vendor'
import { customer, neighbour, staff } from '@haat/testkit/tokens'
import { expect, test } from 'vitest'
import { bdt, defaultRule, startHarness } from './harness.ts'

const h = await startHarness()

const line = (vendorId: string, minor: number, more: object = {}) => ({
  lineId: newId(),
  vendorId,
  productId: newId(),
  categoryIds: [],
  base: bdt(minor),
  quantity: 1,
  ...more,
})

test('before the first rules nothing is quoted, and the list is version 0', async () => {
  const { vendorId } = await h.applied()
  await expect(h.order.quoteCommission({ lines: [line(vendorId, 100)] })).rejects.toMatchObject({
    status: 'FAILED_PRECONDITION',
    code: 'commission_rules_missing',
  })
  expect(await h.reviewer.getCommissionRules({})).toMatchObject({ version: 0n, rules: [] })
  expect((await h.reviewer.getVendor({ vendorId })).vendor).toMatchObject({
    commissionType: CommissionType.UNSPECIFIED,
  })
})

test('the first rule that matches decides each line, and is named for freezing', async () => {
  const { vendorId } = await h.applied()
  const other = await h.applied()
  const [productId, categoryId] = [newId(), newId()]
  const { version, rules } = await h.setRules(
    { scope: CommissionScope.PRODUCT, refId: productId, percentBps: 0, fixed: bdt(70) },
    { scope: CommissionScope.CATEGORY, refId: categoryId, percentBps: 1_500, max: bdt(1_000) },
    { scope: CommissionScope.VENDOR, refId: vendorId, percentBps: 500, min: bdt(30) },
    defaultRule(1_000),
  )
  const lines = [
    line(vendorId, 10_000, { productId, categoryIds: [categoryId], quantity: 3 }),
    line(vendorId, 10_000, { categoryIds: [newId(), categoryId] }),
    line(vendorId, 200),
    line(vendorId, 20, {}),
    line(other.vendorId, 1_005),
    line(vendorId, 0, { base: money('USD', 100n), productId, categoryIds: [categoryId] }),
  ]
  const answer = await h.order.quoteCommission({ lines })
  expect(answer.version).toBe(version)
  expect(answer.quotes.map(({ lineId, commission, ruleId }) => [lineId, commission, ruleId])).toEqual([
    [lines[0]!.lineId, bdt(210), rules[0]!.id],
    [lines[1]!.lineId, bdt(1_000), rules[1]!.id],
    [lines[2]!.lineId, bdt(30), rules[2]!.id],
    [lines[3]!.lineId, bdt(20), rules[2]!.id],
    [lines[4]!.lineId, bdt(101), rules[3]!.id],
    [lines[5]!.lineId, money('USD', 10n), rules[3]!.id],
  ])
  expect(answer.quotes[0]).toMatchObject({ percentBps: 0, fixed: bdt(70), ruleVersion: version })
  const [own, theirs] = [
    await h.reviewer.getVendor({ vendorId }),
    await h.reviewer.getVendor({ vendorId: other.vendorId }),
  ]
  expect(own.vendor).toMatchObject({ commissionType: CommissionType.PERCENT, commissionValue: 500n })
  expect(theirs.vendor).toMatchObject({ commissionType: CommissionType.PERCENT, commissionValue: 1_000n })
})

test('a new version rules at once; old versions stay as they were, and cannot be changed', async () => {
  const { vendorId } = await h.applied()
  const first = await h.setRules(defaultRule(1_000))
  await h.order.quoteCommission({ lines: [line(vendorId, 1_000)] })
  const second = await h.setRules({ ...defaultRule(0), fixed: bdt(9) }, defaultRule(2_000))
  expect(second.version).toBe(first.version + 1n)
  const { quotes } = await h.order.quoteCommission({ lines: [line(vendorId, 1_000)] })
  expect(quotes[0]).toMatchObject({ commission: bdt(9), ruleVersion: second.version })
  expect((await h.reviewer.getVendor({ vendorId })).vendor).toMatchObject({
    commissionType: CommissionType.FIXED,
    commissionValue: 9n,
  })
  expect((await h.reviewer.getCommissionRules({ version: first.version })).rules).toEqual(first.rules)
  expect((await h.reviewer.getCommissionRules({})).rules).toEqual(second.rules)
  await expect(h.reviewer.getCommissionRules({ version: 9_999n })).rejects.toMatchObject({
    code: 'commission_version_not_found',
  })
  await expect(h.db.updateTable('commission_rules').set({ percent_bps: 1 }).execute()).rejects.toThrow('append-only')
  await expect(h.db.deleteFrom('commission_rule_sets').execute()).rejects.toThrow('append-only')
})

test('of operators who change the same version one wins, and the others are told', async () => {
  const { version } = await h.setRules(defaultRule())
  const races = await Promise.allSettled(
    Array.from({ length: 6 }, (_, i) =>
      h.reviewer.setCommissionRules({ rules: [defaultRule(i)], expectedVersion: version }),
    ),
  )
  expect(races.filter((race) => race.status === 'fulfilled')).toHaveLength(1)
  for (const race of races)
    if (race.status === 'rejected')
      expect(race.reason).toMatchObject({ status: 'ABORTED', code: 'commission_version_conflict' })
  const changed = (await h.emitted(CommissionRulesChanged)).map((event) => event.data)
  expect(changed.filter((data) => data.version === version + 1n)).toMatchObject([{ ruleSet: 'platform', ruleCount: 1 }])
})

test('a list that leaves lines undecided or holds a rule that never decides is refused, and the rule is named', async () => {
  const { version } = await h.setRules(defaultRule())
  const { vendorId } = await h.applied()
  const set = (...rules: object[]) => h.reviewer.setCommissionRules({ rules, expectedVersion: version })
  const vendor = { scope: CommissionScope.VENDOR, refId: vendorId, percentBps: 1 }
  await expect(set(vendor)).rejects.toMatchObject({ status: 'INVALID_ARGUMENT', code: 'commission_default_missing' })
  await expect(set(defaultRule(), vendor)).rejects.toMatchObject({
    code: 'commission_rule_invalid',
    details: { index: 1, reason: 'unreachable', shadowedBy: 0 },
  })
  await expect(set({ ...vendor, refId: newId() }, defaultRule())).rejects.toMatchObject({
    details: { index: 0, reason: 'vendor_unknown' },
  })
  await expect(set({ ...vendor, min: bdt(2), max: bdt(1) }, defaultRule())).rejects.toMatchObject({
    details: { reason: 'min_above_max' },
  })
  await expect(set({ ...vendor, percentBps: 10_001 }, defaultRule())).rejects.toMatchObject({ code: 'request_invalid' })
  expect((await h.reviewer.getCommissionRules({})).version).toBe(version)
})

test('a quote refuses what cannot be right, and who is not meant to ask', async () => {
  await h.setRules(defaultRule())
  const { vendorId } = await h.applied()
  const missing = newId()
  await expect(h.order.quoteCommission({ lines: [line(vendorId, 1), line(missing, 1)] })).rejects.toMatchObject({
    status: 'NOT_FOUND',
    code: 'vendor_not_found',
    details: { vendorId: missing },
  })
  await expect(h.order.quoteCommission({ lines: [line(vendorId, -1)] })).rejects.toMatchObject({
    code: 'request_invalid',
  })
  const same = line(vendorId, 1)
  await expect(h.order.quoteCommission({ lines: [same, same] })).rejects.toMatchObject({
    details: { fields: [{ field: 'lines[1].line_id' }] },
  })
  const buyer = await customer()
  await expect(h.as(buyer).quoteCommission({ lines: [same] })).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
  const checkout = h.as({ ...(await neighbour('order')), ...buyer })
  expect((await checkout.quoteCommission({ lines: [same] })).quotes).toHaveLength(1)
  const reader = h.as(await staff('vendors.read'))
  await expect(reader.setCommissionRules({ rules: [defaultRule()], expectedVersion: 1n })).rejects.toMatchObject({
    status: 'PERMISSION_DENIED',
  })
})

test('500 lines under 500 rules are quoted in one short call', async () => {
  const { vendorId } = await h.applied()
  const categories = Array.from({ length: 499 }, () => newId())
  await h.setRules(
    ...categories.map((refId, i) => ({ scope: CommissionScope.CATEGORY, refId, percentBps: i })),
    defaultRule(9_999),
  )
  const lines = Array.from({ length: 500 }, (_, i) =>
    line(vendorId, 10_000, { categoryIds: categories.slice(i, i + 20) }),
  )
  await h.order.quoteCommission({ lines })
  const started = performance.now()
  const { quotes } = await h.order.quoteCommission({ lines })
  expect(performance.now() - started).toBeLessThan(2_000)
  expect(quotes.map((quote) => quote.percentBps)).toEqual([...categories.keys(), 9_999])
})
