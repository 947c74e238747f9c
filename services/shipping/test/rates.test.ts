import { newId } from '@haat/kit/id'
import { RateBasis, type UpsertRateTableRequest } from '@haat/proto/shipping/v1/shipping'
import { staff, vendorMember } from '@haat/testkit/tokens'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { startHarness } from './harness.ts'

const h = await startHarness()
const bdt = (minor: bigint) => ({ currency: 'BDT', minor })
const parcel = (vendorId: string, more: { weightGrams?: number; total?: bigint; currency?: string } = {}) => ({
  vendorId,
  weightGrams: more.weightGrams ?? 800,
  total: { currency: more.currency ?? 'BDT', minor: more.total ?? 100_000n },
  itemCount: 1,
})
const dhaka = { country: 'BD', postalCode: '1207', state: 'Dhaka' }
const table = (more: Partial<UpsertRateTableRequest> = {}) => ({
  code: `t-${newId()}`,
  label: 'Own van',
  serviceLevel: 'standard',
  basis: RateBasis.FLAT,
  countries: ['BD'],
  currency: 'BDT',
  brackets: [{ upTo: 0n, amount: bdt(4_500n) }],
  minDays: 1,
  maxDays: 3,
  isActive: true,
  ...more,
})

test('a new vendor has delivery at once: the platform carries, cheapest first', async () => {
  const { parcels } = await h.anyone.getRates({ parcels: [parcel(newId())], destination: dhaka })
  expect(parcels[0]!.options.map((o) => [o.serviceLevel, o.amount?.minor])).toEqual([
    ['standard', 6_000n],
    ['express', 12_000n],
  ])
  expect(parcels[0]!.options[0]).toMatchObject({ carrier: 'table', minDays: 2, maxDays: 5 })
})

test('parcels are answered in the order asked, each in its currency, and a place nobody reaches has no options', async () => {
  const [a, b] = [newId(), newId()]
  const { parcels } = await h.anyone.getRates({
    parcels: [parcel(b, { currency: 'USD', total: 9_999n }), parcel(a), parcel(b, { currency: 'JPY' })],
    destination: { country: 'BD' },
  })
  expect(parcels.map((p) => p.vendorId)).toEqual([b, a, b])
  expect(parcels[0]!.options[0]?.amount).toEqual({ currency: 'USD', minor: 599n })
  expect(parcels[2]!.options).toEqual([])
  const far = await h.anyone.getRates({ parcels: [parcel(a)], destination: { country: 'AQ' } })
  expect(far.parcels[0]!.options).toEqual([])
})

test('a change of a rate table shows in the very next answer, cached or not', async () => {
  const seller = await vendorMember()
  const vendor = h.as(seller)
  const ask = async () => {
    const { parcels } = await h.anyone.getRates({ parcels: [parcel(seller.vendorId)], destination: dhaka })
    return parcels[0]!.options.map((o) => o.amount!.minor)
  }
  expect(await ask()).toEqual([6_000n, 12_000n])
  const { rateTable } = await vendor.upsertRateTable(table({ vendorId: seller.vendorId }))
  expect(await ask()).toEqual([4_500n])
  expect(await ask()).toEqual([4_500n])
  await vendor.upsertRateTable({
    ...table({ vendorId: seller.vendorId, code: rateTable!.code }),
    rateTableId: rateTable!.id,
    brackets: [{ upTo: 0n, amount: bdt(4_700n) }],
  })
  expect(await ask()).toEqual([4_700n])
  await vendor.deleteRateTable({ rateTableId: rateTable!.id })
  expect(await ask()).toEqual([6_000n, 12_000n])
})

test('the cache serves a repeat and keeps nothing about the person', async () => {
  const vendorId = newId()
  const ask = () =>
    h.anyone.getRates({
      parcels: [parcel(vendorId)],
      destination: { country: 'BD', postalCode: 'SECRET-1', state: 'SECRET-2' },
    })
  const first = await ask()
  const rows = async () =>
    (
      await sql<{
        response_json: { options: unknown[] }
      }>`select * from rates_cache where request_json ->> 'vendorId' = ${vendorId}`.execute(h.service.database.db)
    ).rows
  const [cached] = await rows()
  expect(JSON.stringify(cached, (_, v) => (typeof v === 'bigint' ? String(v) : v))).not.toContain('SECRET')
  await sql`update rates_cache set response_json = jsonb_set(response_json, '{options}', '[]') where request_json ->> 'vendorId' = ${vendorId}`.execute(
    h.service.database.db,
  )
  expect((await ask()).parcels[0]!.options).toEqual([])
  h.clock.ahead = 301_000
  expect(await ask()).toEqual(first)
  h.clock.ahead = 10_000_000
  await h.service.service.runJob('sweep-rates-cache')
  expect(await rows()).toEqual([])
  h.clock.ahead = 0
})

