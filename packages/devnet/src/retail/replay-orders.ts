import { type AdminClient, ApiError, ok } from '@haat/client'
import { pay, placeOrder } from '../actors.ts'
import { each } from '../each.ts'
import { ensureCustomer, type Place } from '../market.ts'
import { patient } from '../patient.ts'
import { DEMO_PASSWORD } from '../seed/people.ts'
import { until } from '../until.ts'
import { countryCode } from './countries.ts'
import { skuOf } from './import-retail.ts'
import type { Invoice } from './read-retail.ts'

export type Replay = {
  invoices: number
  placed: number
  paid: number
  /** Units of all placed orders. */
  units: number
  refused: Map<string, number>
  /** Minor units by currency. */
  money: Map<string, number>
  ledgerSums: { currency: string; minor: number }[]
  stock: { checked: number; differences: number }
  seconds: number
}

/** As many invoices as asked for, spread evenly over the file. */
export function pickInvoices(invoices: readonly Invoice[], count: number): Invoice[] {
  const step = Math.max(1, invoices.length / count)
  return Array.from({ length: Math.min(count, invoices.length) }, (_, index) => invoices[Math.floor(index * step)]!)
}

/**
 * Orders and pays real invoices as their customers would: account, cart, summary, order, card. What the marketplace refuses is
 * counted by its reason. At the end the books and the stock are checked.
 */
export async function replayOrders(
  place: Place,
  admin: AdminClient,
  invoices: readonly Invoice[],
  onProgress: (done: number) => void = () => undefined,
): Promise<Replay> {
  const began = performance.now()
  const refused = new Map<string, number>()
  const money = new Map<string, number>()
  const orders: { orderNo: string; isPaid: () => Promise<true | undefined> }[] = []
  let units = 0
  let paid = 0
  let done = 0

  const order = async (invoice: Invoice) => {
    if (!invoice.customer) throw new Refusal('the invoice has no customer')
    const country = countryCode(invoice.country)
    if (!country) throw new Refusal(`no country: ${invoice.country}`)
    const buyer = await ensureCustomer(place, {
      name: `Customer ${invoice.customer}`,
      email: `customer-${invoice.customer}@retail.example`,
      password: DEMO_PASSWORD,
    })
    await ok(buyer.shop.DELETE('/v1/cart'))
    for (const line of invoice.lines)
      await ok(buyer.shop.POST('/v1/cart/items', { body: { sku: skuOf(line.code), qty: line.qty } }))
    const address = {
      name: `Customer ${invoice.customer}`,
      line1: '1 High Street',
      city: invoice.country,
      postalCode: '10001',
      country,
      phone: '',
    }
    // The key is the invoice's: a second replay meets the first one's orders instead of making new ones.
    const placed = await placeOrder(buyer, { key: `invoice-${invoice.number}`, address })
    const { orderNo, amounts } = placed.order
    const { currency, minor } = amounts!.total!
    money.set(currency, (money.get(currency) ?? 0) + minor)
    units += invoice.lines.reduce((sum, line) => sum + line.qty, 0)
    if (placed.payment) {
      const { status } = await pay(place, placed.payment)
      if (status !== 200) throw new Refusal(`the payment was answered ${status}`)
    }
    const params = { path: { orderNo } }
    orders.push({
      orderNo,
      isPaid: async () => {
        const page = await ok(buyer.shop.GET('/v1/orders/{orderNo}', { params }))
        return page.order!.paymentStatus === 'paid' ? true : undefined
      },
    })
  }

  // A person has one cart: the invoices of a customer follow each other.
  const byCustomer = Map.groupBy(invoices, ({ customer, number }) => customer || number)
  await each(byCustomer.values(), 4, async (own) => {
    for (const invoice of own) {
      try {
        await patient(() => order(invoice))
      } catch (error) {
        const reason = error instanceof ApiError ? error.code : error instanceof Refusal ? error.message : undefined
        if (reason === undefined) throw error
        refused.set(reason, (refused.get(reason) ?? 0) + 1)
      }
      onProgress(++done)
    }
  })
  await each(orders, 4, async ({ orderNo, isPaid }) => {
    await until(`the payment of ${orderNo}`, isPaid)
    paid++
  })
  const trial = await ok(admin.GET('/v1/admin/ledger/trial-balance', { params: { query: {} } }))
  const stock = await ok(admin.GET('/v1/admin/inventory/verify', { params: { query: {} } }))
  return {
    invoices: invoices.length,
    placed: orders.length,
    paid,
    units,
    refused,
    money,
    ledgerSums: trial.sums.map((sum) => sum!),
    stock: { checked: stock.checked, differences: stock.differences.length },
    seconds: (performance.now() - began) / 1000,
  }
}

/** Why an invoice is no order, before any API is asked. */
class Refusal extends Error {}

export function printReplay(replay: Replay): string {
  const rows: [string, string][] = [
    ['invoices', String(replay.invoices)],
    ['orders placed', String(replay.placed)],
    ['orders paid', String(replay.paid)],
    ['units', String(replay.units)],
    ...[...replay.refused].map(([reason, count]): [string, string] => [`refused: ${reason}`, String(count)]),
    ...[...replay.money].map(([currency, minor]): [string, string] => [`total ${currency}`, (minor / 100).toFixed(2)]),
    ...replay.ledgerSums.map(({ currency, minor }): [string, string] => [`ledger sum ${currency}`, String(minor)]),
    ['SKUs recounted', String(replay.stock.checked)],
    ['stock differences', String(replay.stock.differences)],
    ['seconds', replay.seconds.toFixed(1)],
  ]
  const width = Math.max(...rows.map(([name]) => name.length))
  return rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value.padStart(12)}`).join('\n')
}
