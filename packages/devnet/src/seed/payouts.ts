import { ok } from '@haat/client'
import { until } from '../until.ts'
import type { Parties, Step } from './parties.ts'

/** One vendor is paid out; another has asked and waits for staff. */
export async function seedPayouts({ admin, sellers }: Parties, { journal, log }: Step): Promise<void> {
  if (journal.has('payouts')) return
  const rich = await until('two vendors with money to pay out', async () => {
    const found = []
    for (const own of sellers) {
      const path = { vendorId: own.vendorId }
      const { items } = await ok(own.vendor.GET('/v1/vendors/{vendorId}/balance', { params: { path } }))
      const asked = await ok(own.vendor.GET('/v1/vendors/{vendorId}/payouts', { params: { path, query: {} } }))
      const available = items.find(({ currency }) => currency === 'BDT')?.available
      if (asked.items.length > 0 || (available && available.minor > 0))
        found.push({ own, available, asked: asked.items[0] })
      if (found.length === 2) return found
    }
    return undefined
  })
  for (const [index, { own, available, asked }] of rich.entries()) {
    const path = { vendorId: own.vendorId }
    const payout =
      asked ??
      (await ok(
        own.vendor.POST('/v1/vendors/{vendorId}/payout-request', {
          params: { path, header: { 'Idempotency-Key': `seed-payout-${available!.minor}` } },
          body: { currency: 'BDT', expectedAmount: available! },
        }),
      ))
    if (index > 0) continue
    const ofPayout = { params: { path: { id: payout.id } } }
    if (payout.status === 'requested') await ok(admin.POST('/v1/admin/payouts/{id}/approve', ofPayout))
    await until('the payout at the bank', async () => {
      const page = await ok(admin.GET('/v1/admin/payouts/{id}', { params: { ...ofPayout.params, query: {} } }))
      return page.payout!.status === 'paid' ? true : undefined
    })
  }
  log('seed: one payout paid, one requested')
  journal.add('payouts')
}
