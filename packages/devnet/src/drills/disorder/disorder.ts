import fc from 'fast-check'
import type { Devnet } from '../../devnet.ts'
import { each } from '../../each.ts'
import { openFinalStates } from './final-state.ts'
import { type Counter, type Letter, openPostOffice } from './post-office.ts'
import { createSchedule, type Schedule, type Weather } from './schedule.ts'
import {
  arrive,
  type Basket,
  openShop,
  order,
  type Purchase,
  type Step,
  type StoryName,
  stories,
  type World,
} from './stories.ts'

export type Case = { story: StoryName; basket: Basket; weather: Weather }

type Plan = { story: StoryName; basket: Basket; weather?: Weather | undefined }
type Actor = { buyer: Purchase['buyer']; steps: Step[]; purchase?: Purchase }

/** Goods of both vendors, few enough baskets that each has its in-order run. */
const BASKETS: Basket[] = [
  { tea: 2, mug: 1, coupon: true },
  { tea: 3, mug: 2, coupon: false },
]

const anyCase: fc.Arbitrary<Case> = fc.record({
  story: fc.constantFrom(...(Object.keys(stories) as StoryName[])),
  basket: fc.constantFrom(...BASKETS),
  weather: fc.record({
    seed: fc.nat(),
    lossPercent: fc.integer({ min: 0, max: 40 }),
    doublePercent: fc.integer({ min: 0, max: 60 }),
    delayRounds: fc.integer({ min: 0, max: 6 }),
  }),
})

const AT_ONCE = 6
const MOST_ROUNDS = 200

export type DisorderOptions = {
  cases: number
  seed: number
  /** Cases that go on together. */
  batch?: number
  /** Only these of the generated cases. */
  only?: number[]
  log: (line: string) => void
}

/**
 * Runs generated purchases whose notices and events are lost and sent again, doubled, delayed and reordered on their way to
 * every consumer, and compares what became of each, in all databases, with the same purchase told in order. Answers the
 * differences.
 */
