import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { Envelope } from '@haat/kit/events/envelope'
import { withoutSensitive } from '@haat/kit/events/sensitive'
import { portsFrom } from '../environment.ts'
import { startFleet } from './fleet.ts'
import { type Databases, openDatabases } from './invariants/databases.ts'
import { createCanaries, createFinder } from './personal-data/canaries.ts'
import { openCollector } from './personal-data/collector.ts'
import { dumpAll, dumpFolder, type Piece } from './personal-data/dump.ts'
import { adminPortsOf, type Marketplace } from './personal-data/marketplace.ts'
import { beRefused } from './personal-data/refusals.ts'
import { live } from './personal-data/story.ts'

type Collector = Awaited<ReturnType<typeof openCollector>>

export type Figures = {
  faults: string[]
  /** Personal values that were planted. */
  planted: number
  /** How many of them each store held before the people were forgotten: where personal data lies. */
  heldBy: Record<string, number>
  events: number
  logLines: number
  spans: number
  metricsBytes: number
  refusals: number
}

/** Every number of a sale; being forgotten changes none of them. */
const MONEY: [service: string, query: string][] = [
  ['order', 'select count(*), sum(total), sum(refunded) from orders'],
  ['order', 'select count(*), sum(total), sum(commission), sum(refunded) from vendor_orders'],
  ['order', 'select count(*), sum(total), sum(tax), sum(qty), sum(refunded_amount) from order_items'],
  ['order', 'select count(*), sum(amount) from refunds'],
  ['payment', 'select count(*), sum(amount), sum(refunded_amount) from payments'],
  ['payment', 'select count(*), sum(amount) from refunds'],
  ['payment', 'select count(*), sum(amount) from payouts'],
  ['payment', 'select count(*), sum(abs(amount)), sum(amount) from ledger_postings'],
  ['vendor', 'select count(*), sum(gross), sum(commission), sum(net) from vendor_earnings'],
  ['vendor', 'select count(*), sum(amount) from vendor_payouts'],
]

/** Numbers that only the vendor's own bank may read. */
const UNREADABLE = /^(the account number|the IBAN|the .* password|the .* access token)$/

/**
 * Plants a marked value in every personal field, lives through purchase, cancellation, refund and payout with everything being
 * logged, measured and traced, and looks for the values: in logs, metrics, traces, events, refusals and stores, before the people
 * are forgotten and after.
 */
export async function personalData(
  place: Marketplace,
  collector: Collector,
  log: (line: string) => void,
): Promise<Figures> {
  const { planted, plant } = createCanaries()
  const faults: string[] = []
  const people = await live(place, plant)
  const refusals = await beRefused(place, people, plant)
  log(`the story is told: ${planted.size} personal values, ${refusals.length} refused requests`)
  await place.settle()

  const find = createFinder(planted)
  const look = (where: string, bytes: Buffer | string) => {
    for (const what of find(bytes)) faults.push(`${what} is in ${where}`)
  }
  for (const { what, status, body } of refusals) {
    if (status < 400) faults.push(`${what} was not refused: ${status}`)
    look(`the answer to ${what}`, body)
  }

  const before = await dumpAll(place)
  const heldBy: Record<string, number> = {}
  for (const { where, bytes } of before) {
    const found = find(bytes)
    const store = where.replace(/ .*/, '')
    if (found.length) heldBy[store] = (heldBy[store] ?? 0) + found.length
    for (const what of found) if (UNREADABLE.test(what)) faults.push(`${what} can be read in ${where}`)
  }
  const events = before.flatMap(eventsOf)
  // An outbox holds an event in clear until the broker has it, as its service's own tables do.
  for (const { where, envelope } of events)
    look(
      `${envelope.type}, in ${where}`,
      JSON.stringify(where.endsWith('.outbox') ? withoutSensitive(envelope) : envelope),
    )
  log(`${events.length} events looked through, ${before.length} tables, collections, keys, messages and files`)

  const moneyBefore = await readMoney(place)
  for (const { shop } of [people.buyer, people.member, people.owner])
    await shop.DELETE('/v1/me', { body: { confirm: true } }).then(({ response }) => {
      if (!response.ok) faults.push(`a person was not forgotten: ${response.status}`)
    })
  await place.settle()
  for (const { where, bytes } of await dumpAll(place)) look(`${where}, after everybody was forgotten`, bytes)
  const moneyAfter = await readMoney(place)
  for (const [index, [service, query]] of MONEY.entries())
    if (moneyBefore[index] !== moneyAfter[index])
      faults.push(`${service}: ${query} was ${moneyBefore[index]} and is ${moneyAfter[index]}`)
  if (moneyBefore.some((row) => /"count":"0n?"/.test(row))) faults.push('the story moved no money somewhere')

  // What is written and sent late is there by now.
  await pause(3_000)
  const metrics = await Promise.all(
    place.adminPorts.map(async (port) => (await fetch(`http://127.0.0.1:${port}/metrics`)).text()),
  )
  for (const text of metrics) look('/metrics', text)
  for (const body of collector.bodies) look('what is sent to the collector', body)
  const logs = dumpFolder('log', join(place.dataDir, 'log'))
  for (const { where, bytes } of logs) look(where, bytes)
  const figures = {
    planted: planted.size,
    heldBy,
    events: events.length,
    logLines: logs.reduce((sum, { bytes }) => sum + bytes.toString('latin1').split('\n').length, 0),
    spans: collector.spans(),
    metricsBytes: metrics.reduce((sum, text) => sum + text.length, 0),
    refusals: refusals.length,
  }
  return { faults: [...new Set(faults)], ...figures }
}