test('many askers at once get the same answer', async () => {
  const parcels = Array.from({ length: 20 }, () => parcel(newId()))
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      h.anyone.getRates({ parcels: i % 2 ? parcels : [...parcels].reverse(), destination: dhaka }),
    ),
  )
  for (const answer of answers) expect(answer.parcels.every((p) => p.options.length === 2)).toBe(true)
})

test('what is written can be read back, by owner and code', async () => {
  const seller = await vendorMember()
  const vendor = h.as(seller)
  const codes = ['a1', 'b1', 'c1']
  for (const code of codes.toReversed())
    await vendor.upsertRateTable(
      table({
        code,
        basis: RateBasis.BY_TOTAL,
        countries: ['BD', '*'],
        brackets: [
          { upTo: 2n ** 60n, amount: bdt(2n ** 55n + 1n) },
          { upTo: 0n, amount: bdt(0n) },
        ],
        freeFrom: bdt(2n ** 61n + 1n),
      }),
    )
  const first = await vendor.listRateTables({ pageSize: 2 })
  const second = await vendor.listRateTables({ pageSize: 2, pageToken: first.nextPageToken })
  const all = [...first.rateTables, ...second.rateTables]
  expect(all.map((t) => t.code)).toEqual(codes)
  expect(second.nextPageToken).toBe('')
  expect(all[0]).toMatchObject({
    vendorId: seller.vendorId,
    carrier: 'table',
    basis: RateBasis.BY_TOTAL,
    countries: ['BD', '*'],
    brackets: [{ upTo: 2n ** 60n, amount: bdt(2n ** 55n + 1n) }, { upTo: 0n }],
    freeFrom: bdt(2n ** 61n + 1n),
  })
  const everything = await h.staff.listRateTables({ pageSize: 100 })
  expect(everything.rateTables[0]?.vendorId).toBeUndefined()
  expect(everything.rateTables.length).toBeGreaterThan(all.length)
})

test('a code is unique per owner, and a table with faults is refused', async () => {
  const seller = await vendorMember()
  const vendor = h.as(seller)
  await vendor.upsertRateTable(table({ code: 'same' }))
  await expect(vendor.upsertRateTable(table({ code: 'same' }))).rejects.toMatchObject({
    status: 'ALREADY_EXISTS',
    code: 'rate_table_code_taken',
  })
  await h.staff.upsertRateTable(table({ code: 'same' }))
  await expect(h.staff.upsertRateTable(table({ code: 'same' }))).rejects.toMatchObject({
    code: 'rate_table_code_taken',
  })
  for (const bad of [
    table({ maxDays: 0 }),
    table({ carrier: 'pigeon' }),
    table({ brackets: [{ upTo: 0n, amount: { currency: 'USD', minor: 1n } }] }),
  ])
    await expect(vendor.upsertRateTable(bad)).rejects.toMatchObject({
      status: 'INVALID_ARGUMENT',
      code: 'rate_table_invalid',
    })
  await expect(vendor.upsertRateTable(table({ countries: [] }))).rejects.toMatchObject({ code: 'request_invalid' })
})

test("a vendor touches neither the platform's tables nor another vendor's", async () => {
  const [one, other] = [await vendorMember(), await vendorMember()]
  const { rateTable } = await h.as(one).upsertRateTable(table({ vendorId: one.vendorId }))
  const platform = (await h.staff.listRateTables({})).rateTables[0]!
  for (const id of [rateTable!.id, platform.id, newId()]) {
    await expect(h.as(other).upsertRateTable({ ...table(), rateTableId: id })).rejects.toMatchObject({
      status: 'NOT_FOUND',
      code: 'rate_table_not_found',
    })
    await expect(h.as(other).deleteRateTable({ rateTableId: id })).rejects.toMatchObject({
      code: 'rate_table_not_found',
    })
  }
  await expect(h.as(other).upsertRateTable(table({ vendorId: one.vendorId }))).rejects.toMatchObject({
    code: 'vendor_not_found',
  })
  await expect(h.as(other).listRateTables({ vendorId: one.vendorId })).rejects.toMatchObject({
    code: 'vendor_not_found',
  })
  expect((await h.as(one).listRateTables({})).rateTables).toHaveLength(1)
  expect((await h.staff.listRateTables({})).rateTables[0]!.id).toBe(platform.id)
})

test('packers and readers may not change tables', async () => {
  const packer = h.as(await vendorMember(newId(), ['orders.read']))
  await expect(packer.upsertRateTable(table())).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
  await expect(packer.deleteRateTable({ rateTableId: newId() })).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
  const reader = h.as(await staff('shipping.read'))
  await expect(reader.upsertRateTable(table())).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
  await expect(h.anyone.listRateTables({})).rejects.toMatchObject({ status: 'UNAUTHENTICATED' })
})
