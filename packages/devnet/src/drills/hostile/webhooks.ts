import { createHmac, randomUUID } from 'node:crypto'
import { createLog } from '@haat/kit/log'
import { openPostgres, sql, withDatabase } from '@haat/kit/postgres'
import { signWebhook } from '@haat/stripe-emulator/webhooks/sign-webhook'
import type { Stage } from '../stage.ts'
import type { Named } from '../throwaway.ts'

/** Known to the drill: Stripe's secret before a rotation, and the built-in carrier's. */
export const STRIPE_SECRET = 'whsec_before_the_rotation'
export const CARRIER_SECRET = 'the-carrier-signs-with-this'

const seconds = () => Math.floor(Date.now() / 1000)
const MINUTES_5 = 300

type Provider = {
  name: string
  path: string
  header: string
  sign(body: string, secret: string, at: number): string
  secret: string
  /** A notification nobody has seen, and one that says something else. */
  fresh(): string
  /** How many of the notifications with this id are kept. */
  kept(id: string): Promise<number>
}

/** Sends both kinds of notifications with everything that can be wrong about them; each of the right ones counts once. */
export async function sendFalseNotices({
  devnet,
  rpcs,
  worlds,
  admin,
}: Stage): Promise<{ sent: number; faults: string[] }> {
  const faults: string[] = []
  let sent = 0
  const count = openCounts(devnet)
  const providers: Provider[] = [
    {
      name: 'Stripe',
      path: '/v1/payments/webhook/stripe',
      header: 'stripe-signature',
      secret: STRIPE_SECRET,
      sign: signWebhook,
      fresh: () =>
        JSON.stringify({
          id: `evt_${randomUUID()}`,
          object: 'event',
          type: 'customer.created',
          created: seconds(),
          data: { object: { id: 'cus_1' } },
        }),
      kept: (id) => count('payment', 'webhook_events', id),
    },
    {
      name: 'the carrier',
      path: '/v1/shipping/webhook/table',
      header: 'x-carrier-signature',
      secret: CARRIER_SECRET,
      sign: (body, secret, at) => `t=${at},v1=${createHmac('sha256', secret).update(`${at}.${body}`).digest('hex')}`,
      fresh: () =>
        JSON.stringify({
          id: randomUUID(),
          trackingNo: worlds.A.trackingNo,
          status: 'in_transit',
          occurredAt: new Date().toISOString(),
        }),
      kept: (id) => count('shipping', 'carrier_events', id),
    },
  ]
  for (const { name, path, header, secret, sign, fresh, kept } of providers) {
    const send = async (body: string, signature: string | undefined) => {
      sent += 1
      const answer = await fetch(`${devnet.urls.storefront}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(signature === undefined ? {} : { [header]: signature }) },
        body,
      })
      return answer.status
    }
    const body = fresh()
    const { id } = JSON.parse(body) as { id: string }
    const other = fresh()
    const wrong: [string, string | undefined][] = [
      ['no signature', undefined],
      ['an empty one', ''],
      ['rubbish', 'nonsense'],
      ['another secret', sign(body, 'whsec_somebody_elses', seconds())],
      ['the signature of another body', sign(other, secret, seconds())],
      ['too old', sign(body, secret, seconds() - MINUTES_5 - 30)],
      ['of the future', sign(body, secret, seconds() + MINUTES_5 + 30)],
      ['an hour ahead', sign(body, secret, seconds() + 3_600)],
      ['a time that is none', sign(body, secret, Number.NaN)],
      ['a second time before the signed one', `t=${seconds()},${sign(body, secret, seconds() + 3_600)}`],
      ['another scheme', sign(body, secret, seconds()).replace('v1=', 'v0=')],
      ['a time changed afterwards', sign(body, secret, seconds() - 5).replace(/t=\d+/, `t=${seconds()}`)],
    ]
    for (const [what, signature] of wrong) {
      const status = await send(body, signature)
      if (status < 400 || status >= 500) faults.push(`${name}, ${what}: ${status}`)
    }
    if ((await kept(id)) !== 0) faults.push(`${name}: a false notification was kept`)
    const signature = sign(body, secret, seconds())
    const statuses = await Promise.all(Array.from({ length: 20 }, () => send(body, signature)))
    if (statuses.some((status) => status !== 200))
      faults.push(`${name}: a replay is answered ${[...new Set(statuses)]}`)
    if ((await kept(id)) !== 1) faults.push(`${name}: a replayed notification counts ${await kept(id)} times`)
    for (const garbage of ['{', '[]', 'null', '{"id":1}', `{"a":"${'x'.repeat(300_000)}"}`]) {
      const status = await send(garbage, sign(garbage, secret, seconds()))
      if (status < 400 || status >= 500) faults.push(`${name}, signed rubbish: ${status}`)
    }
  }

  // Rightly signed, and not true: what counts is what the provider answers.
  const lie = JSON.stringify({
    id: `evt_${randomUUID()}`,
    object: 'event',
    type: 'payment_intent.succeeded',
    created: seconds(),
    data: {
      object: { id: await intentOf(devnet, worlds.A.unpaidOrderId), object: 'payment_intent', status: 'succeeded' },
    },
  })
  await fetch(`${devnet.urls.storefront}/v1/payments/webhook/stripe`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'stripe-signature': signWebhook(lie, STRIPE_SECRET, seconds()) },
    body: lie,
  })
  await devnet.settle()
  const key = { $case: 'orderId', value: worlds.A.unpaidOrderId }
  const { payment } = await rpcs.ask('payment.GetPayment', { key }, admin)
  if (payment.paidAt) faults.push('a signed lie made an order paid')
  return { sent, faults }
}

function openCounts(devnet: Named) {
  return async (service: string, table: string, id: string): Promise<number> => {
    const url = withDatabase(devnet.stores.urls.postgres, `${devnet.prefix}_haat_${service}`)
    const { db, close } = openPostgres<never>({ url, poolSize: 1, name: 'drill', log: createLog('drill', 'silent') })
    const { rows } = await sql<{ n: string }>`
      select count(*) as n from ${sql.table(table)} where event_id = ${id}`.execute(db)
    await close()
    return Number(rows[0]!.n)
  }
}

async function intentOf(devnet: Named, orderId: string): Promise<string> {
  const intent = devnet.stripe.state().paymentIntents.find(({ metadata }) => metadata.order_id === orderId)
  if (!intent) throw new Error(`the provider knows no intent of order ${orderId}`)
  return intent.id
}