export async function disorder(
  world: World & { devnet: Devnet & { prefix?: string } },
  counter: Counter,
  options: DisorderOptions,
): Promise<{ faults: string[]; counts: Schedule['counts']; cases: number }> {
  const { log } = options
  const { devnet } = world
  await openShop(world)
  const post = await openPostOffice(devnet, counter)
  const states = await openFinalStates(devnet)
  const counts = { letters: 0, lost: 0, doubled: 0, delayed: 0, again: 0 }
  const faults: string[] = []

  /** Nothing is on its way any more but what the post office holds. */
  const settle = async () => {
    for (let seen = -1; seen !== post.count; ) {
      seen = post.count
      await devnet.settle()
      await post.caughtUp()
    }
  }

  /** Many purchases at once, each with its story and its weather; without weather all is told in order. */
  const tell = async (plans: Plan[]): Promise<Purchase[]> => {
    const isInOrder = plans.every(({ weather }) => !weather)
    const schedule = createSchedule()
    const about = new Map<string, number>()
    let round = 0
    let isIdle = false
    /** False when nothing is on its way. */
    const deliverRound = async (hasActed: boolean) => {
      // Nothing arrives before the next letter does.
      round = Math.max(round + 1, isIdle ? schedule.nextDue : 0)
      if (round > MOST_ROUNDS) throw new Error('letters do not come to an end')
      const fresh = post.take()
      for (const letter of fresh) {
        const index = subjectOf(letter, about)
        const weather = index === undefined ? undefined : plans[index]!.weather
        if (weather) schedule.post(letter, index!, weather, round)
        else await letter.deliver()
      }
      const due = schedule.due(round)
      await Promise.all(due.map((copy) => copy.letter.deliver().catch(() => schedule.again(copy, round))))
      isIdle = fresh.length + due.length === 0 && !hasActed
      if (!isIdle || schedule.waiting === 0) await settle()
      return !isIdle || schedule.waiting > 0
    }

    const actors: Actor[] = []
    await each(plans, AT_ONCE, async ({ basket }, index) => {
      const buyer = await arrive(world, basket)
      actors[index] = { buyer, steps: [...stories[plans[index]!.story]] }
    })
    await settle()
    if (!isInOrder) post.hold()
    await each(plans, AT_ONCE, async ({ basket }, index) => {
      const actor = actors[index]!
      const purchase = await order(actor.buyer, basket)
      actor.purchase = purchase
      for (const id of [purchase.order.id, purchase.intent.intentId, purchase.buyer.userId]) about.set(id, index)
    })
    for (let idle = 0; idle < 3; ) {
      const stepsLeft = () => actors.reduce((sum, { steps }) => sum + steps.length, 0)
      const before = stepsLeft()
      await each(actors, AT_ONCE, (actor) => goOn(world, actor))
      const acting = actors.filter(({ steps }) => steps.length > 0)
      if (acting.length > 0 && acting.every(({ steps }) => steps[0]!.all)) {
        await acting[0]!.steps[0]!.all!(world)
        for (const { steps } of acting) steps.shift()
      }
      idle = (await deliverRound(stepsLeft() < before)) ? 0 : idle + 1
    }
    const stuck = actors.findIndex(({ steps }) => steps.length > 0)
    if (stuck >= 0) throw new Error(`${plans[stuck]!.story}: nothing is on its way, and nobody can go on`)
    post.release()
    for (const letter of post.take()) await letter.deliver()
    await settle()
    for (const name of Object.keys(counts) as (keyof typeof counts)[]) counts[name] += schedule.counts[name]
    return actors.map(({ purchase }) => purchase!)
  }

  /** What jobs still have to do is done here, not in their own time. */
  const finish = async () => {
    const run = (service: string, job: string) => devnet.services.get(service)!.runJob(job)
    await run('order', 'deliver-refunds')
    await run('notification', 'expand-notices')
    await settle()
  }

  try {
    const cases = fc.sample(anyCase, { numRuns: options.cases, seed: options.seed })
    const chosen = options.only ?? cases.map((_, index) => index)
    const inOrder = new Map(chosen.map((index) => [nameOf(cases[index]!), { ...cases[index]!, weather: undefined }]))
    const ended = await tell([...inOrder.values()])
    await finish()
    const ends = await states.of(ended)
    const expected = new Map([...inOrder.keys()].map((name, index) => [name, ends[index]!]))
    const size = options.batch ?? 50
    for (let from = 0; from < chosen.length; from += size) {
      const indexes = chosen.slice(from, from + size)
      const plans = indexes.map((index) => cases[index]!)
      const purchases = await tell(plans)
      await finish()
      for (const [i, lines] of (await states.of(purchases)).entries()) {
        const differences = difference(expected.get(nameOf(plans[i]!))!, lines)
        const what = `case ${indexes[i]} (${nameOf(plans[i]!)}, ${JSON.stringify(plans[i]!.weather)})`
        if (differences.length)
          faults.push(`${what}, order ${purchases[i]!.order.orderNo}:\n    ${differences.join('\n    ')}`)
      }
      log(`${from + indexes.length}/${chosen.length} purchases, ${counts.letters} letters: ${faults.length} differ`)
    }
    return { faults, counts, cases: chosen.length }
  } finally {
    post.release()
    for (const letter of post.take()) await letter.deliver().catch(() => undefined)
    await post.close()
    await states.close()
  }
}

const ID = /pi_\w+|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g

/** The purchase a letter is about; undefined for what is nobody's, such as a shelf that runs low. */
function subjectOf(letter: Letter, about: Map<string, number>): number | undefined {
  for (const [id] of letter.text.matchAll(ID)) {
    const index = about.get(id)
    if (index !== undefined) return index
  }
  return undefined
}

const nameOf = ({ story, basket }: Plan): string => `${story}; ${JSON.stringify(basket)}`

/** One person does the next thing, if it is theirs and they see what they need to see. */
async function goOn(world: World, { steps, purchase }: Actor): Promise<void> {
  const [step] = steps
  if (!step?.act || (step.when && !(await step.when(world, purchase!)))) return
  await step.act(world, purchase!)
  steps.shift()
}

/** Lines that are missing (-) or too many (+). */
function difference(wanted: string[], found: string[]): string[] {
  const left = [...found]
  const missing = wanted.filter((line) => {
    const at = left.indexOf(line)
    if (at >= 0) left.splice(at, 1)
    return at < 0
  })
  return [...missing.map((line) => `- ${line}`), ...left.map((line) => `+ ${line}`)]
}