/** The events in an outbox, in what is kept of the published ones, and in a queue. */
function eventsOf({ where, bytes }: Piece): { where: string; envelope: Envelope }[] {
  const isEvents = /\.(outbox|outbox_published|published_events)$/.test(where)
  if (!isEvents && !where.startsWith('queue ')) return []
  return bytes
    .toString()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .flatMap((line) => {
      const value = JSON.parse(line) as { envelope?: Envelope } & Partial<Envelope>
      const envelope = value.envelope ?? value
      return envelope.eventId && envelope.data ? [{ where, envelope: envelope as Envelope }] : []
    })
}

async function readMoney(place: Marketplace): Promise<string[]> {
  const databases: Databases = await openDatabases(place)
  try {
    const rows: string[] = []
    for (const [service, query] of MONEY)
      rows.push(
        JSON.stringify(await databases.rows(service, query), (_key, value) =>
          String(typeof value === 'object' ? '' : value),
        ),
      )
    return rows
  } finally {
    await databases.close()
  }
}

/** The drill at full length: every service in a process of its own, on stores of its own. */
export async function run(args: string[]): Promise<string[]> {
  const { values } = parseArgs({ args, options: { 'data-dir': { type: 'string' } } })
  const began = performance.now()
  const log = (line: string) => console.log(`${((performance.now() - began) / 1000).toFixed(1).padStart(6)}s  ${line}`)
  const dataDir = values['data-dir'] ?? mkdtempSync(join(tmpdir(), 'haat-personal-data-'))
  const collector = await openCollector()
  // Processes take these from us.
  Object.assign(process.env, collector.env)
  const ports = portsFrom(23_200)
  const fleet = await startFleet({ dataDir, ports, durable: false, env: { '*': { LOG_LEVEL: 'debug' } }, log })
  try {
    const { urls, settle, stores, retrySeconds } = fleet
    const place: Marketplace = {
      urls,
      settle,
      stores,
      dataDir,
      retrySeconds: retrySeconds!,
      adminPorts: adminPortsOf(ports),
      close: fleet.close,
    }
    const { faults, heldBy, ...figures } = await personalData(place, collector, log)
    console.log(figures)
    console.log('personal values held, by table, collection or kind, while their owners were there:', heldBy)
    return faults
  } finally {
    await fleet.close()
    await collector.close()
    if (!values['data-dir']) rmSync(dataDir, { recursive: true, force: true })
  }
}
