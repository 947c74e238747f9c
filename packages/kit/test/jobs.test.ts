import { Redis } from 'ioredis'
import { expect, onTestFinished, test } from 'vitest'
import { currentCall } from '../src/call.ts'
import { type Jobs, job, startJobs } from '../src/jobs.ts'
import { leaseLeadership, mongoLeases, redisLeases } from '../src/leader.ts'
import { createDatabase, createMongo, eventually, log, uniqueName } from './events-support.ts'

type Options = Omit<Parameters<typeof startJobs<undefined>>[0], 'service' | 'ctx' | 'log'>

function start(options: Options): Jobs {
  const jobs = startJobs({ service: 'things', ctx: undefined, log, ...options })
  onTestFinished(() => jobs.close())
  return jobs
}

test('a job runs again and again, never twice at once, and inside a call', async () => {
  let runs = 0
  let running = 0
  let most = 0
  const outcomes: string[] = []
  start({
    metrics: { ran: (name, outcome) => void outcomes.push(`${name} ${outcome}`) },
    jobs: [
      job('count', {
        everySeconds: 0.01,
        run: async (_ctx, call) => {
          most = Math.max(most, ++running)
          expect(currentCall()?.requestId).toBe(call.requestId)
          await new Promise((resolve) => setTimeout(resolve, 15))
          running--
          runs++
        },
      }),
    ],
  })
  await eventually(() => expect(runs).toBeGreaterThanOrEqual(5))
  expect(most).toBe(1)
  expect(new Set(outcomes)).toEqual(new Set(['count ok']))
})

test('an error neither stops the timer nor the process', async () => {
  let runs = 0
  start({
    jobs: [
      job('fail', {
        everySeconds: 0.01,
        run: async () => {
          runs++
          throw new Error('broken')
        },
      }),
    ],
  })
  await eventually(() => expect(runs).toBeGreaterThanOrEqual(3))
})

test('runNow runs at once, waits for a run under way and answers the error', async () => {
  const order: string[] = []
  const release = Promise.withResolvers<void>()
  const jobs = start({
    jobs: [
      job('once', {
        everySeconds: 3600,
        run: async () => {
          order.push('begin')
          await release.promise
          order.push('end')
          if (order.length > 2) throw new Error('second time')
        },
      }),
    ],
  })
  const first = jobs.runNow('once')
  const second = jobs.runNow('once')
  release.resolve()
  await first
  await expect(second).rejects.toThrow('second time')
  expect(order).toEqual(['begin', 'end', 'begin', 'end'])
  await expect(jobs.runNow('other')).rejects.toThrow('no job other')
})

test('closing aborts the running job and starts no other', async () => {
  let runs = 0
  const jobs = start({
    jobs: [
      job('long', {
        everySeconds: 0.01,
        run: (_ctx, call) => {
          runs++
          return new Promise((_, reject) => call.signal.addEventListener('abort', () => reject(call.signal.reason)))
        },
      }),
    ],
  })
  await eventually(() => expect(runs).toBe(1))
  await jobs.close()
  expect(runs).toBe(1)
})

test('a job that is wanted runs without waiting for its timer, and once more when it was wanted while it ran', async () => {
  let release = Promise.withResolvers<void>()
  let runs = 0
  const wanted = job('wanted', {
    everySeconds: 3600,
    run: async () => {
      runs++
      await release.promise
    },
  })
  const jobs = start({ jobs: [wanted] })
  jobs.soon('wanted')
  await eventually(() => expect(runs).toBe(1))
  for (let i = 0; i < 10; i++) jobs.soon('wanted')
  release.resolve()
  release = Promise.withResolvers()
  await eventually(() => expect(runs).toBe(2))
  release.resolve()
  await new Promise((resolve) => setTimeout(resolve, 1_200))
  expect(runs).toBe(2)
  jobs.soon('wanted')
  await eventually(() => expect(runs).toBe(3))
  expect(() => jobs.soon('nobody')).toThrow('no job nobody')
})

test('without timers a job that is wanted waits until it is told to run', async () => {
  let runs = 0
  const jobs = start({
    timers: false,
    jobs: [job('wanted', { everySeconds: 0.01, run: async () => void runs++ })],
  })
  jobs.soon('wanted')
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(runs).toBe(0)
  await jobs.runNow('wanted')
  expect(runs).toBe(1)
})

