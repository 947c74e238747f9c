import { parseArgs } from 'node:util'
import { disorder } from './disorder/disorder.ts'
import { poison } from './disorder/poison.ts'
import { openCounter } from './disorder/post-office.ts'
import { createClock } from './disorder/stories.ts'
import { findAnomalies } from './invariants.ts'
import { openMarket } from './market.ts'
import { onThrowaway } from './throwaway.ts'

const RETRY_SECONDS = [1, 1, 1]

/** `--cases 500 --seed 1 --batch 50`, or `--case 17` of those for one of them alone. */
export async function run(args: string[]): Promise<string[]> {
  const { values } = parseArgs({
    args,
    options: {
      cases: { type: 'string', default: '500' },
      seed: { type: 'string', default: '1' },
      batch: { type: 'string', default: '50' },
      case: { type: 'string' },
    },
  })
  const clock = createClock()
  const { now } = clock
  const counter = await openCounter()
  const env = {
    '*': { LOG_LEVEL: 'silent', EVENT_RETRY_SECONDS: RETRY_SECONDS.join(',') },
    auth: { ARGON2_MEMORY_KIB: '64' },
    shipping: { SIMULATE_SCANS: 'false' },
  }
  const overrides = { order: { now }, inventory: { now }, promotion: { now }, vendor: { now } }
  try {
    return await onThrowaway(
      env,
      async (devnet) => {
        const market = await openMarket(devnet)
        const world = { devnet, market, clock }
        const started = performance.now()
        const { faults, counts, cases } = await disorder(world, counter, {
          cases: Number(values.cases),
          seed: Number(values.seed),
          batch: Number(values.batch),
          ...(values.case ? { only: [Number(values.case)] } : {}),
          log: (line) => console.log(line),
        })
        const seconds = Math.round((performance.now() - started) / 1000)
        console.log(`${cases} purchases in ${seconds} s, seed ${values.seed}`)
        console.log(
          `${counts.letters} letters: ${counts.lost} lost at first, ${counts.doubled} doubled, ${counts.delayed} copies late, ${counts.again} refused and sent again`,
        )
        const { attempts } = await poison(world, RETRY_SECONDS.length + 1)
        console.log(`a poisoned event was put aside after ${attempts} attempts and given back after the repair`)
        await market.checkBooks()
        return [...faults, ...(await findAnomalies({ ...devnet, retrySeconds: RETRY_SECONDS }))]
      },
      { overrides, stripeWebhookUrl: counter.url },
    )
  } finally {
    await counter.close()
  }
}
