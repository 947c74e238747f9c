import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { StoreName } from '@haat/stores/stores'
import type { Shopper } from '../../actors.ts'
import type { Devnet } from '../../devnet.ts'
import { type Answers, checkout, type Plan } from '../customers.ts'
import type { Installation } from '../invariants/databases.ts'
import { untilQuiet } from '../invariants/waiting.ts'
import { findAnomalies } from '../invariants.ts'
import type { Market } from '../market.ts'
import { type Answer, openSweep, type Probe } from './sweep.ts'

/** A store away, in one way. */
export type Outage = { store: StoreName; name: string; begin(): Promise<void>; end(): Promise<void> }

export type OutageFigures = {
  outage: string
  requests: number
  /** Per group of routes, how many answers were as always, as always but for a part of the page, or which refusal. */
  groups: Record<string, Record<string, number>>
  slowestMs: number
  /** After the store is back: until the last answer that was not as always. */
  recoverySeconds: number
  checkouts: number
  /** What the customers' refused requests were told meanwhile. */
  refusals: Record<string, number>
  faults: string[]
}

/** On top of a route's deadline, for a busy machine. */
const SLACK_MS = 2_000
const RECOVERS_WITHIN_SECONDS = 60
/** What was claimed by an answer that never came is claimed again after its lease, two minutes at most. */
const RESTS_WITHIN_SECONDS = 150
/** Requests at a time while nothing makes them wait. */
const CALMLY = 6

/**
 * Takes stores away one after the other under customers who go on buying, and asks every route of the three APIs meanwhile.
 * Each answer must be the one of calm days, or the page without some part, or 503 or 504 with Retry-After, in time. After the
 * store is back all is as before without any restart, and nothing is lost, doubled or left over.
 */
export async function outages(
  devnet: Devnet & Installation,
  market: Market,
  list: Outage[],
  options: {
    /** How long each store is away at least; every route is asked at least once. */
    seconds: number
    customers: number
    atOnce: number
    /** Only every so many-th route of the shop, and half as many of those for vendors and staff. */
    thin?: number
    log: (line: string) => void
  },
): Promise<OutageFigures[]> {
  const goods = { tea: `TEA-${randomUUID()}`, mug: `MUG-${randomUUID()}` }
  await market.shelve(market.leaf, goods.tea, 33_333, 100_000)
  await market.shelve(market.cup, goods.mug, 45_050, 100_000)
  const probes = thinned(await openSweep(devnet, market), options.thin ?? 1)
  const buyers = await Promise.all(Array.from({ length: options.customers }, () => market.customer()))
  await untilQuiet(devnet)
  const calm = await learnCalm(probes)
  options.log(`${probes.length} routes`)
  const all: OutageFigures[] = []
  for (const outage of list) {
    const figures = await during(outage)
    all.push(figures)
    options.log(
      `${outage.name}: ${figures.requests} requests, slowest ${figures.slowestMs} ms, back to normal after ${figures.recoverySeconds} s, ${figures.checkouts} checkouts, ${figures.faults.length} faults`,
    )
  }
  return all

  async function during(outage: Outage): Promise<OutageFigures> {
    const faults = new Set<string>()
    const disturbed = new Set<Probe>()
    const groups: OutageFigures['groups'] = {}
    const refusals: Answers = new Map()
    let requests = 0
    let slowestMs = 0
    const shopping = startShopping(devnet, buyers, goods, refusals)
    await pause(300)

    await outage.begin()
    const until = Date.now() + options.seconds * 1000
    await sweep(
      shuffled(probes),
      options.atOnce,
      () => Date.now() < until,
      async (probe) => {
        const answer = await probe.send()
        requests += 1
        slowestMs = Math.max(slowestMs, Math.round(answer.ms))
        const verdict = judge(probe, answer, calm.get(probe)!)
        if (verdict.fault) faults.add(`${outage.name}: ${probe.name}: ${verdict.fault}`)
        if (verdict.kind !== AS_ALWAYS) disturbed.add(probe)
        groups[probe.group] ??= {}
        count(groups[probe.group]!, verdict.kind)
      },
    )
    await outage.end()

    const back = Date.now()
    let lastFailure = back
    for (let isClean = false; !isClean; ) {
      isClean = true
      await sweep(
        [...disturbed],
        CALMLY,
        () => false,
        async (probe) => {
          const answer = await probe.send()
          const verdict = judge(probe, answer, calm.get(probe)!)
          if (verdict.kind === AS_ALWAYS) return
          isClean = false
          lastFailure = Date.now()
          if (verdict.fault) faults.add(`after ${outage.name}: ${probe.name}: ${verdict.fault}`)
          if (lastFailure - back > RECOVERS_WITHIN_SECONDS * 1000)
            faults.add(`after ${outage.name}: ${probe.name} is still answered ${answer.status} ${answer.code}`)
        },
      )
      if (Date.now() - back > RECOVERS_WITHIN_SECONDS * 1000) break
    }
    const { done, failures } = await shopping.end()
    for (const failure of failures) faults.add(`${outage.name}: a checkout had no end: ${failure}`)
    for (const [name] of refusals)
      if (!/^(503|504|409) |^no answer/.test(name)) faults.add(`${outage.name}: a customer was answered ${name}`)
    await untilQuiet(devnet, RECOVERS_WITHIN_SECONDS)
    for (const anomaly of await restingAnomalies(devnet)) faults.add(`after ${outage.name}: ${anomaly}`)
    return {
      outage: outage.name,
      requests,
      groups,
      slowestMs,
      recoverySeconds: Math.round((lastFailure - back) / 100) / 10,
      checkouts: done,
      refusals: Object.fromEntries([...refusals].sort()),
      faults: [...faults],
    }
  }
}

