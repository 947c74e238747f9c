import { expect, test } from 'vitest'
import { pay } from '../src/actors.ts'
import { insist, openMarket, prepareOrder, take } from '../src/drills/market.ts'
import { roster } from '../src/roster.ts'
import { startTestDevnet } from './devnet.ts'

const MOST = 4
const devnet = await startTestDevnet({ 'bff-storefront': { MAX_IN_FLIGHT: String(MOST) } })
const market = await openMarket(devnet)

test('a crowd that one process cannot serve is served in part, the rest is told at once to come back; checkouts go on, and afterwards all is as before', async () => {
  await market.shelve(market.leaf, 'CROWD', 10_000, 100)
  const buyers = await Promise.all(
    Array.from({ length: 3 }, async () => {
      const buyer = await market.customer()
      await take(buyer, 'CROWD')
      return { buyer, body: await prepareOrder(buyer) }
    }),
  )
  const look = async () => {
    const answer = await fetch(`${devnet.urls.storefront}/v1/inventory/CROWD`)
    const { error, available } = (await answer.json()) as { error?: { code: string }; available?: number }
    return { status: answer.status, code: error?.code, retryAfter: answer.headers.get('retry-after'), available }
  }
  let isOver = false
  const seen = new Map<number, number>()
  const crowd = Array.from({ length: 60 }, async () => {
    while (!isOver) {
      const { status, code, retryAfter, available } = await look()
      seen.set(status, (seen.get(status) ?? 0) + 1)
      if (status === 200) expect(available).toBeGreaterThan(90)
      else
        expect({ status, code, retryAfter }).toEqual({
          status: 503,
          code: 'overloaded',
          retryAfter: expect.stringMatching(/^[123]$/),
        })
    }
  })
  // The machines' own questions are not among what is counted.
  const { admin } = devnet.ports.of(roster.find(({ name }) => name === 'bff-storefront')!)
  expect((await fetch(`http://127.0.0.1:${admin}/readyz`)).status).toBe(200)
  for (const { buyer, body } of buyers) {
    const { payment } = await insist(buyer, body)
    expect((await pay(devnet, payment!)).status).toBe(200)
  }
  isOver = true
  await Promise.all(crowd)
  expect(seen.get(200)).toBeGreaterThan(0)
  expect(seen.get(503)).toBeGreaterThan(0)

  await devnet.settle()
  expect(await look()).toMatchObject({ status: 200, available: 97 })
  await market.checkBooks()
}, 60_000)
