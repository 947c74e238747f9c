import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { percentiles, perRepetition } from '../bench.ts'
import type { HandlerTask, Moments, Published, PublisherTask } from '../events/protocol.ts'
import { cpuBetween, readCpu } from '../processes.ts'
import { makeDatabase } from '../seed/database.ts'
import type { StoresRow } from './row.ts'

const PER_SECOND = 500
const PREFIX = 'bench'
const WARMUP_SECONDS = 10
const ASK_EVERY_MS = 100
const GIVE_UP_MS = 30_000

/**
 * The event machinery alone, in two processes with a database each, since nothing in the shop makes 500 events a second on a
 * small machine: outbox, relay, broker, inbox, handler.
 */
const latency: StoresRow = {
  name: `event from commit to its handler's commit, ${PER_SECOND} a second`,
  target: { p50Below: 20, p99Below: 150 },
  on: 'stores',
  async measure(bench) {
    const { urls } = bench.stores
    const [publisherUrl, handlerUrl] = [
      await makeDatabase(urls.postgres, 'bench_publisher'),
      await makeDatabase(urls.postgres, 'bench_handler'),
    ]
    await prepare(publisherUrl)
    await prepare(handlerUrl)
    const common = { rabbitmqUrl: urls.rabbitmq, prefix: PREFIX }
    const handler = start('handler.ts', { ...common, url: handlerUrl })
    await heard(handler)
    const publisher = start('publisher.ts', {
      ...common,
      url: publisherUrl,
      perSecond: PER_SECOND,
    })
    await heard(publisher)
    const emitFor = async (seconds: number) => {
      publisher.send({ seconds })
      const { committing, perSecond } = (await heard(publisher)) as Published
      return { perSecond, ...(await handledOf(handler, committing)) }
    }
    const processes = new Map([...bench.processes, ['publisher', publisher.pid!], ['handler', handler.pid!]])
    // What a cold start leaves to be handled later is gone when the measured seconds begin.
    await emitFor(WARMUP_SECONDS)
    const before = readCpu(processes)
    const { perSecond, latencies, lost } = await emitFor(bench.seconds)
    const used = cpuBetween(before, readCpu(processes))
    await Promise.all([publisher, handler].map(stop))
    const slow = perSecond < PER_SECOND * 0.98
    return {
      perSecond,
      ...percentiles(latencies),
      cpu: perRepetition(used, latencies.length),
      notes: ['from just before the commit is sent to the answer to the handler’s commit'],
      faults: [
        ...(lost ? [`${lost} events were not handled`] : []),
        ...(slow ? [`only ${perSecond.toFixed(0)} events a second were committed`] : []),
      ],
    }
  },
}

/** The tables of the event machinery, as every service has them, and something for the handler to write. */
async function prepare(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(readFileSync(new URL('../../../packages/kit/sql/events.sql', import.meta.url), 'utf8'))
  await client.query(
    'create table levels (sku text primary key, available integer not null, changes integer not null default 1)',
  )
  await client.end()
}

/** How long each event took until its handler had committed; waits for what is on its way. */
async function handledOf(handler: ChildProcess, committing: Moments) {
  const giveUpAt = Date.now() + GIVE_UP_MS
  for (;;) {
    handler.send('report')
    const handledAt = new Map((await heard(handler)) as Moments)
    const latencies = committing.flatMap(([id, at]) => (handledAt.has(id) ? [handledAt.get(id)! - at] : []))
    const lost = committing.length - latencies.length
    if (lost === 0 || Date.now() > giveUpAt) return { latencies: latencies.sort((a, b) => a - b), lost }
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS))
  }
}

/** The next message of a child; its death is an error. */
const heard = async (child: ChildProcess): Promise<unknown> => {
  const [message] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => Promise.reject(new Error('a process of the event row died'))),
  ])
  return message
}

const start = (file: string, task: HandlerTask | PublisherTask): ChildProcess =>
  fork(fileURLToPath(new URL(`../events/${file}`, import.meta.url)), [JSON.stringify(task)], { execArgv: [] })

async function stop(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit')
  child.send('stop')
  await gone
}

export const eventRows: StoresRow[] = [latency]
