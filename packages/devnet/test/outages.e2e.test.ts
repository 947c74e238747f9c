import { afterAll, expect, test } from 'vitest'
import { openMarket } from '../src/drills/market.ts'
import { type Outage, outages } from '../src/drills/outages/outages.ts'
import { openFront } from '../src/front.ts'
import { startTestDevnet } from './devnet.ts'

// The run's stores, each behind a door of our own: what happens to the door happens to this marketplace only.
const names = ['postgres', 'mongo', 'redis', 'rabbitmq'] as const
const doors = new Map<(typeof names)[number], Awaited<ReturnType<typeof openFront>>>()
for (const name of names) {
  const variable = `${name.toUpperCase()}_URL`
  const url = new URL(process.env[variable]!)
  const door = await openFront(0, Number(url.port))
  doors.set(name, door)
  url.hostname = '127.0.0.1'
  url.port = String(door.port)
  process.env[variable] = url.href
}
afterAll(async () => {
  for (const door of doors.values()) await door.close()
})

const RETRY_SECONDS = [1, 2, 5, 10, 20, 30]
const devnet = await startTestDevnet({
  '*': { LOG_LEVEL: process.env.TEST_LOG_LEVEL ?? 'silent', EVENT_RETRY_SECONDS: RETRY_SECONDS.join(',') },
})
const market = await openMarket(devnet)

const gone = (store: (typeof names)[number]): Outage => ({
  store,
  name: `${store} gone`,
  begin: () => doors.get(store)!.refuse(),
  end: () => doors.get(store)!.recover(),
})
const hangs = (store: (typeof names)[number]): Outage => ({
  store,
  name: `${store} hangs`,
  begin: async () => doors.get(store)!.freeze(),
  end: () => doors.get(store)!.recover(),
})

test('whichever store is away, every route answers in time, rightly or with 503 and when to come back, and all recovers by itself', async () => {
  const figures = await outages(
    { ...devnet, retrySeconds: RETRY_SECONDS },
    market,
    [gone('redis'), gone('postgres'), gone('mongo'), gone('rabbitmq'), hangs('redis')],
    {
      seconds: 0,
      customers: 2,
      atOnce: 24,
      thin: 2,
      log: (line) => process.env.SHOW && console.log(performance.now(), line),
    },
  )
  expect(figures.flatMap(({ faults }) => faults)).toEqual([])
  // The stores were away indeed: what depends on each was refused, and what does not went on.
  const answers = (outage: string, group: string) =>
    Object.keys(figures.find((each) => each.outage === outage)!.groups[`storefront: ${group}`]!)
  expect(answers('redis gone', 'login and registration')).toContain('503')
  expect(answers('redis gone', 'coupons')).toContain('503')
  expect(answers('redis gone', 'account and reviews, reads')).toContain('as always')
  expect(answers('postgres gone', 'orders and payment')).toContain('503')
  expect(answers('postgres gone', 'catalogue')).toContain('as always')
  expect(answers('mongo gone', 'cart and summary')).toContain('503')
  expect(answers('mongo gone', 'orders and payment')).toContain('as always')
  expect(answers('rabbitmq gone', 'orders and payment')).toContain('as always')
}, 480_000)