const AS_ALWAYS = 'as always'

type Calm = { statuses: Set<number>; text: string | undefined }

/** What each route answers when nothing is wrong; a text only where it is the same both times. */
async function learnCalm(probes: Probe[]): Promise<Map<Probe, Calm>> {
  const heard = new Map(probes.map((probe) => [probe, [] as Answer[]]))
  for (let round = 0; round < 2; round += 1) {
    await sweep(
      probes,
      CALMLY,
      () => false,
      async (probe) => {
        const answer = await probe.send()
        if (answer.status === 0 || answer.status >= 500)
          throw new Error(
            `${probe.name} is answered ${answer.status} ${answer.code} on a calm day: ${answer.text.slice(0, 300)}`,
          )
        heard.get(probe)!.push(answer)
      },
    )
    // Public pages are held for two seconds.
    await pause(2_500)
  }
  return new Map(
    [...heard].map(([probe, answers]) => {
      const [first, second] = answers
      // The lists of vendors and staff grow with every order, and a person's own with writes whose answer came too late.
      const isShop = probe.name.startsWith('storefront') && !probe.name.includes('/me/')
      const isStable = isShop && first!.text === second!.text && second!.status < 300
      return [
        probe,
        { statuses: new Set(answers.map(({ status }) => status)), text: isStable ? second!.text : undefined },
      ]
    }),
  )
}

/** What kind of answer it is, and what is wrong with it. */
function judge(probe: Probe, answer: Answer, calm: Calm): { kind: string; fault?: string } {
  const { status, code, retryAfter, degraded } = answer
  const kind =
    status === 503 || status === 504
      ? String(status)
      : degraded.length > 0
        ? `without ${[...degraded].sort().join(', ')}`
        : AS_ALWAYS
  if (answer.ms > probe.deadlineMs + SLACK_MS) return { kind, fault: `took ${Math.round(answer.ms)} ms` }
  if (status === 503 || status === 504)
    return retryAfter === null ? { kind, fault: `${status} ${code} without Retry-After` } : { kind }
  // A write that has been done already, or too often, is refused.
  const isRepeat = !probe.name.includes(' GET ') && [409, 422, 429].includes(status)
  if (!calm.statuses.has(status) && !isRepeat)
    return { kind: String(status), fault: `answered ${status} ${code} instead of ${[...calm.statuses].join(' or ')}` }
  if (status < 300 && degraded.length === 0 && calm.text !== undefined && answer.text !== calm.text)
    return { kind, fault: `another answer than always: ${answer.text.slice(0, 200)}` }
  return { kind }
}