test('a leader job without a store for the lock is refused at start', () => {
  const needy = job('needy', { everySeconds: 1, leader: true, run: async () => undefined })
  expect(() => start({ jobs: [needy] })).toThrow('needs a leader')
})

/** Two instances of a service with one leader job each; says who has run since the last look. */
function twoInstances(store: Partial<Options>) {
  const ran = new Set<string>()
  const instance = (name: string) =>
    start({
      ...store,
      jobs: [
        job('lead', {
          everySeconds: 0.02,
          leader: true,
          run: async () => void ran.add(name),
        }),
      ],
    })
  const since = () => {
    const names = [...ran]
    ran.clear()
    return names
  }
  return { instance, since }
}

test('one instance leads a job, and another takes over when it closes', async () => {
  const { url } = await createDatabase()
  const { instance, since } = twoInstances({ pgUrl: url })
  const first = instance('first')
  await eventually(() => expect(since()).toEqual(['first']))
  instance('second')
  for (let i = 0; i < 5; i++) await eventually(() => expect(since()).toEqual(['first']))
  await first.close()
  await eventually(() => expect(since()).toEqual(['second']))
})

test('a leader whose Postgres connection dies is told so, and leads again after reconnecting', async () => {
  const { url, killBackends } = await createDatabase()
  const signals: AbortSignal[] = []
  start({
    pgUrl: url,
    jobs: [
      job('lead', {
        everySeconds: 0.02,
        leader: true,
        run: async (_ctx, { signal }) => {
          signals.push(signal)
          if (signals.length === 1) await new Promise((resolve) => signal.addEventListener('abort', resolve))
        },
      }),
    ],
  })
  await eventually(() => expect(signals).toHaveLength(1))
  expect(await killBackends(`query like '%advisory_lock%'`)).toBe(1)
  await eventually(() => expect(signals.length).toBeGreaterThan(1))
  expect(signals[0]!.aborted).toBe(true)
  expect(signals[1]!.aborted).toBe(false)
})

test.each(['mongo', 'redis'] as const)(
  'a lease in %s has one owner, is prolonged, and passes on when its owner dies',
  async (kind) => {
    const store = kind === 'mongo' ? mongoLeases(await createMongo()) : redisLeases(openRedis())
    const name = uniqueName()
    // Closing this one only stops its timer, as a crash would: it gives nothing back.
    const first = leaseLeadership({ take: store.take, release: async () => undefined }, 300)
    const second = leaseLeadership(store, 300)
    onTestFinished(() => second.close())
    const signal = await first.lead(name)
    expect(signal?.aborted).toBe(false)
    const until = Date.now() + 700
    await eventually(async () => {
      expect(await second.lead(name)).toBeUndefined()
      expect(Date.now()).toBeGreaterThan(until)
    })
    expect(signal?.aborted).toBe(false)
    await first.close()
    expect(await second.lead(name)).toBeUndefined()
    await eventually(async () => expect(await second.lead(name)).toBeDefined())
  },
)

test('a leader that cannot prolong its lease is told so before the lease ends', async () => {
  const store = mongoLeases(await createMongo())
  let takenAt = 0
  const leadership = leaseLeadership(
    {
      take: async (...args) => {
        if (takenAt) throw new Error('the store is down')
        takenAt = Date.now()
        return store.take(...args)
      },
      release: store.release,
    },
    600,
  )
  onTestFinished(() => leadership.close())
  const signal = (await leadership.lead(uniqueName()))!
  await new Promise((resolve) => signal.addEventListener('abort', resolve))
  expect(Date.now() - takenAt).toBeLessThan(600)
})

test('of ten instances asking for a lease at once exactly one gets it', async () => {
  const store = mongoLeases(await createMongo())
  const answers = await Promise.all(Array.from({ length: 10 }, (_, i) => store.take('race', `owner-${i}`, 10_000)))
  expect(answers.filter(Boolean)).toHaveLength(1)
})

function openRedis() {
  const redis = new Redis(process.env.REDIS_URL!)
  onTestFinished(() => redis.disconnect())
  return redis
}
