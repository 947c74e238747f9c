import { expect, test } from 'vitest'
import { disorder } from '../src/drills/disorder/disorder.ts'
import { poison } from '../src/drills/disorder/poison.ts'
import { openCounter } from '../src/drills/disorder/post-office.ts'
import { createClock } from '../src/drills/disorder/stories.ts'
import { findAnomalies } from '../src/drills/invariants.ts'
import { openMarket } from '../src/drills/market.ts'
import { startTestDevnet } from './devnet.ts'

const clock = createClock()
const { now } = clock
const counter = await openCounter()
const devnet = await startTestDevnet(
  {},
  { order: { now }, inventory: { now }, promotion: { now }, vendor: { now } },
  { stripeWebhookUrl: counter.url },
)
const market = await openMarket(devnet)

test('purchases end the same whatever order their notices and events come in, however often, however late', async () => {
  const { faults, counts } = await disorder({ devnet, market, clock }, counter, {
    cases: Number(process.env.CASES ?? 12),
    seed: Number(process.env.SEED ?? 1),
    log: (line) => process.env.SHOW && console.log(line),
  })
  expect(faults).toEqual([])
  expect(Math.min(counts.lost, counts.doubled, counts.delayed)).toBeGreaterThan(10)
}, 600_000)

test('an event its handler cannot bear is put aside after counted attempts, holds up nobody, and takes effect once given back', async () => {
  expect(await poison({ devnet, market, clock }, 4)).toEqual({ attempts: 4 })
  await market.checkBooks()
  expect(await findAnomalies(devnet)).toEqual([])
}, 60_000)
