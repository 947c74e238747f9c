import { randomUUID } from 'node:crypto'
import { gunzipSync } from 'node:zlib'
import { type Answer, type Connection, encode, openConnection } from './connection.ts'
import { openPaidWatch } from './paid-watch.ts'
import type { Browser, Script } from './protocol.ts'

/** Plays one repetition; false when there is nothing left to play. */
export type Turn = (connection: Connection, worker: number) => Promise<{ orderId?: string } | false>
export type Story = { play: Turn; position(): number; close(): Promise<void> }

/** Makes a script playable. */
export async function openStory(script: Script): Promise<Story> {
  switch (script.kind) {
    case 'requests':
      return requestsStory(script)
    case 'browsers':
      return browsersStory(script)
    case 'checkout':
      return checkoutStory(script)
  }
}

const noClose = async () => {}

function requestsStory({ requests, expect, from = 0, once }: Extract<Script, { kind: 'requests' }>): Story {
  const expected = Buffer.from(expect)
  const encoded = once ? [] : requests.map(encode)
  // What has been looked into need not be unpacked again when the same bytes come again.
  const checked: (Buffer | undefined)[] = []
  let position = from
  return {
    async play(connection) {
      if (once && position >= requests.length) return false
      const index = position++ % requests.length
      const answer = await connection.send(encoded[index] ?? encode(requests[index]!))
      if (answer.status === 200 && checked[index]?.equals(answer.body)) return {}
      check(answer, expected)
      if (!once) checked[index] = answer.body
      return {}
    },
    position: () => position,
    close: noClose,
  }
}

function browsersStory({ own, expect }: Extract<Script, { kind: 'browsers' }>): Story {
  const expected = Buffer.from(expect)
  const encoded = own.map((requests) => requests.map(encode))
  const turns = own.map(() => 0)
  return {
    async play(connection, worker) {
      const browser = worker % encoded.length
      const requests = encoded[browser]!
      check(await connection.send(requests[turns[browser]!++ % requests.length]!), expected)
      return {}
    },
    position: () => 0,
    close: noClose,
  }
}

/** The body, unpacked. */
function check({ status, ...answer }: Answer, expected: Buffer): Buffer {
  const body = answer.isGzipped ? gunzipSync(answer.body) : answer.body
  if (status < 200 || status > 299) throw new Error(`${status}: ${refusal(body)}`)
  if (expected.length && !body.includes(expected)) throw new Error(`the answer lacks ${expected}`)
  return body
}

/** What it said, without the request's own id, so that the same refusals count together. */
const refusal = (body: Buffer): string =>
  body
    .toString()
    .slice(0, 200)
    .replace(/,"requestId".*$/, '')

/**
 * A whole purchase by a signed-in browser: goods into the cart, the summary, the order, the payment at the provider, and the
 * wait until the provider's webhook has made the order paid. Each worker has several customers and takes them in turn.
 */
async function checkoutStory(script: Extract<Script, { kind: 'checkout' }>): Promise<Story> {
  const paid = await openPaidWatch(script.postgresUrl)
  const stripe = new Map<number, Connection>()
  const turns = new Map<number, number>()
  const perWorker = Math.max(1, Math.floor(script.browsers.length / 16))
  return {
    async play(connection, worker) {
      const turn = turns.get(worker) ?? 0
      turns.set(worker, turn + 1)
      const index = (worker * perWorker + (turn % perWorker)) % script.browsers.length
      const browser = script.browsers[index]!
      const ask = async <Body>(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Body> =>
        json(await connection.send(encode({ method: 'POST', path, headers: { ...writes(browser), ...headers }, body })))

      for (const line of script.baskets[(worker + turn) % script.baskets.length]!) await ask('/v1/cart/items', line)
      const { destination } = script
      const summary = await ask<Summary>('/v1/checkout/summary', { destination })
      const placed = await ask<Placed>(
        '/v1/orders',
        {
          shippingAddress: script.address,
          deliveries: summary.groups.map(({ vendorId, deliveryOptions }) => ({
            vendorId,
            optionId: deliveryOptions[0]!.optionId,
          })),
          paymentProvider: 'stripe',
          email: browser.email,
          expectedTotal: summary.totals.total,
        },
        { 'idempotency-key': randomUUID() },
      )
      // The provider closes a connection that it has not heard from for a while.
      let provider = stripe.get(worker)
      if (!provider?.open) provider = await openConnection(script.stripePort)
      stripe.set(worker, provider)
      const { intentId, clientSecret } = placed.payment
      const payment = await provider.send(
        encode({
          method: 'POST',
          path: `/_emulator/pay/${intentId}?client_secret=${clientSecret}`,
          headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
          body: 'action=pay',
        }),
      )
      if (json<{ status: string }>(payment).status !== 'succeeded') throw new Error('the payment did not succeed')
      await paid.wait(placed.order.id)
      return { orderId: placed.order.id }
    },
    position: () => 0,
    async close() {
      for (const connection of stripe.values()) connection.close()
      await paid.close()
    },
  }
}

type Summary = {
  groups: { vendorId: string; deliveryOptions: { optionId: string }[] }[]
  totals: { total: object }
}
type Placed = { order: { id: string }; payment: { intentId: string; clientSecret: string } }

/** What a browser's page sends with a write. */
export const writes = ({ cookie, csrfToken }: Browser): Record<string, string> => ({
  cookie,
  'x-csrf-token': csrfToken,
  'sec-fetch-site': 'same-origin',
})

function json<Body>(answer: Answer): Body {
  return JSON.parse(check(answer, Buffer.alloc(0)).toString()) as Body
}
