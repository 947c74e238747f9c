import type { Redis } from 'ioredis'
import type { Db } from 'mongodb'
import { type Call, inCall, systemCall } from './call.ts'
import { type Leadership, leaseLeadership, mongoLeases, pgLeadership, redisLeases } from './leader.ts'
import type { Log } from './log.ts'
import { openPgSession, type PgSession } from './pg-session.ts'

const TIMEOUT_SECONDS = 300
const MAX_JITTER_MS = 10_000
/** A job that is wanted again and again runs no more often. */
const SOON_MS = 1_000

/** Something a service does by itself, again and again. */
export type Job<Ctx> = {
  name: string
  /** Pause between the end of a run and the start of the next. */
  everySeconds: number
  /** Runs in one instance of the service only. */
  leader: boolean
  timeoutSeconds: number
  run(ctx: Ctx, call: Call): Promise<void>
}

/** Declares a job. `run` must bear being cut off anywhere: its signal aborts on timeout, lost leadership and shutdown. */
export function job<Ctx>(
  name: string,
  options: {
    everySeconds: number
    run: (ctx: Ctx, call: Call) => Promise<void>
    leader?: boolean
    timeoutSeconds?: number
  },
): Job<Ctx> {
  return { name, leader: false, timeoutSeconds: TIMEOUT_SECONDS, ...options }
}

export type JobMetrics = {
  /** A run ended; `outcome` is `ok` or `error`. */
  ran(job: string, outcome: 'ok' | 'error', seconds: number): void
}

export type Jobs = {
  /** Runs a job now, after a run that is under way, whoever leads; rejects with the job's error. For tests and operators. */
  runNow(name: string): Promise<void>
  /**
   * Does not wait for the pause to end: a run begins at once, or a second after the last one began. For work that is known to be
   * there, so that the pause may be long. Nothing happens without timers.
   */
  soon(name: string): void
  /** No new runs; aborts and awaits those under way. */
  close(): Promise<void>
}

/**
 * Starts one timer per job. Runs of a job never overlap in a process; the first one comes after a random part of the pause,
 * so that instances started together spread out. An error is logged and stops nothing. Jobs with `leader` need one store
 * for the lock: a PostgreSQL session (or `pgUrl` for one of their own), MongoDB or Redis.
 */
export function startJobs<Ctx>(options: {
  service: string
  jobs: readonly Job<Ctx>[]
  ctx: Ctx
  log: Log
  session?: PgSession
  pgUrl?: string
  mongo?: Db
  redis?: Redis
  metrics?: JobMetrics
  /** Without timers jobs run by `runNow` only. */
  timers?: boolean
  /** Makes the call a job runs in; a plain system call by default. */
  startCall?: (log: Log, options: { timeoutMs: number }) => Call
}): Jobs {
  const { service, ctx, jobs } = options
  const startCall = options.startCall ?? systemCall
  const own =
    !options.session && options.pgUrl
      ? openPgSession({ url: options.pgUrl, name: service, log: options.log })
      : undefined
  const leadership = chooseLeadership(options.session ?? own, options.mongo, options.redis)
  const closing = new AbortController()
  const timers = new Map<string, NodeJS.Timeout>()
  const running = new Map<string, Promise<void>>()
  const startedAt = new Map<string, number>()
  /** Jobs whose timer has fired, and among them those that are wanted again. */
  const ticking = new Set<string>()
  const wanted = new Set<string>()
  const hasTimers = options.timers ?? true

  const run = async (job: Job<Ctx>, leading?: AbortSignal) => {
    const log = options.log.child({ job: job.name })
    const call = startCall(log, { timeoutMs: job.timeoutSeconds * 1000 })
    const signal = AbortSignal.any([call.signal, closing.signal, ...(leading ? [leading] : [])])
    const started = performance.now()
    let outcome: 'ok' | 'error' = 'ok'
    try {
      const scoped = { ...call, signal }
      await inCall(scoped, () => job.run(ctx, scoped))
    } catch (err) {
      outcome = 'error'
      if (closing.signal.aborted) log.info({ err }, 'job cut off by shutdown')
      else log.error({ err }, 'job failed')
      throw err
    } finally {
      const seconds = (performance.now() - started) / 1000
      options.metrics?.ran(job.name, outcome, seconds)
      log.debug({ outcome, ms: Math.round(seconds * 1000) }, 'job')
    }
  }

  const find = (name: string): Job<Ctx> => {
    const job = jobs.find((candidate) => candidate.name === name)
    if (!job) throw new Error(`no job ${name}`)
    return job
  }

  /** Starts a run unless one is under way, and remembers it. */
  const begin = (job: Job<Ctx>, leading?: AbortSignal): Promise<void> => {
    startedAt.set(job.name, Date.now())
    const work = run(job, leading).finally(() => running.delete(job.name))
    running.set(
      job.name,
      work.catch(() => undefined),
    )
    return work
  }

  const tick = async (job: Job<Ctx>) => {
    ticking.add(job.name)
    try {
      if (!running.has(job.name)) {
        const leading = job.leader ? await leadership?.lead(`haat.job.${service}.${job.name}`) : undefined
        const may = !closing.signal.aborted && !running.has(job.name) && (!job.leader || leading)
        if (may) await begin(job, leading).catch(() => undefined)
      } else wanted.add(job.name)
    } catch (err) {
      options.log.warn({ err, job: job.name }, 'cannot tell who leads the job')
    }
    ticking.delete(job.name)
    schedule(job, wanted.delete(job.name) ? untilSoon(job) : job.everySeconds * 1000)
  }
  const untilSoon = ({ name }: Job<Ctx>) => Math.max(0, (startedAt.get(name) ?? 0) + SOON_MS - Date.now())
  const schedule = (job: Job<Ctx>, ms: number) => {
    if (!closing.signal.aborted)
      timers.set(
        job.name,
        setTimeout(() => void tick(job), ms),
      )
  }

  for (const job of jobs) {
    if (job.leader && !leadership)
      throw new Error(`job ${job.name} needs a leader, but no store for the lock was given`)
    if (jobs.filter((other) => other.name === job.name).length > 1) throw new Error(`two jobs are called ${job.name}`)
    if (hasTimers) schedule(job, Math.random() * Math.min(job.everySeconds * 1000, MAX_JITTER_MS))
  }

  return {
    soon(name) {
      const job = find(name)
      if (!hasTimers) return
      if (ticking.has(name)) return void wanted.add(name)
      clearTimeout(timers.get(name))
      schedule(job, untilSoon(job))
    },
    async runNow(name) {
      const job = find(name)
      while (running.has(name)) await running.get(name)
      await begin(job)
    },
    async close() {
      closing.abort(new Error('shutting down'))
      for (const timer of timers.values()) clearTimeout(timer)
      await Promise.all(running.values())
      await leadership?.close()
      await own?.close()
    },
  }
}

function chooseLeadership(session?: PgSession, mongo?: Db, redis?: Redis): Leadership | undefined {
  if (session) return pgLeadership(session)
  if (mongo) return leaseLeadership(mongoLeases(mongo))
  if (redis) return leaseLeadership(redisLeases(redis))
  return undefined
}