const thinned = (probes: Probe[], by: number): Probe[] =>
  probes.filter(({ name }, index) => index % (name.startsWith('storefront') || by === 1 ? by : 2 * by) === 0)

/** Asks all once, and goes on from the start while there is time. */
async function sweep(probes: Probe[], atOnce: number, hasTime: () => boolean, ask: (probe: Probe) => Promise<void>) {
  let next = 0
  const hand = async () => {
    while (next < probes.length || hasTime()) {
      const probe = probes[next % probes.length]!
      next += 1
      await ask(probe)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, hand))
}

/** Customers who buy one thing after the other until they are told to stop. */
function startShopping(devnet: Devnet, buyers: Shopper[], goods: { tea: string; mug: string }, answers: Answers) {
  const failures: string[] = []
  let done = 0
  let isOver = false
  const endings: Plan['ending'][] = ['pay', 'decline, pay', 'pay', 'repent', 'cancel']
  const hands = buyers.map(async (buyer, number) => {
    for (let turn = number; !isOver; turn += 1) {
      const plan: Plan = {
        lines: { [goods.tea]: 1 + (turn % 2), [goods.mug]: 1 },
        ending: endings[turn % endings.length]!,
      }
      await checkout(devnet, buyer, plan, answers).then(
        () => {
          done += 1
        },
        (error: unknown) => failures.push(String(error)),
      )
    }
  })
  return {
    async end() {
      isOver = true
      await Promise.all(hands)
      return { done, failures }
    },
  }
}

/** What jobs still have to do may take some time more. */
async function restingAnomalies(devnet: Devnet & Installation): Promise<string[]> {
  for (const giveUpAt = Date.now() + RESTS_WITHIN_SECONDS * 1000; ; await pause(1_000)) {
    const anomalies = await findAnomalies(devnet)
    if (anomalies.length === 0 || Date.now() > giveUpAt) return anomalies
  }
}

const count = (counts: Record<string, number>, name: string) => {
  counts[name] = (counts[name] ?? 0) + 1
}

const shuffled = <T>(items: T[]): T[] =>
  items
    .map((item) => ({ item, rank: Math.random() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item)

/** The answers per group of routes and outage, as a Markdown table. */
export function tableOf(all: OutageFigures[]): string {
  const groups = [...new Set(all.flatMap((figures) => Object.keys(figures.groups)))].sort()
  const cell = (counts: Record<string, number> = {}) => {
    const total = Object.values(counts).reduce((sum, n) => sum + n, 0)
    return Object.entries(counts)
      .sort(([, a], [, b]) => b - a)
      .map(([kind, n]) => `${kind}${n === total ? '' : ` ${Math.max(1, Math.round((100 * n) / total))} %`}`)
      .join(', ')
  }
  return [
    `| | ${all.map(({ outage }) => outage).join(' | ')} |`,
    `|---|${all.map(() => '---|').join('')}`,
    ...groups.map((group) => `| ${group} | ${all.map((figures) => cell(figures.groups[group])).join(' | ')} |`),
    `| slowest answer | ${all.map(({ slowestMs }) => `${slowestMs} ms`).join(' | ')} |`,
    `| back to normal after | ${all.map(({ recoverySeconds }) => `${recoverySeconds} s`).join(' | ')} |`,
  ].join('\n')
}
